//! Which locals the Wasm code may still read, at each place where control can arrive.
//!
//! Ensures: a local that is not live at a place is written on every way to its next read, so
//! neither a block parameter nor a frame slot is needed for it.
//!
//! Wasm control is structured, so one walk backwards over the body is a pass of the usual backward
//! dataflow analysis. A branch to a loop needs the set at its head, which the walk reaches later;
//! walks are repeated until these sets no longer grow, at most once more than loops are nested.

use crate::wasm::{Body, Inst};

/// A set of local indices.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LocalSet {
    words: Vec<u64>,
}

impl LocalSet {
    fn empty(locals: usize) -> LocalSet {
        LocalSet { words: vec![0; locals.div_ceil(64)] }
    }

    fn insert(&mut self, local: u32) {
        self.words[local as usize / 64] |= 1 << (local % 64);
    }

    fn remove(&mut self, local: u32) {
        self.words[local as usize / 64] &= !(1 << (local % 64));
    }

    fn unite(&mut self, other: &LocalSet) {
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            *word |= more;
        }
    }

    /// Whether the local is in the set.
    pub fn contains(&self, local: u32) -> bool {
        self.words.get(local as usize / 64).is_some_and(|word| word >> (local % 64) & 1 == 1)
    }

    /// The locals in the set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        (0..self.words.len() as u32 * 64).filter(|local| self.contains(*local))
    }
}

/// The live locals of one body.
#[derive(Debug)]
pub struct Liveness {
    entry: LocalSet,
    after: Vec<Option<LocalSet>>,
}

impl Liveness {
    /// Live at the first instruction.
    pub fn at_entry(&self) -> &LocalSet {
        &self.entry
    }

    /// Live behind instruction number `index`, which is `loop`, `if`, `else`, `end` or `br_if`.
    /// Behind `loop` that is the loop's head.
    pub fn after(&self, index: usize) -> &LocalSet {
        self.after[index].as_ref().expect("a place where control can arrive")
    }
}

/// Computes the live locals of a body.
pub fn run(body: &Body) -> Liveness {
    let empty = LocalSet::empty(body.locals.len());
    let mut after = vec![None; body.insts.len()];
    for (index, inst) in body.insts.iter().enumerate() {
        if matches!(inst, Inst::Loop(_)) {
            after[index] = Some(empty.clone());
        }
    }
    let loops = loops(body);
    loop {
        let mut walk = Walk { loops: &loops, after, live: empty.clone(), frames: vec![], grew: false };
        for (index, inst) in body.insts.iter().enumerate().rev() {
            walk.step(index, inst, &empty);
        }
        assert!(walk.frames.is_empty(), "every end has its opener");
        if !walk.grew {
            return Liveness { entry: walk.live, after: walk.after };
        }
        after = walk.after;
    }
}

/// For each `end` of a loop, the index of its `loop`.
fn loops(body: &Body) -> Vec<Option<usize>> {
    let mut loops = vec![None; body.insts.len()];
    let mut open = Vec::new();
    for (index, inst) in body.insts.iter().enumerate() {
        match inst {
            Inst::Block(_) | Inst::If(_) => open.push(None),
            Inst::Loop(_) => open.push(Some(index)),
            Inst::End => loops[index] = open.pop().flatten(),
            _ => {}
        }
    }
    loops
}

/// A block that is open, seen from its end.
struct Frame {
    /// The index of its `loop`, if it is one.
    head: Option<usize>,
    /// Live behind its end.
    end: LocalSet,
    /// Live at the head of its `else` arm; without one, behind the end.
    otherwise: LocalSet,
}

struct Walk<'a> {
    loops: &'a [Option<usize>],
    after: Vec<Option<LocalSet>>,
    live: LocalSet,
    frames: Vec<Frame>,
    grew: bool,
}

impl Walk<'_> {
    fn step(&mut self, index: usize, inst: &Inst, empty: &LocalSet) {
        match inst {
            Inst::LocalGet(local) => self.live.insert(*local),
            Inst::LocalSet(local) | Inst::LocalTee(local) => self.live.remove(*local),
            Inst::Unreachable | Inst::Return | Inst::ReturnCall(_) | Inst::ReturnCallIndirect(..) => {
                self.live = empty.clone();
            }
            Inst::Br(depth) => self.live = self.label(*depth),
            Inst::BrIf(depth) => {
                self.record(index);
                let target = self.label(*depth);
                self.live.unite(&target);
            }
            Inst::BrTable(depths) => {
                self.live = empty.clone();
                for depth in depths {
                    let target = self.label(*depth);
                    self.live.unite(&target);
                }
            }
            Inst::End => {
                self.record(index);
                let head = self.loops[index];
                let (end, otherwise) = (self.live.clone(), self.live.clone());
                self.frames.push(Frame { head, end, otherwise });
            }
            Inst::Else => {
                self.record(index);
                let frame = self.frames.last_mut().expect("an open if");
                frame.otherwise = std::mem::replace(&mut self.live, frame.end.clone());
            }
            Inst::If(_) => {
                self.record(index);
                let frame = self.frames.pop().expect("an open if");
                self.live.unite(&frame.otherwise);
            }
            Inst::Loop(_) => {
                self.frames.pop().expect("an open loop");
                self.grew |= self.after[index].as_ref() != Some(&self.live);
                self.record(index);
            }
            Inst::Block(_) => {
                self.frames.pop().expect("an open block");
            }
            _ => {}
        }
        if index == 0 {
            self.frames.pop().expect("the function's own frame");
        }
    }

    fn record(&mut self, index: usize) {
        self.after[index] = Some(self.live.clone());
    }

    fn label(&self, depth: u32) -> LocalSet {
        let frame = &self.frames[self.frames.len() - 1 - depth as usize];
        match frame.head {
            Some(head) => self.after[head].clone().expect("the head of a loop"),
            None => frame.end.clone(),
        }
    }
}
