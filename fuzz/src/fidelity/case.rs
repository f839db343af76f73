//! Cases for the meaning of instructions: code with the registers and flags before it.
//!
//! Ensures: every class of the decoder gets equally many tries; the sequence depends on the seed alone. A case lies in
//! [`Layout`], its accesses and branches mostly too, and it ends: no branch leads back.

use std::collections::BTreeMap;

use synth_verify::thumb::decode::decode;
use synth_verify::thumb::float::FloatInst;
use synth_verify::thumb::inst::{Address, Cond, DataOp, Inst, MultipleMode, Reg, Width};
use synth_verify::thumb::operands::operands;

use super::profile::Profile;
use super::sample::{Code, Random, Sampler, class, narrow};

/// Where the harness has code, data and stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// The first byte of the code, which is UDF but for the case.
    pub code: u32,
    /// Where the case is.
    pub entry: u32,
    /// The first byte of the data.
    pub data: u32,
    /// The first byte of the stack.
    pub stack: u32,
}

/// Bytes of the code.
pub const CODE_BYTES: u32 = 0x2000;
/// Bytes of the data.
pub const DATA_BYTES: u32 = 0x100;
/// Bytes of the stack.
pub const STACK_BYTES: u32 = 0x800;
/// Bytes of the code that are the case's.
pub const WINDOW: u32 = 32;

impl Layout {
    /// That of a board.
    pub fn of(profile: &Profile) -> Layout {
        let ram = profile.memory.1;
        Layout { code: ram + 0x1000, entry: ram + 0x2000, data: ram + 0x3000, stack: ram + 0x3200 }
    }

    /// The halfword of the code at an address, where no case is.
    pub fn filler(address: u32) -> u16 {
        0xde00 | (address >> 1) as u16 & 0xff
    }

    /// A word of data or stack before a case.
    pub fn fresh(self, address: u32) -> u32 {
        0x89ab_cdef_u32.wrapping_add((address.wrapping_sub(self.data) / 4).wrapping_mul(0x0123_4567))
    }
}

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// The class of its instruction, and its size in bytes.
    pub class: (String, u32),
    /// The bytes at the entry.
    pub code: [u8; WINDOW as usize],
    /// How many of them are instructions.
    pub bytes: u32,
    /// How many instructions of an IT block.
    pub block: u32,
    /// Registers before, by number.
    pub registers: [u32; Reg::COUNT],
    /// N, Z, C and V.
    pub flags: [bool; 4],
    /// Those of the floating-point unit.
    pub float_flags: [bool; 4],
}

impl Case {
    /// The instructions as text.
    pub fn text(&self) -> String {
        let mut at = 0;
        let mut texts = Vec::new();
        while at < self.bytes {
            let Ok((inst, size)) = decode(&self.code, at as usize) else { break };
            texts.push(inst.to_string());
            at += size;
        }
        texts.join("; ")
    }
}

/// Makes cases for a processor.
pub struct Generator {
    layout: Layout,
    random: Random,
    has_it: bool,
    classes: Vec<((String, u32), Vec<(Code, Inst)>)>,
    /// Numbers of the classes whose instructions only write registers and flags.
    plain: Vec<usize>,
    turn: usize,
}

/// How many 32-bit encodings are drawn.
const DRAWN: usize = 200_000;

impl Generator {
    /// The sequence of a seed.
    pub fn new(profile: &Profile, seed: u64) -> Generator {
        let mut sampler = Sampler::new(seed);
        let mut classes: BTreeMap<(String, u32), Vec<(Code, Inst)>> = BTreeMap::new();
        for code in narrow().chain((0..DRAWN).map(|_| near(sampler.code()))) {
            let Ok((inst, size)) = decode(&code.bytes(), 0) else { continue };
            if profile.target.require(&inst, size).is_ok() {
                classes.entry((class(&inst), size)).or_default().push((code, inst));
            }
        }
        let classes: Vec<_> = classes.into_iter().collect();
        let plain = (0..classes.len()).filter(|number| is_plain(&classes[*number].1[0].1)).collect();
        let has_it = classes.iter().any(|(_, codes)| matches!(codes[0].1, Inst::It { .. }));
        Generator { layout: Layout::of(profile), random: Random::new(!seed), has_it, classes, plain, turn: 0 }
    }

