//! The hints of a function: cuts, joins, and what its machine locations stand for.
//!
//! Ensures: every block that the final code enters in more than one way has a cut, if it has a
//! Wasm place. A value that several places hold is one node of the cut.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use synth_verify::hints::{
    Cmp, Cut, ENTRY_WORD_NAME, Expr, FunctionHints, Join, Located, Location, Name, Node, Sort, Unknown, entry_name,
};

use crate::alloc::{Allocated, Item, Place};
use crate::entity::Entity;
use crate::vcode::Func;
use crate::vcode::entity::{Block, VReg, Value};
use crate::vcode::func::{ENTRY, FrameValue, Head};
use crate::vcode::inst::Inst;

use super::assemble::Assembled;
use super::frame;
use super::line::{LineOp, Piece, Pieces};
use super::machine::Machine;
use super::roots::Roots;

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

fn cuts((func, allocated): (&Func, &Allocated), (pieces, assembled): (&Pieces, &Assembled)) -> Vec<Cut> {
    let roots = Roots::new(func);
    let counts = pieces.predecessor_counts();
    let is_cut = |piece: Piece| {
        let data = &pieces.data[piece];
        let block = data.block?;
        let only_traps = matches!(data.lines.first().map(|line| &line.op), Some(LineOp::Machine(Machine::Udf(_))));
        let has_place = block.index() < allocated.input_blocks && !func.blocks[block].head.source.is_empty();
        (block != ENTRY && counts[piece] >= 2 && !only_traps && has_place).then_some((piece, block))
    };
    let places: Vec<(Piece, Block)> = pieces.order.iter().filter_map(|&piece| is_cut(piece)).collect();
    let mentioned = places.iter().map(|&(_, block)| (block, mentions(func, allocated, &roots, block))).collect();
    let carried = roots.carried(&mentioned);
    let cut = |&(piece, block): &(Piece, Block)| {
        let (known, said) = (HashMap::new(), BTreeMap::new());
        let mut nodes = Nodes { allocated, roots: &roots, cut: Cut::default(), known, said };
        nodes.cut.at = assembled.starts[piece];
        nodes.cut.depth = allocated.frame.bytes();
        nodes.relate(&func.blocks[block].head, block, &carried[block]);
        nodes.cut
    };
    places.iter().map(cut).collect()
}

/// The unknowns that a cut at a block's head mentions.
fn mentions(func: &Func, allocated: &Allocated, roots: &Roots<'_>, block: Block) -> BTreeSet<Value> {
    let head = &func.blocks[block].head;
    let words = words_at(allocated, block).flat_map(|vreg| allocated.vregs[vreg].expressions());
    let slots = head.locals.iter().chain(&head.stack).flatten().cloned();
    words.chain(slots).chain(facts(head, roots)).flat_map(|expression| roots.of(&expression)).collect()
}

/// The virtual registers that live into a block, in a place or to be computed again.
fn words_at(allocated: &Allocated, block: Block) -> impl Iterator<Item = VReg> {
    let data = &allocated.blocks[block];
    data.located.iter().map(|(_, vreg)| *vreg).chain(data.named.iter().copied())
}

/// What is known at a block's head that can be shown again.
fn facts(head: &Head, roots: &Roots<'_>) -> impl Iterator<Item = FrameValue> {
    head.facts.iter().filter(|fact| roots.are_found(fact)).cloned()
}

/// A cut in the making. Equal expressions are one node.
struct Nodes<'a> {
    allocated: &'a Allocated,
    roots: &'a Roots<'a>,
    cut: Cut,
    /// Only looked up, never walked.
    known: HashMap<Expr, Node>,
    /// The values that are said already.
    said: BTreeMap<Value, Node>,
}

