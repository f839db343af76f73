//! Damage to machine code: what a validator has to notice.
//!
//! Requires: nothing of the file. Ensures: a [`Damage`] changes bytes of one function, derives from the random numbers
//! alone, and is named by what it does to the instruction's text. Nothing here bears on a verdict.
//!
//! An instruction is damaged by one of the decoder's own list whose encoding differs from it in one small field,
//! or is a little larger or smaller as a number: other registers, immediates, conditions, widths, operations. Beside these stand
//! damages of no sense (a flipped bit), of order (dropped, repeated, exchanged instructions) and of data between
//! instructions.

use std::collections::BTreeMap;

use crate::elf::{Elf, FileKind, Home, SymbolKind};
use crate::layout::HARNESS;
use crate::replay::Random;
use crate::thumb::decode::decode;
use crate::thumb::inst::{Address, DataOp, Inst, Reg, TestOp};

/// What is done to code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Operator {
    /// One bit is flipped, whatever comes out.
    Bit,
    /// Another register.
    Register,
    /// Another constant operand.
    Immediate,
    /// Another constant that is compared with.
    Bound,
    /// Another condition of a branch.
    Condition,
    /// Flags are set or no longer set.
    Flags,
    /// Another kind of shift.
    Shift,
    /// Another operation on the core's registers.
    Operation,
    /// Another product or quotient.
    Multiply,
    /// Another instruction of the floating-point unit.
    Float,
    /// An access of other width, sign or direction.
    Access,
    /// Another place in memory, not on the stack.
    Place,
    /// Another word of the stack.
    Slot,
    /// Another distance that SP moves.
    StackPointer,
    /// Another list of registers.
    Registers,
    /// Another target of a branch.
    Target,
    /// Another callee.
    Callee,
    /// Other conditions of an IT block.
    It,
    /// Another trap.
    Trap,
    /// An instruction does nothing.
    Drop,
    /// A conditional branch is never taken.
    DropBranch,
    /// A trap is run through.
    DropTrap,
    /// A word is not stored on the stack.
    DropSpill,
    /// A word is not loaded from the stack.
    DropReload,
    /// An instruction stands where its neighbour was.
    Duplicate,
    /// An instruction and its neighbour are exchanged.
    Swap,
    /// Another word between the instructions.
    Literal,
    /// Another entry of a jump table.
    JumpTable,
}

impl Operator {
    /// In words of one line.
    pub fn words(self) -> &'static str {
        match self {
            Operator::Bit => "bit flipped",
            Operator::Register => "other register",
            Operator::Immediate => "other constant",
            Operator::Bound => "other compared constant",
            Operator::Condition => "other condition",
            Operator::Flags => "flags set or not",
            Operator::Shift => "other shift",
            Operator::Operation => "other operation",
            Operator::Multiply => "other product or quotient",
            Operator::Float => "other float instruction",
            Operator::Access => "other width, sign or direction",
            Operator::Place => "other address",
            Operator::Slot => "other stack word",
            Operator::StackPointer => "other stack pointer",
            Operator::Registers => "other register list",
            Operator::Target => "other branch target",
            Operator::Callee => "other callee",
            Operator::It => "other IT block",
            Operator::Trap => "other trap",
            Operator::Drop => "instruction dropped",
            Operator::DropBranch => "conditional branch dropped",
            Operator::DropTrap => "trap dropped",
            Operator::DropSpill => "spill dropped",
            Operator::DropReload => "reload dropped",
            Operator::Duplicate => "instruction repeated over its neighbour",
            Operator::Swap => "neighbours exchanged",
            Operator::Literal => "other literal",
            Operator::JumpTable => "other jump table entry",
        }
    }
}

/// The code of one function in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Code {
    /// The symbol that names it.
    pub name: String,
    /// Where it begins in the file.
    pub file_offset: usize,
    bytes: Vec<u8>,
    /// Offset and size of what can be damaged by itself, in order.
    sites: Vec<(usize, usize, Site)>,
}

