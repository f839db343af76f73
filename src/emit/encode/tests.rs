//! Every form of every instruction, at the edges of its fields, against two assemblers.
//!
//! Both choose the shortest encoding, so equal bytes say that ours is right and is short.

#[path = "../../../verify/tests/support/tools.rs"]
mod tools;

use std::path::Path;
use std::process::{Command, Stdio};

use object::{Object, ObjectSection};

use super::super::text::Assembly;
use super::*;
use crate::vcode::imm::{BitField, IndexShift, ShiftImm};

const R: [PReg; 16] = {
    let mut list = [PReg::R0; 16];
    let mut number = 0;
    while number < 16 {
        list[number as usize] = PReg::new(number);
        number += 1;
    }
    list
};

const SET_OR_KEEP: [FlagsMode; 2] = [FlagsMode::Set, FlagsMode::Keep];
const ALU: [AluOp; 10] = [
    AluOp::Add,
    AluOp::Adc,
    AluOp::Sub,
    AluOp::Sbc,
    AluOp::Rsb,
    AluOp::And,
    AluOp::Orr,
    AluOp::Eor,
    AluOp::Bic,
    AluOp::Orn,
];
const SHIFTS: [ShiftOp; 4] = [ShiftOp::Lsl, ShiftOp::Lsr, ShiftOp::Asr, ShiftOp::Ror];

fn imm(value: u32) -> Operand2<PReg> {
    Operand2::Imm(ModifiedImm::new(value).expect("the test names encodable constants"))
}

fn shifted(m: PReg, op: ShiftOp, by: u32) -> Operand2<PReg> {
    Operand2::Shifted(m, op, ShiftImm::new(by).expect("1 to 31"))
}

fn triples() -> Vec<(PReg, PReg, PReg)> {
    [
        (0, 1, 2),
        (3, 3, 5),
        (4, 6, 4),
        (7, 7, 7),
        (8, 1, 2),
        (0, 9, 2),
        (0, 1, 10),
        (11, 11, 3),
        (3, 12, 3),
        (14, 14, 12),
    ]
    .map(|(d, n, m)| (R[d], R[n], R[m]))
    .to_vec()
}

fn data_processing_cases() -> Vec<Machine> {
    let mut cases = Vec::new();
    for (d, n, m) in triples() {
        for flags in SET_OR_KEEP {
            for op in ALU {
                let mut with = |m| cases.push(Machine::Alu { op, flags, d, n, m });
                with(Operand2::Reg(m));
                for shift in SHIFTS {
                    with(shifted(m, shift, 1));
                    with(shifted(m, shift, 31));
                }
                for value in [0, 1, 7, 8, 255, 256, 1020, 0x00ff_00ff, 0xab00_ab00, 0x3f3f_3f3f, 0xff00_0000] {
                    with(imm(value));
                }
            }
            for op in SHIFTS {
                cases.push(Machine::Shift { op, flags, d, n, m });
                for by in [1, 2, 31] {
                    cases.push(Machine::Mov { flags, d, m: shifted(m, op, by) });
                }
            }
            for value in [0, 255, 256, 0x0012_0012, 0xff00_0000] {
                cases.push(Machine::Mov { flags, d, m: imm(value) });
                cases.push(Machine::Mvn { flags, d, m: imm(value) });
            }
            cases.push(Machine::Mov { flags, d, m: Operand2::Reg(m) });
            cases.push(Machine::Mvn { flags, d, m: Operand2::Reg(m) });
            cases.push(Machine::Mvn { flags, d, m: shifted(m, ShiftOp::Asr, 4) });
        }
        for op in [CompareOp::Cmp, CompareOp::Cmn, CompareOp::Tst, CompareOp::Teq] {
            for m in [Operand2::Reg(m), shifted(m, ShiftOp::Lsr, 3), imm(0), imm(255), imm(256), imm(0xff00)] {
                cases.push(Machine::Compare { op, n, m });
            }
        }
    }
    cases
}

