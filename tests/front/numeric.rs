//! Every numeric instruction on every pair of boundary operands, with operands unknown and constant.

use super::oracle::Program;
use super::{WORDS, check};

const BINARY32: &str = "add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr";
const BINARY64: &str = "add sub mul and or xor shl shr_s shr_u rotl rotr";
const COMPARE: &str = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u";
const UNARY32: &str = "clz ctz popcnt extend8_s extend16_s";
const UNARY64: &str = "clz ctz popcnt extend8_s extend16_s extend32_s";

fn binary(ty: &str, op: &str, result: &str) -> String {
    format!(
        "(func (export \"{ty}.{op}\") (param {ty} {ty}) (result {result})
            ({ty}.{op} (local.get 0) (local.get 1)))\n"
    )
}

fn unary(ty: &str, op: &str, result: &str) -> String {
    format!("(func (export \"{op}\") (param {ty}) (result {result}) ({op} (local.get 0)))\n")
}

#[test]
fn operators_on_unknown_operands() {
    let mut module = String::from("(module\n");
    for (ty, ops, unaries) in [("i32", BINARY32, UNARY32), ("i64", BINARY64, UNARY64)] {
        ops.split(' ').for_each(|op| module += &binary(ty, op, ty));
        COMPARE.split(' ').for_each(|op| module += &binary(ty, op, "i32"));
        unaries.split(' ').for_each(|op| module += &unary(ty, &format!("{ty}.{op}"), ty));
        module += &unary(ty, &format!("{ty}.eqz"), "i32");
    }
    module += &unary("i64", "i32.wrap_i64", "i32");
    module += &unary("i32", "i64.extend_i32_s", "i64");
    module += &unary("i32", "i64.extend_i32_u", "i64");
    check(&(module + ")"));
}

/// Each operator with a constant on one side, so that every rule of `fold` meets it.
#[test]
fn operators_with_one_constant() {
    for (ty, ops) in [("i32", BINARY32), ("i64", BINARY64)] {
        for op in ops.split(' ').chain(COMPARE.split(' ')) {
            let result = if COMPARE.split(' ').any(|c| c == op) { "i32" } else { ty };
            let mut module = String::from("(module\n");
            for (index, word) in WORDS.iter().enumerate() {
                let word = if ty == "i32" { i64::from(*word as u32 as i32) } else { *word as i64 };
                let constant = format!("({ty}.const {word})");
                for (side, operands) in
                    [("right", format!("(local.get 0) {constant}")), ("left", format!("{constant} (local.get 0)"))]
                {
                    module += &format!(
                        "(func (export \"{op} {side} {index}\") (param {ty}) (result {result})
                            ({ty}.{op} {operands}))\n"
                    );
                }
            }
            check(&(module + ")"));
        }
    }
}

/// Pairs of operators, so that rules over two instructions meet their near misses too.
#[test]
fn two_operators_with_constants() {
    let constants = [0, 1, 8, 16, 24, 31, 33, 255, -1];
    let words = [0, 1, 31, 0x80, 0xff, 0x8000, 0x7fff_ffff, 0xffff_ffff];
    for outer in "add sub and or xor shl shr_s shr_u rotl eq ne lt_u le_u".split(' ') {
        for inner in "add sub and or xor shl shr_s shr_u rotr eq ne lt_u ge_s".split(' ') {
            let mut module = format!(
                "(module (func (export \"count\") (param i32 i32) (result i32)
                    (i32.{outer} (local.get 0) (i32.{inner} (local.get 1) (i32.const 31))))\n"
            );
            for (i, c) in constants.iter().enumerate() {
                for (j, d) in constants.iter().enumerate().filter(|(j, _)| (i + j) % 3 == 0 || i == *j) {
                    module += &format!(
                        "(func (export \"{outer} {inner} {i} {j}\") (param i32) (result i32)
                            (i32.{outer} (i32.{inner} (local.get 0) (i32.const {c})) (i32.const {d})))\n"
                    );
                }
            }
            Program::new(&(module + ")")).check_all(&words);
        }
    }
}

#[test]
fn extensions_of_extensions() {
    let ops = ["i32.extend8_s", "i32.extend16_s"];
    let mut module =
        String::from("(module (memory (export \"memory\") 1) (data (i32.const 0) \"\\00\\7f\\80\\ff\\80\\80\")\n");
    for outer in ops {
        for inner in ops.iter().chain(&["i32.load8_u", "i32.load8_s", "i32.load16_u", "i32.load16_s"]) {
            module += &format!(
                "(func (export \"{outer} {inner}\") (param i32) (result i32) ({outer} ({inner} (local.get 0))))\n"
            );
        }
    }
    for inner in ["i64.extend_i32_s", "i64.extend_i32_u"] {
        module += &format!(
            "(func (export \"wrap {inner}\") (param i32) (result i32) (i32.wrap_i64 ({inner} (local.get 0))))
             (func (export \"32 {inner}\") (param i32) (result i64) (i64.extend32_s ({inner} (local.get 0))))"
        );
    }
    check(&(module + ")"));
}

#[test]
fn conditions_and_selections() {
    let conditions = [
        "(i32.eqz (local.get 0))",
        "(i32.eqz (i32.eqz (local.get 0)))",
        "(i32.ne (local.get 0) (i32.const 0))",
        "(i32.xor (i32.lt_u (local.get 0) (local.get 1)) (i32.const 1))",
        "(i32.eq (i64.lt_s (i64.extend_i32_s (local.get 0)) (i64.extend_i32_u (local.get 1))) (i32.const 0))",
        "(i32.ne (i32.gt_s (local.get 0) (local.get 1)) (i32.const 1))",
        "(i32.eq (i32.ge_u (local.get 0) (local.get 1)) (i32.const 7))",
        "(i32.and (i32.le_s (local.get 0) (local.get 1)) (i32.const 1))",
    ];
    let mut module = String::from("(module\n");
    for (index, condition) in conditions.iter().enumerate() {
        for (name, body) in [
            ("value", (*condition).to_string()),
            ("select", format!("(select (local.get 0) (local.get 1) {condition})")),
            ("truth", format!("(select (i32.const 1) (i32.const 0) {condition})")),
            ("same", format!("(select (local.get 1) (local.get 1) {condition})")),
            ("if", format!("(if (result i32) {condition} (then (i32.const 3)) (else (local.get 1)))")),
        ] {
            module += &format!("(func (export \"{name} {index}\") (param i32 i32) (result i32) {body})\n");
        }
    }
    check(&(module + ")"));
}
