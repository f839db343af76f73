//! The goals at the end of a segment: what must hold at a cut, a call, a return and a trap.
//!
//! Ensures: each function here returns `Ok` only if every goal it lists is closed under the facts of
//! the outcome; each closed goal is recorded with the method that closed it.

use std::rc::Rc;

use crate::abi::{self, Convention, Place, Results};
use crate::domain::{Bin32, Cmp, Domain, Un32};
use crate::hints::{Class, Cut, Label, Location, Sort};
use crate::program::CallTarget;
use crate::term::facts::Facts;
use crate::term::prove::{By, Open, Outcome as Proof};
use crate::term::{Term32, TermBool, Terms};
use crate::verdict::{Kind, Method};
use crate::wasm::module::{FunctionType, ValueType};
use crate::wasm::runtime::Operator;
use crate::wasm::sem::Value;

use super::relation;
use super::source::{Outcome, SourceEvent};
use super::symbolic::{STACK_LIMIT_MAX, Symbolic, TermValue};
use super::walk::{Called, Callee, Freshness, Path, Walk};

/// Where a goal stands: the machine offset, what kind it is, and under which facts.
struct Site<'a> {
    at: u32,
    kind: Kind,
    facts: &'a Facts,
}

/// The relation holds at a cut.
pub(super) fn cut(walk: &mut Walk<'_, '_>, path: &Path, outcome: &Outcome, cut: &Cut) -> Result<(), String> {
    let at = cut.at;
    let site = |kind| Site { at, kind, facts: &outcome.facts };
    let depth = path.machine.depth(&mut walk.symbolic.terms, &walk.symbolic.constants)?;
    if depth != cut.depth {
        return Err(format!("SP is {depth} bytes below entry at the cut, {} are declared", cut.depth));
    }
    let both = (&path.machine, &outcome.state);
    let claims = relation::claims(walk.symbolic, cut, both, &path.known, &walk.ghosts)?;
    for (said, is, words) in claims.slots {
        values_equal(walk, &site(Kind::Source), (&said, &is), || format!("{words} at the cut"))?;
    }
    for (location, name, said) in claims.locations {
        let is = path.machine.location(location).map_err(|why| format!("at the cut: {why}"))?;
        let words = || format!("{} does not hold value {} at the cut", location_words(location), name_words(name));
        equal(walk, &site(Kind::Location), (is, said), words)?;
    }
    for fact in claims.facts {
        holds(walk, &site(Kind::Fact), fact, || "a fact of the cut".to_owned())?;
    }
    same_world(walk, path, outcome, Kind::World)
}

/// Every memory, its length and every global are the same on both sides.
fn same_world(walk: &mut Walk<'_, '_>, path: &Path, outcome: &Outcome, kind: Kind) -> Result<(), String> {
    let at = walk.offset(path.pc);
    let site = Site { at, kind, facts: &outcome.facts };
    let world = &outcome.state.world;
    for (index, (is, said)) in path.machine.memories.iter().zip(&world.memories).enumerate() {
        let symbolic = &mut *walk.symbolic;
        let proof = symbolic.prover.equal_mem(&mut symbolic.terms, site.facts, *is, said.contents);
        conclude(walk, &site, proof, || format!("linear memory {index} differs from Wasm's"))?;
        if let Some(cell) = walk.symbolic.constants.memories[index].length_cell {
            let length = path.machine.cell(cell)?;
            equal(walk, &site, (length, said.length), || format!("the length of memory {index} differs from Wasm's"))?;
        }
    }
    for (index, (is, said)) in path.machine.tables.iter().zip(&world.tables).enumerate() {
        let symbolic = &mut *walk.symbolic;
        if let (Some(is), Some(said)) = (is, said.entries) {
            let proof = symbolic.prover.equal_mem(&mut symbolic.terms, site.facts, *is, said);
            conclude(walk, &site, proof, || format!("table {index} differs from Wasm's"))?;
        }
        if let Some(cell) = walk.symbolic.constants.tables[index].size_cell {
            let size = path.machine.cell(cell)?;
            equal(walk, &site, (size, said.size), || format!("the size of table {index} differs from Wasm's"))?;
        }
    }
    for (index, value) in world.globals.iter().enumerate() {
        let Some(offset) = walk.symbolic.constants.cells[index] else { continue };
        let words = || format!("global {index} differs from Wasm's");
        match value {
            Value::W32(word) => equal(walk, &site, (path.machine.cell(offset)?, *word), words)?,
            Value::W64(long) => {
                let low = walk.symbolic.terms.low(long);
                let high = walk.symbolic.terms.high(long);
                equal(walk, &site, (path.machine.cell(offset)?, low), words)?;
                equal(walk, &site, (path.machine.cell(offset + 4)?, high), words)?;
            }
        }
    }
    Ok(())
}

