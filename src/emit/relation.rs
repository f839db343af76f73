//! The hints of a function: cuts, joins, and what its machine locations stand for.
//!
//! Ensures: every block that the final code enters in more than one way has a cut, if it has a
//! Wasm place. A value that several places hold is one node of the cut.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use synth_verify::hints::{
    Bin32, Cmp, Cut, ENTRY_NAME, Expr, FunctionHints, Join, Located, Location, Name, Node, Sort, Unknown,
};

use crate::alloc::{Allocated, Item, Place};
use crate::entity::Entity;
use crate::vcode::Func;
use crate::vcode::entity::{Block, VReg, Value};
use crate::vcode::func::{ENTRY, FrameValue, ValueInfo};
use crate::vcode::inst::Inst;

use super::assemble::Assembled;
use super::frame;
use super::halves::{self, Half};
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

fn cuts((func, allocated): (&Func, &Allocated), (pieces, assembled): (&Pieces, &Assembled)) -> Vec<Cut> {
    let counts = pieces.predecessor_counts();
    let constants = &allocated.constants;
    let mut cuts = Vec::new();
    for &piece in &pieces.order {
        let data = &pieces.data[piece];
        let Some(block) = data.block else { continue };
        let only_traps = matches!(data.lines.first().map(|line| &line.op), Some(LineOp::Machine(Machine::Udf(_))));
        if block == ENTRY || counts[piece] < 2 || only_traps || block.index() >= allocated.input_blocks {
            continue;
        }
        let head = &func.blocks[block].head;
        if head.source.is_empty() {
            continue;
        }
        let fixed = fixed_halves(allocated, block, constants);
        let Derived { stands_for, leads_to, told, lows, highs } = derive(func, allocated, block, &fixed);
        let mut nodes = Nodes {
            func,
            cut: Cut::default(),
            known: HashMap::new(),
            said: BTreeMap::new(),
            stands_for,
            fixed,
            told,
            halves: (lows, highs),
            own: BTreeMap::new(),
        };
        nodes.cut.at = assembled.starts[piece];
        nodes.cut.depth = allocated.frame.bytes();
        nodes.cut.source = head.source.clone();
        // Earlier values first: then none is said from within a long chain of others.
        for value in nodes.stands_for.keys().copied().collect::<Vec<_>>() {
            nodes.value(value);
        }
        nodes.constant_words(allocated, block, constants);
        nodes.cut.locals = nodes.slots(&head.locals);
        nodes.cut.stack = nodes.slots(&head.stack);
        nodes.places(allocated, block);
        // A fact about values that nothing else mentions could not be shown again.
        let related: BTreeSet<u32> = nodes.cut.unknowns.iter().map(|unknown| unknown.key).collect();
        let known = |value: &Value| related.contains(&value.0) || nodes.stands_for.contains_key(value);
        let said = |value| match known(&value) {
            true => Some(FrameValue::Value(value)),
            false => unfold(func, value, &|leaf| known(&leaf), DEPTH_MAX),
        };
        let facts: Vec<FrameValue> = head.facts.iter().filter_map(|fact| fact.replace(&mut { said })).collect();
        nodes.cut.facts = facts.iter().map(|fact| nodes.expression(fact)).collect();
        nodes.constants(allocated, block, constants);
        nodes.ranges();
        for (value, definition) in leads_to {
            nodes.led_to(value, &definition);
        }
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
    /// Values of which one half is a constant.
    fixed: BTreeMap<Value, (Half, u32)>,
    /// Values that Wasm or the machine tells.
    told: BTreeSet<Value>,
    /// Values of which the machine tells the low half, and those of which it tells the high half.
    halves: (BTreeSet<Value>, BTreeSet<Value>),
    /// Words that are unknowns of their own, because what they consist of is not told.
    own: BTreeMap<FrameValue, Node>,
}

/// What is said of the values at a block's head.
struct Derived {
    /// The values that are said in terms of others.
    stands_for: BTreeMap<Value, FrameValue>,
    /// Values that are not, with definitions that lead to values of which less is known.
    leads_to: BTreeMap<Value, FrameValue>,
    /// The values that can be read off, or follow from such.
    told: BTreeSet<Value>,
    /// The values whose low half the machine holds.
    lows: BTreeSet<Value>,
    /// The values whose high half the machine holds.
    highs: BTreeSet<Value>,
}

/// Which values at a block's head are said in terms of others.
///
/// A value that a Wasm slot or the machine shows is said in terms of its definition wherever what
/// that needs is seen too: so two cuts that follow one another say it alike. Else it is an unknown.
/// What the machine holds in half only may be a half of a value with a definition that leads to it.
fn derive(func: &Func, allocated: &Allocated, block: Block, fixed: &BTreeMap<Value, (Half, u32)>) -> Derived {
    let head = &func.blocks[block].head;
    let located = || allocated.blocks[block].located.iter().map(|(_, vreg)| *vreg);
    let held = |vreg: VReg| allocated.vregs[vreg].expression();
    let slots: Vec<FrameValue> = head.locals.iter().chain(&head.stack).flatten().cloned().collect();
    let mut seen = seen(&slots, &located().filter_map(held).collect::<Vec<_>>());
    seen.extend(fixed.keys());
    let all = located().chain(allocated.blocks[block].named.iter().copied()).filter_map(held);
    let mut mentioned: BTreeSet<Value> = all.flat_map(|expression| expression.values()).collect();
    mentioned.extend(slots.iter().flat_map(FrameValue::values));
    mentioned.extend(&seen);
    let (mut stands_for, mut leads_to) = (BTreeMap::new(), BTreeMap::new());
    let mut hidden = BTreeSet::new();
    for &value in &mentioned {
        match unfold(func, value, &|leaf| seen.contains(&leaf), DEPTH_MAX) {
            Some(expression) => _ = stands_for.insert(value, expression),
            None if seen.contains(&value) => {}
            None => _ = hidden.insert(value),
        }
    }
    for (value, inverse) in comparisons_again(func, seen.iter().filter(|value| !stands_for.contains_key(value))) {
        stands_for.insert(value, inverse);
    }
    for value in &seen {
        if stands_for.contains_key(value) {
            continue;
        }
        let is_opaque = |leaf| func.values.get(&leaf).is_none_or(|info| info.definition.is_none());
        let leaf = |leaf| seen.contains(&leaf) || hidden.contains(&leaf) || is_opaque(leaf);
        if let Some(expression) = unfold(func, *value, &leaf, DEPTH_MAX) {
            leads_to.insert(*value, expression);
        }
    }
    let told = mentioned.difference(&hidden).copied().collect();
    let half = |which: fn(&FrameValue) -> Option<Value>| {
        let located = located().filter_map(held);
        located.filter_map(|expression| which(&expression)).collect()
    };
    let lows = half(|expression| match expression {
        FrameValue::Low(whole) => whole.just(),
        _ => None,
    });
    let highs = half(|expression| match expression {
        FrameValue::High(whole) => whole.just(),
        _ => None,
    });
    Derived { stands_for, leads_to, told, lows, highs }
}

/// Values that compare what another one before them compares, in terms of that one.
fn comparisons_again<'a>(func: &Func, values: impl Iterator<Item = &'a Value>) -> Vec<(Value, FrameValue)> {
    let mut first: BTreeMap<&FrameValue, (Value, bool)> = BTreeMap::new();
    let mut again = Vec::new();
    for &value in values {
        let definition = func.values.get(&value).and_then(|info| info.definition.as_ref());
        let (comparison, holds) = match definition {
            Some(FrameValue::Ite32(condition, a, b))
                if condition.is_comparison() && (&**a, &**b) == (&FrameValue::Const32(0), &FrameValue::Const32(1)) =>
            {
                (&**condition, false)
            }
            Some(definition) if definition.is_comparison() => (definition, true),
            _ => continue,
        };
        let (earlier, held) = *first.entry(comparison).or_insert((value, holds));
        let earlier_value = FrameValue::Value(earlier);
        match () {
            () if earlier == value => {}
            () if held == holds => again.push((value, earlier_value)),
            () => {
                let zero = Box::new(FrameValue::Const32(0));
                again.push((value, FrameValue::Cmp32(Cmp::Eq, Box::new(earlier_value), zero)));
            }
        }
    }
    again
}

