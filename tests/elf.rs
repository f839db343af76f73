//! Objects and images of hand-encoded functions: what they hold, and what they do in QEMU.

use ::object::{File, Object, ObjectSection, ObjectSymbol, SymbolKind};

use synth::elf::program::*;
use synth::elf::{ElfError, ImageOptions, Imports, image, object};
use synth::model;
use synth::qemu::firmware::{Firmware, Region};
use synth::qemu::{Action, Outcome, Qemu, QemuError, Value};
use synth::target::Cpu;
use synth::trap::Trap;

fn function(index: u32, code: &[u16]) -> Function {
    Function { index, code: code.iter().flat_map(|half| half.to_le_bytes()).collect(), ..Function::default() }
}

fn export(name: &str, function: u32, parameters: &[Type], results: &[Type]) -> Export {
    Export {
        name: name.into(),
        symbol: synth::elf::names::mangle(name),
        function,
        parameters: parameters.to_vec(),
        results: results.to_vec(),
    }
}

/// Seven functions, one import (index 0), memory, globals, a table, a start function.
fn sample() -> Program {
    use Type::{I32, I64};
    let far = |kind, offset, symbol| Relocation { offset, kind, symbol, addend: 0 };
    let mut program = Program {
        name: "m".into(),
        memories: vec![Memory { reserve_bytes: 65536, visibility: Visibility::Exported, contents: None }],
        instance_bytes: 16,
        hints: b"hints".to_vec(),
        ..Program::default()
    };
    program.imports.push(Import {
        function: 0,
        module: "env".into(),
        field: "get".into(),
        area_bytes: 0,
        floats: false,
    });
    // f1: adds r0 r0 r1, bx lr
    program.functions.push(function(1, &[0x1840, 0x4770]));
    // f2: adds r0 r0 r2, adcs r1 r3, bx lr
    program.functions.push(function(2, &[0x1880, 0x4159, 0x4770]));
    // f3: udf #0xe2, nop
    program.functions.push(function(3, &[0xdee2, 0xbf00]));
    // f4, starts the module: adds one to the word at 8 of the memory, through a literal.
    // ldr r1 [pc #8], ldr r0 [r1 #8], adds r0 #1, str r0 [r1 #8], bx lr, nop, the address
    let mut start = function(4, &[0x4902, 0x6888, 0x3001, 0x6088, 0x4770, 0xbf00, 0, 0]);
    start.data.push((12, 16));
    start.relocations.push(far(RelocationKind::Abs32, 12, Symbol::Memory(0)));
    program.functions.push(start);
    // f5: the sixth word of arguments: ldr r0 [sp #4], bx lr
    program.functions.push(function(5, &[0x9801, 0x4770]));
    // f6: push {r4 lr}, bl f1, bl env_get, pop {r4 pc}
    let mut calls = function(6, &[0xb510, 0xf000, 0xd000, 0xf000, 0xd000, 0xbd10]);
    calls.relocations.push(far(RelocationKind::ThmCall, 2, Symbol::Function(1)));
    calls.relocations.push(far(RelocationKind::ThmCall, 6, Symbol::Function(0)));
    calls.frame.push(FrameStep { at: 2, rule: FrameRule::Depth(8) });
    program.functions.push(calls);
    // f7: the type id of the entry of the table at r0: movw r1 table, movt r1 table, ldr r0 [r1 r0 lsl #2],
    // ldr r0 [r0], bx lr
    let mut entry = function(7, &[0xf240, 0x0100, 0xf2c0, 0x0100, 0xf851, 0x0020, 0x6800, 0x4770]);
    entry.relocations.push(far(RelocationKind::MovwAbsNc, 0, Symbol::Table(0)));
    entry.relocations.push(far(RelocationKind::MovtAbs, 4, Symbol::Table(0)));
    program.functions.push(entry);
    // f8: movw r0 limit, movt r0 limit, ldr r0 [r0], bx lr
    let mut limit = function(8, &[0xf240, 0x0000, 0xf2c0, 0x0000, 0x6800, 0x4770]);
    limit.relocations.push(far(RelocationKind::MovwAbsNc, 0, Symbol::StackLimit));
    limit.relocations.push(far(RelocationKind::MovtAbs, 4, Symbol::StackLimit));
    program.functions.push(limit);
    program.exports = vec![
        export("add", 1, &[I32, I32], &[I32]),
        export("add64", 2, &[I64, I64], &[I64]),
        export("div-zero", 3, &[], &[]),
        export("sixth", 5, &[I32; 6], &[I32]),
        export("calls", 6, &[I32, I32], &[I32]),
        export("entry", 7, &[I32], &[I32]),
        export("limit", 8, &[], &[I32]),
    ];
    program.descriptors = vec![Descriptor { type_id: 3, function: 1 }, Descriptor { type_id: 1, function: 0 }];
    program.tables = vec![Table::Constants(vec![None, Some(0), Some(8)])];
    program.instantiation = Instantiation {
        cells: vec![(0, CellValue::Number(65536)), (8, CellValue::Number(7)), (12, CellValue::Number(0))],
        steps: vec![
            InitStep::Data(Segment { memory: 0, offset: 5, bytes: b"hello world".to_vec() }),
            InitStep::Data(Segment { memory: 0, offset: 8, bytes: vec![41, 0, 0, 0] }),
            InitStep::Call(4),
        ],
    };
    program
}

