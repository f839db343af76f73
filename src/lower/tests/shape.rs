//! Which instructions are selected, for functions written in Wasm text.

use super::super::ModuleInfo;
use super::*;
use crate::ir::Function;
use crate::wasm;

/// The selected code of the module's last function.
fn selected(text: &str) -> String {
    let bytes = wasm::read(text.as_bytes()).expect("the text is a module");
    let config = Config::default();
    let module = wasm::parse(&bytes, &config).expect("the module is valid");
    let last = Function(module.functions.len() as u32 - 1);
    let func = crate::translate::run(&module, last).expect("the last function has a body");
    let lowered = run(&func, &ModuleInfo::of(&module, std::collections::BTreeMap::new()), &config);
    vcode::check::check(&lowered).expect("selected code is well-formed");
    lowered.to_string()
}

/// Checks that a function of this type and body is selected to code that contains each line of
/// `expected` in order, where `*` stands for any register, and that has no item besides.
#[track_caller]
fn check(ty: &str, body: &str, expected: &[&str]) {
    check_module(&format!("(memory 1) (func {ty} {body})"), expected);
}

#[track_caller]
fn check_module(fields: &str, expected: &[&str]) {
    let found = selected(&format!("(module {fields})"));
    let items: Vec<String> =
        found.lines().filter(|line| line.starts_with(' ') && !line.ends_with("args")).map(without_names).collect();
    assert_eq!(items, expected, "\n{found}");
}

/// A line without the names of registers.
fn without_names(line: &str) -> String {
    let mut result = String::new();
    let mut rest = line.trim();
    while let Some(start) = rest.find('v') {
        let digits = rest[start + 1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - start - 1);
        let is_inside = rest[..start].ends_with(|c: char| c.is_ascii_alphanumeric());
        let end = start + 1 + digits;
        if digits == 0 || is_inside {
            result.push_str(&rest[..end]);
        } else {
            result.push_str(&rest[..start]);
            result.push('*');
        }
        rest = &rest[end..];
    }
    result + rest
}

const I2: &str = "(param i32 i32) (result i32)";
const I3: &str = "(param i32 i32 i32) (result i32)";
const RETURN: &str = "return *@r0";
const RETURN2: &str = "return *@r0, *@r1";
const W2: &str = "(param i64 i64) (result i64)";
const A: &str = "(local.get 0)";
const B: &str = "(local.get 1)";
const C: &str = "(local.get 2)";

#[test]
fn a_product_whose_only_use_is_a_sum_becomes_part_of_it() {
    let body = format!("(i32.add (i32.mul {A} {B}) {C})");
    check(I3, &body, &["* = mla *, *, *", RETURN]);
    let body = format!("(i32.sub {C} (i32.mul {A} {B}))");
    check(I3, &body, &["* = mls *, *, *", RETURN]);
}

#[test]
fn a_product_that_is_used_twice_is_computed_once() {
    let body = format!("(i32.add (local.tee 2 (i32.mul {A} {B})) (i32.xor {C} {A}))");
    let expected = ["* = mul *, *", "* = eor *, *", "* = add *, *", RETURN];
    check(I3, &body, &expected);
}

#[test]
fn a_shift_becomes_part_of_its_only_use() {
    let body = format!("(i32.add {A} (i32.shl {B} (i32.const 3)))");
    check(I2, &body, &["* = add *, * lsl #3", RETURN]);
    let body = format!("(i32.sub (i32.shr_s {A} (i32.const 3)) {B})");
    check(I2, &body, &["* = rsb *, * asr #3", RETURN]);
    let body = format!("(i32.xor (i32.mul {A} (i32.const 16)) {B})");
    check(I2, &body, &["* = eor *, * lsl #4", RETURN]);
}

#[test]
fn masks_and_shifts_become_fields() {
    let shifted = format!("(i32.shr_u {A} (i32.const 5))");
    let body = format!("(i32.and {shifted} (i32.const 15))");
    check(I2, &body, &["* = ubfx *, #5, #4", RETURN]);
    let body = format!("(i32.and {A} (i32.const 0xffff))");
    check(I2, &body, &["* = uxth *", RETURN]);
    let shifted = format!("(i32.shl {A} (i32.const 16))");
    let body = format!("(i32.shr_s {shifted} (i32.const 16))");
    check(I2, &body, &["* = sxth *", RETURN]);
    let body = format!("(i32.shr_s {shifted} (i32.const 20))");
    check(I2, &body, &["* = sbfx *, #4, #12", RETURN]);
}

