#[path = "../tests/support/mod.rs"]
#[allow(dead_code)]
mod support;
use synth_verify::check::{check, Checks};
fn main() {
    for f in std::env::args().skip(1) {
        let case = support::parse(&std::fs::read_to_string(&f).unwrap());
        match check(&case.wasm, &case.elf(), Checks::All) { Ok(r) if r.proved() => println!("== {f}: proved"), Ok(r) => println!("== {f}: NOT PROVED\n{}", support::words_of(&r)), Err(e) => println!("== {f}: {e}") }
        for t in &case.twins {
            let d = case.damaged(t); let elf = d.elf();
            println!("-- {f}:{} {:?}", t.line, t.words);
            match check(&d.wasm, &elf, Checks::All) { Ok(r) => { if r.proved() { println!("   !!!! PROVED"); } for x in &r.functions { println!("   f{} {} {}", x.function, match &x.verdict { synth_verify::verdict::Verdict::Refuted(c) => format!("Refuted {:x?} wasm {} / {}", c.arguments, c.wasm, c.machine), v => v.to_string() }, if x.findings.is_empty() { "" } else { ":" }); for g in &x.findings { println!("      {:#x} {:?}: {}", g.at, g.check, g.message); } } for g in &r.findings { println!("   file {:?}: {}", g.check, g.message); } if r.uncovered_bytes > 0 { println!("   uncovered {}", r.uncovered_bytes); } } Err(e) => println!("   ERR {e}") }
            if t.ranges.is_some() {
              for c in [Checks::Ranges, Checks::Segments] { let r = check(&d.wasm, &elf, c).unwrap(); for x in &r.functions { for g in &x.findings { println!("      {c:?}: {:#x} {}", g.at, g.message); } } }
            }
        }
    }
}
