//! Random modules, shaped to run long and to end.
//!
//! Ensures: the module is valid, uses only instructions of Wasm 1.0, sign extension, conversions that
//! saturate, references, bulk memory, several memories, functions with several results, tail calls and wide arithmetic. NaNs with
//! a choice of bits are made the canonical one where they arise, so that all engines agree on every bit. Every call of an export
//! ends: each function entry and each loop
//! iteration burns one unit of the global `fuel`, and at 0 the function returns at once.
//! Exports: `f0`, `f1`, .. with their own types, `digest` over the globals and memory 1, `memory`.

mod call;
mod float;
mod table;

use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, GlobalSection, GlobalType, Ieee32, Ieee64, ImportSection, Instruction,
    MemArg, MemArgTarget, MemorySection, MemoryType, Module, RefType, TableSection, TableType, TypeSection, ValType,
};

use crate::choices::Choices;

/// Fuel at instantiation: function entries and loop iterations until everything returns.
pub const FUEL: i32 = 160;

/// The parameters and the results of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Signature {
    /// Parameter types.
    params: Vec<ValType>,
    /// Result types.
    results: Vec<ValType>,
}

/// A binary module from decisions.
pub fn module(choices: &mut Choices<'_>) -> Vec<u8> {
    let plan = Plan::draw(choices);
    let mut code = CodeSection::new();
    for index in 0..plan.signatures.len() {
        code.function(&Body::write(&plan, index, choices));
    }
    code.function(&plan.digest());
    plan.assemble(code, choices)
}

struct Plan {
    /// Types of parameters, results, locals and operands: floats are in a part of the modules.
    types: &'static [ValType],
    signatures: Vec<Signature>,
    globals: Vec<(ValType, bool)>,
    imports: u32,
    table: u32,
    /// Whether there is a second table, and both change.
    references: bool,
    pages_max: Option<u64>,
    /// Bytes of a second memory, which counts in bytes.
    bytes: Option<u64>,
}

const FUEL_GLOBAL: u32 = 0;

/// Bytes that memory 1 may grow by.
const BYTES_MORE: u64 = 50;

/// Data segments; the last is passive.
const SEGMENTS: u32 = 4;

impl Plan {
    fn draw(choices: &mut Choices<'_>) -> Plan {
        let types: &[ValType] = match choices.below(3) {
            2 => &[ValType::I32, ValType::F32, ValType::F64, ValType::I64],
            _ => &[ValType::I32, ValType::I32, ValType::I64],
        };
        let signatures = (0..1 + choices.below(4))
            .map(|_| Signature {
                params: (0..choices.below(6)).map(|_| choices.pick(types)).collect(),
                results: match choices.below(8) {
                    7 => vec![],
                    6 => (0..2 + choices.below(3)).map(|_| choices.pick(types)).collect(),
                    _ => vec![choices.pick(types)],
                },
            })
            .collect();
        let mut globals = vec![(ValType::I32, true)];
        globals.extend((0..choices.below(4)).map(|_| (choices.pick(types), choices.below(4) != 3)));
        Plan {
            types,
            signatures,
            globals,
            imports: u32::from(choices.below(4) == 3),
            table: [0, 2, 5][choices.below(3)],
            references: false,
            pages_max: [None, Some(1), Some(3)][choices.below(3)],
            bytes: [None, Some(40), Some(600)][choices.below(3)],
        }
        .with_references(choices)
    }

    fn with_references(self, choices: &mut Choices<'_>) -> Plan {
        Plan { references: self.table > 0 && choices.below(2) == 1, ..self }
    }

