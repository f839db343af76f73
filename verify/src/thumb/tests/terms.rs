//! The semantics over terms mean what they mean over numbers: each instruction is run on a machine of unknowns, what comes of
//! it is evaluated, and compared with a run on the numbers that the unknowns stand for.
//!
//! A condition is decided, and a memory read and written, where the numbers are; so registers, flags, addresses
//! and stored words are compared, with and without the rules.

use proptest::prelude::*;

use super::plain::{CODE, Plain};
use crate::domain::{Bin32, Bin64, Cmp, Decide, Domain, Un32, Un64};
use crate::float::Float;
use crate::term::eval::{Assignment, Evaluator, Value, boundary_biased, mix};
use crate::term::node::Id;
use crate::term::{Term32, Term64, TermBool, Terms};
use crate::thumb::decode::decode;
use crate::thumb::feature::Target;
use crate::thumb::inst::{Cond, Inst, Reg, Width};
use crate::thumb::sem::{Alignment, Flags, Flow, ItState, Machine, step};

/// A machine of terms beside the numbers that they stand for.
struct Symbols {
    terms: Terms,
    assignment: Assignment,
    registers: Vec<Term32>,
    flags: Flags<Symbols>,
    float_flags: Flags<Symbols>,
    it: ItState,
    /// Memory and code.
    numbers: Plain,
}

impl Symbols {
    /// Unknowns for all registers and flags of a machine of numbers.
    fn of(plain: &Plain) -> Symbols {
        let mut terms = Terms::new();
        let mut assignment = Assignment::default();
        let mut registers = Vec::new();
        for number in plain.registers {
            let term = terms.fresh32("register");
            assignment.words.insert(terms.symbol_of(term.raw).expect("an unknown"), number);
            registers.push(term);
        }
        let mut bits = |values: [bool; 4]| {
            values.map(|value| {
                let term = terms.fresh_bool("flag");
                assignment.bools.insert(terms.symbol_of(term.raw).expect("an unknown"), value);
                term
            })
        };
        let mut numbers = plain.clone();
        let flags = Flags::from_bits(bits(numbers.nzcv()));
        let float_flags = Flags::from_bits(bits(numbers.float_nzcv()));
        Symbols { terms, assignment, registers, flags, float_flags, it: plain.it, numbers }
    }

    fn value(&self, id: Id) -> Value {
        Evaluator::new(self.terms.arena(), &self.assignment).value(id)
    }

    /// What a word stands for; the same by its normal form.
    fn word(&self, term: Term32) -> Result<u32, String> {
        match (self.value(term.raw), self.value(term.norm)) {
            (Value::W32(raw), Value::W32(norm)) if raw == norm => Ok(raw),
            (raw, norm) => Err(format!("{raw:?} by itself, {norm:?} by the rules")),
        }
    }

    fn truth(&self, term: TermBool) -> Result<bool, String> {
        match (self.value(term.raw), self.value(term.norm)) {
            (Value::Bool(raw), Value::Bool(norm)) if raw == norm => Ok(raw),
            (raw, norm) => Err(format!("{raw:?} by itself, {norm:?} by the rules")),
        }
    }

    fn nzcv(&mut self, flags: &Flags<Symbols>) -> Result<[bool; 4], String> {
        let mut bits = [false; 4];
        for (bit, cond) in bits.iter_mut().zip([Cond::Mi, Cond::Eq, Cond::Hs, Cond::Vs]) {
            let term = flags.condition(self, cond);
            *bit = self.truth(term)?;
        }
        Ok(bits)
    }
}

impl Decide for Symbols {
    type Stop = String;

    fn decide(&mut self, condition: &TermBool) -> Result<bool, String> {
        self.truth(*condition)
    }
}

impl Machine for Symbols {
    fn target(&self) -> Target {
        self.numbers.target
    }

    fn fault(&mut self, reason: String) -> String {
        reason
    }

    fn register(&mut self, register: Reg) -> Result<Term32, String> {
        if register == Reg::PC {
            return Err("PC as an operand".to_owned());
        }
        Ok(self.registers[usize::from(register.number())])
    }

    fn set_register(&mut self, register: Reg, word: Term32) -> Result<(), String> {
        if register == Reg::PC {
            return Err("PC as a result".to_owned());
        }
        self.registers[usize::from(register.number())] = word;
        Ok(())
    }

    fn flags(&self) -> Flags<Symbols> {
        self.flags.clone()
    }

    fn set_flags(&mut self, flags: Flags<Symbols>) {
        self.flags = flags;
    }

    fn float_flags(&self) -> Flags<Symbols> {
        self.float_flags.clone()
    }

    fn set_float_flags(&mut self, flags: Flags<Symbols>) {
        self.float_flags = flags;
    }

    fn it(&self) -> ItState {
        self.it
    }

    fn set_it(&mut self, it: ItState) {
        self.it = it;
    }

