//! `.debug_frame`: how a debugger finds the caller's frame at each instruction (DWARF 5, 6.4).
//!
//! Requires: the steps of a function ascend.
//! Ensures: one entry per function; addresses are relocations against the code section's symbol,
//! because a function's own symbol would set bit 0.

use gimli::write::{
    Address, CallFrameInstruction, CommonInformationEntry, DebugFrame, EndianVec, FrameDescriptionEntry, FrameTable,
    RelocateWriter, Relocation, RelocationTarget,
};
use gimli::{Encoding, Format, LittleEndian, Register};

use super::program::{FrameRule, Function, RelocationKind};
use super::unit::{Fixup, SectionKind, SymbolId, Unit};

/// SP and the return address, as DWARF numbers Arm's registers (AADWARF32, 4.1).
const SP: Register = Register(13);
const RETURN_ADDRESS: Register = Register(14);

/// Adds the section for functions at these offsets of the code section.
pub fn add(unit: &mut Unit, code: SymbolId, functions: &[(u32, &Function)]) {
    let mut table = FrameTable::default();
    let encoding = Encoding { format: Format::Dwarf32, version: 4, address_size: 4 };
    let mut common = CommonInformationEntry::new(encoding, 2, -4, RETURN_ADDRESS);
    common.add_instruction(CallFrameInstruction::Cfa(SP, 0));
    let common = table.add_cie(common);
    for (offset, function) in functions {
        let address = Address::Symbol { symbol: code.0, addend: i64::from(*offset) };
        let mut entry = FrameDescriptionEntry::new(address, function.code.len() as u32);
        for step in &function.frame {
            entry.add_instruction(step.at, instruction(step.rule));
        }
        table.add_fde(common, entry);
    }
    let mut section = DebugFrame(Recorder { bytes: EndianVec::new(LittleEndian), relocations: Vec::new() });
    table.write_debug_frame(&mut section).expect("offsets are multiples of 2, depths of 4");
    let recorder = section.0;
    let id = unit.add_section(".debug_frame".into(), SectionKind::Unloaded, 4, recorder.bytes.into_vec());
    let own = unit.add_section_symbol(id);
    unit.sections[id.0].relocations = recorder
        .relocations
        .into_iter()
        .map(|relocation| Fixup {
            offset: relocation.offset as u32,
            kind: RelocationKind::Abs32,
            target: match relocation.target {
                RelocationTarget::Symbol(symbol) => SymbolId(symbol),
                RelocationTarget::Section(_) => own,
            },
            addend: relocation.addend as i32,
        })
        .collect();
}

fn instruction(rule: FrameRule) -> CallFrameInstruction {
    match rule {
        FrameRule::Depth(bytes) => CallFrameInstruction::CfaOffset(bytes as i32),
        FrameRule::Saved { register, below } => CallFrameInstruction::Offset(Register(register), -(below as i32)),
        FrameRule::Restored(register) => CallFrameInstruction::Restore(Register(register)),
        FrameRule::Lost(register) => CallFrameInstruction::Undefined(Register(register.into())),
        FrameRule::Remember => CallFrameInstruction::RememberState,
        FrameRule::Recall => CallFrameInstruction::RestoreState,
    }
}

/// Writes bytes and notes where addresses belong.
#[derive(Clone)]
struct Recorder {
    bytes: EndianVec<LittleEndian>,
    relocations: Vec<Relocation>,
}

impl RelocateWriter for Recorder {
    type Writer = EndianVec<LittleEndian>;

    fn writer(&self) -> &Self::Writer {
        &self.bytes
    }

    fn writer_mut(&mut self) -> &mut Self::Writer {
        &mut self.bytes
    }

    fn relocate(&mut self, relocation: Relocation) {
        self.relocations.push(relocation);
    }
}