/// The values of which a location holds one half, and a register that holds a constant, or would if
/// it were made again, stands for the other.
fn fixed_halves(allocated: &Allocated, block: Block, constants: &BTreeMap<VReg, u32>) -> BTreeMap<Value, (Half, u32)> {
    let data = &allocated.blocks[block];
    let half_of = |vreg: VReg| match allocated.vregs[vreg].expression()? {
        FrameValue::Low(whole) => whole.just().map(|value| (value, Half::Low)),
        FrameValue::High(whole) => whole.just().map(|value| (value, Half::High)),
        _ => None,
    };
    let located = || data.located.iter().map(|(_, vreg)| *vreg);
    let held: BTreeSet<(Value, Half)> =
        located().filter(|vreg| !constants.contains_key(vreg)).filter_map(half_of).collect();
    let mut fixed = BTreeMap::new();
    for vreg in located().chain(data.named.iter().copied()) {
        let (Some(&constant), Some((value, half))) = (constants.get(&vreg), half_of(vreg)) else { continue };
        if held.contains(&(value, half.other())) {
            fixed.insert(value, (half, constant));
        }
    }
    fixed
}

/// The values that the validator can read off: a slot or a location is just the value, or the
/// locations are its halves, or a slot is an extension of it or its sum with a constant.
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
        match expression {
            FrameValue::Join(_, low) => seen.extend(low.just()),
            FrameValue::Bin32(Bin32::Add, a, b) if matches!(**b, FrameValue::Const32(_)) => seen.extend(a.just()),
            _ => {}
        }
    }
    seen
}