/// The function returns as AAPCS asks.
pub(super) fn returned(
    walk: &mut Walk<'_, '_>,
    path: &Path,
    (outcome, results): (&Outcome, &[TermValue]),
    target: Term32,
) -> Result<(), String> {
    let at = walk.offset(path.pc);
    let site = Site { at, kind: Kind::Return, facts: &outcome.facts };
    as_at_entry(walk, path, &site, "return")?;
    let address = walk.ghosts.registers[14];
    equal(walk, &site, (target, address), || "the jump does not go to the return address".to_owned())?;
    for (index, is, said) in result_words(walk, path, results)? {
        let which = if results.len() == 1 { "the result".to_owned() } else { format!("result {index}") };
        equal(walk, &site, (is, said), || format!("{which} differs from Wasm's"))?;
    }
    same_world(walk, path, outcome, Kind::Return)
}

/// SP and the callee-saved registers are as at entry.
fn as_at_entry(walk: &mut Walk<'_, '_>, path: &Path, site: &Site<'_>, what: &str) -> Result<(), String> {
    let depth = path.machine.depth(&mut walk.symbolic.terms, &walk.symbolic.constants)?;
    if depth != 0 {
        return Err(format!("SP is {depth} bytes below entry at the {what}"));
    }
    for register in abi::callee_saved(walk.subject.program.target.float) {
        let is = path.machine.registers[usize::from(register)];
        let was = walk.ghosts.registers[usize::from(register)];
        equal(walk, site, (is, was), || {
            format!("callee-saved register {} is not restored", abi::register_name(register))
        })?;
    }
    Ok(())
}

/// Control goes to the function that Wasm leaves for, as its caller had called it: the arguments, the
/// place for the results and the return address are where it finds them, and nothing of the own frame
/// is left.
pub(super) fn left(walk: &mut Walk<'_, '_>, path: &Path, outcome: &Outcome, called: &Called) -> Result<(), String> {
    let at = walk.offset(path.pc);
    let site = Site { at, kind: Kind::Call, facts: &outcome.facts };
    as_at_entry(walk, path, &site, "branch to another function")?;
    let (is, was) = (path.machine.registers[14], walk.ghosts.registers[14]);
    equal(walk, &site, (is, was), || "lr is not the return address at the branch to another function".to_owned())?;
    let to = callee(walk, &site, &outcome.event, called)?;
    let own = walk.symbolic.convention(&walk.subject.function.signature);
    let convention = walk.symbolic.convention(&to.signature);
    if convention.stack_bytes > own.stack_bytes {
        return Err("the arguments of the function that is left for do not fit where the own ones came".to_owned());
    }
    if convention.results != own.results {
        return Err("the function that is left for has other results".to_owned());
    }
    if let Results::Area { .. } = own.results {
        let (is, was) = (path.machine.registers[0], walk.ghosts.registers[0]);
        equal(walk, &site, (is, was), || "r0 does not name the own result area".to_owned())?;
    }
    arguments_are(walk, path, &site, (&to.arguments, &convention))?;
    same_world(walk, path, outcome, Kind::Call)?;
    walk.close(at, Kind::Call, Method::Same);
    walk.walked.leaves.insert(to.callee);
    Ok(())
}

