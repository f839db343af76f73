//! The command line from outside: streams, exit codes, what is written and what is not.

use std::fs::File;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use synth::elf::program::{Export, Function, InitStep, Instantiation, Memory, Program, Segment, Type, Visibility};
use synth::elf::{ImageOptions, image, object};
use synth::target::{Board, Cpu, Triple};

fn synth(directory: &Path, arguments: &[&str]) -> Output {
    command(directory, arguments).output().unwrap()
}

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_synth"));
    command.current_dir(directory).args(arguments);
    command
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[track_caller]
fn fails(output: &Output, exit: i32, says: &str) {
    let talk = text(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{talk}");
    assert!(talk.contains(says), "{talk}");
    assert!(!talk.contains("panicked"), "{talk}");
    assert_eq!(text(&output.stdout), "");
}

fn function(index: u32, code: &[u16]) -> Function {
    Function { index, code: code.iter().flat_map(|half| half.to_le_bytes()).collect(), ..Function::default() }
}

fn export(name: &str, function: u32, parameters: &[Type], results: &[Type]) -> Export {
    Export {
        name: name.into(),
        symbol: format!("m_{name}"),
        function,
        parameters: parameters.to_vec(),
        results: results.to_vec(),
    }
}

/// Hand-encoded functions: a sum of two i64, a trap, an endless loop.
fn program() -> Program {
    Program {
        name: "m".into(),
        export_prefix: "m_".into(),
        functions: vec![
            // adds r0 r0 r2, adcs r1 r3, bx lr
            function(0, &[0x1880, 0x4159, 0x4770]),
            // udf #0xe1
            function(1, &[0xdee1]),
            // b .
            function(2, &[0xe7fe]),
        ],
        exports: vec![
            export("add", 0, &[Type::I64, Type::I64], &[Type::I64]),
            export("trap", 1, &[], &[]),
            export("loop", 2, &[], &[]),
        ],
        memories: vec![Memory { reserve_bytes: 64, visibility: Visibility::Private, contents: None }],
        instantiation: Instantiation {
            steps: vec![InitStep::Data(Segment { memory: 0, offset: 2, bytes: b"ab".to_vec() })],
            ..Instantiation::default()
        },
        ..Program::default()
    }
}

/// A directory with an image and an object.
fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let elf = image(&program(), Cpu::CortexM4, ImageOptions::of(Cpu::CortexM4)).unwrap();
    std::fs::write(directory.path().join("m.elf"), elf).unwrap();
    std::fs::write(directory.path().join("m.o"), object(&program(), Cpu::CortexM4).unwrap()).unwrap();
    std::fs::write(directory.path().join("garbage"), b"garbage\xff").unwrap();
    std::fs::write(directory.path().join("short.wasm"), b"\0asm\x01\0\0").unwrap();
    std::fs::write(directory.path().join("good.wat"), "(module (func (export \"f\")))").unwrap();
    directory
}

