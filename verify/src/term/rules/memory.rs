//! Loads and stores.
//!
//! A memory in normal form is a chain of [`Writes`]: each a set of bytes at constant distances from one
//! address. Bytes at distances from the same address never overlap unless the distances are equal.

use std::collections::BTreeMap;

use super::super::Terms;
use super::super::node::{Id, Node, Width, Writes};
use super::{Rule, rules};
use crate::domain::Bin32;

/// Loads, stores, and equality of memories.
pub(super) const MEMORY: &[Rule] = rules![
    load_of_choice,
    load_of_writes,
    store_is_writes,
    writes_of_nothing,
    writes_joined,
    writes_below,
    writes_sorted,
    writes_of_same,
    same_mem,
    same_writes,
];

/// `load(ite(c, m, n), a) = ite(c, load(m, a), load(n, a))`
fn load_of_choice(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Load(width, memory, address) = *node else {
        return None;
    };
    let Node::Ite(c, m, n) = *t.node(memory) else {
        return None;
    };
    let then = t.build(Node::Load(width, m, address));
    let otherwise = t.build(Node::Load(width, n, address));
    Some(t.choose(c, then, otherwise))
}

/// What a byte is: written, or that of a memory below.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Written(Id),
    Below(Id),
}

/// Whether no byte of the writes has an address among the `count` from this one.
fn is_apart(t: &mut Terms, writes: &Writes, address: Id, count: u32) -> bool {
    let distance = t.sub(address, writes.base);
    let range = t.range(distance);
    writes.bytes.iter().all(|(offset, _)| {
        let reached = (range.low.checked_sub(*offset), range.high.checked_sub(*offset));
        let above = matches!(reached, (Some(low), Some(high)) if low > 0 && high <= 0u32.wrapping_sub(count));
        let below = range.high.checked_add(count).is_some_and(|end| end <= *offset);
        above || below
    })
}

/// The byte at an address, as far down as it can be followed.
fn find(t: &mut Terms, memory: Id, address: Id) -> Found {
    let (base, offset) = t.split_constant(address);
    let mut memory = memory;
    while let Node::Writes(writes) = t.node(memory).clone() {
        if writes.base == base {
            if let Ok(at) = writes.bytes.binary_search_by_key(&offset, |(offset, _)| *offset) {
                return Found::Written(writes.bytes[at].1);
            }
        } else if !is_apart(t, &writes, address, 1) {
            break;
        }
        memory = writes.memory;
    }
    Found::Below(memory)
}

/// `load(m[a + k := x], a + k) = x`; `load(m[a + k := x], a + j) = load(m, a + j)`, byte by byte
fn load_of_writes(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Load(width, memory, address) = *node else {
        return None;
    };
    let Node::Writes(_) = t.node(memory) else {
        return None;
    };
    let mut found = Vec::new();
    for at in 0..width.bytes() {
        let byte = t.sum(&[(address, 1)], at);
        found.push((byte, find(t, memory, byte)));
    }
    if let Found::Below(below) = found[0].1
        && found.iter().all(|(_, other)| *other == found[0].1)
    {
        return (below != memory).then(|| t.build(Node::Load(width, below, address)));
    }
    let mut parts = Vec::with_capacity(4);
    for (at, (address, found)) in found.into_iter().enumerate() {
        let byte = match found {
            Found::Written(byte) => byte,
            Found::Below(below) => t.build(Node::Load(Width::Byte, below, address)),
        };
        parts.push((byte, 1 << (8 * at)));
    }
    Some(t.sum(&parts, 0))
}

/// `store(m, a, x) = m[a := x & 255, a + 1 := x >> 8 & 255, ..]`
fn store_is_writes(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::Store(width, memory, address, value) = *node else {
        return None;
    };
    let (base, offset) = t.split_constant(address);
    let mut bytes: Vec<(u32, Id)> = Vec::with_capacity(4);
    for at in 0..width.bytes() {
        bytes.push((offset.wrapping_add(at), t.byte_of(value, at)));
    }
    bytes.sort_unstable();
    Some(t.build(Node::Writes(Writes { memory, base, bytes: bytes.into() })))
}

fn writes(node: &Node) -> Option<&Writes> {
    match node {
        Node::Writes(writes) => Some(writes),
        _ => None,
    }
}

/// `m[] = m`
fn writes_of_nothing(_: &mut Terms, node: &Node) -> Option<Id> {
    let own = writes(node)?;
    own.bytes.is_empty().then_some(own.memory)
}

/// `m[a + k := x][a + j := y] = m[a + k := x, a + j := y]`, the later byte if `k = j`
fn writes_joined(t: &mut Terms, node: &Node) -> Option<Id> {
    let own = writes(node)?;
    let below = writes(t.node(own.memory))?.clone();
    if below.base != own.base {
        return None;
    }
    if matches!(t.node(below.memory), Node::Writes(_)) {
        let upper: Vec<_> = own.bytes.iter().map(|(offset, byte)| (*offset, Some(*byte))).collect();
        let bytes = over(&below.bytes, &upper).into();
        return Some(t.build(Node::Writes(Writes { bytes, ..below })));
    }
    // The bytes below are in normal form already, and no rule but that for bytes that do not change
    // anything applies to the new ones: a long run of stores asks about each byte once.
    let mut upper = Vec::with_capacity(own.bytes.len());
    for (offset, byte) in own.bytes.iter() {
        let old = old_byte(t, &below, *offset);
        upper.push((*offset, (*byte != old).then_some(*byte)));
    }
    let bytes = over(&below.bytes, &upper);
    if bytes.is_empty() {
        return Some(below.memory);
    }
    Some(t.keep(Node::Writes(Writes { bytes: bytes.into(), ..below })))
}