    fn assemble(&self, code: CodeSection, choices: &mut Choices<'_>) -> Vec<u8> {
        let mut module = Module::new();
        let mut types = TypeSection::new();
        for signature in &self.signatures {
            types.ty().function(signature.params.iter().copied(), signature.results.iter().copied());
        }
        let count = self.signatures.len() as u32;
        types.ty().function([], [ValType::I64]);
        types.ty().function([ValType::I32, ValType::I32], [ValType::I32]);
        module.section(&types);
        if self.imports > 0 {
            let mut imports = ImportSection::new();
            imports.import("env", "mix", EntityType::Function(count + 1));
            module.section(&imports);
        }
        let mut functions = FunctionSection::new();
        (0..=count).for_each(|index| {
            functions.function(index);
        });
        module.section(&functions);
        if self.table > 0 {
            let mut tables = TableSection::new();
            let element_type = RefType::FUNCREF;
            let of = |minimum| TableType { element_type, minimum, maximum: None, table64: false, shared: false };
            tables.table(of(self.table.into()));
            if self.references {
                tables.table(of(table::ENTRIES));
            }
            module.section(&tables);
        }
        let mut memories = MemorySection::new();
        memories.memory(MemoryType {
            minimum: 1,
            maximum: self.pages_max,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        if let Some(minimum) = self.bytes {
            memories.memory(MemoryType {
                minimum,
                maximum: Some(minimum + BYTES_MORE),
                memory64: false,
                shared: false,
                page_size_log2: Some(0),
            });
        }
        module.section(&memories);
        module.section(&self.global_section(choices));
        let mut exports = ExportSection::new();
        for index in 0..count {
            exports.export(&format!("f{index}"), ExportKind::Func, self.imports + index);
        }
        exports.export("digest", ExportKind::Func, self.imports + count);
        exports.export("memory", ExportKind::Memory, 0);
        module.section(&exports);
        if self.table > 0 {
            let mut elements = ElementSection::new();
            let entries: Vec<u32> =
                (0..self.table - 1).map(|_| self.imports + choices.below(count as usize) as u32).collect();
            elements.active(None, &ConstExpr::i32_const(1), Elements::Functions(entries.into()));
            elements.declared(Elements::Functions((self.imports..self.imports + count).collect()));
            module.section(&elements);
        }
        module.section(&DataCountSection { count: SEGMENTS });
        module.section(&code);
        let mut data = DataSection::new();
        for at in [0, 300, 65_500] {
            data.active(0, &ConstExpr::i32_const(at), (0..1 + choices.below(36)).map(|_| choices.byte()));
        }
        data.passive((0..choices.below(36)).map(|_| choices.byte()));
        module.section(&data);
        module.finish()
    }

    fn global_section(&self, choices: &mut Choices<'_>) -> GlobalSection {
        let mut section = GlobalSection::new();
        for (index, (val_type, mutable)) in self.globals.iter().enumerate() {
            let initial = match val_type {
                _ if index == FUEL_GLOBAL as usize => ConstExpr::i32_const(FUEL),
                ValType::I64 => ConstExpr::i64_const(choices.i64()),
                ValType::F32 => ConstExpr::f32_const(Ieee32::new(choices.f32())),
                ValType::F64 => ConstExpr::f64_const(Ieee64::new(choices.f64())),
                _ => ConstExpr::i32_const(choices.i32()),
            };
            section.global(GlobalType { val_type: *val_type, mutable: *mutable, shared: false }, &initial);
        }
        section
    }

    fn digest(&self) -> Function {
        let mut function = Function::new([(1, ValType::I32), (1, ValType::I64)]);
        function.instruction(&Instruction::I64Const(0));
        for (index, (val_type, _)) in self.globals.iter().enumerate() {
            function.instruction(&Instruction::I64Const(0x100_0000_01b3)).instruction(&Instruction::I64Mul);
            function.instruction(&Instruction::GlobalGet(index as u32));
            match val_type {
                ValType::I64 => &mut function,
                ValType::F64 => function.instruction(&Instruction::I64ReinterpretF64),
                ValType::F32 => {
                    function.instruction(&Instruction::I32ReinterpretF32).instruction(&Instruction::I64ExtendI32U)
                }
                _ => function.instruction(&Instruction::I64ExtendI32U),
            };
            function.instruction(&Instruction::I64Xor);
        }
        if self.bytes.is_some() {
            digest_memory(&mut function);
        }
        function.instruction(&Instruction::End);
        function
    }
}

/// Takes every byte of memory 1 into the digest on the stack, from the last to the first. Local 0 counts,
/// local 1 is the digest.
fn digest_memory(function: &mut Function) {
    use Instruction as I;
    let byte = MemArg { offset: 0, align: 0, target: MemArgTarget::Memory(1), ordering: None };
    let start =
        [I::LocalSet(1), I::MemorySize(1), I::LocalSet(0), I::Block(BlockType::Empty), I::Loop(BlockType::Empty)];
    let test = [I::LocalGet(0), I::I32Eqz, I::BrIf(1)];
    let load = [I::LocalGet(0), I::I32Const(1), I::I32Sub, I::LocalTee(0), I::I64Load8U(byte)];
    let mix = [I::LocalGet(1), I::I64Const(0x100_0000_01b3), I::I64Mul, I::I64Xor, I::LocalSet(1)];
    let end = [I::Br(0), I::End, I::End, I::LocalGet(1)];
    for instruction in start.iter().chain(&test).chain(&load).chain(&mix).chain(&end) {
        function.instruction(instruction);
    }
}

/// Labels in scope, innermost last: the type that a branch to each carries.
type Labels = Vec<Option<ValType>>;

struct Body<'p, 'c, 'b> {
    plan: &'p Plan,
    choices: &'c mut Choices<'b>,
    locals: Vec<ValType>,
    results: Vec<ValType>,
    labels: Labels,
    function: Function,
    /// Statements and operators that may still be written.
    budget: u32,
}

impl<'p, 'c, 'b> Body<'p, 'c, 'b> {
    fn write(plan: &'p Plan, index: usize, choices: &'c mut Choices<'b>) -> Function {
        let signature = &plan.signatures[index];
        let extra: Vec<ValType> = (0..2 + choices.below(6))
            .map(|_| choices.pick(plan.types))
            .chain([ValType::F32, ValType::F64, ValType::I32])
            .collect();
        let mut locals = signature.params.clone();
        locals.extend(&extra);
        let mut body = Body {
            plan,
            choices,
            locals,
            results: signature.results.clone(),
            labels: vec![None],
            function: Function::new_with_locals_types(extra),
            budget: 220,
        };
        body.burn_fuel();
        for _ in 0..3 + body.choices.below(8) {
            body.statement(3);
        }
        for result in &signature.results {
            body.expression(*result, 4);
        }
        body.op(Instruction::End);
        body.function
    }

