//! What C and this compiler say to each other: floats, and several results.

mod support;

use std::process::{Command, Stdio};

use synth::config::{Config, Cpu};
use synth::qemu::{Action, Value};
use synth::target::FloatUnit;
use synth_fuzz::oracle;

use support::{Program, here, skipped};

const MODULE: &[u8] = include_bytes!("fixtures/c_abi/module.wat");

fn single(value: f32) -> Value {
    Value::F32(value.to_bits())
}

fn double(value: f64) -> Value {
    Value::F64(value.to_bits())
}

fn call(name: &str, arguments: &[Value]) -> Action {
    Action::Call(name.into(), arguments.to_vec())
}

const PROCESSORS: [(Cpu, FloatUnit); 5] = [
    (Cpu::CortexM0, FloatUnit::None),
    (Cpu::CortexM4, FloatUnit::None),
    (Cpu::CortexM4, FloatUnit::V4Single),
    (Cpu::CortexM7, FloatUnit::V5Double),
    (Cpu::CortexM33, FloatUnit::V5Single),
];

#[test]
fn several_floats_are_the_same_in_every_engine() {
    let actions = [
        call("pair", &[single(1.5), single(2.25)]),
        call("three", &[single(-0.0), Value::I32(7)]),
        call("four", &[double(1e300), single(0.1), double(-3.5)]),
        call("five", &[single(9.0)]),
        call("uneven", &[single(0.1), double(0.1), Value::I32(41)]),
        call("twice", &[single(5.0), single(3.0), Value::I32(0)]),
        call("twice", &[single(5.0), single(3.0), Value::I32(1)]),
        call("left_for", &[single(5.0), single(3.0), Value::I32(1)]),
        call("through", &[double(5.0), single(3.0), Value::I32(1)]),
        call("second", &[double(5.0), single(3.0)]),
        call("beyond", &[single(0.5), double(2.5)]),
    ];
    for (cpu, float) in PROCESSORS {
        let config = Config { cpu, float, ..Config::default() };
        let program = Program::with(MODULE, &config);
        let expected = program.in_wasmi(&actions);
        assert_eq!(program.in_model(&actions), expected, "the model, {config:?}");
        if let Some(seen) = program.in_qemu("several floats", &actions) {
            assert_eq!(seen, expected, "QEMU, {config:?}");
        }
    }
}

/// Compilers of C that may be there, with what makes them compile for the processor.
const COMPILERS: [(&str, &[&str]); 2] = [
    ("clang-19", &["--target=thumbv7em-none-eabi", "-mcpu=cortex-m4"]),
    ("arm-none-eabi-gcc", &["-mthumb", "-mcpu=cortex-m4"]),
];

#[test]
fn c_gets_what_wasm_returns() {
    for (compiler, options) in COMPILERS {
        if Command::new(compiler).arg("--version").output().is_err() {
            skipped("c_gets_what_wasm_returns", &format!("{compiler} is not installed"));
            continue;
        }
        let units: [(&[&str], FloatUnit); 2] = [
            (&["-mfloat-abi=soft"], FloatUnit::None),
            (&["-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"], FloatUnit::V4Single),
        ];
        for (abi, float) in units {
            assert_eq!(said(compiler, &[options, abi].concat(), float), "same\n", "{compiler} {abi:?}");
        }
    }
}

/// What `main.c` says, compiled so, linked with the proved module, and run.
#[track_caller]
fn said(compiler: &str, options: &[&str], float: FloatUnit) -> String {
    let place = tempfile::tempdir().unwrap();
    let file = |name: &str| place.path().join(name);
    let wasm = wat::parse_bytes(MODULE).unwrap();
    let object =
        oracle::object(&wasm, &Config { float, ..Config::default() }).unwrap_or_else(|failure| panic!("{failure}"));
    std::fs::write(file("module.o"), object.elf).unwrap();
    let source = here("tests/fixtures/c_abi");
    let run = |command: &mut Command| {
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{command:?}: {said}");
        said
    };
    let compile = [&["-O1", "-ffreestanding", "-Wall", "-Werror", "-c"], options].concat();
    run(Command::new(compiler).args(compile).arg(source.join("main.c")).arg("-o").arg(file("main.o")));
    let objects = [file("main.o"), file("module.o")];
    run(Command::new("arm-none-eabi-ld")
        .arg("-T")
        .arg(source.join("link.ld"))
        .args(objects)
        .arg("-o")
        .arg(file("image")));
    let qemu = ["-M", "mps2-an386", "-display", "none", "-monitor", "none", "-serial", "none"];
    run(Command::new("qemu-system-arm")
        .args(qemu)
        .args(["-semihosting-config", "enable=on,target=native", "-kernel"])
        .arg(file("image"))
        .stdin(Stdio::null()))
}