    /// The classes, each with one of its instructions.
    pub fn classes(&self) -> impl Iterator<Item = (&(String, u32), &Inst)> {
        self.classes.iter().map(|(class, codes)| (class, &codes[0].1))
    }

    /// The next case.
    pub fn case(&mut self) -> Case {
        self.turn = (self.turn + 1) % self.classes.len();
        let (class, codes) = &self.classes[self.turn];
        let class = class.clone();
        let (code, inst) = self.random.pick(codes);
        let mut case = Case {
            class,
            code: [0; WINDOW as usize],
            bytes: 0,
            block: 0,
            registers: [0; Reg::COUNT],
            flags: [(); 4].map(|()| self.random.word() & 1 == 1),
            float_flags: [(); 4].map(|()| self.random.word() & 1 == 1),
        };
        for number in 0..Reg::COUNT {
            case.registers[number] = if number < 16 { self.word() } else { self.float_word() };
        }
        case.registers[13] = self.layout.stack + 0x200 + 8 * (self.random.word() % 32);
        self.aim(&mut case.registers, &inst);
        let mut bytes = self.prelude(&mut case.registers, &inst);
        let may_be_in_it = self.has_it && !matches!(inst, Inst::It { .. });
        case.block = if may_be_in_it { self.random.pick(&[0, 0, 0, 0, 1, 1, 2, 3, 4]) } else { 0 };
        let last = case.block.max(1) - 1;
        let mut main = Some(if is_branch(&inst) { last } else { self.random.below(last as usize + 1) as u32 });
        if let Inst::It { mask, .. } = inst {
            bytes.extend(code.bytes());
            case.block = 4 - u32::from(mask).trailing_zeros();
            main = None;
        } else if case.block > 0 {
            let first = self.random.pick(&Cond::ALL) as u16;
            let (above, end) = (self.random.word() as u16 & 15, 1 << (4 - case.block));
            bytes.extend((0xbf00 | first << 4 | above & !(2 * end - 1) & 15 | end).to_le_bytes());
        }
        for slot in 0..case.block.max(1) {
            if Some(slot) == main {
                if let Inst::BranchReg { m } | Inst::BranchLinkReg { m } = inst {
                    case.registers[usize::from(m.number())] = self.target();
                }
                bytes.extend(code.bytes());
            } else {
                let number = self.random.pick(&self.plain);
                let (code, _) = self.random.pick(&self.classes[number].1);
                bytes.extend(code.bytes());
            }
        }
        case.bytes = bytes.len() as u32;
        self.table(&mut bytes, &inst);
        for at in (bytes.len() as u32..WINDOW).step_by(2) {
            bytes.extend(Layout::filler(self.layout.entry + at).to_le_bytes());
        }
        case.code.copy_from_slice(&bytes[..WINDOW as usize]);
        case
    }

    /// An address of code in front of or behind the case, with bit 0 set.
    fn target(&mut self) -> u32 {
        let half = self.random.below((CODE_BYTES / 2 - WINDOW) as usize / 2) as u32;
        (if self.random.word() & 1 == 0 { self.layout.code } else { self.layout.entry + WINDOW }) + 2 * half | 1
    }

    /// Where the instruction loads PC: code that stores an address of code there.
    fn prelude(&mut self, registers: &mut [u32; Reg::COUNT], inst: &Inst) -> Vec<u8> {
        let value = |register: Reg| registers[usize::from(register.number())];
        let at = match *inst {
            Inst::Load { t: Reg::PC, address, .. } => match address {
                Address::Offset { n, offset } | Address::PreIndex { n, offset } => value(n).wrapping_add_signed(offset),
                Address::PostIndex { n, .. } => value(n),
                Address::Index { n, m, shift } => value(n).wrapping_add(value(m) << shift),
                Address::Literal { .. } => return Vec::new(),
            },
            Inst::LoadMultiple { n, mode, registers, .. } if registers.contains(Reg::PC) => match mode {
                MultipleMode::IncrementAfter => value(n).wrapping_add(4 * (registers.len() - 1)),
                MultipleMode::DecrementBefore => value(n).wrapping_sub(4),
            },
            _ => return Vec::new(),
        };
        let reads = operands(inst, None).reads;
        let mut free = (0..8).filter(|number| Reg::new(*number).is_some_and(|register| !reads.contains(register)));
        let (Some(n), Some(t)) = (free.next(), free.next()) else { return Vec::new() };
        registers[usize::from(n)] = at;
        registers[usize::from(t)] = self.target();
        // STR t, [n]
        (0x6000 | u16::from(n) << 3 | u16::from(t)).to_le_bytes().to_vec()
    }

