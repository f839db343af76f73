//! Where AAPCS, base variant, puts arguments and results (AAPCS32, 6.5 and 6.4).

use super::reg::PReg;

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
/// one, or 8 aligned bytes; once one argument is on the stack, all later ones are.
pub fn arguments(widths: &[Width]) -> Arguments {
    let mut register = 0;
    let mut bytes = 0;
    let places = widths
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
        let word = |word: &ArgWord| match word {
            ArgWord::Reg(reg) => reg.to_string(),
            ArgWord::Stack(offset) => format!("[{offset}]"),
        };
        let arguments = arguments(widths);
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
}
