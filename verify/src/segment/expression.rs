//! The expressions of a cut, evaluated over the unknowns.
//!
//! Requires: nothing; hints are untrusted. Ensures: a value per node, or what is wrong with the hint.
//! Expressions are total: they never trap and never license an access.

use crate::domain::Domain;
use crate::float::Float;
use crate::hints::{Base, Cut, Expr, Node, Sort};

/// A value of either width.
#[derive(Clone, Debug)]
pub enum Value<A, B> {
    /// 32 bits.
    W32(A),
    /// 64 bits.
    W64(B),
}

/// A [`Value`] of a domain.
pub type ValueOf<D> = Value<<D as Domain>::W32, <D as Domain>::W64>;

/// The state at the cut that an expression may mention.
pub trait Surroundings<D: Domain> {
    /// The address of a region, if the module has it.
    fn base(&mut self, domain: &mut D, base: Base) -> Option<D::W32>;
    /// Bytes of a linear memory, zero-extended.
    fn load(&mut self, domain: &mut D, memory: u32, bytes: u8, address: &D::W32) -> Option<D::W32>;
    /// A global, if the module has it.
    fn global(&mut self, domain: &mut D, global: u32) -> Option<ValueOf<D>>;
    /// The length of a linear memory in bytes.
    fn memory_bytes(&mut self, domain: &mut D, memory: u32) -> Option<D::W32>;
    /// The reference at an index of a table.
    fn table_entry(&mut self, domain: &mut D, table: u32, index: &D::W32) -> Option<D::W32>;
    /// The type id of the function that a reference names.
    fn reference_type(&mut self, domain: &mut D, reference: &D::W32) -> D::W32;
    /// The code address of the function that a reference names.
    fn reference_code(&mut self, domain: &mut D, reference: &D::W32) -> D::W32;
}

/// Evaluates every node of a cut.
pub fn evaluate<D: Domain>(
    domain: &mut D,
    cut: &Cut,
    unknowns: &[ValueOf<D>],
    surroundings: &mut impl Surroundings<D>,
) -> Result<Vec<ValueOf<D>>, String> {
    let mut evaluation = Evaluation { domain, values: Vec::with_capacity(cut.nodes.len()) };
    for (index, expr) in cut.nodes.iter().enumerate() {
        let value = evaluation
            .node(*expr, unknowns, surroundings)
            .ok_or_else(|| format!("expression {index} of the cut at {:#x} is ill-formed: {expr:?}", cut.at))?;
        evaluation.values.push(value);
    }
    Ok(evaluation.values)
}

struct Evaluation<'a, D: Domain> {
    domain: &'a mut D,
    values: Vec<ValueOf<D>>,
}

