//! The concrete machine interpreter on short pieces of code: what it computes, and each rule of the
//! contract once kept and once broken.

use std::collections::BTreeMap;

use synth_verify::concrete::load::{Loaded, Patch, Relocated};
use synth_verify::concrete::region::{Access, Memory, Region};
use synth_verify::concrete::thumb_run::{After, End, External, Handler, Outcome, Processor, Surroundings};
use synth_verify::concrete::word::{Fault, Word};
use synth_verify::thumb::feature::FloatUnit;
use synth_verify::thumb::feature::{Architecture, Target};
use synth_verify::trap::Trap;
use synth_verify::wasm::module::{Constant, FunctionType, ValueType};

/// Where the tests' import is.
const IMPORT: u32 = 3;

/// Code in an object: its text is region 0, 16 bytes of data region 2, an import region 3.
fn object(halfwords: &[u16], patches: &[(u32, Patch)]) -> Loaded {
    let bytes: Vec<u8> = halfwords.iter().flat_map(|half| half.to_le_bytes()).collect();
    let relocated = |&(at, patch): &(u32, Patch)| {
        let bytes = *bytes[at as usize..].first_chunk().expect("an instruction of 4 bytes");
        (at, Relocated { bytes, patch })
    };
    let relocated = patches.iter().map(relocated).collect();
    let mut memory = Memory::default();
    let text = memory.add(Region::new("text", None, Access::Execute, bytes).aligned(4));
    let stack = memory.add(Region::new("stack", None, Access::ReadWrite, vec![0; 256]).aligned(8));
    memory.add(Region::new("data", None, Access::ReadWrite, (0..16).collect()).aligned(8));
    memory.add(Region::new("import", None, Access::Execute, Vec::new()));
    let target = Target { architecture: Architecture::V7EM, ..Target::default() };
    Loaded { memory, stack, text: Some(text), functions: None, symbols: BTreeMap::new(), relocated, target, vectors: 0 }
}

fn data(offset: u32) -> Word {
    Word::Pointer { region: 2, offset }
}

fn value_type(value: &Constant) -> ValueType {
    match value {
        Constant::I32(_) => ValueType::I32,
        Constant::I64(_) => ValueType::I64,
        Constant::Function(_) => ValueType::FuncRef,
    }
}

fn signature(parameters: &[Constant], result: Option<ValueType>) -> FunctionType {
    FunctionType { parameters: parameters.iter().map(value_type).collect(), results: result.into_iter().collect() }
}

fn run_loaded(loaded: &Loaded, arguments: &[Constant], result: ValueType) -> Outcome {
    let external = External {
        address: Word::Pointer { region: IMPORT, offset: 1 },
        signature: signature(&[Constant::I32(0), Constant::I64(0)], Some(ValueType::I32)),
    };
    let mut host = |_: usize, arguments: &[Constant], _: &mut Memory| match arguments {
        [Constant::I32(a), Constant::I64(b)] => Ok(vec![Constant::I32(a ^ *b as u32)]),
        other => Err(format!("{other:?}")),
    };
    let mut around = Surroundings {
        externals: &[external],
        host: &mut host,
        stops: &[(0x1000, 0x2000)],
        handler: None,
        steps_max: 1000,
    };
    let signature = signature(arguments, Some(result));
    Processor::new(loaded).call(0, &signature, arguments, &mut around)
}

