//! Boot images that are Proved, and refused after one change: in startup, in what is loaded, in symbols.

use object::{Object as _, ObjectSection as _, ObjectSymbol as _};
use synth::config::{Config, Cpu};
use synth::elf::program::{InitStep, Program, Segment};
use synth::elf::{ImageOptions, Imports, image};
use synth::stage::NoTap;
use synth::wasm::Input;
use synth_verify::check::{Checks, Options, Source, check, check_with};
use synth_verify::elf::Elf;

const MODULE: &str = r#"(module (import "env" "log" (func $log (param i32)))
  (memory 1) (data (i32.const 4) "abcd")
  (global $g (mut i32) (i32.const 3))
  (func $begin (global.set $g (i32.add (global.get $g) (i32.load (i32.const 4)))))
  (func $down (export "down") (param i32)
    (if (local.get 0) (then (call $log (local.get 0)) (call $down (i32.sub (local.get 0) (i32.const 1))))))
  (start $begin))"#;

fn compiled() -> (Vec<u8>, Program) {
    let wasm = wat::parse_str(MODULE).unwrap();
    let config = Config { module_name: "m".into(), ..Config::default() };
    let program = synth::compile(&wasm, &config, &mut NoTap).unwrap().program;
    (wasm, program)
}

fn linked(program: &Program) -> Vec<u8> {
    let options = ImageOptions { imports: Imports::Stubbed, ..ImageOptions::of(Config::default().cpu) };
    image(program, Config::default().cpu, options).unwrap()
}

/// Everything that the validator says of an image; nothing if it is Proved.
fn judgement(wasm: &[u8], elf: &[u8]) -> String {
    let report = match check(wasm, elf, Checks::All) {
        Ok(report) => report,
        Err(error) => return error.to_string(),
    };
    if report.proved() {
        return String::new();
    }
    let of_functions = report.functions.iter().flat_map(|function| &function.findings);
    let messages = of_functions.chain(&report.findings).map(|finding| finding.message.clone());
    let uncovered = format!("{} bytes uncovered", report.uncovered_bytes);
    messages.chain([uncovered]).collect::<Vec<_>>().join("\n")
}

/// Expects a refusal of a program whose startup does something else.
fn refuse_program(words: &str, change: impl FnOnce(&mut Program)) {
    let (wasm, mut program) = compiled();
    change(&mut program);
    let said = judgement(&wasm, &linked(&program));
    assert!(said.contains(words), "{words:?} expected: {said:?}");
}

/// Expects a refusal of an image whose bytes are changed.
fn refuse_bytes(words: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let (wasm, program) = compiled();
    let mut elf = linked(&program);
    change(&mut elf);
    let said = judgement(&wasm, &elf);
    assert!(!said.is_empty() && said.contains(words), "{words:?} expected: {said:?}");
}

/// A module and its image for a processor with a floating-point unit.
fn with_unit() -> (Vec<u8>, Vec<u8>) {
    let wasm = wat::parse_str(MODULE).unwrap();
    let cpu = Cpu::CortexM7;
    let config = Config { cpu, float: cpu.float_unit(), module_name: "m".into(), ..Config::default() };
    let program = synth::compile(&wasm, &config, &mut NoTap).unwrap().program;
    let options = ImageOptions { imports: Imports::Stubbed, ..ImageOptions::of(cpu) };
    (wasm, image(&program, cpu, options).unwrap())
}

