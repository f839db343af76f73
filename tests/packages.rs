//! Modules that were not made here, from packages of the npm registry (`./setup --test-tools` unpacks
//! them into `target/packages`): all of each is proved, and what can be called without a JavaScript
//! host gives the right answers in QEMU. A package that is not there is a test that is skipped.
//!
//! With `BLESS=1` the run writes `docs/packages.md`.

mod support;

use std::fs;
use std::time::Instant;

use base64::Engine;
use synth::config::Config;
use synth::qemu::{Action, Value};
use synth_fuzz::oracle;
use synth_verify::verdict::{Method, Report};

use support::{Program, Seen, call, here, skipped};

/// Where packages are unpacked.
const FOLDER: &str = "target/packages/node_modules";

/// A module, or `None` if its package is not there. A script holds modules as base64 text; the first
/// one counts.
fn module(path: &str) -> Option<Vec<u8>> {
    let bytes = fs::read(here(FOLDER).join(path)).ok()?;
    if bytes.starts_with(b"\0asm") {
        return Some(bytes);
    }
    let text = String::from_utf8(bytes).expect("a script");
    let start = text.find("AGFzbQ").expect("an embedded module");
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    let length = text[start..].find(|c| !is_base64(c)).expect("an end of the text");
    Some(base64::engine::general_purpose::STANDARD.decode(&text[start..start + length]).expect("base64"))
}

/// What is proved of each module: the path in its package.
const MODULES: &[&str] = &[
    "@cwasm/lodepng/lodepng.wasm",
    "argon2-browser/dist/argon2.wasm",
    "blake2b-wasm/blake2b.js",
    "cjs-module-lexer/dist/lexer.js",
    "hash-wasm/dist/adler32.umd.min.js",
    "hash-wasm/dist/argon2.umd.min.js",
    "hash-wasm/dist/bcrypt.umd.min.js",
    "hash-wasm/dist/blake2b.umd.min.js",
    "hash-wasm/dist/blake2s.umd.min.js",
    "hash-wasm/dist/blake3.umd.min.js",
    "hash-wasm/dist/crc32.umd.min.js",
    "hash-wasm/dist/crc64.umd.min.js",
    "hash-wasm/dist/keccak.umd.min.js",
    "hash-wasm/dist/md4.umd.min.js",
    "hash-wasm/dist/md5.umd.min.js",
    "hash-wasm/dist/ripemd160.umd.min.js",
    "hash-wasm/dist/scrypt.umd.min.js",
    "hash-wasm/dist/sha1.umd.min.js",
    "hash-wasm/dist/sha256.umd.min.js",
    "hash-wasm/dist/sha512.umd.min.js",
    "hash-wasm/dist/sm3.umd.min.js",
    "hash-wasm/dist/whirlpool.umd.min.js",
    "hash-wasm/dist/xxhash128.umd.min.js",
    "hash-wasm/dist/xxhash3.umd.min.js",
    "hash-wasm/dist/xxhash32.umd.min.js",
    "hash-wasm/dist/xxhash64.umd.min.js",
    "lz4-wasm/lz4_wasm_bg.wasm",
    "rabin-wasm/dist/rabin.wasm",
    "source-map/lib/mappings.wasm",
    "xxhash-wasm/workerd/xxhash.wasm",
];

/// One line of the table.
fn row(path: &str, wasm_bytes: usize, report: &Report) -> String {
    let code: u32 = report.functions.iter().map(|function| function.code_bytes).sum();
    let methods = report.methods();
    let all: u64 = methods.values().map(|count| *count as u64).sum();
    let solver = methods.get(&Method::Solver).map_or(0, |count| *count as u64);
    let share = 100.0 * (all - solver) as f64 / all as f64;
    let count = report.functions.len();
    format!("| `{path}` | {wasm_bytes} | {count} | {code} | {all} | {share:.2} % |")
}