/// What is at an offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Site {
    Instruction(Inst),
    /// Bytes behind a TBB or TBH.
    JumpTable,
    Literal,
}

/// One change of one function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// What is done.
    pub operator: Operator,
    /// Offset in the function of the first changed byte.
    pub at: u32,
    /// Offset in the file of the first changed byte.
    pub file_offset: usize,
    /// What was there.
    pub before: Vec<u8>,
    /// What is there now, of the same length.
    pub after: Vec<u8>,
}

impl Damage {
    /// The file with this change.
    pub fn apply(&self, file: &[u8]) -> Vec<u8> {
        let mut changed = file.to_vec();
        if let Some(place) = changed.get_mut(self.file_offset..self.file_offset + self.after.len()) {
            place.copy_from_slice(&self.after);
        }
        changed
    }
}

/// The code of every function symbol of a file, once for each place; the harness of an image is left out, which no claim
/// is about.
pub fn functions(elf: &Elf<'_>) -> Vec<Code> {
    let mut found = BTreeMap::new();
    for symbol in elf.symbols.iter().filter(|symbol| symbol.kind == SymbolKind::Function) {
        let Home::Section(index) = symbol.home else { continue };
        let section = &elf.sections[index];
        let base = match elf.kind {
            FileKind::Relocatable => 0,
            FileKind::Executable => section.address,
        };
        let (Some(start), size) = ((symbol.value & !1).checked_sub(base), symbol.bytes as usize) else { continue };
        let start = start as usize;
        let Some(bytes) = elf.bytes(section).get(start..start.saturating_add(size)) else { continue };
        if !section.executable || bytes.is_empty() || section.name == HARNESS {
            continue;
        }
        let kinds: BTreeMap<u32, bool> = elf
            .symbols
            .iter()
            .filter(|mark| mark.home == Home::Section(index) && matches!(mark.name.as_str(), "$d" | "$t"))
            .map(|mark| (mark.value, mark.name == "$d"))
            .collect();
        let is_data = |at: usize| {
            let address = (symbol.value & !1) + at as u32;
            kinds.range(..=address).next_back().is_some_and(|(_, is_data)| *is_data)
        };
        let code = Code {
            name: symbol.name.clone(),
            file_offset: section.offset + start,
            bytes: bytes.to_vec(),
            sites: sites(bytes, is_data),
        };
        found.entry(code.file_offset).or_insert(code);
    }
    found.into_values().collect()
}

fn sites(bytes: &[u8], is_data: impl Fn(usize) -> bool) -> Vec<(usize, usize, Site)> {
    let mut sites = Vec::new();
    let (mut at, mut behind_table) = (0, false);
    while at < bytes.len() {
        let (size, site) = match (is_data(at), decode(bytes, at)) {
            (false, Ok((inst, size))) => (size as usize, Some(Site::Instruction(inst))),
            (false, Err(_)) => (2, None),
            (true, _) if behind_table => (1, Some(Site::JumpTable)),
            (true, _) => ((4 - at % 4).min(bytes.len() - at), Some(Site::Literal)),
        };
        behind_table = match site {
            Some(Site::Instruction(inst)) => matches!(inst, Inst::TableBranch { .. }),
            Some(Site::JumpTable) => true,
            Some(Site::Literal) | None => false,
        };
        sites.extend(site.map(|site| (at, size, site)));
        at += size;
    }
    sites
}