#[test]
fn an_image_is_called_and_its_memory_shown() {
    let directory = directory();
    let run = |arguments: &[&str]| synth(directory.path(), &[&["run", "m.elf", "--invoke"], arguments].concat());
    let output = run(&["add", "-1", "0x7fffffffffffffff", "--poke", "8=0102", "--peek", "0:4", "--peek", "8:3"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "9223372036854775806\n00006162\n010200\n");
    let output = run(&["add", "-0x8000000000000000", "0", "--poke", "8=01"]);
    assert_eq!(text(&output.stdout), "-9223372036854775808\n");
    let output = run(&["add", "-9223372036854775808", "18446744073709551615"]);
    assert_eq!(text(&output.stdout), "9223372036854775807\n");
}

#[test]
fn a_trap_is_told_in_the_words_of_the_spec() {
    let directory = directory();
    let output = synth(directory.path(), &["run", "m.elf", "--invoke", "trap"]);
    fails(&output, 6, "out of bounds memory access in function 1 (m_trap)");
    fails(&output, 6, "help: check the address");
}

#[test]
fn the_model_gives_what_qemu_gives() {
    let directory = directory();
    for arguments in
        [&["add", "-1", "0x7fffffffffffffff", "--poke", "8=0102", "--peek", "0:4", "--peek", "8:3"][..], &["trap"]]
    {
        let run = |engine: &str| {
            synth(directory.path(), &[&["run", "m.elf", "--engine", engine, "--invoke"], arguments].concat())
        };
        assert_eq!(run("model"), run("qemu"));
    }
}

#[test]
fn an_endless_run_is_given_up() {
    let directory = directory();
    for engine in ["qemu", "model"] {
        let flags = ["run", "m.elf", "--invoke", "loop", "--timeout", "1", "--engine", engine];
        let output = synth(directory.path(), &flags);
        fails(&output, 1, "error[time-out]: the run did not end within 1 s");
        fails(&output, 1, "--timeout");
    }
}

/// The processes whose working directory lies below a path, there or deleted.
fn processes_in(directory: &Path) -> Vec<PathBuf> {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(|entry| Some(entry.ok()?.path()));
    let is_inside = |process: &PathBuf| process.join("cwd").read_link().is_ok_and(|cwd| cwd.starts_with(directory));
    processes.filter(is_inside).collect()
}

#[test]
fn a_run_that_is_killed_leaves_nothing() {
    if Command::new("qemu-system-arm").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "CI runs without QEMU");
        let _ = writeln!(std::io::stderr(), "\nskipped 1 test: a_run_that_is_killed_leaves_nothing: no QEMU");
        return;
    }
    let directory = directory();
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path().canonicalize().unwrap();
    for (name, number) in [("TERM", 15), ("INT", 2), ("HUP", 1)] {
        let mut run = command(directory.path(), &["run", "m.elf", "--invoke", "loop", "--timeout", "100"]);
        let mut child = run.env("TMPDIR", &scratch).stderr(Stdio::null()).spawn().unwrap();
        let start = Instant::now();
        while processes_in(&scratch).is_empty() {
            assert!(start.elapsed() < Duration::from_secs(60), "QEMU does not start");
            std::thread::sleep(Duration::from_millis(5));
        }
        let kill = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status();
        assert!(kill.unwrap().success());
        assert_eq!(child.wait().unwrap().signal(), Some(number));
        assert_eq!(processes_in(&scratch), [] as [PathBuf; 0]);
        assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0);
    }
}

#[test]
fn results_that_cannot_be_written_are_an_error() {
    let directory = directory();
    let into =
        |stdout: Stdio, arguments: &[&str]| command(directory.path(), arguments).stdout(stdout).output().unwrap();
    let full = || File::create("/dev/full").unwrap();
    for arguments in [
        &["disasm", "m.o"][..],
        &["run", "m.elf", "--invoke", "add", "1", "2", "--engine", "model"],
        &["compile", "good.wat", "-o", "-"],
        &["compile", "good.wat", "-o", "good.o", "--emit", "ir"],
        &["compile", "good.wat", "-o", "/dev/full"],
    ] {
        fails(&into(full().into(), arguments), 1, "error[cannot-write]: cannot write ");
        // Nobody reads: that is the reader's choice.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        if !arguments.contains(&"/dev/full") {
            assert_eq!(into(writer.into(), arguments).status.code(), Some(0), "{arguments:?}");
        }
    }
    assert_eq!(into(full().into(), &["--help"]).status.code(), Some(1));
}

#[test]
fn errors_need_no_reader() {
    let directory = directory();
    let mute = |arguments: &[&str]| {
        let full = File::create("/dev/full").unwrap();
        command(directory.path(), arguments).stderr(full).output().unwrap().status.code()
    };
    assert_eq!(mute(&["compile", "garbage"]), Some(1));
    assert_eq!(mute(&["compile", "--none"]), Some(2));
    assert_eq!(mute(&["compile", "good.wat", "--timings"]), Some(0));
    assert_eq!(mute(&["run", "m.elf", "--invoke", "trap", "--engine", "model"]), Some(6));
}

#[test]
fn an_object_can_go_to_standard_output() {
    let directory = directory();
    let compile = |output: &str| synth(directory.path(), &["compile", "good.wat", "-o", output]);
    compile("good.o");
    let file = std::fs::read(directory.path().join("good.o")).unwrap();
    assert_eq!(compile("-").stdout, file);
    assert_eq!(compile("/dev/stdout").stdout, file);
    assert!(!directory.path().join("-").exists());
    // A link to the object stays a link.
    std::os::unix::fs::symlink("good.o", directory.path().join("link.o")).unwrap();
    assert_eq!(compile("link.o").status.code(), Some(0));
    assert!(directory.path().join("link.o").is_symlink() && !directory.path().join("good.o").is_symlink());
}

