//! Instantiation as steps (core spec, 4.5.4).
//!
//! Requires: a module all of whose imports but functions are bound.
//! Ensures: of each input, in order, the active element segments, the active data segments, the start function;
//! a segment out of bounds is the last step of its input. Bounds are those of the declarations.

use super::module::{DataIndex, DataMode, ElementIndex, ElementMode, Module};
use crate::entity::Entity;
use crate::ir::op::Function;

/// A step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// References are written to a table.
    Elements(ElementIndex),
    /// Bytes are written to a memory.
    Data(DataIndex),
    /// A start function is called.
    Start(Function),
    /// References would be written where no table is: a trap.
    ElementsOutside(ElementIndex),
    /// Bytes would be written where no memory is: a trap.
    DataOutside(DataIndex),
}

/// The steps.
pub fn run(module: &Module) -> Vec<Step> {
    (0..module.instances.len()).flat_map(|number| of_input(module, number)).collect()
}

/// The steps of the last input.
pub fn last(module: &Module) -> Vec<Step> {
    module.instances.len().checked_sub(1).map_or_else(Vec::new, |number| of_input(module, number))
}

fn of_input(module: &Module, number: usize) -> Vec<Step> {
    let before = number.checked_sub(1).map(|before| &module.instances[before]);
    let (elements, data) = before.map_or((0, 0), |before| (before.elements, before.data));
    let instance = &module.instances[number];
    let own = (elements..instance.elements).map(|index| elements_step(module, ElementIndex::new(index)));
    let own = own.chain((data..instance.data).map(|index| data_step(module, DataIndex::new(index))));
    let mut steps: Vec<Step> = own.flatten().chain(instance.start.map(Step::Start)).collect();
    let end = steps.iter().position(|step| matches!(step, Step::ElementsOutside(_) | Step::DataOutside(_)));
    steps.truncate(end.map_or(steps.len(), |end| end + 1));
    steps
}

fn elements_step(module: &Module, index: ElementIndex) -> Option<Step> {
    let ElementMode::Active { table, offset } = &module.elements[index].mode else { return None };
    let end = offset.value() + module.elements[index].items.len() as u64;
    let fits = end <= module.tables[*table].initial.into();
    Some(if fits { Step::Elements(index) } else { Step::ElementsOutside(index) })
}

fn data_step(module: &Module, index: DataIndex) -> Option<Step> {
    let DataMode::Active { memory, offset } = &module.data[index].mode else { return None };
    let end = offset.value() + module.data[index].bytes.len() as u64;
    let fits = end <= module.memories[*memory].initial_bytes().into();
    Some(if fits { Step::Data(index) } else { Step::DataOutside(index) })
}

/// Marks the tables that are written behind a start function or a trap, which may have seen them before.
pub fn mark(module: &mut Module) {
    let steps = run(module);
    for step in steps.iter().skip_while(|step| matches!(step, Step::Elements(_) | Step::Data(_))) {
        let Step::Elements(index) = step else { continue };
        let ElementMode::Active { table, .. } = module.elements[*index].mode else { continue };
        module.tables[table].changes = true;
    }
}