    fn op(&mut self, instruction: Instruction<'_>) {
        self.function.instruction(&instruction);
    }

    /// Returns when the fuel is used up, else takes one unit.
    fn burn_fuel(&mut self) {
        self.op(Instruction::GlobalGet(FUEL_GLOBAL));
        self.op(Instruction::I32Eqz);
        self.op(Instruction::If(BlockType::Empty));
        for result in self.results.clone() {
            match result {
                ValType::I64 => self.op(Instruction::I64Const(-7)),
                ValType::F32 => self.op(Instruction::F32Const(Ieee32::new(0xc0e0_0000))),
                ValType::F64 => self.op(Instruction::F64Const(Ieee64::new(0xc01c << 48))),
                _ => self.op(Instruction::I32Const(-7)),
            }
        }
        self.op(Instruction::Return);
        self.op(Instruction::End);
        self.op(Instruction::GlobalGet(FUEL_GLOBAL));
        self.op(Instruction::I32Const(1));
        self.op(Instruction::I32Sub);
        self.op(Instruction::GlobalSet(FUEL_GLOBAL));
    }

    fn local(&mut self, of: ValType) -> Option<u32> {
        let fitting: Vec<u32> =
            (0..self.locals.len() as u32).filter(|index| self.locals[*index as usize] == of).collect();
        (!fitting.is_empty()).then(|| self.choices.pick(&fitting))
    }

    fn statement(&mut self, depth: u32) {
        self.budget = self.budget.saturating_sub(1);
        if depth == 0 || self.budget == 0 {
            return self.assignment();
        }
        match self.choices.below(16) {
            0..=3 => self.assignment(),
            4 if self.plan.references => self.table_statement(),
            4 | 5 => self.store(),
            6 => self.global_set(),
            7 => self.if_statement(depth),
            8 | 9 => self.loop_statement(depth),
            10 => self.block_with_exits(depth),
            11 => self.switch(depth),
            12 => self.call_statement(),
            13 | 14 => self.bulk(),
            _ => self.early_exit(),
        }
    }

