//! Any code: on integers, on the words of the interpreter and on terms it does the same.
//!
//! The semantics is written once, over a domain. Random code runs in three machines from the same state: on plain
//! integers; on words, some of which are addresses of regions or not known; and on terms, where each
//! condition is decided as it is under one assignment. What terms end in, raw and in normal form, has under that
//! assignment the value that plain integers have; so has what the words know.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::operands::sample;
use super::plain::{CODE, Plain, fresh_byte};
use crate::concrete::word::{Concrete, Extent, Fault, RegionIndex, Truth, Word};
use crate::domain::{Bin32, Bin64, Cmp, Decide, Domain, Un32, Un64};
use crate::float::Float;
use crate::term::eval::{Assignment, Evaluator};
use crate::term::{Id, Node, Term32, Term64, TermBool, TermMem, Terms, Width as TermWidth};
use crate::thumb::feature::Target;
use crate::thumb::inst::{Cond, Inst, Reg, Width};
use crate::thumb::sem::{Alignment, Flags, Flow, ItState, Machine, step};

/// The registers and flags of a machine.
struct State<M: Machine> {
    registers: Vec<M::W32>,
    flags: Flags<M>,
    float_flags: Flags<M>,
    it: ItState,
}

/// What each machine does with its `state`.
macro_rules! of_the_state {
    () => {
        fn target(&self) -> Target {
            Plain::new().target
        }
        fn register(&mut self, register: Reg) -> Result<Self::W32, Self::Stop> {
            if register == Reg::PC {
                return Err(self.fault("PC as an operand".to_owned()));
            }
            Ok(self.state.registers[usize::from(register.number())].clone())
        }
        fn set_register(&mut self, register: Reg, word: Self::W32) -> Result<(), Self::Stop> {
            if register == Reg::PC {
                return Err(self.fault("PC as a result".to_owned()));
            }
            self.state.registers[usize::from(register.number())] = word;
            Ok(())
        }
        fn flags(&self) -> Flags<Self> {
            self.state.flags.clone()
        }
        fn set_flags(&mut self, flags: Flags<Self>) {
            self.state.flags = flags;
        }
        fn float_flags(&self) -> Flags<Self> {
            self.state.float_flags.clone()
        }
        fn set_float_flags(&mut self, flags: Flags<Self>) {
            self.state.float_flags = flags;
        }
        fn it(&self) -> ItState {
            self.state.it
        }
        fn set_it(&mut self, it: ItState) {
            self.state.it = it;
        }
        fn constant(&mut self, address: u32, width: Width) -> Result<Self::W32, Self::Stop> {
            let address = self.w32(address);
            self.load(&address, width, Alignment::Any)
        }
        fn code_address(&mut self, address: u32) -> Result<Self::W32, Self::Stop> {
            Ok(self.w32(address))
        }
    };
}

/// Where the regions lie in the machine on integers; the one on words knows their extents alone.
const REGIONS: [(u32, Extent); 2] =
    [(0x2000_0040, Extent { align: 64, bytes: 256 }), (0xffff_ffe1, Extent { align: 1, bytes: 30 })];

/// The machine on words.
struct Words {
    state: State<Words>,
    /// A byte that is not known is `None`.
    memory: BTreeMap<u32, Option<u8>>,
}

impl Concrete for Words {
    fn extent(&self, region: RegionIndex) -> Extent {
        REGIONS[region as usize].1
    }
}

/// The integer that a word stands for, if it is known to stand for one.
fn integer(word: Word) -> Option<u32> {
    let place = |region: u32, offset: u32| REGIONS[region as usize].0.wrapping_add(offset);
    match word {
        Word::Int(value) => Some(value),
        Word::Pointer { region, offset } => Some(place(region, offset)),
        Word::Low { region, offset } => Some(place(region, offset) & 0xffff),
        Word::Poison => None,
    }
}

fn address(word: Word, alignment: Alignment) -> Result<u32, Fault> {
    match word {
        Word::Int(address) if address.is_multiple_of(alignment.bytes()) => Ok(address),
        address => Err(Fault::Unmapped { address, why: "an access" }),
    }
}

impl Machine for Words {
    of_the_state!();

    fn fault(&mut self, reason: String) -> Fault {
        Fault::Other(reason)
    }