/// The byte that a memory has below the writes at a distance from their base.
fn old_byte(t: &mut Terms, writes: &Writes, offset: u32) -> Id {
    let address = t.sum(&[(writes.base, 1)], offset);
    t.build(Node::Load(Width::Byte, writes.memory, address))
}

/// Bytes with later ones over them, by ascending distance; a later `None` takes the byte away.
fn over(lower: &[(u32, Id)], upper: &[(u32, Option<Id>)]) -> Vec<(u32, Id)> {
    let mut bytes = Vec::with_capacity(lower.len() + upper.len());
    let mut rest = lower;
    for (offset, byte) in upper {
        let before = rest.partition_point(|(below, _)| below < offset);
        bytes.extend_from_slice(&rest[..before]);
        rest = &rest[before..];
        if rest.first().is_some_and(|(below, _)| below == offset) {
            rest = &rest[1..];
        }
        bytes.extend(byte.map(|byte| (*offset, byte)));
    }
    bytes.extend_from_slice(rest);
    bytes
}

/// `m[a := x]..[a := y] = m..[a := y]`
fn writes_below(t: &mut Terms, node: &Node) -> Option<Id> {
    let own = writes(node)?;
    let mut between: Vec<Writes> = Vec::new();
    let mut memory = own.memory;
    while let Node::Writes(next) = t.node(memory).clone() {
        memory = next.memory;
        if next.base != own.base {
            between.push(next);
            continue;
        }
        let hidden = |offset: u32| own.bytes.binary_search_by_key(&offset, |(offset, _)| *offset).is_ok();
        let bytes: Vec<(u32, Id)> = next.bytes.iter().copied().filter(|(offset, _)| !hidden(*offset)).collect();
        if bytes.len() == next.bytes.len() {
            return None;
        }
        let mut rebuilt = t.build(Node::Writes(Writes { bytes: bytes.into(), ..next }));
        for upper in between.into_iter().rev() {
            rebuilt = t.build(Node::Writes(Writes { memory: rebuilt, ..upper }));
        }
        return Some(t.build(Node::Writes(Writes { memory: rebuilt, ..own.clone() })));
    }
    None
}

/// `m[a := x][b := y] = m[b := y][a := x]` if no address of the one is one of the other
fn writes_sorted(t: &mut Terms, node: &Node) -> Option<Id> {
    let own = writes(node)?;
    let below = writes(t.node(own.memory))?.clone();
    if own.base >= below.base {
        return None;
    }
    for (offset, _) in own.bytes.iter() {
        let address = t.sum(&[(own.base, 1)], *offset);
        if !is_apart(t, &below, address, 1) {
            return None;
        }
    }
    let lower = t.build(Node::Writes(Writes { memory: below.memory, ..own.clone() }));
    Some(t.build(Node::Writes(Writes { memory: lower, ..below })))
}

/// `m[a := load(m, a)] = m`
fn writes_of_same(t: &mut Terms, node: &Node) -> Option<Id> {
    let own = writes(node)?;
    let mut changed = Vec::with_capacity(own.bytes.len());
    for (offset, byte) in own.bytes.iter() {
        if *byte != old_byte(t, own, *offset) {
            changed.push((*offset, *byte));
        }
    }
    (changed.len() < own.bytes.len()).then(|| t.build(Node::Writes(Writes { bytes: changed.into(), ..own.clone() })))
}

/// `m = m`
fn same_mem(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::SameMem(a, b) = *node else {
        return None;
    };
    (a == b).then(|| t.truth(true))
}

/// `m[a := x] = m[a := y]` is `x = y`, byte by byte; a byte that one side does not write is that of `m`
fn same_writes(t: &mut Terms, node: &Node) -> Option<Id> {
    let Node::SameMem(a, b) = *node else {
        return None;
    };
    let upper = match (t.node(a), t.node(b)) {
        (Node::Writes(own), other)
            if own.memory == b
                || writes(other).is_some_and(|other| other.memory == own.memory && other.base == own.base) =>
        {
            own.clone()
        }
        (_, Node::Writes(own)) if own.memory == a => own.clone(),
        _ => return None,
    };
    let bytes = |t: &Terms, memory: Id| -> BTreeMap<u32, Id> {
        match t.node(memory) {
            Node::Writes(own) if memory != upper.memory => own.bytes.iter().copied().collect(),
            _ => BTreeMap::new(),
        }
    };
    let (left, right) = (bytes(t, a), bytes(t, b));
    let mut equal = Vec::new();
    for offset in left.keys().chain(right.keys().filter(|offset| !left.contains_key(offset))) {
        let old = old_byte(t, &upper, *offset);
        let (x, y) = (left.get(offset).unwrap_or(&old), right.get(offset).unwrap_or(&old));
        equal.push(t.eq(*x, *y));
    }
    Some(t.build(Node::And(equal.into())))
}

/// The load of the bytes that hold bits `low` to `low + bits` of a load, shifted right by `low`, if it
/// is narrower.
pub(super) fn narrow_load(t: &mut Terms, load: Id, low: u32, bits: u32) -> Option<Id> {
    let Node::Load(width, memory, address) = *t.node(load) else {
        return None;
    };
    let bits = bits.min((8 * width.bytes()).checked_sub(low)?);
    let (first, end) = (low / 8, (low + bits).div_ceil(8));
    let narrow = match end - first {
        0 => return Some(t.word(0)),
        1 => Width::Byte,
        2 => Width::Half,
        _ => return None,
    };
    if narrow >= width {
        return None;
    }
    let address = t.sum(&[(address, 1)], first);
    let load = t.build(Node::Load(narrow, memory, address));
    let count = t.word(low % 8);
    Some(t.bin(Bin32::ShrU, load, count))
}
