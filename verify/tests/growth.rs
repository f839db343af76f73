//! Terms of long runs grow with the run: a store adds as many nodes behind many stores as behind few, and
//! so does a sum.

use synth_verify::domain::{Bin32, Domain};
use synth_verify::term::{Terms, Width};

/// Nodes that a run of stores at constant distances makes.
fn nodes_of_stores(count: u32) -> usize {
    let mut terms = Terms::new();
    let mut memory = terms.fresh_mem("memory");
    let base = terms.fresh32("base");
    for index in 0..count {
        let distance = terms.w32(4 * index);
        let address = terms.bin32(Bin32::Add, &base, &distance);
        let value = terms.w32(index);
        memory = terms.store(memory, address, Width::Word, value);
    }
    terms.arena().len()
}

/// Nodes that a sum of masked words makes.
fn nodes_of_sum(count: u32) -> usize {
    let mut terms = Terms::new();
    let word = terms.fresh32("word");
    let mut sum = word;
    for index in 0..count {
        let mask = terms.w32(7919 * index + 13);
        let part = terms.bin32(Bin32::Xor, &word, &mask);
        sum = terms.bin32(Bin32::Add, &sum, &part);
    }
    terms.arena().len()
}

fn grows_evenly(nodes: impl Fn(u32) -> usize) {
    let (first, second, fourth) = (nodes(100), nodes(200), nodes(400));
    let (step, steps) = (second - first, fourth - second);
    assert!(steps <= 2 * step + step / 10, "{first}, {second}, {fourth}");
}

#[test]
fn stores() {
    grows_evenly(nodes_of_stores);
}

#[test]
fn sums() {
    grows_evenly(nodes_of_sum);
}

/// What is written and read again is not written, also in the midst of a run.
#[test]
fn a_store_of_what_is_there_changes_nothing() {
    let mut terms = Terms::new();
    let memory = terms.fresh_mem("memory");
    let base = terms.fresh32("base");
    let old = terms.load(memory, base, Width::Word);
    let (seven, four) = (terms.w32(7), terms.w32(4));
    let above = terms.bin32(Bin32::Add, &base, &four);
    let changed = terms.store(memory, base, Width::Word, seven);
    let changed = terms.store(changed, above, Width::Half, seven);
    let back = terms.store(changed, base, Width::Word, old);
    let only = terms.store(memory, above, Width::Half, seven);
    assert_eq!(back.norm, only.norm);
    assert_ne!(changed.norm, only.norm);
}
