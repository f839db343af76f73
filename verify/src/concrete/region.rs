//! Byte-addressed regions: what an interpreter of machine code sees as memory.
//!
//! Ensures: a byte is an integer, a byte of an address, or poison, and keeps that until it is
//! written. An access lies inside one region or faults.
//!
//! In an image each region has a base and addresses are integers. In an object regions have no
//! base, and an address is a [`Word::Pointer`].

use std::collections::BTreeMap;

use super::word::{Fault, RegionIndex, Word};
use crate::thumb::inst::Width;

/// What may be done with the bytes of a region.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Access {
    /// Read.
    ReadOnly,
    /// Read and executed.
    Execute,
    /// Read and written.
    ReadWrite,
    /// Read and written, but with integers and whole addresses alone: what it held is not known and may not be moved
    /// in it.
    Unknown,
}

/// A run of bytes with an address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Region {
    /// For messages.
    pub name: String,
    /// Its address, if it is fixed.
    pub base: Option<u32>,
    /// What may be done with it.
    pub access: Access,
    /// A power of two of which its address is a multiple.
    pub align: u32,
    bytes: Vec<u8>,
    kinds: Vec<Kind>,
    /// The bytes of addresses, by offset.
    parts: BTreeMap<u32, Part>,
}

/// What a byte is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Integer,
    Poison,
    Part,
}

/// The byte with this index of an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Part {
    region: RegionIndex,
    offset: u32,
    index: u8,
}

impl Region {
    /// A region of the given bytes.
    pub fn new(name: &str, base: Option<u32>, access: Access, bytes: Vec<u8>) -> Region {
        assert!(u32::try_from(bytes.len()).is_ok(), "a region is shorter than 4 GiB");
        let kinds = vec![Kind::Integer; bytes.len()];
        Region { name: name.to_string(), base, access, align: 1, bytes, kinds, parts: BTreeMap::new() }
    }

    /// The same at a multiple of a power of two.
    pub fn aligned(self, align: u32) -> Region {
        Region { align, ..self }
    }

    /// Its length in bytes.
    pub fn len(&self) -> u32 {
        self.bytes.len() as u32
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Makes a range of bytes poison; what lies outside the region is left out.
    pub fn poison(&mut self, from: u32, to: u32) {
        let to = to.min(self.len());
        if from < to {
            self.mark(from, to, Kind::Poison);
        }
    }

    fn mark(&mut self, from: u32, to: u32, kind: Kind) {
        self.kinds[from as usize..to as usize].fill(kind);
        while let Some((offset, _)) = self.parts.range(from..to).next() {
            let offset = *offset;
            self.parts.remove(&offset);
        }
    }

    /// Its bytes from an offset on, if all of them are integers; else the offset of the first that
    /// is none or does not exist.
    pub fn integers(&self, offset: u32, bytes: u32) -> Result<&[u8], u32> {
        let range = offset as usize..offset as usize + bytes as usize;
        let Some(kinds) = self.kinds.get(range.clone()) else {
            return Err(self.len());
        };
        match kinds.iter().zip(offset..).find(|(kind, _)| **kind != Kind::Integer) {
            None => Ok(&self.bytes[range]),
            Some((_, at)) => Err(at),
        }
    }

    /// The bytes of a range that are not poison, by offset; of addresses without their values.
    pub fn known(&self, from: u32, to: u32) -> impl Iterator<Item = (u32, Option<u8>)> {
        let range = from.min(self.len())..to.min(self.len());
        range.filter_map(|at| match self.kinds[at as usize] {
            Kind::Integer => Some((at, Some(self.bytes[at as usize]))),
            Kind::Part => Some((at, None)),
            Kind::Poison => None,
        })
    }

    /// Sets integer bytes from an offset on.
    ///
    /// # Errors
    /// If they do not fit.
    pub fn set_bytes(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Fault> {
        let start = offset as usize;
        let target = start.checked_add(bytes.len()).and_then(|end| self.bytes.get_mut(start..end));
        let Some(target) = target else {
            let why = format!("{} bytes do not fit into {} at {offset:#x}", bytes.len(), self.name);
            return Err(Fault::Other(why));
        };
        target.copy_from_slice(bytes);
        self.mark(offset, offset + bytes.len() as u32, Kind::Integer);
        Ok(())
    }

    /// The word at an offset; poison if it does not lie in the region.
    pub fn word(&self, offset: u32) -> Word {
        if offset.checked_add(4).is_some_and(|end| end <= self.len()) {
            self.load(offset, Width::Word)
        } else {
            Word::Poison
        }
    }

    /// The zero-extended word at an offset whose bytes lie in the region.
    fn load(&self, offset: u32, width: Width) -> Word {
        if let Ok(bytes) = self.integers(offset, width.bytes()) {
            let word = bytes.iter().rev().fold(0u32, |word, byte| word << 8 | u32::from(*byte));
            return Word::Int(word);
        }
        let Some(first) = self.parts.get(&offset) else {
            return Word::Poison;
        };
        let whole = width == Width::Word
            && (0..4u8).all(|index| {
                let part = self.parts.get(&(offset + u32::from(index)));
                part == Some(&Part { index, ..*first })
            });
        if whole { Word::Pointer { region: first.region, offset: first.offset } } else { Word::Poison }
    }

    fn store(&mut self, at: u32, width: Width, word: Word) {
        let end = at + width.bytes();
        match word {
            Word::Int(value) => {
                let bytes = value.to_le_bytes();
                let target = &mut self.bytes[at as usize..end as usize];
                target.copy_from_slice(&bytes[..width.bytes() as usize]);
                self.mark(at, end, Kind::Integer);
            }
            Word::Pointer { region, offset } if width == Width::Word => {
                self.mark(at, end, Kind::Part);
                for (at, index) in (at..end).zip(0..) {
                    self.parts.insert(at, Part { region, offset, index });
                }
            }
            Word::Pointer { .. } | Word::Low { .. } | Word::Poison => {
                self.mark(at, end, Kind::Poison);
            }
        }
    }
}

/// All regions.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Memory {
    regions: Vec<Region>,
}

impl Memory {
    /// Adds a region. Regions with a base must not overlap; the caller has checked that.
    pub fn add(&mut self, region: Region) -> RegionIndex {
        self.regions.push(region);
        self.regions.len() as u32 - 1
    }

