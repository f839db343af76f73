//! The meaning of instructions against QEMU: the same code from the same registers, flags and memory must leave the
//! same.
//!
//! A case that the interpreter refuses is not run, but for an access that it refuses for its alignment: QEMU must fault
//! there or show that the refusal is caution.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use synth_verify::concrete::load::Loaded;
use synth_verify::concrete::region::{Access, Memory, Region};
use synth_verify::concrete::thumb_run::state::State;
use synth_verify::concrete::thumb_run::{End, Processor, Surroundings};
use synth_verify::concrete::word::Fault;
use synth_verify::thumb::feature::FloatUnit;
use synth_verify::thumb::inst::Reg;

use super::case::{CODE_BYTES, Case, DATA_BYTES, Generator, Layout, STACK_BYTES};
use super::machine::{Left, Machine, sum, top};
use super::profile::Profile;

/// What the interpreter makes of a case.
enum Expected {
    /// What it leaves, PC among the registers. `None`: nothing is claimed of the word.
    Left(Box<Leaves>),
    /// A fault, for the alignment of an access.
    Fault,
    /// Nothing, for this reason.
    Refused(String),
}

struct Leaves {
    /// The bits of xPSR, of IT and T, that are known: behind a block there is no IT state, and the state is Thumb's.
    state: u32,
    registers: [Option<u32>; Reg::COUNT],
    flags: Option<u32>,
    float_flags: Option<u32>,
    data: Option<u32>,
    stack: Option<u32>,
}

/// What became of the cases of a class.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Run on both, and compared.
    pub compared: u64,
    /// Those of them that are in no IT block, where an instruction may be skipped.
    pub alone: u64,
    /// Refused by us for its alignment, and a fault in QEMU.
    pub faults: u64,
    /// Refused by us for its alignment alone.
    pub cautious: u64,
    /// Not run.
    pub refused: u64,
    /// Why; one reason.
    pub why: Option<String>,
    /// Different.
    pub different: u64,
}

/// What became of all cases of a processor.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// By class.
    pub classes: BTreeMap<(String, u32), Tally>,
    /// Cases compared that are in an IT block, by its length.
    pub blocks: [u64; 5],
    /// Encodings that were run, as the bytes of their cases: how many.
    pub encodings: BTreeSet<u64>,
    /// The first few differences.
    pub differences: Vec<String>,
}

/// Cases of one batch.
const BATCH: usize = 20_000;
/// Batches from one choice of encodings.
const BATCHES: usize = 8;
/// Differences that are printed.
const SHOWN: usize = 20;

impl Found {
    /// How many cases were compared or faulted on both sides.
    pub fn compared(&self) -> u64 {
        self.classes.values().map(|tally| tally.compared + tally.faults).sum()
    }

    /// How many differed.
    pub fn different(&self) -> u64 {
        self.classes.values().map(|tally| tally.different).sum()
    }
}

/// Compares at least so many cases. `None`: a program that is needed is not installed.
///
/// # Errors
/// QEMU or a file fails.
pub fn compare(profile: &Profile, count: u64, seed: u64) -> io::Result<Option<Found>> {
    let Some(machine) = Machine::new(profile)? else { return Ok(None) };
    let mut found = Found::default();
    let mut choice = 0;
    while found.compared() < count {
        let mut generator = Generator::new(profile, seed.wrapping_add(choice << 32));
        for (class, _) in generator.classes() {
            found.classes.entry(class.clone()).or_default();
        }
        choice += 1;
        for _ in 0..BATCHES {
            if found.compared() >= count {
                break;
            }
            let size = BATCH.min((count - found.compared()) as usize * 2 + 1000);
            batch(&machine, profile, &mut found, (0..size).map(|_| generator.case()).collect())?;
        }
    }
    Ok(Some(found))
}

fn batch(machine: &Machine<'_>, profile: &Profile, found: &mut Found, cases: Vec<Case>) -> io::Result<()> {
    let model = Model::new(profile);
    let mut run = Vec::new();
    for case in &cases {
        match model.expected(case) {
            Expected::Refused(why) => {
                let tally = found.classes.entry(case.class.clone()).or_default();
                tally.refused += 1;
                tally.why.get_or_insert(why);
            }
            expected @ (Expected::Left(_) | Expected::Fault) => run.push((case, expected)),
        }
    }
    let left = machine.run(&run.iter().map(|(case, _)| *case).collect::<Vec<_>>())?;
    for ((case, expected), left) in run.iter().zip(&left) {
        let tally = found.classes.entry(case.class.clone()).or_default();
        found.encodings.insert(number(case));
        let entry = Layout::of(profile).entry;
        let is_inside = (entry..entry + case.bytes).contains(&left.registers[15]);
        match expected {
            Expected::Left(leaves) => {
                tally.compared += 1;
                tally.alone += u64::from(case.block == 0);
                found.blocks[case.block as usize] += 1;
                let differences = leaves.differences(left, profile.target.float);
                if !differences.is_empty() {
                    tally.different += 1;
                    if found.differences.len() < SHOWN {
                        let (text, before) = (case.text(), &case.registers);
                        let flags = (top(case.flags), top(case.float_flags));
                        found
                            .differences
                            .push(format!("{text}\n  {}\n  before {before:x?}, {flags:x?}", differences.join(", ")));
                    }
                }
            }
            Expected::Fault if is_inside => tally.faults += 1,
            Expected::Fault => tally.cautious += 1,
            Expected::Refused(_) => {}
        }
    }
    Ok(())
}

