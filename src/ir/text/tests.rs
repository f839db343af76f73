//! Any function survives printing and parsing; any text is parsed or refused.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{parse, print};
use crate::ir::func::{
    Block, Callee, Frame, Func, Liveness, Made, Passed, Place, Signature, Target, Terminator, Value,
};
use crate::ir::op::{Access, Effect, Function, Global, Memory, Op, PLAIN, Sig, Table, Type};
use crate::trap::Trap;

/// Signatures that calls name; calls of the last have several results.
const SIGNATURES: u32 = 3;

/// An operator: those of a table of all without immediates, and each other.
fn op() -> impl Strategy<Value = Op> {
    let (number, word, ty) = (0u32..1 << 20, any::<u32>(), select(vec![Type::I32, Type::I64]));
    let (access, trap, sig) = (select(Access::ALL.to_vec()), select(Trap::ALL.to_vec()), (0..SIGNATURES).prop_map(Sig));
    let plain = select(PLAIN.iter().map(|row| row.0).collect::<Vec<Op>>());
    let other = (0usize..20, number, word, any::<u64>(), (ty, access, trap, sig)).prop_map(
        |(which, number, word, double, (ty, access, trap, signature))| match which {
            0 => Op::Const32(word),
            1 => Op::Const64(double),
            2 => Op::MemoryBase(Memory(number)),
            3 => Op::MemoryBytes(Memory(number)),
            4 => Op::SetMemoryBytes(Memory(number)),
            5 => Op::Load { memory: Memory(number), access, offset: word },
            6 => Op::Store { memory: Memory(number), access, offset: word },
            7 => Op::GlobalGet(Global(number), ty),
            8 => Op::GlobalSet(Global(number), ty),
            9 => Op::FunctionRef(Function(number)),
            10 => Op::TableEntry(Table(number)),
            11 => Op::TableGet(Table(number)),
            12 => Op::TableSet(Table(number)),
            13 => Op::TableSize(Table(number)),
            14 => Op::SetTableSize(Table(number)),
            15 => Op::ReferenceType,
            16 => Op::ReferenceCode,
            17 => Op::Call { function: Function(number), signature },
            18 => Op::CallCode { signature },
            _ => Op::TrapIf(trap),
        },
    );
    let result = (0u32..2).prop_map(|index| Op::CallResult { signature: Sig(SIGNATURES - 1), index });
    prop_oneof![8 => plain, 8 => other, 1 => result]
}

/// What an instruction is made of: operator, offset, operands, and what is said of its result.
type Line = (Op, u32, Vec<Index>, Option<u32>, bool);

fn line() -> impl Strategy<Value = Line> {
    (op(), any::<u32>(), vec(any::<Index>(), 0..5), any::<Option<u32>>(), any::<bool>())
}

/// What a block is made of: parameters, place, frame, instructions, end.
type Part = (Vec<Type>, Option<(u32, u32)>, [Vec<Option<Index>>; 2], Vec<Line>, (usize, u32, Vec<Index>));

fn part() -> impl Strategy<Value = Part> {
    let params = vec(select(vec![Type::I32, Type::I64]), 0..4);
    let slots = || vec(any::<Option<Index>>(), 0..4);
    let end = (0usize..8, any::<u32>(), vec(any::<Index>(), 12));
    (params, any::<Option<(u32, u32)>>(), [slots(), slots()], vec(line(), 0..8), end)
}

fn signature() -> impl Strategy<Value = Signature> {
    let some = || vec(select(Passed::ALL.to_vec()), 0..4);
    (some(), some()).prop_map(|(params, results)| Signature { params, results })
}

/// A function with the form of one; that it makes sense is not needed.
fn func() -> impl Strategy<Value = Func> {
    let several = Signature { params: vec![], results: vec![Passed::I32, Passed::F64] };
    let signatures = vec(signature(), SIGNATURES as usize - 1);
    (any::<u32>(), any::<String>(), signature(), signatures, vec(part(), 1..5)).prop_map(
        move |(index, name, own, signatures, parts)| {
            let mut func = Func::new(index, name, own);
            func.signatures = signatures.into_iter().chain([several.clone()]).collect::<Vec<_>>().into();
            for part in parts.iter().skip(1) {
                let block = func.add_block();
                for ty in &part.0 {
                    func.add_param(block, *ty);
                }
            }
            for (number, (_, _, _, lines, _)) in (0..).zip(&parts) {
                lines.iter().for_each(|line| add_line(&mut func, Block(number), line));
            }
            // Every value is there by now: frames, operands and edges name any of them.
            for (number, part) in (0..).zip(&parts) {
                finish(&mut func, Block(number), part);
            }
            func
        },
    )
}

