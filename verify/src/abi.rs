//! The runtime contract of `docs/abi.md`, as the validator reads it: names, calls, layout.
//!
//! These are constants of the validator. Nothing here is taken from the file under judgement.

use crate::hints::{Location, Sort};
use crate::thumb::feature::{FloatUnit, Variant};
use crate::thumb::register::Reg;
use crate::wasm::module::{Export, Exported, FunctionType, Module, ValueType};

/// Core registers whose contents a call preserves (AAPCS32, 6.1.1).
pub const CORE_CALLEE_SAVED: [u8; 8] = [4, 5, 6, 7, 8, 9, 10, 11];

/// Core registers whose contents a call destroys, besides the flags (AAPCS32, 6.1.1).
/// r12 and LR also belong to the linker's veneers.
const CORE_CALLER_SAVED: [u8; 6] = [0, 1, 2, 3, 12, 14];

/// The number of s0.
const S0: u8 = Reg::single(0).number();

/// Registers whose contents a call preserves: those of the core, and s16 to s31 (AAPCS32, 6.1.2).
pub fn callee_saved(unit: FloatUnit) -> impl Iterator<Item = u8> {
    CORE_CALLEE_SAVED.into_iter().chain(of_unit(unit, S0 + 16))
}

/// Registers whose contents a call destroys, besides all flags: those of the core, and s0 to s15.
pub fn caller_saved(unit: FloatUnit) -> impl Iterator<Item = u8> {
    CORE_CALLER_SAVED.into_iter().chain(of_unit(unit, S0))
}

/// Sixteen registers of the unit, if there is one.
fn of_unit(unit: FloatUnit, first: u8) -> std::ops::Range<u8> {
    match unit {
        FloatUnit::None => first..first,
        FloatUnit::V4Single | FloatUnit::V5Single | FloatUnit::V5Double => first..first + 16,
    }
}

/// Where the register with a number is.
///
/// Requires: there is one.
pub fn location_of(register: u8) -> Location {
    Reg::new(register).expect("a number of a register").location()
}

/// The number of the register at a location; it is not PC.
pub fn register_at(location: Location) -> Option<u8> {
    match location {
        Location::Core(register) => (register < 15).then_some(register),
        Location::Single(register) => (register < 32).then_some(S0 + register),
        Location::Stack(_) => None,
    }
}

/// A register, for messages.
pub fn register_name(register: u8) -> String {
    Reg::new(register).map_or(format!("register {register}"), |register| register.to_string())
}

/// Symbol of the word that holds the lowest address the stack may use.
pub const STACK_LIMIT: &str = "synth_stack_limit";

/// Stack that a host import may use, in bytes, exception frames included.
pub const HOST_STACK_BYTES: u32 = 512;

/// Bytes that an exception takes below SP, as a trap does: the frame, and a word that aligns it (DDI0403, B1.5.7).
pub fn exception_frame_bytes(unit: FloatUnit) -> u32 {
    match unit {
        FloatUnit::None => 0x20 + 4,
        FloatUnit::V4Single | FloatUnit::V5Single | FloatUnit::V5Double => 0x68 + 4,
    }
}

/// Where one word of an argument lives at a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A register, by number.
    Register(u8),
    /// Byte offset from SP at the call.
    Stack(u32),
}

/// Where everything is that a call hands over and gets back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Convention {
    /// The words of each argument, low word first.
    pub arguments: Vec<Vec<Place>>,
    /// Bytes of stack that they take.
    pub stack_bytes: u32,
    /// Where the results are.
    pub results: Results,
}

/// Where the results of a function are (AAPCS32, 6.4).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Results {
    /// In these registers, the low word first: one, or two to four floats of one type.
    Registers(Vec<u8>),
    /// Several, in the memory whose address r0 held at entry, laid out as a C struct of them.
    Area {
        /// The offset of each word of each result, low word first.
        words: Vec<u32>,
        /// Bytes of the area, a multiple of 8.
        bytes: u32,
    },
}