fn stack_cases() -> Vec<Machine> {
    let mut cases = vec![
        Machine::Compare { op: CompareOp::Cmp, n: PReg::SP, m: Operand2::Reg(R[12]) },
        Machine::Mov { flags: FlagsMode::Keep, d: R[4], m: Operand2::Reg(PReg::SP) },
        Machine::Alu { op: AluOp::Add, flags: FlagsMode::Keep, d: R[12], n: PReg::SP, m: Operand2::Reg(R[12]) },
    ];
    for op in [AluOp::Add, AluOp::Sub] {
        for d in [R[0], R[7], R[12], PReg::SP] {
            for value in [0, 4, 6, 504, 508, 512, 1020, 1024, 4096] {
                cases.push(Machine::Alu { op, flags: FlagsMode::Keep, d, n: PReg::SP, m: imm(value) });
            }
        }
    }
    for op in [WideOp::Add, WideOp::Sub] {
        for (d, n) in [(PReg::SP, PReg::SP), (R[3], PReg::SP), (R[8], R[2])] {
            for value in [1025, 2049, 4095] {
                let imm = Imm12::new(value).expect("12 bits");
                cases.push(Machine::AluWide { op, d, n, imm });
            }
        }
    }
    for bits in [0x0001, 0x00ff, 0x4000, 0x40f0, 0x0100, 0x0800, 0x0ff0, 0x4ff0, 0x0110] {
        let list = RegSet::from_bits(bits);
        cases.push(Machine::Push(list));
        let returns = if bits & 0x4000 == 0 { bits } else { bits ^ 0xc000 };
        cases.push(Machine::Pop(RegSet::from_bits(returns)));
    }
    cases
}

fn other_cases() -> Vec<Machine> {
    let mut cases = vec![Machine::Nop, Machine::Udf(0), Machine::Udf(0xe7)];
    for (d, n, m) in triples() {
        cases.push(Machine::Mul { flags: FlagsMode::Keep, d, n, m });
        cases.push(Machine::MulAdd { d, n, m, a: R[5] });
        cases.push(Machine::MulSub { d, n, m, a: R[9] });
        for sign in [Sign::Unsigned, Sign::Signed] {
            cases.push(Machine::MulLong { sign, low: R[1], high: R[11], n, m });
            cases.push(Machine::Div { sign, d, n, m });
            for (lsb, width) in [(0, 1), (0, 32), (3, 5), (31, 1), (13, 19)] {
                let field = BitField::new(lsb, width).expect("in a word");
                cases.push(Machine::Extract { sign, d, n, field });
                cases.push(Machine::Insert { d, n, field });
                cases.push(Machine::Clear { d, field });
            }
        }
        for op in [MulLongAddOp::Umlal, MulLongAddOp::Smlal, MulLongAddOp::Umaal] {
            cases.push(Machine::MulLongAdd { op, low: R[2], high: R[10], n, m });
        }
        for op in
            [UnaryOp::Clz, UnaryOp::Rbit, UnaryOp::Rev, UnaryOp::Uxtb, UnaryOp::Uxth, UnaryOp::Sxtb, UnaryOp::Sxth]
        {
            cases.push(Machine::Unary { op, d, m });
        }
        cases.push(Machine::BranchReg { m });
        cases.push(Machine::CallReg { m });
        for imm in [0, 0x1234, 0xffff, 0x0800] {
            cases.push(Machine::Movw { d, imm });
            cases.push(Machine::Movt { d, imm });
        }
        for entries in [EntryWidth::Byte, EntryWidth::Half] {
            cases.push(Machine::TableBranch { entries, m });
        }
    }
    cases
}

fn access_cases() -> Vec<Machine> {
    let mut cases = Vec::new();
    for t in [R[0], R[7], R[8], R[14]] {
        let mut addresses = Vec::new();
        for base in [R[1], R[11], PReg::SP] {
            for offset in [0, 1, 2, 4, 31, 32, 60, 62, 64, 66, 124, 128, 1020, 1022, 1024, 4095] {
                addresses.push(Address::Offset(base, Imm12::new(offset).expect("12 bits")));
            }
            for index in [R[2], R[9]] {
                for shift in 0..4 {
                    let shift = IndexShift::new(shift).expect("at most 3");
                    addresses.push(Address::Index(base, index, shift));
                }
            }
        }
        for address in addresses {
            for kind in [LoadKind::Word, LoadKind::Half, LoadKind::HalfSigned, LoadKind::Byte, LoadKind::ByteSigned] {
                cases.push(Machine::Load { kind, d: t, address });
            }
            for kind in [StoreKind::Word, StoreKind::Half, StoreKind::Byte] {
                cases.push(Machine::Store { kind, s: t, address });
            }
        }
        for distance in [0, 4, 1016, 1020, 1024, 4092] {
            if t.is_low() && distance <= 1020 {
                cases.push(Machine::LoadLiteral { width: Width::Narrow, d: t, distance });
            }
            cases.push(Machine::LoadLiteral { width: Width::Wide, d: t, distance });
        }
    }
    cases
}

