//! Damage outside of the code: symbols, relocations, sections and hints of accepted files.
//!
//! Each test takes a case that is Proved, changes one thing, and expects a refusal in the right words.

#[path = "support/bytes.rs"]
mod bytes;
#[path = "support/refuse.rs"]
mod refuse;
#[expect(dead_code, reason = "what twins need is used by the tests of cases")]
mod support;

use bytes::*;
use object::write::{Object, Relocation, Symbol, SymbolId, SymbolSection};
use object::{RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope};
use refuse::{case, refuse, refuse_object};
use support::{Case, INIT, parse, words_of};
use synth_verify::check::{Checks, check};
use synth_verify::domain::Bin32;
use synth_verify::hints::{Cut, Expr, Hints, Location, codec};
use synth_verify::verdict::Verdict;

/// Expects a refusal of a case after a change of its hints.
fn refuse_hints(name: &str, words: &str, change: impl FnOnce(&mut Hints)) {
    let case = case(name);
    let mut hints = case.hints();
    change(&mut hints);
    let mut object = case.object();
    let section = object.add_section(Vec::new(), b".synth.hints".to_vec(), SectionKind::Other);
    object.append_section_data(section, &codec::encode(&hints), 1);
    refuse(&case.wasm, &object.write().unwrap(), words);
}

/// Expects a refusal of a case after a change of its code or relocations.
fn refuse_case(name: &str, words: &str, change: impl FnOnce(&mut Case)) {
    let mut case = case(name);
    change(&mut case);
    refuse(&case.wasm, &case.elf(), words);
}

#[test]
fn two_export_symbols_swapped() {
    refuse_object("startup", "is not the one global function symbol", |object| {
        let (a, b) = (object.symbol_id(b"a").unwrap(), object.symbol_id(b"b").unwrap());
        object.symbol_mut(a).name = b"b".to_vec();
        object.symbol_mut(b).name = b"a".to_vec();
    });
}

#[test]
fn an_export_that_is_weak_local_or_hidden() {
    let words = "is not the one global function symbol";
    refuse_object("startup", words, |object| {
        let a = object.symbol_id(b"a").unwrap();
        object.symbol_mut(a).weak = true;
    });
    for scope in [SymbolScope::Compilation, SymbolScope::Linkage] {
        refuse_object("startup", words, |object| {
            let a = object.symbol_id(b"a").unwrap();
            object.symbol_mut(a).scope = scope;
        });
    }
}

#[test]
fn an_export_without_the_thumb_bit() {
    refuse_object("startup", "is not the one global function symbol", |object| {
        let a = object.symbol_id(b"a").unwrap();
        object.symbol_mut(a).value &= !1;
    });
}

#[test]
fn an_import_bound_to_the_other_import() {
    refuse_case("startup", "calls function 1 where Wasm calls function 0", |case| {
        case.functions.get_mut(&4).unwrap().relocations[0].2 = "env_put".to_owned();
    });
}