#[test]
fn an_output_has_a_path_of_its_own() {
    let directory = directory();
    let refused = |arguments: &[&str]| {
        fails(&synth(directory.path(), &[&["compile", "good.wat"], arguments].concat()), 2, "error");
    };
    std::os::unix::fs::symlink("good.wat", directory.path().join("link")).unwrap();
    let before = std::fs::read(directory.path().join("good.wat")).unwrap();
    for output in ["good.wat", "./good.wat", "link", ""] {
        refused(&["-o", output]);
        refused(&["-o", "x.o", "--emit", &format!("ir={output}")]);
    }
    refused(&["-o", "x.o", "--emit", "ir=./x.o"]);
    refused(&["-o", "x.o", "--emit", "ir=a,asm=a"]);
    refused(&["-o", "-", "--emit", "ir"]);
    assert_eq!(std::fs::read(directory.path().join("good.wat")).unwrap(), before);
    assert!(!directory.path().join("x.o").exists());
}

#[test]
fn wrong_arguments_are_refused_before_anything_runs() {
    let directory = directory();
    let run = |arguments: &[&str]| synth(directory.path(), &[&["run", "m.elf", "--invoke"], arguments].concat());
    fails(&run(&["add", "1"]), 2, "2 arguments are needed");
    fails(&run(&["add", "1", "x"]), 2, "`x` is no integer");
    fails(&run(&["add", "1", "18446744073709551616"]), 2, "does not fit into i64");
    fails(&run(&["sub", "1", "2"]), 1, "exports no function `sub`");
    fails(&run(&["sub", "1", "2"]), 1, "exported functions: add, trap, loop");
    fails(&run(&["add", "1", "2", "--stub-imports"]), 2, "--stub-imports");
    fails(&run(&["add", "1", "2", "-O2"]), 2, "-O");
    fails(&run(&["trap", "--peek", "60:8"]), 1, "not inside the memory of 64 bytes");
    fails(&run(&["trap", "--poke", "60"]), 2, "ADDR=HEX");
}

#[test]
fn what_is_no_image_is_refused() {
    let directory = directory();
    let run = |file: &str| synth(directory.path(), &["run", file, "--invoke", "f"]);
    fails(&run("m.o"), 1, "a relocatable object cannot be booted");
    fails(&run("none.elf"), 1, "cannot read none.elf");
    std::fs::write(directory.path().join("cut.elf"), b"\x7fELF\x01\x01").unwrap();
    fails(&run("cut.elf"), 1, "not an Arm ELF file");
}

#[test]
fn bad_modules_are_refused_and_nothing_is_written() {
    let directory = directory();
    for (file, says) in [("garbage", "invalid"), ("short.wasm", "invalid"), ("none.wasm", "cannot read")] {
        let output = synth(directory.path(), &["compile", file, "-o", "out.o"]);
        fails(&output, 1, says);
        assert!(!directory.path().join("out.o").exists());
    }
}

#[test]
fn errors_can_be_read_by_programs() {
    let directory = directory();
    let output = synth(directory.path(), &["compile", "short.wasm", "-o", "out.o", "--error-format", "json"]);
    let value: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(value["code"], "invalid");
    assert_eq!(value["exit"], 1);
    assert!(value["offset"].is_u64());
}

