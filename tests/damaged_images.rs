//! Boot images that are Proved, and refused after one change: in startup, in what is loaded, in symbols.

use object::{Object as _, ObjectSection as _, ObjectSymbol as _};
use synth::config::Config;
use synth::elf::{ImageOptions, Imports, image, program::Program};
use synth::stage::NoTap;
use synth_verify::check::{Checks, check};

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
    let options = ImageOptions { imports: Imports::Stubbed, ..ImageOptions::default() };
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

#[test]
fn the_image_is_proved() {
    let (wasm, program) = compiled();
    assert_eq!(judgement(&wasm, &linked(&program)), "");
}

#[test]
fn start_is_dropped() {
    refuse_program("0 calls of the start function instead of 1", |program| program.instantiation.start = None);
}

#[test]
fn another_function_is_started() {
    refuse_program("the init function", |program| program.instantiation.start = Some(2));
}

#[test]
fn a_data_byte_is_wrong() {
    refuse_program("memory byte 0x6 is", |program| program.instantiation.segments[0].bytes[2] ^= 1);
    refuse_program("memory byte", |program| program.instantiation.segments[0].offset += 1);
    refuse_program("memory byte 0x4 is", |program| program.instantiation.segments.clear());
}

#[test]
fn a_global_is_not_initialised() {
    refuse_program("global 0 is", |program| program.instantiation.cells.clear());
}

#[test]
fn memory_is_not_cleared() {
    refuse_bytes("linear memory holds no integer", |elf| {
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

#[test]
fn the_stack_limit_is_below_the_stack() {
    refuse_bytes("synth_stack_limit does not lie in the stack", |elf| {
        let (_, limit) = symbol(elf, "synth_stack_limit");
        let header = segment(elf, limit);
        let at = (word(elf, header + 4) + limit - word(elf, header + 8)) as usize;
        set_word(elf, at, 0x1fff_ff00);
    });
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
    refuse_bytes("import env_log is no code outside the module", |elf| {
        let (home, value) = symbol(elf, "m.f2");
        let (row, _) = symbol(elf, "env_log");
        set_word(elf, row + 4, value + 4);
        let section = word(elf, home + 12) & 0xffff_0000;
        let info = word(elf, row + 12) & 0xffff;
        set_word(elf, row + 12, info | section);
    });
}
