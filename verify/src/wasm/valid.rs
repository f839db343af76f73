//! Which modules are valid: full validation by the parser, under the features listed here.

use std::fmt;

use wasmparser::{FuncValidatorAllocations, Parser, Validator, WasmFeatures};

use super::module::WasmError;

/// What is accepted: Wasm 1.0, the sign-extension operators, blocks with any parameters and results,
/// several memories with pages of their own, bulk operators, references, and constant expressions with arithmetic.
pub(super) fn features() -> WasmFeatures {
    WasmFeatures::WASM1
        .union(WasmFeatures::SIGN_EXTENSION)
        .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
        .union(WasmFeatures::MULTI_VALUE)
        .union(WasmFeatures::TAIL_CALL)
        .union(WasmFeatures::WIDE_ARITHMETIC)
        .union(WasmFeatures::MULTI_MEMORY)
        .union(WasmFeatures::CUSTOM_PAGE_SIZES)
        .union(WasmFeatures::BULK_MEMORY)
        .union(WasmFeatures::EXTENDED_CONST)
        .union(WasmFeatures::REFERENCE_TYPES)
}

/// Validates a whole module.
pub(super) fn validate(bytes: &[u8]) -> Result<(), WasmError> {
    let mut validator = Validator::new_with_features(features());
    let mut parser = Parser::new(0);
    parser.set_features(features());
    let mut allocations = FuncValidatorAllocations::default();
    for payload in parser.parse_all(bytes) {
        let payload = payload.map_err(WasmError::from_parser)?;
        let kind = validator.payload(&payload).map_err(WasmError::from_parser)?;
        if let wasmparser::ValidPayload::Func(function, body) = kind {
            let mut body_validator = function.into_validator(std::mem::take(&mut allocations));
            body_validator.validate(&body).map_err(WasmError::from_parser)?;
            allocations = body_validator.into_allocations();
        }
    }
    Ok(())
}

impl fmt::Display for WasmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WasmError::Invalid { offset, reason } => {
                write!(f, "invalid Wasm at offset {offset:#x}: {reason}")
            }
            WasmError::Unsupported { offset, what } => {
                write!(f, "the validator does not know {what} at offset {offset:#x}")
            }
        }
    }
}

impl std::error::Error for WasmError {}