#[test]
fn wrong_usage_ends_with_2() {
    let directory = directory();
    let compile = |flags: &[&str]| synth(directory.path(), &[&["compile", "good.wat"], flags].concat());
    fails(&compile(&["--no-such-flag"]), 2, "--no-such-flag");
    fails(&compile(&["-O3"]), 2, "3");
    fails(&compile(&["--emit", "none"]), 2, "none");
    fails(&compile(&["--module-name", "a-b"]), 2, "identifier");
    fails(&compile(&["--target", "x86_64"]), 2, "there is no target x86_64");
    fails(&compile(&["--target", "thumbv8m.base-none-eabi"]), 1, "not supported");
    fails(&compile(&["--target", "thumbv8.1m.main-none-eabihf"]), 1, "not supported");
    fails(&compile(&["--type", "image", "--board", "mps2-an505"]), 2, "board mps2-an505 has no cortex-m4");
    let unit = ["--type", "image", "--target", "thumbv8m.main-none-eabihf", "--board", "mps3-an524"];
    fails(&compile(&unit), 2, "board mps3-an524 has no cortex-m33 with a floating-point unit");
    fails(&compile(&["--type", "image", "--board", "toaster"]), 2, "possible values: mps2-an385, ");
    for flags in [&["--board", "mps2-an386"][..], &["--stub-imports"]] {
        fails(&compile(flags), 2, &format!("error[image-only]: {} decides nothing in an object", flags[0]));
    }
    fails(&synth(directory.path(), &["explain", "alloc", "good.wat", "--stub-imports"]), 2, "error[image-only]");
    fails(&compile(&["--table-max", "1048577"]), 2, "1048577 is not in 0..=1048576");
    assert_eq!(compile(&["--table-max", "1048576"]).status.code(), Some(0));
    for input in ["=good.wat", "good="] {
        fails(&synth(directory.path(), &["compile", input]), 2, "`=`");
    }
    fails(&synth(directory.path(), &["compile", "."]), 1, "error[cannot-read]: cannot read .: ");
    fails(&synth(directory.path(), &["compile", "none.wat"]), 1, "error[missing-file]");
    fails(&compile(&["--solver", "maybe"]), 2, "possible values: z3, cvc5, bitwuzla, all");
    let without = command(directory.path(), &["compile", "good.wat", "--solver", "cvc5"]).env("PATH", "").output();
    fails(&without.unwrap(), 1, "error[missing-solver]: the solvers: the solver cvc5 is not installed");
    fails(&compile(&["-o", "-", "--emit", "ir"]), 2, "]: more than one output goes to standard output\n");
    let m3 = ["-C", "target-cpu=cortex-m3"];
    fails(&compile(&[&m3[..], &["--target", "thumbv7em-none-eabi"]].concat()), 2, "does not run on cortex-m3");
    assert_eq!(compile(&m3).status.code(), Some(0));
    fails(&compile(&["-C", "opt=1"]), 2, "target-cpu=cortex-m0, ");
}

/// A module with an import, a load, and a division by a parameter.
const MODULE: &str = r#"(module
  (import "env" "now" (func $now (result i32)))
  (memory 1)
  (func (export "load") (param i32) (result i32) local.get 0 i32.load)
  (func (export "now") (result i32) call $now)
  (func (export "divide") (param i32 i32) (result i32) local.get 0 local.get 1 i32.div_s))"#;

fn compiled(flags: &[&str]) -> tempfile::TempDir {
    let directory = directory();
    std::fs::write(directory.path().join("t.wat"), MODULE).unwrap();
    let output = synth(directory.path(), &[&["compile", "t.wat", "--validate=off", "-o", "t.elf"], flags].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("not validated"));
    directory
}

#[test]
fn a_module_is_compiled_and_called() {
    let directory = compiled(&["--type", "image", "--stub-imports", "-Os", "-C", "target-cpu=cortex-m7"]);
    let run = |arguments: &[&str]| synth(directory.path(), &[&["run", "t.elf", "--invoke"], arguments].concat());
    assert_eq!(text(&run(&["divide", "-100", "7"]).stdout), "-14\n");
    assert_eq!(text(&run(&["now"]).stdout), "0\n");
    assert_eq!(text(&run(&["load", "16", "--poke", "0x10=ffffffff"]).stdout), "-1\n");
    // The place in the module is that of the trapping instruction: `i32.load` and `i32.div_s`.
    let wasm = wat::parse_str(MODULE).unwrap();
    for (arguments, words, opcode) in [
        (&["load", "65533"][..], "out of bounds memory access in function 1 (load)", 0x28),
        (&["divide", "1", "0"], "integer divide by zero in function 3 (divide)", 0x6d),
        (&["divide", "0x80000000", "-1"], "integer overflow in function 3 (divide)", 0x6d),
    ] {
        let output = run(&[arguments, &["--error-format", "json"]].concat());
        fails(&output, 6, words);
        let value: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(wasm[value["offset"].as_u64().unwrap() as usize], opcode, "{value}");
    }
}

#[test]
fn an_import_that_nothing_provides_is_named() {
    let directory = compiled(&[]);
    let output = synth(directory.path(), &["compile", "t.wat", "--type", "image", "-o", "out.elf"]);
    fails(&output, 1, "\"env\" \"now\"");
    let output = synth(directory.path(), &["run", "t.wat", "--invoke", "now"]);
    fails(&output, 1, "\"env\" \"now\"");
    assert!(!directory.path().join("out.elf").exists());
}