    /// Behind a table branch, its table: branches past the case.
    fn table(&mut self, bytes: &mut Vec<u8>, inst: &Inst) {
        let Inst::TableBranch { width, .. } = inst else { return };
        bytes.extend([16 + self.random.word() as u8 % 200, 0xde]);
        while bytes.len() < WINDOW as usize {
            let entry = WINDOW as u16 / 2 + self.random.word() as u16 % 200;
            match width {
                Width::Byte => bytes.extend([entry as u8, 0xff - entry as u8 / 2]),
                Width::Half | Width::Word => bytes.extend(entry.to_le_bytes()),
            }
        }
    }

    fn word(&mut self) -> u32 {
        const BOUNDARY: [u32; 20] = [
            0,
            1,
            2,
            3,
            0x1f,
            0x20,
            0x21,
            0x40,
            0x7f,
            0x80,
            0xff,
            0x100,
            0x7fff,
            0x8000,
            0xffff,
            0x7fff_ffff,
            0x8000_0000,
            0x8000_0001,
            0xffff_fffe,
            0xffff_ffff,
        ];
        match self.random.below(4) {
            0 | 1 => self.random.pick(&BOUNDARY),
            2 => self.random.word() & 0xff,
            _ => self.random.word(),
        }
    }

    fn float_word(&mut self) -> u32 {
        const BOUNDARY: [u32; 32] = [
            0,
            0x8000_0000,
            1,
            0x8000_0001,
            0x007f_ffff,
            0x0080_0000,
            0x000f_ffff,
            0x0010_0000,
            0x3f00_0000,
            0x3f80_0000,
            0xbfc0_0000,
            0x4020_0000,
            0x3eff_ffff,
            0x4b00_0001,
            0x4eff_ffff,
            0x4f00_0000,
            0xcf00_0000,
            0x4f80_0000,
            0x7f7f_ffff,
            0x7f80_0000,
            0xff80_0000,
            0x7f80_0001,
            0x7fc0_0000,
            0xffff_ffff,
            0x3ff0_0000,
            0xbff8_0000,
            0x41df_ffff,
            0x41e0_0000,
            0x41ef_ffff,
            0x7fef_ffff,
            0x7ff0_0000,
            0x7ff8_0000,
        ];
        match self.random.below(3) {
            0 => self.random.pick(&BOUNDARY),
            1 => 0x3f00_0000 + (self.random.word() & 0x80ff_ffff),
            _ => self.random.word(),
        }
    }

