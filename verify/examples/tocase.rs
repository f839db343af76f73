use std::fmt::Write;
use synth_verify::elf::{Elf, Home};
use synth_verify::hints::*;
use synth_verify::thumb::decode::decode;
use synth_verify::wasm::module;
fn loc(l: Location) -> String { match l { Location::Core(14) => "lr".into(), Location::Core(r) => format!("r{r}"), Location::Single(s) => format!("s{s}"), Location::Stack(o) => format!("[{o}]") } }
fn nm(n: u32) -> String { match n.checked_sub(ENTRY_NAME) { Some(14) => "@lr".into(), Some(r) if r < 16 => format!("@r{r}"), Some(r) => format!("@[{}]", (r as i32 - 64) * 4), None => n.to_string() } }
fn names(v: &[(Location, u32)]) -> String { v.iter().map(|(l, n)| format!("{}:{}", loc(*l), nm(*n))).collect::<Vec<_>>().join(" ") }
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let wat = std::fs::read_to_string(&args[1]).unwrap();
    let wasm = wat::parse_str(&wat).unwrap();
    let data = std::fs::read(&args[2]).unwrap();
    let elf = Elf::read(&data).unwrap();
    let hints = synth_verify::check::read_hints(&elf).unwrap();
    let m = module::read(&wasm).unwrap();
    let (ti, text) = elf.section(".text.m").unwrap();
    let bytes = elf.bytes(text);
    let mut out = String::new();
    writeln!(out, "[wat]\n{}", wat.trim_end()).unwrap();
    let reloc = |at: u32| elf.relocations.iter().find(|r| r.section == ti && r.offset == at).map(|r| {
        let k = match r.kind { synth_verify::elf::RelocationKind::Abs32 => "abs32", synth_verify::elf::RelocationKind::ThumbCall => "call", synth_verify::elf::RelocationKind::MovwAbs => "movw", synth_verify::elf::RelocationKind::MovtAbs => "movt" };
        let s = &elf.symbols[r.symbol]; let name = s.name.strip_prefix("m.").unwrap_or(&s.name).to_owned(); let _ = Home::Undefined;
        format!("reloc={k}:{name}") });
    let emit = |out: &mut String, start: u32, end: u32, h: Option<&FunctionHints>| {
        let mut at = start;
        while at < end {
            let rel = at - start;
            let hw = |from: u32, to: u32| bytes[from as usize..to as usize].chunks(2).map(|c| format!("{:02x}{:02x}", c[1], c[0])).collect::<Vec<_>>().join(" ");
            if let Some((a, b)) = h.and_then(|h| h.data.iter().find(|(a, b)| rel >= *a && rel < *b)) {
                let _ = a; let mut p = at; let e = start + b;
                while p < e { let n = if p + 4 <= e && p % 4 == 0 { 4 } else { 2 };
                    let n = if reloc(p).is_some() { 4 } else { n };
                    writeln!(out, "data {}{}", hw(p, p + n), reloc(p).map_or(String::new(), |r| format!(" | {r}"))).unwrap(); p += n; }
                at = e; continue;
            }
            match decode(&bytes[at as usize..end as usize], 0) {
                Ok((i, n)) => {
                    let l = h.and_then(|h| h.labels.iter().find(|l| l.at == rel));
                    let lt = l.map_or(String::new(), |l| { let w = names(&l.writes); let r = names(&l.reads); if w.is_empty() { r } else { format!("{r} -> {w}") } });
                    let cl = l.map_or(String::new(), |l| { let c = format!("{:?}", l.class).to_lowercase(); if c == "direct" { String::new() } else { c } });
                    let r = reloc(at).map_or(String::new(), |r| format!(" | {r}"));
                    writeln!(out, "{:9} | {:28} | {:7}{} # {:#x}: {}", hw(at, at + n), lt, cl, r, rel, i).unwrap(); at += n;
                }
                Err(_) => { writeln!(out, "data {}", hw(at, at + 2)).unwrap(); at += 2; }
            }
        }
    };
    for h in &hints.functions {
        let s = elf.symbol(&format!("m.f{}", h.function)).unwrap(); let start = s.value & !1;
        writeln!(out, "[code {}]\nframe {}", h.function, h.frame_bytes).unwrap();
        if h.checked_bytes > 0 { writeln!(out, "check {}", h.checked_bytes).unwrap(); }
        for j in &h.joins { let r: Vec<_> = j.renames.iter().map(|(l, a, b)| format!("{} {} {}", loc(*l), nm(*a), nm(*b))).collect();
            let f = if j.from == u32::MAX { "entry".into() } else { format!("{:#x}", j.from) };
            writeln!(out, "join {f} {:#x} : {}", j.at, r.join(", ")).unwrap(); }
        emit(&mut out, start, start + s.bytes, Some(h));
        for c in &h.cuts {
            let f = m.function(h.function).unwrap();
            let op = f.position(c.source[0].1).unwrap();
            writeln!(out, "[cut {} at {:#x} op {} depth {}]", h.function, c.at, op, c.depth).unwrap();
            let mut ui = 0;
            for n in &c.nodes {
                let t = match *n {
                    Expr::Unknown(i) => { assert_eq!(i, ui); ui += 1; let u = c.unknowns[i as usize]; format!("unknown {} {}{}", u.key, if u.sort == Sort::W32 { "w32" } else { "w64" }, u.made_at.and_then(|a| f.position(a)).map_or(String::new(), |p| format!(" op {p}"))) }
                    Expr::Const32(v) => format!("const {v}"), Expr::Const64(v) => format!("const64 {v}"),
                    Expr::Un32(o, a) => format!("{o:?} {a}").to_lowercase(), Expr::Bin32(o, a, b) => format!("{o:?} {a} {b}").to_lowercase(), Expr::Cmp32(o, a, b) => format!("{o:?} {a} {b}").to_lowercase(),
                    Expr::Un64(o, a) => format!("{o:?}64 {a}").to_lowercase(), Expr::Bin64(o, a, b) => format!("{o:?}64 {a} {b}").to_lowercase(), Expr::Cmp64(o, a, b) => format!("{o:?}64 {a} {b}").to_lowercase(),
                    Expr::Ite32(a, b, d) => format!("ite {a} {b} {d}"), Expr::Ite64(a, b, d) => format!("ite64 {a} {b} {d}"),
                    Expr::Join(a, b) => format!("join {a} {b}"), Expr::High(a) => format!("high {a}"), Expr::Low(a) => format!("low {a}"),
                    Expr::Base(Base::Memory(_)) => "memory".into(), Expr::Base(Base::Instance) => "instance".into(), Expr::Base(Base::Table(_)) => "table".into(),
                    Expr::Load(_, w, a) => format!("load {w} {a}"), Expr::Global32(g) => format!("global {g}"), Expr::Global64(g) => format!("global64 {g}"), Expr::MemoryBytes(_) => "memory_bytes".into(),
                };
                writeln!(out, "{t}").unwrap();
            }
            let sl = |v: &[Option<u32>], k: &str, out: &mut String| for x in v { writeln!(out, "{k} {}", x.map_or("-".into(), |n| n.to_string())).unwrap(); };
            sl(&c.locals, "local", &mut out); sl(&c.stack, "stack", &mut out);
            for l in &c.locations { writeln!(out, "{}:{}{}", loc(l.location), nm(l.name), if l.name >= ENTRY_NAME { String::new() } else { format!(" = {}", l.value) }).unwrap(); }
            for (n, v) in &c.named { writeln!(out, "named {} {v}", nm(*n)).unwrap(); }
            for v in &c.facts { writeln!(out, "fact {v}").unwrap(); }
        }
    }
    if let Some(s) = elf.symbol("m_init") { let start = s.value & !1; writeln!(out, "[code init]").unwrap(); emit(&mut out, start, start + s.bytes, None); }
    print!("{out}");
}