fn firmware(program: &Program, cpu: Cpu) -> Firmware {
    let options = ImageOptions { imports: Imports::Stubbed, ..ImageOptions::of(cpu) };
    Firmware::read(&image(program, cpu, options).unwrap()).unwrap()
}

fn call(symbol: &str, arguments: &[Value]) -> Action {
    Action::Call(symbol.into(), arguments.to_vec())
}

#[test]
fn an_image_runs_on_every_board() {
    use Value::{I32, I64};
    let actions = [
        Action::Peek(0, 18),
        call("add", &[I32(40), I32(2)]),
        call("div$2dzero", &[]),
        call("add64", &[I64(0xffff_ffff), I64(1)]),
        call("sixth", &[1, 2, 3, 4, 5, 6].map(I32)),
        Action::Poke(65530, vec![1, 2, 3, 4, 5]),
        Action::Peek(65528, 8),
        call("calls", &[I32(1), I32(2)]),
        call("entry", &[I32(1)]),
        call("limit", &[]),
    ];
    for cpu in Cpu::ALL {
        let firmware = firmware(&sample(), cpu);
        let outcomes = Qemu::default().run(&firmware, &actions).unwrap();
        let returned = |value| Outcome::Returned(vec![value]);
        assert_eq!(outcomes[0], Outcome::Bytes(b"\0\0\0\0\0hel\x2a\0\0\0orld\0\0".to_vec()));
        assert_eq!(outcomes[1], returned(I32(42)));
        let Outcome::Faulted(fault) = &outcomes[2] else { panic!("{outcomes:?}") };
        assert_eq!(fault.trap(), Some(Trap::DivideByZero));
        assert_eq!(firmware.function_at(fault.address), Some((3, 0)));
        assert_eq!(outcomes[3], returned(I64(1 << 32)));
        assert_eq!(outcomes[4], returned(I32(6)));
        assert_eq!(outcomes[5], Outcome::Bytes(vec![0, 0, 1, 2, 3, 4, 5, 0]));
        assert_eq!(outcomes[6], returned(I32(0)));
        assert_eq!(outcomes[7], returned(I32(3)));
        assert_eq!(outcomes[8], returned(I32(firmware.board.ram + 0x100)));
    }
}

#[test]
fn a_trap_in_instantiation_is_reported() {
    let mut program = sample();
    program.instantiation.steps.push(InitStep::Trap(Outside::Data(2)));
    let firmware = firmware(&program, Cpu::CortexM4);
    assert_eq!(firmware.outside.as_deref(), Some("data segment 2"));
    let error = Qemu::default().run(&firmware, &[Action::Peek(0, 4)]);
    let Err(QemuError::NotInstantiated(fault)) = error else { panic!("{error:?}") };
    assert_eq!(fault.trap(), Some(Trap::MemoryOutOfBounds));
}

