//! The expressions of a cut, as text: an operator and the numbers of earlier lines.

use synth_verify::domain::{Bin32, Bin64, Cmp, Un32, Un64};
use synth_verify::hints::{Base, Expr};

use super::number;

const UN32: [(&str, Un32); 6] = [
    ("clz", Un32::Clz),
    ("rbit", Un32::Rbit),
    ("rev", Un32::Rev),
    ("popcnt", Un32::Popcnt),
    ("sext8", Un32::Sext8),
    ("sext16", Un32::Sext16),
];

const BIN32: [(&str, Bin32); 14] = [
    ("add", Bin32::Add),
    ("sub", Bin32::Sub),
    ("mul", Bin32::Mul),
    ("mulhighu", Bin32::MulHighU),
    ("mulhighs", Bin32::MulHighS),
    ("divu", Bin32::DivU),
    ("divs", Bin32::DivS),
    ("and", Bin32::And),
    ("or", Bin32::Or),
    ("xor", Bin32::Xor),
    ("shl", Bin32::Shl),
    ("shru", Bin32::ShrU),
    ("shrs", Bin32::ShrS),
    ("rotr", Bin32::RotR),
];

const UN64: [(&str, Un64); 6] = [
    ("clz64", Un64::Clz),
    ("ctz64", Un64::Ctz),
    ("popcnt64", Un64::Popcnt),
    ("sext864", Un64::Sext8),
    ("sext1664", Un64::Sext16),
    ("sext3264", Un64::Sext32),
];

const BIN64: [(&str, Bin64); 11] = [
    ("add64", Bin64::Add),
    ("sub64", Bin64::Sub),
    ("mul64", Bin64::Mul),
    ("and64", Bin64::And),
    ("or64", Bin64::Or),
    ("xor64", Bin64::Xor),
    ("shl64", Bin64::Shl),
    ("shru64", Bin64::ShrU),
    ("shrs64", Bin64::ShrS),
    ("rotl64", Bin64::RotL),
    ("rotr64", Bin64::RotR),
];

const CMP32: [(&str, Cmp); 3] = [("eq", Cmp::Eq), ("ltu", Cmp::LtU), ("lts", Cmp::LtS)];

const CMP64: [(&str, Cmp); 3] = [("eq64", Cmp::Eq), ("ltu64", Cmp::LtU), ("lts64", Cmp::LtS)];

fn find<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    table.iter().find(|(name, _)| *name == word).map(|(_, operator)| *operator)
}

/// An expression from its operator and its operands.
pub fn node(operator: &str, operands: &[&str]) -> Expr {
    let n = |index: usize| number(operands[index]);
    plain(operator, operands)
        .or_else(|| find(&UN32, operator).map(|op| Expr::Un32(op, n(0))))
        .or_else(|| find(&BIN32, operator).map(|op| Expr::Bin32(op, n(0), n(1))))
        .or_else(|| find(&CMP32, operator).map(|op| Expr::Cmp32(op, n(0), n(1))))
        .or_else(|| find(&UN64, operator).map(|op| Expr::Un64(op, n(0))))
        .or_else(|| find(&BIN64, operator).map(|op| Expr::Bin64(op, n(0), n(1))))
        .or_else(|| find(&CMP64, operator).map(|op| Expr::Cmp64(op, n(0), n(1))))
        .unwrap_or_else(|| panic!("expression {operator}"))
}

fn plain(operator: &str, operands: &[&str]) -> Option<Expr> {
    let n = |index: usize| number(operands[index]);
    Some(match operator {
        "const" => Expr::Const32(n(0)),
        "const64" => Expr::Const64(operands[0].parse().unwrap()),
        "ite" => Expr::Ite32(n(0), n(1), n(2)),
        "ite64" => Expr::Ite64(n(0), n(1), n(2)),
        "join" => Expr::Join(n(0), n(1)),
        "high" => Expr::High(n(0)),
        "low" => Expr::Low(n(0)),
        "memory" => Expr::Base(Base::Memory(0)),
        "instance" => Expr::Base(Base::Instance),
        "table" => Expr::Base(Base::Table(0)),
        "load" => Expr::Load(0, n(0) as u8, n(1)),
        "global" => Expr::Global32(n(0)),
        "global64" => Expr::Global64(n(0)),
        "memory_bytes" => Expr::MemoryBytes(0),
        "functions" => Expr::Base(Base::Functions),
        "table_entry" => Expr::TableEntry(0, n(0)),
        "reference_type" => Expr::ReferenceType(n(0)),
        "reference_code" => Expr::ReferenceCode(n(0)),
        _ => return None,
    })
}
