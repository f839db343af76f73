//! The encoder of the floating-point unit against the validator's decoder and text, which share nothing with it.

use synth::emit::float::{FloatMachine, FloatReg, encode};
use synth::vcode::PReg;
use synth::vcode::float::{FloatImm, FloatOp, Format};
use synth_verify::thumb::decode::decode;

/// The validator's decoder and text, which share nothing with these, read the same.
#[test]
fn the_validator_reads_what_is_meant() {
    let (s, d) = (FloatReg::Single, FloatReg::Double);
    let one = |op, format, d, m| FloatMachine::Compute { op, format, d, n: None, m };
    let two = |op, format, d, n, m| FloatMachine::Compute { op, format, d, n: Some(n), m };
    let mut list = vec![
        FloatMachine::Move { d: s(3), m: s(30) },
        FloatMachine::Move { d: d(3), m: d(14) },
        FloatMachine::Compare { n: s(5), m: s(28) },
        FloatMachine::Compare { n: d(5), m: d(11) },
        FloatMachine::FromCore { single: 29, t: PReg::R3 },
        FloatMachine::ToCore { t: PReg::LR, single: 2 },
        FloatMachine::FromPair { double: 9, low: PReg::R3, high: PReg::R1 },
        FloatMachine::Load { d: s(17), n: PReg::SP, words: 255 },
        FloatMachine::Store { d: d(15), n: PReg::R3, words: 1 },
        one(FloatOp::ToSigned, Format::F64, s(7), d(12)),
        one(FloatOp::ToUnsigned, Format::F32, s(7), s(20)),
        one(FloatOp::FromSigned, Format::F64, d(7), s(21)),
        one(FloatOp::FromUnsigned, Format::F32, s(7), s(2)),
        one(FloatOp::Convert, Format::F32, s(7), d(2)),
        one(FloatOp::Convert, Format::F64, d(7), s(3)),
    ];
    for (format, registers) in [(Format::F32, [s(1), s(6), s(27)]), (Format::F64, [d(1), d(6), d(13)])] {
        let [a, b, c] = registers;
        list.extend([FloatOp::Add, FloatOp::Sub, FloatOp::Mul, FloatOp::Div].map(|op| two(op, format, a, b, c)));
        let unary = [FloatOp::Sqrt, FloatOp::Abs, FloatOp::Neg, FloatOp::Ceil, FloatOp::Floor, FloatOp::Trunc];
        list.extend(unary.into_iter().chain([FloatOp::Nearest]).map(|op| one(op, format, b, c)));
    }
    for inst in list {
        let word = encode(&inst);
        let bytes = [((word >> 16) as u16).to_le_bytes(), (word as u16).to_le_bytes()].concat();
        let read = decode(&bytes, 0).map(|(inst, _)| inst.to_string());
        assert_eq!(read, Ok(inst.to_string()), "{word:#x}");
    }
    let text = |inst: FloatMachine| {
        let word = encode(&inst);
        let bytes = [((word >> 16) as u16).to_le_bytes(), (word as u16).to_le_bytes()].concat();
        decode(&bytes, 0).map(|(inst, _)| inst.to_string())
    };
    let imm = |number: f64| FloatImm::new(Format::F64, number.to_bits()).expect("it is in the list");
    let expected = [
        (FloatMachine::Flags, "vmrs APSR_nzcv, fpscr"),
        (FloatMachine::Push(2), "vpush {d8, d9}"),
        (FloatMachine::Pop(1), "vpop {d8}"),
        (FloatMachine::SetStatus { t: PReg::R1 }, "vmsr fpscr, r1"),
        (FloatMachine::Const { d: d(4), imm: imm(-0.5) }, "vmov.f64 d4, #-5.000000e-01"),
        (FloatMachine::Const { d: s(9), imm: imm(31.0) }, "vmov.f32 s9, #3.100000e+01"),
    ];
    for (inst, words) in expected {
        assert_eq!(text(inst).as_deref(), Ok(words));
    }
}
