//! A sample of what `fidelity` compares at length: the decoder with disassemblers, the meaning of instructions with
//! QEMU. Without those programs a test says that it is skipped, and fails in CI.

use std::collections::BTreeSet;

use synth_fuzz::fidelity::case::Generator;
use synth_fuzz::fidelity::decode::{Comparison, Disassembler, compare};
use synth_fuzz::fidelity::profile::{PROFILES, Profile};
use synth_fuzz::fidelity::sample::{Code, Sampler, abstracted, narrow};
use synth_fuzz::fidelity::text::{normal, of_binutils};
use synth_fuzz::fidelity::{semantics, tools};
use synth_verify::thumb::inst::Cond;

fn same(name: &str, of: (Disassembler, &Profile), codes: &[Code], condition: Option<Cond>) -> Option<Comparison> {
    let Some(found) = compare(of, codes, condition).expect("the disassembler works") else {
        tools::skipped(name, of.0.name());
        return None;
    };
    let texts = found.unexplained.join("\n");
    assert_eq!(found.differences, 0, "{} and {} differ:\n{texts}", of.0.name(), of.1.name);
    Some(found)
}

fn wide(count: usize, seed: u64) -> Vec<Code> {
    let mut sampler = Sampler::new(seed);
    (0..count).map(|_| sampler.code()).collect()
}

#[test]
fn every_16_bit_encoding_reads_as_disassemblers_read_it() {
    let codes: Vec<Code> = narrow().collect();
    for profile in &PROFILES {
        for by in Disassembler::ALL {
            let Some(found) = same("every_16_bit_encoding", (by, profile), &codes, None) else { return };
            assert!(found.same > if profile.name == "cortex-m0" { 51_000 } else { 57_000 }, "{}", found.same);
            // What a processor is said to lack, LLVM knows it to lack.
            let lacking = found.theirs.keys().find(|why| why.contains("which has no"));
            assert!(by == Disassembler::Binutils || lacking.is_none(), "{} has {lacking:?}", profile.name);
        }
    }
}

#[test]
fn sampled_32_bit_encodings_read_as_disassemblers_read_them() {
    let codes = wide(30_000, 7);
    for profile in &PROFILES {
        for by in Disassembler::ALL {
            let Some(found) = same("sampled_32_bit_encodings", (by, profile), &codes, None) else { return };
            assert!(found.same > if profile.name == "cortex-m0" { 100 } else { 6_000 }, "{}", found.same);
        }
    }
}

#[test]
fn conditional_text_is_llvms() {
    let codes: Vec<Code> = narrow().step_by(7).chain(wide(10_000, 3)).collect();
    for cond in [Cond::Lt, Cond::Hs] {
        let of = (Disassembler::Llvm, &PROFILES[0]);
        let Some(found) = same("conditional_text_is_llvms", of, &codes, Some(cond)) else { return };
        assert!(found.same > 10_000, "{}", found.same);
    }
}

#[test]
fn instructions_do_what_qemu_does() {
    for profile in &PROFILES {
        let Some(found) = semantics::compare(profile, 12_000, 5).expect("QEMU works") else {
            return tools::skipped("instructions_do_what_qemu_does", "QEMU or LLVM");
        };
        assert_eq!(found.different(), 0, "{}:\n{}", profile.name, found.differences.join("\n"));
        let never: BTreeSet<&str> = found
            .classes
            .iter()
            .filter(|(_, tally)| tally.compared + tally.faults == 0)
            .map(|((class, _), _)| class.split(' ').next().unwrap_or_default())
            .collect();
        let system = [
            "bkpt", "clrex", "cps", "dbg", "dmb", "dsb", "isb", "mrs", "msr", "sev", "svc", "vmrs", "vmsr", "wfe",
            "wfi", "yield",
        ];
        // SP plus SP is no address of a stack; PC is not loaded from below SP.
        let other: Vec<_> =
            never.iter().filter(|name| !system.contains(name) && !["add", "ldmdb"].contains(name)).collect();
        assert!(other.is_empty(), "{}: no case of {other:?}", profile.name);
    }
}

#[test]
fn every_class_is_drawn() {
    let classes: Vec<usize> = PROFILES.iter().map(|profile| Generator::new(profile, 1).classes().count()).collect();
    assert!(classes[0] > 400 && classes[4] > 70, "{classes:?}");
}

#[test]
fn texts_are_made_comparable() {
    assert_eq!(abstracted("ldrd r0, lr, [sp, #-8]!"), "ldrd r, r, [sp, #]!");
    assert_eq!(abstracted("vpop {s0, s1}"), "vpop {s..}");
    assert_eq!(abstracted("bne .+8"), "b<c> .");
    assert_eq!(abstracted("bl .+8"), "bl .");
    assert_eq!(abstracted("bics r1, r2, #8"), "bics r, r, #");
    assert_eq!(of_binutils("\tmov.w\tr1, r2, lsl #3"), "lsl r1, r2, #3");
    assert_eq!(of_binutils("\tvmov.f32\ts1, #240\t@ 0xbf800000 -1.0"), "vmov.f32 s1, #-1.000000e+00");
    assert_eq!(of_binutils("\tvldmia\tr1, {d0-d1}"), "vldmia r1, {d0, d1}");
    assert_eq!(of_binutils("\t\t\t@ <UNDEFINED> instruction: 0xf5810ede"), "");
    assert_eq!(normal("add.w r1, r1, #-1"), "add r1, #4294967295");
    assert_ne!(normal("add r1, r2, #1"), normal("add r2, r1, #1"));
}