/// Actions follow a trap of instantiation, then what stands behind it; behind a start function's trap that is nothing.
#[test]
fn a_run_goes_on_behind_traps_of_instantiation() {
    let late = || InitStep::Data(Segment { memory: 0, offset: 5, bytes: b"H".to_vec() });
    let trap = || InitStep::Trap(Outside::Data(2));
    let hello = sample().instantiation.steps[0].clone();
    let (outside, division) = (Some(Trap::MemoryOutOfBounds), Some(Trap::DivideByZero));
    for (steps, traps, seen) in [
        (vec![hello.clone(), trap(), trap(), late()], [outside, outside, None], [b"hello", b"hello", b"Hello"]),
        (vec![hello.clone(), trap(), late(), trap()], [outside, outside, None], [b"hello", b"Hello", b"Hello"]),
        (vec![trap(), hello, InitStep::Call(3), late()], [outside, division, None], [&[0; 5], b"hello", b"hello"]),
    ] {
        let mut program = sample();
        program.instantiation.steps = steps;
        for cpu in [Cpu::CortexM0, Cpu::CortexM4, Cpu::CortexM33] {
            let firmware = firmware(&program, cpu);
            // The call uses the stack that instantiation has something on.
            let actions = [call("sixth", &[Value::I32(1); 6]), Action::Peek(5, 5)];
            let turns = [&actions[..]; 3];
            let in_model = model::run_in_turns(&firmware, &turns, 1 << 20);
            for ran in [Qemu::default().run_in_turns(&firmware, &turns), in_model] {
                let ran = ran.unwrap();
                assert_eq!(ran.iter().map(|turn| turn.trap.and_then(|fault| fault.trap())).collect::<Vec<_>>(), traps);
                let bytes: Vec<&Outcome> = ran.iter().map(|turn| &turn.outcomes[1]).collect();
                let wanted = seen.map(|seen| Outcome::Bytes(seen.to_vec()));
                assert_eq!(bytes, wanted.iter().collect::<Vec<_>>(), "{cpu:?}");
            }
        }
    }
}

#[test]
fn an_endless_run_is_ended() {
    let mut program = sample();
    // b .
    program.functions[0] = function(1, &[0xe7fe]);
    let qemu = Qemu { time_limit: std::time::Duration::from_millis(300), ..Qemu::default() };
    let actions = [call("add", &[Value::I32(1), Value::I32(1)])];
    assert!(matches!(qemu.run(&firmware(&program, Cpu::CortexM4), &actions), Err(QemuError::TimedOut(_))));
}

#[test]
fn a_missing_program_is_named() {
    let qemu = Qemu { program: "no-such-emulator".into(), ..Qemu::default() };
    assert!(matches!(qemu.run(&firmware(&sample(), Cpu::CortexM4), &[]), Err(QemuError::Missing)));
}

#[test]
fn an_import_needs_a_provider() {
    let error = image(&sample(), Cpu::CortexM4, ImageOptions::of(Cpu::CortexM4));
    assert_eq!(error, Err(ElfError::MissingImport("env".into(), "get".into())));
}

#[test]
fn two_things_of_one_name_are_refused() {
    let mut program = sample();
    program.exports[0].symbol = "m_init".into();
    assert_eq!(object(&program, Cpu::CortexM4), Err(ElfError::Collision("m_init".into())));
    program.exports[0].symbol = "env_get".into();
    assert_eq!(object(&program, Cpu::CortexM4), Err(ElfError::Collision("env_get".into())));
    program.exports[0].symbol = "Reset".into();
    assert!(object(&program, Cpu::CortexM4).is_ok());
    let options = ImageOptions { imports: Imports::Stubbed, ..ImageOptions::of(Cpu::CortexM4) };
    assert_eq!(image(&program, Cpu::CortexM4, options), Err(ElfError::Collision("Reset".into())));
}

#[test]
fn an_unproved_file_says_so() {
    let has_notice = |program: &Program| {
        let bytes = object(program, Cpu::CortexM4).unwrap();
        File::parse(&*bytes).unwrap().section_by_name(".synth.unvalidated").is_some()
    };
    let mut program = sample();
    assert!(!has_notice(&program));
    program.assurance = Assurance::Unvalidated;
    assert!(has_notice(&program));
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut program = sample();
    program.memories = vec![Memory { reserve_bytes: 4 << 20, visibility: Visibility::Private, contents: None }];
    let options = ImageOptions { imports: Imports::Stubbed, ..ImageOptions::of(Cpu::CortexM4) };
    assert!(matches!(image(&program, Cpu::CortexM4, options), Err(ElfError::TooBig { .. })));
    assert!(object(&program, Cpu::CortexM4).is_ok());
}

