//! Handwritten and random functions.

use super::check;
use super::generate::{Shape, function};
use crate::alloc::allocated::Stats;

/// Runs seeds and sums what they cost.
fn sweep(seeds: std::ops::Range<u64>, shape: Shape) -> Vec<Stats> {
    seeds
        .map(|seed| check(&function(seed, shape)).stats)
        .collect()
}

#[test]
fn small_functions_do_the_same() {
    sweep(
        0..400,
        Shape {
            size: 12,
            reach: 6,
            calls: 8,
        },
    );
}

#[test]
fn functions_of_low_pressure_do_not_spill() {
    let stats = sweep(
        0..100,
        Shape {
            size: 60,
            reach: 4,
            calls: 1000,
        },
    );
    let roomy = |s: &&Stats| s.pressure_max <= 13 && s.call_pressure_max <= 8;
    assert!(
        stats.iter().filter(roomy).count() > 30,
        "many should have room"
    );
    assert!(stats.iter().filter(roomy).all(|stats| stats.spilled == 0));
}

#[test]
fn functions_of_high_pressure_do_the_same() {
    let stats = sweep(
        0..200,
        Shape {
            size: 120,
            reach: 40,
            calls: 12,
        },
    );
    assert!(
        stats.iter().map(|stats| stats.spilled).sum::<u32>() > 500,
        "these should spill"
    );
}

#[test]
fn no_spill_is_spurious() {
    for shape in [
        Shape {
            size: 60,
            reach: 14,
            calls: 10,
        },
        Shape {
            size: 100,
            reach: 20,
            calls: 30,
        },
        Shape {
            size: 100,
            reach: 9,
            calls: 5,
        },
    ] {
        for (seed, stats) in sweep(1000..1080, shape).iter().enumerate() {
            assert!(
                stats.spurious.is_empty(),
                "{shape:?} {seed}: {:?}",
                stats.spurious
            );
        }
    }
}

#[test]
fn zz_totals() {
    for shape in [
        Shape {
            size: 12,
            reach: 6,
            calls: 8,
        },
        Shape {
            size: 60,
            reach: 8,
            calls: 8,
        },
        Shape {
            size: 60,
            reach: 14,
            calls: 20,
        },
        Shape {
            size: 120,
            reach: 40,
            calls: 12,
        },
    ] {
        let all = sweep(0..60, shape);
        let sum = |f: &dyn Fn(&Stats) -> u32| all.iter().map(f).sum::<u32>();
        eprintln!(
            "{shape:?}: values {} spilled {} spills {} reloads {} remats {} moves {} coalesced {} split {}",
            sum(&|s| s.values),
            sum(&|s| s.spilled),
            sum(&|s| s.spills),
            sum(&|s| s.reloads),
            sum(&|s| s.remats),
            sum(&|s| s.moves),
            sum(&|s| s.moves_coalesced),
            sum(&|s| s.uncoloured)
        );
    }
}