    /// Sets base and index so that an access lies in the data, and what is added to SP so that it stays in the stack.
    fn aim(&mut self, registers: &mut [u32; Reg::COUNT], inst: &Inst) {
        let step = self.random.pick(&[0, 0, 4, 8, 1, 2, 3, 5]);
        let middle = self.layout.data + DATA_BYTES / 2;
        let mut set = |register: Reg, value: u32| {
            // SP is in the stack, whatever the case wants.
            if register != Reg::SP {
                registers[usize::from(register.number())] = value;
            }
        };
        match *inst {
            Inst::Load { address, .. } | Inst::Store { address, .. } => match address {
                Address::Offset { n, offset } | Address::PreIndex { n, offset } => {
                    set(n, (middle + step).wrapping_add_signed(-offset));
                }
                Address::PostIndex { n, .. } => set(n, middle + step),
                Address::Index { n: Reg::SP, m, shift } => set(m, (4 * (self.random.word() & 31) + step) >> shift),
                Address::Index { n, m, .. } if n == m => {
                    // Twice the base, at least, is no address of the data. What it is then does not matter.
                    set(n, middle / 2);
                }
                Address::Index { n, m, shift } => {
                    let index = self.random.word();
                    set(m, index);
                    set(n, (middle + step).wrapping_sub(index << shift));
                }
                Address::Literal { .. } => {}
            },
            Inst::LoadDual { address, .. } | Inst::StoreDual { address, .. } => match address {
                Address::Offset { n, offset } | Address::PreIndex { n, offset } => {
                    set(n, (middle + step).wrapping_add_signed(-offset));
                }
                Address::PostIndex { n, .. } => set(n, middle + step),
                Address::Index { .. } | Address::Literal { .. } => {}
            },
            Inst::Float(FloatInst::Load { address, .. } | FloatInst::Store { address, .. }) => {
                if let Address::Offset { n, offset } = address {
                    set(n, (middle + step).wrapping_add_signed(-offset));
                }
            }
            Inst::LoadMultiple { n, mode, .. }
            | Inst::StoreMultiple { n, mode, .. }
            | Inst::Float(FloatInst::LoadMultiple { n, mode, .. } | FloatInst::StoreMultiple { n, mode, .. }) => {
                let step = step & !3 | u32::from(step == 1);
                let start = match mode {
                    MultipleMode::IncrementAfter => self.layout.data + 4 * (self.random.word() % 24),
                    MultipleMode::DecrementBefore => middle + 4 * (self.random.word() % 28),
                };
                set(n, start + step);
            }
            // The first halfword behind the branch is an instruction, UDF, if it is not taken.
            Inst::TableBranch { m, width, .. } => {
                let entry = self.random.word() % 6;
                set(m, if width == Width::Byte { entry } else { entry + 1 });
            }
            Inst::MoveReg { d: Reg::SP, m, .. } => {
                set(m, self.layout.stack + 0x100 + self.random.word() % 0x200);
            }
            Inst::DataReg { op: DataOp::Add | DataOp::Sub, d: Reg::SP, n, m, .. } => {
                for register in [n, m] {
                    set(register, self.random.word() & 0x3f);
                }
            }
            _ => {}
        }
    }
}

/// A branch as it is, but to somewhere near.
fn near(code: Code) -> Code {
    let Code::Wide(word) = code else { return code };
    let is_negative = word >> 26 & 1 == 1;
    let near = match decode(&code.bytes(), 0) {
        Ok((Inst::Branch { .. } | Inst::BranchLink { .. }, 4)) => {
            word & !0x03ff_0000 | if is_negative { 0x03ff_0000 } else { 0 } | 1 << 13 | 1 << 11
        }
        Ok((Inst::BranchCond { .. }, 4)) => {
            let bits = 0x003f_0000 | 1 << 13 | 1 << 11;
            word & !bits | if is_negative { bits } else { 0 }
        }
        _ => word,
    };
    Code::Wide(near)
}

fn is_branch(inst: &Inst) -> bool {
    match inst {
        Inst::Branch { .. }
        | Inst::BranchCond { .. }
        | Inst::CompareBranch { .. }
        | Inst::BranchLink { .. }
        | Inst::BranchLinkReg { .. }
        | Inst::BranchReg { .. }
        | Inst::TableBranch { .. }
        | Inst::Load { t: Reg::PC, .. } => true,
        Inst::LoadMultiple { registers, .. } => registers.contains(Reg::PC),
        _ => false,
    }
}

/// Whether it only writes registers other than SP, and flags.
fn is_plain(inst: &Inst) -> bool {
    let used = operands(inst, None);
    if used.reads.union(used.writes).contains(Reg::SP) {
        return false;
    }
    match inst {
        Inst::Load { .. }
        | Inst::Store { .. }
        | Inst::LoadDual { .. }
        | Inst::StoreDual { .. }
        | Inst::LoadMultiple { .. }
        | Inst::StoreMultiple { .. }
        | Inst::It { .. }
        | Inst::Udf { .. }
        | Inst::System(_)
        | Inst::Float(_) => false,
        inst => !is_branch(inst),
    }
}