#[test]
fn complements_become_part_of_their_use() {
    let complement = format!("(i32.xor {B} (i32.const -1))");
    let body = format!("(i32.and {A} {complement})");
    check(I2, &body, &["* = bic *, *", RETURN]);
    let body = format!("(i32.or {A} {complement})");
    check(I2, &body, &["* = orn *, *", RETURN]);
    let body = format!("(i32.and {A} (i32.const 0xfffff0ff))");
    check(I2, &body, &["* = bic *, #0xf00", RETURN]);
    check(I2, &complement, &["* = mvn *", RETURN]);
}

#[test]
fn constants_take_the_form_that_encodes() {
    let body = format!("(i32.sub {A} (i32.const 255))");
    check(I2, &body, &["* = sub *, #0xff", RETURN]);
    let body = format!("(i32.add {A} (i32.const 0xabc))");
    check(I2, &body, &["* = addw *, #2748", RETURN]);
    let body = format!("(i32.sub (i32.const 10) {A})");
    check(I2, &body, &["* = rsb *, #0xa", RETURN]);
    let body = format!("(i32.add {A} (i32.const 0x12345))");
    check(I2, &body, &["* = 0x12345", "* = add *, *", RETURN]);
}

#[test]
fn powers_of_two_need_no_multiplication_or_division() {
    let body = format!("(i32.mul {A} (i32.const 8))");
    check(I2, &body, &["* = lsl *, #3", RETURN]);
    let body = format!("(i32.mul {A} (i32.const 9))");
    check(I2, &body, &["* = add *, * lsl #3", RETURN]);
    let body = format!("(i32.mul {A} (i32.const 7))");
    check(I2, &body, &["* = rsb *, * lsl #3", RETURN]);
    let four = "(i32.const 4)";
    let check_zero = ["* = 0x4", "cmp *, #0x0", "trapif eq, DivideByZero"];
    let body = format!("(i32.div_u {A} {four})");
    let expected = [&check_zero[..], &["* = lsr *, #2", RETURN]].concat();
    check(I2, &body, &expected);
    let body = format!("(i32.rem_u {A} {four})");
    let expected = [&check_zero[..], &["* = and *, #0x3", RETURN]].concat();
    check(I2, &body, &expected);
}

#[test]
fn a_remainder_is_a_quotient_and_a_multiply_subtract() {
    let body = format!("(i32.rem_u {A} {B})");
    let expected = ["cmp *, #0x0", "trapif eq, DivideByZero", "* = udiv *, *", "* = mls *, *, *", RETURN];
    check(I2, &body, &expected);
    let both = format!("(i32.add (i32.div_u {A} {B}) (i32.rem_u {A} {B}))");
    let expected = [
        "cmp *, #0x0",
        "trapif eq, DivideByZero",
        "* = udiv *, *",
        "cmp *, #0x0",
        "trapif eq, DivideByZero",
        "* = mls *, *, *",
        "* = add *, *",
        RETURN,
    ];
    check(I2, &both, &expected);
}

#[test]
fn a_signed_division_checks_for_overflow_without_booleans() {
    let expected = [
        "cmp *, #0x0",
        "trapif eq, DivideByZero",
        "* = eor *, #0x80000000",
        "* = mvn *",
        "* = orrs *, *",
        "trapif eq, IntegerOverflow",
        "* = sdiv *, *",
        RETURN,
    ];
    check(I2, &format!("(i32.div_s {A} {B})"), &expected);
}

#[test]
fn rotations_need_one_instruction_by_constants_and_two_to_the_left() {
    let body = format!("(i32.rotl {A} (i32.const 5))");
    check(I2, &body, &["* = ror *, #27", RETURN]);
    let (left, right) = ("(i32.const 5)", "(i32.const 27)");
    let body = format!("(i32.or (i32.shl {A} {left}) (i32.shr_u {A} {right}))");
    check(I2, &body, &["* = ror *, #27", RETURN]);
    let body = format!("(i32.rotl {A} {B})");
    check(I2, &body, &["* = rsb *, #0x0", "* = ror *, *", RETURN]);
}

#[test]
fn shift_counts_are_masked_once_and_only_where_they_must_be() {
    let body = format!("(i32.xor (i32.shl {A} {B}) (i32.shr_u {A} {B}))");
    let expected = ["* = and *, #0x1f", "* = lsl *, *", "* = lsr *, *", "* = eor *, *", RETURN];
    check(I2, &body, &expected);
    let body = format!("(i32.shl {A} (i32.and {B} (i32.const 7)))");
    check(I2, &body, &["* = and *, #0x7", "* = lsl *, *", RETURN]);
    check(I2, &format!("(i32.rotr {A} {B})"), &["* = ror *, *", RETURN]);
}

