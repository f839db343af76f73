//! Tables, references and exports that several inputs share: what they do, and what is refused of them.

mod support;

use synth::elf::program::{Elements, InitStep, Outside, Program, Symbol};
use synth::trap::Trap;
use synth_fuzz::oracle::Failure;

use support::last;
use support::linked::{program, proved, refuse};

/// A table, a function for others, and a reference to it.
const OWNER: &str = r#"(module
  (type $other (func)) (type $number (func (result i32)))
  (table $table (export "table") 8 16 funcref) (elem (i32.const 1) $one)
  (func $one (result i32) (i32.const 1)) (func $eleven (result i32) (i32.const 11))
  (global (export "eleven") funcref (ref.func $eleven))
  (func (export "call") (param i32) (result i32) (call_indirect (type $number) (local.get 0)))
  (func (export "size") (result i32) (table.size)))"#;

/// Fills it at the start and later, with functions of both, and calls through it by a type of its own.
const GUEST: &str = r#"(module
  (type $number (func (result i32)))
  (import "owner" "table" (table $table 4 20 funcref)) (import "owner" "eleven" (global $eleven funcref))
  (table $own 3 funcref) (elem (table $own) (i32.const 0) func $two $three $two)
  (elem (i32.const 2) funcref (ref.func $two) (global.get $eleven) (ref.null func))
  (elem $later func $three $two)
  (func $two (result i32) (i32.const 2)) (func $three (result i32) (i32.const 3))
  (func (export "call") (param i32) (result i32) (call_indirect (type $number) (local.get 0)))
  (func (export "init") (param i32) (result i32)
    (table.init $later (local.get 0) (i32.const 0) (i32.const 2)) (elem.drop $later) (i32.const 0))
  (func (export "copy") (param i32) (result i32)
    (table.copy $table $own (local.get 0) (i32.const 1) (i32.const 2)) (i32.const 0))
  (func (export "grow") (param i32) (result i32) (table.grow (ref.func $three) (local.get 0))))"#;

/// The same without operators that change the table, behind a start function, so that segments alone do.
const LATE: &str = r#"(module
  (import "owner" "table" (table 1 funcref)) (import "host" "tick" (func $tick))
  (elem (i32.const 5) func $five $five) (func $five (result i32) (i32.const 5)) (start $tick))"#;

/// The segment of a step of instantiation.
fn elements(program: &mut Program, step: usize) -> &mut Elements {
    let InitStep::Elements(elements) = &mut program.instantiation.steps[step] else { panic!("no element segment") };
    elements
}

#[test]
fn a_table_is_one_for_all_inputs() {
    let firmware = proved(&[("owner", OWNER), ("guest", GUEST)]).unwrap_or_else(|failure| panic!("{failure}"));
    for (calls, seen) in [
        (vec![("owner_call", 1)], Ok(1)),
        (vec![("owner_call", 2)], Ok(2)),
        (vec![("guest_call", 3)], Ok(11)),
        (vec![("guest_call", 4)], Err(Trap::UninitializedElement)),
        (vec![("owner_call", 8)], Err(Trap::TableOutOfBounds)),
        (vec![("guest_init", 6), ("owner_call", 6)], Ok(3)),
        (vec![("guest_init", 6), ("owner_call", 7)], Ok(2)),
        (vec![("guest_init", 7)], Err(Trap::TableAccess)),
        (vec![("guest_init", 6), ("guest_init", 6)], Err(Trap::TableAccess)),
        (vec![("guest_copy", 0), ("owner_call", 0)], Ok(3)),
        (vec![("guest_grow", 8), ("owner_size", 0)], Ok(16)),
        (vec![("guest_grow", 8), ("owner_call", 15)], Ok(3)),
        (vec![("guest_grow", 9)], Ok(u32::MAX)),
    ] {
        let calls: Vec<(&str, u32)> = calls;
        assert_eq!(last(&firmware, &calls), seen, "{calls:?}");
    }
}

#[test]
fn a_table_that_is_filled_behind_a_start_function_is_in_ram() {
    let modules = [("owner", OWNER), ("first", LATE), ("second", LATE)];
    let firmware = proved(&modules).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(last(&firmware, &[("owner_call", 6)]), Ok(5));
    let in_ram = |modules: &[(&str, &str)]| {
        let program = program(modules);
        program.instantiation.steps.iter().filter(|step| matches!(step, InitStep::Elements(_))).count()
    };
    assert_eq!(in_ram(&modules), 3);
    assert_eq!(in_ram(&modules[..2]), 0, "nothing sees it half filled");
}