#[test]
fn an_object_has_the_symbols_of_the_contract() {
    let bytes = object(&sample(), Cpu::CortexM4).unwrap();
    let file = File::parse(&*bytes).unwrap();
    let symbol = |name: &str| file.symbol_by_name(name).unwrap_or_else(|| panic!("no symbol {name}"));
    for (name, global, kind, size) in [
        ("add", true, SymbolKind::Text, 4),
        ("div$2dzero", true, SymbolKind::Text, 4),
        ("m.f1", false, SymbolKind::Text, 4),
        ("m.memory0", false, SymbolKind::Data, 65536),
        ("m_memory", true, SymbolKind::Data, 65536),
        ("m.instance", false, SymbolKind::Data, 16),
        ("m.functions", false, SymbolKind::Data, 16),
        ("m.table0", false, SymbolKind::Data, 12),
        ("m.data", false, SymbolKind::Data, 15),
    ] {
        let symbol = symbol(name);
        assert_eq!((symbol.is_global(), symbol.kind(), symbol.size()), (global, kind, size), "{name}");
        assert_eq!(symbol.address() & 1, u64::from(kind == SymbolKind::Text), "{name}");
    }
    assert!(symbol("env_get").is_undefined());
    assert!(symbol("synth_stack_limit").is_undefined());
    assert!(symbol("m_init").is_global());
    // The function with a literal starts at a multiple of 4, behind two bytes of padding.
    assert_eq!(symbol("m.f4").address(), 16 + 1);
    let section = |name: &str| file.section_by_name(name).unwrap_or_else(|| panic!("no section {name}"));
    for name in
        [".text.m", ".rodata.m.functions", ".rodata.m.table0", ".rodata.m.data", ".bss.m.memory0", ".bss.m.instance"]
    {
        assert!(section(name).size() > 0);
    }
    assert_eq!(section(".text.m").data().unwrap()[14..16], [0x00, 0xbf]);
    assert_eq!(section(".synth.hints").data().unwrap(), b"hints");
    assert_eq!(bytes, object(&sample(), Cpu::CortexM4).unwrap());
}

/// Instantiation over RAM that holds other bytes: only the region's own bytes change.
#[test]
fn instantiation_does_not_rely_on_what_ram_holds() {
    for memory_bytes in [0, 3, 31, 32, 45, 70] {
        let mut program = sample();
        program.memories =
            vec![Memory { reserve_bytes: memory_bytes, visibility: Visibility::Private, contents: None }];
        let offset = memory_bytes.saturating_sub(2);
        let segment = Segment { memory: 0, offset, bytes: b"x"[..memory_bytes.min(1) as usize].to_vec() };
        // Cells beyond what a 12-bit offset reaches, and values of every length.
        let cells = vec![(4, 0x1234), (4092, 0xff00_ff00), (4096, 0x8765_4321), (8204, 1)];
        let numbers = cells.iter().map(|(at, value)| (*at, CellValue::Number(*value))).collect();
        program.instance_bytes = 8208;
        program.instantiation = Instantiation { cells: numbers, steps: vec![InitStep::Data(segment)] };
        let mut firmware = firmware(&program, Cpu::CortexM3);
        let file = File::parse(&*firmware.bytes).unwrap();
        let address = |name: &str| file.symbol_by_name(name).unwrap().address() as u32;
        firmware.exports[0] = synth::qemu::firmware::Export {
            symbol: "again".into(),
            function: 0,
            address: address("m_init"),
            parameters: Vec::new(),
            results: Vec::new(),
        };
        // A window over instance and memory, which follow each other, and some bytes behind.
        let instance = address("m.instance");
        let end = address("m.memory0") - instance + memory_bytes;
        firmware.memory = Some(Region { address: instance, bytes: end + 64 });
        let actions = [Action::Poke(0, vec![0xa5; end as usize + 64]), call("again", &[]), Action::Peek(0, end + 64)];
        let outcomes = Qemu::default().run(&firmware, &actions).unwrap();
        let mut expected = vec![0; end as usize + 64];
        for (at, value) in cells {
            expected[at as usize..][..4].copy_from_slice(&u32::to_le_bytes(value));
        }
        if memory_bytes > 0 {
            expected[(end - memory_bytes + offset) as usize] = b'x';
        }
        expected[end as usize..].fill(0xa5);
        assert_eq!(outcomes[1], Outcome::Bytes(expected), "{memory_bytes} bytes of memory");
    }
}
