//! Where the values of the caller are at an instruction: what frame information has to say there.
//!
//! Ensures: what [`Kept`] says holds on every path that was noted.

use std::collections::{BTreeMap, BTreeSet};

use crate::abi::CALLEE_SAVED;
use crate::hints::Location;

use super::machine::MachineState;
use super::relation::Ghosts;

/// LR, whose value at entry is the return address.
pub const LR: u8 = 14;

/// The registers whose values at entry the caller's frame is made of.
pub fn of_the_caller() -> impl Iterator<Item = u8> {
    CALLEE_SAVED.into_iter().chain([LR])
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
    pub fn of(depth: u32, machine: &MachineState, ghosts: &Ghosts) -> Kept {
        let mut homes: BTreeMap<u8, BTreeSet<Location>> =
            of_the_caller().map(|register| (register, BTreeSet::new())).collect();
        let own = of_the_caller().map(|register| (Location::Core(register), machine.registers[usize::from(register)]));
        let held: BTreeMap<_, u8> =
            of_the_caller().map(|register| (ghosts.registers[usize::from(register)].norm, register)).collect();
        for (place, word) in own.chain(machine.stack_words()) {
            let register = held.get(&word.norm).filter(|register| match place {
                Location::Core(number) => number == **register,
                Location::Single(_) | Location::Stack(_) => true,
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