    /// The region with an index.
    pub fn region(&self, index: RegionIndex) -> Option<&Region> {
        self.regions.get(index as usize)
    }

    /// The region with an index.
    pub fn region_mut(&mut self, index: RegionIndex) -> Option<&mut Region> {
        self.regions.get_mut(index as usize)
    }

    /// The index of the region with this name.
    pub fn find(&self, name: &str) -> Option<RegionIndex> {
        let found = self.regions.iter().position(|region| region.name == name)?;
        Some(found as u32)
    }

    /// Bytes of all regions together.
    pub fn bytes(&self) -> u64 {
        self.regions.iter().map(|region| u64::from(region.len())).sum()
    }

    /// The first address behind each region that has a base and is not empty.
    pub fn ends(&self) -> impl Iterator<Item = u32> {
        let ends = self
            .regions
            .iter()
            .filter(|region| !region.is_empty())
            .map(|region| region.base?.checked_add(region.len()));
        ends.flatten()
    }

    /// The address of a byte of a region, as machine code has it.
    pub fn address(&self, region: RegionIndex, offset: u32) -> Word {
        match self.region(region).and_then(|found| found.base) {
            Some(base) => Word::Int(base.wrapping_add(offset)),
            None => Word::Pointer { region, offset },
        }
    }

    /// The region and the offset of some bytes at an address; `None` unless one region has them. No
    /// bytes are in any region that begins there, so a region of none is found by its address.
    pub fn locate(&self, address: Word, bytes: u32) -> Option<(RegionIndex, u32)> {
        let (region, offset) = match address {
            Word::Int(address) => self.regions.iter().zip(0..).find_map(|(region, index)| {
                let offset = address.checked_sub(region.base?)?;
                (offset < region.len() || (offset == 0 && bytes == 0)).then_some((index, offset))
            })?,
            Word::Pointer { region, offset } => (region, offset),
            Word::Low { .. } | Word::Poison => return None,
        };
        let room = self.region(region)?.len().checked_sub(offset)?;
        (bytes <= room).then_some((region, offset))
    }

    /// The offset in one region of an address that lies in it or just behind it.
    pub fn offset_in(&self, address: Word, region: RegionIndex) -> Option<u32> {
        let found = self.region(region)?;
        let offset = match (address, found.base) {
            (Word::Int(address), Some(base)) => address.checked_sub(base)?,
            (Word::Pointer { region: pointed, offset }, _) if pointed == region => offset,
            (Word::Int(_) | Word::Pointer { .. } | Word::Low { .. } | Word::Poison, _) => {
                return None;
            }
        };
        (offset <= found.len()).then_some(offset)
    }