    fn assignment(&mut self) {
        let of = self.choices.pick(self.plan.types);
        match self.local(of) {
            Some(local) => {
                self.expression(of, 4);
                self.op(Instruction::LocalSet(local));
            }
            None => {
                self.expression(of, 2);
                self.op(Instruction::Drop);
            }
        }
    }

    fn global_set(&mut self) {
        let mutable: Vec<u32> =
            (1..self.plan.globals.len() as u32).filter(|index| self.plan.globals[*index as usize].1).collect();
        if mutable.is_empty() {
            return self.store();
        }
        let global = self.choices.pick(&mutable);
        self.expression(self.plan.globals[global as usize].0, 4);
        self.op(Instruction::GlobalSet(global));
    }

    fn memarg(&mut self) -> MemArg {
        let offset = self.choices.pick(&[0, 0, 4, 1, 12, 255, 300, 4096, 65_000, 65_536, 70_000, 0xffff_fffc]);
        let offset = if self.choices.below(6) == 5 { offset } else { offset & 0xfff };
        MemArg { offset, align: 0, target: MemArgTarget::Memory(self.memory()), ordering: None }
    }

    /// A memory, mostly the first.
    fn memory(&mut self) -> u32 {
        let is_second = self.plan.bytes.is_some() && self.choices.below(3) == 2;
        is_second.into()
    }

    /// A bulk operator, mostly of few bytes.
    fn bulk(&mut self) {
        let (to, from) = (self.memory(), self.memory());
        let which = self.choices.below(8);
        if which == 7 {
            return self.op(Instruction::DataDrop(SEGMENTS - 1));
        }
        self.address();
        match which {
            0..=2 => self.address(),
            _ => {
                self.expression(ValType::I32, 2);
                self.op(Instruction::I32Const(0x1f));
                self.op(Instruction::I32And);
            }
        }
        self.expression(ValType::I32, 2);
        if self.choices.below(12) != 11 {
            self.op(Instruction::I32Const(0x3f));
            self.op(Instruction::I32And);
        }
        self.op(match which {
            0..=2 => Instruction::MemoryCopy { src_mem: from, dst_mem: to },
            3 | 4 => Instruction::MemoryFill(to),
            5 => Instruction::MemoryInit { mem: to, data_index: SEGMENTS - 1 },
            _ => Instruction::MemoryInit { mem: to, data_index: 0 },
        });
    }

    fn address(&mut self) {
        self.expression(ValType::I32, 2);
        if self.choices.below(24) != 23 {
            self.op(Instruction::I32Const(0x3ff));
            self.op(Instruction::I32And);
        }
    }

    fn store(&mut self) {
        self.address();
        let of = self.choices.pick(self.plan.types);
        self.expression(of, 3);
        let memarg = self.memarg();
        let width = self.choices.below(4);
        self.op(match (of, width) {
            (ValType::I64, 0) => Instruction::I64Store8(memarg),
            (ValType::I64, 1) => Instruction::I64Store16(memarg),
            (ValType::I64, 2) => Instruction::I64Store32(memarg),
            (ValType::I64, _) => Instruction::I64Store(memarg),
            (ValType::F32, _) => Instruction::F32Store(memarg),
            (ValType::F64, _) => Instruction::F64Store(memarg),
            (_, 0) => Instruction::I32Store8(memarg),
            (_, 1) => Instruction::I32Store16(memarg),
            _ => Instruction::I32Store(memarg),
        });
    }

    fn statements(&mut self, depth: u32) {
        for _ in 0..1 + self.choices.below(3) {
            self.statement(depth);
        }
    }

    fn if_statement(&mut self, depth: u32) {
        self.expression(ValType::I32, 3);
        self.op(Instruction::If(BlockType::Empty));
        self.labels.push(None);
        self.statements(depth - 1);
        if self.choices.below(2) == 1 {
            self.op(Instruction::Else);
            self.statements(depth - 1);
        }
        self.labels.pop();
        self.op(Instruction::End);
    }

