//! Where AAPCS puts arguments and results (AAPCS32, 6.5 and 6.4; with a floating-point unit 7.1).

use super::float::Part;
use super::reg::PReg;
use crate::ir::Type;
pub use crate::ir::{Passed, Signature};
use crate::target::FloatUnit;

/// Bytes of a function's descriptor, to which references point.
pub const DESCRIPTOR_BYTES: u32 = 8;

/// The width of an argument or result.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Width {
    /// One word.
    Word,
    /// Two words, low word first.
    Double,
}

/// The width of a value of this type.
pub fn width(ty: Type) -> Width {
    match ty {
        Type::I32 => Width::Word,
        Type::I64 => Width::Double,
    }
}

/// Where one word of an argument is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ArgWord {
    /// In a core register.
    Reg(PReg),
    /// On the stack, at this byte offset from SP at the call.
    Stack(u32),
}

/// Where one argument is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ArgPlace {
    /// A word.
    Word(ArgWord),
    /// Two words.
    Double {
        /// Bits 31:0.
        low: ArgWord,
        /// Bits 63:32.
        high: ArgWord,
    },
    /// A binary32 number in a half of a register of the floating-point unit.
    Single(PReg, Part),
    /// A binary64 number in a register of the floating-point unit.
    Whole(PReg),
}

/// Where all arguments of a signature are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arguments {
    /// One place per argument.
    pub places: Vec<ArgPlace>,
    /// Bytes of stack arguments, a multiple of 8.
    pub stack_bytes: u32,
}

/// Registers in which floats are passed: d0 to d7, or s0 to s15.
const FLOAT_WORDS: u8 = 16;

/// Assigns arguments to registers and the stack. A double word takes an even register and the next
/// one, or 8 aligned bytes; once one argument is on the stack, all later ones are. Where results have
/// an area, its address comes first, in r0.
///
/// With a floating-point unit a float takes the first registers of it that are free, those left free before it
/// too; once one is on the stack, all later ones are.
pub fn arguments(signature: &Signature, float: FloatUnit) -> Arguments {
    let mut register = u8::from(matches!(results(&signature.results, float), Results::Area(_)));
    let mut floats = has_unit(float).then_some(0u16);
    let mut bytes = 0;
    let places = signature
        .params
        .iter()
        .map(|&passed| match (passed, &mut floats) {
            (Passed::F32 | Passed::F64, Some(taken)) => float_place(passed, taken, &mut bytes),
            _ => match width(passed.ty()) {
                Width::Word => ArgPlace::Word(word(&mut register, &mut bytes)),
                Width::Double => {
                    register += register & 1;
                    if register >= 4 {
                        bytes = (bytes + 7) & !7;
                    }
                    let low = word(&mut register, &mut bytes);
                    ArgPlace::Double { low, high: word(&mut register, &mut bytes) }
                }
            },
        })
        .collect();
    Arguments { places, stack_bytes: (bytes + 7) & !7 }
}

fn word(register: &mut u8, bytes: &mut u32) -> ArgWord {
    if *register < 4 {
        *register += 1;
        ArgWord::Reg(PReg::new(*register - 1))
    } else {
        *bytes += 4;
        ArgWord::Stack(*bytes - 4)
    }
}

/// The place of a float. Bit n of `taken`: word n of the unit's registers is.
fn float_place(passed: Passed, taken: &mut u16, bytes: &mut u32) -> ArgPlace {
    let words = if passed == Passed::F64 { 2 } else { 1 };
    let own = |first: u8| (((1u32 << words) - 1) << first) as u16;
    let first = (0..FLOAT_WORDS).step_by(words).find(|&first| *taken & own(first) == 0);
    match (first, passed) {
        (Some(first), _) => {
            *taken |= own(first);
            let register = PReg::double(first / 2);
            match (words, first % 2) {
                (2, _) => ArgPlace::Whole(register),
                (_, 0) => ArgPlace::Single(register, Part::Low),
                _ => ArgPlace::Single(register, Part::High),
            }
        }
        (None, _) => {
            *taken = u16::MAX;
            let size = 4 * words as u32;
            let at = bytes.next_multiple_of(size);
            *bytes = at + size;
            match words {
                2 => ArgPlace::Double { low: ArgWord::Stack(at), high: ArgWord::Stack(at + 4) },
                _ => ArgPlace::Word(ArgWord::Stack(at)),
            }
        }
    }
}

fn has_unit(float: FloatUnit) -> bool {
    match float {
        FloatUnit::None => false,
        FloatUnit::V4Single | FloatUnit::V5Single | FloatUnit::V5Double => true,
    }
}

/// Where the results of a function are: where C returns them, several as a struct aligned to 8.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Results {
    /// None, or one in core registers, the low word first.
    Core(&'static [PReg]),
    /// One to four floats of one type in registers of the floating-point unit (AAPCS32, 7.1.1: a homogeneous
    /// aggregate). Each is a `Single` or a `Whole`.
    Float(Vec<ArgPlace>),
    /// Others in memory.
    Area(Area),
}

/// Memory for several results, laid out as a C struct of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Area {
    /// The offset of each result; the high word of two lies 4 bytes above the low one.
    pub offsets: Vec<u32>,
    /// Its size, a multiple of 8.
    pub bytes: u32,
}

impl Results {
    /// The memory for them, if they have any.
    pub fn area(self) -> Option<Area> {
        match self {
            Results::Core(_) | Results::Float(_) => None,
            Results::Area(area) => Some(area),
        }
    }
}

