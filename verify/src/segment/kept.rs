//! Where the values of the caller are at an instruction: what frame information has to say there.
//!
//! Ensures: what [`Kept`] says holds on every path that was noted.

use std::collections::{BTreeMap, BTreeSet};

use crate::abi;
use crate::hints::Location;
use crate::thumb::feature::FloatUnit;

use super::machine::MachineState;
use super::relation::Ghosts;

/// LR, whose value at entry is the return address.
pub const LR: u8 = 14;

/// The registers whose values at entry the caller's frame is made of.
pub fn of_the_caller(unit: FloatUnit) -> impl Iterator<Item = u8> {
    abi::callee_saved(unit).chain([LR])
}

/// What is proved before an instruction, on every path to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// SP, as bytes below SP at entry; several if paths differ.
    pub depths: BTreeSet<u32>,
    /// By register, all places that hold what it held at entry.
    pub homes: BTreeMap<u8, BTreeSet<Location>>,
}

impl Kept {
    /// What one path says.
    pub fn of(depth: u32, machine: &MachineState, ghosts: &Ghosts, unit: FloatUnit) -> Kept {
        let mut homes: BTreeMap<u8, BTreeSet<Location>> =
            of_the_caller(unit).map(|register| (register, BTreeSet::new())).collect();
        let own = of_the_caller(unit);
        let own = own.map(|register| (abi::location_of(register), machine.registers[usize::from(register)]));
        let held: BTreeMap<_, u8> =
            of_the_caller(unit).map(|register| (ghosts.registers[usize::from(register)].norm, register)).collect();
        for (place, word) in own.chain(machine.stack_words()) {
            let register = held.get(&word.norm).filter(|register| match place {
                Location::Core(_) | Location::Single(_) => place == abi::location_of(**register),
                Location::Stack(_) => true,
            });
            if let Some(homes) = register.and_then(|register| homes.get_mut(register)) {
                homes.insert(place);
            }
        }
        Kept { depths: BTreeSet::from([depth]), homes }
    }

    /// Leaves what another path says too.
    pub fn meet(&mut self, depth: u32, machine: &MachineState, ghosts: &Ghosts) {
        self.depths.insert(depth);
        for (register, homes) in &mut self.homes {
            homes.retain(|home| holds(*home, *register, machine, ghosts));
        }
    }

    /// Leaves what another visit says too.
    pub fn and(&mut self, other: &Kept) {
        self.depths.extend(&other.depths);
        for (register, homes) in &mut self.homes {
            homes.retain(|home| other.homes[register].contains(home));
        }
    }
}

fn holds(place: Location, register: u8, machine: &MachineState, ghosts: &Ghosts) -> bool {
    let entry = ghosts.registers[usize::from(register)];
    machine.location(place).is_ok_and(|word| word.norm == entry.norm)
}
