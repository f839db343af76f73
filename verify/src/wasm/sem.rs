//! What each Wasm operator does (core spec 1.0, section 4.4), written once over a [`World`].
//!
//! Requires: a validated function, and an activation from [`Activation::enter`] or
//! [`Activation::at`].
//! Ensures: [`step`] asks for every decision before it changes anything, so a driver may run a step
//! that was undecided again with more facts. A step that traps leaves the stack as it was.
//!
//! An access of n bytes at index i and constant offset o is out of bounds if L < o+n or
//! L-(o+n) < i, where L is the memory's length in bytes. This form needs no 33rd bit.

#![deny(clippy::wildcard_enum_match_arm)]

mod float;

use crate::domain::{Bin32, Bin64, Cmp, Decide, Domain, Un32, Un64};
use crate::hints::Sort;
use crate::trap::Trap;

mod table;

use super::control::{Label, Target, Then};
use super::module::{Function, Module};
use super::op::{Binary32, Binary64, Load, Op, Place, Relation, Store, Unary, Wide};
use super::wide;

pub use super::world::{Value, Width, World};

/// One run of a function, at some operator.
pub struct Activation<D: Domain + ?Sized> {
    /// The position in the body of the operator that runs next.
    pub position: u32,
    /// The locals, parameters first.
    pub locals: Vec<Value<D>>,
    /// The operand stack, bottom first.
    pub stack: Vec<Value<D>>,
}

impl<D: Domain + ?Sized> Clone for Activation<D> {
    fn clone(&self) -> Self {
        Activation { position: self.position, locals: self.locals.clone(), stack: self.stack.clone() }
    }
}

impl<D: Domain + ?Sized> Activation<D> {
    /// At the function's first operator. `None` if the arguments do not have the parameters' types.
    pub fn enter(domain: &mut D, function: &Function, arguments: Vec<Value<D>>) -> Option<Self> {
        let mut locals = arguments;
        if !has_sorts(&locals, function.signature.parameters.iter().map(|ty| ty.sort())) {
            return None;
        }
        for local in function.locals.get(locals.len()..)? {
            locals.push(match local.sort() {
                Sort::W32 => Value::W32(domain.w32(0)),
                Sort::W64 => Value::W64(domain.w64(0)),
            });
        }
        Some(Activation { position: 0, locals, stack: Vec::new() })
    }

    /// Before the operator at a position. `None` if nothing ever runs there, or the locals or the
    /// stack do not have the widths that they have there.
    pub fn at(function: &Function, position: u32, locals: Vec<Value<D>>, stack: Vec<Value<D>>) -> Option<Self> {
        let wanted = function.control.stack(position)?;
        let locals_fit = has_sorts(&locals, function.locals.iter().map(|ty| ty.sort()));
        let fits = locals_fit && has_sorts(&stack, wanted.iter().map(|ty| ty.sort()));
        fits.then_some(Activation { position, locals, stack })
    }
}

fn has_sorts<D: Domain + ?Sized>(values: &[Value<D>], sorts: impl ExactSizeIterator<Item = Sort>) -> bool {
    values.len() == sorts.len() && values.iter().zip(sorts).all(|(value, wanted)| value.sort() == wanted)
}

/// What a step came to.
pub enum Event<D: Domain + ?Sized> {
    /// The activation stands before its next operator.
    Next,
    /// A direct call. The activation stands behind it, without the arguments; the driver pushes
    /// the results. Of a call that the function returns from the activation stands at the function's
    /// end, with nothing else on its stack.
    Call {
        /// What comes behind it.
        then: Then,
        /// Offset of the call.
        offset: u32,
        /// Function index.
        function: u32,
        /// The arguments, first parameter first.
        arguments: Vec<Value<D>>,
    },
    /// An indirect call that passed its checks; else as a direct call.
    CallIndirect {
        /// What comes behind it.
        then: Then,
        /// Offset of the call.
        offset: u32,
        /// Index of the type called with.
        type_index: u32,
        /// What [`World::reference_code`] says of the entry.
        code: D::W32,
        /// The arguments, first parameter first.
        arguments: Vec<Value<D>>,
    },
    /// The function returns these results.
    Return(Vec<Value<D>>),
    /// The operator at this offset traps.
    Trap(Trap, u32),
}