impl Results {
    /// Bytes of the area; 0 without one.
    pub fn area_bytes(&self) -> u32 {
        match self {
            Results::Registers(_) => 0,
            Results::Area { bytes, .. } => *bytes,
        }
    }
}

/// What AAPCS says of a call of a function of this type.
pub fn convention(signature: &FunctionType, variant: Variant) -> Convention {
    let kinds = |types: &[ValueType]| -> Vec<Kind> { types.iter().map(|kind| Kind::of(*kind, variant)).collect() };
    convention_of(&kinds(&signature.parameters), &kinds(&signature.results))
}

/// What AAPCS says of a call with integer parameters and results of these widths.
pub fn convention_of_integers(parameters: &[Sort], results: &[Sort]) -> Convention {
    let kinds = |sorts: &[Sort]| -> Vec<Kind> { sorts.iter().map(|sort| Kind::Integer(*sort)).collect() };
    convention_of(&kinds(parameters), &kinds(results))
}

/// What AAPCS distinguishes of arguments and results.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// What goes to core registers.
    Integer(Sort),
    /// What goes to registers of the floating-point unit (AAPCS32, 7.1).
    Float(Sort),
}

impl Kind {
    fn of(kind: ValueType, variant: Variant) -> Kind {
        match (kind, variant) {
            (ValueType::F32 | ValueType::F64, Variant::Float) => Kind::Float(kind.sort()),
            _ => Kind::Integer(kind.sort()),
        }
    }

    fn words(self) -> u8 {
        let (Kind::Integer(sort) | Kind::Float(sort)) = self;
        words_of(sort)
    }
}

fn convention_of(parameters: &[Kind], results: &[Kind]) -> Convention {
    let results = places_of_results(results);
    let (arguments, stack_bytes) = arguments(parameters, &results);
    Convention { arguments, stack_bytes, results }
}

fn words_of(sort: Sort) -> u8 {
    match sort {
        Sort::W32 => 1,
        Sort::W64 => 2,
    }
}

/// One result is in registers, and so are two to four floats of one type that the unit returns: a homogeneous
/// aggregate (AAPCS32, 7.1.1), which is returned as its members would be passed (7.1.2.1).
fn places_of_results(kinds: &[Kind]) -> Results {
    match kinds {
        [] => Results::Registers(Vec::new()),
        [Kind::Integer(sort)] => Results::Registers((0..words_of(*sort)).collect()),
        [Kind::Float(sort), others @ ..] if others.len() < 4 && others.iter().all(|other| *other == kinds[0]) => {
            Results::Registers((S0..S0 + kinds.len() as u8 * words_of(*sort)).collect())
        }
        [Kind::Integer(_) | Kind::Float(_), ..] => area_of(kinds),
    }
}

fn area_of(kinds: &[Kind]) -> Results {
    let (mut words, mut bytes) = (Vec::new(), 0u32);
    for kind in kinds {
        let size = 4 * u32::from(kind.words());
        bytes = bytes.next_multiple_of(size);
        words.extend((bytes..bytes + size).step_by(4));
        bytes += size;
    }
    Results::Area { words, bytes: bytes.next_multiple_of(8) }
}

