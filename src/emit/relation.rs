//! The hints of a function: cuts, joins, and what its machine locations stand for.
//!
//! Ensures: every block that the final code enters in more than one way has a cut, if it has a
//! Wasm place. A value that several places hold is one node of the cut.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use synth_verify::hints::{
    Cmp, Cut, ENTRY_NAME, Expr, FunctionHints, Join, Located, Location, Name, Node, Sort, Unknown,
};

use crate::alloc::{Allocated, Item, Place};
use crate::entity::Entity;
use crate::vcode::Func;
use crate::vcode::entity::{Block, VReg, Value};
use crate::vcode::func::{ENTRY, FrameValue, ValueInfo};
use crate::vcode::inst::Inst;

use super::assemble::Assembled;
use super::frame;
use super::line::{LineOp, Pieces};
use super::machine::Machine;

/// Everything but the labels is made here; those come from the code.
pub fn run(
    (func, allocated): (&Func, &Allocated),
    (pieces, assembled): (&Pieces, &Assembled),
    checked_bytes: Option<u32>,
) -> FunctionHints {
    FunctionHints {
        function: func.index,
        code_bytes: u32::try_from(assembled.code.len()).expect("code is smaller than 4 GiB"),
        frame_bytes: frame_bytes(allocated, assembled),
        checked_bytes: checked_bytes.unwrap_or(0),
        cuts: cuts((func, allocated), (pieces, assembled)),
        labels: assembled.labels.clone(),
        joins: joins(allocated, (pieces, assembled)),
        data: assembled.data.clone(),
    }
}

/// The deepest that SP goes.
fn frame_bytes(allocated: &Allocated, assembled: &Assembled) -> u32 {
    let rows = assembled.frame_rows.iter().map(|row| row.cfa_offset);
    rows.max().unwrap_or(0).max(allocated.frame.bytes())
}

fn cuts(
    (func, allocated): (&Func, &Allocated),
    (pieces, assembled): (&Pieces, &Assembled),
) -> Vec<Cut> {
    let counts = pieces.predecessor_counts();
    let constants = &constants(func);
    let mut cuts = Vec::new();
    for &piece in &pieces.order {
        let data = &pieces.data[piece];
        let Some(block) = data.block else { continue };
        let only_traps = matches!(
            data.lines.first().map(|line| &line.op),
            Some(LineOp::Machine(Machine::Udf(_)))
        );
        if block == ENTRY
            || counts[piece] < 2
            || only_traps
            || block.index() >= allocated.input_blocks
        {
            continue;
        }
        let head = &func.blocks[block].head;
        if head.source.is_empty() {
            continue;
        }
        let Derived { stands_for, lost } = derive(func, allocated, block);
        let mut nodes = Nodes {
            func,
            cut: Cut::default(),
            known: HashMap::new(),
            said: BTreeMap::new(),
            stands_for,
        };
        nodes.cut.at = assembled.starts[piece];
        nodes.cut.depth = allocated.frame.bytes();
        nodes.cut.source = head.source.clone();
        nodes.cut.locals = nodes.slots(&head.locals, &lost);
        nodes.cut.stack = nodes.slots(&head.stack, &lost);
        nodes.places(allocated, block);
        // A fact about values that nothing else mentions could not be shown again.
        let related: BTreeSet<u32> = nodes
            .cut
            .unknowns
            .iter()
            .map(|unknown| unknown.key)
            .collect();
        let known =
            |value: &Value| related.contains(&value.0) || nodes.stands_for.contains_key(value);
        let facts: Vec<&FrameValue> = head
            .facts
            .iter()
            .filter(|fact| fact.values().iter().all(known))
            .collect();
        nodes.cut.facts = facts
            .into_iter()
            .map(|fact| nodes.expression(fact))
            .collect();
        nodes.constants(allocated, block, constants);
        nodes.ranges();
        cuts.push(nodes.cut);
    }
    cuts
}

/// A cut in the making. Equal expressions are one node.
struct Nodes<'a> {
    func: &'a Func,
    cut: Cut,
    /// Only looked up, never walked.
    known: HashMap<Expr, Node>,
    /// The values that are said already.
    said: BTreeMap<Value, Node>,
    /// Values that are said in terms of others.
    stands_for: BTreeMap<Value, FrameValue>,
}

