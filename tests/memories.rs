//! Several linear memories with pages of their own: what they cost, what they do, and what is refused.

mod support;

use object::{Object as _, ObjectSection as _};
use synth::elf::program::{CellValue, InitStep, Program as Parts, Symbol};
use synth::qemu::firmware::Firmware;
use synth::trap::Trap;

use support::{last, linked};

/// Two memories that grow, the first by bytes, and one that does not.
const MODULE: &str = r#"(module
  (memory $bytes 256 300 (pagesize 1)) (memory $pages 1 2) (memory $fixed 8 (pagesize 1))
  (data (memory $bytes) (i32.const 252) "abcd") (data (memory $fixed) (i32.const 1) "xyz")
  (func (export "move") (param i32) (result i32)
    (i32.store $pages (local.get 0) (i32.load $bytes (local.get 0)))
    (i32.load $pages (local.get 0)))
  (func (export "fixed") (param i32) (result i32) (i32.load8_u $fixed (local.get 0)))
  (func (export "grow") (param i32) (result i32) (memory.grow $bytes (local.get 0)))
  (func (export "grow_pages") (param i32) (result i32) (memory.grow $pages (local.get 0)))
  (func (export "size") (result i32) (memory.size $bytes)))"#;

/// The module as a proved image.
#[track_caller]
fn proved(text: &str) -> Firmware {
    linked::proved(&[("", text)]).unwrap_or_else(|failure| panic!("{failure}"))
}

/// Bytes of the sections that are zero at the start: the name and the size of each.
fn zeroed(text: &str) -> Vec<(String, u64)> {
    let elf = proved(text).bytes;
    let file = object::File::parse(&*elf).unwrap();
    let zeroed = file.sections().filter(|section| section.kind() == object::SectionKind::UninitializedData);
    zeroed.map(|section| (section.name().unwrap().to_owned(), section.size())).collect()
}

#[test]
fn a_memory_costs_its_bytes_and_none_costs_nothing() {
    let small = r#"(module (memory 256 (pagesize 1)) (func (export "f") (result i32) (i32.load (i32.const 252))))"#;
    assert_eq!(zeroed(small), [(".bss.module.memory0".to_owned(), 256)]);
    assert_eq!(zeroed(r#"(module (func (export "f")))"#), []);
    let sizes = |sizes: &[(&str, u64)]| -> Vec<(String, u64)> {
        sizes.iter().map(|(what, bytes)| (format!(".bss.module.{what}"), *bytes)).collect()
    };
    let wanted = sizes(&[("instance", 8), ("memory0", 300), ("memory1", 0x2_0000), ("memory2", 8)]);
    assert_eq!(zeroed(MODULE), wanted);
}

#[test]
fn memories_are_apart_and_grow_in_their_own_pages() {
    let firmware = proved(MODULE);
    for (calls, seen) in [
        (vec![("move", 252)], Ok(0x6463_6261)),
        (vec![("move", 253)], Err(Trap::MemoryOutOfBounds)),
        (vec![("fixed", 3)], Ok(u32::from(b'z'))),
        (vec![("fixed", 8)], Err(Trap::MemoryOutOfBounds)),
        (vec![("grow", 44)], Ok(256)),
        (vec![("grow", 45)], Ok(u32::MAX)),
        (vec![("grow", 3), ("size", 0)], Ok(259)),
        (vec![("grow", 1), ("move", 253)], Ok(0x0064_6362)),
        (vec![("grow_pages", 1)], Ok(1)),
        (vec![("grow_pages", 2)], Ok(u32::MAX)),
    ] {
        assert_eq!(last(&firmware, &calls), seen, "{calls:?}");
    }
}

/// Expects a refusal of an image of the module after a change, in these words.
#[track_caller]
fn refuse(words: &str, change: impl FnOnce(&mut Parts)) {
    linked::refuse(&[("", MODULE)], words, change);
}

/// The function's accesses of one memory go to another instead.
fn retarget(program: &mut Parts, function: usize, (from, to): (u32, u32)) {
    for relocation in &mut program.functions[function].relocations {
        if relocation.symbol == Symbol::Memory(from) {
            relocation.symbol = Symbol::Memory(to);
        }
    }
}

#[test]
fn accesses_of_another_memory_are_refused() {
    refuse("the result differs", |program| retarget(program, 0, (0, 1)));
    refuse("linear memory 1 differs", |program| retarget(program, 0, (1, 0)));
    refuse("the result differs", |program| retarget(program, 1, (2, 0)));
}

#[test]
fn segments_and_lengths_of_another_memory_are_refused() {
    refuse("byte 0x1 of memory 1 is", |program| {
        let InitStep::Data(segment) = &mut program.instantiation.steps[1] else { panic!("no segment") };
        segment.memory = 1;
    });
    refuse("the length of memory 1 is", |program| {
        program.instantiation.cells[1].1 = CellValue::Number(1);
    });
    refuse("memory 0 has 255 bytes", |program| program.memories[0].reserve_bytes = 255);
    refuse("memory 0 has 301 bytes", |program| program.memories[0].reserve_bytes = 301);
    refuse("memory 1 has 65537 bytes", |program| program.memories[1].reserve_bytes = 0x1_0001);
}