#[test]
fn a_comparison_is_fused_with_what_consumes_it() {
    let body = format!("(select {A} {B} (i32.lt_s {A} (i32.const 10)))");
    let expected = ["cmp *, #0xa", "* = select lt, *, *", RETURN];
    check(I2, &body, &expected);
    let body = format!("(if (i32.gt_u {A} {B}) (then (unreachable))) {B}");
    let expected = ["cmp *, *", "branch lo, block1, block2[*]", "trap Unreachable", RETURN];
    check(I2, &body, &expected);
    let body = format!("(if (i32.eqz (i32.and {A} {B})) (then (unreachable))) {B}");
    let expected = ["tst *, *", "branch eq, block1, block2[*]", "trap Unreachable", RETURN];
    check(I2, &body, &expected);
    let body = format!("(if (i32.eqz {A}) (then (unreachable))) {B}");
    let expected = ["cbz *, block1, block2[*]", "trap Unreachable", RETURN];
    check(I2, &body, &expected);
}

#[test]
fn booleans_avoid_conditions_where_bits_will_do() {
    check(I2, &format!("(i32.eqz {A})"), &["* = clz *", "* = lsr *, #5", RETURN]);
    let body = format!("(i32.lt_s {A} (i32.const 0))");
    check(I2, &body, &["* = lsr *, #31", RETURN]);
    check(I2, &format!("(i32.lt_u {A} {B})"), &["cmp *, *", "* = set lo", RETURN]);
}

#[test]
fn bounds_are_compared_with_whichever_constant_encodes() {
    let check_memory = |bytes: &str, expected: &[&str]| {
        let body = format!("({bytes} {A})");
        check("(param i32) (result i32)", &body, expected);
    };
    let load = ["* = memory0 + 0", "* = ldrb [*, * lsl #0]", RETURN];
    let byte = ["cmp *, #0x10000", "trapif hs, MemoryOutOfBounds"];
    check_memory("i32.load8_u", &[&byte[..], &load[..]].concat());
    let load = ["* = memory0 + 0", "* = ldr [*, * lsl #0]", RETURN];
    let word = ["* = 0xfffc", "cmp *, *", "trapif hi, MemoryOutOfBounds"];
    check_memory("i32.load", &[&word[..], &load[..]].concat());
}

#[test]
fn addresses_use_the_forms_of_the_machine() {
    let checks = ["* = 0xfffc", "cmp *, *", "trapif hi, MemoryOutOfBounds", "* = memory0 + 0"];
    let body = format!("(i32.load (i32.shl {A} (i32.const 2)))");
    let shifted = ["* = lsl *, #2"];
    let load = ["* = ldr [*, * lsl #0]", RETURN];
    check(I2, &body, &[&shifted[..], &checks, &load].concat());
    let checks = ["* = 0xfff0", "cmp *, *", "trapif hi, MemoryOutOfBounds", "* = memory0 + 0"];
    let body = format!("(i32.load offset=12 {A})");
    let load = ["* = add *, *", "* = ldr [*, #12]", RETURN];
    check(I2, &body, &[&checks[..], &load].concat());
    let checks = ["* = 0xfff8", "cmp *, *", "trapif hi, MemoryOutOfBounds", "* = memory0 + 0"];
    let body = format!("(i64.load {A})");
    let load = ["* = add *, *", "* = ldr [*, #0]", "* = ldr [*, #4]", RETURN2];
    check("(param i32) (result i64)", &body, &[&checks[..], &load].concat());
}

#[test]
fn wide_sums_carry_and_wide_products_cross() {
    let add = ["* = adds *, *", "* = adc *, *", RETURN2];
    check(W2, &format!("(i64.add {A} {B})"), &add);
    let sub = ["* = subs *, #0x1", "* = sbc *, #0x0", RETURN2];
    check(W2, &format!("(i64.sub {A} (i64.const 1))"), &sub);
    let mul = ["*, * = umull *, *", "* = mla *, *, *", "* = mla *, *, *", RETURN2];
    check(W2, &format!("(i64.mul {A} {B})"), &mul);
    let (a, b) = (format!("(i64.extend_i32_s {A})"), format!("(i64.extend_i32_s {B})"));
    let ty = "(param i32 i32) (result i64)";
    check(ty, &format!("(i64.mul {a} {b})"), &["*, * = smull *, *", RETURN2]);
    let ty = "(param i32 i32 i64) (result i64)";
    let body = format!("(i64.add {C} (i64.mul {a} {b}))");
    check(ty, &body, &["*, * = smlal *, *, *, *", RETURN2]);
}