fn branch_cases() -> Vec<Machine> {
    let mut cases = Vec::new();
    let (narrow, wide) = (Width::Narrow, Width::Wide);
    for distance in [-2044, -4, 0, 2, 4, 6, 2050] {
        cases.push(Machine::Branch { width: narrow, distance });
    }
    for distance in [-0x00ff_fffc, -0x0040_0000, -0x0080_0000, -4, 4, 0x0030_1234, 0x0055_5556, 0x0100_0002] {
        cases.push(Machine::Branch { width: wide, distance });
        cases.push(Machine::Call { distance });
    }
    for cond in Cond::ALL {
        for distance in [-252, 0, 4, 258] {
            cases.push(Machine::BranchIf { width: narrow, cond, distance });
        }
        for distance in [-0x000f_fffc, -0x0004_0000, -2, 260, 0x0008_0004, 0x0010_0002] {
            cases.push(Machine::BranchIf { width: wide, cond, distance });
        }
    }
    for test in [ZeroTest::Zero, ZeroTest::NonZero] {
        for distance in [4, 6, 64, 66, 68, 130] {
            cases.push(Machine::BranchZero { test, n: R[5], distance });
        }
    }
    cases
}

/// Whether the architecture leaves the instruction open, or the assemblers refuse it, in an IT block.
fn allowed_under_condition(inst: &Machine) -> bool {
    !matches!(
        inst,
        Machine::BranchIf { .. }
            | Machine::BranchZero { .. }
            | Machine::Branch { .. }
            | Machine::Call { .. }
            | Machine::CallReg { .. }
            | Machine::BranchReg { .. }
            | Machine::TableBranch { .. }
            | Machine::Pop(_)
            | Machine::Udf(_)
            | Machine::Nop
            | Machine::It { .. }
    )
}

/// The cases as assembler text and as our bytes, one entry per case.
fn cases() -> Vec<(String, Vec<u8>)> {
    let all = [data_processing_cases(), stack_cases(), other_cases(), access_cases(), branch_cases()].concat();
    let mut list = Vec::new();
    let mut add = |lines: &[(Machine, Position)]| {
        let mut bytes = Vec::new();
        let text: Vec<String> = lines
            .iter()
            .map(|(inst, position)| {
                encode(inst, *position).append_to(&mut bytes);
                Assembly(inst, *position).to_string()
            })
            .collect();
        list.push((text.join("\n"), bytes));
    };
    for (index, inst) in all.iter().enumerate() {
        add(&[(*inst, Position::Plain)]);
        if !allowed_under_condition(inst) {
            continue;
        }
        let cond = Cond::ALL[index % 14];
        add(&[(Machine::It { cond, second: None }, Position::Plain), (*inst, Position::Under(cond))]);
    }
    for cond in Cond::ALL {
        for side in [Side::Then, Side::Else] {
            let add_one = |d: PReg| Machine::Alu { op: AluOp::Add, flags: FlagsMode::Keep, d, n: d, m: imm(1) };
            let other = match side {
                Side::Then => cond,
                Side::Else => cond.negated(),
            };
            add(&[
                (Machine::It { cond, second: Some(side) }, Position::Plain),
                (add_one(R[0]), Position::Under(cond)),
                (add_one(R[1]), Position::Under(other)),
            ]);
        }
    }
    list
}

/// Bytes of `.text` of the assembled source.
fn assemble(program: &mut Command, arguments: &[&str], source: &str) -> Vec<u8> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (input, output) = (directory.path().join("in.s"), directory.path().join("out.o"));
    std::fs::write(&input, source).expect("the directory is writable");
    let path = |path: &Path| path.to_str().expect("temporary paths are text").to_owned();
    let result = program
        .args(arguments)
        .args([path(&input), "-o".to_owned(), path(&output)])
        .stdin(Stdio::null())
        .output()
        .expect("it is installed");
    assert!(result.status.success(), "{}", String::from_utf8_lossy(&result.stderr));
    let bytes = std::fs::read(&output).expect("the assembler wrote its output");
    let file = object::File::parse(&*bytes).expect("an object file");
    let section = file.section_by_name(".text").expect("a text section");
    section.data().expect("in the file").to_vec()
}