/// The code of a case as a number that another does not have, in all likelihood.
fn number(case: &Case) -> u64 {
    case.code[..case.bytes as usize]
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

impl Leaves {
    /// What is different, in words.
    fn differences(&self, left: &Left, unit: FloatUnit) -> Vec<String> {
        let mut different = Vec::new();
        let mut check = |name: String, ours: Option<u32>, theirs: u32| {
            if let Some(ours) = ours.filter(|ours| *ours != theirs) {
                different.push(format!("{name}: ours {ours:#x}, QEMU {theirs:#x}"));
            }
        };
        let registers = if unit == FloatUnit::None { 16 } else { Reg::COUNT };
        for number in 0..registers {
            let name = if number < 16 { format!("r{number}") } else { format!("s{}", number - 16) };
            check(name, self.registers[number], left.registers[number]);
        }
        const FLAGS: u32 = 0xf000_0000;
        check("IT and T".to_owned(), Some(THUMB), left.status & self.state);
        check("flags".to_owned(), self.flags, left.status & FLAGS);
        if unit != FloatUnit::None {
            check("FPSCR's flags".to_owned(), self.float_flags, left.float_status & FLAGS);
        }
        check("data".to_owned(), self.data, left.data);
        check("stack".to_owned(), self.stack, left.stack);
        different
    }
}

/// The interpreter with the memory of a board.
struct Model {
    layout: Layout,
    loaded: Loaded,
}

/// xPSR.T.
const THUMB: u32 = 1 << 24;
/// xPSR.IT (DDI0403, B1.4.2).
const IT_STATE: u32 = 0x0600_fc00;

const CODE: u32 = 0;
const DATA: u32 = 1;
const STACK: u32 = 2;
/// More instructions than a case has.
const STEPS: u64 = 12;

impl Model {
    fn new(profile: &Profile) -> Model {
        let layout = Layout::of(profile);
        let halves = (0..CODE_BYTES / 2).flat_map(|half| Layout::filler(layout.code + 2 * half).to_le_bytes());
        let words = |from: u32, bytes: u32| -> Vec<u8> {
            (0..bytes / 4).flat_map(|word| layout.fresh(from + 4 * word).to_le_bytes()).collect()
        };
        let mut memory = Memory::default();
        memory.add(Region::new("code", Some(layout.code), Access::Execute, halves.collect()));
        memory.add(Region::new("data", Some(layout.data), Access::ReadWrite, words(layout.data, DATA_BYTES)));
        let bytes = words(layout.stack, STACK_BYTES);
        let stack = memory.add(Region::new("stack", Some(layout.stack), Access::ReadWrite, bytes));
        let loaded = Loaded {
            memory,
            stack,
            text: None,
            functions: None,
            symbols: BTreeMap::new(),
            relocated: BTreeMap::new(),
            target: profile.target,
            vectors: 0,
        };
        Model { layout, loaded }
    }

    fn expected(&self, case: &Case) -> Expected {
        let mut processor = Processor::new(&self.loaded);
        let code = processor.memory.region_mut(CODE).expect("the code is the first region");
        if let Err(fault) = code.set_bytes(self.layout.entry - self.layout.code, &case.code) {
            return Expected::Refused(fault.to_string());
        }
        let state = State {
            registers: case.registers.map(Some),
            flags: case.flags.map(Some),
            float_flags: case.float_flags.map(Some),
        };
        let entry = self.layout.entry;
        let mut around = Surroundings {
            externals: &[],
            host: &mut |_, _, _| Err("there is no host".to_owned()),
            stops: &[(0, entry), (entry + case.bytes, u32::MAX)],
            handler: None,
            steps_max: STEPS,
        };
        let (pc, state) = match processor.run_from(&state, entry, &mut around).end {
            End::Reached(pc) => (pc, THUMB | IT_STATE),
            End::Trapped(_, pc) => (pc, THUMB),
            // Where it does not fault it must lead nowhere else.
            End::Faulted(Fault::Unmapped { why: "an unaligned access", .. }, _)
                if case.block == 0 && !case.class.0.contains("pc") =>
            {
                return Expected::Fault;
            }
            End::Faulted(fault, _) => return Expected::Refused(fault.to_string()),
            End::Unfinished | End::Returned(_) => return Expected::Refused("it does not end".to_owned()),
        };
        let code = self.layout.code..self.layout.code + CODE_BYTES;
        if !code.contains(&pc) {
            return Expected::Refused("a branch to where the harness has no code".to_owned());
        }
        Expected::Left(Box::new(Leaves { state, ..self.leaves(&mut processor, pc) }))
    }

    fn leaves(&self, processor: &mut Processor<'_>, pc: u32) -> Leaves {
        let State { mut registers, flags, float_flags } = processor.state();
        registers[15] = Some(pc);
        let all = |flags: [Option<bool>; 4]| match flags {
            [Some(n), Some(z), Some(c), Some(v)] => Some(top([n, z, c, v])),
            _ => None,
        };
        let words = |region: u32, from: u32| {
            let region = processor.memory.region(region)?;
            let bytes = region.integers(from, region.len().checked_sub(from)?).ok()?;
            Some(sum(bytes.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))))
        };
        let sp = registers[13].and_then(|sp| sp.checked_sub(self.layout.stack));
        let stack = sp.filter(|sp| sp.is_multiple_of(4)).and_then(|sp| words(STACK, sp));
        Leaves {
            state: THUMB,
            registers,
            flags: all(flags),
            float_flags: all(float_flags),
            data: words(DATA, 0),
            stack,
        }
    }
}
