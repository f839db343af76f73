//! Programs for control flow, memory, calls and state.

use super::check;
use super::oracle::Program;

#[test]
fn blocks_and_branches() {
    check(
        r#"(module
        (func (export "nested") (param i32 i32) (result i32) (local i32)
          (block $a (result i32)
            (block $b (result i32)
              (drop (br_if $a (i32.const 10) (i32.lt_u (local.get 0) (local.get 1))))
              (br_if $b (i32.const 20) (i32.eq (local.get 0) (i32.const 31)))
              (local.set 2 (i32.const 5))
              (i32.add (local.get 0)))
            (i32.add (local.get 2))))
        (func (export "early") (param i32) (result i32)
          (if (i32.gt_s (local.get 0) (i32.const 8)) (then (return (i32.const 1))))
          (block (br_if 1 (i32.const 2) (local.get 0)) (drop))
          (i32.const 3))
        (func (export "dead") (param i32) (result i32) (local i32)
          (block (result i32)
            (br 0 (local.get 0))
            (loop (br 0)) (if (i32.const 1) (then (unreachable)) (else (nop)))
            (block (result i32) (unreachable)) drop
            (local.set 1 (local.get 0))
            (i32.const 4)))
        (func (export "else_dead") (param i32) (result i32)
          (if (result i32) (local.get 0) (then (unreachable)) (else (return (i32.const 9)))))
        (func (export "then_dead") (param i32) (result i32) (local i32)
          (local.set 1 (i32.const 5))
          (if (i32.eqz (local.get 0)) (then (local.set 1 (i32.const 6)) (return (local.get 1)))
            (else (local.set 1 (i32.add (local.get 1) (i32.const 1)))))
          (local.get 1))
        (func (export "under") (param i32 i32) (result i32)
          (local.get 0)
          (if (result i32) (local.get 1) (then (i32.const 1)) (else (i32.const 2)))
          (i32.sub)
          (block (param) (local.set 0 (i32.const 100)))
          (i32.add (local.get 0)))
        (func (export "both") (param i32) (result i32)
          (block (br_if 0 (local.get 0))) (i32.const 1))
        (func (export "leave from a join") (param i32 i32) (result i32)
          (local.get 1)
          (block (br_if 0 (local.get 0)) (br_if 0 (i32.eq (local.get 1) (i32.const 7))) (drop (i32.div_u (local.get 1) (local.get 0))))
          (br_if 0 (i32.const 1))
          (i32.add (i32.const 1)))
        (func (export "empty") (param i64)))"#,
    );
}

#[test]
fn branch_tables() {
    check(
        r#"(module
        (func (export "switch") (param i32) (result i32)
          (block $d (block $c (block $b (block $a
            (br_table $a $b $c $b $d (local.get 0)))
            (return (i32.const 1)))
            (return (i32.const 2)))
            (return (i32.const 3)))
          (i32.const 4))
        (func (export "values") (param i32 i32) (result i32)
          (i32.add (i32.const 1000)
            (block $out (result i32)
              (i32.mul (i32.const 3)
                (block $in (result i32)
                  (br_table $in $out $in (local.get 1) (local.get 0)))))))
        (func (export "one") (param i32) (result i32)
          (block (block (br_table 0 1 (local.get 0))) (return (i32.const 7))) (i32.const 8))
        (func (export "none") (param i32) (result i32)
          (block (br_table 0 (local.get 0))) (i32.const 8))
        (func (export "out") (param i32 i32) (result i32)
          (loop (result i32)
            (local.get 1)
            (local.set 1 (i32.add (local.get 1) (i32.const 1)))
            (br_table 1 1 1 (local.get 0))))
        (func (export "known") (param i32) (result i32)
          (block (block (br_table 0 1 0 (i32.const 1))) (return (i32.const 7))) (i32.const 8))
        (func (export "again") (param i32) (result i32) (local i32)
          (loop $top
            (local.set 1 (i32.add (local.get 1) (i32.const 1)))
            (local.set 0 (i32.shr_u (local.get 0) (i32.const 1)))
            (block $leave (br_table $leave $top $top $top (i32.and (local.get 0) (i32.const 7)))))
          (local.get 1)))"#,
    );
}

