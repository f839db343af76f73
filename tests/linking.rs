//! Several modules in one image: what is bound to what, in which order they start, and what is refused.

mod support;

use std::process::Command;

use synth::config::Config;
use synth::elf::Imports;
use synth::elf::program::{InitStep, Program, Segment, Symbol};
use synth::error::Error;
use synth::model;
use synth::trap::Trap;
use synth::wasm::Input;
use synth_fuzz::oracle::{self, Failure};
use synth_verify::check::{Options, Source, check_with};

use support::last;
use support::linked::{self, proved};

/// A memory, a counter and a constant for others; its start function sets a byte.
const STORE: &str = r#"(module
  (memory (export "bytes") 64 80 (pagesize 1)) (data (i32.const 0) "store")
  (global (export "count") (mut i32) (i32.const 5)) (global (export "first") i32 (i32.const 8))
  (func (export "get") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func $begin (i32.store8 (i32.const 9) (i32.const 42)))
  (start $begin))"#;

/// Uses all of it. Its segment lies where a constant of the other says, over what that has started with.
const USER: &str = r#"(module
  (import "store" "get" (func $get (param i32) (result i32)))
  (import "store" "bytes" (memory 32 (pagesize 1)))
  (import "store" "count" (global $count (mut i32)))
  (import "store" "first" (global $first i32))
  (import "host" "tick" (func $tick))
  (memory $own 4 4 (pagesize 1))
  (global $next (mut i32) (i32.sub (global.get $first) (i32.const 1)))
  (data (memory 0) (offset (i32.add (global.get $first) (i32.const 2))) "user")
  (func (export "next") (result i32) (global.get $next))
  (func (export "add") (param i32) (result i32)
    (call $tick)
    (global.set $count (i32.add (global.get $count) (local.get 0)))
    (i32.store8 $own (i32.const 3) (local.get 0))
    (global.get $count))
  (func (export "see") (param i32) (result i32) (call $get (local.get 0)))
  (func (export "grow") (param i32) (result i32) (memory.grow 0 (local.get 0)))
  (func $begin (i32.store8 (i32.const 20) (i32.load8_u (i32.const 9))))
  (start $begin))"#;

fn binary(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

#[test]
fn imports_are_what_others_export() {
    let firmware = proved(&[("store", STORE), ("user", USER)]).unwrap_or_else(|failure| panic!("{failure}"));
    for (calls, seen) in [
        (vec![("store_get", 0)], Ok(u32::from(b's'))),
        (vec![("store_get", 10)], Ok(u32::from(b'u'))),
        (vec![("user_see", 9)], Ok(42)),
        (vec![("user_see", 20)], Ok(42)),
        (vec![("user_see", 64)], Err(Trap::MemoryOutOfBounds)),
        (vec![("user_grow", 2), ("user_see", 65)], Ok(0)),
        (vec![("user_grow", 16)], Ok(64)),
        (vec![("user_grow", 17)], Ok(u32::MAX)),
        (vec![("user_add", 3), ("user_add", 4)], Ok(12)),
        (vec![("user_next", 0)], Ok(7)),
    ] {
        assert_eq!(last(&firmware, &calls), seen, "{calls:?}");
    }
}

#[test]
fn an_input_twice_is_two_instances() {
    let counter = r#"(module (global $g (mut i32) (i32.const 0))
      (func (export "up") (result i32) (global.set $g (i32.add (global.get $g) (i32.const 1))) (global.get $g)))"#;
    let firmware = proved(&[("a", counter), ("b", counter)]).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(last(&firmware, &[("a_up", 0), ("a_up", 0), ("b_up", 0)]), Ok(1));
    assert_eq!(last(&firmware, &[("a_up", 0), ("b_up", 0), ("a_up", 0)]), Ok(2));
}