#[test]
fn the_pair_of_files_must_belong_together() {
    let directory = compiled(&[]);
    let verify = |module: &str, elf: &str| synth(directory.path(), &["verify", module, elf]);
    fails(&verify("good.wat", "t.elf"), 5, "another Wasm module");
    fails(&verify("t.wat", "garbage"), 1, "ELF");
    fails(&verify("garbage", "t.elf"), 1, "invalid");
    // The name of the hint section, changed in one letter.
    let mut bytes = std::fs::read(directory.path().join("t.elf")).unwrap();
    let name = bytes.windows(12).position(|window| window == b".synth.hints").unwrap();
    bytes[name + 11] = b'x';
    std::fs::write(directory.path().join("bare.elf"), bytes).unwrap();
    fails(&verify("t.wat", "bare.elf"), 4, ".synth.hints");
}

#[test]
fn stages_are_printed_by_function() {
    let directory = compiled(&[]);
    let flags = ["compile", "t.wat", "--validate=off", "-o", "t.o", "--func", "divide", "--emit"];
    let output = synth(directory.path(), &[&flags[..], &["ir,asm,hints=h.txt"]].concat());
    let listing = text(&output.stdout);
    assert!(listing.contains(";; ir of divide") && listing.contains(";; asm of divide"), "{listing}");
    assert!(!listing.contains("of load") && !listing.contains(";; hints"), "{listing}");
    assert!(std::fs::read_to_string(directory.path().join("h.txt")).unwrap().contains(";; hints of divide"));
    for name in ["nothing", "env.now"] {
        let output = synth(directory.path(), &["compile", "t.wat", "--func", name, "--emit", "ir"]);
        fails(&output, 1, "functions: load, now, divide");
    }
    let output = synth(directory.path(), &["disasm", "t.o"]);
    let listing = text(&output.stdout);
    assert!(listing.contains("t.f3, divide:") && listing.contains("udf #226"), "{listing}");
    let output = synth(directory.path(), &["explain", "alloc", "t.wat"]);
    assert!(text(&output.stdout).contains("divide: "), "{}", text(&output.stdout));
}

#[test]
fn a_segment_out_of_bounds_is_named() {
    let directory = directory();
    let run = |text: &str, engine: &str| {
        std::fs::write(directory.path().join("s.wat"), text).unwrap();
        synth(directory.path(), &["run", "s.wat", "--engine", engine, "--invoke", "f"])
    };
    for engine in ["qemu", "model"] {
        let output = run(
            "(module (memory 1) (data (i32.const 0) \"a\") (data (i32.const 65536) \"b\") (func (export \"f\")))",
            engine,
        );
        fails(&output, 6, "instantiation trapped: out of bounds memory access in data segment 1");
        let output = run("(module (table 1 funcref) (elem (i32.const 1) 0) (func (export \"f\")))", engine);
        fails(&output, 6, "out of bounds table access in element segment 0");
        let output = run("(module (start 0) (func unreachable) (func (export \"f\")))", engine);
        fails(&output, 6, "instantiation trapped: unreachable in function 0\n  at s.wat:1:25\n  help: ");
    }
}

#[test]
fn an_error_in_text_has_a_line() {
    let directory = directory();
    let compile = |text: &str, flags: &[&str]| {
        std::fs::write(directory.path().join("e.wat"), text).unwrap();
        synth(directory.path(), &[&["compile", "e.wat", "-o", "e.o"], flags].concat())
    };
    fails(&compile("(module\n  (fnuc))", &[]), 1, "at e.wat:2:4\n");
    let invalid = "(module\n  (func (result i32)\n    i64.const 1\n    i32.eqz))";
    fails(&compile(invalid, &[]), 1, "at e.wat:4:5\n");
    fails(&compile("(module\n  (func (drop\n    (v128.const i64x2 0 0))))", &[]), 1, "at e.wat:3:6\n");
    fails(&compile("(module (memory i64 1))", &[]), 1, "of the module that e.wat is encoded as\n");
    fails(&compile("", &[]), 1, "the file is empty");
    let output = compile(invalid, &["--error-format", "json"]);
    let value: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!((&value["file"], &value["line"], &value["column"]), (&"e.wat".into(), &4.into(), &5.into()));
}

