//! Damage to what the ELF writers are given: callees, open ends, exports, tables, data, what instantiation does.

use synth::elf::program::{CellValue, InitStep, Program, Relocation, RelocationKind, Symbol, Table};
use synth_verify::hints::{Hints, codec};
use synth_verify::replay::Random;

use super::{Subject, choose, pick};

/// What is done, and the program then.
pub fn damage(subject: &Subject, random: &mut Random) -> Option<(&'static str, Program)> {
    let program = &subject.output.program;
    let mut found = Vec::new();
    relocations(program, subject, random, &mut found);
    exports(program, &mut found);
    functions(subject, &mut found);
    tables(program, random, &mut found);
    instantiation(program, random, &mut found);
    regions(program, &mut found);
    choose(found, random)
}

type Found = Vec<(&'static str, Program)>;

fn changed(program: &Program, change: impl FnOnce(&mut Program)) -> Program {
    let mut program = program.clone();
    change(&mut program);
    program
}

/// The open ends of code: another callee, another symbol, another addend, none.
fn relocations(program: &Program, subject: &Subject, random: &mut Random, found: &mut Found) {
    for (function, code) in program.functions.iter().enumerate() {
        for (at, open) in code.relocations.iter().enumerate() {
            let with = |relocation: Relocation| {
                changed(program, |program| program.functions[function].relocations[at] = relocation)
            };
            if let Symbol::Function(callee) = open.symbol {
                for other in subject.alike(callee) {
                    found.push(("other callee", with(Relocation { symbol: Symbol::Function(other), ..*open })));
                }
            }
            if !matches!(open.kind, RelocationKind::ThmCall | RelocationKind::ThmJump) {
                let step = [4, -4, 1, 0x100][random.below(4) as usize];
                found.push(("other addend", with(Relocation { addend: open.addend + step, ..*open })));
            }
            for symbol in [Symbol::Instance, Symbol::Memory(0), Symbol::Functions, Symbol::Data, Symbol::StackLimit] {
                if symbol != open.symbol && has(program, symbol) && !matches!(open.symbol, Symbol::Function(_)) {
                    found.push(("other symbol", with(Relocation { symbol, ..*open })));
                }
            }
            let without = changed(program, |program| _ = program.functions[function].relocations.remove(at));
            found.push(("relocation dropped", without));
        }
    }
}

/// Whether there is what a symbol names.
fn has(program: &Program, symbol: Symbol) -> bool {
    match symbol {
        Symbol::Memory(index) => (index as usize) < program.memories.len(),
        Symbol::Table(index) => (index as usize) < program.tables.len(),
        Symbol::Instance => program.instance_bytes > 0,
        Symbol::Functions => !program.descriptors.is_empty(),
        Symbol::Elements | Symbol::Data => false,
        Symbol::Function(_) | Symbol::StackLimit => true,
    }
}

fn exports(program: &Program, found: &mut Found) {
    for (at, one) in program.exports.iter().enumerate() {
        for (behind, other) in program.exports.iter().enumerate().skip(at + 1) {
            if one.function != other.function {
                found.push((
                    "exports exchanged",
                    changed(program, |program| {
                        program.exports[at].symbol.clone_from(&other.symbol);
                        program.exports[behind].symbol.clone_from(&one.symbol);
                    }),
                ));
            }
        }
        found.push(("export dropped", changed(program, |program| _ = program.exports.remove(at))));
    }
    for at in 0..program.globals.len() {
        found.push(("other exported global", changed(program, |program| program.globals[at].offset ^= 4)));
    }
}

/// The code of one function in the place of another, with its hints.
fn functions(subject: &Subject, found: &mut Found) {
    let program = &subject.output.program;
    for (at, one) in program.functions.iter().enumerate() {
        for (behind, other) in program.functions.iter().enumerate().skip(at + 1) {
            if subject.alike(one.index).contains(&other.index) {
                let mut hints: Hints = subject.output.hints.clone();
                for of_function in &mut hints.functions {
                    let number = of_function.function;
                    of_function.function = match number {
                        _ if number == one.index => other.index,
                        _ if number == other.index => one.index,
                        _ => number,
                    };
                }
                hints.functions.sort_by_key(|of_function| of_function.function);
                let program = changed(program, |program| {
                    program.functions.swap(at, behind);
                    (program.functions[at].index, program.functions[behind].index) = (one.index, other.index);
                    program.hints = codec::encode(&hints);
                });
                found.push(("functions exchanged", program));
            }
        }
    }
}

fn tables(program: &Program, random: &mut Random, found: &mut Found) {
    for at in 0..program.descriptors.len() {
        found.push(("other type of descriptor", changed(program, |program| program.descriptors[at].type_id ^= 3)));
        for other in program.descriptors.iter().filter(|other| other.function != program.descriptors[at].function) {
            found.push((
                "other function of descriptor",
                changed(program, |program| program.descriptors[at].function = other.function),
            ));
        }
    }
    for (at, table) in program.tables.iter().enumerate() {
        match table {
            Table::Constants(entries) => {
                let Some(entry) = pick(random, entries.len()) else { continue };
                let other = [None, Some(0), Some(8), Some(16)][random.below(4) as usize];
                let mut entries = entries.clone();
                entries[entry] = other;
                let table = Table::Constants(entries);
                found.push(("other table entry", changed(program, |program| program.tables[at] = table)));
            }
            Table::Ram(entries) => {
                let smaller = entries.saturating_sub(1);
                found.push(("table too small", changed(program, |program| program.tables[at] = Table::Ram(smaller))));
            }
        }
    }
}

fn instantiation(program: &Program, random: &mut Random, found: &mut Found) {
    for at in 0..program.instantiation.cells.len() {
        found.push((
            "other cell at the start",
            changed(program, |program| match &mut program.instantiation.cells[at].1 {
                CellValue::Number(number) => *number ^= 1,
                CellValue::Descriptor(offset) => *offset ^= 8,
            }),
        ));
        found.push(("cell dropped", changed(program, |program| _ = program.instantiation.cells.remove(at))));
    }
    let steps = &program.instantiation.steps;
    for (at, step) in steps.iter().enumerate() {
        found.push(("step dropped", changed(program, |program| _ = program.instantiation.steps.remove(at))));
        if at + 1 < steps.len() {
            found.push(("steps exchanged", changed(program, |program| program.instantiation.steps.swap(at, at + 1))));
        }
        match step {
            InitStep::Data(segment) => {
                let (place, bit) = (pick(random, segment.bytes.len()), random.below(8));
                found.extend(place.map(|place| {
                    let other = changed(program, |program| {
                        if let InitStep::Data(segment) = &mut program.instantiation.steps[at] {
                            segment.bytes[place] ^= 1 << bit;
                        }
                    });
                    ("other data byte", other)
                }));
                found.push((
                    "data elsewhere",
                    changed(program, |program| {
                        if let InitStep::Data(segment) = &mut program.instantiation.steps[at] {
                            segment.offset ^= 1;
                        }
                    }),
                ));
            }
            InitStep::Elements(elements) => {
                found.extend(pick(random, elements.entries.len()).map(|entry| {
                    let other = changed(program, |program| {
                        if let InitStep::Elements(elements) = &mut program.instantiation.steps[at] {
                            elements.entries[entry] = elements.entries[entry].map_or(Some(0), |_| None);
                        }
                    });
                    ("other table entry", other)
                }));
            }
            InitStep::Call(_) | InitStep::Trap(_) => {}
        }
    }
}

fn regions(program: &Program, found: &mut Found) {
    for (at, memory) in program.memories.iter().enumerate() {
        if memory.contents.is_none() {
            for bytes in [memory.reserve_bytes / 2, memory.reserve_bytes.wrapping_sub(1), memory.reserve_bytes + 4] {
                let other = changed(program, |program| program.memories[at].reserve_bytes = bytes);
                found.push(("other memory size", other));
            }
        }
        if let Some(contents) = &memory.contents
            && !contents.is_empty()
        {
            let other = changed(program, |program| {
                program.memories[at].contents.iter_mut().for_each(|contents| contents[0] ^= 1);
            });
            found.push(("other data byte", other));
        }
    }
    if program.instance_bytes >= 4 {
        found.push(("other instance size", changed(program, |program| program.instance_bytes -= 4)));
        found.push(("other instance size", changed(program, |program| program.instance_bytes += 4)));
    }
}
