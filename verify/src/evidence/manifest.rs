//! Which files a bundle is about, what made it, and the totals.

use super::json::{array, entries, object, string};
use super::request::Request;
use super::{CANARIES, ELF, Files, Tool, hash, input_path};
use crate::elf::Elf;
use crate::verdict::{Report, Verdict};

/// The manifest.
pub fn text(
    elf: &Elf<'_>,
    (files, request): (&Files, &Request),
    report: &Report,
    (tool, solvers): (&Tool<'_>, &[(&'static str, String)]),
) -> String {
    let hints = elf.section(".synth.hints").map_or(&[][..], |(_, section)| elf.bytes(section));
    let file = |path: &str| string(&files.get(path).map_or(String::new(), |bytes| hash(bytes)));
    let inputs = request.modules.iter().enumerate().map(|(number, name)| {
        let path = input_path(number);
        object(&[("name", string(name)), ("file", string(&path)), ("sha256", file(&path))])
    });
    let methods = report.methods();
    let methods: Vec<(String, String)> =
        methods.into_iter().map(|(method, count)| (format!("{method:?}").to_lowercase(), count.to_string())).collect();
    let methods: Vec<(&str, String)> = methods.iter().map(|(name, count)| (name.as_str(), count.clone())).collect();
    let sum = |count: fn(&crate::verdict::FunctionReport) -> usize| report.functions.iter().map(count).sum::<usize>();
    entries(&[
        ("format", "1".to_owned()),
        (
            "tool",
            object(&[
                ("name", string("synth")),
                ("version", string(tool.version)),
                ("sources_sha256", string(tool.sources)),
                ("built_with", string(tool.compiler)),
            ]),
        ),
        ("modules", array(inputs)),
        ("elf", object(&[("file", string(ELF)), ("sha256", file(ELF)), ("hints_sha256", string(&hash(hints)))])),
        ("target", report.target.map_or("null".to_owned(), |target| string(&target.to_string()))),
        ("flags", array(request.flags.iter().map(|flag| string(flag)))),
        ("solver", string(&request.solvers.to_string())),
        (
            "solvers",
            array(
                solvers.iter().map(|(name, version)| object(&[("name", string(name)), ("version", string(version))])),
            ),
        ),
        ("canaries_per_function", CANARIES.to_string()),
        ("functions", report.functions.len().to_string()),
        ("functions_proved", sum(|function| usize::from(function.verdict == Verdict::Proved)).to_string()),
        ("obligations", sum(|function| function.obligations.len()).to_string()),
        ("obligations_by_method", object(&methods)),
        ("obligations_about_the_file", report.file_obligations.to_string()),
        ("ways_dead", sum(|function| function.dead.len()).to_string()),
        ("bytes_uncovered", report.uncovered_bytes.to_string()),
    ])
}