/// What is said of the values at a block's head.
struct Derived {
    /// The values that are said in terms of others.
    stands_for: BTreeMap<Value, FrameValue>,
    /// The values that only slots mention and nothing shows. The machine does not use them.
    lost: BTreeSet<Value>,
}

/// Which values at a block's head are said in terms of others.
///
/// A value that a Wasm slot or the machine shows is said in terms of its definition wherever what
/// that needs is seen too: so two cuts that follow one another say it alike. Else it is an unknown.
/// What the machine holds in half only, and nothing defines, is seen through a slot whose
/// definition leads to it.
fn derive(func: &Func, allocated: &Allocated, block: Block) -> Derived {
    let head = &func.blocks[block].head;
    let located = || {
        allocated.blocks[block]
            .located
            .iter()
            .map(|(_, vreg)| *vreg)
    };
    let held = |vreg: VReg| allocated.vregs[vreg].expression();
    let slots: Vec<FrameValue> = head
        .locals
        .iter()
        .chain(&head.stack)
        .flatten()
        .cloned()
        .collect();
    let seen = seen(&slots, &located().filter_map(held).collect::<Vec<_>>());
    let all = located()
        .chain(allocated.blocks[block].named.iter().copied())
        .filter_map(held);
    let mut mentioned: BTreeSet<Value> = all.flat_map(|expression| expression.values()).collect();
    let held: BTreeSet<Value> = mentioned.clone();
    mentioned.extend(slots.iter().flat_map(FrameValue::values));
    mentioned.extend(&seen);
    let mut stands_for = BTreeMap::new();
    let mut hidden = BTreeSet::new();
    for &value in &mentioned {
        match unfold(func, value, &|leaf| seen.contains(&leaf), DEPTH_MAX) {
            Some(expression) => _ = stands_for.insert(value, expression),
            None if seen.contains(&value) => {}
            None => _ = hidden.insert(value),
        }
    }
    for value in &seen {
        if stands_for.contains_key(value) {
            continue;
        }
        let leaf = |leaf| seen.contains(&leaf) || hidden.contains(&leaf);
        if let Some(expression) = unfold(func, *value, &leaf, DEPTH_MAX) {
            stands_for.insert(*value, expression);
        }
    }
    let lost = hidden.difference(&held).copied().collect();
    Derived { stands_for, lost }
}

/// The values that the validator can read off: a slot or a location is just the value, or the
/// locations are its halves, or a slot is an extension of it.
fn seen(slots: &[FrameValue], located: &[FrameValue]) -> BTreeSet<Value> {
    let mut seen = BTreeSet::new();
    let mut highs = BTreeSet::new();
    for expression in slots.iter().chain(located) {
        match expression {
            FrameValue::Value(value) => _ = seen.insert(*value),
            FrameValue::High(whole) => highs.extend(whole.just()),
            _ => {}
        }
    }
    for expression in located {
        if let FrameValue::Low(whole) = expression {
            seen.extend(whole.just().filter(|value| highs.contains(value)));
        }
    }
    for expression in slots {
        if let FrameValue::Join(_, low) = expression {
            seen.extend(low.just());
        }
    }
    seen
}

/// The virtual registers that hold constants.
fn constants(func: &Func) -> BTreeMap<VReg, u32> {
    let nodes = func.blocks.values().flat_map(|block| &block.insts);
    let constants = nodes.filter_map(|node| match node.inst {
        Inst::Const { d, value } => Some((d, value)),
        _ => None,
    });
    constants.collect()
}

/// How deep definitions are followed.
const DEPTH_MAX: u32 = 6;

/// A value's definition down to the given leaves.
fn unfold(
    func: &Func,
    value: Value,
    leaf: &dyn Fn(Value) -> bool,
    depth: u32,
) -> Option<FrameValue> {
    let definition = func.values.get(&value)?.definition.as_ref()?;
    if depth == 0 {
        return None;
    }
    definition.replace(&mut |inner| {
        if leaf(inner) {
            Some(FrameValue::Value(inner))
        } else {
            unfold(func, inner, leaf, depth - 1)
        }
    })
}

