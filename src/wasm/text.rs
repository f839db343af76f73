//! WebAssembly text: its binary form, and the way back from a byte to a line.

use wasmparser::{Parser, Payload};
use wast::core::{Func, FuncKind, Module, ModuleField, ModuleKind};
use wast::parser::{self, ParseBuffer};
use wast::token::Span;
use wast::{Error as TextError, Wat};

use crate::error::{Error, Position};

/// The binary module that a text stands for.
pub fn encode(text: &str) -> Result<Vec<u8>, Error> {
    let at = |error: TextError| Error::invalid_text(position_of(error.span(), text), error.message());
    let buffer = ParseBuffer::new(text).map_err(at)?;
    parser::parse::<Wat>(&buffer).and_then(|mut wat| wat.encode()).map_err(at)
}

/// Where in a text the operator stands that is encoded at an offset of the binary module. The
/// `end` of a function stands where the function does; what is in no function has no place.
pub fn position(text: &str, offset: u64) -> Option<Position> {
    let mut buffer = ParseBuffer::new(text).ok()?;
    buffer.track_instr_spans(true);
    let mut wat = parser::parse::<Wat>(&buffer).ok()?;
    let (body, operator) = operator_at(&wat.encode().ok()?, offset)?;
    let Wat::Module(Module { kind: ModuleKind::Text(fields), .. }) = wat else { return None };
    let mut bodies = fields.iter().filter_map(|field| match field {
        ModuleField::Func(Func { kind: FuncKind::Inline { expression, .. }, span, .. }) => Some((expression, *span)),
        _ => None,
    });
    let (expression, function) = bodies.nth(body)?;
    let spans = expression.instr_spans.as_deref()?;
    Some(position_of(spans.get(operator).copied().unwrap_or(function), text))
}

/// The number of the function body that holds an offset, and of the operator in it.
fn operator_at(wasm: &[u8], offset: u64) -> Option<(usize, usize)> {
    let payloads = Parser::new(0).parse_all(wasm).map_while(Result::ok);
    let bodies = payloads.filter_map(|payload| match payload {
        Payload::CodeSectionEntry(body) => Some(body),
        _ => None,
    });
    let (number, body) = bodies.enumerate().find(|(_, body)| body.range().contains(&offset))?;
    let operators = body.get_operators_reader().ok()?.into_iter_with_offsets().map_while(Result::ok);
    let before = operators.take_while(|(_, at)| *at < offset).count();
    Some((number, before))
}

fn position_of(span: Span, text: &str) -> Position {
    let (line, column) = span.linecol_in(text);
    Position { line: line + 1, column: column + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_have_their_place_in_the_text() {
        let text = "(module\n  (import \"a\" \"b\" (func))\n  (func)\n  (func (param i32) (result i32)\n    \
                    (if (result i32) (local.get 0)\n      (then (i32.const 1))\n      (else (i32.const 2)))))";
        let wasm = encode(text).unwrap();
        let at = |opcode: &[u8]| {
            let offset = wasm.windows(opcode.len()).rposition(|window| window == opcode).unwrap();
            position(text, offset as u64).map(|position| (position.line, position.column))
        };
        assert_eq!(at(&[0x20, 0x00]), Some((5, 23)));
        assert_eq!(at(&[0x41, 0x02]), Some((7, 14)));
        // The end of the function.
        let end = wasm.windows(3).rposition(|window| window == [0x02, 0x0b, 0x0b]).unwrap() as u64 + 2;
        assert_eq!(position(text, end), Some(Position { line: 4, column: 4 }));
        assert_eq!(position(text, 8), None);
    }

    #[test]
    fn a_wrong_text_is_refused_at_a_place() {
        let error = encode("(module\n  (fnuc))").unwrap_err();
        assert_eq!(error.details().position, Some(Position { line: 2, column: 4 }));
    }
}