#[test]
fn an_import_of_two_types() {
    let text = |second: &str| {
        let wat = format!(r#"(module (import "e" "f" (func)) (import "e" "f" (func {second})) (func))"#);
        parse(&format!("[wat]\n{wat}\n[code 2]\nframe 0\n4770 | lr:@lr | frame\n[code init]\n4770 |\n"))
    };
    let report = check(&text("").wasm, &text("").elf(), Checks::All).unwrap();
    assert!(report.proved(), "{}", words_of(&report));
    let case = text("(param i32)");
    refuse(&case.wasm, &case.elf(), "import e_f has two types");
}

#[test]
fn an_import_that_may_stay_undefined() {
    refuse_object("startup", "not asked for as a global symbol", |object| {
        let import = object.symbol_id(b"env_log").unwrap();
        object.symbol_mut(import).weak = true;
    });
}

#[test]
fn an_import_that_the_file_defines() {
    for name in ["env_put", "synth_stack_limit"] {
        refuse_object("startup", "is defined in the file itself", |object| {
            let function = object.symbol_id(b"a").unwrap();
            again(object, function, name);
        });
    }
}

/// A handler or a library's function, to a linker.
#[test]
fn a_name_for_others_that_is_no_export() {
    for (name, is_weak) in [("SysTick_Handler", false), ("memcpy", false), ("memcpy", true)] {
        refuse_object("startup", "is defined for others, and is nothing that the module exports", |object| {
            let function = object.symbol_id(b"a").unwrap();
            let alias = again(object, function, name);
            object.symbol_mut(alias).weak = is_weak;
        });
    }
}

#[test]
fn more_bytes_than_can_be_set() {
    refuse_object("startup", "there are more than 134217728 bytes to load", |object| {
        let memory = object.symbol_id(b"m.memory0").unwrap();
        let SymbolSection::Section(section) = object.symbol(memory).section else { panic!("it has a section") };
        object.append_section_bss(section, 1 << 27, 8);
    });
}

#[test]
fn a_relocation_against_an_unknown_name() {
    refuse_case("startup", "names \"mem_cpy\", which code may not", |case| {
        case.functions.get_mut(&4).unwrap().relocations[0].2 = "mem_cpy".to_owned();
    });
}

#[test]
fn two_regions_in_one_place() {
    refuse_object("startup", "overlap", |object| {
        let memory = object.symbol_id(b"m.memory0").unwrap();
        let home = object.symbol(memory).section;
        let instance = object.symbol_id(b"m.instance").unwrap();
        object.symbol_mut(instance).section = home;
        object.symbol_mut(instance).value = 64;
    });
}

#[test]
fn a_region_that_linkers_place_among_constants() {
    for (symbol, own) in [("m.memory0", ".bss.m.memory0"), ("m.instance", ".bss.m.instance")] {
        let mut elf = case("startup").elf();
        let name = word(&elf, section_header(&elf, ".rodata.m.data"));
        set_section(&mut elf, own, 0, name);
        refuse(&case("startup").wasm, &elf, &format!("{symbol} does not lie in section {own}"));
    }
}

#[test]
fn a_region_that_is_too_small_or_misaligned() {
    refuse_object("startup", "which the module does not allow", |object| {
        let memory = object.symbol_id(b"m.memory0").unwrap();
        object.symbol_mut(memory).size -= 4;
    });
    refuse_object("startup", "8-aligned", |object| {
        let memory = object.symbol_id(b"m.memory0").unwrap();
        object.symbol_mut(memory).value = 4;
    });
}

#[test]
fn code_that_may_be_linked_to_an_odd_word() {
    let mut elf = case("loop-sum").elf();
    set_section(&mut elf, ".text.m", 32, 2);
    refuse(&case("loop-sum").wasm, &elf, "the code is not aligned");
}

#[test]
fn code_that_may_be_written() {
    let mut elf = case("loop-sum").elf();
    set_section(&mut elf, ".text.m", 8, 7);
    refuse(&case("loop-sum").wasm, &elf, "is no read-only code");
}

#[test]
fn a_section_that_linkers_treat_in_their_own_way() {
    let wasm = case("startup").wasm;
    // Merged with equal strings, a member of a group, left out: System V gABI, section flags.
    for flag in [0x30, 0x200, 0x8000_0000] {
        let mut elf = case("startup").elf();
        set_section(&mut elf, ".rodata.m.data", 8, 2 | flag);
        refuse(&wasm, &elf, "a loaded section has flags");
    }
    let mut elf = case("startup").elf();
    set_section(&mut elf, ".rel.text.m", 4, 0x4000_0014);
    refuse(&wasm, &elf, "section type 0x40000014 is not modelled");
    refuse_object("startup", "has a meaning to linkers", |object| {
        let section = object.add_section(Vec::new(), b".gnu.lto_main".to_vec(), SectionKind::Other);
        object.append_section_data(section, &[0; 4], 1);
    });
}

#[test]
fn a_section_that_runs_by_itself() {
    refuse_object("startup", ".init_array is loaded and belongs to nothing", |object| {
        let section = object.add_section(Vec::new(), b".init_array".to_vec(), SectionKind::Data);
        object.append_section_data(section, &[0; 4], 4);
    });
}

#[test]
fn a_second_section_of_code() {
    refuse_object("startup", "belongs to nothing", |object| {
        let section = object.add_section(Vec::new(), b".text.other".to_vec(), SectionKind::Text);
        object.append_section_data(section, &[0x70, 0x47], 4);
    });
}

/// What others find by the names of exported memories and of instantiation.
#[test]
fn what_is_exported_is_no_data_for_others() {
    let words = "the exported memory is not the one global symbol m_memory";
    let changes: [fn(&mut Symbol); 5] = [
        |symbol| symbol.size -= 1,
        |symbol| symbol.value += 8,
        |symbol| symbol.kind = SymbolKind::Text,
        |symbol| symbol.scope = SymbolScope::Linkage,
        |symbol| symbol.weak = true,
    ];
    for change in changes {
        refuse_object("popcnt-scratch", words, |object| {
            let memory = object.symbol_id(b"m_memory").unwrap();
            change(object.symbol_mut(memory));
        });
    }
    refuse_object("startup", "there is no one global function m_init", |object| {
        let init = object.symbol_id(b"m_init").unwrap();
        object.symbol_mut(init).scope = SymbolScope::Linkage;
    });
}

#[test]
fn constants_that_may_be_written() {
    let case = case("startup");
    let mut elf = case.elf();
    set_section(&mut elf, ".rodata.m.data", 8, 3);
    refuse(&case.wasm, &elf, "m.data does not lie in section .rodata.m.data of its kind");
}

#[test]
fn two_functions_exchanged() {
    refuse_object("table-calls", "f1 overlaps the function before it", |object| {
        let (a, b) = (object.symbol_id(b"m.f0").unwrap(), object.symbol_id(b"m.f1").unwrap());
        object.symbol_mut(a).name = b"m.f1".to_vec();
        object.symbol_mut(b).name = b"m.f0".to_vec();
    });
}

#[test]
fn a_descriptor_of_another_function() {
    let case = case("table-calls");
    let mut elf = case.elf();
    let place = section_place(&elf, ".rodata.m.functions").0;
    let words = "the descriptor of function 0 does not describe it";
    // The type id and the code address.
    elf[place] = 2;
    refuse(&case.wasm, &elf, words);
    elf[place] = 1;
    elf[place + 4] = 4;
    refuse(&case.wasm, &elf, words);
    // An even address: the symbol's, which is odd, less 1.
    elf[place + 4..place + 8].fill(0xff);
    refuse(&case.wasm, &elf, words);
    set_section(&mut elf, ".rodata.m.functions", 8, 3);
    refuse(&case.wasm, &elf, "m.functions is not a local, 8-aligned region in a section of the right kind");
}

#[test]
fn a_table_entry_that_is_another_function() {
    let case = case("table-calls");
    let mut elf = case.elf();
    let place = section_place(&elf, ".rodata.m.table0").0;
    // Another descriptor, the midst of one, and one in place of null.
    for (at, value, words) in [
        (0, 8, "entry 0 of table 0 is not what instantiation puts there"),
        (0, 4, "entry 0 of table 0 is not what instantiation puts there"),
        (12, 8, "entry 3 of table 0 is not what instantiation puts there"),
    ] {
        elf[place + at] = value;
        refuse(&case.wasm, &elf, words);
        elf[place + at] = 0;
    }
}

#[test]
fn a_table_entry_that_a_linker_changes() {
    let words = "has a relocation at 0x0, where the module has no address";
    // A type id, the null entry, the bytes of another entry, and data.
    refuse_object("table-calls", words, |object| relocate(object, ("m.functions", 0), "m.table0"));
    refuse_object("table-calls", "entry 3 of table 0 is not what instantiation puts there", |object| {
        relocate(object, ("m.table0", 12), "m.functions");
    });
    refuse_object("table-calls", "two relocations of section 3 at 0x2", |object| {
        relocate(object, ("m.table0", 2), "m.functions");
    });
    refuse_object("startup", words, |object| relocate(object, ("m.data", 0), "m.memory0"));
}

#[test]
fn a_descriptor_of_the_namesake_of_a_function() {
    let case = case("table-calls");
    let mut elf = case.elf();
    let mut twin = case.object();
    support::undefined(&mut twin, "m.f0");
    let known = rel_symbol(&elf, ".rel.rodata.m.functions");
    // The row of m.f0 turns into one that is not defined: another file gives it a meaning.
    let row = symbol_row(&elf, known);
    elf[row + 14..row + 16].copy_from_slice(&[0, 0]);
    refuse(&case.wasm, &elf, "there is no one symbol m.f0");
    let section = twin.add_section(Vec::new(), b".synth.hints".to_vec(), SectionKind::Other);
    twin.append_section_data(section, &codec::encode(&case.hints()), 1);
    let mut elf = twin.write().unwrap();
    refuse(&case.wasm, &elf, "\"m.f0\" is not defined, and is nothing that the module imports");
    let other = (known..).find(|index| *index != known && symbol_name(&elf, *index) == "m.f0").unwrap();
    let at = section_place(&elf, ".rel.rodata.m.functions").0 + 4;
    elf[at..at + 4].copy_from_slice(&((other as u32) << 8 | 2).to_le_bytes());
    refuse(&case.wasm, &elf, "the descriptor of function 0 does not describe it");
}

#[test]
fn a_symbol_that_linkers_take_for_a_local_one() {
    for change in [1, u32::MAX] {
        let mut elf = case("startup").elf();
        let locals = word(&elf, section_header(&elf, ".symtab") + 28);
        set_section(&mut elf, ".symtab", 28, locals.wrapping_add(change));
        refuse(&case("startup").wasm, &elf, "is on the wrong side of the local symbols");
    }
}

#[test]
fn an_instruction_that_the_architecture_lacks() {
    for (architecture, name) in [(10, "Armv7-M"), (17, "Armv8-M.main")] {
        let words = format!("the file is for {name}, which has no Dsp instructions");
        refuse_case("multiply-high", &words, |case| case.architecture = architecture);
    }
    refuse_case("multiply-high", "architecture 16 is not modelled", |case| case.architecture = 16);
    refuse_case("init-stack", "the file is for Armv7-M, which has no Dsp instructions", |case| {
        // m_init: smmul r0, r0, r1; bx lr.
        case.functions.get_mut(&INIT).unwrap().bytes = vec![0x50, 0xfb, 0x01, 0xf0, 0x70, 0x47];
    });
    let report = |name: &str| check(&case(name).wasm, &case(name).elf(), Checks::All).unwrap();
    assert_eq!(report("multiply-high").target.map(|target| target.to_string()), Some("Armv7E-M".into()));
    assert_eq!(report("init-stack").target.map(|target| target.to_string()), Some("Armv7-M".into()));
}

#[test]
fn an_instruction_that_the_floating_point_unit_lacks() {
    let words = "the file is for Armv7E-M and FPv5-SP, which has no FloatDouble instructions";
    refuse_case("float-double", words, |case| case.float = Some([8, 1]));
    let words = "the file is for Armv7E-M and FPv4-SP, which has no FloatRounding instructions";
    refuse_case("float-single", words, |case| {
        // The function `root`: VRINTP.F32 in the place of VSQRT.F32.
        let root = &mut case.functions.get_mut(&6).unwrap().bytes;
        root[16..20].copy_from_slice(&[0xba, 0xfe, 0x40, 0x0a]);
    });
    refuse_case("float-single", "the file is for Armv7E-M, which has no Float instructions", |case| case.float = None);
    refuse_case("float-single", "floating-point unit 7 with precision 1 is not modelled", |case| {
        case.float = Some([7, 1]);
    });
}

#[test]
fn what_the_smallest_architecture_lacks() {
    let words = "the file is for Armv6-M, which has no Main instructions";
    for name in ["division", "it-block", "long-words"] {
        refuse_case(name, words, |case| case.architecture = 11);
    }
}

#[test]
fn code_of_a_function_that_does_not_run() {
    refuse_case("memory-grow", "uncovered bytes: 8", |case| {
        // movs r0, #99; cpsid i; svc; b
        let code = case.functions.get_mut(&0).unwrap();
        code.bytes.extend([0x63, 0x20, 0x72, 0xb6, 0xff, 0xdf, 0xfb, 0xe7]);
        code.hints.code_bytes += 8;
    });
}

#[test]
fn code_of_instantiation_that_does_not_run() {
    refuse_case("init-stack", "uncovered bytes: 8", |case| {
        // movs r0, #99; cpsid i; svc; b
        case.functions.get_mut(&INIT).unwrap().bytes.extend([0x63, 0x20, 0x72, 0xb6, 0xff, 0xdf, 0xfb, 0xe7]);
    });
}

#[test]
fn instantiation_that_runs_other_code() {
    refuse_case("init-stack", "which is not its own", |case| {
        // b to the end of f: bx lr.
        case.functions.get_mut(&INIT).unwrap().bytes = vec![0xfd, 0xe7];
    });
}

#[test]
fn a_half_of_an_address_in_the_other_instruction() {
    let refused = |at: usize| {
        refuse_case("startup", "a relocation of the other half", |case| {
            let init = &mut case.functions.get_mut(&INIT).unwrap().bytes;
            assert!([0xf240, 0xf2c0].contains(&u16::from_le_bytes([init[at], init[at + 1]])));
            // MOVW becomes MOVT, and MOVT MOVW.
            init[at] ^= 0x80;
        });
    };
    let of_init = case("startup").functions[&INIT].bytes.clone();
    let halves: Vec<usize> =
        (0..of_init.len() - 1).step_by(2).filter(|at| matches!(of_init[*at..*at + 2], [0x40 | 0xc0, 0xf2])).collect();
    assert!(halves.len() >= 4);
    halves.into_iter().for_each(refused);
}

#[test]
fn the_stack_of_instantiation_is_reported() {
    let report = |name: &str| check(&case(name).wasm, &case(name).elf(), Checks::All).unwrap();
    assert_eq!(report("init-stack").init_stack_bytes, 57344);
    assert_eq!(report("limit-alignment").init_stack_bytes, 0);
}

#[test]
fn a_data_byte_wrong() {
    let case = case("startup");
    let mut elf = case.elf();
    let place = elf.windows(6).position(|bytes| bytes == b"abcdxy").unwrap();
    elf[place + 1] ^= 1;
    refuse(&case.wasm, &elf, "byte 0x5 of memory 0");
}

#[test]
fn the_file_of_another_module() {
    let other = case("division");
    refuse(&case("loop-sum").wasm, &other.elf(), "made from another Wasm module");
}

#[test]
fn a_function_without_a_symbol_of_its_own() {
    refuse_object("long-words", "there is no one symbol m.f2", |object| {
        let symbol = object.symbol_id(b"m.f2").unwrap();
        object.symbol_mut(symbol).name = b"m.f9".to_vec();
    });
}

#[test]
fn a_symbol_twice() {
    refuse_object("long-words", "there is no one symbol m.f1", |object| {
        let function = object.symbol_id(b"m.f1").unwrap();
        again(object, function, "m.f1");
    });
    refuse_object("startup", "there is no one symbol m.memory0", |object| {
        let section = SymbolSection::Absolute;
        object.add_symbol(Symbol {
            name: b"m.memory0".to_vec(),
            value: 0x2000_0000,
            size: 65536,
            kind: SymbolKind::Data,
            scope: SymbolScope::Compilation,
            weak: false,
            section,
            flags: SymbolFlags::None,
        });
    });
}

#[test]
fn a_loop_without_its_cut() {
    refuse_hints("loop-sum", "a cut is missing", |hints| _ = hints.functions[0].cuts.remove(0));
}

#[test]
fn a_cut_that_says_less_than_is_needed() {
    refuse_hints("loop-sum", "not shown to lie inside one region", |hints| {
        hints.functions[0].cuts[0].locations.retain(|located| located.location != Location::Core(4));
    });
    refuse_hints("loop-sum", "the jump does not go to the return address", |hints| {
        hints.functions[0].cuts[1].locations.retain(|located| located.location != Location::Core(14));
    });
    refuse_hints("loop-sum", "callee-saved register r9 is not restored", |hints| {
        hints.functions[0].cuts[1].locations.retain(|located| located.location != Location::Core(9));
    });
}

#[test]
fn a_cut_that_says_more_than_is_so() {
    refuse_hints("loop-sum", "a fact of the cut", |hints| {
        let cut = &mut hints.functions[0].cuts[0];
        cut.nodes.push(Expr::Const32(0));
        cut.facts.push(cut.nodes.len() as u32 - 1);
    });
    refuse_hints("loop-sum", "does not hold value", |hints| {
        let cut = &mut hints.functions[0].cuts[0];
        cut.nodes.push(Expr::Const32(0));
        cut.locations[0].value = cut.nodes.len() as u32 - 1;
    });
    refuse_hints("loop-sum", "local 2 at the cut", |hints| {
        let cut = &mut hints.functions[0].cuts[0];
        cut.locals[2] = cut.locals[1];
    });
}

#[test]
fn a_cut_at_another_place_of_the_module() {
    refuse_hints("empty-loop", "Wasm", |hints| {
        let cut = &mut hints.functions[0].cuts[0];
        cut.source[0].1 += 2;
    });
    refuse_hints("empty-loop", "names no Wasm instruction", |hints| hints.functions[0].cuts[0].source[0].1 += 1);
    refuse_hints("empty-loop", "does not name one place", |hints| hints.functions[0].cuts[0].source.clear());
    refuse_hints("loop-sum", "SP is 8 bytes below entry at the cut, 0 are declared", |hints| {
        hints.functions[0].cuts[0].depth = 0;
    });
}

#[test]
fn two_cuts_that_lead_to_each_other_at_one_place_of_wasm() {
    refuse_hints("empty-loop", "goes on to the next cut where Wasm returns", |hints| {
        let mut other = hints.functions[0].cuts[0].clone();
        other.at += 2;
        hints.functions[0].cuts.push(other);
    });
}

#[test]
fn a_cut_inside_an_it_block() {
    refuse_hints("it-block", "a cut stands inside an IT block", |hints| {
        let source = case("it-block").hints().functions[1].function;
        let module = synth_verify::wasm::module::read(&case("it-block").wasm).unwrap();
        let offset = module.function(source).unwrap().offset(1).unwrap();
        hints.functions[1].cuts.push(Cut { at: 4, source: vec![(source, offset)], ..Cut::default() });
    });
}

/// Operators in a cut are total: one that would trap has a value, and shows nothing of an access.
#[test]
fn an_expression_that_would_trap() {
    let with = |change: &dyn Fn(&mut Hints)| {
        let case = case("loop-sum");
        let mut hints = case.hints();
        let cut = &mut hints.functions[0].cuts[0];
        let next = cut.nodes.len() as u32;
        // The word at the address in r0, which is not checked yet, and a quotient by 0.
        cut.nodes.extend([Expr::Load(0, 4, 0), Expr::Const32(0), Expr::Bin32(Bin32::DivU, next, next + 1)]);
        change(&mut hints);
        let mut object = case.object();
        let section = object.add_section(Vec::new(), b".synth.hints".to_vec(), SectionKind::Other);
        object.append_section_data(section, &codec::encode(&hints), 1);
        (case.wasm, object.write().unwrap())
    };
    let (wasm, elf) = with(&|_| {});
    let report = check(&wasm, &elf, Checks::All).unwrap();
    assert!(report.proved(), "{}", words_of(&report));
    // The bound of the check is not in r5.
    let (wasm, elf) = with(&|hints| {
        hints.functions[0].cuts[0].locations.retain(|located| located.location != Location::Core(5));
    });
    refuse(&wasm, &elf, "not shown to lie inside one region");
    let (wasm, elf) = with(&|hints| {
        let cut = &mut hints.functions[0].cuts[0];
        cut.facts.push(cut.nodes.len() as u32 - 1);
    });
    refuse(&wasm, &elf, "a fact of the cut");
}

#[test]
fn a_cut_outside_of_its_function() {
    for at in [0x8000_0000, u32::MAX] {
        refuse_hints("loop-sum", "a cut stands outside its function", |hints| {
            hints.functions[0].cuts.last_mut().unwrap().at = at;
        });
    }
}

#[test]
fn a_frame_that_is_larger_than_declared() {
    refuse_hints("spill-slots", "SP is 36 bytes below entry, 0 are declared", |hints| {
        hints.functions[0].frame_bytes = 0
    });
}

#[test]
fn a_limit_check_that_is_not_made() {
    refuse_hints("loop-sum", "before the stack limit is checked", |hints| hints.functions[0].checked_bytes = 8);
    refuse_hints("recursion", "calls itself without a stack limit check", |hints| hints.functions[0].checked_bytes = 0);
    refuse_hints("recursion", "before the stack limit is checked", |hints| {
        hints.functions[0].checked_bytes = 0xffff_fff8;
    });
    refuse_case("limit-before-call", "f checks for 4 bytes of stack and needs 8", |case| {
        let code = case.functions.get_mut(&0).unwrap();
        code.hints.checked_bytes = 4;
        // add r12, r12, #8, with 4.
        assert_eq!(code.bytes[12..16], [0x0c, 0xf1, 0x08, 0x0c]);
        code.bytes[14] = 4;
    });
}

/// Half of the checks find nothing, and prove nothing.
#[test]
fn half_of_the_checks() {
    let case = case("loop-sum");
    for (checks, is_proved) in [(Checks::All, true), (Checks::Segments, false), (Checks::Ranges, false)] {
        let report = check(&case.wasm, &case.elf(), checks).unwrap();
        assert!(report.functions.iter().all(|function| function.findings.is_empty()));
        let verdicts = report.functions.iter().map(|function| function.verdict == Verdict::Proved);
        assert!(verdicts.into_iter().all(|proved| proved == is_proved) && report.proved() == is_proved, "{checks:?}");
    }
}

#[test]
fn a_limit_word_that_may_stay_undefined() {
    refuse_object("recursion", "not asked for as a global symbol", |object| {
        let limit = object.symbol_id(b"synth_stack_limit").unwrap();
        object.symbol_mut(limit).weak = true;
    });
}

#[test]
fn records_of_hints_missing_doubled_or_exchanged() {
    refuse_hints("long-words", "there is no one record of hints", |hints| _ = hints.functions.pop());
    refuse_hints("long-words", "there is no one record of hints", |hints| {
        let again = hints.functions[1].clone();
        hints.functions.push(again);
    });
    refuse_hints("call-arguments", "0 are declared", |hints| {
        let numbers: Vec<u32> = hints.functions.iter().map(|function| function.function).collect();
        hints.functions.rotate_left(1);
        for (function, number) in hints.functions.iter_mut().zip(numbers) {
            function.function = number;
        }
    });
}

#[test]
fn a_prefix_that_gives_exports_other_names() {
    refuse_hints("startup", "is not the module's name", |hints| hints.export_prefix = "a".to_owned());
}

/// `_init` runs before `main`; readers of symbols differ in what is no ASCII, or behind an `@`.
#[test]
fn a_name_that_is_no_name_of_symbols() {
    for name in ["", "m\u{fffd}", "m@@V1", "a.b"] {
        refuse_hints("startup", "is no name of a module", |hints| hints.module_name = name.to_owned());
    }
}

#[test]
fn no_code_for_instantiation() {
    refuse_case("division", "there is no one global function m_init", |case| _ = case.functions.remove(&INIT));
}

#[test]
fn no_hints() {
    let case = case("division");
    refuse(&case.wasm, &case.object().write().unwrap(), "there is no section .synth.hints");
}

/// Adds the address of a symbol to the word at an offset in the section of another.
fn relocate(object: &mut Object<'_>, (place, offset): (&str, u64), name: &str) {
    let [place, symbol] = [place, name].map(|name| object.symbol_id(name.as_bytes()).unwrap());
    let SymbolSection::Section(section) = object.symbol(place).section else { panic!("it is in no section") };
    let flags = RelocationFlags::Elf { r_type: object::elf::R_ARM_ABS32 };
    object.add_relocation(section, Relocation { offset, symbol, addend: 0, flags }).unwrap();
}

/// A symbol with another name for what one symbol names.
fn again(object: &mut Object<'_>, known: SymbolId, name: &str) -> SymbolId {
    let symbol = object.symbol(known);
    let symbol = Symbol {
        name: name.as_bytes().to_vec(),
        value: symbol.value,
        size: symbol.size,
        kind: symbol.kind,
        scope: symbol.scope,
        weak: symbol.weak,
        section: symbol.section,
        flags: SymbolFlags::None,
    };
    object.add_symbol(symbol)
}