    fn load(&mut self, at: &Word, width: Width, alignment: Alignment) -> Result<Word, Fault> {
        let at = address(*at, alignment)?;
        let bytes = (0..width.bytes()).rev().map(|index| {
            let at = at.wrapping_add(index);
            self.memory.get(&at).copied().unwrap_or(Some(fresh_byte(at)))
        });
        let word = bytes.fold(Some(0), |word: Option<u32>, byte| Some(word? << 8 | u32::from(byte?)));
        Ok(word.map_or(Word::Poison, Word::Int))
    }

    fn store(&mut self, at: &Word, width: Width, alignment: Alignment, word: &Word) -> Result<(), Fault> {
        let at = address(*at, alignment)?;
        for index in 0..width.bytes() {
            let byte = word.as_int().map(|word| (word >> (8 * index)) as u8);
            self.memory.insert(at.wrapping_add(index), byte);
        }
        Ok(())
    }

    fn jump_table(&mut self, table: u32, index: &Word, width: Width) -> Result<u32, Fault> {
        let index = index.as_int().ok_or(Fault::Undecided)?;
        let entry = self.constant(table.wrapping_add(index.wrapping_mul(width.bytes())), width)?;
        entry.as_int().ok_or(Fault::Undecided)
    }
}

/// The machine on terms, with the assignment that decides.
struct Symbols {
    terms: Terms,
    assignment: Assignment,
    state: State<Symbols>,
    memory: TermMem,
    unknown: TermMem,
}

impl Symbols {
    fn value(&self, term: Term32) -> u32 {
        Evaluator::new(self.terms.arena(), &self.assignment).w32(term.raw)
    }

    /// Where an access goes; the bytes there are now what the other machines find there.
    fn place(&mut self, at: Term32, width: Width, alignment: Alignment) -> Result<u32, String> {
        let address = self.value(at);
        let symbol = self.terms.symbol_of(self.unknown.raw).expect("a symbol");
        for index in 0..width.bytes() {
            let byte = address.wrapping_add(index);
            self.assignment.bytes.insert((symbol, byte), fresh_byte(byte));
        }
        if address.is_multiple_of(alignment.bytes()) { Ok(address) } else { Err("unaligned".to_owned()) }
    }

    /// Where the standard leaves a NaN open, the assignment has the one that integers have.
    fn choose(&mut self, (op, at): (Float, usize), result: Term32) {
        let Node::Apply(function, operands) = self.terms.node(result.raw).clone() else { return };
        let mut evaluator = Evaluator::new(self.terms.arena(), &self.assignment);
        let operands: Vec<u32> = operands.iter().map(|operand| evaluator.w32(*operand)).collect();
        let chosen = op.value(&operands)[at];
        self.assignment.applications.insert((function, operands), chosen);
    }
}

fn term_width(width: Width) -> TermWidth {
    match width {
        Width::Byte => TermWidth::Byte,
        Width::Half => TermWidth::Half,
        Width::Word => TermWidth::Word,
    }
}

impl Machine for Symbols {
    of_the_state!();

    fn fault(&mut self, reason: String) -> String {
        reason
    }

    fn load(&mut self, at: &Term32, width: Width, alignment: Alignment) -> Result<Term32, String> {
        self.place(*at, width, alignment)?;
        Ok(self.terms.load(self.memory, *at, term_width(width)))
    }

    fn store(&mut self, at: &Term32, width: Width, alignment: Alignment, word: &Term32) -> Result<(), String> {
        self.place(*at, width, alignment)?;
        self.memory = self.terms.store(self.memory, *at, term_width(width), *word);
        Ok(())
    }

    fn jump_table(&mut self, table: u32, index: &Term32, width: Width) -> Result<u32, String> {
        let offset = self.value(*index).wrapping_mul(width.bytes());
        let entry = self.constant(table.wrapping_add(offset), width)?;
        Ok(self.value(entry))
    }
}

impl Decide for Symbols {
    type Stop = String;

    fn decide(&mut self, condition: &TermBool) -> Result<bool, String> {
        Ok(Evaluator::new(self.terms.arena(), &self.assignment).bool(condition.raw))
    }
}

impl Domain for Symbols {
    type Bool = TermBool;
    type W32 = Term32;
    type W64 = Term64;