    /// `local = small; loop { burn; body; if (--local) continue }`, the counter being fair game for the body.
    fn loop_statement(&mut self, depth: u32) {
        let counter = self.locals.len() as u32 - 1;
        let rounds = 2 + self.choices.below(14) as i32;
        self.op(Instruction::I32Const(rounds));
        self.op(Instruction::LocalSet(counter));
        self.op(Instruction::Loop(BlockType::Empty));
        self.labels.push(None);
        self.burn_fuel();
        self.statements(depth - 1);
        self.op(Instruction::LocalGet(counter));
        self.op(Instruction::I32Const(1));
        self.op(Instruction::I32Sub);
        self.op(Instruction::LocalTee(counter));
        self.op(Instruction::I32Const(0));
        self.op(Instruction::I32GtS);
        self.op(Instruction::BrIf(0));
        self.labels.pop();
        self.op(Instruction::End);
    }

    fn block_with_exits(&mut self, depth: u32) {
        self.op(Instruction::Block(BlockType::Empty));
        self.labels.push(None);
        self.statements(depth - 1);
        self.expression(ValType::I32, 3);
        self.op(Instruction::BrIf(0));
        self.statements(depth - 1);
        self.labels.pop();
        self.op(Instruction::End);
    }

    fn switch(&mut self, depth: u32) {
        let arms = 2 + self.choices.below(4) as u32;
        for _ in 0..arms {
            self.op(Instruction::Block(BlockType::Empty));
            self.labels.push(None);
        }
        self.expression(ValType::I32, 3);
        self.op(Instruction::I32Const(7));
        self.op(Instruction::I32And);
        let targets: Vec<u32> =
            (0..2 + self.choices.below(6)).map(|_| self.choices.below(arms as usize) as u32).collect();
        let default = self.choices.below(arms as usize) as u32;
        self.op(Instruction::BrTable(targets.into(), default));
        for _ in 0..arms {
            self.labels.pop();
            self.op(Instruction::End);
            self.statement(depth - 1);
        }
    }

    /// A conditional branch outwards or return; loops are left to their own counters.
    fn early_exit(&mut self) {
        self.expression(ValType::I32, 3);
        self.op(Instruction::If(BlockType::Empty));
        match self.choices.below(12) {
            11 => self.op(Instruction::Unreachable),
            8..=10 => self.leave(),
            _ => {
                for result in self.results.clone() {
                    self.expression(result, 2);
                }
                self.op(Instruction::Return);
            }
        }
        self.op(Instruction::End);
    }

    fn expression(&mut self, of: ValType, depth: u32) {
        self.budget = self.budget.saturating_sub(1);
        if depth == 0 || self.budget == 0 {
            return self.leaf(of);
        }
        match (of, self.choices.below(16)) {
            (_, 0 | 1) => self.leaf(of),
            (_, 2) => self.load(of),
            (_, 3) => self.select(of, depth),
            (_, 4) => self.if_expression(of, depth),
            (_, 5) => self.block_expression(of, depth),
            (_, 6) => self.tee(of, depth),
            (_, 7) => self.call_expression(of),
            (ValType::F32 | ValType::F64, _) => self.float(of, depth),
            (ValType::I32 | ValType::I64, 8) if self.plan.types.contains(&ValType::F64) => {
                self.integer_of_float(of, depth)
            }
            (ValType::I64, 8 | 9) => self.unary64(depth),
            (ValType::I64, 10) => self.wide(depth),
            (ValType::I64, _) => self.binary64(depth),
            (_, 8) if self.plan.references => self.table_query(),
            (_, 8) => self.unary32(depth),
            (_, 9) => self.compare64(depth),
            (_, 10) => self.memory_query(depth),
            _ => self.binary32(depth),
        }
    }