/// Each word of each result: which result, what the machine returns, what Wasm says.
fn result_words(
    walk: &mut Walk<'_, '_>,
    path: &Path,
    results: &[TermValue],
) -> Result<Vec<(usize, Term32, Term32)>, String> {
    let mut said = Vec::new();
    for (index, result) in results.iter().enumerate() {
        said.extend(words(&mut walk.symbolic.terms, result).into_iter().map(|word| (index, word)));
    }
    let is: Vec<Term32> = match walk.symbolic.convention(&walk.subject.function.signature).results {
        Results::Registers(registers) => {
            registers.into_iter().map(|register| path.machine.registers[usize::from(register)]).collect()
        }
        Results::Area { words, .. } => {
            words.into_iter().map(|offset| path.machine.result(offset)).collect::<Result<_, String>>()?
        }
    };
    if is.len() != said.len() {
        return Err("the results are of other types than Wasm's".to_owned());
    }
    Ok(said.into_iter().zip(is).map(|((index, said), is)| (index, is, said)).collect())
}

/// Both sides trap alike: the world is the same.
pub(super) fn trapped(walk: &mut Walk<'_, '_>, path: &Path, outcome: &Outcome) -> Result<(), String> {
    walk.close(walk.offset(path.pc), Kind::Trap, Method::Facts);
    same_world(walk, path, outcome, Kind::Trap)
}

/// `exhausted` may be reported: nothing has happened yet, and the path condition says that SP is
/// closer to the limit than what the function needs. Without an event the source still stands at its
/// entry, however far the walk has run it ahead.
pub(super) fn exhausted(walk: &mut Walk<'_, '_>, path: &Path) -> Result<(), String> {
    if path.fresh != Freshness::Entry {
        return Err("exhaustion is reported after the function has begun".to_owned());
    }
    if limit_condition(walk, path) != Some(true) {
        return Err("exhaustion is reported although SP may be far enough from the limit".to_owned());
    }
    walk.close(walk.offset(path.pc), Kind::Trap, Method::Facts);
    Ok(())
}

/// A function that checks the stack limit has done so before it first moves SP, touches memory, calls,
/// or comes to a cut.
pub(super) fn limit_was_checked(walk: &mut Walk<'_, '_>, before: &Path) -> Result<(), String> {
    if walk.subject.hints.checked_bytes == 0 || limit_condition(walk, before) == Some(false) {
        return Ok(());
    }
    Err("the function goes on before the stack limit is checked".to_owned())
}

/// Most bytes that a limit check may reserve: the limit plus this does not wrap around.
const CHECKED_BYTES_MAX: u32 = u32::MAX - STACK_LIMIT_MAX;

/// Whether SP at entry is below limit + need, as far as the machine's facts tell.
fn limit_condition(walk: &mut Walk<'_, '_>, path: &Path) -> Option<bool> {
    let need = walk.subject.hints.checked_bytes;
    if need == 0 || need > CHECKED_BYTES_MAX {
        return None;
    }
    let terms = &mut walk.symbolic.terms;
    let need = terms.w32(need);
    let least = terms.bin32(Bin32::Add, &walk.symbolic.constants.limit, &need);
    let below = terms.cmp32(Cmp::LtU, &walk.symbolic.constants.entry_sp, &least);
    path.machine_facts.decide(terms, below)
}

