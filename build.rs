//! Lets binaries and tests find the solver library without any setting in the environment, and says what the
//! binary is made of: evidence names its tool by that, as the bytes of a binary depend on the folder it is built in.

use std::fs;
use std::path::Path;
use std::process::Command;

use sha2::{Digest, Sha256};

/// What decides how `synth` behaves, beside the compiler that builds it.
const SOURCES: [&str; 7] =
    ["Cargo.lock", "Cargo.toml", "build.rs", "docs/trust.md", "src", "verify/Cargo.toml", "verify/src"];

fn main() {
    if let Ok(directory) = std::env::var("Z3_LIBRARY_PATH_OVERRIDE") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{directory}");
    }
    println!("cargo:rerun-if-env-changed=Z3_LIBRARY_PATH_OVERRIDE");
    let mut all = Sha256::new();
    for source in SOURCES {
        println!("cargo:rerun-if-changed={source}");
        add(Path::new(source), source, &mut all);
    }
    let hash: String = all.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    println!("cargo:rustc-env=SYNTH_SOURCES={hash}");
    let rustc = std::env::var("RUSTC").ok().and_then(|rustc| Command::new(rustc).arg("--version").output().ok());
    let version = rustc.map_or_else(String::new, |output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    println!("cargo:rustc-env=SYNTH_RUSTC={version}");
}

/// Adds the path and the contents of a file, or of all files of a folder.
fn add(path: &Path, name: &str, all: &mut Sha256) {
    if path.is_dir() {
        let mut entries: Vec<String> = fs::read_dir(path)
            .expect("a folder of this project")
            .map(|entry| entry.expect("an entry of it").file_name().to_string_lossy().into_owned())
            .collect();
        entries.sort();
        for entry in entries {
            add(&path.join(&entry), &format!("{name}/{entry}"), all);
        }
        return;
    }
    let bytes = fs::read(path).expect("a file of this project");
    all.update(Sha256::digest(name));
    all.update(Sha256::digest(bytes));
}