/// Runs one operator.
///
/// # Panics
/// If the activation does not fit the function, which the constructors exclude.
pub fn step<W: World>(
    world: &mut W,
    module: &Module,
    function: &Function,
    activation: &mut Activation<W>,
) -> Result<Event<W>, W::Stop> {
    let position = activation.position;
    let instruction = &function.body[position as usize];
    activation.position += 1;
    let mut stepper = Stepper { world, module, function, activation, position };
    let done = stepper.operator(&instruction.op);
    if done.is_err() {
        stepper.activation.position = position;
    }
    match done? {
        Done::Next => Ok(Event::Next),
        Done::Trap(trap) => Ok(Event::Trap(trap, instruction.offset)),
        Done::Return => Ok(Event::Return(stepper.results())),
        Done::Call { callee, arguments, then } => {
            let offset = instruction.offset;
            if then == Then::Return {
                activation.position = function.body.len() as u32 - 1;
                activation.stack.clear();
            }
            Ok(match callee {
                Callee::Direct(function) => Event::Call { then, offset, function, arguments },
                Callee::Indirect { type_index, code } => {
                    Event::CallIndirect { then, offset, type_index, code, arguments }
                }
            })
        }
    }
}

/// An event before its offset is added.
enum Done<W: World> {
    Next,
    Trap(Trap),
    Return,
    Call { callee: Callee<W>, arguments: Vec<Value<W>>, then: Then },
}

enum Callee<W: World> {
    Direct(u32),
    Indirect { type_index: u32, code: W::W32 },
}

type Outcome<W> = Result<Done<W>, <W as Decide>::Stop>;

struct Stepper<'a, W: World> {
    world: &'a mut W,
    module: &'a Module,
    function: &'a Function,
    activation: &'a mut Activation<W>,
    position: u32,
}