#[test]
fn loops() {
    check(
        r#"(module
        (func (export "sum") (param i32) (result i32) (local i32 i32)
          (local.set 0 (i32.and (local.get 0) (i32.const 63)))
          (block $end (loop $top
            (br_if $end (i32.ge_u (local.get 1) (local.get 0)))
            (local.set 2 (i32.add (local.get 2) (local.get 1)))
            (local.set 1 (i32.add (local.get 1) (i32.const 1)))
            (br $top)))
          (local.get 2))
        (func (export "fibonacci") (param i32) (result i64) (local i64 i64 i64)
          (local.set 0 (i32.and (local.get 0) (i32.const 127)))
          (local.set 2 (i64.const 1))
          (loop $top
            (if (local.get 0) (then
              (local.set 3 (i64.add (local.get 1) (local.get 2)))
              (local.set 1 (local.get 2)) (local.set 2 (local.get 3))
              (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
              (br $top))))
          (local.get 1))
        (func (export "swap") (param i32 i32 i32) (result i32) (local i32)
          (local.set 2 (i32.and (local.get 2) (i32.const 15)))
          (loop $top
            (local.set 3 (local.get 0)) (local.set 0 (local.get 1)) (local.set 1 (local.get 3))
            (br_if $top (local.tee 2 (i32.shr_u (local.get 2) (i32.const 1)))))
          (i32.sub (local.get 0) (local.get 1)))
        (func (export "nest") (param i32) (result i32) (local i32 i32 i32)
          (loop $outer
            (local.set 2 (i32.const 0))
            (loop $inner
              (local.set 3 (i32.add (local.get 3) (i32.mul (local.get 1) (local.get 2))))
              (br_if $inner (i32.lt_u (local.tee 2 (i32.add (local.get 2) (i32.const 1))) (i32.const 5))))
            (br_if $outer (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1)))
                                    (i32.and (local.get 0) (i32.const 7)))))
          (local.get 3))
        (func (export "heads") (param i32) (result i32)
          (loop $a (loop $b (loop $c
            (local.set 0 (i32.shr_u (local.get 0) (i32.const 1)))
            (br_if $a (i32.eq (i32.and (local.get 0) (i32.const 3)) (i32.const 1)))
            (br_if $b (i32.eq (i32.and (local.get 0) (i32.const 3)) (i32.const 2)))
            (br_if $c (i32.eq (i32.and (local.get 0) (i32.const 3)) (i32.const 3))))))
          (local.get 0))
        (func (export "forever") (param i32) (block (br_if 0 (local.get 0)) (loop (br 0))))
        (func (export "dead counter") (param i32) (result i32) (local i32)
          (local.set 0 (i32.and (local.get 0) (i32.const 15)))
          (loop $top
            (local.set 1 (i32.add (local.get 1) (i32.const 3)))
            (br_if $top (local.tee 0 (i32.shr_u (local.get 0) (i32.const 1)))))
          (drop (local.get 1)) (local.get 0))
        (func (export "result") (param i32) (result i32)
          (loop (result i32) (local.get 0) (br_if 0 (i32.eq (local.get 0) (i32.const 0x7fffffff)) (local.set 0 (i32.const 1))))))"#,
    );
}