/// Both sides make the same call in the same world; the path goes on behind it.
pub(super) fn called(
    walk: &mut Walk<'_, '_>,
    path: &Path,
    outcome: Outcome,
    called: &Called,
    next: u32,
) -> Result<Path, String> {
    let at = walk.offset(path.pc);
    let site = Site { at, kind: Kind::Call, facts: &outcome.facts };
    let depth = path.machine.depth(&mut walk.symbolic.terms, &walk.symbolic.constants)?;
    if !depth.is_multiple_of(8) {
        return Err(format!("SP is {depth} bytes below entry at a call, which is no multiple of 8"));
    }
    let to = callee(walk, &site, &outcome.event, called)?;
    let convention = walk.symbolic.convention(&to.signature);
    arguments_are(walk, path, &site, (&to.arguments, &convention))?;
    let area = result_area(walk, path, depth, &convention)?;
    same_world(walk, path, &outcome, Kind::Call)?;
    // Both sides call the same.
    walk.close(at, Kind::Call, Method::Same);
    walk.walked.calls.insert(to.callee);
    let back = Return { types: to.signature.results, convention, area, offset: to.offset, next, at };
    Ok(behind_call(walk, path, outcome, back))
}

/// What Wasm calls.
struct To {
    callee: Callee,
    signature: FunctionType,
    arguments: Vec<TermValue>,
    offset: u32,
}

/// What Wasm calls, if the machine goes there.
fn callee(walk: &mut Walk<'_, '_>, site: &Site<'_>, event: &SourceEvent, called: &Called) -> Result<To, String> {
    let module = walk.subject.module;
    let (callee, signature, arguments, offset) = match (event, called) {
        (SourceEvent::Call { function, arguments, offset, .. }, Called::Known(CallTarget::Function(_))) => {
            let signature = module.signature(*function).ok_or("a call of no function")?;
            (Callee::Direct(*function), signature, arguments, *offset)
        }
        (SourceEvent::CallIndirect { type_index, code, arguments, offset, .. }, Called::Computed(target)) => {
            equal(walk, site, (*target, *code), || "the address called is not the table entry's".to_owned())?;
            let signature = module.types.get(*type_index as usize).ok_or("a call of no type")?;
            (Callee::Indirect(*type_index), signature, arguments, *offset)
        }
        _ => return Err("the calls are of different kinds".to_owned()),
    };
    Ok(To { callee, signature: signature.clone(), arguments: arguments.clone(), offset })
}

/// The arguments are where the callee finds them.
fn arguments_are(
    walk: &mut Walk<'_, '_>,
    path: &Path,
    site: &Site<'_>,
    (arguments, convention): (&[TermValue], &Convention),
) -> Result<(), String> {
    let depth = path.machine.depth(&mut walk.symbolic.terms, &walk.symbolic.constants)?;
    for (index, (value, places)) in arguments.iter().zip(&convention.arguments).enumerate() {
        for (word, place) in words(&mut walk.symbolic.terms, value).into_iter().zip(places) {
            let is = match place {
                Place::Register(register) => path.machine.registers[usize::from(*register)],
                Place::Stack(offset) => path.machine.location(Location::Stack(*offset as i32 - depth as i32))?,
            };
            equal(walk, site, (is, word), || format!("argument {index} differs from Wasm's"))?;
        }
    }
    Ok(())
}

/// Where in the frame the callee puts several results: r0 names an area of the own frame above the
/// outgoing arguments, from this offset from SP at entry on. 0 if the results need none.
fn result_area(walk: &mut Walk<'_, '_>, path: &Path, depth: u32, callee: &Convention) -> Result<i32, String> {
    let Results::Area { bytes, .. } = callee.results else { return Ok(0) };
    let terms = &mut walk.symbolic.terms;
    let named = terms.split_region(path.machine.registers[0]);
    let own = named.filter(|(region, _)| *region == walk.symbolic.constants.entry_sp);
    let start = own.and_then(|(_, offset)| walk.symbolic.terms.as_const32(offset));
    let start = start.ok_or("r0 does not name an area of the frame for the results of a call")? as i32;
    let above = i64::from(callee.stack_bytes) - i64::from(depth);
    if start % 8 != 0 || i64::from(start) < above || i64::from(start) + i64::from(bytes) > 0 {
        return Err(format!("the area for the results of a call, at {start:+}, is not aligned or not in the frame"));
    }
    walk.close(walk.offset(path.pc), Kind::Call, Method::Facts);
    Ok(start)
}

