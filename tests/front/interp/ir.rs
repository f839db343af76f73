//! Interprets the IR.

use super::{DEPTH_MAX, Funcs, Host, Instance, Stop, Trace, Visit, reference, referenced};
use synth::entity::TypedVec;
use synth::ir::eval;
use synth::ir::func::{Block, Callee, ENTRY, Func, InstData, Signature, Target, Terminator, Value};
use synth::ir::op::{Access, Function, Memory, Op};
use synth::wasm::Module;

/// Address of byte 0 of memory. Neither zero nor a multiple of much, so that a forgotten base shows.
const MEMORY_BASE: u32 = 0x2000_0348;

/// Code address of function 0.
const CODE_BASE: u32 = 0x0800_0001;

pub(super) struct Machine<'a> {
    pub module: &'a Module,
    pub funcs: &'a Funcs,
    pub instance: &'a mut Instance,
    pub host: Host,
    pub fuel: u64,
    pub depth: u32,
    pub trace: Trace,
    /// What the last call returned.
    pub returned: Vec<u64>,
}

/// What the values of one activation hold. Virtual values are computed too, for frames.
type Registers = TypedVec<Value, Option<u64>>;

impl Machine<'_> {
    pub fn call(&mut self, function: Function, args: Vec<u64>) -> Result<Vec<u64>, Stop> {
        let Some(func) = &self.funcs[function] else {
            let word = (self.host)(function, &args);
            self.instance.host_calls.push((function, args));
            let types = &self.module.function_type(function).signature().results;
            return Ok(types.iter().map(|ty| word & (u64::MAX >> (64 - ty.ty().bits()))).collect());
        };
        if self.depth == DEPTH_MAX {
            return Err(Stop::TooDeep);
        }
        self.depth += 1;
        let outcome = self.run(func, args);
        self.depth -= 1;
        outcome
    }

    fn run(&mut self, func: &Func, args: Vec<u64>) -> Result<Vec<u64>, Stop> {
        let mut registers: Registers = TypedVec::filled(None, func.values.len());
        let mut entered: (Block, Vec<u64>) = (ENTRY, args);
        loop {
            let block = &func.blocks[entered.0];
            for (param, arg) in block.params.iter().zip(&entered.1) {
                registers[*param] = Some(*arg);
            }
            if let Some(place) = block.source {
                let read = |slot: &Option<Value>| slot.and_then(|value| registers[value]);
                let locals = block.frame.locals.iter().map(read).collect();
                let stack = block.frame.stack.iter().map(read).collect();
                self.trace.push(Visit { place, locals, stack });
            }
            for inst in &block.insts {
                self.fuel = self.fuel.checked_sub(1).ok_or(Stop::OutOfFuel)?;
                self.inst(func, &func.insts[*inst], &mut registers)?;
            }
            self.fuel = self.fuel.checked_sub(1).ok_or(Stop::OutOfFuel)?;
            let read = |value: &Value| registers[*value].expect("defined before its use");
            let go = |target: &Target| (target.block, target.args.iter().map(read).collect());
            entered = match &block.terminator {
                Terminator::Jump(target) => go(target),
                Terminator::BranchIf { cond, then, otherwise } => go(if read(cond) != 0 { then } else { otherwise }),
                Terminator::BrTable { index, targets, default } => {
                    go(targets.get(read(index) as usize).unwrap_or(default))
                }
                Terminator::Return(values) => return Ok(values.iter().map(read).collect()),
                Terminator::ReturnCall { callee, signature, args } => {
                    let mut args: Vec<u64> = args.iter().map(read).collect();
                    let function = match callee {
                        Callee::Function(function) => *function,
                        Callee::Code => self.at_code(args.remove(0), &func.signatures[*signature]),
                    };
                    return self.call(function, args);
                }
                Terminator::Trap(trap) => return Err(Stop::Trap(*trap, block.terminator_offset)),
            };
        }
    }

    fn inst(&mut self, func: &Func, inst: &InstData, registers: &mut Registers) -> Result<(), Stop> {
        let args: Vec<u64> = inst.args.iter().map(|arg| registers[*arg].expect("defined")).collect();
        let result = match inst.op {
            Op::Call { function, .. } => self.returns(function, args)?,
            Op::CallCode { signature } => {
                let function = self.at_code(args[0], &func.signatures[signature]);
                self.returns(function, args[1..].to_vec())?
            }
            Op::CallResult { index, .. } => Some(self.returned[index as usize]),
            Op::TrapIf(trap) if args[0] != 0 => return Err(Stop::Trap(trap, inst.offset)),
            op => self.state(op, &args).or_else(|| eval::run(op, &args)),
        };
        if let Some(value) = inst.result {
            assert!(result.is_some(), "{} computes nothing", inst.op);
            registers[value] = result;
        }
        Ok(())
    }

    /// The function at a code address.
    fn at_code(&self, address: u64, signature: &Signature) -> Function {
        let function = Function((address as u32 - CODE_BASE) / 16);
        assert_eq!(self.module.function_type(function).signature(), *signature, "a call behind its type check");
        function
    }

    /// Calls, and keeps the results; the first of them.
    fn returns(&mut self, function: Function, args: Vec<u64>) -> Result<Option<u64>, Stop> {
        self.returned = self.call(function, args)?;
        Ok(self.returned.first().copied())
    }

    /// Constants and operators on the state.
    fn state(&mut self, op: Op, args: &[u64]) -> Option<u64> {
        match op {
            Op::Const32(bits) => Some(u64::from(bits)),
            Op::Const64(bits) => Some(bits),
            Op::MemoryBase(memory) => Some(u64::from(base(memory))),
            Op::MemoryBytes(memory) => Some(u64::from(self.instance.memories[memory].length)),
            Op::SetMemoryBytes(memory) => {
                self.instance.memories[memory].length = args[0] as u32;
                None
            }
            Op::Load { memory, access, offset } => {
                let mut word = [0; 8];
                let bytes = self.bytes(memory, args[0], (access, offset));
                word[..bytes.len()].copy_from_slice(bytes);
                let word = u64::from_le_bytes(word);
                Some(match access {
                    Access::S8 => u64::from(word as u8 as i8 as u32),
                    Access::S16 => u64::from(word as u16 as i16 as u32),
                    Access::U8 | Access::U16 | Access::W32 | Access::W64 => word,
                })
            }
            Op::Store { memory, access, offset } => {
                let bytes = self.bytes(memory, args[0], (access, offset));
                bytes.copy_from_slice(&args[1].to_le_bytes()[..bytes.len()]);
                None
            }
            Op::GlobalGet(global, _) => Some(self.instance.globals[global]),
            Op::GlobalSet(global, _) => {
                self.instance.globals[global] = args[0];
                None
            }
            Op::FunctionRef(function) => Some(reference(function)),
            Op::TableEntry(table) | Op::TableGet(table) => Some(self.instance.tables[table][args[0] as usize]),
            Op::TableSet(table) => {
                self.instance.tables[table][args[0] as usize] = args[1];
                None
            }
            Op::TableSize(table) => Some(self.instance.tables[table].len() as u64),
            Op::SetTableSize(table) => {
                self.instance.tables[table].resize(args[0] as usize, 0);
                None
            }
            Op::ReferenceType => {
                let function = referenced(args[0]).expect("behind its null check");
                Some(u64::from(self.module.type_id(self.module.functions[function].ty)))
            }
            Op::ReferenceCode => {
                let function = referenced(args[0]).expect("behind its null check");
                Some(u64::from(CODE_BASE + 16 * function.0))
            }
            _ => None,
        }
    }

    fn bytes(&mut self, memory: Memory, pointer: u64, (access, offset): (Access, u32)) -> &mut [u8] {
        let index = (pointer as u32).wrapping_add(offset).wrapping_sub(base(memory)) as usize;
        let bytes = self.instance.memories[memory].present().get_mut(index..index + access.bytes() as usize);
        bytes.expect("an access behind its bounds check")
    }
}

fn base(memory: Memory) -> u32 {
    MEMORY_BASE + (memory.0 << 24)
}