#[test]
fn a_trap_in_the_middle_ends_instantiation() {
    let late = r#"(module (import "store" "bytes" (memory 1 (pagesize 1))) (data (i32.const 62) "too long"))"#;
    let firmware = proved(&[("store", STORE), ("late", late), ("user", USER)]);
    let firmware = firmware.unwrap_or_else(|failure| panic!("{failure}"));
    let ended = model::run(&firmware, &[], 1 << 20).unwrap_err().to_string();
    assert!(ended.contains("instantiation trapped"), "{ended}");
}

/// What growth before a segment decides is refused by both sides; as is known, it traps, or is written.
#[test]
fn a_segment_that_only_growth_makes_room_for() {
    let store = |body: &str| {
        format!(
            r#"(module (memory (export "bytes") 64 (pagesize 1)) (table (export "table") 2 funcref)
              (func $begin {body}) (start $begin))"#
        )
    };
    let grows = store("(drop (memory.grow (i32.const 8))) (drop (table.grow (ref.null func) (i32.const 2)))");
    let still = store("(drop (memory.size))");
    let data = |at: u32| {
        format!(r#"(module (import "store" "bytes" (memory 1 (pagesize 1))) (data (i32.const {at}) "four"))"#)
    };
    let element = |at: u32| {
        format!(r#"(module (import "store" "table" (table 1 funcref)) (func $f) (elem (i32.const {at}) $f))"#)
    };
    let words = "lies beyond what a memory or table starts with";
    for (late, fits) in [(data(61), false), (data(60), true), (element(2), false), (element(1), true)] {
        match (proved(&[("store", &grows), ("late", &late)]), fits) {
            (Ok(_), true) => {}
            (Err(Failure::Refused(Error::Link(details))), false) if details.to_string().contains(words) => {}
            (Ok(_), false) => panic!("{late} is linked"),
            (Err(failure), _) => panic!("{late}: {failure}"),
        }
        let linked = proved(&[("store", &still), ("late", &late)]);
        linked.unwrap_or_else(|failure| panic!("{late}: {failure}"));
    }
    let (grows, late) = (binary(&grows), binary(&data(61)));
    let sources = [Source { name: "store", wasm: &grows }, Source { name: "late", wasm: &late }];
    let said = check_with(&sources, &[], &Options::default()).unwrap_err().to_string();
    assert!(said.contains(words), "{said}");
}

#[test]
fn what_does_not_fit_is_not_linked() {
    for (import, words) in [
        (r#"(import "store" "get" (func (param i64) (result i32)))"#, "incompatible import type"),
        (r#"(import "store" "get" (global i32))"#, "incompatible import type"),
        (r#"(import "store" "bytes" (memory 65 (pagesize 1)))"#, "incompatible import type"),
        (r#"(import "store" "bytes" (memory 1 79 (pagesize 1)))"#, "incompatible import type"),
        (r#"(import "store" "bytes" (memory 0))"#, "incompatible import type"),
        (r#"(import "store" "count" (global i32))"#, "incompatible import type"),
        (r#"(import "store" "first" (global i64))"#, "incompatible import type"),
        (r#"(import "store" "last" (global i32))"#, "unknown import"),
        (r#"(import "shop" "bytes" (memory 1))"#, "give the module that defines it as another input"),
    ] {
        match proved(&[("store", STORE), ("user", &format!("(module {import})"))]) {
            Err(Failure::Refused(error @ (Error::Link(_) | Error::Unsupported(_)))) => {
                assert!(error.to_string().contains(words), "{import}: {error}");
            }
            Err(failure) => panic!("{import}: {failure}"),
            Ok(_) => panic!("{import} is linked"),
        }
    }
    assert!(matches!(proved(&[("a", STORE), ("a", STORE)]), Err(Failure::Refused(Error::Link(_)))));
}

/// Expects a refusal of an image of both modules after a change, in these words.
#[track_caller]
fn refuse(words: &str, change: impl FnOnce(&mut Program)) {
    linked::refuse(&[("store", STORE), ("user", USER)], words, change);
}

/// The segment of a step of instantiation.
fn data(program: &mut Program, step: usize) -> &mut Segment {
    let InitStep::Data(segment) = &mut program.instantiation.steps[step] else { panic!("no segment") };
    segment
}

#[test]
fn what_comes_behind_a_start_function_is_judged() {
    // A segment, a start function, and the same of the other module.
    refuse("1 calls of the start function instead of 2", |program| _ = program.instantiation.steps.pop());
    refuse("start functions are called, or traps come, in another order", |program| {
        program.instantiation.steps.swap(1, 3);
    });
    refuse("what is written to memory 0 is not what segments say", |program| data(program, 2).bytes[0] ^= 1);
    refuse("what is written to memory 0 is not what segments say", |program| data(program, 2).offset -= 1);
    // Before the first start function, over which it should stand.
    refuse("of memory 0 is", |program| program.instantiation.steps.swap(1, 2));
}

#[test]
fn another_binding_is_refused() {
    // Function 0 is the host's, 1 and 2 are the first module's.
    refuse("calls function", |program| {
        let call = |relocation: &&mut synth::elf::program::Relocation| relocation.symbol == Symbol::Function(1);
        let mut relocations = program.functions.iter_mut().flat_map(|function| &mut function.relocations);
        relocations.find(call).unwrap().symbol = Symbol::Function(2);
    });
    refuse("is not the one global function symbol", |program| {
        let exports = &mut program.exports;
        (exports[0].function, exports[1].function) = (exports[1].function, exports[0].function);
    });
}

#[test]
fn the_same_modules_are_needed_again() {
    let (store, user) = (binary(STORE), binary(USER));
    let inputs = [Input { name: "store", wasm: &store }, Input { name: "user", wasm: &user }];
    let proved = oracle::image_linked(&inputs, &Config::default(), Imports::Stubbed);
    let elf = proved.unwrap_or_else(|failure| panic!("{failure}")).elf;
    let judge = |names: [&str; 2], modules: [&[u8]; 2]| {
        let sources = [0, 1].map(|index| Source { name: names[index], wasm: modules[index] });
        check_with(&sources, &elf, &Options::default()).map(|report| report.proved())
    };
    assert_eq!(judge(["store", "user"], [&store, &user]).ok(), Some(true));
    assert!(judge(["store", "other"], [&store, &user]).is_err());
    assert!(judge(["user", "store"], [&user, &store]).is_err());
}

#[test]
fn the_command_takes_names_or_stems() {
    let place = tempfile::tempdir().unwrap();
    for (file, text) in [("store.wat", STORE), ("user.wat", USER), ("again.wat", STORE)] {
        std::fs::write(place.path().join(file), text).unwrap();
    }
    let synth = |arguments: &[&str]| {
        let ran = Command::new(env!("CARGO_BIN_EXE_synth")).args(arguments).current_dir(place.path()).output().unwrap();
        (ran.status.code(), String::from_utf8(ran.stderr).unwrap())
    };
    let compile = ["compile", "--type", "image", "--stub-imports", "-o", "both.elf"];
    assert_eq!(synth(&[&compile[..], &["store.wat", "user.wat"]].concat()).0, Some(0));
    assert_eq!(synth(&["verify", "store.wat", "user.wat", "both.elf"]).0, Some(0));
    assert_eq!(synth(&["verify", "store=again.wat", "user=user.wat", "both.elf"]).0, Some(0));
    assert_eq!(synth(&["verify", "again.wat", "user.wat", "both.elf"]).0, Some(1));
    assert_eq!(synth(&["verify", "user.wat", "both.elf"]).0, Some(1));
    assert_eq!(synth(&["verify", "store.wat", "both.elf"]).0, Some(5));
    let (code, said) = synth(&[&compile[..], &["user.wat", "store.wat"]].concat());
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("give `store` as an input before `user`"), "{said}");
}
