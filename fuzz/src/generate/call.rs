//! Calls in random modules.

use wasm_encoder::{Instruction, ValType};

use super::Body;

impl Body<'_, '_, '_> {
    /// Returns what another function with the same results returns; the function itself is one.
    pub(super) fn leave(&mut self) {
        let plan = self.plan;
        let signatures = &plan.signatures;
        let fitting: Vec<usize> =
            (0..signatures.len()).filter(|index| signatures[*index].results == self.results).collect();
        let callee = self.choices.pick(&fitting);
        self.arguments(callee);
        match self.table_entry() {
            Some(table_index) => self.op(Instruction::ReturnCallIndirect { type_index: callee as u32, table_index }),
            None => self.op(Instruction::ReturnCall(self.plan.imports + callee as u32)),
        }
    }

    pub(super) fn call_statement(&mut self) {
        let callee = self.choices.below(self.plan.signatures.len());
        self.call(callee);
        let plan = self.plan;
        for _ in &plan.signatures[callee].results {
            self.op(Instruction::Drop);
        }
    }

    fn call(&mut self, callee: usize) {
        self.arguments(callee);
        match self.table_entry() {
            Some(table_index) => self.op(Instruction::CallIndirect { type_index: callee as u32, table_index }),
            None => self.op(Instruction::Call(self.plan.imports + callee as u32)),
        }
    }

    fn arguments(&mut self, callee: usize) {
        let plan = self.plan;
        for param in &plan.signatures[callee].params {
            self.expression(*param, 2);
        }
    }

    /// Maybe an index into a table, which is named then.
    fn table_entry(&mut self) -> Option<u32> {
        if self.plan.table == 0 || self.choices.below(3) != 2 {
            return None;
        }
        self.expression(ValType::I32, 2);
        self.op(Instruction::I32Const(7));
        self.op(Instruction::I32And);
        Some(self.table())
    }

    pub(super) fn call_expression(&mut self, of: ValType) {
        if self.plan.imports > 0 && of == ValType::I32 && self.choices.below(3) == 2 {
            self.expression(of, 1);
            self.expression(of, 1);
            return self.op(Instruction::Call(0));
        }
        let plan = self.plan;
        let signatures = &plan.signatures;
        let fitting: Vec<usize> =
            (0..signatures.len()).filter(|index| signatures[*index].results.contains(&of)).collect();
        if fitting.is_empty() {
            return self.leaf(of);
        }
        let callee = self.choices.pick(&fitting);
        self.call(callee);
        self.keep_one(of, &signatures[callee].results);
    }

    /// Leaves the first value of a type of those on the stack, which ends with it if no local can hold it.
    fn keep_one(&mut self, of: ValType, on_stack: &[ValType]) {
        let place = on_stack.iter().position(|kind| *kind == of).expect("the caller has found one");
        for _ in place + 1..on_stack.len() {
            self.op(Instruction::Drop);
        }
        if place == 0 {
            return;
        }
        let local = self.local(of);
        self.op(local.map_or(Instruction::Drop, Instruction::LocalSet));
        for _ in 0..place {
            self.op(Instruction::Drop);
        }
        match local {
            Some(local) => self.op(Instruction::LocalGet(local)),
            None => self.leaf(of),
        }
    }
}