impl Code {
    /// A damage at a random place, each operator that fits there being as likely as any other.
    pub fn damage(&self, random: &mut Random) -> Option<Damage> {
        let chosen = pick(random, &self.sites)?;
        let at = self.sites.iter().position(|site| site == chosen)?;
        let mut by_operator: BTreeMap<Operator, Vec<(usize, Vec<u8>)>> = BTreeMap::new();
        for (operator, from, after) in self.damages(at) {
            if self.bytes.get(from..from + after.len()).is_some_and(|before| before != after) {
                by_operator.entry(operator).or_default().push((from, after));
            }
        }
        let choices: Vec<_> = by_operator.into_iter().collect();
        let (operator, damages) = pick(random, &choices)?;
        let (from, after) = pick(random, damages)?;
        Some(Damage {
            operator: *operator,
            at: *from as u32,
            file_offset: self.file_offset + from,
            before: self.bytes[*from..from + after.len()].to_vec(),
            after: after.clone(),
        })
    }

    /// Every damage at a site: what is done, from where, and the bytes then.
    fn damages(&self, site: usize) -> Vec<(Operator, usize, Vec<u8>)> {
        let (at, size, kind) = self.sites[site];
        let before = &self.bytes[at..at + size];
        let mut damages = Vec::new();
        for bit in 0..8 * size {
            let mut after = before.to_vec();
            after[bit / 8] ^= 1 << (bit % 8);
            damages.push((Operator::Bit, at, after));
        }
        let inst = match kind {
            Site::Instruction(inst) => inst,
            Site::JumpTable | Site::Literal => {
                let operator = if kind == Site::Literal { Operator::Literal } else { Operator::JumpTable };
                damages.extend(neighbours(before).into_iter().map(|after| (operator, at, after)));
                return damages;
            }
        };
        for after in neighbours(before) {
            if let Ok((other, length)) = decode(&after, 0)
                && length as usize == size
                && let Some(operator) = operator(&inst, &other)
            {
                damages.push((operator, at, after));
            }
        }
        damages.push((dropped(&inst), at, no_operation(size)));
        if let Some((next, next_size, Site::Instruction(_))) = self.sites.get(site + 1).copied()
            && next == at + size
        {
            let behind = &self.bytes[next..next + next_size];
            damages.push((Operator::Swap, at, [behind, before].concat()));
            if size == next_size {
                damages.push((Operator::Duplicate, next, before.to_vec()));
            }
        }
        damages
    }
}

fn pick<'a, T>(random: &mut Random, choices: &'a [T]) -> Option<&'a T> {
    (!choices.is_empty()).then(|| &choices[random.below(choices.len() as u64) as usize])
}

/// Bytes of the same length that differ in at most four neighbouring bits, or are near as numbers.
fn neighbours(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (value, bits) = (number(bytes), 8 * bytes.len());
    let mut values = Vec::new();
    for low in 0..bits {
        // A window is taken at its lowest bit that changes.
        values.extend((1..16).step_by(2).map(|change: u64| value ^ change << low));
    }
    for step in [1, 2, 4, 8] {
        values.extend([value.wrapping_add(step), value.wrapping_sub(step)]);
    }
    values.into_iter().filter(|value| *value >> bits == 0).map(|value| bytes_of(value, bytes.len())).collect()
}

/// Bytes as a number, the first halfword of two the high one.
fn number(bytes: &[u8]) -> u64 {
    match *bytes {
        [a, b, c, d] => u64::from(u32::from_le_bytes([c, d, a, b])),
        [..] => bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)),
    }
}

fn bytes_of(value: u64, length: usize) -> Vec<u8> {
    let value = if length == 4 { u64::from((value as u32).rotate_left(16)) } else { value };
    value.to_le_bytes()[..length].to_vec()
}

/// NOP of 2 or 4 bytes (DDI 0403, A7.7.88).
fn no_operation(size: usize) -> Vec<u8> {
    if size == 4 { vec![0xaf, 0xf3, 0x00, 0x80] } else { vec![0x00, 0xbf] }
}

/// What it is to leave an instruction out.
fn dropped(inst: &Inst) -> Operator {
    let on_stack = |address: &Address| matches!(address, Address::Offset { n: Reg::SP, .. });
    match inst {
        Inst::Udf { .. } => Operator::DropTrap,
        Inst::BranchCond { .. } | Inst::CompareBranch { .. } => Operator::DropBranch,
        Inst::Store { address, .. } if on_stack(address) => Operator::DropSpill,
        Inst::Load { address, .. } if on_stack(address) => Operator::DropReload,
        _ => Operator::Drop,
    }
}