#[test]
fn only_the_halves_that_matter_are_computed() {
    let body = format!("(i32.wrap_i64 (i64.add {A} (i64.mul {A} {B})))");
    check("(param i64 i64) (result i32)", &body, &["* = mla *, *, *", RETURN]);
    let high = |value: &str| format!("(i32.wrap_i64 (i64.shr_u {value} (i64.const 32)))");
    check("(param i64) (result i32)", &high(A), &[RETURN]);
    let joined = format!("(i64.or (i64.extend_i32_u {A}) (i64.shl (i64.extend_i32_u {B}) (i64.const 32)))");
    check("(param i32 i32) (result i64)", &joined, &[RETURN2]);
}

#[test]
fn wide_comparisons_are_two_instructions() {
    let ty = "(param i64 i64) (result i32)";
    let lt = ["cmp *, *", "* = sbcs *, *", "* = set lt", RETURN];
    check(ty, &format!("(i64.lt_s {A} {B})"), &lt);
    check(ty, &format!("(i64.gt_s {B} {A})"), &lt);
    let ge = ["cmp *, *", "* = sbcs *, *", "* = set ge", RETURN];
    check(ty, &format!("(i64.le_s {B} {A})"), &ge);
    let le = ["cmp *, #0x6", "* = sbcs *, #0x0", "* = set lo", RETURN];
    check(ty, &format!("(i64.le_u {A} (i64.const 5))"), &le);
    let zero = ["* = orrs *, *", "* = set eq", RETURN];
    check(ty, &format!("(i64.eqz {A})"), &zero);
}

#[test]
fn calls_place_arguments_by_aapcs() {
    let fields = "(import \"m\" \"f\" (func (param i32 i64 i32) (result i64)))
        (func (param i32) (result i64)
          (call 0 (local.get 0) (i64.const 7) (local.get 0)))";
    let expected = ["outgoing 0 = *", "* = 0x7", "* = 0x0", "*@r0, *@r1 = call import0(*@r0, *@r2, *@r3)", RETURN2];
    check_module(fields, &expected);
}

#[test]
fn indirect_calls_compute_the_entry_once() {
    let fields = "(table 4 funcref) (type $t (func (param i32) (result i32)))
        (func (param i32 i32) (result i32)
          (call_indirect (type $t) (local.get 0) (local.get 1)))";
    let expected = [
        "cmp *, #0x4",
        "trapif hs, TableOutOfBounds",
        "* = table0 + 0",
        "* = ldr [*, * lsl #2]",
        "cmp *, #0x0",
        "trapif eq, UninitializedElement",
        "* = ldr [*, #0]",
        "cmp *, #0x1",
        "trapif ne, IndirectCallType",
        "* = ldr [*, #4]",
        "*@r0 = call [*](*@r0)",
        RETURN,
    ];
    check_module(fields, &expected);
}

#[test]
fn globals_share_the_address_of_the_instance() {
    let fields = "(global $a (mut i32) (i32.const 0)) (global $b (mut i64) (i64.const 0))
        (func (global.set $b (i64.const 0)) (global.set $a (i32.const 0)))";
    let expected = ["* = instance + 0", "* = 0x0", "str *, [*, #8]", "str *, [*, #12]", "str *, [*, #0]", "return"];
    check_module(fields, &expected);
}

#[test]
fn long_constants_and_addresses_are_computed_before_the_loop() {
    let body = format!("(loop (i32.store {A} (i32.const 0)) (br_if 0 (local.tee 0 (i32.sub {A} {B})))) {A}");
    let expected = [
        "* = 0xfffc",
        "* = memory0 + 0",
        "jump block1[*, *]",
        "cmp *, *",
        "trapif hi, MemoryOutOfBounds",
        "* = 0x0",
        "str *, [*, * lsl #0]",
        "* = sub *, *",
        "cbnz *, block1[*, *], block2",
        RETURN,
    ];
    check(I2, &body, &expected);
}

#[test]
fn addresses_are_computed_once_where_one_use_dominates_the_other() {
    let body = format!("(i32.store8 {A} {B}) (if {A} (then (i32.store8 {B} {A}))) {B}");
    let found = selected(&format!("(module (memory 1) (func {I2} {body}))"));
    assert_eq!(found.matches("memory0").count(), 1, "{found}");
}

#[test]
fn tables_check_their_range_and_short_ones_are_chains() {
    let arms = |count: usize| {
        let labels: String = (0..=count).map(|label| format!(" {label}")).collect();
        let open = "(block ".repeat(count + 1);
        let close = ") (unreachable)".repeat(count + 1);
        selected(&format!("(module (func (param i32) {open} (br_table{labels} (local.get 0)) {close}))"))
    };
    let chain = arms(2);
    assert!(chain.contains("cbz") && !chain.contains("table"), "{chain}");
    let table = arms(5);
    assert!(table.contains("cmp") && table.contains("branch lo"), "{table}");
}
