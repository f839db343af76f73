//! Encodings to compare: all of 16 bits, and of 32 bits as many as wanted from every class of the decoder.
//!
//! Ensures: the sequence depends on the seed alone. A class is an instruction's text with every register, number and
//! list made one, so that each form that the decoder accepts is a class of its own.

use std::collections::BTreeMap;

use synth_verify::thumb::decode::decode;
use synth_verify::thumb::inst::Inst;

/// One encoding: its halfwords as one number, and whether there are two.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Code {
    /// 16 bits.
    Narrow(u16),
    /// 32 bits, the first halfword above.
    Wide(u32),
}

impl Code {
    /// As in memory.
    pub fn bytes(self) -> Vec<u8> {
        match self {
            Code::Narrow(half) => half.to_le_bytes().to_vec(),
            Code::Wide(word) => word.rotate_left(16).to_le_bytes().to_vec(),
        }
    }

    /// How many bytes.
    pub fn size(self) -> u32 {
        match self {
            Code::Narrow(_) => 2,
            Code::Wide(_) => 4,
        }
    }
}

/// Numbers whose sequence depends on the seed alone.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d)
    }

    /// The next number.
    pub fn word(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // The low half has short periods; its top bits choose how the high half is turned (PCG, XSL RR).
        ((self.0 >> 32) as u32 ^ self.0 as u32).rotate_right((self.0 >> 59) as u32)
    }

    /// A number below a bound, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (u64::from(self.word()) * bound as u64 >> 32) as usize
    }

    /// One of several.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// Every 16-bit encoding: the first halfwords that begin no 32-bit one (DDI0403, A5.1).
pub fn narrow() -> impl Iterator<Item = Code> {
    (0..0xe800).map(Code::Narrow)
}

/// The class of an instruction.
pub fn class(inst: &Inst) -> String {
    abstracted(&inst.to_string())
}

/// The text with registers, numbers and lists made one.
pub fn abstracted(text: &str) -> String {
    let (mnemonic, operands) = text.split_once(' ').unwrap_or((text, ""));
    let mut class = mnemonic.to_owned();
    let mut rest = operands;
    if !operands.is_empty() {
        class.push(' ');
    }
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '{' => rest.find('}').map_or(rest.len(), |end| end + 1),
            '#' | '.' => 1 + rest[1..].find([',', ']', ' ', '}']).unwrap_or(rest.len() - 1),
            _ if first.is_ascii_alphanumeric() => {
                rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            _ => 1,
        };
        let (token, behind) = rest.split_at(end);
        let is_numbered = token.len() > 1 && token[1..].bytes().all(|byte| byte.is_ascii_digit());
        class.push_str(match first {
            '{' if token.contains("pc") => "{.., pc}",
            '{' if token.contains('s') || token.contains('d') => "{s..}",
            '{' => "{r..}",
            '#' => "#",
            '.' => ".",
            'r' | 's' | 'd' if is_numbered => &token[..1],
            _ if token == "lr" => "r",
            _ => token,
        });
        rest = behind;
    }
    // The conditions of a branch and of an IT block are operands that stand elsewhere.
    let is_branch = class.starts_with('b') && class.ends_with(" .") && !["b .", "bl ."].contains(&class.as_str());
    match mnemonic.starts_with("it") {
        true => "it".to_owned(),
        false if is_branch => "b<c> .".to_owned(),
        false => class,
    }
}

/// Bits of a second halfword that are random, and bits that are set, as many encodings have them.
const SHAPES: [(u16, u16); 16] = [
    (0xffff, 0),
    (0x7fff, 0),
    (0x7fcf, 0),
    (0x7f0f, 0),
    (0xff0f, 0x0010),
    (0x0fff, 0xf000),
    (0x0f0f, 0xf000),
    (0x0fbf, 0xf080),
    (0x0f0f, 0xf0f0),
    (0xf1ef, 0x0a00),
    (0xf1af, 0x0a40),
    (0xf1af, 0x0ac0),
    (0xf10f, 0x0b40),
    (0xf10f, 0x0bc0),
    (0xf180, 0x0a10),
    (0, 0xfa10),
];

/// Most encodings that are kept of a class.
const KEPT: usize = 1 << 10;

/// 32-bit encodings without end: one in four is any, the others are taken from one class of the decoder after the
/// other, with up to three bits changed.
pub struct Sampler {
    random: Random,
    /// Encodings that are accepted, by class; what is drawn and accepted takes the place of another.
    classes: Vec<(String, Vec<u32>)>,
    numbers: BTreeMap<String, usize>,
    turn: usize,
}

impl Sampler {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Sampler {
        let mut sampler = Sampler { random: Random::new(seed), classes: Vec::new(), numbers: BTreeMap::new(), turn: 0 };
        for first in 0xe800..=0xffff_u32 {
            for (and, or) in SHAPES {
                let second = sampler.random.word() as u16 & and | or;
                sampler.learn(first << 16 | u32::from(second));
            }
        }
        sampler
    }

    /// The classes, with an encoding of each.
    pub fn classes(&self) -> impl Iterator<Item = (&str, Code)> {
        self.classes.iter().map(|(class, codes)| (class.as_str(), Code::Wide(codes[0])))
    }

    /// Any encoding that is accepted, of this class.
    pub fn of_class(&mut self, class: &str) -> Option<Code> {
        let number = *self.numbers.get(class)?;
        Some(Code::Wide(self.drawn(number)))
    }

    /// The next encoding.
    pub fn code(&mut self) -> Code {
        self.turn += 1;
        let word = if self.turn.is_multiple_of(4) {
            let span = u64::from(u32::MAX - FIRST_WIDE) + 1;
            FIRST_WIDE + (u64::from(self.random.word()) * span >> 32) as u32
        } else {
            self.drawn(self.turn % self.classes.len())
        };
        Code::Wide(word)
    }

    /// An encoding near one of a class.
    fn drawn(&mut self, number: usize) -> u32 {
        let of = &self.classes[number].1;
        let mut word = of[self.random.below(of.len())];
        for _ in 0..self.random.below(4) {
            word ^= 1 << self.random.below(32);
        }
        // The first byte of one is 0xe8 at least.
        word |= 7 << 29;
        if word < FIRST_WIDE {
            word |= 1 << 27;
        }
        self.learn(word);
        word
    }

    fn learn(&mut self, word: u32) {
        let Ok((inst, _)) = decode(&Code::Wide(word).bytes(), 0) else { return };
        let class = class(&inst);
        let next = self.classes.len();
        let number = *self.numbers.entry(class.clone()).or_insert(next);
        if number == next {
            self.classes.push((class, Vec::new()));
        }
        let kept = &mut self.classes[number].1;
        if kept.len() < KEPT {
            kept.push(word);
        } else {
            kept[self.random.below(KEPT)] = word;
        }
    }
}

/// 32-bit encodings begin here (DDI0403, A5.1).
pub const FIRST_WIDE: u32 = 0xe800_0000;
