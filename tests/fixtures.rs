//! Whole programs in QEMU, each proved first: the project's own in `tests/fixtures`, and the shared
//! ones in `../shared/fixtures` where that directory is present.
//!
//! The numbers in `tests/fixtures` are V8's (`node`); those that only the words of a trap tell
//! apart are worked out by hand.

mod support;

use std::fs;
use std::path::PathBuf;

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use synth::config::Cpu;
use synth::qemu::{Action, Value};
use synth::trap::Trap;

use support::{Program, Seen, call, here, returned, skipped};

/// A call with what it must show, from a line `;; RUN f(1, 2) = 3` or `;; RUN f() traps words`.
fn parse_run(line: &str) -> Option<(Action, Seen)> {
    let line = line.strip_prefix(";; RUN ")?;
    let (name, rest) = line.split_once('(')?;
    let (arguments, expected) = rest.split_once(") ")?;
    let arguments: Option<Vec<u32>> = arguments
        .split(", ")
        .filter(|argument| !argument.is_empty())
        .map(|argument| Some(argument.parse::<i64>().ok()? as u32))
        .collect();
    let seen = match (expected.strip_prefix("= "), expected.strip_prefix("traps ")) {
        (Some(value), None) => returned(value.parse::<i32>().ok()? as u32),
        (None, Some(words)) => Seen::Trapped(Trap::ALL.into_iter().find(|trap| trap.words() == words)?),
        (None, None) | (Some(_), Some(_)) => return None,
    };
    Some((call(name, &arguments?), seen))
}

/// Runs a program of the project's own for every processor in every engine.
#[track_caller]
fn check_own(name: &str) {
    let text = fs::read_to_string(here(&format!("tests/fixtures/{name}.wat"))).unwrap();
    let lines: Vec<&str> = text.lines().filter(|l| l.contains("RUN")).collect();
    let runs: Option<Vec<(Action, Seen)>> = lines.iter().map(|line| parse_run(line)).collect();
    let (actions, expected): (Vec<Action>, Vec<Seen>) = runs.expect("RUN lines of the known form").into_iter().unzip();
    assert!(!actions.is_empty());
    let compare = |engine: &str, seen: Vec<Seen>| {
        for ((line, expected), seen) in lines.iter().zip(&expected).zip(&seen) {
            assert_eq!(seen, expected, "{name} in {engine}: {line}");
        }
        assert_eq!(seen.len(), expected.len());
    };
    compare("wasmi", Program::new(text.as_bytes()).in_wasmi(&actions));
    for cpu in Cpu::ALL {
        let program = Program::for_cpu(text.as_bytes(), cpu);
        compare(&format!("the model of {}", cpu.name()), program.in_model(&actions));
        if let Some(seen) = program.in_qemu(name, &actions) {
            compare(&format!("QEMU with {}", cpu.name()), seen);
        }
    }
}

#[test]
fn divide() {
    check_own("divide");
}

#[test]
fn control() {
    check_own("control");
}

#[test]
fn wide() {
    check_own("wide");
}

#[test]
fn memory() {
    check_own("memory");
}

#[test]
fn calls() {
    check_own("calls");
}

#[test]
fn pressure() {
    check_own("pressure");
}

#[test]
fn joins() {
    check_own("joins");
}

#[test]
fn divide64() {
    check_own("divide64");
}

#[test]
fn blocks() {
    check_own("blocks");
}

/// A shared fixture, or a line that says that it is not here.
fn shared(test: &str, path: &str) -> Option<PathBuf> {
    let path = here("../shared/fixtures").join(path);
    if !path.exists() {
        skipped(test, &format!("{} is not present", path.display()));
        return None;
    }
    Some(path)
}

