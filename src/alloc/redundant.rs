//! Drops copies, reloads and rematerialisations of what a register still holds.
//!
//! Requires: items of one block with their labels, and the registers at its head.
//! Ensures: every item that is left reads and writes what it did; a reload or a costly
//! rematerialisation whose value is in another register becomes a move from there.
//!
//! A value that left its register, or was copied out of it, stands there until something else is
//! written. This matters most at calls: a value that is an argument and lives on is copied to a
//! preserved register and need not be copied back.

use std::collections::BTreeMap;

use synth_verify::hints::Class;

use super::allocated::{Item, Place};
use super::remat;
use crate::vcode::reg::PReg;
use crate::vcode::{Inst, VReg};

/// Filters the items of a block. Yields how many moves went.
pub fn run(entry: &BTreeMap<VReg, PReg>, items: &mut Vec<Item>) -> u32 {
    let mut held: BTreeMap<PReg, VReg> = entry.iter().map(|(&vreg, &reg)| (reg, vreg)).collect();
    let mut moves = 0;
    items.retain_mut(|item| {
        let Some((reg, name)) = copied(item) else {
            follow(&mut held, item);
            return true;
        };
        if held.get(&reg) == Some(&name) {
            moves += u32::from(item.class == Class::Move);
            return false;
        }
        let elsewhere = held.iter().find(|&(_, &other)| other == name).map(|(&other, _)| other);
        if let Some(from) = elsewhere
            && !is_cheap(item)
        {
            item.inst = Inst::Move { d: reg, m: from };
            item.class = Class::Move;
            item.reads = vec![(Place::Reg(from), name)];
        }
        // The scratch register is not ours: any item may use it.
        if reg != reg.bank().scratch() {
            held.insert(reg, name);
        }
        true
    });
    moves
}

/// The register and the value, if the item only brings a value into a register.
fn copied(item: &Item) -> Option<(PReg, VReg)> {
    let added = match item.class {
        Class::Move => item.reads.first().map(|&(_, name)| name) == item.writes.first().map(|w| w.1),
        Class::Reload | Class::Remat => true,
        Class::Direct | Class::Check | Class::Spill | Class::Trap | Class::Frame => false,
    };
    match item.writes[..] {
        [(Place::Reg(reg), name)] if added => Some((reg, name)),
        _ => None,
    }
}

fn is_cheap(item: &Item) -> bool {
    match &item.inst {
        Inst::Move { .. } => true,
        inst => remat::is_tiny(inst),
    }
}

fn follow(held: &mut BTreeMap<PReg, VReg>, item: &Item) {
    held.retain(|reg, name| {
        !item.inst.clobbers().contains(*reg)
            && !item.writes.iter().any(|&(place, new)| place == Place::Reg(*reg) || new == *name)
    });
    for &(place, name) in &item.writes {
        if let Place::Reg(reg) = place {
            held.insert(reg, name);
        }
    }
}