#[test]
fn memory_accesses_at_the_edges() {
    let mut module = String::from(
        r#"(module (memory (export "memory") 1)
        (data (i32.const 65520) "\01\80\ff\7f\80\81\82\fe\f1\f2\00\01\02\03\04\85")
        (data (i32.const 0) "\ff\fe\fd\fc\fb\fa\f9\f8")"#,
    );
    let loads = "i32.load i32.load8_u i32.load8_s i32.load16_u i32.load16_s i64.load i64.load8_u \
        i64.load8_s i64.load16_u i64.load16_s i64.load32_u i64.load32_s";
    let stores = "i32.store i32.store8 i32.store16 i64.store i64.store8 i64.store16 i64.store32";
    for offset in [0_u32, 1, 65520, 65528, 65532, 65535, 65536, 0xffff_fff0, 0xffff_ffff] {
        for op in loads.split_whitespace() {
            let ty = &op[..3];
            module += &format!(
                "(func (export \"{op} {offset}\") (param i32) (result {ty})
                   ({op} offset={offset} (i32.add (local.get 0) (i32.const -16))))
                 (func (export \"{op} known {offset}\") (result {ty}) ({op} offset={offset} (i32.const 4)))"
            );
        }
        for op in stores.split_whitespace() {
            let ty = &op[..3];
            module += &format!(
                "(func (export \"{op} {offset}\") (param i32 {ty})
                   ({op} offset={offset} (i32.shl (local.get 0) (i32.const 11)) (local.get 1)))"
            );
        }
    }
    check(&(module + ")"));
}

#[test]
fn memory_that_grows() {
    check(
        r#"(module (memory (export "memory") 1 4)
        (func (export "grow") (param i32) (result i32)
          (i32.add (memory.grow (local.get 0)) (i32.mul (memory.size) (i32.const 1000))))
        (func (export "twice") (param i32 i32) (result i32)
          (drop (memory.grow (local.get 0)))
          (i32.store offset=4 (local.get 1) (memory.size))
          (i32.store offset=131068 (local.get 1) (i32.const 77))
          (drop (memory.grow (i32.const 1)))
          (i32.load offset=196604 (local.get 1)))
        (func (export "loads") (param i32) (result i32)
          (i32.load (local.get 0))
          (drop (memory.grow (i32.const 1)))
          (i32.add (i32.load (local.get 0)))
          (i32.add (i32.load offset=65536 (local.get 0))))
        (func (export "far") (param i32) (result i32) (i32.load offset=262144 (local.get 0))))"#,
    );
}

#[test]
fn superfluous_checks_and_reads() {
    check(
        r#"(module (import "host" "note" (func $note (param i32)))
        (memory (export "memory") 1) (global $g (mut i32) (i32.const 3))
        (func (export "record") (param i32) (result i32)
          (i32.store offset=65500 (local.get 0) (i32.load offset=65510 (local.get 0)))
          (i32.store offset=65400 (local.get 0) (i32.load offset=65500 (local.get 0)))
          (i32.store offset=65530 (local.get 0) (i32.load offset=65490 (local.get 0)))
          (i32.add (i32.load (local.get 0)) (i32.load (local.get 0))))
        (func (export "branches") (param i32 i32) (result i32)
          (drop (i32.load offset=4 (local.get 0)))
          (if (local.get 1) (then (drop (i32.load offset=65528 (local.get 0)))))
          (i32.load offset=65532 (local.get 0)))
        (func (export "writes") (param i32 i32) (result i32)
          (i32.load (local.get 0))
          (i32.store8 (local.get 1) (i32.const 200))
          (i32.load (local.get 0))
          (call $note (i32.const 1))
          (i32.load (local.get 0))
          (i32.add) (i32.add))
        (func (export "globals") (param i32) (result i32)
          (global.get $g) (global.get $g)
          (global.set $g (local.get 0))
          (global.get $g)
          (call $note (global.get $g))
          (global.get $g)
          (i32.sub) (i32.sub) (i32.sub))
        (func $change
          (global.set $g (i32.add (global.get $g) (i32.const 5)))
          (i32.store (i32.const 40) (i32.add (i32.load (i32.const 40)) (i32.const 9))))
        (func (export "changes") (result i32)
          (global.get $g) (i32.load (i32.const 40)) (call $change)
          (global.get $g) (i32.load (i32.const 40)) (call $change)
          (i32.mul (global.get $g) (i32.load (i32.const 40)))
          (i32.sub) (i32.sub) (i32.mul) (i32.add))
        (func (export "divide") (param i32 i32) (result i32)
          (i32.add (i32.div_s (local.get 0) (local.get 1))
            (i32.add (i32.div_u (local.get 0) (local.get 1)) (i32.rem_s (local.get 0) (local.get 1))))))"#,
    );
}