/// Where results of these types are.
pub fn results(passed: &[Passed], float: FloatUnit) -> Results {
    match passed {
        [Passed::F32 | Passed::F64, ..] if has_unit(float) && is_homogeneous(passed) => {
            let (mut taken, mut bytes) = (0, 0);
            Results::Float(passed.iter().map(|&one| float_place(one, &mut taken, &mut bytes)).collect())
        }
        [] => Results::Core(&[]),
        [one] => Results::Core(match width(one.ty()) {
            Width::Word => &[PReg::R0],
            Width::Double => &[PReg::R0, PReg::R1],
        }),
        _ => Results::Area(area(passed)),
    }
}

/// Whether C returns a struct of such members as it returns one of them (AAPCS32, 7.1.2.1).
fn is_homogeneous(passed: &[Passed]) -> bool {
    passed.len() <= 4 && passed.iter().all(|one| *one == passed[0])
}

fn area(passed: &[Passed]) -> Area {
    let mut bytes = 0u32;
    let mut offsets = Vec::new();
    for one in passed {
        let size = match width(one.ty()) {
            Width::Word => 4,
            Width::Double => 8,
        };
        bytes = bytes.next_multiple_of(size);
        offsets.push(bytes);
        bytes += size;
    }
    Area { offsets, bytes: bytes.next_multiple_of(8) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Passed::{F32, F64, I32, I64};

    fn places(params: &[Passed]) -> String {
        places_of(params, &[], FloatUnit::None)
    }

    fn places_of(params: &[Passed], results: &[Passed], float: FloatUnit) -> String {
        let word = |word: &ArgWord| match word {
            ArgWord::Reg(reg) => reg.to_string(),
            ArgWord::Stack(offset) => format!("[{offset}]"),
        };
        let signature = Signature { params: params.to_vec(), results: results.to_vec() };
        let arguments = arguments(&signature, float);
        let list: Vec<String> = arguments
            .places
            .iter()
            .map(|place| match place {
                ArgPlace::Word(a) => word(a),
                ArgPlace::Double { low, high } => format!("{}:{}", word(high), word(low)),
                ArgPlace::Single(register, Part::Low) => format!("s{}", 2 * register.number()),
                ArgPlace::Single(register, Part::High) => format!("s{}", 2 * register.number() + 1),
                ArgPlace::Whole(register) => register.to_string(),
            })
            .collect();
        format!("{} +{}", list.join(" "), arguments.stack_bytes)
    }

    #[test]
    fn doubles_take_even_pairs_and_nothing_is_filled_back() {
        assert_eq!(places(&[I32, I64, I32]), "r0 r3:r2 [0] +8");
        assert_eq!(places(&[I32, I32, F32, F64, I32]), "r0 r1 r2 [4]:[0] [8] +16");
        assert_eq!(places(&[I32, I32, I32, I32, I32, I64]), "r0 r1 r2 r3 [0] [12]:[8] +16");
        assert_eq!(places(&[I64, I64, I64]), "r1:r0 r3:r2 [4]:[0] +8");
    }

    #[test]
    fn several_results_lie_in_an_area_whose_address_comes_first() {
        assert_eq!(results(&[I64], FloatUnit::None), Results::Core(&[PReg::R0, PReg::R1]));
        let area = Area { offsets: vec![0, 8, 16], bytes: 24 };
        assert_eq!(results(&[I32, F64, I32], FloatUnit::None), Results::Area(area.clone()));
        assert_eq!(results(&[I32, F64, I32], FloatUnit::V5Double), Results::Area(area));
        assert_eq!(places_of(&[I32; 4], &[I32, I32], FloatUnit::None), "r1 r2 r3 [0] +8");
        assert_eq!(places_of(&[I64, I32], &[I32, I32], FloatUnit::None), "r3:r2 [0] +8");
    }

    #[test]
    fn two_to_four_floats_of_one_type_are_returned_in_registers() {
        let (d0, d1) = (PReg::double(0), PReg::double(1));
        let single =
            [ArgPlace::Single(d0, Part::Low), ArgPlace::Single(d0, Part::High), ArgPlace::Single(d1, Part::Low)];
        assert_eq!(results(&[F32; 3], FloatUnit::V4Single), Results::Float(single.to_vec()));
        let whole = [ArgPlace::Whole(d0), ArgPlace::Whole(d1)];
        assert_eq!(results(&[F64; 2], FloatUnit::V4Single), Results::Float(whole.to_vec()));
        for others in [&[F32; 5][..], &[F32, F64], &[I32, I32]] {
            assert!(results(others, FloatUnit::V4Single).area().is_some(), "{others:?}");
        }
        assert!(results(&[F32; 2], FloatUnit::None).area().is_some());
        assert_eq!(places_of(&[I32, F64], &[F32; 4], FloatUnit::V4Single), "r0 d0 +0");
    }

    #[test]
    fn floats_fill_the_registers_of_the_unit_back() {
        let hard = |params: &[Passed]| places_of(params, &[], FloatUnit::V4Single);
        assert_eq!(hard(&[F32, F64, F32, I32, F32]), "s0 d1 s1 r0 s4 +0");
        let mut many = vec![F64; 7];
        many.extend([F32, F64, F32, I32, I64, F64]);
        assert_eq!(hard(&many), "d0 d1 d2 d3 d4 d5 d6 s14 [4]:[0] [8] r0 r3:r2 [20]:[16] +24");
    }
}