    fn leaf(&mut self, of: ValType) {
        match (self.choices.below(4), self.local(of)) {
            (1 | 2, Some(local)) => self.op(Instruction::LocalGet(local)),
            (3, _) if self.plan.globals.iter().any(|global| global.0 == of) => {
                let fitting: Vec<u32> = (0..self.plan.globals.len() as u32)
                    .filter(|index| self.plan.globals[*index as usize].0 == of)
                    .collect();
                let global = self.choices.pick(&fitting);
                self.op(Instruction::GlobalGet(global));
            }
            _ if of == ValType::I64 => {
                let value = self.choices.i64();
                self.op(Instruction::I64Const(value));
            }
            _ if of == ValType::F32 => {
                let value = self.choices.f32();
                self.op(Instruction::F32Const(Ieee32::new(value)));
            }
            _ if of == ValType::F64 => {
                let value = self.choices.f64();
                self.op(Instruction::F64Const(Ieee64::new(value)));
            }
            _ => {
                let value = self.choices.i32();
                self.op(Instruction::I32Const(value));
            }
        }
    }

    fn load(&mut self, of: ValType) {
        self.address();
        let m = self.memarg();
        let width = self.choices.below(7);
        self.op(match (of, width) {
            (ValType::I64, 0) => Instruction::I64Load8S(m),
            (ValType::I64, 1) => Instruction::I64Load8U(m),
            (ValType::I64, 2) => Instruction::I64Load16S(m),
            (ValType::I64, 3) => Instruction::I64Load16U(m),
            (ValType::I64, 4) => Instruction::I64Load32S(m),
            (ValType::I64, 5) => Instruction::I64Load32U(m),
            (ValType::I64, _) => Instruction::I64Load(m),
            (ValType::F32, _) => Instruction::F32Load(m),
            (ValType::F64, _) => Instruction::F64Load(m),
            (_, 0) => Instruction::I32Load8S(m),
            (_, 1) => Instruction::I32Load8U(m),
            (_, 2) => Instruction::I32Load16S(m),
            (_, 3) => Instruction::I32Load16U(m),
            _ => Instruction::I32Load(m),
        });
    }

    fn select(&mut self, of: ValType, depth: u32) {
        self.expression(of, depth - 1);
        self.expression(of, depth - 1);
        self.expression(ValType::I32, depth - 1);
        self.op(Instruction::Select);
    }

    fn if_expression(&mut self, of: ValType, depth: u32) {
        self.expression(ValType::I32, depth - 1);
        self.op(Instruction::If(BlockType::Result(of)));
        self.labels.push(Some(of));
        self.expression(of, depth - 1);
        self.op(Instruction::Else);
        self.expression(of, depth - 1);
        self.labels.pop();
        self.op(Instruction::End);
    }

    fn block_expression(&mut self, of: ValType, depth: u32) {
        self.op(Instruction::Block(BlockType::Result(of)));
        self.labels.push(Some(of));
        self.expression(of, depth - 1);
        self.expression(ValType::I32, depth - 1);
        self.op(Instruction::BrIf(0));
        self.op(Instruction::Drop);
        self.expression(of, depth - 1);
        self.labels.pop();
        self.op(Instruction::End);
    }

    fn tee(&mut self, of: ValType, depth: u32) {
        self.expression(of, depth - 1);
        if let Some(local) = self.local(of) {
            self.op(Instruction::LocalTee(local));
        }
    }

    /// Both halves of 128 bits, made one.
    fn wide(&mut self, depth: u32) {
        use Instruction as I;
        let (op, operands) = match self.choices.below(4) {
            0 => (I::I64Add128, 4),
            1 => (I::I64Sub128, 4),
            2 => (I::I64MulWideS, 2),
            _ => (I::I64MulWideU, 2),
        };
        for _ in 0..operands {
            self.expression(ValType::I64, depth - 1);
        }
        self.op(op);
        let both = [I::I64Xor, I::I64Sub, I::I64Add, I::Drop];
        let both = both[self.choices.below(4)].clone();
        self.op(both);
    }

    fn memory_query(&mut self, depth: u32) {
        if self.choices.below(3) == 2 {
            self.expression(ValType::I32, depth - 1);
            self.op(Instruction::I32Const(3));
            self.op(Instruction::I32And);
            let memory = self.memory();
            self.op(Instruction::MemoryGrow(memory));
        } else {
            let memory = self.memory();
            self.op(Instruction::MemorySize(memory));
        }
    }

