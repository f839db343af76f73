//! Random modules of another maker, wasm-smith, over everything that is in scope.
//!
//! Ensures: a module ends: each function and each turn of a loop takes fuel that the module brings along. NaNs with
//! a choice of bits are made canonical by the module, so that engines agree bit for bit. Memories and tables have
//! limits that an image sets aside without being asked.

use std::convert::Infallible;

use arbitrary::Unstructured;
use wasm_encoder::reencode::{self, Reencode, utils};
use wasm_encoder::{CodeSection, Function, FunctionSection, Instruction, TypeSection, ValType};
use wasm_smith::{Config, Module};
use wasmparser::{CodeSectionReader, FunctionSectionReader, Operator, Parser, TypeSectionReader};

use crate::choices::decisions;

/// Functions and turns of loops that an instance may enter.
const FUEL: u32 = 1_000;

/// Bytes that a memory may have.
const MEMORY_BYTES_MAX: u64 = 4 << 16;

/// Entries that a table may have.
const TABLE_ENTRIES_MAX: u64 = 60;

fn config() -> Config {
    Config {
        canonicalize_nans: true,
        compact_imports_enabled: false,
        custom_page_sizes_enabled: true,
        exceptions_enabled: false,
        export_everything: true,
        gc_enabled: false,
        max_data_segments: 8,
        max_element_segments: 8,
        max_funcs: 12,
        max_globals: 12,
        max_imports: 0,
        max_instructions: 200,
        max_memories: 3,
        max_memory32_bytes: MEMORY_BYTES_MAX,
        max_table_elements: TABLE_ENTRIES_MAX,
        max_tables: 3,
        max_types: 12,
        memory64_enabled: false,
        memory_max_size_required: true,
        min_funcs: 1,
        relaxed_simd_enabled: false,
        simd_enabled: false,
        table_max_size_required: true,
        threads_enabled: false,
        ..Config::default()
    }
}

/// The module of a seed; `None` if the seed makes none.
pub fn module(seed: u64) -> Option<Vec<u8>> {
    of(&decisions(seed, 1_000 + (seed % 7) as usize * 500))
}

/// A module of everything that there is, in scope or not, which may have no end; `None` if the bytes make none.
pub fn unrestricted(bytes: &[u8]) -> Option<Vec<u8>> {
    let config = Config { max_imports: 6, max_memories: 3, max_tables: 3, ..Config::default() };
    Some(Module::new(config, &mut Unstructured::new(bytes)).ok()?.to_bytes())
}

/// The module that the bytes make, if they do.
pub fn of(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut module = Module::new(config(), &mut Unstructured::new(bytes)).ok()?;
    module.ensure_termination(FUEL).ok()?;
    let mut canonical = wasm_encoder::Module::new();
    CanonicalConversions::default().parse_core_module(&mut canonical, Parser::new(0), &module.to_bytes()).ok()?;
    Some(canonical.finish())
}

type Error = reencode::Error<Infallible>;

/// Operators whose NaNs wasm-smith leaves as engines choose them, replaced by calls of functions that make them
/// canonical.
#[derive(Default)]
struct CanonicalConversions {
    /// Index of the type of the first of these functions.
    ty: u32,
    /// Index of the first of these functions.
    function: u32,
}

impl Reencode for CanonicalConversions {
    type Error = Infallible;

    fn parse_type_section(&mut self, types: &mut TypeSection, section: TypeSectionReader<'_>) -> Result<(), Error> {
        utils::parse_type_section(self, types, section)?;
        self.ty = types.len();
        types.ty().function([ValType::F32], [ValType::F64]);
        types.ty().function([ValType::F64], [ValType::F32]);
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error> {
        utils::parse_function_section(self, functions, section)?;
        self.function = functions.len();
        functions.function(self.ty).function(self.ty + 1);
        Ok(())
    }

    fn parse_code_section(&mut self, code: &mut CodeSection, section: CodeSectionReader<'_>) -> Result<(), Error> {
        utils::parse_code_section(self, code, section)?;
        let mut promote = Function::new([]);
        let nan = f64::from_bits(0x7ff8_0000_0000_0000).into();
        promote.instructions().f64_const(nan).local_get(0).f64_promote_f32();
        promote.instructions().local_get(0).local_get(0).f32_ne().select().end();
        let mut demote = Function::new([]);
        let nan = f32::from_bits(0x7fc0_0000).into();
        demote.instructions().f32_const(nan).local_get(0).f32_demote_f64();
        demote.instructions().local_get(0).local_get(0).f64_ne().select().end();
        code.function(&promote).function(&demote);
        Ok(())
    }

    fn instruction<'a>(&mut self, operator: Operator<'a>) -> Result<Instruction<'a>, Error> {
        Ok(match operator {
            Operator::F64PromoteF32 => Instruction::Call(self.function),
            Operator::F32DemoteF64 => Instruction::Call(self.function + 1),
            other => utils::instruction(self, other)?,
        })
    }
}