fn expected() -> Json {
    let text = fs::read_to_string(here("../shared/fixtures/seed/expected.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A number, or a string of hexadecimal digits, of which 32 bits count.
fn word(json: &Json) -> u32 {
    match json {
        Json::String(text) => u32::from_str_radix(&text[2..], 16).unwrap(),
        number => number.as_i64().unwrap() as u32,
    }
}

fn words(json: &Json) -> Vec<u32> {
    json.as_array().unwrap().iter().map(word).collect()
}

fn list(json: &Json) -> &[Json] {
    json.as_array().unwrap()
}

/// Runs a shared program in one boot; gives what it showed, if QEMU is there.
fn run_shared(test: &str, file: &str, actions: &[Action]) -> Option<Vec<Seen>> {
    let program = Program::new(&fs::read(shared(test, file)?).unwrap());
    program.in_qemu(test, actions)
}

#[test]
fn control_step() {
    let file = "seed/control_step.wasm";
    if shared("control_step", file).is_none() {
        return;
    }
    let vectors = &expected()["control_step"];
    let actions: Vec<Action> =
        list(vectors).iter().map(|vector| call("control_step_decide", &words(&vector["args"]))).collect();
    assert_eq!(actions.len(), 13);
    if let Some(seen) = run_shared("control_step", file, &actions) {
        for (vector, seen) in list(vectors).iter().zip(&seen) {
            assert_eq!(*seen, returned(word(&vector["ret"])), "{vector}");
        }
        assert_eq!(seen.len(), 13);
    }
}

const STATE: u32 = 0x1000;
const IMU: u32 = 0x2000;

/// Four vectors: sensor words in, a command and the state after.
fn check_flight(test: &str, file: &str, function: &str) {
    let path = format!("seed/{file}");
    if shared(test, &path).is_none() {
        return;
    }
    let vectors = &expected()[format!("{file}:{function}")];
    let vectors: Vec<(&String, &Json)> = vectors.as_object().unwrap().iter().collect();
    assert_eq!(vectors.len(), 4);
    let mut actions = Vec::new();
    let mut wanted = Vec::new();
    for (_, vector) in &vectors {
        let state = words(&vector["st_in"]).into_iter().flat_map(u32::to_le_bytes);
        let imu = words(&vector["imu_in"]).into_iter().flat_map(|word| (word as u16).to_le_bytes());
        actions.push(Action::Poke(STATE, state.collect()));
        actions.push(Action::Poke(IMU, imu.collect()));
        actions.push(call(function, &[STATE, IMU]));
        actions.push(Action::Peek(STATE, 28));
        let after = words(&vector["st_after"]).into_iter().flat_map(u32::to_le_bytes);
        wanted.extend([returned(word(&vector["ret"])), Seen::Bytes(after.collect())]);
    }
    if let Some(seen) = run_shared(test, &path, &actions) {
        assert_eq!(seen, wanted, "{vectors:?}");
    }
}

#[test]
fn flight_seam() {
    check_flight("flight_seam", "flight_seam.wasm", "flight_algo");
}

#[test]
fn flight_seam_flat() {
    check_flight("flight_seam_flat", "flight_seam_flat.wasm", "flight_algo");
}

#[test]
fn flat_flight() {
    check_flight("flat_flight", "flat_flight.loom.wasm", "flat_flight");
}

#[test]
fn div_const() {
    let file = "seed/div_const.wat";
    if shared("div_const", file).is_none() {
        return;
    }
    let expected = expected();
    let mut actions = Vec::new();
    let mut wanted = Vec::new();
    for (function, pairs) in expected["div_const"].as_object().unwrap() {
        for pair in list(pairs) {
            actions.push(call(function, &[word(&pair[0])]));
            wanted.push(returned(word(&pair[1])));
        }
    }
    assert_eq!(actions.len(), 338);
    if let Some(seen) = run_shared("div_const", file, &actions) {
        assert_eq!(seen, wanted);
    }
}

const KERNEL_STATE: u32 = 0x400;
const KERNEL_STATE_BYTES: u32 = 0x200;

/// The vectors whose state is all zeros: the others are given by their hash alone. States made
/// here are compared with wasmi.
#[test]
fn gust_kernel() {
    let Some(path) = shared("gust_kernel", "seed/gust_kernel.wasm") else {
        return;
    };
    let program = Program::new(&fs::read(path).unwrap());
    let expected = expected();
    let zeros = vec![0; KERNEL_STATE_BYTES as usize];
    let poll = |state: &[u8], argument: u32| {
        [
            Action::Poke(KERNEL_STATE, state.to_vec()),
            call("gust_poll", &[KERNEL_STATE, argument]),
            Action::Peek(KERNEL_STATE, KERNEL_STATE_BYTES),
        ]
    };
    let polls = list(&expected["gust_kernel.wasm:gust_poll"]).iter();
    let polls: Vec<&Json> = polls.filter(|vector| vector["state"] == "zero").collect();
    let mixes = list(&expected["gust_kernel.wasm:gust_mix"]);
    assert_eq!((polls.len(), mixes.len()), (2, 5));
    let mut actions = Vec::new();
    for vector in &polls {
        actions.extend(poll(&zeros, word(&vector["arg1"])));
    }
    actions.extend(mixes.iter().map(|pair| call("gust_mix", &[word(&pair[0])])));
    for seed in 1..60 {
        actions.extend(poll(&sparse(seed), seed as u32 * 3));
    }
    let in_wasmi = program.in_wasmi(&actions);
    let Some(seen) = program.in_qemu("gust_kernel", &actions) else {
        return;
    };
    for (vector, seen) in polls.iter().zip(seen.chunks(2)) {
        assert_eq!(seen[0], returned(word(&vector["ret"])));
        let Seen::Bytes(state) = &seen[1] else {
            panic!("{seen:?}");
        };
        let hash: String = Sha256::digest(state).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(vector["state_after_sha256"], hash);
    }
    for (pair, seen) in mixes.iter().zip(&seen[2 * polls.len()..]) {
        assert_eq!(*seen, returned(word(&pair[1])));
    }
    assert_eq!(seen, in_wasmi);
}

/// A state with a few small numbers in it: denser ones make the program walk its tasks forever.
fn sparse(seed: usize) -> Vec<u8> {
    let mut state = vec![0; KERNEL_STATE_BYTES as usize];
    state[seed * 12 % 512] = 1 + (seed % 3) as u8;
    state[seed * 28 % 512] = (seed % 5) as u8;
    state
}

/// Every other shared module in scope compiles and is proved.
#[test]
fn seed_modules_are_proved() {
    let Some(directory) = shared("seed_modules_are_proved", "seed") else {
        return;
    };
    let mut paths: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wasm"))
        // It needs memory.copy and several tables.
        .filter(|path| !path.ends_with("mem757_gale.loom.wasm"))
        // It has a test of its own.
        .filter(|path| !path.ends_with("gust_kernel.wasm"))
        .collect();
    paths.sort();
    assert!(paths.len() > 10);
    let mut unproved = Vec::new();
    for path in paths {
        let wasm = fs::read(&path).unwrap();
        let config = synth::config::Config::default();
        if let Err(failure) = synth_fuzz::oracle::image(&wasm, &config) {
            unproved.push(format!("{}: {failure}", path.display()));
        }
    }
    assert!(unproved.is_empty(), "{}", unproved.join("\n"));
}

/// Programs that another compiler gets wrong; results of V8, and of the spec's text for traps.
const MISCOMPILES: &[(&str, &[(&[u32], Expected)])] = &[
    ("01_rem_dividend_clobber", &[(&[2], Gives(1)), (&[5], Gives(1)), (&[8], Gives(1))]),
    ("02_i64_local_zero_init", &[(&[], Gives(1))]),
    ("03_block_result_clobbers_param0", &[(&[0], Gives(0)), (&[2], Gives(2)), (&[77], Gives(77))]),
    ("04_select_inplace_clobbers_local", &[(&[0, 3341626446], Gives(3341626446)), (&[1, 100], Gives(100))]),
    ("05_if_result_param_alias", &[(&[4095, 4278255360, 0, 1], Gives(1)), (&[1, 3, 5, 7], Gives(8))]),
    ("06_select_tee_i64frame", &[(&[1, 2, 3], Gives(0))]),
    ("07_popcnt_clobbers_memory_base", &[(&[0], Gives(1234)), (&[1], Gives(1235)), (&[255], Gives(1242))]),
    ("08_two_linear_memory_bases", &[(&[], Gives(47))]),
    ("09_start_section_dropped", &[(&[], Gives(7))]),
    ("10_linear_memory_not_zeroed", &[(&[0], Gives(0)), (&[4096], Gives(0))]),
    ("11_memory_grow_0_dynamic", &[(&[0], Gives(1))]),
    (
        "13_default_oob_load_no_trap",
        &[(&[65536], Traps(Trap::MemoryOutOfBounds)), (&[1048576], Traps(Trap::MemoryOutOfBounds))],
    ),
];

/// What a call must show.
enum Expected {
    Gives(u32),
    Traps(Trap),
}
use Expected::{Gives, Traps};

#[test]
fn programs_that_others_miscompile() {
    for (name, runs) in MISCOMPILES {
        let test = format!("programs_that_others_miscompile, {name}");
        let file = format!("miscompiles/{name}.wat");
        let actions: Vec<Action> = runs.iter().map(|(arguments, _)| call("f", arguments)).collect();
        if let Some(seen) = run_shared(&test, &file, &actions) {
            for ((arguments, expected), seen) in runs.iter().zip(seen) {
                let expected = match expected {
                    Gives(value) => Seen::Returned(vec![Value::I32(*value)]),
                    Traps(trap) => Seen::Trapped(*trap),
                };
                assert_eq!(seen, expected, "{name}{arguments:?}");
            }
        }
    }
}

#[test]
fn memory64_is_refused_by_name() {
    let file = "miscompiles/12_memory64_address_truncated.wat";
    let Some(path) = shared("memory64_is_refused_by_name", file) else {
        return;
    };
    let wasm = wat::parse_file(path).unwrap();
    let config = synth::config::Config::default();
    let error = synth::compile(&wasm, &config, &mut synth::stage::NoTap).unwrap_err();
    assert!(error.to_string().contains("64"), "{error}");
}