#[test]
fn calls_and_tables() {
    check(
        r#"(module
        (type $two (func (param i32 i64) (result i64)))
        (type $same (func (param i32 i64) (result i64)))
        (type $one (func (param i32) (result i32)))
        (import "env" "mix" (func $mix (param i32 i64) (result i64)))
        (import "env" "tick" (func $tick))
        (table 12 funcref)
        (elem (i32.const 1) $mix $add $double $mix)
        (elem (i32.const 7) $double)
        (global $depth (mut i64) (i64.const -1))
        (global $fixed i32 (i32.const 41))
        (func $add (type $same) (i64.add (i64.extend_i32_s (local.get 0)) (local.get 1)))
        (func $double (type $one) (call $tick) (i32.shl (local.get 0) (i32.const 1)))
        (func (export "direct") (param i32 i64) (result i64)
          (call $mix (call $double (local.get 0)) (call $add (global.get $fixed) (local.get 1))))
        (func (export "indirect") (param i32 i64) (result i64)
          (call_indirect (type $two) (i32.const 6) (local.get 1) (local.get 0)))
        (func (export "known") (param i32) (result i32)
          (call_indirect (type $one) (local.get 0) (i32.const 3)))
        (func (export "wrong") (param i32) (result i32)
          (call_indirect (type $one) (local.get 0) (i32.const 1)))
        (func $even (param i32) (result i32)
          (global.set $depth (i64.add (global.get $depth) (i64.const 3)))
          (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 1))
            (else (call $odd (i32.sub (local.get 0) (i32.const 1))))))
        (func $odd (param i32) (result i32)
          (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))
            (else (call $even (i32.sub (local.get 0) (i32.const 1))))))
        (func (export "recursion") (param i32) (result i64)
          (i64.mul (global.get $depth) (i64.extend_i32_u (call $even (i32.and (local.get 0) (i32.const 63))))))
        (func $many (param i32 i64 i32 i32 i64 i32) (result i32)
          (i32.xor (i32.wrap_i64 (i64.sub (local.get 1) (local.get 4)))
            (i32.sub (local.get 0) (i32.mul (local.get 2) (i32.add (local.get 3) (local.get 5))))))
        (func (export "many") (param i32 i64) (result i32)
          (call $many (local.get 0) (local.get 1) (i32.const 3) (local.get 0) (i64.const 5) (i32.const 1))))"#,
    );
}

#[test]
fn frames_at_joins_with_deep_stacks() {
    check(
        r#"(module (memory (export "memory") 1)
        (func (export "deep") (param i32 i32) (result i32) (local i32 i64)
          (i32.add (local.get 0)
            (i32.mul (local.tee 2 (i32.add (local.get 1) (i32.const 7)))
              (if (result i32) (i32.lt_s (local.get 0) (local.get 1))
                (then (local.set 0 (i32.const 3)) (loop (result i32)
                  (local.set 3 (i64.add (local.get 3) (i64.const 1)))
                  (br_if 0 (i64.lt_u (local.get 3) (i64.const 4)))
                  (i32.wrap_i64 (local.get 3))))
                (else (i32.store (i32.const 8) (local.get 2)) (local.get 2)))))
          (i32.add (local.get 0)) (i32.add (local.get 2)))
        (func (export "recomputed") (param i32 i32) (result i32) (local i32 i32)
          (local.set 2 (i32.add (i32.mul (local.get 0) (local.get 1)) (i32.const 5)))
          (block (br_if 0 (local.get 2)) (i32.store (i32.const 0) (local.get 2)))
          (local.set 3 (i32.add (i32.mul (local.get 0) (local.get 1)) (i32.const 5)))
          (block (br_if 0 (i32.eq (local.get 2) (local.get 3))) (unreachable))
          (i32.sub (local.get 3) (local.get 2))))"#,
    );
}

/// A control program as a C compiler emits it.
#[test]
fn compiled_c_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/controller/controller.wasm");
    let bytes = std::fs::read(path).expect("the example is part of the project");
    Program::from_bytes(bytes).check_all(&[0, 1, 5, 0xffff_ffff]);
}