/// An image for a floating-point unit is proved, and refused where start-up code does something else to the unit.
#[test]
fn the_floating_point_unit_is_set_up_otherwise() {
    let (wasm, elf) = with_unit();
    assert_eq!(judgement(&wasm, &elf), "");
    let bytes = |code: &[u16]| -> Vec<u8> { code.iter().flat_map(|half| half.to_le_bytes()).collect() };
    const NOP: [u16; 2] = [0xf3af, 0x8000];
    let damages: [(&[u16], &[u16], &str); 8] = [
        // STR r1, [r0]; MOV.W r1, #0xf00000, of which #0x500000 is access for privileged code alone.
        (&[0x6001, 0xf3bf], &[0xbf00, 0xf3bf], "Dsb has no place in compiled code"),
        (&[0xf44f, 0x0170], &[0xf44f, 0x01a0], "0xe000ed88"),
        // DSB, ISB, and both the other way round.
        (&[0xf3bf, 0x8f4f], &NOP, "Isb has no place in compiled code"),
        (&[0xf3bf, 0x8f6f], &NOP, "Vmsr { n: Reg(0) } has no place in compiled code"),
        (&[0xf3bf, 0x8f4f, 0xf3bf, 0x8f6f], &[0xf3bf, 0x8f6f, 0xf3bf, 0x8f4f], "Isb has no place in compiled code"),
        // VMSR FPSCR, r0; MOV.W r0, #0x2000000, of which #0x3000000 flushes to zero.
        (&[0xeee1, 0x0a10], &NOP, "the floating-point unit is not set up"),
        (&[0xf04f, 0x7000], &[0xf04f, 0x7040], "Vmsr { n: Reg(0) } has no place in compiled code"),
        // VADD.F32 s0, s0, s0 before the unit may be used.
        (&[0xf3bf, 0x8f4f], &[0xee30, 0x0a00], "the floating-point unit is used before it is set up"),
    ];
    for (code, other, words) in damages {
        let (code, other) = (bytes(code), bytes(other));
        let at = elf.windows(code.len()).position(|found| found == code).expect("start-up code has it");
        let mut damaged = elf.clone();
        damaged[at..at + code.len()].copy_from_slice(&other);
        let said = judgement(&wasm, &damaged);
        assert!(said.contains(words), "{words:?} expected: {said:?}");
    }
}

/// `Reset` with room for an IT block around VMSR: what stands before VMSR and behind it are instructions of 16 bits.
fn reset_with(elf: &mut [u8], before: u16, behind: u16) {
    let (_, start) = symbol(elf, "Reset");
    let header = segment(elf, start & !1);
    let place = (start & !1) - word(elf, header + 8);
    let at = (word(elf, header + 4) + place) as usize;
    // MOV.W r0, #0xe000e000; MOV.W r1, #0xf00000; STR.W r1, [r0, #0xd88]; DSB; ISB; MOVS.W r0, #0x2000000, which
    // makes EQ false.
    let setup = [
        0xf04f, 0x20e0, 0xf44f, 0x0170, 0xf8c0, 0x1d88, 0xf3bf, 0x8f4f, 0xf3bf, 0x8f6f, 0xf05f, 0x7000, before, 0xeee1,
        0x0a10, behind,
    ];
    let half = |elf: &[u8], at: usize| u32::from(elf[at]) | u32::from(elf[at + 1]) << 8;
    // BL and B.W, both two bytes further on; the harness is near enough for B.
    let call = half(elf, at + 30) << 16 | half(elf, at + 32);
    let low = (call & 0x7ff) - 1;
    let harness = ((half(elf, at + 36) & 0x7ff) << 1) as u16;
    let end = [(call >> 16) as u16, (call & !0x7ff | low) as u16, 0xe000 | (harness / 2 - 1)];
    for (index, code) in setup.into_iter().chain(end).enumerate() {
        elf[at + 2 * index..][..2].copy_from_slice(&code.to_le_bytes());
    }
}

/// Reset leads to the first instruction of the harness, which sets up what the others need.
#[test]
fn reset_leads_into_the_midst_of_the_harness() {
    refuse_bytes("which is not its own", |elf| {
        let (_, start) = symbol(elf, "Reset");
        let header = segment(elf, start & !1);
        let at = (word(elf, header + 4) + (start & !1) - word(elf, header + 8)) as usize;
        // BL m_init; B.W synth_harness, now two bytes further on.
        assert_eq!((elf[at + 5] >> 3, elf[at + 7] >> 4), (0b11110, 0xb));
        elf[at + 6] += 1;
    });
}