impl<D: Domain> Evaluation<'_, D> {
    fn word(&self, node: Node) -> Option<D::W32> {
        match self.values.get(node as usize)? {
            Value::W32(word) => Some(word.clone()),
            Value::W64(_) => None,
        }
    }

    fn long(&self, node: Node) -> Option<D::W64> {
        match self.values.get(node as usize)? {
            Value::W64(long) => Some(long.clone()),
            Value::W32(_) => None,
        }
    }

    fn truth(&mut self, node: Node) -> Option<D::Bool> {
        let word = self.word(node)?;
        let zero = self.domain.w32(0);
        let is_zero = self.domain.cmp32(crate::domain::Cmp::Eq, &word, &zero);
        Some(self.domain.not(&is_zero))
    }

    fn flag(&mut self, condition: &D::Bool) -> ValueOf<D> {
        let one = self.domain.w32(1);
        let zero = self.domain.w32(0);
        Value::W32(self.domain.ite32(condition, &one, &zero))
    }

    fn float(&mut self, op: Float, operands: &[Node]) -> Option<ValueOf<D>> {
        let sorts = op.operands();
        if sorts.len() != operands.len() {
            return None;
        }
        let mut words = Vec::new();
        for (sort, operand) in sorts.into_iter().zip(operands) {
            match sort {
                Sort::W32 => words.push(self.word(*operand)?),
                Sort::W64 => {
                    let long = self.long(*operand)?;
                    words.extend([self.domain.low(&long), self.domain.high(&long)]);
                }
            }
        }
        let [low, high] = self.domain.float(op, &words);
        Some(match op.result() {
            Sort::W32 => Value::W32(low),
            Sort::W64 => Value::W64(self.domain.join(&high, &low)),
        })
    }

    fn node(
        &mut self,
        expr: Expr,
        unknowns: &[ValueOf<D>],
        surroundings: &mut impl Surroundings<D>,
    ) -> Option<ValueOf<D>> {
        Some(match expr {
            Expr::Unknown(index) => unknowns.get(index as usize)?.clone(),
            Expr::Const32(value) => Value::W32(self.domain.w32(value)),
            Expr::Const64(value) => Value::W64(self.domain.w64(value)),
            Expr::Un32(op, a) => {
                let a = self.word(a)?;
                Value::W32(self.domain.un32(op, &a))
            }
            Expr::Bin32(op, a, b) => {
                let (a, b) = (self.word(a)?, self.word(b)?);
                Value::W32(self.domain.bin32(op, &a, &b))
            }
            Expr::Cmp32(op, a, b) => {
                let (a, b) = (self.word(a)?, self.word(b)?);
                let holds = self.domain.cmp32(op, &a, &b);
                self.flag(&holds)
            }
            Expr::Ite32(c, a, b) => {
                let (c, a, b) = (self.truth(c)?, self.word(a)?, self.word(b)?);
                Value::W32(self.domain.ite32(&c, &a, &b))
            }
            Expr::Un64(op, a) => {
                let a = self.long(a)?;
                Value::W64(self.domain.un64(op, &a))
            }
            Expr::Bin64(op, a, b) => {
                let (a, b) = (self.long(a)?, self.long(b)?);
                Value::W64(self.domain.bin64(op, &a, &b))
            }
            Expr::Cmp64(op, a, b) => {
                let (a, b) = (self.long(a)?, self.long(b)?);
                let holds = self.domain.cmp64(op, &a, &b);
                self.flag(&holds)
            }
            Expr::Ite64(c, a, b) => {
                let (c, a, b) = (self.truth(c)?, self.long(a)?, self.long(b)?);
                Value::W64(self.domain.ite64(&c, &a, &b))
            }
            Expr::Float1(op, a) => self.float(op, &[a])?,
            Expr::Float2(op, a, b) => self.float(op, &[a, b])?,
            Expr::Join(high, low) => {
                let (high, low) = (self.word(high)?, self.word(low)?);
                Value::W64(self.domain.join(&high, &low))
            }
            Expr::High(a) => {
                let a = self.long(a)?;
                Value::W32(self.domain.high(&a))
            }
            Expr::Low(a) => {
                let a = self.long(a)?;
                Value::W32(self.domain.low(&a))
            }
            Expr::Base(base) => Value::W32(surroundings.base(self.domain, base)?),
            Expr::Load(memory, bytes, address) => {
                let address = self.word(address)?;
                Value::W32(surroundings.load(self.domain, memory, bytes, &address)?)
            }
            Expr::Global32(global) => match surroundings.global(self.domain, global)? {
                Value::W32(word) => Value::W32(word),
                Value::W64(_) => return None,
            },
            Expr::Global64(global) => match surroundings.global(self.domain, global)? {
                Value::W64(long) => Value::W64(long),
                Value::W32(_) => return None,
            },
            Expr::MemoryBytes(memory) => Value::W32(surroundings.memory_bytes(self.domain, memory)?),
            Expr::TableEntry(table, index) => {
                let index = self.word(index)?;
                Value::W32(surroundings.table_entry(self.domain, table, &index)?)
            }
            Expr::ReferenceType(reference) => {
                let reference = self.word(reference)?;
                Value::W32(surroundings.reference_type(self.domain, &reference))
            }
            Expr::ReferenceCode(reference) => {
                let reference = self.word(reference)?;
                Value::W32(surroundings.reference_code(self.domain, &reference))
            }
        })
    }
}