    fn bool(&mut self, value: bool) -> TermBool {
        self.terms.bool(value)
    }
    fn not(&mut self, a: &TermBool) -> TermBool {
        self.terms.not(a)
    }
    fn and(&mut self, a: &TermBool, b: &TermBool) -> TermBool {
        self.terms.and(a, b)
    }
    fn or(&mut self, a: &TermBool, b: &TermBool) -> TermBool {
        self.terms.or(a, b)
    }
    fn ite_bool(&mut self, c: &TermBool, a: &TermBool, b: &TermBool) -> TermBool {
        self.terms.ite_bool(c, a, b)
    }
    fn w32(&mut self, value: u32) -> Term32 {
        self.terms.w32(value)
    }
    fn un32(&mut self, op: Un32, a: &Term32) -> Term32 {
        self.terms.un32(op, a)
    }
    fn bin32(&mut self, op: Bin32, a: &Term32, b: &Term32) -> Term32 {
        self.terms.bin32(op, a, b)
    }
    fn cmp32(&mut self, op: Cmp, a: &Term32, b: &Term32) -> TermBool {
        self.terms.cmp32(op, a, b)
    }
    fn ite32(&mut self, c: &TermBool, a: &Term32, b: &Term32) -> Term32 {
        self.terms.ite32(c, a, b)
    }
    fn carry(&mut self, a: &Term32, b: &Term32, carry: &TermBool) -> TermBool {
        self.terms.carry(a, b, carry)
    }
    fn w64(&mut self, value: u64) -> Term64 {
        self.terms.w64(value)
    }
    fn join(&mut self, high: &Term32, low: &Term32) -> Term64 {
        self.terms.join(high, low)
    }
    fn high(&mut self, a: &Term64) -> Term32 {
        self.terms.high(a)
    }
    fn low(&mut self, a: &Term64) -> Term32 {
        self.terms.low(a)
    }
    fn un64(&mut self, op: Un64, a: &Term64) -> Term64 {
        self.terms.un64(op, a)
    }
    fn bin64(&mut self, op: Bin64, a: &Term64, b: &Term64) -> Term64 {
        self.terms.bin64(op, a, b)
    }
    fn cmp64(&mut self, op: Cmp, a: &Term64, b: &Term64) -> TermBool {
        self.terms.cmp64(op, a, b)
    }
    fn float(&mut self, op: Float, words: &[Term32]) -> [Term32; 2] {
        let results = self.terms.float(op, words);
        for (at, result) in results.into_iter().enumerate() {
            self.choose((op, at), result);
        }
        results
    }
    fn ite64(&mut self, c: &TermBool, a: &Term64, b: &Term64) -> Term64 {
        self.terms.ite64(c, a, b)
    }
}

/// What all machines begin with.
#[derive(Clone, Debug)]
struct Start {
    /// Each register, as the machine on words knows it; what that does not know is the integer beside it.
    registers: Vec<(Word, u32)>,
    flags: [bool; 8],
}

impl Start {
    fn integers(&self) -> impl Iterator<Item = u32> {
        self.registers.iter().map(|(word, otherwise)| integer(*word).unwrap_or(*otherwise))
    }

    fn plain(&self) -> Plain {
        let mut machine = Plain::new();
        for (register, value) in machine.registers.iter_mut().zip(self.integers()) {
            *register = value;
        }
        let [n, z, c, v, float @ ..] = self.flags;
        (machine.flags, machine.float_flags) = (Flags::from_bits([n, z, c, v]), Flags::from_bits(float));
        machine
    }

    fn words(&self) -> Words {
        let [n, z, c, v, float @ ..] = self.flags;
        let (flags, float_flags) = ([n, z, c, v].map(Truth::Known), float.map(Truth::Known));
        let state = State {
            registers: self.registers.iter().map(|(word, _)| *word).collect(),
            flags: Flags::from_bits(flags),
            float_flags: Flags::from_bits(float_flags),
            it: ItState::default(),
        };
        Words { state, memory: BTreeMap::new() }
    }

    fn symbols(&self) -> Symbols {
        let (mut terms, mut assignment) = (Terms::new(), Assignment::default());
        let registers = self.integers().map(|value| {
            let term = terms.fresh32("r");
            assignment.words.insert(terms.symbol_of(term.raw).expect("a symbol"), value);
            term
        });
        let registers = registers.collect();
        let mut bits = self.flags.map(|value| {
            let term = terms.fresh_bool("f");
            assignment.bools.insert(terms.symbol_of(term.raw).expect("a symbol"), value);
            term
        });
        let (flags, float_flags) = bits.split_at_mut(4);
        let four = |bits: &[TermBool]| Flags::from_bits([bits[0], bits[1], bits[2], bits[3]]);
        let state = State { registers, flags: four(flags), float_flags: four(float_flags), it: ItState::default() };
        let memory = terms.fresh_mem("m");
        Symbols { terms, assignment, state, memory, unknown: memory }
    }
}