/// A step of setting up the unit that an IT block makes conditional is no step.
#[test]
fn the_floating_point_unit_is_set_up_under_a_condition() {
    const NOP: u16 = 0xbf00;
    let (wasm, elf) = with_unit();
    let damaged = |before: u16| {
        let mut damaged = elf.clone();
        reset_with(&mut damaged, before, NOP);
        judgement(&wasm, &damaged)
    };
    assert_eq!(damaged(NOP), "");
    let said = damaged(0xbf08);
    assert!(said.contains("the floating-point unit is set up inside an IT block"), "{said:?}");
}

fn word(elf: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(elf[at..at + 4].try_into().unwrap())
}

fn set_word(elf: &mut [u8], at: usize, value: u32) {
    elf[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// Address and value of a symbol: the file offset of its row, and what it says.
fn symbol(elf: &[u8], name: &str) -> (usize, u32) {
    let file = object::File::parse(elf).unwrap();
    let table = file.section_by_name(".symtab").unwrap().file_range().unwrap().0;
    let found = file.symbols().find(|symbol| symbol.name() == Ok(name)).unwrap();
    let row = table as usize + 16 * found.index().0;
    (row, word(elf, row + 4))
}

/// File offset of the program header of the segment that holds an address.
fn segment(elf: &[u8], address: u32) -> usize {
    let (start, count) = (word(elf, 28) as usize, u16::from_le_bytes(elf[44..46].try_into().unwrap()));
    let mut headers = (0..usize::from(count)).map(|index| start + 32 * index);
    let holds = |at: &usize| (word(elf, at + 8)..word(elf, at + 8) + word(elf, at + 20)).contains(&address);
    headers.find(holds).unwrap()
}

/// File offset of the header of a section.
fn section(elf: &[u8], name: &str) -> usize {
    let file = object::File::parse(elf).unwrap();
    word(elf, 32) as usize + 40 * file.section_by_name(name).unwrap().index().0
}

/// Moves a section without bytes, and the symbol for all of it.
fn move_section(elf: &mut [u8], name: &str, (own, address): (&str, u32)) {
    let (header, (row, old)) = (section(elf, name), symbol(elf, own));
    let load = segment(elf, old);
    for at in [header + 12, row + 4, load + 8, load + 12] {
        set_word(elf, at, address);
    }
}

/// Sets the initial SP.
fn set_stack(elf: &mut [u8], end: u32) {
    let vectors = word(elf, segment(elf, 0) + 4) as usize;
    set_word(elf, vectors, end);
}

#[test]
fn the_image_is_proved() {
    let (wasm, program) = compiled();
    assert_eq!(judgement(&wasm, &linked(&program)), "");
}

#[test]
fn start_is_dropped() {
    refuse_program("0 calls of the start function instead of 1", |program| _ = program.instantiation.steps.pop());
}

#[test]
fn another_function_is_started() {
    refuse_program("the init function", |program| *program.instantiation.steps.last_mut().unwrap() = InitStep::Call(2));
}

#[test]
fn a_data_byte_is_wrong() {
    let change = |change: fn(&mut Segment)| {
        move |program: &mut Program| {
            let InitStep::Data(segment) = &mut program.instantiation.steps[0] else { panic!("no segment") };
            change(segment);
        }
    };
    refuse_program("byte 0x6 of memory 0 is", change(|segment| segment.bytes[2] ^= 1));
    refuse_program("of memory 0 is", change(|segment| segment.offset += 1));
    refuse_program("byte 0x4 of memory 0 is", |program| _ = program.instantiation.steps.remove(0));
}

#[test]
fn a_global_is_not_initialised() {
    refuse_program("global 0 is", |program| program.instantiation.cells.clear());
}

#[test]
fn memory_is_not_cleared() {
    refuse_bytes("memory 0 holds no integer", |elf| {
        let (_, init) = symbol(elf, "m_init");
        let header = segment(elf, init & !1);
        let text = (word(elf, header + 4) + (init & !1) - word(elf, header + 8)) as usize;
        // The branch that closes the loop of the clearing code.
        let branch = (text..elf.len()).step_by(2).find(|at| elf[at + 1] == 0xd1).unwrap();
        elf[branch..branch + 2].copy_from_slice(&[0x00, 0xbf]);
    });
}

#[test]
fn other_bytes_are_loaded_than_judged() {
    refuse_bytes("is not loaded as it stands", |elf| {
        let (_, function) = symbol(elf, "m.f2");
        let header = segment(elf, function & !1);
        let (offset, bytes) = (word(elf, header + 4) as usize, word(elf, header + 16) as usize);
        let mut other = elf[offset..offset + bytes].to_vec();
        let at = ((function & !1) - word(elf, header + 8)) as usize;
        other[at..at + 2].copy_from_slice(&[0x70, 0x47]);
        let place = elf.len() as u32;
        elf.extend(other);
        set_word(elf, header + 4, place);
    });
}

#[test]
fn code_is_loaded_elsewhere() {
    refuse_bytes("", |elf| {
        let (_, function) = symbol(elf, "m.f2");
        let header = segment(elf, function & !1);
        set_word(elf, header + 12, 0x0010_0000);
    });
}

#[test]
fn the_stack_lies_in_a_region() {
    refuse_bytes("the stack lies in the region Memory(0)", |elf| {
        let (row, memory) = symbol(elf, "m.memory0");
        let header = segment(elf, 0);
        let (vectors, end) = (word(elf, header + 4) as usize, memory + word(elf, row + 8));
        set_word(elf, vectors, end);
    });
}

/// A fault, as after a trap, in the module's own code, in no Thumb code, or nowhere.
#[test]
fn an_exception_is_not_taken_to_the_harness() {
    let (_, program) = compiled();
    let function = symbol(&linked(&program), "m.f2").1;
    let harness = symbol(&linked(&program), "synth_harness").1;
    for handler in [function, harness & !1, 0] {
        refuse_bytes("the exception 3 is not taken to the harness", |elf| {
            let vectors = word(elf, segment(elf, 0) + 4) as usize;
            set_word(elf, vectors + 4 * 3, handler);
        });
    }
    let (wasm, mut elf) = (wat::parse_str(MODULE).unwrap(), linked(&program));
    let vectors = word(&elf, segment(&elf, 0) + 4) as usize;
    set_word(&mut elf, vectors + 4 * 3, harness | 1);
    assert_eq!(judgement(&wasm, &elf), "", "another place in the harness");
}

#[test]
fn the_stack_limit_is_below_the_stack() {
    refuse_bytes("synth_stack_limit does not lie in the stack", |elf| {
        let (_, limit) = symbol(elf, "synth_stack_limit");
        let header = segment(elf, limit);
        let at = (word(elf, header + 4) + limit - word(elf, header + 8)) as usize;
        set_word(elf, at, 0x1fff_ff00);
    });
    // In the stack, with room for a word less than an exception frame.
    refuse_bytes("synth_stack_limit does not lie in the stack, above an exception frame", |elf| set_limit(elf, 32));
    let (wasm, program) = compiled();
    let mut elf = linked(&program);
    set_limit(&mut elf, 36);
    assert_eq!(judgement(&wasm, &elf), "");
}

/// Sets the stack limit to so many bytes above the stack's lowest address.
fn set_limit(elf: &mut [u8], bytes: u32) {
    let (_, limit) = symbol(elf, "synth_stack_limit");
    let header = segment(elf, limit);
    let at = (word(elf, header + 4) + limit - word(elf, header + 8)) as usize;
    set_word(elf, at, 0x2000_0000 + bytes);
}

#[test]
fn the_stack_limit_may_be_written() {
    refuse_bytes("is not loaded as it stands, read-only", |elf| {
        let (_, limit) = symbol(elf, "synth_stack_limit");
        let header = segment(elf, limit);
        let flags = word(elf, header + 24);
        set_word(elf, header + 24, flags | 2);
    });
}

#[test]
fn an_import_is_inside_the_module() {
    refuse_bytes("import env_log is no code of the harness", |elf| {
        let (home, value) = symbol(elf, "m.f2");
        let (row, _) = symbol(elf, "env_log");
        set_word(elf, row + 4, value + 4);
        let section = word(elf, home + 12) & 0xffff_0000;
        let info = word(elf, row + 12) & 0xffff;
        set_word(elf, row + 12, info | section);
    });
}

#[test]
fn a_linked_file_has_relocations() {
    for target in [".text.m", ".rodata.synth_stack_limit"] {
        refuse_bytes(&format!("section {target} of a linked file has relocations"), |elf| {
            let (header, symbols) = (section(elf, ".synth.interface"), section(elf, ".symtab"));
            let index = |elf: &[u8], at: usize| (at as u32 - word(elf, 32)) / 40;
            let (link, info) = (index(elf, symbols), index(elf, section(elf, target)));
            // SHT_REL with one row: R_ARM_ABS32 of the first symbol, at 0.
            let rows = word(elf, header + 16) as usize;
            set_word(elf, rows, 0);
            set_word(elf, rows + 4, 1 << 8 | 2);
            for (field, value) in [(4, 9), (20, 8), (24, link), (28, info), (36, 8)] {
                set_word(elf, header + field, value);
            }
        });
    }
}

#[test]
fn the_stack_is_no_memory_of_its_own() {
    let (wasm, program) = compiled();
    let top = word(&linked(&program), word(&linked(&program), segment(&linked(&program), 0) + 4) as usize);
    let mut elf = linked(&program);
    set_stack(&mut elf, top - 2048);
    assert_eq!(judgement(&wasm, &elf), "", "another stack of the same RAM");
    let no_stack = "the vector table's stack pointer leaves no stack";
    // A mirror of the RAM, its bit-band window, peripherals, the system, nothing, and no multiple of 8.
    for end in [0x2041_0000, 0x2280_0000, 0x4001_0000, 0xe000_2000, 0, top - 4] {
        refuse_bytes(no_stack, |elf| set_stack(elf, end));
    }
    refuse_bytes("the stack ends in what is no stack", |elf| {
        let (_, function) = symbol(elf, "m.f2");
        set_stack(elf, (function & !1).next_multiple_of(8));
    });
}

#[test]
fn a_region_lies_in_a_mirror() {
    for (name, own, words) in [
        (".bss.m.memory0", "m.memory0", "section .bss.m.memory0 does not lie in memory of its own"),
        (".bss.m.instance", "m.instance", "m.instance lies where there is no RAM of its own"),
    ] {
        for address in [0x0040_0100, 0x2040_8000, 0x2200_0000, 0x4000_0000] {
            refuse_bytes(words, |elf| move_section(elf, name, (own, address)));
        }
    }
    // Something else is there at reset.
    refuse_bytes("two segments as loaded overlap", |elf| {
        let ((_, harness), (_, memory)) = (symbol(elf, "synth_harness"), symbol(elf, "m.memory0"));
        let header = segment(elf, harness & !1);
        set_word(elf, header + 12, memory);
    });
}

#[test]
fn something_is_loaded_to_a_mirror() {
    refuse_bytes("the segment at 0x404000 lies where the boards have no memory of its own", |elf| {
        let (_, harness) = symbol(elf, "synth_harness");
        let header = segment(elf, harness & !1);
        set_word(elf, header + 12, 0x0040_4000);
    });
}

#[test]
fn code_that_is_loaded_lies_in_no_section() {
    refuse_bytes("4 bytes uncovered", |elf| {
        let (_, harness) = symbol(elf, "synth_harness");
        let header = segment(elf, harness & !1);
        for field in [16, 20] {
            let bytes = word(elf, header + field);
            set_word(elf, header + field, bytes + 4);
        }
    });
}

/// A start function that calls a host function: 8 bytes of its own, and what a host function may use.
#[test]
fn the_start_function_has_the_stack_that_it_needs() {
    let wasm = wat::parse_str(
        r#"(module (import "env" "log" (func $log)) (func $begin (call $log) (call $log)) (start $begin))"#,
    );
    let wasm = wasm.unwrap();
    let config = Config { module_name: "m".into(), ..Config::default() };
    let program = synth::compile(&wasm, &config, &mut NoTap).unwrap().program;
    let image_of = |stack_bytes: u32| {
        image(
            &program,
            config.cpu,
            ImageOptions { imports: Imports::Stubbed, stack_bytes, ..ImageOptions::of(config.cpu) },
        )
        .unwrap()
    };
    let report = check(&wasm, &image_of(16384), Checks::All).unwrap();
    let (need, all) = (report.functions[0].stack_bytes, report.init_stack_bytes);
    assert_eq!(all, need + 8, "the start function and the frame of m_init");
    // An exception frame, as of a trap at the deepest place, and a word that aligns it: 36 bytes.
    assert_eq!(judgement(&wasm, &image_of(all + 40)), "");
    let said = judgement(&wasm, &image_of(all + 32));
    assert!(said.contains(&format!("reset: it needs {all} bytes of stack, the image has {}", all - 4)), "{said}");
}

#[test]
fn frame_information_of_startup_is_wrong() {
    // The entries of m_init and Reset are the last ones: a push's depth, and that there is no caller.
    for (bytes, words) in [
        (&[0x0e, 8][..], "the frame table says that SP was at SP+16, it was at SP+8"),
        (&[0x07, 14][..], "the frame table has more of a caller than that there is none"),
    ] {
        refuse_bytes(words, |elf| {
            let header = section(elf, ".debug_frame");
            let (start, size) = (word(elf, header + 16) as usize, word(elf, header + 20) as usize);
            let last = elf[start..start + size].windows(2).rposition(|found| found == bytes).unwrap();
            elf[start + last + 1] = if bytes[0] == 0x07 { 12 } else { 16 };
        });
    }
}

/// A number that a symbol of the harness says is no place in it: in the module, in the midst of it, in data, behind it.
#[test]
fn an_import_says_that_it_is_in_the_harness_and_is_not() {
    let (_, program) = compiled();
    let elf = linked(&program);
    let (function, memory) = (symbol(&elf, "m.f2").1, symbol(&elf, "m.memory0").1);
    let end = word(&elf, section(&elf, ".synth.harness") + 12) + word(&elf, section(&elf, ".synth.harness") + 20);
    for value in [function, function + 4, memory | 1, end | 1] {
        refuse_bytes("import env_log is no code of the harness", |elf| {
            let (row, _) = symbol(elf, "env_log");
            set_word(elf, row + 4, value);
        });
    }
}

/// The harness is code that is loaded, read-only, to its address, and stands there once.
#[test]
fn the_harness_is_no_code_that_is_loaded() {
    let of_section = |words: &str, fields: &[(usize, u32)]| {
        refuse_bytes(words, |elf| {
            let header = section(elf, ".synth.harness");
            fields.iter().for_each(|(field, value)| set_word(elf, header + field, *value));
        });
    };
    // Not in memory, writable, not executable, and without bytes.
    let words = "there is no one section .synth.harness of read-only code";
    [4, 7, 2].into_iter().for_each(|flags| of_section(words, &[(8, flags)]));
    of_section("the exception 3 is not taken to the harness", &[(20, 0)]);
    let not_loaded = "section .synth.harness is not loaded as it stands, read-only, to its address";
    of_section("stands in no section", &[(4, 8)]);
    for (field, value) in [(12, 0x0010_0000), (24, 6)] {
        refuse_bytes(not_loaded, |elf| {
            let header = segment(elf, symbol(elf, "synth_harness").1 & !1);
            set_word(elf, header + field, value);
        });
    }
    refuse_bytes(words, |elf| {
        let (other, harness) = (section(elf, ".vectors"), section(elf, ".synth.harness"));
        let name = word(elf, harness);
        set_word(elf, other, name);
    });
}

/// A harness that is said to lie over the module's code, so that exceptions may be taken there.
#[test]
fn the_harness_covers_the_module() {
    refuse_bytes("there is no one section .synth.harness of read-only code", |elf| {
        let (_, function) = symbol(elf, "m.f2");
        let (header, load) = (section(elf, ".synth.harness"), segment(elf, symbol(elf, "synth_harness").1 & !1));
        for (field, value) in [(4, 8), (8, 4), (12, function & !1), (20, 4)] {
            set_word(elf, header + field, value);
        }
        // Of what may not be executed the sections are not asked for.
        set_word(elf, load + 24, 4);
        let vectors = word(elf, segment(elf, 0) + 4) as usize;
        (2..16).for_each(|number| set_word(elf, vectors + 4 * number, function));
    });
    refuse_bytes("two sections overlap", |elf| {
        let header = section(elf, ".synth.harness");
        set_word(elf, header + 12, 0);
    });
}

/// A debugger may take another table than the one that is judged.
#[test]
fn a_section_that_is_none_of_an_image() {
    refuse_bytes("section .interface has a meaning to linkers or debuggers that is not modelled", |elf| {
        let header = section(elf, ".synth.interface");
        let name = word(elf, header);
        set_word(elf, header, name + 6);
    });
}

/// What takes exceptions to the harness must not be written.
#[test]
fn the_vector_table_may_be_written() {
    refuse_bytes("the vector of exception 3 is not loaded, or may be written", |elf| {
        let header = segment(elf, 0);
        set_word(elf, header + 24, 6);
        let vectors = section(elf, ".vectors");
        set_word(elf, vectors + 8, 3);
    });
}

/// Bytes that a segment has in memory alone are zeros, wherever it is loaded.
#[test]
fn a_segment_without_bytes_is_loaded_over_code() {
    refuse_bytes("two segments as loaded overlap", |elf| {
        let (_, memory) = symbol(elf, "m.memory0");
        let header = segment(elf, memory);
        set_word(elf, header + 12, 0);
    });
}

#[test]
fn a_region_may_not_be_written() {
    refuse_bytes("a segment that may not be written overlaps m.memory0", |elf| {
        let (_, memory) = symbol(elf, "m.memory0");
        let header = segment(elf, memory);
        set_word(elf, header + 24, 4);
    });
}

/// Numbers at which an address space, a file or a table ends.
#[test]
fn ends_that_wrap_around() {
    for (of, field, value) in [
        ("m.f2", 8, u32::MAX),
        ("m.f2", 12, u32::MAX),
        ("m.f2", 20, u32::MAX),
        ("m.f2", 16, u32::MAX),
        ("m.f2", 4, u32::MAX),
        ("m.memory0", 8, 0xffff_fffc),
        ("m.memory0", 20, u32::MAX),
        ("m.memory0", 16, u32::MAX),
    ] {
        refuse_bytes("", |elf| {
            let (_, address) = symbol(elf, of);
            let header = segment(elf, address & !1);
            set_word(elf, header + field, value);
        });
    }
    for (name, field, value) in [
        (".text.m", 12, 0xffff_fffc),
        (".text.m", 20, u32::MAX),
        (".text.m", 16, u32::MAX),
        (".bss.m.memory0", 12, u32::MAX),
        (".bss.m.memory0", 20, u32::MAX),
        (".symtab", 20, u32::MAX - 15),
        (".symtab", 24, u32::MAX),
        (".symtab", 36, 0),
        (".synth.harness", 20, u32::MAX),
        (".synth.hints", 20, u32::MAX),
        (".debug_frame", 20, u32::MAX),
    ] {
        refuse_bytes("", |elf| {
            let header = section(elf, name);
            set_word(elf, header + field, value);
        });
    }
    for (name, field, value) in [
        ("m.f2", 4, u32::MAX),
        ("m.f2", 8, u32::MAX),
        ("m.memory0", 4, 0xffff_fff8),
        ("m.memory0", 8, u32::MAX),
        ("m.instance", 4, 0xffff_fff8),
        ("m.instance", 8, u32::MAX),
        ("m_init", 4, u32::MAX),
        ("Reset", 8, u32::MAX),
        ("synth_stack_limit", 4, u32::MAX - 3),
        ("env_log", 4, u32::MAX),
    ] {
        refuse_bytes("", |elf| {
            let (row, _) = symbol(elf, name);
            set_word(elf, row + field, value);
        });
    }
}

/// Tools for programming devices take an image from its sections, others from its segments.
#[test]
fn sections_and_segments_tell_different_things() {
    refuse_bytes("section .vectors is not loaded as it stands", |elf| {
        let (header, copy) = (section(elf, ".vectors"), elf.len().next_multiple_of(4));
        let (at, bytes) = (word(elf, header + 16) as usize, word(elf, header + 20) as usize);
        let vectors = elf[at..at + bytes].to_vec();
        elf.resize(copy, 0);
        elf.extend(vectors);
        let harness = symbol(elf, "synth_harness").1;
        set_word(elf, copy + 4, harness);
        set_word(elf, header + 16, copy as u32);
    });
    refuse_bytes("the vector of exception 0 lies in no section", |elf| {
        let header = section(elf, ".vectors");
        set_word(elf, header + 4, 0);
        set_word(elf, header + 8, 0);
    });
    refuse_bytes("stands in no section", |elf| {
        let header = section(elf, ".rodata.m.data");
        set_word(elf, header + 8, 0);
    });
    refuse_bytes("stands in no section", |elf| {
        let header = section(elf, ".synth.harness");
        let bytes = word(elf, header + 20);
        set_word(elf, header + 20, bytes - 4);
    });
    refuse_bytes("a loaded section has flags 0x406", |elf| {
        let header = section(elf, ".text.m");
        set_word(elf, header + 8, 0x406);
    });
    refuse_bytes("program header type 0x7 is not modelled", |elf| {
        let header = word(elf, 28) as usize;
        set_word(elf, header, 7);
    });
    refuse_bytes("debuggers begin at", |elf| {
        let entry = word(elf, 24);
        set_word(elf, 24, entry + 4);
    });
}

/// A board whose flash would have to be written to is none for the image.
#[test]
fn flash_is_no_ram() {
    let wasm = wat::parse_str("(module (memory 0) (func (export \"f\")))").unwrap();
    let config = Config { module_name: "m".into(), cpu: Cpu::CortexM0, ..Config::default() };
    let program = synth::compile(&wasm, &config, &mut NoTap).unwrap().program;
    let options = ImageOptions { imports: Imports::Stubbed, ..ImageOptions::of(config.cpu) };
    let mut elf = image(&program, config.cpu, options).unwrap();
    let board = |elf: &[u8]| synth_verify::layout::board(&Elf::read(elf).unwrap());
    assert_eq!(board(&elf).name, "BBC micro:bit");
    assert!(board(&elf).has_ram(0x2000_0000, 4) && !board(&elf).has_ram(0x3_fffc, 4));
    set_stack(&mut elf, 0x3_0000);
    assert_eq!(board(&elf).name, "MPS2 with AN385, AN386 or AN500");
}

/// Two inputs, each with a start function that does the same.
#[test]
fn start_functions_are_called_in_another_order() {
    let wasm = wat::parse_str("(module (func $begin) (start $begin))").unwrap();
    let inputs = ["one", "two"].map(|name| Input { name, wasm: &wasm });
    let sources = ["one", "two"].map(|name| Source { name, wasm: &wasm });
    let config = Config { module_name: "m".into(), ..Config::default() };
    let mut program = synth::compile_linked(&inputs, &config, &mut NoTap).unwrap().program;
    let said = |program: &Program| {
        let report = check_with(&sources, &linked(program), &Options::default()).unwrap();
        report.findings.iter().map(|finding| finding.message.clone()).collect::<String>()
    };
    assert_eq!(said(&program), "");
    let steps = &mut program.instantiation.steps;
    assert!(matches!(steps[..], [InitStep::Call(0), InitStep::Call(1)]), "{steps:?}");
    steps.reverse();
    assert!(said(&program).contains("start functions are called, or traps come, in another order"));
}