#[test]
fn tables_that_do_not_fit_are_not_linked() {
    for (import, words) in [
        (r#"(import "owner" "table" (table 8 externref))"#, "incompatible import type"),
        (r#"(import "owner" "table" (table 9 funcref))"#, "incompatible import type"),
        (r#"(import "owner" "table" (table 8 15 funcref))"#, "incompatible import type"),
        (r#"(import "owner" "table" (memory 1))"#, "incompatible import type"),
        (r#"(import "owner" "eleven" (global externref))"#, "incompatible import type"),
        (r#"(import "owner" "eleven" (global (mut funcref)))"#, "incompatible import type"),
        (r#"(import "owner" "chair" (table 1 funcref))"#, "unknown import"),
        (r#"(import "shop" "table" (table 1 funcref))"#, "as another input"),
        (r#"(import "shop" "eleven" (global funcref))"#, "as another input"),
        (r#"(import "host" "f" (func)) (import "host" "f" (func (param i32)))"#, "is declared with two types"),
    ] {
        match proved(&[("owner", OWNER), ("guest", &format!("(module {import})"))]) {
            Err(Failure::Refused(error)) => assert!(error.to_string().contains(words), "{import}: {error}"),
            Err(failure) => panic!("{import}: {failure}"),
            Ok(_) => panic!("{import} is linked"),
        }
    }
    let other = r#"(module (import "host" "tick" (func (param i32))))"#;
    let refused = proved(&[("owner", OWNER), ("late", LATE), ("other", other)]);
    let Err(Failure::Refused(error)) = refused else { panic!("one symbol for two types") };
    assert!(error.to_string().contains("is declared with two types"), "{error}");
}

/// What may have grown is judged when it is imported: it traps if it has not.
#[test]
fn limits_that_growth_decides_are_guarded() {
    let owner = r#"(module (memory (export "bytes") 2 8 (pagesize 1)) (table (export "table") 1 4 externref) (global $start i32 (i32.const GROWN))
      (func (export "size") (result i32) (i32.add (memory.size) (table.size)))
      (func $grow (drop (memory.grow (global.get $start))) (drop (table.grow (ref.null extern) (global.get $start))))
      (start $grow))"#;
    let user =
        r#"(module (import "owner" "bytes" (memory 4 (pagesize 1))) (import "owner" "table" (table 3 externref)))"#;
    let with = |grown: &str| owner.replace("GROWN", grown);
    let firmware =
        |owner: &str| proved(&[("owner", owner), ("user", user)]).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(last(&firmware(&with("2")), &[("owner_size", 0)]), Ok(7));
    for (grown, trap) in [("1", "instantiation trapped"), ("3", "")] {
        let ended = synth::model::run(&firmware(&with(grown)), &[], 1 << 20);
        let said = ended.err().map_or(String::new(), |error| error.to_string());
        assert!(said.contains(trap) && said.is_empty() == trap.is_empty(), "{grown}: {said}");
    }
    // Nobody grows it, or it may not become so large.
    let fixed = with("2").replace("(memory.grow (global.get $start))", "(i32.const 0)");
    let small = with("2").replace("2 8 (pagesize 1)", "2 3 (pagesize 1)");
    for owner in [fixed, small] {
        let refused = proved(&[("owner", &owner), ("user", user)]);
        assert!(matches!(refused, Err(Failure::Refused(synth::error::Error::Link(_)))), "{owner}");
    }
    // Types, functions and start functions of the guards are as both linkers put them.
    let owner = with("2");
    let modules = [("owner", owner.as_str()), ("user", user)];
    refuse(&modules, "calls of the start function instead of 3", |program| _ = program.instantiation.steps.pop());
    refuse(&modules, "in another order", |program| program.instantiation.steps.swap(1, 2));
}

#[test]
fn what_is_written_to_a_table_is_judged() {
    let modules = [("owner", OWNER), ("guest", GUEST)];
    refuse(&modules, "entry 2 of table 0 is", |program| elements(program, 1).first += 1);
    refuse(&modules, "entry 3 of table 0 is", |program| elements(program, 1).entries[1] = None);
    refuse(&modules, "entry 1 of table 0 is", |program| _ = program.instantiation.steps.remove(0));
    refuse(&modules, "entry 2 of table 0 is", |program| elements(program, 1).entries.swap(0, 1));
    // A segment of each module, the first start function, a segment, the second.
    let modules = [("owner", OWNER), ("first", LATE), ("second", LATE)];
    refuse(&modules, "what is written to table 0 is not what segments say", |program| elements(program, 3).first -= 1);
    refuse(&modules, "what is written to table 0 is not what segments say", |program| {
        elements(program, 3).entries.pop();
    });
    refuse(&modules, "entry 6 of table 0 is", |program| elements(program, 3).entries[1] = Some(0));
    refuse(&modules, "entry 5 of table 0 is", |program| program.instantiation.steps.swap(2, 3));
    refuse(&modules, "entry 5 of table 0 is", |program| program.instantiation.steps.swap(1, 2));
}

#[test]
fn calls_through_another_table_are_refused() {
    let modules = [("owner", OWNER), ("guest", GUEST)];
    refuse(&modules, "at the cut", |program| {
        let relocations = program.functions.iter_mut().flat_map(|function| &mut function.relocations);
        relocations.filter(|one| one.symbol == Symbol::Table(1)).for_each(|one| one.symbol = Symbol::Table(0));
    });
}

#[test]
fn a_trap_of_instantiation_is_judged() {
    let outside = r#"(module (import "owner" "table" (table 1 funcref))
      (elem (i32.const 5) func $f) (elem (i32.const 8) func $f) (elem (i32.const 6) func $f) (func $f))"#;
    let modules = [("owner", OWNER), ("outside", outside), ("late", LATE)];
    // Two segments, the trap, a segment and the start function of the next.
    refuse(&modules, "it does not trap where segments lie outside", |program| {
        program.instantiation.steps.remove(2);
    });
    refuse(&modules, "it ends with Trapped", |program| {
        let trap = program.instantiation.steps[2].clone();
        program.instantiation.steps.insert(2, trap);
    });
    refuse(&modules, "it ends with Trapped", |program| {
        program.instantiation.steps[2] = InitStep::Trap(Outside::Data(0));
    });
    refuse(&modules, "what is written to table 0 is not what segments say", |program| {
        elements(program, 3).first = 6;
    });
    refuse(&modules, "0 calls of the start function instead of 1", |program| {
        program.instantiation.steps.pop();
    });
    refuse(&modules, "entry 5 of table 0 is", |program| program.instantiation.steps.swap(1, 2));
}

/// An import of the host, exported twice, one of them with several results; a global with a cell and one without.
const HOST: &str = r#"(module
  (import "host" "one" (func $one (param i32) (result i32)))
  (import "host" "two" (func $two (param i64 i32 i64) (result i32 i64)))
  (export "one" (func $one)) (export "first" (func $one)) (export "two" (func $two))
  (global $unused (mut i64) (i64.const 1))
  (global (export "count") (mut i32) (i32.const 5)) (global (export "limit") i32 (i32.const 7)))"#;

#[test]
fn an_import_that_is_exported_has_code() {
    let program = program(&[("", HOST)]);
    assert_eq!(program.exports.iter().map(|export| export.function).collect::<Vec<_>>(), [2, 2, 3]);
    let firmware = proved(&[("", HOST)]).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(last(&firmware, &[("first", 3)]), Ok(0));
    refuse(&[("", HOST)], "calls function", |program| {
        let relocations = program.functions.iter_mut().flat_map(|function| &mut function.relocations);
        relocations.filter(|one| one.symbol == Symbol::Function(0)).for_each(|one| one.symbol = Symbol::Function(1));
    });
    refuse(&[("", HOST)], "is not the one global function symbol", |program| program.exports[0].function = 3);
}

#[test]
fn an_exported_global_is_its_cell() {
    let program = program(&[("", HOST)]);
    let [global] = &program.globals[..] else { panic!("{:?}", program.globals) };
    assert_eq!((global.symbol.as_str(), global.offset, global.bytes), ("count", 8, 4));
    refuse(&[("", HOST)], "is not the one global symbol count of its cell", |program| program.globals[0].offset = 4);
    refuse(&[("", HOST)], "is not the one global symbol count of its cell", |program| program.globals.clear());
}
