//! What comparisons found, as the tables of `docs/fidelity.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use super::decode::{Comparison, Disassembler};
use super::profile::Profile;
use super::semantics::{Found, Tally};

/// A comparison of the decoder.
pub struct Decoded {
    /// The processor.
    pub profile: &'static Profile,
    /// The other side.
    pub by: Disassembler,
    /// What was compared.
    pub what: &'static str,
    /// What was found.
    pub found: Comparison,
}

/// The tables of the decoder.
pub fn decoded(all: &[Decoded]) -> Result<String, fmt::Error> {
    let mut text = String::new();
    writeln!(
        text,
        "| processor | encodings | number | by | same text | refused by both | explained | different | theirs alone |"
    )?;
    writeln!(text, "|---|---|---:|---|---:|---:|---:|---:|---:|")?;
    for Decoded { profile, by, what, found } in all {
        let explained: usize = found.explained.values().sum();
        let theirs: usize = found.theirs.values().map(|(count, _)| count).sum();
        let Comparison { compared, same, refused, differences, .. } = found;
        let (name, by) = (profile.name, by.name());
        writeln!(
            text,
            "| {name} | {what} | {compared} | {by} | {same} | {refused} | {explained} | {differences} | {theirs} |"
        )?;
    }
    let mut explained: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut theirs: BTreeMap<&str, ([usize; 2], &str)> = BTreeMap::new();
    for Decoded { by, found, .. } in all {
        for (why, count) in &found.explained {
            *explained.entry((why, by.name())).or_default() += count;
        }
        for (why, (count, example)) in &found.theirs {
            theirs.entry(why).or_insert(([0; 2], example)).0[usize::from(*by == Disassembler::Binutils)] += count;
        }
    }
    writeln!(text, "\n| explained | by | number |\n|---|---|---:|")?;
    for ((why, by), count) in explained {
        writeln!(text, "| {why} | {by} | {count} |")?;
    }
    writeln!(
        text,
        "\n| accepted by the other alone: why we refuse it | LLVM | binutils | for example |\n|---|---:|---:|---|"
    )?;
    for (why, ([llvm, binutils], example)) in theirs {
        writeln!(text, "| {why} | {llvm} | {binutils} | `{example}` |")?;
    }
    Ok(text)
}

/// The tables of the semantics.
pub fn run(all: &[(&Profile, Found)]) -> Result<String, fmt::Error> {
    let mut text = String::new();
    writeln!(
        text,
        "| processor | board | cases | different | of them faults of both | not run: refused for alignment alone | code sequences | in IT blocks of 1, 2, 3, 4 |"
    )?;
    writeln!(text, "|---|---|---:|---:|---:|---:|---:|---|")?;
    for (profile, found) in all {
        let count = |of: fn(&Tally) -> u64| found.classes.values().map(of).sum::<u64>();
        let blocks: Vec<String> = found.blocks[1..].iter().map(u64::to_string).collect();
        let (compared, different, encodings) = (found.compared(), found.different(), found.encodings.len());
        let (faults, cautious) = (count(|tally| tally.faults), count(|tally| tally.cautious));
        let (name, board, blocks) = (profile.name, profile.board, blocks.join(", "));
        writeln!(
            text,
            "| {name} | {board} | {compared} | {different} | {faults} | {cautious} | {encodings} | {blocks} |"
        )?;
    }
    let heads: String = all.iter().map(|(profile, _)| format!(" {} |", profile.name)).collect();
    writeln!(text, "\nCases of each instruction, `/` before how many differ:\n")?;
    writeln!(text, "| instruction | forms |{heads}")?;
    writeln!(text, "|---|---:|{}", "---:|".repeat(all.len()))?;
    let mut forms: BTreeMap<&str, BTreeSet<&(String, u32)>> = BTreeMap::new();
    for class in all.iter().flat_map(|(_, found)| found.classes.keys()) {
        forms.entry(mnemonic(class)).or_default().insert(class);
    }
    for (name, forms) in &forms {
        write!(text, "| {name} | {} |", forms.len())?;
        for (_, found) in all {
            let tallies = forms.iter().filter_map(|class| found.classes.get(*class));
            let [mut compared, mut different] = [0; 2];
            for tally in tallies {
                compared += tally.compared + tally.faults;
                different += tally.different;
            }
            match different {
                0 => write!(text, " {compared} |")?,
                _ => write!(text, " {compared} / {different} |")?,
            }
        }
        writeln!(text)?;
    }
    writeln!(text, "\n| form never run outside an IT block | bytes | on | because |\n|---|---:|---|---|")?;
    for class in forms.values().flatten() {
        let none = |found: &Found| found.classes.get(*class).filter(|tally| tally.alone + tally.faults == 0).cloned();
        let on: Vec<(&str, Tally)> =
            all.iter().filter_map(|(profile, found)| none(found).map(|tally| (profile.name, tally))).collect();
        let names: Vec<&str> = on.iter().map(|(name, _)| *name).collect();
        let why = on.iter().find_map(|(_, tally)| tally.why.as_deref()).unwrap_or("none was drawn");
        if !on.is_empty() {
            writeln!(text, "| {} | {} | {} | {why} |", class.0, class.1, names.join(", "))?;
        }
    }
    Ok(text)
}

fn mnemonic(class: &(String, u32)) -> &str {
    class.0.split(' ').next().unwrap_or_default()
}
