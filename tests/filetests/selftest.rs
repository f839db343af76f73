//! Tests of the harness: it refuses what it must.

use super::{Mode, file, mode, run};

/// By name.
pub const TESTS: &[(&str, fn())] = &[
    ("a_good_file_passes", a_good_file_passes),
    ("failing_asks_fail", failing_asks_fail),
    ("misspelt_directives_are_refused", misspelt_directives_are_refused),
    ("a_file_that_asks_nothing_is_refused", a_file_that_asks_nothing_is_refused),
    ("snapshots_are_compared_and_recorded", snapshots_are_compared_and_recorded),
    ("a_failing_ask_is_reported_before_recording", a_failing_ask_is_reported_before_recording),
    ("ci_does_not_record", ci_does_not_record),
    ("words_are_not_cut_in_two", words_are_not_cut_in_two),
];

const CODE: &str =
    "(module (func (export \"f\") (param i32 i32) (result i32) (i32.div_u (local.get 0) (local.get 1))))\n";

fn with(directives: &str) -> String {
    format!(";; A division.\n{directives}\n{CODE}")
}

fn refused(directives: &str, words: &str) {
    match run(&with(directives), "wat", Mode::Compare) {
        Ok(_) => panic!("accepted: {directives}"),
        Err(why) => assert!(why.contains(words), "{directives}: refused without {words:?}:\n{why}"),
    }
}

fn a_good_file_passes() {
    let good = with(
        ";; CHECK asm: udiv\n;; CHECK-NOT asm: sdiv\n;; RUN f(7, 2) = 3\n;; RUN f(1, 0) = trap integer divide by zero\n;; SIZE f <= 12\n;; VERIFY proved",
    );
    assert_eq!(run(&good, "wat", Mode::Compare), Ok(None));
    let ir = ";; Adds.\n;; CHECK vcode: add\nfunc 0 \"f\" (i32) -> (i32)\nb0(v0: i32) 0:0x20 [v0 | ]\n  v1 = i32.add v0, v0 @0x21*\n  return v1 @0x22\n";
    assert_eq!(run(ir, "ir", Mode::Compare), Ok(None));
}

fn failing_asks_fail() {
    refused(";; CHECK asm: sdiv", "line 2: \"sdiv\" is not in asm");
    refused(";; CHECK-NOT asm: udiv", "line 2: \"udiv\" is in asm");
    refused(";; RUN f(7, 2) = 4", "line 2: the result is 3");
    refused(";; RUN f(7, 0) = 4", "integer divide by zero");
    refused(";; RUN f(7, 2) = trap unreachable", "it returned 3");
    refused(";; RUN f(7, 2) =", "the result is 3");
    refused(";; RUN f(7) = 4", "2 parameters");
    refused(";; RUN g(7) = 4", "no exported function g");
    refused(";; RUN f(7, 0x1ffffffff) = 4", "does not fit");
    refused(";; SIZE f <= 2", "f has ");
    refused(";; SIZE g <= 2", "there is no function g");
}

fn misspelt_directives_are_refused() {
    for wrong in ["CHEK asm: udiv", "CHECKNOT asm: udiv", "CHECK_NOT asm: udiv", "FOO", "VERIFIED"] {
        refused(&format!(";; CHECK asm: udiv\n;; {wrong}"), "line 3: there is no directive");
    }
    refused(";; Check asm: udiv", "there is no directive Check");
    refused(";; check-not asm: udiv", "there is no directive check-not");
    refused(";; CHECK asm udiv", "the form is: CHECK stage: text");
    refused(";; CHECK: udiv", "there is no stage");
    refused(";; CHECK assembly: udiv", "there is no stage \"assembly\"");
    refused(";; CHECK asm:", "no text");
    refused(";; VERIFY", "the form is: VERIFY proved");
    refused(";; VERIFY refuted", "the form is: VERIFY proved");
    refused(";; RUN f(1, 2)", "the form is: RUN");
    refused(";; RUN f(1, 2) = trap divide", "there is no trap");
    refused(";; SIZE f < 3", "the form is: SIZE");
    refused(";; CHECK asm: udiv\n;; OPTIONS level=3", "there is no option level=3");
    refused(";; CHECK asm: udiv\n(module) ;; CHECK asm: mul", "on a line of its own");
    refused(";; CHECK asm: udiv\n;;= assembly", "there is no stage");
    let ir = run(";; Words.\n;; VERIFY proved\nfunc 0 \"f\" () -> ()\n", "ir", Mode::Compare);
    assert!(ir.is_err_and(|why| why.contains("has no module")));
}

fn a_file_that_asks_nothing_is_refused() {
    refused("", "the file asks nothing");
    refused(";; OPTIONS opt-level=s", "the file asks nothing");
    let silent = run(&format!(";; CHECK asm: udiv\n{CODE}"), "wat", Mode::Compare);
    assert!(silent.is_err_and(|why| why.contains("begins with a comment")));
}

fn snapshots_are_compared_and_recorded() {
    let empty = format!("{};;= opt\n", with(""));
    let why = run(&empty, "wat", Mode::Compare).expect_err("nothing is recorded");
    assert!(why.contains("+ ;;   v") && why.contains("i32.div_u"), "{why}");
    let recorded = run(&empty, "wat", Mode::Record).expect("it can be recorded").expect("something is new");
    assert!(recorded.starts_with(&empty));
    assert_eq!(run(&recorded, "wat", Mode::Compare), Ok(None));
    assert_eq!(run(&recorded, "wat", Mode::Record), Ok(None));
    let stale = recorded.replace("div_u v0", "div_s v0");
    let stale = format!("{}{}", with(""), &stale[with("").len()..]);
    assert!(run(&stale, "wat", Mode::Compare).is_err_and(|why| why.contains("snapshots differ")));
    assert_eq!(run(&stale, "wat", Mode::Record), Ok(Some(recorded)));
    assert!(file::parse(&format!("{empty}(module)\n"), "wat").is_err());
}

fn a_failing_ask_is_reported_before_recording() {
    let text = format!("{};;= asm\n", with(";; CHECK asm: sdiv"));
    assert!(run(&text, "wat", Mode::Record).is_err_and(|why| why.contains("is not in asm")));
}

fn ci_does_not_record() {
    assert!(mode(true, true).is_err());
    assert!(mode(true, false) == Ok(Mode::Record));
    assert!(mode(false, true) == Ok(Mode::Compare));
}

fn words_are_not_cut_in_two() {
    use super::ask::contains;
    assert!(contains("  4: fb00  mul   r0, r1", "mul r0"));
    assert!(!contains("umull r0, r1", "mul"));
    assert!(!contains("muls r0, r1", "mul"));
    assert!(contains("i32.add v1", "add"));
    assert!(!contains("a\nb", "a b"));
}