impl<W: World> Stepper<'_, W> {
    fn operator(&mut self, op: &Op) -> Outcome<W> {
        match op {
            Op::Unreachable => return Ok(Done::Trap(Trap::Unreachable)),
            Op::Nop | Op::Block(_) | Op::Loop(_) => {}
            Op::If(_) => {
                if !self.pop_condition()? {
                    self.activation.position = self.otherwise();
                }
            }
            Op::Else => self.activation.position = self.otherwise(),
            Op::End => {
                if self.position as usize + 1 == self.function.body.len() {
                    return Ok(Done::Return);
                }
            }
            Op::Br(depth) => return Ok(self.branch(*depth)),
            Op::BrIf(depth) => {
                if self.pop_condition()? {
                    return Ok(self.branch(*depth));
                }
            }
            Op::BrTable(depths, default) => {
                let index = self.top32(0);
                let (ends, targets) = runs(depths);
                let run = self.world.enumerate(&index, &ends)?;
                self.pop();
                return Ok(self.branch(targets.get(run).copied().unwrap_or(*default)));
            }
            Op::Return => return Ok(Done::Return),
            Op::Call(callee) => return Ok(self.call(*callee, Then::Next)),
            Op::CallIndirect(type_index, table) => return self.call_indirect(*type_index, *table, Then::Next),
            Op::ReturnCall(callee) => return Ok(self.call(*callee, Then::Return)),
            Op::ReturnCallIndirect(type_index, table) => {
                return self.call_indirect(*type_index, *table, Then::Return);
            }
            Op::Drop => {
                self.pop();
            }
            Op::Select => self.select(),
            Op::LocalGet(local) => {
                let value = self.activation.locals[*local as usize].clone();
                self.activation.stack.push(value);
            }
            Op::LocalSet(local) => {
                let value = self.pop();
                self.activation.locals[*local as usize] = value;
            }
            Op::LocalTee(local) => {
                let value = self.pop();
                self.activation.locals[*local as usize] = value.clone();
                self.activation.stack.push(value);
            }
            Op::GlobalGet(global) => {
                let value = self.world.global_get(*global);
                self.activation.stack.push(value);
            }
            Op::GlobalSet(global) => {
                let value = self.pop();
                self.world.global_set(*global, &value);
            }
            Op::Load(load, place) => return self.load(*load, *place),
            Op::Store(store, place) => return self.store(*store, *place),
            Op::MemorySize(memory, unit_log2) => {
                let bytes = self.world.memory_bytes(*memory);
                let units = self.shift_right(&bytes, u32::from(*unit_log2));
                self.push32(units);
            }
            Op::MemoryGrow(memory) => self.memory_grow(*memory),
            Op::RefNull(_) => {
                let null = self.world.w32(0);
                self.push32(null);
            }
            Op::RefIsNull => {
                let reference = self.pop32();
                let is_null = self.is_null(&reference);
                self.push_truth(&is_null);
            }
            Op::RefFunc(function) => {
                let reference = self.world.function_reference(*function)?;
                self.push32(reference);
            }
            Op::TableGet(table) => return self.table_get(*table),
            Op::TableSet(table) => return self.table_set(*table),
            Op::TableSize(table) => {
                let size = self.world.table_size(*table);
                self.push32(size);
            }
            Op::TableGrow(table) => return self.table_grow(*table),
            Op::MemoryDrop(memory) => {
                let zero = self.world.w32(0);
                self.world.set_memory_bytes(*memory, &zero);
            }
            Op::TableDrop(table) => {
                let zero = self.world.w32(0);
                self.world.set_table_size(*table, &zero);
            }
            Op::Bulk(bulk) => return Err(self.world.refuse(format!("{bulk:?} is not linked"))),
            Op::I32Const(value) => {
                let word = self.world.w32(*value);
                self.push32(word);
            }
            Op::I64Const(value) => {
                let word = self.world.w64(*value);
                self.push64(word);
            }
            Op::I32Eqz => {
                let a = self.pop32();
                let zero = self.world.w32(0);
                let is_zero = self.world.cmp32(Cmp::Eq, &a, &zero);
                self.push_truth(&is_zero);
            }
            Op::I64Eqz => {
                let a = self.pop64();
                let zero = self.world.w64(0);
                let is_zero = self.world.cmp64(Cmp::Eq, &a, &zero);
                self.push_truth(&is_zero);
            }
            Op::I32Compare(relation) => {
                let (b, a) = (self.pop32(), self.pop32());
                let holds = compare(*relation, a, b, |cmp, a, b| self.world.cmp32(cmp, a, b));
                self.push_relation(holds);
            }
            Op::I64Compare(relation) => {
                let (b, a) = (self.pop64(), self.pop64());
                let holds = compare(*relation, a, b, |cmp, a, b| self.world.cmp64(cmp, a, b));
                self.push_relation(holds);
            }
            Op::I32Unary(unary) => self.unary32(*unary),
            Op::I64Unary(unary) => {
                let un = match unary {
                    Unary::Clz => Un64::Clz,
                    Unary::Ctz => Un64::Ctz,
                    Unary::Popcnt => Un64::Popcnt,
                    Unary::Extend8S => Un64::Sext8,
                    Unary::Extend16S => Un64::Sext16,
                };
                self.unary64(un);
            }
            Op::I64Extend32S => self.unary64(Un64::Sext32),
            Op::Wide(wide) => self.wide(*wide),
            Op::I32Binary(binary) => return self.binary32(*binary),
            Op::I64Binary(binary) => return self.binary64(*binary),
            Op::I32WrapI64 => {
                let a = self.pop64();
                let low = self.world.low(&a);
                self.push32(low);
            }
            Op::I64ExtendI32S => {
                let a = self.pop32();
                self.push_sign_extended(&a);
            }
            Op::I64ExtendI32U => {
                let a = self.pop32();
                let zero = self.world.w32(0);
                let wide = self.world.join(&zero, &a);
                self.push64(wide);
            }
            Op::Sign(sign, sort) => self.sign(*sign, *sort),
            Op::Float(float) => {
                let operands = self.pop_many(float.operands().len());
                let result = self.float(*float, &operands);
                self.activation.stack.push(result);
            }
            Op::FloatSwapped(float) => {
                let (b, a) = (self.pop(), self.pop());
                let result = self.float(*float, &[b, a]);
                self.activation.stack.push(result);
            }
            Op::Truncate { fits, whole } => return self.truncate(*fits, *whole),
        }
        Ok(Done::Next)
    }

    fn otherwise(&self) -> u32 {
        self.function.control.otherwise(self.position).expect("every `if` and `else` has a place")
    }

    fn branch(&mut self, depth: u32) -> Done<W> {
        let label = self.function.control.label(self.position, depth).expect("validated");
        let Label { target, arity, height } = label;
        match target {
            Target::Return => Done::Return,
            Target::Place(place) => {
                let carried = self.pop_many(arity as usize);
                self.activation.stack.truncate(height as usize);
                self.activation.stack.extend(carried);
                self.activation.position = place;
                Done::Next
            }
        }
    }

    fn results(&mut self) -> Vec<Value<W>> {
        self.pop_many(self.function.signature.results.len())
    }

    fn call(&mut self, callee: u32, then: Then) -> Done<W> {
        let signature = self.module.signature(callee).expect("validated");
        let arguments = self.pop_many(signature.parameters.len());
        Done::Call { callee: Callee::Direct(callee), arguments, then }
    }

    fn select(&mut self) {
        let condition = self.pop32();
        let zero = self.world.w32(0);
        let is_zero = self.world.cmp32(Cmp::Eq, &condition, &zero);
        let is_set = self.world.not(&is_zero);
        let (b, a) = (self.pop(), self.pop());
        let chosen = match (a, b) {
            (Value::W32(a), Value::W32(b)) => Value::W32(self.world.ite32(&is_set, &a, &b)),
            (Value::W64(a), Value::W64(b)) => Value::W64(self.world.ite64(&is_set, &a, &b)),
            (Value::W32(_), Value::W64(_)) | (Value::W64(_), Value::W32(_)) => {
                unreachable!("validation gives both operands of `select` one type")
            }
        };
        self.activation.stack.push(chosen);
    }

    /// The effective address of an access of some bytes, or `None` if it traps.
    fn address(&mut self, index: &W::W32, place: Place, bytes: u32) -> Result<Option<W::W32>, W::Stop> {
        let Some(end) = place.offset.checked_add(bytes) else {
            return Ok(None);
        };
        let length = self.world.memory_bytes(place.memory);
        let end = self.world.w32(end);
        let too_short = self.world.cmp32(Cmp::LtU, &length, &end);
        let last = self.world.bin32(Bin32::Sub, &length, &end);
        let beyond = self.world.cmp32(Cmp::LtU, &last, index);
        let outside = self.world.or(&too_short, &beyond);
        if self.world.decide(&outside)? {
            return Ok(None);
        }
        let offset = self.world.w32(place.offset);
        Ok(Some(self.world.bin32(Bin32::Add, index, &offset)))
    }

    fn load(&mut self, load: Load, place: Place) -> Outcome<W> {
        let index = self.top32(0);
        let (width, fill) = loaded(load);
        let bytes = match fill {
            Fill::Double => 8,
            Fill::Zero | Fill::Sign | Fill::WideZero | Fill::WideSign => width.bytes(),
        };
        let Some(at) = self.address(&index, place, bytes)? else {
            return Ok(Done::Trap(Trap::MemoryOutOfBounds));
        };
        self.pop();
        let word = self.world.load(place.memory, &at, width)?;
        match fill {
            Fill::Zero => self.push32(word),
            Fill::Sign => {
                let word = self.sign_extend(width, &word);
                self.push32(word);
            }
            Fill::WideZero => {
                let zero = self.world.w32(0);
                let wide = self.world.join(&zero, &word);
                self.push64(wide);
            }
            Fill::WideSign => {
                let word = self.sign_extend(width, &word);
                self.push_sign_extended(&word);
            }
            Fill::Double => {
                let four = self.world.w32(4);
                let above = self.world.bin32(Bin32::Add, &at, &four);
                let high = self.world.load(place.memory, &above, Width::Word)?;
                let wide = self.world.join(&high, &word);
                self.push64(wide);
            }
        }
        Ok(Done::Next)
    }

    fn store(&mut self, store: Store, place: Place) -> Outcome<W> {
        let index = self.top32(1);
        let (width, bytes) = match store {
            Store::I32To8 | Store::I64To8 => (Width::Byte, 1),
            Store::I32To16 | Store::I64To16 => (Width::Half, 2),
            Store::I32 | Store::I64To32 => (Width::Word, 4),
            Store::I64 => (Width::Word, 8),
        };
        let Some(at) = self.address(&index, place, bytes)? else {
            return Ok(Done::Trap(Trap::MemoryOutOfBounds));
        };
        let value = self.pop();
        self.pop();
        let (low, high) = match value {
            Value::W32(word) => (word, None),
            Value::W64(wide) => (self.world.low(&wide), Some(self.world.high(&wide))),
        };
        self.world.store(place.memory, &at, width, &low)?;
        if let (8, Some(high)) = (bytes, high) {
            let four = self.world.w32(4);
            let above = self.world.bin32(Bin32::Add, &at, &four);
            self.world.store(place.memory, &above, Width::Word, &high)?;
        }
        Ok(Done::Next)
    }

    fn memory_grow(&mut self, memory: u32) {
        let page_log2 = u32::from(self.module.memories[memory as usize].page_log2);
        let delta = self.pop32();
        let length = self.world.memory_bytes(memory);
        let old = self.shift_right(&length, page_log2);
        let reserve = self.world.reserve_pages(memory);
        let reserve = self.world.w32(reserve);
        let room = self.world.bin32(Bin32::Sub, &reserve, &old);
        let too_much = self.world.cmp32(Cmp::LtU, &room, &delta);
        let fits = self.world.not(&too_much);
        let (zero, failed, shift) = (self.world.w32(0), self.world.w32(u32::MAX), self.world.w32(page_log2));
        let asked = self.world.bin32(Bin32::Shl, &delta, &shift);
        let added = self.world.ite32(&fits, &asked, &zero);
        let length = self.world.bin32(Bin32::Add, &length, &added);
        let result = self.world.ite32(&fits, &old, &failed);
        self.world.set_memory_bytes(memory, &length);
        self.push32(result);
    }

    fn unary32(&mut self, unary: Unary) {
        let a = self.pop32();
        let result = match unary {
            Unary::Clz => self.world.un32(Un32::Clz, &a),
            Unary::Ctz => {
                let reversed = self.world.un32(Un32::Rbit, &a);
                self.world.un32(Un32::Clz, &reversed)
            }
            Unary::Popcnt => self.world.un32(Un32::Popcnt, &a),
            Unary::Extend8S => self.world.un32(Un32::Sext8, &a),
            Unary::Extend16S => self.world.un32(Un32::Sext16, &a),
        };
        self.push32(result);
    }

    fn unary64(&mut self, unary: Un64) {
        let a = self.pop64();
        let result = self.world.un64(unary, &a);
        self.push64(result);
    }

    fn binary32(&mut self, binary: Binary32) -> Outcome<W> {
        let (b, a) = (self.top32(0), self.top32(1));
        let result = match binary {
            Binary32::Add => self.world.bin32(Bin32::Add, &a, &b),
            Binary32::Sub => self.world.bin32(Bin32::Sub, &a, &b),
            Binary32::Mul => self.world.bin32(Bin32::Mul, &a, &b),
            Binary32::DivS | Binary32::DivU | Binary32::RemS | Binary32::RemU => {
                if let Some(trap) = self.division_trap(binary, &a, &b)? {
                    return Ok(Done::Trap(trap));
                }
                self.divide(binary, &a, &b)
            }
            Binary32::And => self.world.bin32(Bin32::And, &a, &b),
            Binary32::Or => self.world.bin32(Bin32::Or, &a, &b),
            Binary32::Xor => self.world.bin32(Bin32::Xor, &a, &b),
            Binary32::Shl => self.shift32(Bin32::Shl, &a, &b),
            Binary32::ShrS => self.shift32(Bin32::ShrS, &a, &b),
            Binary32::ShrU => self.shift32(Bin32::ShrU, &a, &b),
            Binary32::Rotr => self.world.bin32(Bin32::RotR, &a, &b),
            Binary32::Rotl => {
                let zero = self.world.w32(0);
                let right = self.world.bin32(Bin32::Sub, &zero, &b);
                self.world.bin32(Bin32::RotR, &a, &right)
            }
        };
        self.activation.stack.truncate(self.activation.stack.len() - 2);
        self.push32(result);
        Ok(Done::Next)
    }

    fn division_trap(&mut self, binary: Binary32, a: &W::W32, b: &W::W32) -> Result<Option<Trap>, W::Stop> {
        let zero = self.world.w32(0);
        let by_zero = self.world.cmp32(Cmp::Eq, b, &zero);
        if self.world.decide(&by_zero)? {
            return Ok(Some(Trap::DivideByZero));
        }
        if binary == Binary32::DivS {
            let (least, minus_one) = (self.world.w32(0x8000_0000), self.world.w32(u32::MAX));
            let a_least = self.world.cmp32(Cmp::Eq, a, &least);
            let b_minus_one = self.world.cmp32(Cmp::Eq, b, &minus_one);
            let overflows = self.world.and(&a_least, &b_minus_one);
            if self.world.decide(&overflows)? {
                return Ok(Some(Trap::IntegerOverflow));
            }
        }
        Ok(None)
    }

    /// Quotient or remainder by a divisor that is not zero. For `MIN rem -1` the total quotient is
    /// `MIN`, and `MIN - MIN * -1` is the 0 that Wasm asks for.
    fn divide(&mut self, binary: Binary32, a: &W::W32, b: &W::W32) -> W::W32 {
        let signed = matches!(binary, Binary32::DivS | Binary32::RemS);
        let quotient = self.world.bin32(if signed { Bin32::DivS } else { Bin32::DivU }, a, b);
        if matches!(binary, Binary32::DivS | Binary32::DivU) {
            return quotient;
        }
        let whole = self.world.bin32(Bin32::Mul, &quotient, b);
        self.world.bin32(Bin32::Sub, a, &whole)
    }

    fn shift32(&mut self, shift: Bin32, a: &W::W32, b: &W::W32) -> W::W32 {
        let mask = self.world.w32(31);
        let amount = self.world.bin32(Bin32::And, b, &mask);
        self.world.bin32(shift, a, &amount)
    }

    fn wide(&mut self, op: Wide) {
        let mut operands: Vec<W::W64> = (0..op.operands()).map(|_| self.pop64()).collect();
        operands.reverse();
        for half in wide::run(self.world, op, &operands) {
            self.push64(half);
        }
    }

    fn binary64(&mut self, binary: Binary64) -> Outcome<W> {
        let (b, a) = (self.top64(0), self.top64(1));
        let bin = match binary {
            Binary64::Add => Bin64::Add,
            Binary64::Sub => Bin64::Sub,
            Binary64::Mul => Bin64::Mul,
            Binary64::And => Bin64::And,
            Binary64::Or => Bin64::Or,
            Binary64::Xor => Bin64::Xor,
            Binary64::Shl => Bin64::Shl,
            Binary64::ShrS => Bin64::ShrS,
            Binary64::ShrU => Bin64::ShrU,
            Binary64::Rotl => Bin64::RotL,
            Binary64::Rotr => Bin64::RotR,
            Binary64::DivS => Bin64::DivS,
            Binary64::DivU => Bin64::DivU,
            Binary64::RemS => Bin64::RemS,
            Binary64::RemU => Bin64::RemU,
        };
        if let Some(trap) = self.division_trap64(binary, &a, &b)? {
            return Ok(Done::Trap(trap));
        }
        let result = self.world.bin64(bin, &a, &b);
        self.activation.stack.truncate(self.activation.stack.len() - 2);
        self.push64(result);
        Ok(Done::Next)
    }

    fn division_trap64(&mut self, binary: Binary64, a: &W::W64, b: &W::W64) -> Result<Option<Trap>, W::Stop> {
        if !matches!(binary, Binary64::DivS | Binary64::DivU | Binary64::RemS | Binary64::RemU) {
            return Ok(None);
        }
        let zero = self.world.w64(0);
        let by_zero = self.world.cmp64(Cmp::Eq, b, &zero);
        if self.world.decide(&by_zero)? {
            return Ok(Some(Trap::DivideByZero));
        }
        if binary == Binary64::DivS {
            let (least, minus_one) = (self.world.w64(1 << 63), self.world.w64(u64::MAX));
            let a_least = self.world.cmp64(Cmp::Eq, a, &least);
            let b_minus_one = self.world.cmp64(Cmp::Eq, b, &minus_one);
            let overflows = self.world.and(&a_least, &b_minus_one);
            if self.world.decide(&overflows)? {
                return Ok(Some(Trap::IntegerOverflow));
            }
        }
        Ok(None)
    }

    fn sign_extend(&mut self, width: Width, word: &W::W32) -> W::W32 {
        match width {
            Width::Byte => self.world.un32(Un32::Sext8, word),
            Width::Half => self.world.un32(Un32::Sext16, word),
            Width::Word => word.clone(),
        }
    }

    fn push_sign_extended(&mut self, word: &W::W32) {
        let by = self.world.w32(31);
        let sign = self.world.bin32(Bin32::ShrS, word, &by);
        let wide = self.world.join(&sign, word);
        self.push64(wide);
    }

    fn shift_right(&mut self, word: &W::W32, by: u32) -> W::W32 {
        let by = self.world.w32(by);
        self.world.bin32(Bin32::ShrU, word, &by)
    }

    fn push_truth(&mut self, truth: &W::Bool) {
        let (one, zero) = (self.world.w32(1), self.world.w32(0));
        let word = self.world.ite32(truth, &one, &zero);
        self.push32(word);
    }

    fn push_relation(&mut self, holds: Holds<W::Bool>) {
        let truth = match holds {
            Holds::If(truth) => truth,
            Holds::Unless(truth) => self.world.not(&truth),
        };
        self.push_truth(&truth);
    }

    /// Whether the condition on top of the stack is not zero.
    fn pop_condition(&mut self) -> Result<bool, W::Stop> {
        let word = self.top32(0);
        let zero = self.world.w32(0);
        let is_zero = self.world.cmp32(Cmp::Eq, &word, &zero);
        let is_set = self.world.not(&is_zero);
        let is_set = self.world.decide(&is_set)?;
        self.pop();
        Ok(is_set)
    }

    /// The word that stands so many places below the top.
    fn top32(&self, below: usize) -> W::W32 {
        match self.activation.stack.iter().rev().nth(below) {
            Some(Value::W32(word)) => word.clone(),
            Some(Value::W64(_)) | None => unreachable!("validation gives this operand type i32"),
        }
    }

    fn top64(&self, below: usize) -> W::W64 {
        match self.activation.stack.iter().rev().nth(below) {
            Some(Value::W64(long)) => long.clone(),
            Some(Value::W32(_)) | None => unreachable!("validation gives this operand type i64"),
        }
    }

    fn push32(&mut self, word: W::W32) {
        self.activation.stack.push(Value::W32(word));
    }

    fn push64(&mut self, word: W::W64) {
        self.activation.stack.push(Value::W64(word));
    }

    fn pop(&mut self) -> Value<W> {
        self.activation.stack.pop().expect("validation keeps the stack high enough")
    }

    fn pop32(&mut self) -> W::W32 {
        match self.pop() {
            Value::W32(word) => word,
            Value::W64(_) => unreachable!("validation gives this operand type i32"),
        }
    }

    fn pop64(&mut self) -> W::W64 {
        match self.pop() {
            Value::W64(word) => word,
            Value::W32(_) => unreachable!("validation gives this operand type i64"),
        }
    }

    fn pop_many(&mut self, values: usize) -> Vec<Value<W>> {
        let stack = &mut self.activation.stack;
        let first = stack.len().checked_sub(values).expect("validated");
        stack.split_off(first)
    }
}

