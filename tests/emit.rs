//! Emission of whole functions: every byte is an instruction with a label or is listed as data, and
//! everything that is said by offset stands at an instruction.

use std::collections::BTreeSet;

use synth::config::Config;
use synth::elf::program::Function;
use synth::stage::NoTap;
use synth_verify::hints::{FunctionHints, codec};
use synth_verify::thumb::decode::decode;
use synth_verify::thumb::inst::Inst;

/// Compiles a module in text form and checks what is said about each of its functions.
fn check(text: &str) -> Vec<(Function, FunctionHints)> {
    let bytes = wat::parse_str(text).expect("the test's text is a module");
    let out = synth::compile(&bytes, &Config::default(), &mut NoTap).expect("it is in scope");
    assert_eq!(codec::decode(&codec::encode(&out.hints)), Ok(out.hints.clone()));
    let functions: Vec<_> = out.program.functions.into_iter().zip(out.hints.functions).collect();
    for (function, hints) in &functions {
        check_function(function, hints);
    }
    functions
}

/// Offsets of instructions, found by decoding everything that is not data.
fn instructions(function: &Function) -> BTreeSet<u32> {
    let mut starts = BTreeSet::new();
    let mut at = 0;
    while (at as usize) < function.code.len() {
        if let Some((_, end)) = function.data.iter().find(|(start, _)| *start == at) {
            at = *end;
            continue;
        }
        let (_, size) = decode(&function.code, at as usize)
            .unwrap_or_else(|error| panic!("f{} at {at:#x}: {error}", function.index));
        starts.insert(at);
        at += size;
    }
    starts
}

fn check_function(function: &Function, hints: &FunctionHints) {
    let starts = instructions(function);
    let labels: Vec<u32> = hints.labels.iter().map(|label| label.at).collect();
    assert_eq!(labels, Vec::from_iter(starts.iter().copied()), "one label per instruction");
    assert!(hints.cuts.is_sorted_by(|a, b| a.at < b.at));
    for cut in &hints.cuts {
        assert!(cut.at > 0 && starts.contains(&cut.at), "a cut at {:#x}", cut.at);
        assert!(cut.depth <= hints.frame_bytes);
    }
    for join in &hints.joins {
        assert!(starts.contains(&join.at), "a join at {:#x}", join.at);
        assert!(join.from == u32::MAX || starts.contains(&join.from), "a join from {:#x}", join.from);
    }
    for relocation in &function.relocations {
        let in_data = function.data.iter().any(|(start, end)| (*start..*end).contains(&relocation.offset));
        assert!(in_data || starts.contains(&relocation.offset), "a relocation at {:#x}", relocation.offset);
    }
    assert!(function.frame.is_sorted_by_key(|step| step.at));
    assert_eq!(hints.code_bytes as usize, function.code.len());
}

/// Whether the function has a table branch.
fn has_table(function: &Function) -> bool {
    let is_table = |at: &u32| {
        let decoded = decode(&function.code, *at as usize);
        matches!(decoded, Ok((Inst::TableBranch { .. }, _)))
    };
    instructions(function).iter().any(is_table)
}

#[test]
fn loops_calls_selects_and_memory() {
    check(
        r#"(module
          (import "env" "log" (func $log (param i32 i64)))
          (memory 1 4) (global $g (mut i64) (i64.const 5))
          (table 2 funcref) (elem (i32.const 0) $sum2 $div)
          (type $t (func (param i32 i32) (result i32)))
          (func $sum2 (type $t) (local $s i32)
            (loop $l
              (local.set $s (i32.add (local.get $s) (i32.load (local.get 0))))
              (local.set 0 (i32.add (local.get 0) (i32.const 4)))
              (br_if $l (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))
            (i32.store offset=4000 (local.get 0) (i32.const 0x12345678))
            (local.get $s))
          (func $div (type $t) (i32.div_s (local.get 0) (local.get 1)))
          (func (export "indirect") (param i32 i32 i32) (result i32)
            (call_indirect (type $t) (local.get 0) (local.get 1) (local.get 2)))
          (func (export "choose") (param i32 i32 i32) (result i32)
            (select (local.get 0) (i32.lt_s (local.get 1) (local.get 2)) (i32.eq (local.get 1) (local.get 2))))
          (func (export "stacked") (param i32 i32 i32 i32 i32 i64 i32) (result i64) (local $x i64)
            (loop $l
              (local.set $x (i64.add (local.get $x) (i64.mul (i64.extend_i32_u (local.get 0)) (local.get 5))))
              (call $log (local.get 4) (local.get $x))
              (local.set 0 (i32.add (local.get 0) (local.get 6)))
              (br_if $l (i32.lt_u (local.get 0) (i32.const 1000))))
            (global.set $g (local.get $x))
            (local.get $x))
          (func $fac (export "fac") (param i64) (result i64)
            (if (result i64) (i64.eqz (local.get 0))
              (then (i64.const 1))
              (else (i64.mul (local.get 0) (call $fac (i64.sub (local.get 0) (i64.const 1))))))))"#,
    );
}