fn add_line(func: &mut Func, block: Block, (op, offset, _, above, is_virtual): &Line) {
    let inst = func.push(block, *op, vec![], *offset);
    let Some(result) = func.insts[inst].result else { return };
    func.values[result].made_at = above.map(|above| Made { offset: *offset, above });
    if *is_virtual && op.effect() == Effect::Pure {
        func.values[result].liveness = Liveness::Virtual;
    }
}

fn finish(func: &mut Func, block: Block, (_, place, frame, lines, (end, offset, picks)): &Part) {
    let count = func.values.len();
    let pick = |index: &Index| (count > 0).then(|| Value(index.index(count.max(1)) as u32));
    let some = |indices: &[Index]| indices.iter().filter_map(pick).collect::<Vec<Value>>();
    let insts = func.blocks[block].insts.clone();
    for (inst, (.., args, _, _)) in insts.into_iter().zip(lines) {
        func.insts[inst].args = some(args);
    }
    if let &Some((function, offset)) = place {
        let [locals, stack] = frame.each_ref().map(|slots| slots.iter().map(|slot| pick(slot.as_ref()?)).collect());
        func.blocks[block].source = Some(Place { function, offset });
        func.blocks[block].frame = Frame { locals, stack };
    }
    let target = |at: usize| {
        let block = Block(picks[at].index(func.blocks.len()) as u32);
        Target::new(block, some(&picks[at + 1..at + 1 + at % 3]))
    };
    let operand = pick(&picks[0]);
    let signature = Sig(*offset % SIGNATURES);
    let terminator = match (end, operand) {
        (0, Some(cond)) => Terminator::BranchIf { cond, then: target(1), otherwise: target(4) },
        (1, Some(index)) => Terminator::BrTable { index, targets: vec![target(2), target(3)], default: target(4) },
        (2, Some(index)) => Terminator::BrTable { index, targets: vec![], default: target(5) },
        (3, _) => Terminator::Return(some(&picks[..*offset as usize % 4])),
        (4, _) => {
            let callee = Callee::Function(Function(*offset >> 12));
            Terminator::ReturnCall { callee, signature, args: some(&picks[..*offset as usize % 3]) }
        }
        (5, _) => Terminator::ReturnCall { callee: Callee::Code, signature, args: some(&picks[..2]) },
        (6, _) => Terminator::Trap(Trap::ALL[picks[1].index(Trap::ALL.len())]),
        _ => Terminator::Jump(target(2)),
    };
    func.blocks[block].terminator = terminator;
    func.blocks[block].terminator_offset = *offset;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_function_survives_printing_and_parsing(func in func()) {
        let text = print(&func);
        match parse(&text) {
            Ok(parsed) => prop_assert_eq!(&parsed, &func, "{}", text),
            Err(error) => prop_assert!(false, "{error}\n{text}"),
        }
    }

    #[test]
    fn damaged_text_is_parsed_or_refused(func in func(), cuts in vec((any::<Index>(), any::<Index>(), ".{0,3}"), 1..4)) {
        let mut text: Vec<char> = print(&func).chars().collect();
        for (from, to, with) in cuts {
            let (from, to) = (from.index(text.len() + 1), to.index(text.len() + 1));
            // Short cuts more often than long ones.
            let to = if to % 2 == 0 { to } else { (from + to % 8).min(text.len()) };
            text.splice(from.min(to)..from.max(to), with.chars());
        }
        let text: String = text.into_iter().collect();
        // What is parsed has a text that gives it again.
        if let Ok(parsed) = parse(&text) {
            prop_assert_eq!(parse(&print(&parsed)), Ok(parsed));
        }
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in any::<String>(), words in vec("[a-z0-9_.]{0,6}[ (),:@*|\\[\\]]?", 0..40)) {
        prop_assert!(parse(&text).is_err());
        let _either_way = parse(&words.concat());
    }
}