    /// Reads a word, zero-extended.
    pub fn load(&self, address: Word, width: Width) -> Result<Word, Fault> {
        let located = self.locate(address, width.bytes());
        let (region, offset) = located.ok_or(Fault::Unmapped { address, why: "a load" })?;
        Ok(self.regions[region as usize].load(offset, width))
    }

    /// Writes the low bytes of a word.
    pub fn store(&mut self, address: Word, width: Width, word: Word) -> Result<(), Fault> {
        let located = self.locate(address, width.bytes());
        let (region, offset) = located.ok_or(Fault::Unmapped { address, why: "a store" })?;
        let region = &mut self.regions[region as usize];
        match region.access {
            Access::ReadWrite => region.store(offset, width, word),
            Access::Unknown if word.is_known(width) => region.store(offset, width, word),
            Access::Unknown => return Err(Fault::Unmapped { address, why: "a store of what is not known" }),
            Access::ReadOnly | Access::Execute => {
                return Err(Fault::Unmapped { address, why: "a store to a read-only region" });
            }
        }
        Ok(())
    }

    /// Writes a word whatever the region's access; how an image or a relocation is loaded.
    pub fn initialise(&mut self, region: RegionIndex, offset: u32, word: Word) -> Result<(), Fault> {
        let address = Word::Pointer { region, offset };
        let located = self.locate(address, 4);
        let (region, offset) = located.ok_or(Fault::Unmapped { address, why: "a relocation" })?;
        self.regions[region as usize].store(offset, Width::Word, word);
        Ok(())
    }

    /// The bytes of code from an address on, at most four, as far as they are integers.
    pub fn fetch(&self, address: Word) -> Result<&[u8], Fault> {
        let unmapped = |why| Fault::Unmapped { address, why };
        let located = self.locate(address, 2);
        let (region, offset) = located.ok_or(unmapped("a fetch"))?;
        let region = &self.regions[region as usize];
        match region.access {
            Access::Execute => {}
            Access::ReadOnly | Access::ReadWrite | Access::Unknown => return Err(unmapped("a fetch from data")),
        }
        let bytes = (region.len() - offset).min(4);
        match region.integers(offset, bytes) {
            Ok(bytes) => Ok(bytes),
            Err(end) => Ok(&region.bytes[offset as usize..end as usize]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Memory {
        let mut memory = Memory::default();
        memory.add(Region::new("a", None, Access::ReadWrite, vec![0; 16]));
        memory.add(Region::new("b", Some(0x100), Access::ReadOnly, vec![1, 2, 3, 4]));
        memory
    }

    #[test]
    fn an_address_survives_a_store_and_a_load() {
        let mut memory = two();
        let at = Word::Pointer { region: 0, offset: 4 };
        let word = Word::Pointer { region: 1, offset: 2 };
        memory.store(at, Width::Word, word).unwrap();
        assert_eq!(memory.load(at, Width::Word), Ok(word));
        assert_eq!(memory.load(at, Width::Byte), Ok(Word::Poison));
        let inside = Word::Pointer { region: 0, offset: 6 };
        memory.store(inside, Width::Byte, Word::Int(0)).unwrap();
        assert_eq!(memory.load(at, Width::Word), Ok(Word::Poison));
        assert_eq!(memory.load(inside, Width::Byte), Ok(Word::Int(0)));
    }

    #[test]
    fn an_access_lies_in_one_region() {
        let mut memory = two();
        assert_eq!(memory.load(Word::Int(0x100), Width::Word), Ok(Word::Int(0x0403_0201)));
        assert!(memory.load(Word::Int(0x102), Width::Word).is_err());
        assert!(memory.load(Word::Int(0xff), Width::Half).is_err());
        assert!(memory.load(Word::Pointer { region: 0, offset: 16 }, Width::Byte).is_err());
        assert!(memory.load(Word::Pointer { region: 0, offset: u32::MAX }, Width::Byte).is_err());
        assert!(memory.store(Word::Int(0x100), Width::Byte, Word::Int(0)).is_err());
        assert!(memory.fetch(Word::Int(0x100)).is_err());
    }

    #[test]
    fn poison_goes_when_it_is_written() {
        let mut memory = two();
        memory.region_mut(0).unwrap().poison(0, 100);
        assert_eq!(memory.region(0).unwrap().integers(0, 4), Err(0));
        let at = Word::Pointer { region: 0, offset: 0 };
        memory.store(at, Width::Half, Word::Int(0x1234)).unwrap();
        assert_eq!(memory.load(at, Width::Half), Ok(Word::Int(0x1234)));
        assert_eq!(memory.load(at, Width::Word), Ok(Word::Poison));
    }
}
