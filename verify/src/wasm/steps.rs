//! What instantiation does behind the making of memories, tables and globals (core spec 2.0, 4.5.4).
//!
//! Requires: a linked module.
//! Ensures: of each input in turn its active element segments, its active data segments, its start function. A
//! segment that lies outside writes nothing and traps, and of its input nothing follows. Lengths are those that are
//! declared: `inputs` refuses a segment of which growth before it decides.

use std::collections::BTreeSet;

use super::module::{Instance, Module};
use super::op::Op;
use crate::trap::Trap;

/// A step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The element segment with this index is written.
    Elements(usize),
    /// The data segment with this index is written.
    Data(usize),
    /// Other code runs.
    Pause(Cause),
}

/// Why other code runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// A start function is called.
    Start(u32),
    /// A segment lies outside.
    Trap(Trap),
}

impl Module {
    /// The steps, in order.
    pub fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let (mut elements, mut data) = (0, 0);
        for instance in &self.instances {
            let end = self.segments((elements, data), instance, &mut steps);
            steps.extend(end.map(Step::Pause));
            (elements, data) = (instance.elements, instance.data);
        }
        steps
    }

    /// Adds what the segments of an input write, from these on; yields the pause at its end.
    fn segments(&self, (elements, data): (usize, usize), instance: &Instance, steps: &mut Vec<Step>) -> Option<Cause> {
        for (index, segment) in self.elements.iter().enumerate().take(instance.elements).skip(elements) {
            let Some((table, start)) = segment.active else { continue };
            if !is_inside(self.tables[table as usize].minimum, start, segment.items.len()) {
                return Some(Cause::Trap(Trap::TableAccess));
            }
            steps.push(Step::Elements(index));
        }
        for (index, segment) in self.data.iter().enumerate().take(instance.data).skip(data) {
            let Some(target) = segment.active else { continue };
            if !is_inside(self.memories[target.memory as usize].minimum_bytes(), target.start, segment.bytes.len()) {
                return Some(Cause::Trap(Trap::MemoryOutOfBounds));
            }
            steps.push(Step::Data(index));
        }
        instance.start.map(Cause::Start)
    }

    /// Whether entries of a table change behind a point where other code may see them, so that it is in RAM: by a
    /// function, or by a segment behind a pause.
    pub fn changes_table(&self, table: u32) -> bool {
        let changes = |op: &Op| matches!(op, Op::TableSet(changed) | Op::TableGrow(changed) if *changed == table);
        self.operators().any(changes) || self.filled_late().contains(&table)
    }

    /// The tables that segments fill behind a pause.
    fn filled_late(&self) -> BTreeSet<u32> {
        let late = self.steps().into_iter().skip_while(|step| !matches!(step, Step::Pause(_)));
        let tables = late.filter_map(|step| match step {
            Step::Elements(index) => self.elements[index].active.map(|(table, _)| table),
            Step::Data(_) | Step::Pause(_) => None,
        });
        tables.collect()
    }
}

/// Whether so many items from a start on lie within a length.
pub(super) fn is_inside(length: u32, start: u32, count: usize) -> bool {
    (start as usize).checked_add(count).is_some_and(|end| end <= length as usize)
}