/// The words of each argument, low word first, and the bytes of stack they take (AAPCS32, 6.5). The address
/// of an area comes before all of them. A float takes the first free registers of the unit of s0 to s15, those that
/// alignment has left free too; once one finds none, no later one uses any (AAPCS32, 7.1.2.2).
fn arguments(kinds: &[Kind], results: &Results) -> (Vec<Vec<Place>>, u32) {
    let mut register = match results {
        Results::Registers(_) => 0u8,
        Results::Area { .. } => 1,
    };
    let mut stack = 0u32;
    let mut free: Vec<u8> = (S0..S0 + 16).collect();
    let mut places = Vec::new();
    for kind in kinds {
        let words = u32::from(kind.words());
        if let Kind::Float(_) = kind {
            let step = kind.words();
            let fits =
                |first: &u8| first.is_multiple_of(step) && (*first..first + step).all(|word| free.contains(&word));
            if let Some(first) = free.iter().copied().find(fits) {
                let own = first..first + step;
                free.retain(|word| !own.contains(word));
                places.push(own.map(Place::Register).collect());
            } else {
                free.clear();
                stack = stack.next_multiple_of(4 * words);
                places.push((0..words).map(|word| Place::Stack(stack + 4 * word)).collect());
                stack += 4 * words;
            }
            continue;
        }
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
    /// Of each table's size, if it is no constant.
    pub sizes: Vec<Option<u32>>,
    /// Of each global, if it has a cell.
    pub cells: Vec<Option<u32>>,
    /// Bytes of the region.
    pub bytes: u32,
}

/// The cells of the instance region: lengths of memories, sizes of tables, then globals.
///
/// `lengths` and `sizes` say, per memory and per table, whether its length has a cell; `cells`, per global, its
/// type if it has one.
pub fn instance(lengths: &[HasLength], sizes: &[HasLength], cells: &[Option<Sort>]) -> Instance {
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
    let length = |length: &HasLength| match length {
        HasLength::Yes => Some(place(Sort::W32)),
        HasLength::No => None,
    };
    let mut length = length;
    instance.lengths.extend(lengths.iter().map(&mut length));
    instance.sizes.extend(sizes.iter().map(&mut length));
    instance.cells.extend(cells.iter().map(|cell| cell.map(&mut place)));
    instance
}

/// Whether the instance region holds the length of a memory or table.
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

/// The symbol of an exported function or global: behind the prefix that the user asked for, or, of several inputs, behind
/// the name of its own.
pub fn exported_item(export: &Export, prefix: &str) -> String {
    match &export.of {
        Some(input) => linked_export(input, &export.name),
        None => format!("{prefix}{}", mangle(&export.name)),
    }
}

/// The symbol spelling of a Wasm name: injective, and a C identifier where `$` is allowed.
pub fn mangle(name: &str) -> String {
    mangle_keeping(name, |byte| byte == b'_')
}

/// The symbol of an export of one of several inputs.
pub fn linked_export(input: &str, name: &str) -> String {
    let spelling: String = name.bytes().map(|byte| escape(byte, byte == b'_' || byte.is_ascii_digit())).collect();
    let spelling = if name.is_empty() { EMPTY.to_owned() } else { spelling };
    format!("{}_{spelling}", mangle(input))
}

/// Whether somebody outside passes or is passed floats, by an imported or exported function.
pub fn passes_floats(module: &Module) -> bool {
    let exported = module.exports.iter().filter_map(|export| match export.item {
        Exported::Function(function) => module.signature(function),
        Exported::Memory(_) | Exported::Global(_) | Exported::Table(_) => None,
    });
    let imported = module.imports.iter().filter_map(|import| module.types.get(import.type_index as usize));
    let mut types =
        exported.chain(imported).flat_map(|signature| signature.parameters.iter().chain(&signature.results));
    types.any(|ty| matches!(ty, ValueType::F32 | ValueType::F64))
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
    use ValueType::{F32, F64, I32, I64};

    fn call(parameters: &[ValueType], results: &[ValueType]) -> Convention {
        convention(&FunctionType { parameters: parameters.to_vec(), results: results.to_vec() }, Variant::Base)
    }

    fn float_call(parameters: &[ValueType], results: &[ValueType]) -> Convention {
        convention(&FunctionType { parameters: parameters.to_vec(), results: results.to_vec() }, Variant::Float)
    }

    /// Words of s0 and up as negative numbers, r0 and up as they are, the stack from 100.
    fn words_of_call(parameters: &[ValueType]) -> Vec<i32> {
        let places = float_call(parameters, &[]).arguments.into_iter().flatten();
        let number = |place| match place {
            Place::Register(register) if register >= S0 => -1 - i32::from(register - S0),
            Place::Register(register) => i32::from(register),
            Place::Stack(offset) => 100 + offset as i32,
        };
        places.map(number).collect()
    }

    #[test]
    fn floats_fill_registers_of_the_unit_back() {
        assert_eq!(words_of_call(&[F32, F64, F32, I32]), [-1, -3, -4, -2, 0]);
        assert_eq!(words_of_call(&[I32, F64, I64, F32]), [0, -1, -2, 2, 3, -3]);
        assert_eq!(float_call(&[], &[F64]).results, Results::Registers(vec![S0, S0 + 1]));
        assert_eq!(call(&[F64], &[F64]).results, Results::Registers(vec![0, 1]));
        let area = float_call(&[F32, I32], &[F32, F64]);
        assert_eq!(area.arguments, [vec![Place::Register(S0)], vec![Place::Register(1)]]);
    }

    #[test]
    fn two_to_four_floats_of_one_type_are_returned_in_the_unit() {
        assert_eq!(float_call(&[], &[F32; 3]).results, Results::Registers(vec![S0, S0 + 1, S0 + 2]));
        assert_eq!(float_call(&[], &[F64; 4]).results, Results::Registers((S0..S0 + 8).collect()));
        assert_eq!(float_call(&[I32], &[F32; 2]).arguments, [vec![Place::Register(0)]]);
        for others in [&[F32; 5][..], &[F64, F32], &[F32, I32], &[I32, I32]] {
            assert!(float_call(&[], others).results.area_bytes() > 0, "{others:?}");
        }
        assert!(call(&[], &[F32; 2]).results.area_bytes() > 0);
    }

    #[test]
    fn floats_on_the_stack_leave_core_registers_and_close_their_own() {
        // s15 is free when a double goes to the stack, and stays so.
        let parameters = [&[F32][..], &[F64; 7], &[F32, F64, F32, I32]].concat();
        let mut many: Vec<ValueType> = vec![F64; 7];
        many.extend([F32, F64, F32, I32, I32, I32, I32, I32, F32]);
        assert_eq!(words_of_call(&many)[14..], [-15, 100, 104, 108, 0, 1, 2, 3, 112, 116]);
        assert_eq!(words_of_call(&parameters)[15..], [-2, 100, 104, 108, 0]);
    }

    #[test]
    fn pairs_start_at_an_even_register_and_do_not_split() {
        let Convention { arguments: places, stack_bytes: stack, .. } = call(&[I32, I64, I64, I32], &[]);
        assert_eq!(places[0], [Place::Register(0)]);
        assert_eq!(places[1], [Place::Register(2), Place::Register(3)]);
        assert_eq!(places[2], [Place::Stack(0), Place::Stack(4)]);
        assert_eq!(places[3], [Place::Stack(8)]);
        assert_eq!(stack, 12);
    }

    #[test]
    fn a_skipped_register_is_not_filled_later() {
        let places = call(&[I32, I32, I32, I64, I32], &[]).arguments;
        assert_eq!(places[3], [Place::Stack(0), Place::Stack(4)]);
        assert_eq!(places[4], [Place::Stack(8)]);
    }

    #[test]
    fn several_results_are_a_struct_in_memory_whose_address_comes_first() {
        let one = call(&[I64], &[I64]);
        assert_eq!((&one.arguments[0][0], &one.results), (&Place::Register(0), &Results::Registers(vec![0, 1])));
        let several = call(&[I32, I64, I32], &[I32, I64, I32]);
        assert_eq!(several.arguments[0], [Place::Register(1)]);
        assert_eq!(several.arguments[1], [Place::Register(2), Place::Register(3)]);
        assert_eq!(several.arguments[2], [Place::Stack(0)]);
        assert_eq!(several.results, Results::Area { words: vec![0, 8, 12, 16], bytes: 24 });
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
        let lengths = [HasLength::No, HasLength::Yes];
        let found = instance(&lengths, &lengths, &[Some(Sort::W32), None, Some(Sort::W64)]);
        let (cells, sizes) = (vec![Some(8), None, Some(16)], vec![None, Some(4)]);
        assert_eq!(found, Instance { lengths: vec![None, Some(0)], sizes, cells, bytes: 24 });
    }
}