#[test]
fn an_endless_loop_that_begins_at_the_entry() {
    check(r#"(module (func (export "f") (loop $l (br $l))))"#);
    check(
        r#"(module (memory 1) (func (export "f") (param i32)
        (loop $l (i32.store (local.get 0) (local.get 0)) (br $l))))"#,
    );
}

#[test]
fn tables_lead_forward_and_backward() {
    let functions = check(
        r#"(module (func (export "f") (param i32 i32) (result i32)
          (block $out
            (loop $again (loop $inner
              (local.set 1 (i32.add (local.get 1) (i32.const 3)))
              (block $a (block $b (block $c
                (br_table $a $again $b $inner $c $out $again (i32.and (local.get 1) (i32.const 7))))
                (local.set 1 (i32.mul (local.get 1) (i32.const 5))) (br $again))
                (local.set 1 (i32.xor (local.get 1) (i32.const 9))) (br $inner))
              (return (local.get 0)))))
          (local.get 1)))"#,
    );
    assert!(has_table(&functions[0].0));
}

/// Arms whose code is long.
fn long_table(arms: usize, length: usize) -> String {
    let open = "(block ".repeat(arms);
    let depths: Vec<String> = (0..arms).map(|arm| arm.to_string()).collect();
    let mut text = format!("{open} (br_table {} (local.get 0))", depths.join(" "));
    for arm in 0..arms {
        text.push_str(") ");
        for _ in 0..length {
            text.push_str(
                "(local.set 1 (i32.sub (i32.mul (local.get 1) (local.get 0)) (i32.rotr (local.get 1) (local.get 0))))",
            );
        }
        text.push_str(&format!("(local.set 1 (i32.xor (local.get 1) (i32.const {arm})))"));
    }
    format!(r#"(module (func (export "f") (param i32 i32) (result i32) {text} (local.get 1)))"#)
}

#[test]
fn tables_reach_far() {
    for (arms, length, bytes_min) in [(5, 2, 0), (12, 40, 512), (20, 900, 131_072)] {
        let functions = check(&long_table(arms, length));
        assert!(functions[0].0.code.len() > bytes_min);
        assert!(has_table(&functions[0].0), "{arms} arms of {length}");
    }
}

#[test]
fn frames_beyond_the_reach_of_a_load() {
    // All locals are live across a call, and swap places in a loop.
    let count = 1300;
    let locals = "i32 ".repeat(count);
    let mut body = String::new();
    for local in 0..count {
        body.push_str(&format!("(local.set {} (call $in))", local + 1));
    }
    body.push_str("(loop $l");
    for local in 0..count {
        body.push_str(&format!("(local.get {})", local + 1));
    }
    for local in 0..count {
        body.push_str(&format!("(local.set {})", if local == 0 { count } else { local }));
    }
    body.push_str("(br_if $l (call $in)))");
    for local in 0..count {
        body.push_str(&format!("(local.set 0 (i32.xor (local.get 0) (local.get {})))", local + 1));
    }
    let functions = check(&format!(
        r#"(module (import "e" "in" (func $in (result i32)))
           (func (export "f") (param i32) (result i32) (local {locals}) {body} (local.get 0)))"#
    ));
    assert!(functions[0].1.frame_bytes > 4096);
}
