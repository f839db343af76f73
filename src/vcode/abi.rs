//! Where AAPCS, base variant, puts arguments and results (AAPCS32, 6.5 and 6.4).

use super::reg::PReg;
use crate::ir::Type;

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

/// The widths of values of these types.
pub fn widths(types: &[Type]) -> Vec<Width> {
    types.iter().map(|&ty| width(ty)).collect()
}

/// Where one word of an argument is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ArgWord {
    /// In a register.
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
}

/// Where all arguments of a signature are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arguments {
    /// One place per argument.
    pub places: Vec<ArgPlace>,
    /// Bytes of stack arguments, a multiple of 8.
    pub stack_bytes: u32,
}

/// Assigns arguments to r0 to r3 and the stack. A double word takes an even register and the next
/// one, or 8 aligned bytes; once one argument is on the stack, all later ones are. Where results have
/// an area, its address comes first, in r0.
pub fn arguments(parameters: &[Width], results: &[Width]) -> Arguments {
    let mut register = u8::from(area(results).is_some());
    let mut bytes = 0;
    let places = parameters
        .iter()
        .map(|width| match width {
            Width::Word => ArgPlace::Word(word(&mut register, &mut bytes)),
            Width::Double => {
                register += register & 1;
                if register >= 4 {
                    bytes = (bytes + 7) & !7;
                }
                let low = word(&mut register, &mut bytes);
                ArgPlace::Double { low, high: word(&mut register, &mut bytes) }
            }
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

/// Where several results are: in memory, as a C struct of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Area {
    /// The offset of each result; the high word of two lies 4 bytes above the low one.
    pub offsets: Vec<u32>,
    /// Its size, a multiple of 8.
    pub bytes: u32,
}

/// The area of several results; a single one is in registers.
pub fn area(results: &[Width]) -> Option<Area> {
    if results.len() < 2 {
        return None;
    }
    let mut bytes = 0u32;
    let mut offsets = Vec::new();
    for width in results {
        let size = match width {
            Width::Word => 4,
            Width::Double => 8,
        };
        bytes = bytes.next_multiple_of(size);
        offsets.push(bytes);
        bytes += size;
    }
    Some(Area { offsets, bytes: bytes.next_multiple_of(8) })
}

/// The registers of a result, low word first.
pub fn result(width: Width) -> &'static [PReg] {
    match width {
        Width::Word => &[PReg::R0],
        Width::Double => &[PReg::R0, PReg::R1],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(widths: &[Width]) -> String {
        places_beside(widths, &[])
    }

    fn places_beside(widths: &[Width], results: &[Width]) -> String {
        let word = |word: &ArgWord| match word {
            ArgWord::Reg(reg) => reg.to_string(),
            ArgWord::Stack(offset) => format!("[{offset}]"),
        };
        let arguments = arguments(widths, results);
        let list: Vec<String> = arguments
            .places
            .iter()
            .map(|place| match place {
                ArgPlace::Word(a) => word(a),
                ArgPlace::Double { low, high } => format!("{}:{}", word(high), word(low)),
            })
            .collect();
        format!("{} +{}", list.join(" "), arguments.stack_bytes)
    }

    #[test]
    fn doubles_take_even_pairs_and_nothing_is_filled_back() {
        use Width::{Double, Word};
        assert_eq!(places(&[Word, Double, Word]), "r0 r3:r2 [0] +8");
        assert_eq!(places(&[Word, Word, Word, Double, Word]), "r0 r1 r2 [4]:[0] [8] +16");
        assert_eq!(places(&[Word, Word, Word, Word, Word, Double]), "r0 r1 r2 r3 [0] [12]:[8] +16");
        assert_eq!(places(&[Double, Double, Double]), "r1:r0 r3:r2 [4]:[0] +8");
    }

    #[test]
    fn several_results_lie_in_an_area_whose_address_comes_first() {
        use Width::{Double, Word};
        assert_eq!(area(&[Double]), None);
        assert_eq!(area(&[Word, Double, Word]), Some(Area { offsets: vec![0, 8, 16], bytes: 24 }));
        assert_eq!(places_beside(&[Word, Word, Word, Word], &[Word, Word]), "r1 r2 r3 [0] +8");
        assert_eq!(places_beside(&[Double, Word], &[Word, Word]), "r3:r2 [0] +8");
    }
}
