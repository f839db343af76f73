//! Frame information of a case: `.debug_frame` in 32-bit DWARF, byte by byte.

use std::collections::BTreeMap;

use object::write::{Object, Relocation, SectionId};
use object::{RelocationFlags, SectionKind};

/// A common part and entries.
#[derive(Clone, Debug, Default)]
pub struct Frames {
    /// Call frame instructions of the common part.
    pub common: Vec<u8>,
    /// Function, bytes of code it is said to have, call frame instructions.
    pub entries: Vec<(u32, u32, Vec<u8>)>,
}

/// Version 4, no augmentation, 4-byte addresses, no segments, alignments 2 and -4, return address in LR.
const HEAD: [u8; 11] = [0xff, 0xff, 0xff, 0xff, 4, 0, 4, 0, 2, 0x7c, 14];

/// Adds the section for functions at these offsets of the code.
pub fn add(object: &mut Object<'_>, text: SectionId, (frames, addresses): (&Frames, &BTreeMap<u32, u64>)) {
    let section = object.add_section(Vec::new(), b".debug_frame".to_vec(), SectionKind::Debug);
    object.append_section_data(section, &with_length(&[&HEAD[..], &frames.common].concat()), 4);
    for (function, bytes, instructions) in &frames.entries {
        let words = [0, addresses[function] as u32, *bytes].map(u32::to_le_bytes).concat();
        let at = object.append_section_data(section, &with_length(&[words, instructions.clone()].concat()), 4);
        for (offset, target) in [(at + 4, section), (at + 8, text)] {
            let symbol = object.section_symbol(target);
            let flags = RelocationFlags::Elf { r_type: object::elf::R_ARM_ABS32 };
            object.add_relocation(section, Relocation { offset, symbol, addend: 0, flags }).unwrap();
        }
    }
}

/// The length, then the bytes, filled up to whole words with instructions that do nothing.
fn with_length(body: &[u8]) -> Vec<u8> {
    let mut bytes = body.to_vec();
    bytes.resize(body.len().next_multiple_of(4), 0);
    [(bytes.len() as u32).to_le_bytes().to_vec(), bytes].concat()
}
