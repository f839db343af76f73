//! Each byte of code once: the instruction or constant that it belongs to, whose it is, and what it is there for.
//!
//! What an instruction is there for is what was proved of it (a spill, a reload, a copy, a recomputed value, an access), or
//! what its own meaning says. The Wasm offset is the compiler's word. Nothing here bears on a verdict.

use std::collections::{BTreeMap, BTreeSet};

use super::csv::{hex, line};
use crate::disassemble::{self, Kinds, Row};
use crate::elf::{Elf, FileKind};
use crate::layout::HARNESS;
use crate::thumb::decode::decode;
use crate::thumb::inst::{DataOp, Inst, MoveOp, Reg, SetFlags, Shift};
use crate::thumb::operands::operands;
use crate::trap::Trap;
use crate::verdict::{FunctionReport, Kind, Record, Report};

/// The trace.
pub fn text(elf: &Elf<'_>, report: &Report) -> String {
    let of_code = report.functions.iter().filter_map(|function| Some((function, function.record.as_ref()?)));
    let functions: BTreeMap<u32, (&FunctionReport, &Record)> =
        of_code.map(|(function, record)| (record.start, (function, record))).collect();
    let mut text = line(&["section", "address", "bytes", "text", "function", "name", "wasm offset", "class"]);
    for (index, section) in elf.sections.iter().enumerate().filter(|(_, section)| section.executable) {
        // Every section of an object begins at 0; the functions are in the module's own.
        let is_own =
            section.name.starts_with(".text.") || (elf.kind == FileKind::Executable && section.name != HARNESS);
        let mut known = Kinds::new();
        if is_own {
            for (function, record) in functions.values() {
                known.push((record.start..record.start + function.code_bytes, record.constants.clone()));
            }
        }
        let rows = disassemble::rows(elf, index, &known);
        let code = Code { rows: rows.iter().map(|row| (row.address, row)).collect() };
        for row in &rows {
            let at = functions.range(..=row.address).next_back().map(|(_, found)| *found);
            let at = at.filter(|(function, record)| is_own && row.address < record.start + function.code_bytes);
            let class = match at {
                Some(found) => code.class(row, found),
                None if section.name == HARNESS => "harness",
                None if report.startup.iter().any(|(start, end)| is_own && (*start..*end).contains(&row.address)) => {
                    "startup"
                }
                None => "padding",
            };
            let source = at.and_then(|(_, record)| record.sources.get(&(row.address - record.start)));
            text.push_str(&line(&[
                section.name.clone(),
                format!("{:#x}", row.address),
                hex(&row.bytes),
                row.text.clone(),
                at.map_or(String::new(), |(function, _)| function.function.to_string()),
                at.map_or(String::new(), |(function, _)| function.name.clone()),
                source.map_or(String::new(), |source| format!("{source:#x}")),
                class.to_owned(),
            ]));
        }
    }
    text
}

/// The rows of one section by address.
struct Code<'a> {
    rows: BTreeMap<u32, &'a Row>,
}

impl Code<'_> {
    /// What a row of a function is there for.
    fn class(&self, row: &Row, (function, record): (&FunctionReport, &Record)) -> &'static str {
        let at = row.address - record.start;
        if record.constants.contains(&at) {
            return "literal";
        }
        let Some(inst) = instruction(row).filter(|_| record.run.contains(&at)) else {
            return if is_padding(&row.bytes) { "padding" } else { "dead" };
        };
        let proved: BTreeSet<Kind> =
            function.obligations.iter().filter(|found| found.at == at).map(|found| found.kind).collect();
        let said = [(Kind::Spill, "spill"), (Kind::Reload, "reload"), (Kind::Remat, "remat"), (Kind::Move, "move")];
        let copied = said.into_iter().find(|(kind, _)| proved.contains(kind)).map(|(_, class)| class);
        match inst {
            Inst::Udf { .. } => "trap",
            _ if copied.is_some() => copied.unwrap_or_default(),
            Inst::BranchLink { .. } | Inst::BranchLinkReg { .. } => "call",
            _ if self.guards(row, inst) => "check",
            Inst::BranchReg { .. } => "epilogue",
            _ if operands(&inst, None).writes.contains(Reg::SP) => match inst {
                Inst::StoreMultiple { .. } | Inst::Store { .. } | Inst::DataImm { op: DataOp::Sub, .. } => "prologue",
                Inst::Float(_) if row.text.starts_with("vpush") => "prologue",
                _ => "epilogue",
            },
            _ if self.checks_stack(row, record.start) => "check",
            _ if proved.contains(&Kind::Access) => "access",
            Inst::MoveReg { op: MoveOp::Mov, flags: SetFlags::No, shift: Shift::Lsl(0), .. } => "move",
            _ if record.is_helper => "helper",
            _ => "direct",
        }
    }

    /// Whether an instruction decides between a trap and what follows, or compares for the one behind it that does.
    fn guards(&self, row: &Row, inst: Inst) -> bool {
        let next = row.address + row.bytes.len() as u32;
        match inst {
            Inst::TestImm { .. } | Inst::TestReg { .. } => {
                let behind = self.rows.get(&next).and_then(|row| Some((*row, instruction(row)?)));
                behind.is_some_and(|(row, inst)| self.trap(row, inst).is_some())
            }
            _ => self.trap(row, inst).is_some(),
        }
    }

    /// Whether an instruction is one of those up to a function's first branch, and that leads to the trap of a full stack.
    fn checks_stack(&self, row: &Row, start: u32) -> bool {
        let mut rows = self.rows.range(start..).map_while(|(_, row)| Some((*row, instruction(row)?)));
        let first = rows.find(|(_, inst)| matches!(inst, Inst::BranchCond { .. } | Inst::CompareBranch { .. }));
        first.is_some_and(|(branch, inst)| {
            row.address <= branch.address && self.trap(branch, inst) == Some(Trap::StackExhausted as u8)
        })
    }

    /// The code of the trap that one side of a decision leads to.
    fn trap(&self, row: &Row, inst: Inst) -> Option<u8> {
        let code = |at: u32| match self.rows.get(&at).and_then(|row| instruction(row)) {
            Some(Inst::Udf { imm }) => Some(imm),
            _ => None,
        };
        let next = code(row.address + row.bytes.len() as u32);
        match inst {
            Inst::BranchCond { offset, .. } | Inst::CompareBranch { offset, .. } => {
                next.or_else(|| code(row.address.wrapping_add(4).wrapping_add_signed(offset)))
            }
            Inst::It { .. } => next,
            _ => None,
        }
    }
}

fn instruction(row: &Row) -> Option<Inst> {
    let (inst, size) = decode(&row.bytes, 0).ok()?;
    (!row.is_data && size as usize == row.bytes.len()).then_some(inst)
}

fn is_padding(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0) || bytes == [0x00, 0xbf]
}