/// Behind a trap that is handled a run goes on with what every function keeps, and LR; what a call destroys is lost.
#[test]
fn a_handled_trap_destroys_what_a_call_does() {
    let run = |halfwords: &[u16], trap: u32, after: After| {
        let mut loaded = object(halfwords, &[]);
        loaded.target.float = FloatUnit::V4Single;
        let mut seen = Vec::new();
        let mut handler = |trap: Trap, at: u32, _: &mut Memory| {
            seen.push((trap, at));
            after
        };
        let mut host = |_: usize, _: &[Constant], _: &mut Memory| Err("no calls".to_owned());
        let handler: Option<&mut Handler<'_>> = Some(&mut handler);
        let mut around = Surroundings { externals: &[], host: &mut host, stops: &[], handler, steps_max: 1000 };
        let signature = signature(&[], Some(ValueType::I32));
        let end = Processor::new(&loaded).call(0, &signature, &[], &mut around).end;
        assert_eq!(seen, [(Trap::Unreachable, trap)]);
        end
    };
    let code_of_trap = Trap::Unreachable as u16 | 0xde00;
    // movs r1, #7; udf; movs r0, #7; bx lr
    assert_eq!(run(&[0x2107, code_of_trap, 0x2007, 0x4770], 2, After::GoOn), returns(7));
    assert_eq!(run(&[0x2107, code_of_trap, 0x2007, 0x4770], 2, After::End), End::Trapped(Trap::Unreachable, 2));
    // movs r1, #7; udf; movs r0, r1; bx lr
    faults(&run(&[0x2107, code_of_trap, 0x0008, 0x4770], 2, After::GoOn), 6, "no integer");
    // movs r1, #7; vmov s0, r1; vcmp.f32 s0, #0 before the trap or behind it; vmrs APSR_nzcv, fpscr; movs r0, #7;
    // it gt; movgt r0, #8; bx lr
    let (compare, taken) = ([0x2107, 0xee00, 0x1a10, 0xeeb5, 0x0a40], [0xeef1, 0xfa10, 0x2007, 0xbfc8, 0x2008, 0x4770]);
    let with = |trap_at: usize| {
        let mut code = [&compare[..], &taken].concat();
        code.insert(trap_at, code_of_trap);
        code
    };
    assert_eq!(run(&with(0), 0, After::GoOn), returns(8));
    faults(&run(&with(compare.len()), 10, After::GoOn), 22, "no integer");
}

fn run(halfwords: &[u16], arguments: &[u32]) -> End {
    let arguments: Vec<Constant> = arguments.iter().map(|word| Constant::I32(*word)).collect();
    run_loaded(&object(halfwords, &[]), &arguments, ValueType::I32).end
}

fn returns(word: u32) -> End {
    End::Returned(vec![Constant::I32(word)])
}