const SHIFTS: [&str; 5] = ["lsl", "lsr", "asr", "ror", "rrx"];
const PRODUCTS: [&str; 12] =
    ["mul", "mla", "mls", "smmul", "smmla", "umull", "smull", "umlal", "smlal", "umaal", "udiv", "sdiv"];

/// What it is to put one instruction in the place of another; `None` if they are the same.
fn operator(before: &Inst, after: &Inst) -> Option<Operator> {
    if before == after {
        return None;
    }
    let (was, is) = (before.to_string(), after.to_string());
    let (was, is) = (was.split_once(' ').unwrap_or((&was, "")), is.split_once(' ').unwrap_or((&is, "")));
    let both = |prefix: &str| was.0.starts_with(prefix) && is.0.starts_with(prefix);
    let one_of = |names: &[&str]| {
        [was.0, is.0].iter().all(|name| names.contains(&name.strip_suffix('s').unwrap_or(name)) || names.contains(name))
    };
    let is_access = |name: &str| name.starts_with("ldr") || name.starts_with("str");
    Some(match (before, after) {
        (Inst::Udf { .. }, Inst::Udf { .. }) => Operator::Trap,
        (Inst::It { .. }, Inst::It { .. }) => Operator::It,
        (Inst::BranchLink { .. }, Inst::BranchLink { .. }) => Operator::Callee,
        (Inst::BranchCond { offset: a, .. }, Inst::BranchCond { offset: b, .. }) if a == b => Operator::Condition,
        (Inst::CompareBranch { offset: a, .. }, Inst::CompareBranch { offset: b, .. }) if a == b && was.0 != is.0 => {
            Operator::Condition
        }
        (Inst::TestImm { op: TestOp::Cmp, n: a, .. }, Inst::TestImm { op: TestOp::Cmp, n: b, .. }) if a == b => {
            Operator::Bound
        }
        (
            Inst::DataImm { op: DataOp::Add | DataOp::Sub, d: Reg::SP, .. },
            Inst::DataImm { op: DataOp::Add | DataOp::Sub, d: Reg::SP, .. },
        ) => Operator::StackPointer,
        _ if was.0 == is.0 => same_operation(was.1, is.1, both("b") || both("cb")),
        _ if was.1 == is.1 && (was.0.strip_suffix('s') == Some(is.0) || is.0.strip_suffix('s') == Some(was.0)) => {
            Operator::Flags
        }
        _ if is_access(was.0) && is_access(is.0) => Operator::Access,
        _ if one_of(&SHIFTS) => Operator::Shift,
        _ if one_of(&PRODUCTS) => Operator::Multiply,
        _ if both("v") => Operator::Float,
        _ => Operator::Operation,
    })
}