/// A function of the runtime is an operator: of the words of the registers and stack words that AAPCS
/// passes operands in, and behind the call its result is where AAPCS has it. Nothing happens that Wasm
/// would see, so the source stays where it is.
pub(super) fn helped(
    walk: &mut Walk<'_, '_>,
    path: &Path,
    (function, operator): (u32, Operator),
    next: u32,
) -> Result<Path, String> {
    let at = walk.offset(path.pc);
    let unit = walk.subject.program.target.float;
    // Both would have to give the same NaN.
    if let Operator::Float(float) = operator
        && unit.computes(float)
    {
        return Err(format!("{} is computed by the runtime, which {unit} has an instruction for", float.name()));
    }
    let depth = path.machine.depth(&mut walk.symbolic.terms, &walk.symbolic.constants)?;
    if !depth.is_multiple_of(8) {
        return Err(format!("SP is {depth} bytes below entry at a call, which is no multiple of 8"));
    }
    let Convention { arguments: places, stack_bytes, .. } = abi::convention_of_integers(&operator.operands(), &[]);
    let mut path = path.clone();
    let mut operands = Vec::new();
    for place in places.into_iter().flatten() {
        operands.push(match place {
            Place::Register(register) => path.machine.registers[usize::from(register)],
            Place::Stack(offset) => path.machine.location(Location::Stack(offset as i32 - depth as i32))?,
        });
    }
    let result = computed(&mut walk.symbolic.terms, operator, &operands)?;
    path.machine.clobber_registers(walk.symbolic, stack_bytes);
    for (register, word) in result.into_iter().enumerate() {
        path.machine.registers[register] = word;
    }
    name_results(walk, &mut path, at);
    walk.walked.calls.insert(Callee::Direct(function));
    walk.close(at, Kind::Call, Method::Same);
    path.pc = next;
    path.fresh = Freshness::Under;
    Ok(path)
}

/// The words of an operator's result, low first.
fn computed(terms: &mut Terms, operator: Operator, words: &[Term32]) -> Result<Vec<Term32>, String> {
    let wide = match (operator, words) {
        (Operator::Word(word), [a, b]) => return Ok(vec![terms.bin32(word, a, b)]),
        (Operator::Rest(quotient), [a, b]) => {
            let quotient = terms.bin32(quotient, a, b);
            let whole = terms.bin32(Bin32::Mul, &quotient, b);
            return Ok(vec![terms.bin32(Bin32::Sub, a, &whole)]);
        }
        (Operator::LeadingZeros, [a]) => return Ok(vec![terms.un32(Un32::Clz, a)]),
        (Operator::TrailingZeros, [a]) => {
            let reversed = terms.un32(Un32::Rbit, a);
            return Ok(vec![terms.un32(Un32::Clz, &reversed)]);
        }
        (Operator::WideUnary(unary), [low, high]) => {
            let a = terms.join(high, low);
            terms.un64(unary, &a)
        }
        (Operator::Float(float), words) => {
            let words = terms.float(float, words);
            let count = if operator.result() == Sort::W64 { 2 } else { 1 };
            return Ok(words[..count].to_vec());
        }
        (Operator::Wide(binary), [low, high, other_low, other_high]) => {
            let (a, b) = (terms.join(high, low), terms.join(other_high, other_low));
            terms.bin64(binary, &a, &b)
        }
        _ => return Err("an operator of other operands".to_owned()),
    };
    Ok(vec![terms.low(&wide), terms.high(&wide)])
}

/// Gives what a call leaves in places the names that its label says.
fn name_results(walk: &Walk<'_, '_>, path: &mut Path, at: u32) {
    if let Some(label) = walk.labels.get(&at).copied() {
        for (location, name) in &label.writes {
            if let Ok(word) = path.machine.location(*location) {
                Rc::make_mut(&mut path.names).insert(*name, word);
            }
        }
    }
}

