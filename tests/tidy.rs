//! Tests of the source itself: who may import whom, how long a file is, what it begins with.
//!
//! [`LAYERS`] is the architecture: an arrow that is not in it does not compile in this test.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module of the compiler, with the modules it may name.
const LAYERS: &[(&str, &[&str])] = &[
    // What every stage speaks of.
    ("entity", &[]),
    ("error", &[]),
    ("trap", &[]),
    ("stage", &[]),
    ("target", &["error"]),
    ("config", &["target", "error"]),
    // The stages, in order.
    ("ir", &["entity", "trap", "target"]),
    ("wasm", &["entity", "error", "config", "ir"]),
    ("translate", &["entity", "error", "config", "trap", "wasm", "ir"]),
    ("opt", &["entity", "config", "trap", "ir"]),
    ("runtime", &["config", "error", "target", "ir", "wasm"]),
    ("vcode", &["entity", "trap", "target", "ir"]),
    ("lower", &["entity", "config", "trap", "target", "wasm", "ir", "vcode"]),
    ("alloc", &["entity", "config", "trap", "target", "vcode"]),
    ("stack", &[]),
    ("emit", &["entity", "config", "error", "trap", "target", "vcode", "alloc"]),
    ("elf", &["error", "config", "target", "trap", "vcode", "emit"]),
    ("assemble", &["config", "trap", "wasm", "ir", "vcode", "lower", "emit", "elf"]),
    (
        "lib",
        &[
            "alloc",
            "assemble",
            "config",
            "elf",
            "emit",
            "error",
            "ir",
            "lower",
            "opt",
            "runtime",
            "stack",
            "stage",
            "translate",
            "vcode",
            "wasm",
        ],
    ),
    // What the user meets.
    ("qemu", &["target", "trap", "vcode", "elf"]),
    ("model", &["qemu", "elf"]),
    ("cli", &["alloc", "config", "elf", "error", "lib", "model", "qemu", "stage", "target", "trap", "wasm"]),
    ("main", &["cli"]),
];

/// What the compiler may take from the validator.
const FROM_VERIFY: &[(&str, &[&str])] = &[
    ("lower", &["hints"]),
    ("vcode", &["hints"]),
    ("alloc", &["hints"]),
    ("emit", &["hints"]),
    ("lib", &["hints"]),
    ("model", &["model", "trap"]),
    ("cli", &["canary", "check", "disassemble", "elf", "evidence", "hints", "verdict"]),
];

/// A line of a file that longer files must carry in their header.
const LONG_BY_NATURE: &str = "//! This file is a table";

const LINES_MAX: usize = 800;

#[test]
fn modules_import_only_what_their_layer_allows() {
    let mut wrong = Vec::new();
    // Unit tests may use other stages to make their input.
    for file in rust_files("src").into_iter().filter(|file| !is_test(file)) {
        let module = module_of(&file);
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!("{}: module `{module}` is not in LAYERS", file.display()));
            continue;
        };
        for named in paths_named(&file, "crate::").union(&paths_named(&file, "synth::")) {
            let known = LAYERS.iter().any(|(name, _)| name == named);
            let target = if known { named.as_str() } else { "lib" };
            if target != module && !allowed.contains(&target) && !(target == "lib" && is_macro(named)) {
                wrong.push(format!("{}: `{module}` may not import `{named}`", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_compiler_takes_only_hints_and_verdicts_from_the_validator() {
    let mut wrong = Vec::new();
    for file in rust_files("src") {
        let module = module_of(&file);
        let allowed = FROM_VERIFY.iter().find(|(name, _)| *name == module).map_or(&[][..], |(_, allowed)| allowed);
        for named in paths_named(&file, "synth_verify::") {
            if !allowed.contains(&named.as_str()) {
                wrong.push(format!("{}: `{module}` may not use `synth_verify::{named}`", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_validator_does_not_know_the_compiler() {
    let manifest = fs::read_to_string(root().join("verify/Cargo.toml")).unwrap();
    assert!(!manifest.lines().any(|line| line.starts_with("synth") && !line.starts_with("synth-verify")));
    for file in rust_files("verify") {
        assert!(paths_named(&file, "synth::").is_empty(), "{} names the compiler", file.display());
    }
}

#[test]
fn files_are_short_and_say_what_they_hold() {
    let mut wrong = Vec::new();
    for file in ["src", "verify", "fuzz", "tests"].into_iter().flat_map(rust_files) {
        let text = fs::read_to_string(&file).unwrap();
        if !text.starts_with("//!") && !text.starts_with("#![no_main]") {
            wrong.push(format!("{}: does not begin with what it holds", file.display()));
        }
        let lines = text.lines().count();
        if lines > LINES_MAX && !text.contains(LONG_BY_NATURE) {
            wrong.push(format!("{}: {lines} lines", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_left_open() {
    let words = ["TO".to_owned() + "DO", "FIX".to_owned() + "ME", "#[ig".to_owned() + "nore", "todo".to_owned() + "!("];
    let mut wrong = Vec::new();
    for file in ["src", "verify", "fuzz", "tests"].into_iter().flat_map(rust_files) {
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word.as_str())) {
                wrong.push(format!("{}:{}: {line}", file.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn documents_name_paths_that_exist() {
    let mut wrong = Vec::new();
    for document in ["README.md", "ARCHITECTURE.md", "docs/trust.md", "docs/abi.md"] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        for word in text.split('`').skip(1).step_by(2) {
            let is_path = word.contains('/') && word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
            let top = word.split('/').next().unwrap_or_default();
            let ours = ["src", "verify", "fuzz", "proofs", "tests", "docs", "examples", "benches"].contains(&top);
            if is_path && ours && !root().join(word).exists() {
                wrong.push(format!("{document}: `{word}` does not exist"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(directory: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(&root().join(directory), &mut files);
    files.sort();
    files
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Whether a file of `src` or `verify/src` holds nothing but unit tests.
fn is_test(file: &Path) -> bool {
    let is_tests = |part: std::path::Component<'_>| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs";
    let relative = file.strip_prefix(root()).unwrap_or(file);
    relative.components().any(is_tests)
}

/// The top-level module of the compiler that a file belongs to.
fn module_of(file: &Path) -> String {
    let relative = file.strip_prefix(root().join("src")).unwrap();
    let first = relative.components().next().unwrap().as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// The names that follow `prefix` in code, comments left out; `prefix{a, b::c}` gives both.
fn paths_named(file: &Path, prefix: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(file).unwrap();
    let code: String = text.lines().map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n").collect();
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        let before = code[..at].chars().next_back().unwrap_or(' ');
        if before.is_alphanumeric() || before == '_' || before == ':' || before == '$' {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        match rest.strip_prefix('{') {
            Some(group) => top_level_names(group, &mut names),
            None => _ = names.insert(identifier(rest)),
        }
    }
    names
}

fn top_level_names(group: &str, names: &mut BTreeSet<String>) {
    let mut depth = 0;
    let mut expects_name = true;
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => return,
            '}' => depth -= 1,
            ',' if depth == 0 => expects_name = true,
            c if expects_name && (c.is_alphabetic() || c == '_') => {
                names.insert(identifier(&group[at..]));
                expects_name = false;
            }
            _ => {}
        }
    }
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Macros exported at the crate's root.
fn is_macro(name: &str) -> bool {
    name == "entity"
}