/// The runs of equal depths in a branch table: where each ends, and its depth.
fn runs(depths: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut runs: (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
    for (end, &depth) in (1..).zip(depths) {
        match (runs.0.last_mut(), runs.1.last()) {
            (Some(last), Some(same)) if *same == depth => *last = end,
            _ => {
                runs.0.push(end);
                runs.1.push(depth);
            }
        }
    }
    runs
}

/// A comparison as one of the domain's, or its negation.
enum Holds<B> {
    If(B),
    Unless(B),
}

fn compare<T, B>(relation: Relation, a: T, b: T, mut cmp: impl FnMut(Cmp, &T, &T) -> B) -> Holds<B> {
    match relation {
        Relation::Eq => Holds::If(cmp(Cmp::Eq, &a, &b)),
        Relation::Ne => Holds::Unless(cmp(Cmp::Eq, &a, &b)),
        Relation::LtS => Holds::If(cmp(Cmp::LtS, &a, &b)),
        Relation::LtU => Holds::If(cmp(Cmp::LtU, &a, &b)),
        Relation::GtS => Holds::If(cmp(Cmp::LtS, &b, &a)),
        Relation::GtU => Holds::If(cmp(Cmp::LtU, &b, &a)),
        Relation::LeS => Holds::Unless(cmp(Cmp::LtS, &b, &a)),
        Relation::LeU => Holds::Unless(cmp(Cmp::LtU, &b, &a)),
        Relation::GeS => Holds::Unless(cmp(Cmp::LtS, &a, &b)),
        Relation::GeU => Holds::Unless(cmp(Cmp::LtU, &a, &b)),
    }
}

/// How a loaded word becomes the result.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fill {
    /// It is the `i32`.
    Zero,
    /// Sign-extended, it is the `i32`.
    Sign,
    /// It is the low word of the `i64`, the high word is zero.
    WideZero,
    /// Sign-extended, it is the `i64`.
    WideSign,
    /// It is the low word of the `i64`, and the high word follows in memory.
    Double,
}

fn loaded(load: Load) -> (Width, Fill) {
    match load {
        Load::I32 => (Width::Word, Fill::Zero),
        Load::I32From8S => (Width::Byte, Fill::Sign),
        Load::I32From8U => (Width::Byte, Fill::Zero),
        Load::I32From16S => (Width::Half, Fill::Sign),
        Load::I32From16U => (Width::Half, Fill::Zero),
        Load::I64 => (Width::Word, Fill::Double),
        Load::I64From8S => (Width::Byte, Fill::WideSign),
        Load::I64From8U => (Width::Byte, Fill::WideZero),
        Load::I64From16S => (Width::Half, Fill::WideSign),
        Load::I64From16U => (Width::Half, Fill::WideZero),
        Load::I64From32S => (Width::Word, Fill::WideSign),
        Load::I64From32U => (Width::Word, Fill::WideZero),
    }
}