#[test]
fn every_module_is_proved() {
    let mut rows = Vec::new();
    for path in MODULES {
        let Some(wasm) = module(path) else {
            skipped("every_module_is_proved", &format!("{path} is not unpacked"));
            continue;
        };
        let begun = Instant::now();
        let proved = oracle::object(&wasm, &Config::default());
        let proved = proved.unwrap_or_else(|failure| panic!("{path}: {failure}"));
        rows.push(row(path, wasm.len(), &proved.report));
        println!("{} {:.1?}", rows.last().unwrap(), begun.elapsed());
    }
    if std::env::var_os("BLESS").is_some() && rows.len() == MODULES.len() {
        let head = "\
# Modules from packages

Made by `BLESS=1 cargo test --release --test packages`: modules of npm packages, compiled for a Cortex-M4 at `-O2`.
Every function is Proved. The last column is the share of obligations that is closed without the solver.

| module | bytes of Wasm | functions | bytes of code | obligations | without the solver |
|---|---|---|---|---|---|
";
        fs::write(here("docs/packages.md"), format!("{head}{}\n", rows.join("\n"))).unwrap();
    }
}

/// Runs the same actions everywhere; gives what they showed.
#[track_caller]
fn everywhere(test: &str, program: &Program, actions: &[Action]) -> Vec<Seen> {
    let expected = program.in_wasmi(actions);
    if let Some(seen) = program.in_qemu(test, actions) {
        assert_eq!(seen, expected, "{test} in QEMU");
    }
    expected
}

#[track_caller]
fn program(test: &str, path: &str) -> Option<Program> {
    let found = module(path).map(|wasm| Program::new(&wasm));
    if found.is_none() {
        skipped(test, &format!("{path} is not unpacked"));
    }
    found
}

#[track_caller]
fn hexadecimal(seen: &Seen) -> String {
    let Seen::Bytes(bytes) = seen else { panic!("{seen:?}") };
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn word(seen: &Seen) -> u32 {
    match seen {
        Seen::Returned(values) => match values[..] {
            [Value::I32(word)] => word,
            ref other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// What a module of hash-wasm makes of "abc", given what it is initialised and finished with.
#[track_caller]
fn hash(name: &str, init: &[u32], finish: &[u32], digest: &str) {
    let Some(program) = program(name, &format!("hash-wasm/dist/{name}.umd.min.js")) else { return };
    let buffer = word(&program.in_wasmi(&[call("Hash_GetBuffer", &[])])[0]);
    let actions = [
        Action::Poke(buffer, b"abc".to_vec()),
        call("Hash_Init", init),
        call("Hash_Update", &[3]),
        call("Hash_Final", finish),
        Action::Peek(buffer, digest.len() as u32 / 2),
    ];
    let seen = everywhere(name, &program, &actions);
    assert_eq!(hexadecimal(seen.last().unwrap()), digest, "{name}");
}

#[test]
fn checksums() {
    hash("adler32", &[], &[], "024d0127");
    hash("crc32", &[0xedb8_8320], &[], "352441c2");
}

#[test]
fn message_digests() {
    hash("md4", &[], &[], "a448017aaf21d8525fc10ae87aa6729d");
    hash("md5", &[], &[], "900150983cd24fb0d6963f7d28e17f72");
    hash("ripemd160", &[], &[], "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc");
    hash("sha1", &[], &[], "a9993e364706816aba3e25717850c26c9cd0d89d");
    hash("sha256", &[256], &[], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash("sha512", &[512], &[], "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a");
    hash("sm3", &[], &[], "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
}

#[test]
fn sponges_and_trees() {
    hash("keccak", &[256], &[6], "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
    let blake2b = "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923";
    hash("blake2b", &[512], &[], blake2b);
    hash("blake3", &[0], &[32], "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85");
    hash("whirlpool", &[], &[], "4e2448a4c6f486bb16b6562c73b4020bf3043e3a731bce721ae1b303d97e6d4c");
}

#[test]
fn xxhash_64() {
    let Some(program) = program("xxhash_64", "xxhash-wasm/workerd/xxhash.wasm") else { return };
    let actions = [
        Action::Poke(1024, b"abc".to_vec()),
        Action::Call("xxh64".to_owned(), vec![Value::I32(1024), Value::I32(3), Value::I64(0)]),
        call("xxh32", &[1024, 3, 0]),
    ];
    let seen = everywhere("xxhash_64", &program, &actions);
    assert_eq!(seen[0], Seen::Returned(vec![Value::I64(0x44bc_2cf5_ad77_0999)]));
    assert_eq!(word(&seen[1]), 0x32d1_53ff);
}
