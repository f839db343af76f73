//! Temporary.
use std::collections::BTreeMap;
use synth_fuzz::choices::{Choices, decisions};
use synth_fuzz::target::decode::{is_read_alike, is_read_as_meant};
#[test]
fn temp() {
    let mut kinds: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let mut note = |why: String| {
        let key: Vec<&str> = why
            .split("] is ")
            .nth(1)
            .unwrap_or("")
            .split("; the other: ")
            .map(|t| t.split(' ').next().unwrap_or(""))
            .collect();
        let entry = kinds.entry(key.join(" / ")).or_insert((0, why));
        entry.0 += 1;
    };
    for h in 0..=0xffffu16 {
        if h >> 11 < 0b11101
            && let Err(why) = is_read_alike(&h.to_le_bytes())
        {
            note(why);
        }
    }
    for seed in 0..1500u64 {
        let bytes = decisions(seed, 4000);
        for c in bytes.chunks_exact(4) {
            let mut c = c.to_vec();
            c[1] = 0xe8 | c[1] & 0x1f;
            if let Err(why) = is_read_alike(&c) {
                note(why);
            }
        }
    }
    for (k, (n, w)) in &kinds {
        println!("{n:6} {k}: {w}");
    }
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..20000u64 {
        let bytes = decisions(seed, 100);
        let (inst, position) = synth_fuzz::machine::instruction(&mut Choices::new(&bytes));
        if let Err(why) = std::panic::catch_unwind(|| is_read_as_meant(&inst, position))
            .unwrap_or_else(|_| Err(format!("{inst:?} panics")))
        {
            let key: String = why.split(' ').next().unwrap_or("").to_owned();
            let n = seen.entry(key).or_insert(0);
            *n += 1;
            if *n <= 3 {
                println!("{why}");
            }
        }
    }
    println!("{seen:?}");
}

#[test]
fn alloc() {
    let (mut none, mut some, mut bad, mut unalloc) = (0, 0, 0, 0);
    let (mut ours, mut theirs) = (0, 0);
    let mut features: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for seed in 0..600u64 {
        let bytes = decisions(seed, [100, 300, 1000][seed as usize % 3]);
        let func = synth_fuzz::functions::function(&mut Choices::new(&bytes));
        let allocated = synth::alloc::run(&func);
        if let Err(why) = synth_fuzz::allocation::check(&func, &allocated) {
            println!("OWN {seed}: {why}");
        }
        let spilled = synth_fuzz::regalloc::spills(&func);
        {
            let ok = matches!(spilled, Ok(Some(_)));
            use synth::vcode::{Inst, operands::*};
            let ops = || func.blocks.values().flat_map(|b| &b.insts).map(|n| &n.inst);
            let mut f = vec![];
            if ops().any(|i| matches!(i, Inst::MulLongAdd { .. })) {
                f.push("mulladd");
            } else {
                f.push("no mulladd");
            }
            if ops().any(|i| matches!(i, Inst::Call(_))) {
                f.push("call");
            } else {
                f.push("no call");
            }
            if ops().any(|i| {
                let o = i.operands();
                o.iter().any(|d| matches!(d.constraint, Constraint::Tied(0)))
                    && o[1..].iter().any(|x| x.role == Role::Use && x.reg == o[0].reg)
            }) {
                f.push("tied twice");
            } else {
                f.push("no tied twice");
            }
            if ops().any(|i| i.operands().iter().any(|d| matches!(d.constraint, Constraint::Tied(_)))) {
                f.push("tied");
            } else {
                f.push("no tied");
            }
            if func.blocks.len() > 1 {
                f.push("blocks");
            } else {
                f.push("one block");
            }
            if func.float != synth::target::FloatUnit::None {
                f.push("float");
            } else {
                f.push("no float");
            }
            if ops().any(|i| matches!(i, Inst::Call(c) if matches!(c.callee, synth::vcode::inst::Callee::Register(_))))
            {
                f.push("callreg");
            } else {
                f.push("no callreg");
            }
            f.push(if func.isa == synth::target::Isa::V6M { "v6" } else { "v7" });
            for k in f {
                let e = features.entry(k).or_insert((0, 0));
                if ok { e.0 += 1 } else { e.1 += 1 }
            }
        }
        match spilled {
            Err(e) => {
                unalloc += 1;
                if unalloc < 5 {
                    println!("{seed} {e}");
                }
            }
            Ok(None) => none += 1,
            Ok(Some(s)) => {
                some += 1;
                ours += allocated.stats.spills + allocated.stats.reloads;
                theirs += s.moves;
                if s.slots == 0 && allocated.stats.spilled > 0 {
                    bad += 1;
                    if bad < 4 {
                        println!(
                            "{seed}: spills {} spurious {:?} isa {:?}",
                            allocated.stats.spilled, allocated.stats.spurious, func.isa
                        );
                    }
                }
            }
        }
    }
    for (k, v) in &features {
        println!("{k}: {v:?}");
    }
    println!("none {none} some {some} bad {bad} unalloc {unalloc}; {ours} against {theirs}");
}
