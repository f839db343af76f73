//! References to functions, and the descriptors that they name.
//!
//! Ensures: a word is taken as a reference, and an address as one in a descriptor, only if the facts of the
//! step show it.

use crate::domain::{Bin32, Cmp, Domain};
use crate::hints::Base;
use crate::program::DESCRIPTOR_BYTES;
use crate::term::{Id, Node, Term32};
use crate::verdict::Method;

use super::{DescriptorWord, Stop, Symbolic, Where};

impl Symbolic {
    /// The descriptor that an address lies in as a known reference, shown not to be null, plus 0 or 4.
    pub(super) fn descriptor(&mut self, address: Term32, bytes: u32) -> Option<Where> {
        for (distance, word) in [(0, DescriptorWord::Type), (4, DescriptorWord::Code)] {
            let distance = self.terms.w32(distance);
            let reference = self.terms.bin32(Bin32::Sub, &address, &distance);
            let is_known = bytes == 4
                && self.constants.regions.extents.contains_key(&Base::Functions)
                && self.machine.references.contains(&reference.norm);
            if is_known && self.is_not_null(reference) {
                return Some(Where::Descriptor(reference, word));
            }
        }
        None
    }

    /// Whether a reference is shown not to be null, by facts or by the solver.
    fn is_not_null(&mut self, reference: Term32) -> bool {
        let null = self.terms.w32(0);
        let is_null = self.terms.cmp32(Cmp::Eq, &reference, &null);
        let method = match self.prover.known(&mut self.terms, &self.facts, is_null) {
            Some(known) => (!known).then_some(Method::Facts),
            None => {
                (self.prover.decide(&mut self.terms, &self.facts, is_null) == Some(false)).then_some(Method::Solver)
            }
        };
        method.into_iter().for_each(|method| self.note_access(method));
        method.is_some()
    }

    /// A word at an offset among all descriptors.
    pub(super) fn own_descriptor(&mut self, address: Term32, offset: Term32) -> Result<Where, Stop> {
        let (word, distance) = match self.multiple_of(offset, DESCRIPTOR_BYTES) {
            Some(0) => (DescriptorWord::Type, 0),
            Some(4) => (DescriptorWord::Code, 4),
            Some(_) | None => return Err(Stop::Fault("a descriptor is read between its words".to_owned())),
        };
        let distance = self.terms.w32(distance);
        Ok(Where::Descriptor(self.terms.bin32(Bin32::Sub, &address, &distance), word))
    }

    /// What is left over of a word modulo a power of two, if its form tells.
    pub(super) fn multiple_of(&self, word: Term32, of: u32) -> Option<u32> {
        let linear = self.terms.linear(word.norm);
        let whole = linear.monomials.iter().all(|(_, factor)| factor % of == 0);
        whole.then_some(linear.constant % of)
    }

    /// Whether a word is null or the address of a descriptor: a known reference, an address among the
    /// descriptors, or a choice of such.
    pub(super) fn is_reference(&mut self, word: Term32) -> bool {
        if self.terms.as_const32(word) == Some(0) || self.machine.references.contains(&word.norm) {
            return true;
        }
        if let Node::Ite(_, then, otherwise) = *self.terms.node(word.norm) {
            let part = |id: Id| Term32 { raw: id, norm: id };
            return self.is_reference(part(then)) && self.is_reference(part(otherwise));
        }
        let Some(functions) = self.constants.regions.extents.get(&Base::Functions).copied() else { return false };
        let offset = self.terms.bin32(Bin32::Sub, &word, &functions.address);
        let last = functions.bytes - DESCRIPTOR_BYTES;
        if self.multiple_of(offset, DESCRIPTOR_BYTES) == Some(0) && self.is_at_most(offset, last, Method::Facts) {
            return true;
        }
        let (null, mask, last) = (self.terms.w32(0), self.terms.w32(DESCRIPTOR_BYTES - 1), self.terms.w32(last));
        let is_null = self.terms.cmp32(Cmp::Eq, &word, &null);
        let low = self.terms.bin32(Bin32::And, &offset, &mask);
        let is_aligned = self.terms.cmp32(Cmp::Eq, &low, &null);
        let beyond = self.terms.cmp32(Cmp::LtU, &last, &offset);
        let within = self.terms.not(&beyond);
        let is_one = self.terms.and(&is_aligned, &within);
        let holds = self.terms.or(&is_null, &is_one);
        self.prover.decide(&mut self.terms, &self.facts, holds) == Some(true)
    }

    /// Whether a word is shown, by its range or by the solver, to be at most `last` without sign.
    pub(super) fn is_at_most(&mut self, word: Term32, last: u32, method: Method) -> bool {
        if method == Method::Facts {
            return self.facts.range_of(&mut self.terms, word).high <= last;
        }
        let last = self.terms.w32(last);
        let beyond = self.terms.cmp32(Cmp::LtU, &last, &word);
        let within = self.terms.not(&beyond);
        self.prover.decide(&mut self.terms, &self.facts, within) == Some(true)
    }
}