struct Return {
    types: Vec<ValueType>,
    convention: Convention,
    area: i32,
    offset: u32,
    next: u32,
    at: u32,
}

/// Both sides behind a call: a new world, the same results, and junk where AAPCS allows it.
fn behind_call(walk: &mut Walk<'_, '_>, path: &Path, outcome: Outcome, back: Return) -> Path {
    let mut path = path.clone();
    let mut source = outcome.state;
    path.facts = outcome.facts;
    let symbolic = &mut *walk.symbolic;
    let before = std::mem::replace(&mut source.world, relation::fresh_world(symbolic));
    path.machine.clobber(symbolic, &source.world, back.convention.stack_bytes);
    for ((now, before), limits) in source.world.memories.iter().zip(&before.memories).zip(&symbolic.constants.memories)
    {
        if limits.length_cell.is_none() || limits.is_segment {
            continue;
        }
        let shrunk = symbolic.terms.cmp32(Cmp::LtU, &now.length, &before.length);
        path.facts.assume(&mut symbolic.terms, shrunk, false);
        path.machine_facts.assume(&mut symbolic.terms, shrunk, false);
    }
    for ((now, before), limits) in source.world.tables.iter().zip(&before.tables).zip(&symbolic.constants.tables) {
        if limits.size_cell.is_some() && !limits.is_segment {
            let shrunk = symbolic.terms.cmp32(Cmp::LtU, &now.size, &before.size);
            path.facts.assume(&mut symbolic.terms, shrunk, false);
            path.machine_facts.assume(&mut symbolic.terms, shrunk, false);
        }
    }
    path.machine.know_globals(&symbolic.constants, &source.world);
    let mut returned = Vec::new();
    for kind in &back.types {
        let result = fresh_result(symbolic, *kind);
        path.machine.know_references([(&result, *kind)]);
        returned.extend(words(&mut symbolic.terms, &result));
        source.activation.stack.push(result);
    }
    walk.symbolic.assume_nulls(&mut path.machine, [&mut path.facts, &mut path.machine_facts]);
    match &back.convention.results {
        Results::Registers(registers) => {
            for (register, word) in registers.iter().zip(returned) {
                path.machine.registers[usize::from(*register)] = word;
            }
        }
        Results::Area { words, bytes } => {
            path.machine.set_results(back.area, *bytes, words.iter().copied().zip(returned));
        }
    }
    walk.watched.behind(back.offset, &mut source);
    name_results(walk, &mut path, back.at);
    source.steps += 1;
    path.source = Rc::new(source);
    path.pc = back.next;
    path.fresh = Freshness::Under;
    path
}

fn fresh_result(symbolic: &mut Symbolic, kind: ValueType) -> TermValue {
    match kind.sort() {
        Sort::W32 => Value::W32(symbolic.terms.fresh32("result")),
        Sort::W64 => Value::W64(symbolic.terms.fresh64("result")),
    }
}

/// The words of a value, low first.
pub(super) fn words(terms: &mut Terms, value: &TermValue) -> Vec<Term32> {
    match value {
        Value::W32(word) => vec![*word],
        Value::W64(long) => vec![terms.low(long), terms.high(long)],
    }
}