impl Nodes<'_> {
    fn slots(&mut self, slots: &[Option<FrameValue>], lost: &BTreeSet<Value>) -> Vec<Option<Node>> {
        let is_shown = |slot: &&FrameValue| slot.values().iter().all(|value| !lost.contains(value));
        let shown = slots.iter().map(|slot| slot.as_ref().filter(is_shown));
        shown
            .map(|slot| slot.map(|value| self.expression(value)))
            .collect()
    }

    fn places(&mut self, allocated: &Allocated, block: Block) {
        let data = &allocated.blocks[block];
        for &(place, vreg) in &data.located {
            if let Some(value) = self.origin(allocated, vreg) {
                let location = frame::location(&allocated.frame, place);
                self.cut.locations.push(Located {
                    location,
                    name: vreg.0,
                    value,
                });
            }
        }
        for &vreg in &data.named {
            if let Some(value) = self.origin(allocated, vreg) {
                self.cut.named.push((vreg.0, value));
            }
        }
        for (location, name) in frame::entry_values(&allocated.frame) {
            self.cut.locations.push(Located {
                location,
                name,
                value: 0,
            });
        }
    }

    /// Facts that half a value is a constant, where a register stands for that half.
    fn constants(&mut self, allocated: &Allocated, block: Block, constants: &BTreeMap<VReg, u32>) {
        let data = &allocated.blocks[block];
        let located = data.located.iter().map(|(_, vreg)| *vreg);
        for vreg in located.chain(data.named.iter().copied()) {
            let (Some(&value), Some(expression)) =
                (constants.get(&vreg), allocated.vregs[vreg].expression())
            else {
                continue;
            };
            let is = self.expression(&expression);
            if matches!(self.cut.nodes[is as usize], Expr::Const32(_)) {
                continue;
            }
            let constant = self.node(Expr::Const32(value));
            let fact = self.node(Expr::Cmp32(Cmp::Eq, is, constant));
            if !self.cut.facts.contains(&fact) {
                self.cut.facts.push(fact);
            }
        }
    }

    /// Facts about what the unknowns can be.
    fn ranges(&mut self) {
        let keys: Vec<u32> = self
            .cut
            .unknowns
            .iter()
            .map(|unknown| unknown.key)
            .collect();
        for key in keys {
            let range = self
                .func
                .values
                .get(&Value(key))
                .and_then(|info| info.range.clone());
            if let Some(range) = range {
                let fact = self.expression(&range);
                self.cut.facts.push(fact);
            }
        }
    }

    fn origin(&mut self, allocated: &Allocated, vreg: VReg) -> Option<Node> {
        let expression = allocated.vregs[vreg].expression()?;
        Some(self.expression(&expression))
    }

    fn expression(&mut self, value: &FrameValue) -> Node {
        let expr = match value {
            FrameValue::Value(value) => return self.value(*value),
            FrameValue::Const32(value) => Expr::Const32(*value),
            FrameValue::Const64(value) => Expr::Const64(*value),
            FrameValue::Un32(op, a) => Expr::Un32(*op, self.expression(a)),
            FrameValue::Bin32(op, a, b) => Expr::Bin32(*op, self.expression(a), self.expression(b)),
            FrameValue::Cmp32(op, a, b) => Expr::Cmp32(*op, self.expression(a), self.expression(b)),
            FrameValue::Ite32(c, a, b) => {
                Expr::Ite32(self.expression(c), self.expression(a), self.expression(b))
            }
            FrameValue::Un64(op, a) => Expr::Un64(*op, self.expression(a)),
            FrameValue::Bin64(op, a, b) => Expr::Bin64(*op, self.expression(a), self.expression(b)),
            FrameValue::Cmp64(op, a, b) => Expr::Cmp64(*op, self.expression(a), self.expression(b)),
            FrameValue::Ite64(c, a, b) => {
                Expr::Ite64(self.expression(c), self.expression(a), self.expression(b))
            }
            FrameValue::Join(high, low) => Expr::Join(self.expression(high), self.expression(low)),
            FrameValue::High(a) => Expr::High(self.expression(a)),
            FrameValue::Low(a) => Expr::Low(self.expression(a)),
            FrameValue::Base(base) => Expr::Base(*base),
            FrameValue::Load(memory, bytes, address) => {
                Expr::Load(*memory, *bytes, self.expression(address))
            }
            FrameValue::Global32(global) => Expr::Global32(*global),
            FrameValue::Global64(global) => Expr::Global64(*global),
            FrameValue::MemoryBytes(memory) => Expr::MemoryBytes(*memory),
        };
        self.node(expr)
    }

    fn value(&mut self, value: Value) -> Node {
        if let Some(&node) = self.said.get(&value) {
            return node;
        }
        let node = match self.stands_for.get(&value).cloned() {
            Some(expression) => self.expression(&expression),
            None => self.unknown(value),
        };
        self.said.insert(value, node);
        node
    }

    fn node(&mut self, expr: Expr) -> Node {
        let next = u32::try_from(self.cut.nodes.len()).expect("fewer than 2^32 nodes");
        let node = *self.known.entry(expr).or_insert(next);
        if node == next {
            self.cut.nodes.push(expr);
        }
        node
    }

    fn unknown(&mut self, value: Value) -> Node {
        let position = self
            .cut
            .unknowns
            .iter()
            .position(|unknown| unknown.key == value.0);
        let index = position.unwrap_or_else(|| {
            let fallback = ValueInfo {
                sort: Sort::W32,
                made_at: None,
                definition: None,
                range: None,
            };
            let info = self.func.values.get(&value).cloned().unwrap_or(fallback);
            self.cut.unknowns.push(Unknown {
                key: value.0,
                sort: info.sort,
                made_at: info.made_at,
            });
            self.cut.unknowns.len() - 1
        });
        self.node(Expr::Unknown(
            u32::try_from(index).expect("fewer than 2^32 unknowns"),
        ))
    }
}

