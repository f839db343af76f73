//! The runtime contract of `docs/abi.md`, as the validator reads it: names, calls, layout.
//!
//! These are constants of the validator. Nothing here is taken from the file under judgement.

use crate::hints::Sort;

/// Core registers whose contents a call preserves (AAPCS32, 6.1.1).
pub const CALLEE_SAVED: [u8; 8] = [4, 5, 6, 7, 8, 9, 10, 11];

/// Core registers whose contents a call destroys, besides the flags (AAPCS32, 6.1.1).
/// r12 and LR also belong to the linker's veneers.
pub const CALLER_SAVED: [u8; 6] = [0, 1, 2, 3, 12, 14];

/// Symbol of the word that holds the lowest address the stack may use.
pub const STACK_LIMIT: &str = "synth_stack_limit";

/// Stack that a host import may use, in bytes, exception frames included.
pub const HOST_STACK_BYTES: u32 = 512;

/// Where one word of an argument lives at a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A core register.
    Register(u8),
    /// Byte offset from SP at the call.
    Stack(u32),
}

/// The words of each argument, low word first, and the bytes of stack they take (AAPCS32, 6.5).
pub fn arguments(sorts: &[Sort]) -> (Vec<Vec<Place>>, u32) {
    let mut register = 0u8;
    let mut stack = 0u32;
    let mut places = Vec::new();
    for sort in sorts {
        let words: u32 = match sort {
            Sort::W32 => 1,
            Sort::W64 => 2,
        };
        if words == 2 {
            register += register & 1;
        }
        if u32::from(register) + words <= 4 {
            places.push((0..words as u8).map(|word| Place::Register(register + word)).collect());
            register += words as u8;
        } else {
            // Once an argument has gone to the stack, no later one uses a register.
            register = 4;
            stack = stack.next_multiple_of(4 * words);
            places.push((0..words).map(|word| Place::Stack(stack + 4 * word)).collect());
            stack += 4 * words;
        }
    }
    (places, stack)
}

/// Where the cells of the instance region are, by byte offset.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Instance {
    /// Of each memory's length, if it is no constant.
    pub lengths: Vec<Option<u32>>,
    /// Of each global, if it has a cell.
    pub cells: Vec<Option<u32>>,
    /// Bytes of the region.
    pub bytes: u32,
}

/// The cells of the instance region: lengths, then globals.
///
/// `lengths` says, per memory, whether its length has a cell; `cells`, per global, its type if it has one.
pub fn instance(lengths: &[HasLength], cells: &[Option<Sort>]) -> Instance {
    let mut instance = Instance::default();
    let mut place = |sort: Sort| {
        let bytes = match sort {
            Sort::W32 => 4,
            Sort::W64 => 8,
        };
        let at = instance.bytes.next_multiple_of(bytes);
        instance.bytes = at + bytes;
        at
    };
    for length in lengths {
        instance.lengths.push(match length {
            HasLength::Yes => Some(place(Sort::W32)),
            HasLength::No => None,
        });
    }
    instance.cells.extend(cells.iter().map(|cell| cell.map(&mut place)));
    instance
}

/// Whether the instance region holds a memory's length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HasLength {
    /// Some function changes it.
    Yes,
    /// The length is a constant.
    No,
}

/// The symbol of an exported memory.
pub fn exported_memory(module_name: &str, memory: u32) -> String {
    match memory {
        0 => format!("{module_name}_memory"),
        number => format!("{module_name}_memory{number}"),
    }
}

/// The symbol spelling of a Wasm name: injective, and a C identifier where `$` is allowed.
pub fn mangle(name: &str) -> String {
    mangle_keeping(name, |byte| byte == b'_')
}

/// The symbol of an imported function. The first underscore ends the module's name.
pub fn import_symbol(module: &str, field: &str) -> String {
    let spelling: String = field.bytes().map(|byte| escape(byte, byte == b'_' || byte.is_ascii_digit())).collect();
    let spelling = if field.is_empty() { EMPTY.to_owned() } else { spelling };
    format!("{}_{spelling}", mangle_keeping(module, |_| false))
}

/// The spelling of the empty name, which no other has: behind a `$` there are digits.
const EMPTY: &str = "$";

fn mangle_keeping(name: &str, keeps: impl Fn(u8) -> bool) -> String {
    if name.is_empty() {
        return EMPTY.to_owned();
    }
    name.bytes()
        .enumerate()
        .map(|(index, byte)| escape(byte, keeps(byte) || (index > 0 && byte.is_ascii_digit())))
        .collect()
}

fn escape(byte: u8, kept: bool) -> String {
    if kept || byte.is_ascii_alphabetic() { char::from(byte).to_string() } else { format!("${byte:02x}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_start_at_an_even_register_and_do_not_split() {
        let (places, stack) = arguments(&[Sort::W32, Sort::W64, Sort::W64, Sort::W32]);
        assert_eq!(places[0], [Place::Register(0)]);
        assert_eq!(places[1], [Place::Register(2), Place::Register(3)]);
        assert_eq!(places[2], [Place::Stack(0), Place::Stack(4)]);
        assert_eq!(places[3], [Place::Stack(8)]);
        assert_eq!(stack, 12);
    }

    #[test]
    fn a_skipped_register_is_not_filled_later() {
        let (places, _) = arguments(&[Sort::W32, Sort::W32, Sort::W32, Sort::W64, Sort::W32]);
        assert_eq!(places[3], [Place::Stack(0), Place::Stack(4)]);
        assert_eq!(places[4], [Place::Stack(8)]);
    }

    #[test]
    fn names_stay_apart() {
        assert_eq!(mangle("step"), "step");
        assert_eq!(mangle("a-b"), "a$2db");
        assert_eq!(mangle("1x"), "$31x");
        assert_eq!(mangle(""), "$");
        assert_eq!(mangle("$"), "$24");
        assert_eq!(import_symbol("", ""), "$_$");
        assert_ne!(import_symbol("a_b", "c"), import_symbol("a", "b_c"));
        assert_eq!(import_symbol("env", "log_2"), "env_log_2");
    }

    #[test]
    fn cells_are_aligned() {
        let found = instance(&[HasLength::No, HasLength::Yes], &[Some(Sort::W32), None, Some(Sort::W64)]);
        let cells = vec![Some(4), None, Some(8)];
        assert_eq!(found, Instance { lengths: vec![None, Some(0)], cells, bytes: 16 });
    }
}