/// Runs code until it ends, branches or stops.
fn run<M: Machine>(machine: &mut M, code: &[&(Vec<u8>, Inst)]) -> Result<Flow<M::W32>, M::Stop> {
    let mut pc = CODE;
    for (bytes, inst) in code {
        let size = bytes.len() as u32;
        let flow = step(machine, inst, pc, size)?;
        match flow {
            Flow::Next => pc += size,
            Flow::Jump(_) | Flow::Call { .. } | Flow::CallRegister(_) | Flow::JumpRegister(_) | Flow::Trap(_) => {
                return Ok(flow);
            }
        }
    }
    Ok(Flow::Next)
}

/// Where control goes, with the word that it goes to as an integer.
fn goes<W: Clone>(flow: &Flow<W>, value: impl Fn(W) -> u32) -> Flow<u32> {
    match flow {
        Flow::Next => Flow::Next,
        Flow::Jump(to) => Flow::Jump(*to),
        Flow::Call { target, return_address } => Flow::Call { target: *target, return_address: *return_address },
        Flow::CallRegister(word) => Flow::CallRegister(value(word.clone())),
        Flow::JumpRegister(word) => Flow::JumpRegister(value(word.clone())),
        Flow::Trap(code) => Flow::Trap(*code),
    }
}

const BITS: [Cond; 4] = [Cond::Mi, Cond::Eq, Cond::Hs, Cond::Vs];

/// The same end on integers and on terms.
fn terms_agree(start: &Start, code: &[&(Vec<u8>, Inst)]) {
    let (mut plain, mut symbols) = (start.plain(), start.symbols());
    let (end, symbolic) = (run(&mut plain, code), run(&mut symbols, code));
    let symbolic = symbolic.map(|flow| goes(&flow, |word| symbols.value(word)));
    assert_eq!(end, symbolic);
    assert_eq!(plain.it, symbols.state.it);
    let conditions = |flags: Flags<Symbols>, symbols: &mut Symbols| BITS.map(|cond| flags.condition(symbols, cond));
    let flags = conditions(symbols.flags(), &mut symbols);
    let float_flags = conditions(symbols.float_flags(), &mut symbols);
    let mut evaluator = Evaluator::new(symbols.terms.arena(), &symbols.assignment);
    for (number, (term, value)) in symbols.state.registers.iter().zip(plain.registers).enumerate() {
        assert_eq!((evaluator.w32(term.raw), evaluator.w32(term.norm)), (value, value), "register {number}");
    }
    let expected = [plain.nzcv(), plain.float_nzcv()].concat();
    for (term, value) in flags.into_iter().chain(float_flags).zip(expected) {
        assert_eq!((evaluator.bool(term.raw), evaluator.bool(term.norm)), (value, value), "flags");
    }
    for (&address, &byte) in &plain.memory {
        let mut there = |memory: Id| {
            let memory = evaluator.mem(memory);
            evaluator.byte(&memory, address)
        };
        assert_eq!((there(symbols.memory.raw), there(symbols.memory.norm)), (byte, byte), "at {address:#x}");
    }
}

/// Whatever the machine on words knows is so on integers.
fn words_agree(start: &Start, code: &[&(Vec<u8>, Inst)]) {
    let (mut plain, mut words) = (start.plain(), start.words());
    // A run that stops, or that goes where it does not know, claims nothing.
    let Ok(flow) = run(&mut words, code) else { return };
    let unknown = matches!(flow, Flow::CallRegister(Word::Poison) | Flow::JumpRegister(Word::Poison));
    let end = run(&mut plain, code);
    if !unknown {
        assert_eq!(end, Ok(goes(&flow, |word| integer(word).expect("it is known"))));
    }
    assert_eq!(plain.it, words.state.it);
    for (number, (word, value)) in words.state.registers.iter().zip(plain.registers).enumerate() {
        assert!(integer(*word).is_none_or(|known| known == value), "register {number}: {word} is {value:#x}");
    }
    let (flags, float_flags) = (words.flags(), words.float_flags());
    let expected = [plain.nzcv(), plain.float_nzcv()].concat();
    let found = [flags, float_flags].map(|flags| BITS.map(|cond| flags.condition(&mut words, cond))).concat();
    for (truth, value) in found.into_iter().zip(expected) {
        assert!(truth == Truth::Poison || truth == Truth::Known(value), "flags");
    }
    for (address, byte) in &words.memory {
        assert!(byte.is_none_or(|byte| byte == plain.memory[address]), "at {address:#x}");
    }
}