/// What a join says it comes from where the function is entered.
const FROM_CALLER: u32 = u32::MAX;

/// Where names change without an instruction: on edges, and at offset 0, where the arguments get
/// theirs.
fn joins(allocated: &Allocated, (pieces, assembled): (&Pieces, &Assembled)) -> Vec<Join> {
    let mut joins = Vec::new();
    let arguments = argument_names(allocated);
    if !arguments.is_empty() {
        joins.push(Join {
            at: 0,
            from: FROM_CALLER,
            renames: arguments,
        });
    }
    for entrance in &assembled.entrances {
        let renames = pieces.data[entrance.from]
            .renames
            .iter()
            .find(|(to, _)| *to == entrance.to);
        if let Some((_, renames)) = renames {
            let at = assembled.starts[entrance.to];
            joins.push(Join {
                at,
                from: entrance.at,
                renames: renames.clone(),
            });
        }
    }
    joins.sort_by_key(|join| (join.at, join.from));
    joins
}

/// The names of the arguments, in registers and on the stack.
fn argument_names(allocated: &Allocated) -> Vec<(Location, Name, Name)> {
    let mut names = Vec::new();
    let first = allocated.blocks[ENTRY].items.first();
    if let Some(Item {
        inst: Inst::Args { .. },
        writes,
        ..
    }) = first
    {
        names.extend(writes.iter().filter_map(|&(place, vreg)| match place {
            Place::Reg(register) => {
                let location = Location::Core(register.number());
                Some((location, frame::entry_name(register), vreg.0))
            }
            Place::Slot(_) | Place::Incoming(_) | Place::Outgoing(_) => None,
        }));
    }
    let items = allocated.blocks.values().flat_map(|block| &block.items);
    let stacked: BTreeMap<u32, Name> = items
        .flat_map(|item| &item.reads)
        .filter_map(|&(place, vreg)| match place {
            Place::Incoming(offset) => Some((offset, vreg.0)),
            Place::Reg(_) | Place::Slot(_) | Place::Outgoing(_) => None,
        })
        .collect();
    for (offset, name) in stacked {
        if let Some(before) = ENTRY_STACK_NAME.checked_add(offset / 4) {
            let location = frame::location(&allocated.frame, Place::Incoming(offset));
            names.push((location, before, name));
        }
    }
    names
}

/// First of the names of the stack words that hold arguments at entry, behind those of registers.
const ENTRY_STACK_NAME: Name = ENTRY_NAME + 64;