#[test]
fn a_stem_in_any_script_names_its_module() {
    let directory = directory();
    let listing = |stem: &str| {
        std::fs::copy(directory.path().join("good.wat"), directory.path().join(format!("{stem}.wat"))).unwrap();
        let output = synth(directory.path(), &["compile", &format!("{stem}.wat"), "-o", "s.o"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&synth(directory.path(), &["disasm", "s.o"]).stdout).to_string()
    };
    assert!(listing("日本").contains("\n$e6$97$a5$e6$9c$ac_init"));
    // These begin like mapping symbols.
    assert!(listing("да").contains("\n$d0$b4$d0$b0_init"));
    assert!(listing("my-module.v2").contains("\nmy_module_v2_init"));
}

fn write(directory: &tempfile::TempDir, name: &str, text: &str) {
    std::fs::write(directory.path().join(name), text).unwrap();
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stderr).unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)))
}

#[test]
fn a_trap_in_the_runtime_is_at_the_operator_that_needs_it() {
    let directory = directory();
    let module = "(module (memory 1) (table 4 funcref)\n  START
        (func (export \"copy\") (param i32)\n    (memory.copy (i32.const 0) (local.get 0) (i32.const 8)))
        (func (export \"fill\") (param i32)\n    (table.fill (local.get 0) (ref.null func) (i32.const 3))))";
    write(&directory, "b.wat", &module.replace("START", ""));
    for engine in ["model", "qemu"] {
        let run = |file: &str, arguments: &[&str]| {
            synth(directory.path(), &[&["run", file, "--engine", engine, "--invoke"], arguments].concat())
        };
        let copied = "out of bounds memory access in function 0 (copy), in synth's runtime function memory.copy\n";
        fails(
            &run("b.wat", &["copy", "65530"]),
            6,
            &format!("trap: {copied}  at b.wat:4:6\n  help: check the address"),
        );
        let filled = "out of bounds table access in function 1 (fill), in synth's runtime function table.fill\n";
        fails(&run("b.wat", &["fill", "2"]), 6, &format!("{filled}  at b.wat:6:6\n  help: check the index"));
        let value = json(&run("b.wat", &["copy", "65530", "--error-format", "json"]));
        assert_eq!((&value["file"], &value["line"]), (&"b.wat".into(), &4.into()));
        let text =
            module.replace("START", "(start 0) (func (memory.copy (i32.const 0) (i32.const 65530) (i32.const 8)))");
        write(&directory, "s.wat", &text);
        let started = "instantiation trapped: out of bounds memory access in function 0, in synth's runtime function \
                       memory.copy\n  at s.wat:2:20\n";
        fails(&run("s.wat", &["copy", "0"]), 6, started);
    }
}

#[test]
fn code_of_the_runtime_is_at_no_place_of_the_module() {
    let directory = directory();
    write(&directory, "b.wat", "(module (memory 1) (func (memory.copy (i32.const 0) (i32.const 0) (i32.const 8))))");
    assert_eq!(synth(directory.path(), &["compile", "b.wat", "-o", "b.o"]).status.code(), Some(0));
    let output = synth(directory.path(), &["disasm", "b.o"]);
    let (user, copies) = text(&output.stdout).split_once("b.f1, synth's memory.copy:").expect("it is named");
    assert!(user.contains("; b.f1, synth's memory.copy, wasm 0x"), "{user}");
    assert!(!copies.contains("wasm"), "{copies}");
}

#[test]
fn what_no_file_can_hold_is_refused_at_its_place() {
    let directory = directory();
    let compile = |text: &str, flags: &[&str]| {
        write(&directory, "m.wat", text);
        synth(directory.path(), &[&["compile", "m.wat", "-o", "out.o"], flags].concat())
    };
    for flags in [&[][..], &["--type", "image"]] {
        let output = compile("(module (memory 2049) (func (export \"f\")))", flags);
        fails(&output, 1, "error[too-big]: memory takes 134283264 bytes, at most 134217728 fit\n  at byte 0x");
        fails(&output, 1, "of the module that m.wat is encoded as\n  help: declare less memory");
    }
    let grows = "(module (memory 1) (func (export \"f\") (drop (memory.grow (i32.const 1)))))";
    fails(&compile(grows, &["--memory-max", "0x8010000"]), 1, "error[too-big]");
    // All of memory, and a little that is none.
    let output = compile("(module (memory 2048) (func (export \"f\")))", &[]);
    fails(&output, 1, "error[too-big]: the code with all regions is ");
}

#[test]
fn the_name_of_the_stack_limit_is_taken() {
    let directory = directory();
    for module in [
        "(module (func (export \"synth_stack_limit\")))",
        "(module (global (export \"synth_stack_limit\") (mut i32) (i32.const 0)))",
        "(module (import \"synth\" \"stack_limit\" (func)))",
        "(module (import \"synth\" \"stack_limit\" (func)) (func $f (export \"f\") (call $f)))",
    ] {
        write(&directory, "m.wat", module);
        for flags in [&[][..], &["--type", "image", "--stub-imports"]] {
            let output = synth(directory.path(), &[&["compile", "m.wat", "-o", "out.o"], flags].concat());
            fails(&output, 1, "error[collision]: two things would have the symbol synth_stack_limit");
            fails(&output, 1, "rename the export or import");
        }
    }
}

#[test]
fn another_module_with_bulk_operators_is_another_module() {
    let directory = directory();
    write(&directory, "b.wat", "(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0))))");
    assert_eq!(synth(directory.path(), &["compile", "good.wat", "-o", "good.o"]).status.code(), Some(0));
    fails(&synth(directory.path(), &["verify", "b.wat", "good.o"]), 5, "another Wasm module");
    // A file without the template that it needs is refused as what it says it is.
    assert_eq!(synth(directory.path(), &["compile", "b.wat", "-o", "b.o"]).status.code(), Some(0));
    let mut bytes = std::fs::read(directory.path().join("b.o")).unwrap();
    let name = bytes.windows(18).position(|window| window == b".synth.memory.fill").unwrap();
    bytes[name + 17] = b'x';
    std::fs::write(directory.path().join("bare.o"), bytes).unwrap();
    let output = synth(directory.path(), &["verify", "b.wat", "bare.o"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stdout).starts_with("for Armv7E-M\n"), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("the module needs the section .synth.memory.fill"));
}

#[test]
fn an_error_in_one_of_several_inputs_names_its_file() {
    let directory = directory();
    let compile = |inputs: &[&str], flags: &[&str]| {
        synth(directory.path(), &[&["compile"], inputs, &["-o", "out.o"], flags].concat())
    };
    let wrong = "(module\n  (func (result i32)\n    i64.const 1\n    i32.eqz))";
    write(&directory, "wrong.wat", wrong);
    std::fs::write(directory.path().join("wrong.wasm"), wat::parse_str(wrong).unwrap()).unwrap();
    fails(&compile(&["good.wat", "wrong.wat"], &[]), 1, "\n  at wrong.wat:4:5\n");
    fails(&compile(&["wrong.wasm", "good.wat"], &[]), 1, " of wrong.wasm\n");
    let value = json(&compile(&["good.wat", "x=wrong.wat"], &["--error-format", "json"]));
    assert_eq!((&value["file"], &value["line"]), (&"wrong.wat".into(), &4.into()));
    let value = json(&compile(&["wrong.wasm"], &["--error-format", "json"]));
    assert_eq!((&value["file"], &value["line"]), (&"wrong.wasm".into(), &serde_json::Value::Null));
    let verify = synth(directory.path(), &["verify", "good.wat", "wrong.wasm", "m.o"]);
    fails(&verify, 1, "error[invalid]: the Wasm module: ");
    fails(&verify, 1, "\n  in wrong.wasm\n");
    write(&directory, "large.wat", "(module (memory 2049))");
    fails(&compile(&["good.wat", "large.wat"], &[]), 1, " of the module that large.wat is encoded as\n");
    write(&directory, "types.wat", "(module (import \"a\" \"b\" (func)) (import \"a\" \"b\" (func (param i32))))");
    fails(&compile(&["good.wat", "types.wat"], &[]), 1, " of the module that types.wat is encoded as\n");
}

#[test]
fn inputs_in_the_wrong_order_are_told_so() {
    let directory = directory();
    write(&directory, "lib.wat", "(module (memory (export \"m\") 1) (func (export \"f\")))");
    let remedy = "in user.wat\n  help: give `lib` as an input before `user`\n";
    for import in ["(import \"lib\" \"m\" (memory 1))", "(import \"lib\" \"f\" (func))"] {
        write(&directory, "user.wat", &format!("(module {import})"));
        let compile = |inputs: &[&str]| synth(directory.path(), &[&["compile", "-o", "out.o"], inputs].concat());
        fails(&compile(&["user.wat", "lib.wat"]), 1, remedy);
        assert_eq!(compile(&["lib.wat", "user.wat"]).status.code(), Some(0));
    }
    write(&directory, "user.wat", "(module (import \"lib\" \"g\" (func)))");
    let output = synth(directory.path(), &["compile", "lib.wat", "user.wat", "-o", "out.o"]);
    fails(&output, 1, "`user` imports `lib.g`, which is not exported\n  in user.wat\n  help: export it from `lib`");
}

#[test]
fn negative_numbers_are_no_flags() {
    let directory = directory();
    write(
        &directory,
        "n.wat",
        "(module (func (export \"f\") (param f32 f64 i64) (result i64)
            (i64.add (local.get 2) (i64.add
                (i64.extend_i32_u (i32.reinterpret_f32 (local.get 0))) (i64.reinterpret_f64 (local.get 1))))))",
    );
    let run = |arguments: &[&str]| {
        let command = ["run", "--engine", "model", "n.wat", "--invoke", "f"];
        synth(directory.path(), &[&command[..], arguments].concat())
    };
    for (x, y, z) in
        [("-inf", "-1e-3", -1i64), ("-.5", "-INF", 0), ("-1.00000005960464477539063", "-0", -255), ("-0.1", "-5.", 7)]
    {
        let sum = i64::from(x.parse::<f32>().unwrap().to_bits())
            .wrapping_add(y.parse::<f64>().unwrap().to_bits() as i64)
            .wrapping_add(z);
        // An option may stand anywhere between them.
        let output = run(&[x, "--timeout", "60", y, &z.to_string()]);
        assert_eq!(text(&output.stdout), format!("{sum}\n"), "{}", text(&output.stderr));
    }
    assert_eq!(text(&run(&["0", "0", "-0xff"]).stdout), "-255\n");
    fails(&run(&["0", "0", "-.5"]), 2, "`-.5` is no integer");
    fails(&run(&["0", "0", "--inf"]), 2, "--inf");
    // A path is what it says.
    let output = synth(directory.path(), &["compile", "good.wat", "-o=-5"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(directory.path().join("-5").exists());
}

#[test]
fn wrong_usage_can_be_read_by_programs() {
    let directory = directory();
    for format in [&["--error-format", "json"][..], &["--error-format=json"]] {
        for arguments in [&["compile", "good.wat", "--nothing"][..], &["compile"], &["frobnicate"]] {
            let output = synth(directory.path(), &[format, arguments].concat());
            fails(&output, 2, "\"code\":\"usage\"");
            let value = json(&output);
            assert_eq!(value["exit"], 2);
            assert!(!value["message"].as_str().unwrap().starts_with("error"), "{value}");
            assert_eq!(value["remedy"], "For more information, try '--help'.");
        }
    }
    let value = json(&synth(directory.path(), &["compile", "good.wat", "--nothing", "--error-format", "json"]));
    assert_eq!(value["message"], "unexpected argument '--nothing' found");
    fails(&synth(directory.path(), &["compile", "--nothing"]), 2, "error: unexpected argument '--nothing' found\n");
    // Help is no error.
    let output = synth(directory.path(), &["--help", "--error-format=json"]);
    assert!(output.status.code() == Some(0) && text(&output.stdout).contains("Usage"));
}

#[test]
fn help_names_what_can_be_chosen() {
    let directory = directory();
    let help = |command: &str| text(&synth(directory.path(), &[command, "--help"]).stdout).to_string();
    let (compile, run) = (help("compile"), help("run"));
    for cpu in Cpu::ALL {
        assert!(compile.contains(&format!("target-cpu={}", cpu.name())), "{compile}");
    }
    for board in Board::ALL {
        assert!(run.contains(board.machine), "{run}");
    }
    for triple in Triple::ALL {
        assert!(run.contains(triple.name()), "{run}");
    }
    for words in ["`nan`", "`null`", "1048576"] {
        assert!(run.contains(words), "{run}");
    }
}