/// Accepted encodings: those of 16 bits, then those of 32.
static CODES: LazyLock<[Vec<(Vec<u8>, Inst)>; 2]> = LazyLock::new(|| {
    let (narrow, wide) = sample().into_iter().partition(|(bytes, _)| bytes.len() == 2);
    [narrow, wide]
});

fn codes() -> impl Strategy<Value = Vec<(usize, Index)>> {
    vec((0usize..2, any::<Index>()), 1..12)
}

fn fetched(choices: &[(usize, Index)]) -> Vec<&'static (Vec<u8>, Inst)> {
    choices.iter().map(|(size, at)| at.get(&CODES[*size])).collect()
}

/// Words around which instructions change what they do.
fn boundary() -> impl Strategy<Value = u32> {
    let near = select(vec![0, 1 << 31, 32, 255, 1 << 16, 0x7f80_0000, 0x3f80_0000, 0x4f00_0000, 0x2000_0100]);
    prop_oneof![
        2 => (near, 0u32..5).prop_map(|(near, by): (u32, u32)| near.wrapping_add(by).wrapping_sub(2)),
        1 => any::<u32>(),
        1 => 0u32..256,
    ]
}

fn word() -> impl Strategy<Value = Word> {
    let region = || 0..REGIONS.len() as u32;
    let offset = || prop_oneof![0u32..300, boundary()];
    prop_oneof![
        6 => boundary().prop_map(Word::Int),
        2 => (region(), offset()).prop_map(|(region, offset)| Word::Pointer { region, offset }),
        1 => (region(), offset()).prop_map(|(region, offset)| Word::Low { region, offset }),
        1 => Just(Word::Poison),
    ]
}

fn start() -> impl Strategy<Value = Start> {
    let registers = vec((word(), boundary()), Reg::COUNT);
    (registers, any::<[bool; 8]>()).prop_map(|(registers, flags)| Start { registers, flags })
}

const BIN32: [Bin32; 14] = [
    Bin32::Add,
    Bin32::Sub,
    Bin32::Mul,
    Bin32::MulHighU,
    Bin32::MulHighS,
    Bin32::DivU,
    Bin32::DivS,
    Bin32::And,
    Bin32::Or,
    Bin32::Xor,
    Bin32::Shl,
    Bin32::ShrU,
    Bin32::ShrS,
    Bin32::RotR,
];
const UN32: [Un32; 6] = [Un32::Clz, Un32::Rbit, Un32::Rev, Un32::Popcnt, Un32::Sext8, Un32::Sext16];
const CMP: [Cmp; 3] = [Cmp::Eq, Cmp::LtU, Cmp::LtS];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6000))]

    #[test]
    fn terms_have_the_value_that_integers_have(start in start(), code in codes()) {
        terms_agree(&start, &fetched(&code));
    }

    #[test]
    fn what_words_know_is_so(start in start(), code in codes()) {
        words_agree(&start, &fetched(&code));
    }

    #[test]
    fn operators_on_words_are_exact_or_poison(a in word(), b in word(), c in any::<bool>()) {
        let (mut words, mut plain) = (Start { registers: vec![], flags: [c; 8] }.words(), Plain::new());
        let (Some(x), Some(y)) = (integer(a), integer(b)) else { return Ok(()) };
        let exact = |word: Word, value: u32| integer(word).is_none_or(|known| known == value);
        let true_to = |truth: Truth, value: bool| truth == Truth::Poison || truth == Truth::Known(value);
        for op in BIN32 {
            prop_assert!(exact(words.bin32(op, &a, &b), plain.bin32(op, &x, &y)), "{op:?}");
        }
        for op in UN32 {
            prop_assert!(exact(words.un32(op, &a), plain.un32(op, &x)), "{op:?}");
        }
        for op in CMP {
            prop_assert!(true_to(words.cmp32(op, &a, &b), plain.cmp32(op, &x, &y)), "{op:?}");
        }
        prop_assert!(true_to(words.carry(&a, &b, &Truth::Known(c)), plain.carry(&x, &y, &c)));
        prop_assert!(exact(words.ite32(&Truth::Known(c), &a, &b), plain.ite32(&c, &x, &y)));
        prop_assert_eq!(words.ite32(&Truth::Poison, &a, &b), Word::Poison);
    }
}