/// Two instructions with one mnemonic.
fn same_operation(was: &str, is: &str, branches: bool) -> Operator {
    let parts = |operands: &str| -> Vec<String> { operands.split([' ', ',']).map(str::to_owned).collect() };
    let (a, b) = (parts(was), parts(is));
    let only_numbers = a.len() == b.len()
        && a.iter().zip(&b).all(|(a, b)| a == b || (a.starts_with(['#', '.']) && b.starts_with(['#', '.'])));
    match (only_numbers, was.contains('{') && is.contains('{')) {
        (true, _) if branches => Operator::Target,
        (true, _) if was.contains("[sp") => Operator::Slot,
        (true, _) if was.contains('[') => Operator::Place,
        (true, _) => Operator::Immediate,
        (false, true) => Operator::Registers,
        (false, false) => Operator::Register,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(halves: &[u16], data: std::ops::Range<usize>) -> Code {
        let bytes: Vec<u8> = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
        let sites = sites(&bytes, |at| data.contains(&at));
        Code { name: "f".into(), file_offset: 100, bytes, sites }
    }

    fn operators(code: &Code) -> Vec<Operator> {
        let all = (0..code.sites.len()).flat_map(|site| code.damages(site));
        let mut operators: Vec<Operator> = all.map(|(operator, ..)| operator).collect();
        operators.sort_unstable();
        operators.dedup();
        operators
    }

    /// Every operator is found in code that has room for it, and only there.
    #[test]
    fn operators_are_named_by_what_they_do() {
        use Operator::{
            Access, Bit, Bound, Callee, Condition, Drop, DropBranch, DropReload, DropSpill, DropTrap, Duplicate, Flags,
            Float, Immediate, It, JumpTable, Literal, Multiply, Operation, Place, Register, Registers, Shift, Slot,
            StackPointer, Swap, Target, Trap,
        };
        let cases: [(&[u16], std::ops::Range<usize>, &[Operator]); 14] = [
            (&[0xb082], 0..0, &[StackPointer]),                                 // sub sp, #8
            (&[0x2905, 0xd900], 0..0, &[Bound, Condition, Target, DropBranch]), // cmp r1, #5; bls
            (&[0x9001, 0x9901], 0..0, &[DropSpill, DropReload, Slot, Access, Swap, Duplicate]),
            (&[0x6848], 0..0, &[Place, Access, Register]), // ldr r0, [r1, #4]
            (&[0xeb00, 0x0001], 0..0, &[Flags, Operation, Register]), // add.w r0, r0, r1
            (&[0xfbb0, 0xf1f2], 0..0, &[Multiply]),        // udiv r1, r0, r2
            (&[0x0088], 0..0, &[Shift, Immediate]),        // lsls r0, r1, #2
            (&[0xb510], 0..0, &[Registers]),               // push {r4, lr}
            (&[0xbf08, 0x4608], 0..0, &[It]),              // it eq; mov
            (&[0xde01], 0..0, &[Trap, DropTrap]),          // udf #1
            (&[0xf000, 0xf802], 0..0, &[Callee]),          // bl
            (&[0xee30, 0x0a20], 0..0, &[Float]),           // vadd.f32 s0, s0, s1
            (&[0xe8df, 0xf000, 0x0302], 4..6, &[JumpTable]), // tbb [pc, r0]
            (&[0x4770, 0xbf00, 0x1234, 0x5678], 4..8, &[Literal, Drop, Bit]),
        ];
        for (halves, data, wanted) in cases {
            let found = operators(&code(halves, data));
            let missing: Vec<_> = wanted.iter().filter(|operator| !found.contains(operator)).collect();
            assert!(missing.is_empty(), "{halves:04x?}: {missing:?} not in {found:?}");
        }
        let of_return = operators(&code(&[0x4770], 0..0));
        assert!(
            ![Bound, Slot, Trap, Literal, Callee].iter().any(|operator| of_return.contains(operator)),
            "{of_return:?}"
        );
    }

    /// A damage changes the bytes that it says, inside the function.
    #[test]
    fn a_damage_is_applied() {
        let code = code(&[0x2905, 0xd900, 0xeb00, 0x0001, 0x4770], 0..0);
        let file: Vec<u8> = [vec![0xff; 100], code.bytes.clone(), vec![0xff; 4]].concat();
        for seed in 0..2000 {
            let damage = code.damage(&mut Random::new(seed)).expect("code can be damaged");
            assert_ne!(damage.before, damage.after);
            let changed = damage.apply(&file);
            let differ: Vec<usize> = (0..file.len()).filter(|at| file[*at] != changed[*at]).collect();
            let place = damage.file_offset..damage.file_offset + damage.after.len();
            assert!(!differ.is_empty() && differ.iter().all(|at| place.contains(at) && (100..110).contains(at)));
        }
    }
}