/// What a label claims of the values an instruction writes: a copy, a spill, a reload or a
/// recomputation gives the word that the name stood for.
pub(super) fn label(walk: &mut Walk<'_, '_>, path: &mut Path, label: &Label) -> Result<(), String> {
    let (kind, verb) = match label.class {
        Class::Move => (Kind::Move, "copy"),
        Class::Spill => (Kind::Spill, "spill"),
        Class::Reload => (Kind::Reload, "reload"),
        Class::Remat => (Kind::Remat, "rematerialisation"),
        Class::Direct | Class::Check | Class::Trap | Class::Frame => {
            for (location, name) in &label.writes {
                let word = path.machine.location(*location)?;
                Rc::make_mut(&mut path.names).insert(*name, word);
            }
            return Ok(());
        }
    };
    for (index, (location, name)) in label.writes.iter().enumerate() {
        let word = path.machine.location(*location)?;
        // A copy of several words names them in one order.
        let stood_for = match (kind, label.reads.get(index)) {
            (Kind::Remat, _) | (_, None) => path.names.get(name),
            (_, Some((_, read))) => path.names.get(read),
        };
        if let Some(stood_for) = stood_for.copied() {
            let site = Site { at: label.at, kind, facts: &path.facts };
            let words =
                || format!("the {verb} into {} does not give value {}", location_words(*location), name_words(*name));
            equal(walk, &site, (word, stood_for), words)?;
        }
        Rc::make_mut(&mut path.names).insert(*name, word);
    }
    Ok(())
}

fn values_equal(
    walk: &mut Walk<'_, '_>,
    site: &Site<'_>,
    (said, is): (&TermValue, &TermValue),
    words: impl FnOnce() -> String,
) -> Result<(), String> {
    match (said, is) {
        (Value::W32(said), Value::W32(is)) => equal(walk, site, (*said, *is), words),
        (Value::W64(said), Value::W64(is)) => {
            let symbolic = &mut *walk.symbolic;
            let proof = symbolic.prover.equal64(&mut symbolic.terms, site.facts, *said, *is);
            conclude(walk, site, proof, words)
        }
        _ => Err(format!("{} has another type", words())),
    }
}

fn equal(
    walk: &mut Walk<'_, '_>,
    site: &Site<'_>,
    (a, b): (Term32, Term32),
    words: impl FnOnce() -> String,
) -> Result<(), String> {
    let symbolic = &mut *walk.symbolic;
    let proof = symbolic.prover.equal32(&mut symbolic.terms, site.facts, a, b);
    conclude(walk, site, proof, words)
}

fn holds(
    walk: &mut Walk<'_, '_>,
    site: &Site<'_>,
    goal: TermBool,
    words: impl FnOnce() -> String,
) -> Result<(), String> {
    let symbolic = &mut *walk.symbolic;
    let proof = symbolic.prover.holds(&mut symbolic.terms, site.facts, goal);
    conclude(walk, site, proof, words)
}

fn conclude(
    walk: &mut Walk<'_, '_>,
    site: &Site<'_>,
    proof: Proof,
    words: impl FnOnce() -> String,
) -> Result<(), String> {
    match proof {
        Proof::Closed(by) => {
            let method = match by {
                By::Identity => Method::Same,
                By::Rules => Method::Rules,
                By::Facts => Method::Facts,
                By::Solver => Method::Solver,
            };
            let query = walk.symbolic.prover.last_query().filter(|_| method == Method::Solver);
            walk.close_by(site.at, site.kind, method, query);
            Ok(())
        }
        Proof::Open(Open::Counter(_)) => Err(words()),
        Proof::Open(Open::Unknown(reason)) => Err(format!("{} (the solver gave up: {reason})", words())),
    }
}

/// A location, for messages.
pub(super) fn location_words(location: Location) -> String {
    match location {
        Location::Core(13) => "sp".to_owned(),
        Location::Core(14) => "lr".to_owned(),
        Location::Core(register) => format!("r{register}"),
        Location::Single(register) => format!("s{register}"),
        Location::Stack(offset) => format!("stack word {offset:+}"),
    }
}

/// A value name, for messages.
pub(super) fn name_words(name: u32) -> String {
    match name.checked_sub(crate::hints::ENTRY_NAME) {
        Some(register) => {
            format!("{} at entry", u8::try_from(register).map_or_else(|_| "argument".into(), abi::register_name))
        }
        None => format!("v{name}"),
    }
}