    fn unary32(&mut self, depth: u32) {
        if self.choices.below(4) == 3 {
            self.expression(ValType::I64, depth - 1);
            let op = self.choices.pick(&[false, true]);
            return self.op(if op { Instruction::I64Eqz } else { Instruction::I32WrapI64 });
        }
        self.expression(ValType::I32, depth - 1);
        use Instruction as I;
        let op = [I::I32Clz, I::I32Ctz, I::I32Popcnt, I::I32Eqz, I::I32Extend8S, I::I32Extend16S];
        let chosen = self.choices.below(op.len());
        self.op(op[chosen].clone());
    }

    fn binary32(&mut self, depth: u32) {
        self.expression(ValType::I32, depth - 1);
        self.expression(ValType::I32, depth - 1);
        use Instruction as I;
        let op = [
            I::I32Add,
            I::I32Sub,
            I::I32Mul,
            I::I32DivS,
            I::I32DivU,
            I::I32RemS,
            I::I32RemU,
            I::I32And,
            I::I32Or,
            I::I32Xor,
            I::I32Shl,
            I::I32ShrS,
            I::I32ShrU,
            I::I32Rotl,
            I::I32Rotr,
            I::I32Eq,
            I::I32Ne,
            I::I32LtS,
            I::I32LtU,
            I::I32GtS,
            I::I32GtU,
            I::I32LeS,
            I::I32LeU,
            I::I32GeS,
            I::I32GeU,
        ];
        let chosen = self.choices.below(op.len());
        // Division traps often on random operands; most of the time a bit makes the divisor odd.
        if (3..=6).contains(&chosen) && self.choices.below(8) != 7 {
            self.op(I::I32Const(1));
            self.op(I::I32Or);
        }
        self.op(op[chosen].clone());
    }

    fn compare64(&mut self, depth: u32) {
        self.expression(ValType::I64, depth - 1);
        self.expression(ValType::I64, depth - 1);
        use Instruction as I;
        let op = [
            I::I64Eq,
            I::I64Ne,
            I::I64LtS,
            I::I64LtU,
            I::I64GtS,
            I::I64GtU,
            I::I64LeS,
            I::I64LeU,
            I::I64GeS,
            I::I64GeU,
        ];
        let chosen = self.choices.below(op.len());
        self.op(op[chosen].clone());
    }

    fn unary64(&mut self, depth: u32) {
        use Instruction as I;
        if self.choices.below(3) == 2 {
            self.expression(ValType::I32, depth - 1);
            let signed = self.choices.below(2) == 1;
            return self.op(if signed { I::I64ExtendI32S } else { I::I64ExtendI32U });
        }
        self.expression(ValType::I64, depth - 1);
        let op = [I::I64Clz, I::I64Ctz, I::I64Popcnt, I::I64Extend8S, I::I64Extend16S, I::I64Extend32S];
        let chosen = self.choices.below(op.len());
        self.op(op[chosen].clone());
    }

    fn binary64(&mut self, depth: u32) {
        self.expression(ValType::I64, depth - 1);
        self.expression(ValType::I64, depth - 1);
        use Instruction as I;
        let op = [
            I::I64Add,
            I::I64Sub,
            I::I64Mul,
            I::I64And,
            I::I64Or,
            I::I64Xor,
            I::I64Shl,
            I::I64ShrS,
            I::I64ShrU,
            I::I64Rotl,
            I::I64Rotr,
        ];
        let chosen = self.choices.below(op.len());
        self.op(op[chosen].clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choices::decisions;
    use wasmparser::WasmFeatures as F;

    #[test]
    fn every_module_is_valid() {
        for seed in 0..300 {
            let bytes = decisions(seed, 3000);
            let generated = module(&mut Choices::new(&bytes));
            let features = F::WASM2 | F::MULTI_MEMORY | F::CUSTOM_PAGE_SIZES | F::TAIL_CALL | F::WIDE_ARITHMETIC;
            if let Err(error) = wasmparser::Validator::new_with_features(features).validate_all(&generated) {
                panic!("seed {seed}: {error}");
            }
        }
    }
}
