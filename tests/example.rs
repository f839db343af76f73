//! The example of `examples/controller`: the same report in QEMU, in the validator's interpreter and
//! in wasmi, everything proved; and what the allocator makes of a function as tight as the machine.

mod support;

use std::fs;
use std::process::Command;

use synth::config::Config;
use synth::qemu::Action;
use synth::stage::NoTap;

use support::{Program, Seen, call, here, returned, skipped};

/// What `report(42, 400)` writes, as V8 (`node`) has it.
const REPORT: &str = "\
position=-4377
output=299
median=-1477
rejected=91
state 0 visits=84
state 1 visits=28
state 2 visits=24
state 3 visits=7
state 4 visits=5
hash=3ae741c8b72364f0
";

/// Its result, the CRC-32 of everything the run did.
const RESULT: i32 = -621_838_093;

#[test]
fn controller() {
    let wasm = fs::read(here("examples/controller/controller.wasm")).unwrap();
    let program = Program::new(&wasm);
    // Where the text lies and how long it is are exports: ask for them first.
    let ask = [call("report", &[42, 400]), call("report_text", &[]), call("report_length", &[])];
    let asked = program.in_wasmi(&ask);
    let [result, Seen::Returned(text), Seen::Returned(length)] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert_eq!(*result, returned(RESULT as u32));
    let number = |value: &synth::qemu::Value| value.to_string().parse::<u32>().unwrap();
    let peek = Action::Peek(number(&text[0]), number(&length[0]));
    let actions = [&ask[..], &[peek]].concat();
    let shown = |engine: &str, seen: &[Seen]| {
        let Some(Seen::Bytes(bytes)) = seen.last() else {
            panic!("{engine}: {seen:?}");
        };
        assert_eq!(String::from_utf8_lossy(bytes), REPORT, "{engine}");
        assert_eq!(seen[..3], asked[..], "{engine}");
    };
    shown("wasmi", &program.in_wasmi(&actions));
    shown("the model", &program.in_model(&actions));
    if let Some(seen) = program.in_qemu("controller", &actions) {
        shown("QEMU", &seen);
    }
}

/// A user's way: one command compiles, proves and runs.
#[test]
fn controller_by_command() {
    let output = Command::new(env!("CARGO_BIN_EXE_synth"))
        .current_dir(here("examples/controller"))
        .args(["run", "controller.wasm", "--invoke", "report", "42", "400"])
        .output()
        .unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{talk}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{RESULT}\n"));
}

#[test]
fn flat_flight_spills_only_where_it_must() {
    let test = "flat_flight_spills_only_where_it_must";
    let path = here("../shared/fixtures/seed/flat_flight.loom.wasm");
    let Ok(wasm) = fs::read(&path) else {
        return skipped(test, &format!("{} is not present", path.display()));
    };
    let output = synth::compile(&wasm, &Config::default(), &mut NoTap).unwrap();
    for function in &output.allocations {
        let stats = &function.stats;
        assert_eq!(stats.spurious.len(), 0, "{stats:?}");
        if stats.pressure_max <= stats.colours {
            assert_eq!(stats.spills, 0, "{stats:?}");
        }
    }
}