/// Assembles all cases, each at a multiple of 16, and compares each with ours.
fn compare_with(mut program: Command, arguments: &[&str], target: fn(&str) -> String) {
    let cases = cases();
    let mut source = String::from(".syntax unified\n.thumb\n.text\n");
    for (text, _) in &cases {
        source.push_str(&format!("{}\n.p2align 4\n", target(text)));
    }
    let theirs = assemble(&mut program, arguments, &source);
    let mut wrong = Vec::new();
    for (index, (text, ours)) in cases.iter().enumerate() {
        let theirs = &theirs[index * 16..(index * 16 + ours.len() + 2).min(theirs.len())];
        if !theirs.starts_with(ours) {
            wrong.push(format!("{}: ours {ours:02x?}, theirs {theirs:02x?}", text.replace('\n', "; ")));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ\n{}", wrong.len(), cases.len(), wrong[..wrong.len().min(60)].join("\n"));
}

#[test]
fn bytes_are_those_of_the_gnu_assembler() {
    let Some(assembler) = tools::installed("arm-none-eabi-as") else {
        return tools::skipped("bytes_are_those_of_the_gnu_assembler", "arm-none-eabi-as");
    };
    compare_with(assembler, &["-mcpu=cortex-m4", "-mthumb", "-W"], str::to_owned);
}

#[test]
fn bytes_are_those_of_the_llvm_assembler() {
    let Some(assembler) = tools::llvm("llvm-mc") else {
        return tools::skipped("bytes_are_those_of_the_llvm_assembler", "llvm-mc");
    };
    compare_with(assembler, &["-triple=thumbv7em-none-eabi", "-mcpu=cortex-m4", "-filetype=obj"], for_llvm);
}

/// The case as this assembler has to be told it: distances only as numbers counted from the PC
/// that the branch reads; the form with one register only where one is written; MOVW unless the
/// 32-bit MOV is asked for.
fn for_llvm(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(line_for_llvm).collect();
    lines.join("\n")
}

fn line_for_llvm(line: &str) -> String {
    if let Some((branch, distance)) = line.rsplit_once('.')
        && let Ok(distance) = distance.parse::<i32>()
    {
        return format!("{branch}#{}", distance - 4);
    }
    let (name, operands) = line.split_once(' ').unwrap_or((line, ""));
    let list: Vec<&str> = operands.split(", ").collect();
    match list.as_slice() {
        [d, n, value] if d == n && value.starts_with('#') && !name.starts_with("rsb") => {
            format!("{name} {d}, {value}")
        }
        [d, "#256"] if name.starts_with("mov") => format!("{name}.w {d}, #256"),
        _ => line.to_owned(),
    }
}

#[test]
fn dead_flags_give_the_shorter_of_set_and_keep() {
    for inst in data_processing_cases() {
        for position in [Position::Plain, Position::Under(Cond::Lt)] {
            let with = |mode: FlagsMode| {
                let mut inst = inst;
                match &mut inst {
                    Machine::Alu { flags, .. }
                    | Machine::Mov { flags, .. }
                    | Machine::Mvn { flags, .. }
                    | Machine::Shift { flags, .. }
                    | Machine::Mul { flags, .. } => *flags = mode,
                    _ => {}
                }
                encode(&inst, position)
            };
            let (dead, set, keep) = (with(FlagsMode::Dead), with(FlagsMode::Set), with(FlagsMode::Keep));
            assert!(dead == set || dead == keep, "{inst:?}");
            assert_eq!(dead.bytes(), set.bytes().min(keep.bytes()), "{inst:?}");
        }
    }
}

#[test]
fn reach_ends_where_the_field_does() {
    assert!(branch_reaches(Width::Narrow, -2044) && !branch_reaches(Width::Narrow, -2046));
    assert!(branch_reaches(Width::Narrow, 2050) && !branch_reaches(Width::Narrow, 2052));
    assert!(branch_if_reaches(Width::Narrow, -252) && !branch_if_reaches(Width::Narrow, -254));
    assert!(branch_if_reaches(Width::Narrow, 258) && !branch_if_reaches(Width::Narrow, 260));
    assert!(zero_reaches(R[7], 130) && !zero_reaches(R[7], 132) && !zero_reaches(R[7], 2));
    assert!(!zero_reaches(R[8], 8) && !branch_reaches(Width::Narrow, 3));
}
