//! Bulk memory operators as calls of templates: what they do, and what is refused.

mod support;

use synth::elf::program::{CellValue, Program, RelocationKind, Symbol};
use synth::model;
use synth::qemu::firmware::Firmware;
use synth::qemu::{Action, Outcome, Value};
use synth::trap::Trap;

use support::linked;

/// Function 0 fills, 1 copies, 2 copies from a segment, 3 drops it, 4 reads; then come the templates'.
const MODULE: &str = r#"(module
  (memory 1) (data $text "a segment of bytes") (data (i32.const 8) "active") (data $unused "unused")
  (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func (export "init") (param i32 i32 i32) (memory.init $text (local.get 0) (local.get 1) (local.get 2)))
  (func (export "drop") (data.drop $text) (data.drop $unused))
  (func (export "byte") (param i32) (result i32) (i32.load8_u (local.get 0))))"#;

/// What some calls on one instance come to: a trap, or the result of the last.
#[track_caller]
fn outcome(firmware: &Firmware, calls: &[(&str, &[u32])]) -> Result<u32, Trap> {
    let action = |(name, arguments): &(&str, &[u32])| {
        Action::Call((*name).into(), arguments.iter().map(|argument| Value::I32(*argument)).collect())
    };
    let actions: Vec<Action> = calls.iter().map(action).collect();
    let mut result = Ok(0);
    for (outcome, _) in model::run(firmware, &actions, 1 << 20).unwrap() {
        result = match outcome {
            Outcome::Returned(values) => match values[..] {
                [] => result,
                [Value::I32(value)] => Ok(value),
                ref other => panic!("{other:?} is not one word"),
            },
            Outcome::Faulted(fault) => return Err(fault.trap().unwrap()),
            Outcome::Bytes(_) => unreachable!("nothing is read"),
        };
    }
    result
}

#[test]
fn bytes_go_where_they_belong() {
    let firmware = linked::proved(&[("", MODULE)]).unwrap_or_else(|failure| panic!("{failure}"));
    let is = |calls: &[(&str, &[u32])], wanted: Result<u32, Trap>| assert_eq!(outcome(&firmware, calls), wanted);
    let outside = Err(Trap::MemoryOutOfBounds);
    is(&[("fill", &[3, 0x1ff, 20]), ("byte", &[22])], Ok(0xff));
    is(&[("fill", &[3, 0x1ff, 20]), ("byte", &[23])], Ok(0));
    is(&[("copy", &[9, 8, 6]), ("byte", &[14])], Ok(u32::from(b'e')));
    is(&[("init", &[100, 2, 16]), ("byte", &[115])], Ok(u32::from(b's')));
    is(&[("init", &[100, 2, 17])], outside);
    is(&[("drop", &[]), ("init", &[100, 0, 1])], outside);
    is(&[("drop", &[]), ("init", &[100, 1, 0])], outside);
    is(&[("drop", &[]), ("init", &[0x1_0000, 0, 0]), ("byte", &[100])], Ok(0));
    is(&[("fill", &[0x1_0000, 1, 0])], Ok(0));
    is(&[("fill", &[0x1_0001, 1, 0])], outside);
}

#[track_caller]
fn refuse(words: &str, change: impl FnOnce(&mut Program)) {
    linked::refuse(&[("", MODULE)], words, change);
}

/// The function's calls of one function go to another.
fn redirect(program: &mut Program, function: usize, (from, to): (u32, u32)) {
    let calls = program.functions[function].relocations.iter_mut();
    for call in calls.filter(|relocation| relocation.kind == RelocationKind::ThmCall) {
        assert_eq!(call.symbol, Symbol::Function(from));
        call.symbol = Symbol::Function(to);
    }
}

#[test]
fn the_call_of_a_template_is_found_by_where_it_returns_to() {
    let firmware = linked::proved(&[("", MODULE)]).unwrap_or_else(|failure| panic!("{failure}"));
    let fill = firmware.functions.iter().find(|extent| extent.function == 0).unwrap();
    let calls = |callee: u32| {
        let addresses = fill.address..fill.address + fill.bytes + 4;
        addresses.filter_map(|address| firmware.call_before(address, callee)).collect::<Vec<_>>()
    };
    assert!(matches!(calls(5)[..], [(0, _)]), "{:?}", calls(5));
    assert_eq!(calls(6), []);
}

#[test]
fn another_template_is_not_called() {
    refuse("calls function 6 where Wasm calls function 5", |program| redirect(program, 0, (5, 6)));
    refuse("calls function 6 where Wasm calls function 7", |program| redirect(program, 2, (7, 6)));
}

#[test]
fn templates_are_known_and_are_there() {
    refuse("is not known", |program| *program.linked[0].bytes.last_mut().unwrap() ^= 1);
    refuse("needs the section .synth.memory.move", |program| program.linked.retain(|one| one.name != "memory.move"));
    refuse("is not known", |program| program.linked[0].bytes = program.linked[1].bytes.clone());
}

#[test]
fn a_segment_has_its_bytes_and_its_length() {
    refuse("byte 0x3 of memory 1 is", |program| program.memories[1].contents.as_mut().unwrap()[3] ^= 1);
    refuse("memory 1 has 17 bytes", |program| _ = program.memories[1].contents.as_mut().unwrap().pop());
    refuse("the length of memory 1 is", |program| program.instantiation.cells[0].1 = CellValue::Number(16));
    // The store to the length cell that `data.drop` is.
    refuse("the length of memory 1 differs", |program| {
        let code = &mut program.functions[3].code;
        let store = code.chunks(2).position(|half| half[1] & 0xf8 == 0x60).unwrap();
        code[2 * store..2 * store + 2].copy_from_slice(&[0x00, 0xbf]);
    });
}