/// Keys from here on are of unknowns that are no SSA values.
const OWN_UNKNOWN: u32 = 1 << 31;

/// How deep definitions are followed.
const DEPTH_MAX: u32 = 6;

/// A value's definition down to the given leaves.
fn unfold(func: &Func, value: Value, leaf: &dyn Fn(Value) -> bool, depth: u32) -> Option<FrameValue> {
    let definition = func.values.get(&value)?.definition.as_ref()?;
    if depth == 0 {
        return None;
    }
    definition.replace(&mut |inner| {
        if leaf(inner) { Some(FrameValue::Value(inner)) } else { unfold(func, inner, leaf, depth - 1) }
    })
}

impl Nodes<'_> {
    fn slots(&mut self, slots: &[Option<FrameValue>]) -> Vec<Option<Node>> {
        slots.iter().map(|slot| slot.as_ref().map(|slot| self.slot(slot))).collect()
    }

    /// A slot. What is not told in it becomes an unknown, of which the slot tells the value.
    fn slot(&mut self, slot: &FrameValue) -> Node {
        if self.is_told(slot) {
            return self.expression(slot);
        }
        if !slot.is_wide() {
            return self.word(slot);
        }
        let high = self.word(&halves::half(slot, Half::High));
        let low = self.word(&halves::half(slot, Half::Low));
        self.node(Expr::Join(high, low))
    }

    /// A word, in terms of what is told if it can be.
    fn word(&mut self, word: &FrameValue) -> Node {
        if self.is_told(word) {
            return self.expression(word);
        }
        let word = halves::word(word);
        if self.is_told(&word) {
            return self.expression(&word);
        }
        if let Some(&node) = self.own.get(&word) {
            return node;
        }
        let index = u32::try_from(self.cut.unknowns.len()).expect("fewer than 2^32 unknowns");
        let key = OWN_UNKNOWN | index;
        self.cut.unknowns.push(Unknown { key, sort: Sort::W32, made_at: None });
        let node = self.node(Expr::Unknown(index));
        self.own.insert(word, node);
        node
    }

    /// Whether the validator finds out all that an expression mentions.
    fn is_told(&self, expression: &FrameValue) -> bool {
        let (lows, highs) = &self.halves;
        let all = |expression: &FrameValue| expression.values().iter().all(|value| self.told.contains(value));
        match expression {
            FrameValue::Low(whole) => all(whole) || whole.just().is_some_and(|value| lows.contains(&value)),
            FrameValue::High(whole) => all(whole) || whole.just().is_some_and(|value| highs.contains(&value)),
            FrameValue::Un32(_, a) | FrameValue::Un64(_, a) => self.is_told(a),
            FrameValue::Bin32(_, a, b)
            | FrameValue::Cmp32(_, a, b)
            | FrameValue::Bin64(_, a, b)
            | FrameValue::Cmp64(_, a, b)
            | FrameValue::Join(a, b) => self.is_told(a) && self.is_told(b),
            FrameValue::Ite32(c, a, b) => self.is_told(c) && self.is_told(a) && self.is_told(b),
            other => all(other),
        }
    }

    fn places(&mut self, allocated: &Allocated, block: Block) {
        let data = &allocated.blocks[block];
        for &(place, vreg) in &data.located {
            if let Some(value) = self.origin(allocated, vreg) {
                let location = frame::location(&allocated.frame, place);
                self.cut.locations.push(Located { location, name: vreg.0, value });
            }
        }
        for &vreg in &data.named {
            if let Some(value) = self.origin(allocated, vreg) {
                self.cut.named.push((vreg.0, value));
            }
        }
        for (location, name) in frame::entry_values(&allocated.frame) {
            self.cut.locations.push(Located { location, name, value: 0 });
        }
    }

    /// Words that are not told but that a register with a constant stands for.
    fn constant_words(&mut self, allocated: &Allocated, block: Block, constants: &BTreeMap<VReg, u32>) {
        let data = &allocated.blocks[block];
        let located = data.located.iter().map(|(_, vreg)| *vreg);
        for vreg in located.chain(data.named.iter().copied()) {
            let expression = allocated.vregs[vreg].expression();
            let (Some(&value), Some(expression)) = (constants.get(&vreg), expression) else { continue };
            let word = halves::word(&expression);
            if !self.is_told(&expression) && !self.is_told(&word) {
                let constant = self.node(Expr::Const32(value));
                self.own.insert(word, constant);
            }
        }
    }

    /// Facts that half a value is a constant, where a register stands for that half.
    fn constants(&mut self, allocated: &Allocated, block: Block, constants: &BTreeMap<VReg, u32>) {
        let data = &allocated.blocks[block];
        let located = data.located.iter().map(|(_, vreg)| *vreg);
        for vreg in located.chain(data.named.iter().copied()) {
            let (Some(&value), Some(expression)) = (constants.get(&vreg), allocated.vregs[vreg].expression()) else {
                continue;
            };
            let is = self.word(&expression);
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
        let keys: Vec<u32> = self.cut.unknowns.iter().map(|unknown| unknown.key).collect();
        for key in keys {
            let range = self.func.values.get(&Value(key)).and_then(|info| info.range.clone());
            if let Some(range) = range {
                let fact = self.expression(&range);
                self.cut.facts.push(fact);
            }
        }
    }

    /// Facts that a word of a value is what its definition makes of words that the machine holds.
    fn led_to(&mut self, value: Value, definition: &FrameValue) {
        let it = Box::new(FrameValue::Value(value));
        let words = match self.func.values.get(&value).map(|info| info.sort) {
            Some(Sort::W64) => vec![
                (FrameValue::Low(it.clone()), halves::half(definition, Half::Low)),
                (FrameValue::High(it), halves::half(definition, Half::High)),
            ],
            Some(Sort::W32) => vec![(*it, halves::word(definition))],
            None => Vec::new(),
        };
        for (word, is) in words {
            if self.is_told(&is) || self.own.contains_key(&is) {
                let (word, is) = (self.expression(&word), self.word(&is));
                let fact = self.node(Expr::Cmp32(Cmp::Eq, word, is));
                self.cut.facts.push(fact);
            }
        }
    }

    fn origin(&mut self, allocated: &Allocated, vreg: VReg) -> Option<Node> {
        let expression = allocated.vregs[vreg].expression()?;
        Some(self.word(&expression))
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
            FrameValue::Join(high, low) => Expr::Join(self.expression(high), self.expression(low)),
            FrameValue::High(a) => {
                let whole = self.expression(a);
                match self.cut.nodes[whole as usize] {
                    Expr::Join(high, _) => return high,
                    _ => Expr::High(whole),
                }
            }
            FrameValue::Low(a) => {
                let whole = self.expression(a);
                match self.cut.nodes[whole as usize] {
                    Expr::Join(_, low) => return low,
                    _ => Expr::Low(whole),
                }
            }
            FrameValue::Base(base) => Expr::Base(*base),
            FrameValue::Load(memory, bytes, address) => Expr::Load(*memory, *bytes, self.expression(address)),
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
            None => {
                let unknown = self.unknown(value);
                match self.fixed.get(&value).copied() {
                    Some((Half::Low, constant)) => {
                        let (high, low) = (self.node(Expr::High(unknown)), self.node(Expr::Const32(constant)));
                        self.node(Expr::Join(high, low))
                    }
                    Some((Half::High, constant)) => {
                        let (high, low) = (self.node(Expr::Const32(constant)), self.node(Expr::Low(unknown)));
                        self.node(Expr::Join(high, low))
                    }
                    None => unknown,
                }
            }
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
        let position = self.cut.unknowns.iter().position(|unknown| unknown.key == value.0);
        let index = position.unwrap_or_else(|| {
            let fallback = ValueInfo { sort: Sort::W32, made_at: None, definition: None, range: None };
            let info = self.func.values.get(&value).cloned().unwrap_or(fallback);
            self.cut.unknowns.push(Unknown { key: value.0, sort: info.sort, made_at: info.made_at });
            self.cut.unknowns.len() - 1
        });
        self.node(Expr::Unknown(u32::try_from(index).expect("fewer than 2^32 unknowns")))
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