    fn load(&mut self, address: &Term32, width: Width, alignment: Alignment) -> Result<Term32, String> {
        let address = self.word(*address)?;
        let word = self.numbers.load(&address, width, alignment)?;
        Ok(self.terms.w32(word))
    }

    fn store(&mut self, address: &Term32, width: Width, alignment: Alignment, word: &Term32) -> Result<(), String> {
        let (address, word) = (self.word(*address)?, self.word(*word)?);
        self.numbers.store(&address, width, alignment, &word)
    }

    fn constant(&mut self, address: u32, width: Width) -> Result<Term32, String> {
        let word = self.numbers.constant(address, width)?;
        Ok(self.terms.w32(word))
    }

    fn code_address(&mut self, address: u32) -> Result<Term32, String> {
        Ok(self.terms.w32(address))
    }

    fn jump_table(&mut self, table: u32, index: &Term32, width: Width) -> Result<u32, String> {
        let index = self.word(*index)?;
        self.numbers.jump_table(table, &index, width)
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

    fn carry(&mut self, a: &Term32, b: &Term32, carry: &TermBool) -> TermBool {
        self.terms.carry(a, b, carry)
    }

    fn ite32(&mut self, c: &TermBool, a: &Term32, b: &Term32) -> Term32 {
        self.terms.ite32(c, a, b)
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
        self.terms.float(op, words)
    }

    fn ite64(&mut self, c: &TermBool, a: &Term64, b: &Term64) -> Term64 {
        self.terms.ite64(c, a, b)
    }
}

/// A machine of numbers, boundary values among them.
fn plain(seed: u64) -> Plain {
    let mut plain = Plain::new();
    for (number, register) in (0u32..).zip(&mut plain.registers) {
        *register = boundary_biased(mix(seed, &[number]));
    }
    let bits = mix(seed, &[1000]);
    plain.flags = Flags::from_bits([0, 1, 2, 3].map(|bit| bits >> bit & 1 == 1));
    plain.float_flags = Flags::from_bits([4, 5, 6, 7].map(|bit| bits >> bit & 1 == 1));
    plain
}

/// Whether the evaluator knows what the instruction computes: it has no meaning for arithmetic on floats.
fn is_evaluated(inst: &Inst) -> bool {
    !matches!(inst, Inst::Float(_))
}

fn compare(code: &[(Inst, u32)], seed: u64) -> Result<(), String> {
    let mut plain = plain(seed);
    let mut symbols = Symbols::of(&plain);
    let mut pc = CODE;
    for (inst, size) in code {
        let wanted = step(&mut plain, inst, pc, *size);
        let is = step(&mut symbols, inst, pc, *size);
        match (wanted, is) {
            (Err(wanted), Err(is)) if wanted == is => return Ok(()),
            (Ok(wanted), Ok(is)) => {
                let is = match is {
                    Flow::Next => Flow::Next,
                    Flow::Jump(target) => Flow::Jump(target),
                    Flow::Call { target, return_address } => Flow::Call { target, return_address },
                    Flow::CallRegister(word) => Flow::CallRegister(symbols.word(word)?),
                    Flow::JumpRegister(word) => Flow::JumpRegister(symbols.word(word)?),
                    Flow::Trap(code) => Flow::Trap(code),
                };
                if is != wanted {
                    return Err(format!("{inst}: {is:?}, not {wanted:?}"));
                }
            }
            (wanted, is) => return Err(format!("{inst}: {is:?}, not {wanted:?}")),
        }
        pc += size;
    }
    for (number, wanted) in plain.registers.iter().enumerate() {
        let is = symbols.word(symbols.registers[number])?;
        if is != *wanted {
            return Err(format!("register {number} is {is:#x}, not {wanted:#x}"));
        }
    }
    let flags = (symbols.flags.clone(), symbols.float_flags.clone());
    let is = (symbols.nzcv(&flags.0)?, symbols.nzcv(&flags.1)?, symbols.it);
    let wanted = (plain.nzcv(), plain.float_nzcv(), plain.it);
    if is != wanted {
        return Err(format!("flags are {is:?}, not {wanted:?}"));
    }
    if symbols.numbers.memory == plain.memory { Ok(()) } else { Err("memory differs".to_owned()) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn terms_are_what_numbers_are(halves in proptest::collection::vec(any::<u16>(), 40), seed in any::<u64>()) {
        let bytes: Vec<u8> = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
        // Whatever decodes, in a row, up to four instructions: flags and IT blocks reach from one to the next.
        let mut code = Vec::new();
        for at in (0..bytes.len()).step_by(2) {
            if let Ok((inst, size)) = decode(&bytes, at)
                && is_evaluated(&inst)
            {
                code.push((inst, size));
            }
        }
        for (number, part) in code.chunks(4).enumerate() {
            let outcome = compare(part, mix(seed, &[number as u32]));
            prop_assert_eq!(outcome, Ok(()), "{}", part.iter().map(|(inst, _)| format!("{inst}; ")).collect::<String>());
        }
    }
}