/// Expects a fault at an address of code, for a reason in words.
fn faults(end: &End, at: u32, why: &str) {
    match end {
        End::Faulted(fault, pc) => {
            assert_eq!(*pc, at, "{fault}");
            assert!(fault.to_string().contains(why), "{fault}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn arguments_and_results() {
    // adds r0, r0, r1; bx lr
    assert_eq!(run(&[0x1840, 0x4770], &[40, 2]), returns(42));
    // adds r0, r0, r2; adcs r1, r3; bx lr
    let loaded = object(&[0x1880, 0x4159, 0x4770], &[]);
    let arguments = [Constant::I64(0xffff_ffff), Constant::I64(0x1_0000_0001)];
    let outcome = run_loaded(&loaded, &arguments, ValueType::I64);
    assert_eq!(outcome.end, End::Returned(vec![Constant::I64(0x2_0000_0000)]));
    assert_eq!(outcome.steps, 3);
    // ldr r0, [sp, #0]; bx lr
    assert_eq!(run(&[0x9800, 0x4770], &[1, 2, 3, 4, 5]), returns(5));
    // str r0, [sp, #0]; ldr r0, [sp, #0]; bx lr
    assert_eq!(run(&[0x9000, 0x9800, 0x4770], &[1, 2, 3, 4, 5]), returns(1));
}

#[test]
fn a_loop_and_a_jump_table() {
    // movs r2, #0; adds r2, r2, r0; subs r0, #1; bne; mov r0, r2; bx lr
    assert_eq!(run(&[0x2200, 0x1812, 0x3801, 0xd1fc, 0x4610, 0x4770], &[10]), returns(55));
    let table =
        [0x2802, 0xd809, 0xe8df, 0xf000, 0x0402, 0x0006, 0x200a, 0x4770, 0x2014, 0x4770, 0x201e, 0x4770, 0xdee4];
    assert_eq!(run(&table, &[0]), returns(10));
    assert_eq!(run(&table, &[1]), returns(20));
    assert_eq!(run(&table, &[2]), returns(30));
    assert_eq!(run(&table, &[3]), End::Trapped(Trap::TableOutOfBounds, 24));
}

#[test]
fn callee_saved_registers_and_sp() {
    // push {r4, lr}; mov r4, r0; adds r0, r4, #1; pop {r4, pc}
    assert_eq!(run(&[0xb510, 0x4604, 0x1c60, 0xbd10], &[1]), returns(2));
    // mov r4, r0; bx lr
    faults(&run(&[0x4604, 0x4770], &[1]), 2, "r4 is not as at entry");
    // push {r3}; bx lr
    faults(&run(&[0xb408, 0x4770], &[1]), 2, "SP is not as at entry");
    // sub.w sp, sp, #8; add.w sp, sp, #8; bx lr
    assert_eq!(run(&[0xf1ad, 0x0d08, 0xf10d, 0x0d08, 0x4770], &[1]), returns(1));
    // The same by 1: SP would be 4 below its value at entry, and stay there.
    faults(&run(&[0xf1ad, 0x0d01, 0xf10d, 0x0d01, 0x4770], &[1]), 0, "SP is no multiple of 4");
}

#[test]
fn the_stack_below_sp_is_lost() {
    // push {r0, r1}; ldr r0, [sp, #4]; add sp, #8; bx lr
    assert_eq!(run(&[0xb403, 0x9801, 0xb002, 0x4770], &[1, 2]), returns(2));
    // push {r0, r1}; add sp, #8; sub sp, #8; ldr r0, [sp, #4]; add sp, #8; bx lr
    let again = [0xb403, 0xb002, 0xb082, 0x9801, 0xb002, 0x4770];
    faults(&run(&again, &[1, 2]), 10, "a result that is no integer");
    // push {r0, r1}; add sp, #8; ldr r0, [sp, #-8]; bx lr
    faults(&run(&[0xb403, 0xb002, 0xf85d, 0x0c08, 0x4770], &[1, 2]), 4, "below SP");
    // str r0, [sp, #-4]; bx lr
    faults(&run(&[0xf84d, 0x0c04, 0x4770], &[1]), 0, "below SP");
    // str r0, [sp, #0]; bx lr, without stack arguments
    faults(&run(&[0x9000, 0x4770], &[1, 2, 3, 4]), 0, "a store");
    // str r0, [sp, #4]; bx lr, beyond the fifth argument
    faults(&run(&[0x9001, 0x4770], &[1, 2, 3, 4, 5]), 0, "the caller's frame");
}

#[test]
fn nothing_depends_on_what_nobody_set() {
    // cmp r5, #0; it eq; moveq r0, #1; bx lr
    faults(&run(&[0x2d00, 0xbf08, 0x2001, 0x4770], &[1]), 6, "a result that is no integer");
    // mov r0, r2; bx lr
    faults(&run(&[0x4610, 0x4770], &[1]), 2, "a result that is no integer");
    // cbz r3, +2; nop; bx lr
    let end = run(&[0xb103, 0xbf00, 0x4770], &[1]);
    assert_eq!(end, End::Faulted(Fault::Undecided, 0));
    // ldr r0, [r3]; bx lr
    faults(&run(&[0x6818, 0x4770], &[1]), 0, "a load");
    // ldr r0, [r0]; bx lr: a number is no address in an object
    faults(&run(&[0x6800, 0x4770], &[0]), 0, "a load");
}

#[test]
fn traps_and_other_ends() {
    assert_eq!(run(&[0xdee2], &[]), End::Trapped(Trap::DivideByZero, 0));
    faults(&run(&[0xde01], &[]), 0, "UDF #1");
    // b .
    assert_eq!(run(&[0xe7fe], &[]), End::Unfinished);
    // mov r0, pc-relative nonsense: falls off the end of the code
    faults(&run(&[0x2000], &[]), 2, "a fetch");
    // movs r1, #4; bx r1
    faults(&run(&[0x2104, 0x4708], &[]), 2, "no Thumb code");
}

#[test]
fn calls_inside_and_outside() {
    // push {r4, lr}; mov r4, r0; bl 12; add r0, r4; pop {r4, pc}; adds r0, r0, r1; bx lr
    let inside = [0xb510, 0x4604, 0xf000, 0xf802, 0x4420, 0xbd10, 0x1840, 0x4770];
    assert_eq!(run(&inside, &[3, 4]), returns(10));
    // push {r3, lr}; bl import; pop {r3, pc}
    let outside = [0xb508, 0xf7ff, 0xfffe, 0xbd08];
    let import = Patch::Call(Word::Pointer { region: IMPORT, offset: 1 });
    let arguments = [Constant::I32(12), Constant::I64(0x7_0000_0005)];
    let loaded = object(&outside, &[(2, import)]);
    assert_eq!(run_loaded(&loaded, &arguments, ValueType::I32).end, returns(9));
    // mov r0, r2 behind the call: r2 is lost
    let loaded = object(&[0xb508, 0xf7ff, 0xfffe, 0x4610, 0xbd08], &[(2, import)]);
    let outcome = run_loaded(&loaded, &arguments, ValueType::I32);
    faults(&outcome.end, 8, "a result that is no integer");
    // push {r4, r5, lr}; bl import; pop {r4, r5, pc}
    let loaded = object(&[0xb530, 0xf7ff, 0xfffe, 0xbd30], &[(2, import)]);
    let outcome = run_loaded(&loaded, &arguments, ValueType::I32);
    faults(&outcome.end, 2, "no multiple of 8");
    // push {r3, lr}; bl import; pop {r3, pc} with an argument that is no integer
    let loaded = object(&outside, &[(2, import)]);
    let outcome = run_loaded(&loaded, &arguments[..1], ValueType::I32);
    faults(&outcome.end, 2, "an argument that is no integer");
}

#[test]
fn addresses_in_two_halves() {
    // movw r1, #0; movt r1, #0; ldr r0, [r1, r0]; bx lr
    let code = [0xf240, 0x0100, 0xf2c0, 0x0100, 0x5808, 0x4770];
    let (low, high) = ((0, Patch::Low(data(4))), (4, Patch::High(data(4))));
    let run = |code: &[u16], patches: &[(u32, Patch)]| {
        run_loaded(&object(code, patches), &[Constant::I32(4)], ValueType::I32).end
    };
    assert_eq!(run(&code, &[low, high]), returns(0x0b0a_0908));
    faults(&run(&code, &[low, (4, Patch::High(data(8)))]), 8, "a load at poison");
    faults(&run(&code, &[low]), 8, "a load at poison");
    faults(&run(&code, &[high]), 8, "a load at poison");
    // The halves swapped.
    let swapped = [0xf2c0, 0x0100, 0xf240, 0x0100, 0x5808, 0x4770];
    let patches = [(0, Patch::High(data(4))), (4, Patch::Low(data(4)))];
    faults(&run(&swapped, &patches), 8, "a load at poison");
    // movw r1, #0; ldr r0, [r1]; bx lr
    faults(&run(&[0xf240, 0x0100, 0x6808, 0x4770], &[low]), 4, "a load at poison");
}

#[test]
fn a_run_stops_where_it_is_told() {
    let nops = vec![0xbf00; 0x900];
    assert_eq!(run(&nops, &[]), End::Unfinished);
    // b.w 0x1000 in front of the same
    let mut code = vec![0xf000, 0xbffe];
    code.extend(&nops);
    assert_eq!(run(&code, &[]), End::Reached(0x1000));
}