impl Nodes<'_> {
    /// Says everything that is known at a block's head.
    fn relate(&mut self, head: &Head, block: Block, carried: &BTreeSet<Value>) {
        self.cut.source = head.source.clone();
        for &root in carried {
            self.value(root);
        }
        self.cut.locals = self.slots(&head.locals);
        self.cut.stack = self.slots(&head.stack);
        self.places(block);
        for fact in facts(head, self.roots) {
            let fact = self.expression(&fact);
            self.fact(fact);
        }
        self.constants(block);
        self.ranges();
        self.definitions(block, carried);
    }

    fn slots(&mut self, slots: &[Option<FrameValue>]) -> Vec<Option<Node>> {
        slots.iter().map(|slot| slot.as_ref().map(|slot| self.expression(slot))).collect()
    }

    fn places(&mut self, block: Block) {
        let allocated = self.allocated;
        let data = &allocated.blocks[block];
        for &(place, vreg) in &data.located {
            let words = frame::words(allocated, place, vreg);
            for ((location, name), expression) in words.into_iter().zip(allocated.vregs[vreg].expressions()) {
                let value = self.expression(&expression);
                self.cut.locations.push(Located { location, name, value });
            }
        }
        for &vreg in &data.named {
            if let Some(value) = self.origin(vreg) {
                self.cut.named.push((vreg.0, value));
            }
        }
        for (location, name) in frame::entry_values(allocated) {
            self.cut.locations.push(Located { location, name, value: 0 });
        }
    }

    fn origin(&mut self, vreg: VReg) -> Option<Node> {
        let expressions = self.allocated.vregs[vreg].expressions();
        Some(self.expression(expressions.first()?))
    }

    fn fact(&mut self, fact: Node) {
        if !self.cut.facts.contains(&fact) {
            self.cut.facts.push(fact);
        }
    }

    /// Facts that a word is a constant, where a register that holds that constant stands for it.
    fn constants(&mut self, block: Block) {
        let allocated = self.allocated;
        for vreg in words_at(allocated, block) {
            let (Some(&value), Some(is)) = (allocated.constants.get(&vreg), self.origin(vreg)) else { continue };
            if !matches!(self.cut.nodes[is as usize], Expr::Const32(_)) {
                let constant = self.node(Expr::Const32(value));
                let fact = self.node(Expr::Cmp32(Cmp::Eq, is, constant));
                self.fact(fact);
            }
        }
    }

    /// Facts about what the unknowns can be.
    fn ranges(&mut self) {
        let keys: Vec<u32> = self.cut.unknowns.iter().map(|unknown| unknown.key).collect();
        for key in keys {
            let range = self.roots.info(Value(key)).and_then(|info| info.range.clone());
            if let Some(range) = range {
                let fact = self.expression(&range);
                self.fact(fact);
            }
        }
    }

    /// Facts that an unknown is what its definition makes of others that are here.
    fn definitions(&mut self, block: Block, carried: &BTreeSet<Value>) {
        let (allocated, roots) = (self.allocated, self.roots);
        let held: BTreeSet<Value> = words_at(allocated, block)
            .flat_map(|vreg| allocated.vregs[vreg].expressions())
            .flat_map(|word| word.values())
            .collect();
        let is_here = |root: &Value| carried.contains(root) && (roots.is_found(*root) || held.contains(root));
        for root in carried.iter().filter(|root| is_here(root)) {
            let Some(definition) = roots.info(*root).and_then(|info| info.definition.as_ref()) else { continue };
            if !roots.of(definition).iter().all(is_here) {
                continue;
            }
            let (it, is) = (self.value(*root), self.expression(definition));
            let fact = match roots.info(*root).map(|info| info.sort) {
                Some(Sort::W64) => self.node(Expr::Cmp64(Cmp::Eq, it, is)),
                Some(Sort::W32) | None => self.node(Expr::Cmp32(Cmp::Eq, it, is)),
            };
            self.fact(fact);
        }
    }

    fn expression(&mut self, value: &FrameValue) -> Node {
        let expr = match value {
            FrameValue::Value(value) => return self.value(*value),
            FrameValue::Const32(value) => Expr::Const32(*value),
            FrameValue::Const64(value) => Expr::Const64(*value),
            FrameValue::Un32(op, a) => Expr::Un32(*op, self.expression(a)),
            FrameValue::Bin32(op, a, b) => Expr::Bin32(*op, self.expression(a), self.expression(b)),
            FrameValue::Cmp32(op, a, b) => Expr::Cmp32(*op, self.expression(a), self.expression(b)),
            FrameValue::Ite32(c, a, b) => Expr::Ite32(self.expression(c), self.expression(a), self.expression(b)),
            FrameValue::Un64(op, a) => Expr::Un64(*op, self.expression(a)),
            FrameValue::Bin64(op, a, b) => Expr::Bin64(*op, self.expression(a), self.expression(b)),
            FrameValue::Cmp64(op, a, b) => Expr::Cmp64(*op, self.expression(a), self.expression(b)),
            FrameValue::Ite64(c, a, b) => Expr::Ite64(self.expression(c), self.expression(a), self.expression(b)),
            FrameValue::Float1(op, a) => Expr::Float1(*op, self.expression(a)),
            FrameValue::Float2(op, a, b) => Expr::Float2(*op, self.expression(a), self.expression(b)),
            FrameValue::Join(high, low) => Expr::Join(self.expression(high), self.expression(low)),
            FrameValue::High(a) => Expr::High(self.expression(a)),
            FrameValue::Low(a) => Expr::Low(self.expression(a)),
            FrameValue::Base(base) => Expr::Base(*base),
            FrameValue::Load(memory, bytes, address) => Expr::Load(*memory, *bytes, self.expression(address)),
            FrameValue::Global32(global) => Expr::Global32(*global),
            FrameValue::Global64(global) => Expr::Global64(*global),
            FrameValue::MemoryBytes(memory) => Expr::MemoryBytes(*memory),
            FrameValue::TableEntry(table, index) => Expr::TableEntry(*table, self.expression(index)),
            FrameValue::ReferenceType(reference) => Expr::ReferenceType(self.expression(reference)),
            FrameValue::ReferenceCode(reference) => Expr::ReferenceCode(self.expression(reference)),
        };
        self.node(expr)
    }

    /// A value, its definition down to the roots first: however long a chain of them is, no call
    /// nests deeper than one definition.
    fn value(&mut self, value: Value) -> Node {
        let mut work = vec![value];
        while let Some(&next) = work.last() {
            let definition = self.roots.definition(next);
            let operands = definition.map(FrameValue::values).unwrap_or_default();
            let open: Vec<Value> = operands.into_iter().filter(|operand| !self.said.contains_key(operand)).collect();
            if !self.said.contains_key(&next) && !open.is_empty() {
                work.extend(open);
                continue;
            }
            work.pop();
            if !self.said.contains_key(&next) {
                let node = match definition {
                    Some(definition) => self.expression(definition),
                    None => self.unknown(next),
                };
                self.said.insert(next, node);
            }
        }
        self.said[&value]
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
        let index = u32::try_from(self.cut.unknowns.len()).expect("fewer than 2^32 unknowns");
        let sort = self.roots.info(value).map_or(Sort::W32, |info| info.sort);
        self.cut.unknowns.push(Unknown { key: value.0, sort, shown: self.roots.shown(value) });
        self.node(Expr::Unknown(index))
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
        joins.push(Join { at: 0, from: FROM_CALLER, renames: arguments });
    }
    for entrance in &assembled.entrances {
        let renames = pieces.data[entrance.from].renames.iter().find(|(to, _)| *to == entrance.to);
        if let Some((_, renames)) = renames {
            let at = assembled.starts[entrance.to];
            joins.push(Join { at, from: entrance.at, renames: renames.clone() });
        }
    }
    joins.sort_by_key(|join| (join.at, join.from));
    joins
}

/// The names of the arguments, in registers and on the stack.
fn argument_names(allocated: &Allocated) -> Vec<(Location, Name, Name)> {
    let mut names = Vec::new();
    let first = allocated.blocks[ENTRY].items.first();
    if let Some(Item { inst: Inst::Args { .. }, writes, .. }) = first {
        let words = writes.iter().flat_map(|&(place, vreg)| frame::words(allocated, place, vreg));
        names.extend(words.map(|(location, name)| (location, entry_name(location), name)));
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
        if let Some(before) = ENTRY_WORD_NAME.checked_add(offset / 4) {
            let location = Location::Stack(i32::try_from(offset).expect("a signature is small"));
            names.push((location, before, name));
        }
    }
    names
}
