//! Single instructions and IT blocks with values worked out by hand from the manual.
//!
//! One case a line: code in hexadecimal halfwords, state before, state after, where control goes.
//! Everything that "after" does not name is as before; all numbers are hexadecimal; the code
//! lies at 100.

use super::plain::Plain;
use crate::thumb::feature::Architecture;
use crate::thumb::inst::{Reg, Width};
use crate::thumb::sem::{Flags, Flow};

/// The state that `text` describes: registers (`r0=`, `sp=`, `lr=`), flags (`n z c v`), words of
/// memory (`m1000=`), on top of another state.
fn state(text: &str, base: &Plain) -> Plain {
    let mut machine = base.clone();
    let mut flags = machine.nzcv();
    for part in text.split_whitespace() {
        let (name, value) = part.split_once('=').expect("name=value");
        let value = u32::from_str_radix(value, 16).expect("a hexadecimal value");
        let flag = ["n", "z", "c", "v"].iter().position(|flag| *flag == name);
        if let Some(flag) = flag {
            flags[flag] = value == 1;
        } else if let Some(address) = name.strip_prefix('m') {
            let address = u32::from_str_radix(address, 16).expect("a hexadecimal address");
            machine.put(address, Width::Word, value);
        } else {
            let number = match name {
                "sp" => Reg::SP.number(),
                "lr" => Reg::LR.number(),
                _ => name[1..].parse().expect("a register"),
            };
            machine.registers[usize::from(number)] = value;
        }
    }
    machine.flags = Flags::from_bits(flags);
    machine
}

fn flow_text(flow: Result<Flow<u32>, String>) -> String {
    match flow {
        Ok(Flow::Next) => String::new(),
        Ok(Flow::Jump(target)) => format!("jump {target:x}"),
        Ok(Flow::JumpRegister(word)) => format!("branch {word:x}"),
        Ok(Flow::Call { target, return_address }) => format!("call {target:x} {return_address:x}"),
        Ok(Flow::CallRegister(word)) => format!("call {word:x}"),
        Ok(Flow::Trap(code)) => format!("trap {code:x}"),
        Err(why) => format!("stop: {why}"),
    }
}

fn check(cases: &str) {
    for case in cases.lines().map(str::trim).filter(|case| !case.is_empty()) {
        let columns: Vec<&str> = case.split('|').map(str::trim).collect();
        let [name, code, before, after, flow] = columns[..] else {
            panic!("five columns: {case}");
        };
        let code: Vec<u16> = code.split(' ').map(|half| u16::from_str_radix(half, 16).expect("a halfword")).collect();
        let mut machine = state(before, &Plain::new());
        let mut expected = state(after, &machine);
        let came = flow_text(machine.run(&code));
        assert!(came == flow || (!flow.is_empty() && came.starts_with(flow)), "{name}: {came}");
        if came.starts_with("stop") {
            continue;
        }
        assert_eq!(machine.registers, expected.registers, "{name}: registers");
        assert_eq!(machine.nzcv(), expected.nzcv(), "{name}: flags");
        assert_eq!(machine.memory, expected.memory, "{name}: memory");
    }
}

#[test]
fn carry_of_logical_operands() {
    check(
        "
        ands r0, r1, #0x80000000, rotated | f011 4000 | r1=ffffffff v=1   | r0=80000000 n=1 c=1 |
        ands r0, r1, #255, not rotated    | f011 00ff | r1=ffffff00 c=1 n=1 | r0=0 n=0 z=1 |
        movs r0, #0x40000000, rotated     | f05f 4080 | c=1 v=1           | r0=40000000 c=0 |
        teq r0, #0x80000000, rotated      | f090 4f00 | r0=80000000       | z=1 c=1 |
        tst r0, r1, lsl #4                | ea10 1f01 | r0=ff r1=1000000f | c=1 |
        lsrs r0, r1, #32                  | 0808      | r1=80000000 r0=5  | r0=0 z=1 c=1 |
        asrs r0, r1, #32                  | 1008      | r1=80000000 v=1   | r0=ffffffff n=1 c=1 |
        asrs r0, r1, #32, positive        | 1008      | r1=7fffffff c=1   | r0=0 z=1 c=0 |
        lsls r0, r1, #1                   | 0048      | r1=80000001       | r0=2 c=1 |
        rrxs r0, r1                       | ea5f 0031 | r1=1 c=1          | r0=80000000 n=1 c=1 |
        rrx r0, r1                        | ea4f 0031 | r1=3 c=0          | r0=1 |
        mvns r0, r1                       | 43c8      | r1=ffffffff c=1 v=1 | r0=0 z=1 |
        bic r0, r1, #255                  | f021 00ff | r1=12345678       | r0=12345600 |
        orn r0, r1, r2, lsr #8            | ea61 2012 | r1=1 r2=ff00      | r0=ffffff01 |
        ",
    );
}

#[test]
fn shifts_by_a_register_take_its_low_byte() {
    check(
        "
        lsls by 256 leaves C set   | 4088 | r0=5 r1=100 c=1        | |
        lsls by 0 leaves C clear   | 4088 | r0=80000000 n=1        | |
        lsls by 32                 | 4088 | r0=1 r1=20             | r0=0 z=1 c=1 |
        lsls by 33                 | 4088 | r0=ffffffff r1=21 c=1  | r0=0 z=1 c=0 |
        lsls by 1                  | 4088 | r0=c0000000 r1=1       | r0=80000000 n=1 c=1 |
        lsrs by 32                 | 40c8 | r0=80000000 r1=20      | r0=0 z=1 c=1 |
        lsrs by 255                | 40c8 | r0=ffffffff r1=ff c=1  | r0=0 z=1 c=0 |
        lsrs by 1                  | 40c8 | r0=3 r1=ffffff01       | r0=1 c=1 |
        asrs by 32                 | 4108 | r0=80000000 r1=20      | r0=ffffffff n=1 c=1 |
        asrs by 40, positive       | 4108 | r0=7fffffff r1=28 c=1  | r0=0 z=1 c=0 |
        rors by 32                 | 41c8 | r0=80000001 r1=20      | n=1 c=1 |
        rors by 4                  | 41c8 | r0=18 r1=4             | r0=80000001 n=1 c=1 |
        rors by 36, bit 31 clear   | 41c8 | r0=70 r1=24 c=1        | r0=7 c=0 |
        ",
    );
}

#[test]
fn sums_and_their_flags() {
    check(
        "
        adds overflows       | 1888 | r1=7fffffff r2=1 c=1      | r0=80000000 n=1 c=0 v=1 |
        adds carries         | 1888 | r1=ffffffff r2=1          | r0=0 z=1 c=1 |
        adcs carries through | 4148 | r0=ffffffff r1=0 c=1      | r0=0 z=1 c=1 |
        adcs without carry   | 4148 | r0=1 r1=2                 | r0=3 |
        subs equal           | 1a88 | r1=5 r2=5 r0=9            | r0=0 z=1 c=1 |
        subs borrows         | 1a88 | r1=0 r2=1 c=1             | r0=ffffffff n=1 c=0 |
        subs overflows       | 1a88 | r1=80000000 r2=1          | r0=7fffffff c=1 v=1 |
        sbcs with borrow     | 4188 | r0=0 r1=0                 | r0=ffffffff n=1 |
        sbcs 0 - ffffffff    | 4188 | r1=ffffffff c=1           | r0=1 c=0 |
        sbcs all borrowed    | 4188 | r1=ffffffff z=1           | r0=0 |
        rsbs of MIN          | 4248 | r1=80000000 c=1           | r0=80000000 n=1 c=0 v=1 |
        rsbs of 0            | 4248 | r0=7                      | r0=0 z=1 c=1 |
        rsb r0, r1, #255     | f1c1 00ff | r1=ff z=1            | r0=0 |
        cmp                  | 4288 | r0=1 r1=2 c=1             | n=1 c=0 |
        cmn                  | 42c8 | r0=ffffffff r1=2          | c=1 |
        muls keeps C and V   | 4348 | r0=10000 r1=8000 c=1 v=1  | r0=80000000 n=1 |
        64-bit difference    | 1a80 418b | r0=1 r2=2 r3=5 r1=3  | r0=ffffffff r3=1 c=1 |
        ",
    );
}

#[test]
fn products_and_quotients() {
    check(
        "
        umull | fba2 0103 | r2=ffffffff r3=ffffffff           | r0=1 r1=fffffffe |
        smull | fb82 0103 | r2=ffffffff r3=2                  | r0=fffffffe r1=ffffffff |
        umlal | fbe2 0103 | r0=ffffffff r1=1 r2=1 r3=1        | r0=0 r1=2 |
        smlal | fbc2 0103 | r0=0 r1=0 r2=ffffffff r3=1        | r0=ffffffff r1=ffffffff |
        umaal | fbe2 0163 | r0=ffffffff r1=ffffffff r2=ffffffff r3=ffffffff | |
        umaal, small | fbe2 0163 | r0=5 r1=7 r2=2 r3=3        | r0=12 r1=0 |
        mla   | fb01 3002 | r1=3 r2=5 r3=ffffffff             | r0=e |
        mls   | fb01 3012 | r1=3 r2=5 r3=e                    | r0=ffffffff |
        smmul | fb51 f002 | r1=80000000 r2=80000000           | r0=40000000 |
        smmla | fb51 3002 | r1=ffffffff r2=1 r3=1             | r0=0 |
        sdiv MIN / -1 | fb91 f0f2 | r1=80000000 r2=ffffffff   | r0=80000000 |
        sdiv -7 / 2   | fb91 f0f2 | r1=fffffff9 r2=2          | r0=fffffffd |
        udiv by 0     | fbb1 f0f2 | r1=7 r0=9                 | r0=0 |
        udiv          | fbb1 f0f2 | r1=fffffff9 r2=2          | r0=7ffffffc |
        ",
    );
}

#[test]
fn fields_and_bits() {
    check(
        "
        bfi r0, r1, #4, #8  | f361 100b | r0=ffffffff r1=12a5     | r0=fffffa5f |
        bfc r0, #4, #8      | f36f 100b | r0=ffffffff             | r0=fffff00f |
        ubfx r0, r1, #4, #8 | f3c1 1007 | r1=fab                  | r0=fa |
        sbfx r0, r1, #4, #8 | f341 1007 | r1=fab                  | r0=fffffffa |
        sbfx, all           | f341 001f | r1=80000001             | r0=80000001 |
        sxtb, ror #8        | fa4f f091 | r1=8012                 | r0=ffffff80 |
        uxtah, ror #16      | fa11 f0a2 | r1=1 r2=fffe0000        | r0=ffff |
        clz of 0            | fab1 f081 |                         | r0=20 |
        rbit                | fa91 f0a1 | r1=1                    | r0=80000000 |
        rev                 | ba08      | r1=12345678             | r0=78563412 |
        rev16               | ba48      | r1=12345678             | r0=34127856 |
        revsh               | bac8      | r1=123400f0             | r0=fffff000 |
        movw                | f64a 30cd | r0=ffffffff             | r0=abcd |
        movt                | f2c1 2034 | r0=abcd                 | r0=1234abcd |
        adr at 100          | a002      |                         | r0=10c |
        adr at 102          | bf00 a002 |                         | r0=10c |
        ",
    );
}

#[test]
fn loads_and_stores() {
    check(
        "
        ldr r0, [r1, #4]            | 6848      | r1=1000 m1004=11223344      | r0=11223344 |
        ldr r0, [r1, #4], unaligned | 6848      | r1=1001 m1004=11223344 m1008=55667788 | r0=88112233 |
        ldr r0, [r1, #-4]!          | f851 0d04 | r1=1000 mffc=5              | r0=5 r1=ffc |
        ldr r0, [r1], #4            | f851 0b04 | r1=1000 m1000=5             | r0=5 r1=1004 |
        ldr r0, [r1, r2, lsl #2]    | f851 0022 | r1=1000 r2=40000001 m1004=5 | r0=5 |
        ldrsb r0, [r1, r2]          | 5688      | r1=1000 r2=1 m1000=8000     | r0=ffffff80 |
        ldrsh r0, [r1, #1]          | f9b1 0001 | r1=1000 m1000=80ff00        | r0=ffff80ff |
        ldrh r0, [r1, #2]           | 8848      | r1=1000 m1000=ffee0000      | r0=ffee |
        strb r0, [r1, #1]           | 7048      | r0=1ff r1=1000 m1000=0      | m1000=ff00 |
        strh r0, [r1]               | 8008      | r0=12345678 r1=1000 m1000=0 | m1000=5678 |
        str r0, [sp, #-4]!          | f84d 0d04 | r0=7 sp=1000                | sp=ffc mffc=7 |
        ldrd r0, r2, [r1, #8]       | e9d1 0202 | r1=1000 m1008=1 m100c=2     | r0=1 r2=2 |
        ldrd, unaligned             | e9d1 0202 | r1=1002                     | | stop: unaligned
        strd r0, r2, [r1], #-8      | e861 0202 | r0=1 r2=2 r1=1000           | r1=ff8 m1000=1 m1004=2 |
        ldrd r1, r2, [r1]           | e9d1 1200 | r1=1000                     | | stop: LDRD
        ldm r1!, {r0, r2}           | c905      | r1=1000 m1000=1 m1004=2     | r0=1 r2=2 r1=1008 |
        ldm r1, {r1, r2}            | c906      | r1=1000 m1000=1 m1004=2     | r1=1 r2=2 |
        ldmdb r1!, {r0, r2}         | e931 0005 | r1=1008 m1000=1 m1004=2     | r0=1 r2=2 r1=1000 |
        ldm, unaligned              | c905      | r1=1001                     | | stop: unaligned
        stm r1!, {r0, r2}           | c105      | r0=1 r2=2 r1=1000           | r1=1008 m1000=1 m1004=2 |
        push {r0, lr}               | b501      | r0=1 lr=2 sp=1008           | sp=1000 m1000=1 m1004=2 |
        pop {r0, pc}                | bd01      | sp=1000 m1000=1 m1004=203   | sp=1008 r0=1 | branch 203
        ldr r0, [pc, #0] at 102     | bf00 4800 | m104=5                      | r0=5 |
        ldr pc, [r1, r2, lsl #2]    | f851 f022 | r1=1000 r2=1 m1004=301      | | branch 301
        ldr sp, [r1]                | f8d1 d000 | r1=1000                     | | stop: a load to SP
        ",
    );
}

#[test]
fn branches() {
    check(
        "
        b             | e008      |                  | | jump 114
        beq, taken    | d0fc      | z=1              | | jump fc
        beq, not      | d0fc      | c=1 n=1 v=1      | |
        cbz, taken    | b140      |                  | | jump 114
        cbz, not      | b140      | r0=80000000      | |
        cbnz, taken   | b940      | r0=1             | | jump 114
        bl            | f000 f9f4 |                  | lr=105 | call 4ec 104
        blx r3        | 4798      | r3=201           | lr=103 | call 201
        blx lr        | 47f0      | lr=201           | lr=103 | call 201
        bx lr         | 4770      | lr=201           | | branch 201
        tbb [pc, r0]  | e8df f000 | r0=2 m104=ff05ff00 | | jump 10e
        tbh [pc, r0]  | e8df f010 | r0=1 m104=10ffff | | jump 124
        udf           | dee2      |                  | | trap e2
        svc           | df00      |                  | | stop: Svc
        mrs           | f3ef 8000 |                  | | stop: Mrs
        ",
    );
}

#[test]
fn it_blocks() {
    check(
        "
        itt eq; cmpeq r2, r3; moveq r0, #1: the second sees new flags | bf04 429a 2001 | z=1 r2=1 | z=0 c=1 |
        the same, first not executed            | bf04 429a 2001 | r3=0         | |
        the same, both executed                 | bf04 429a 2001 | z=1          | r0=1 c=1 |
        ite lt, then                            | bfb4 2001 2002 | n=1          | r0=1 |
        ite lt, else                            | bfb4 2001 2002 |              | r0=2 |
        it ne; ldrne r0, [r1], executed         | bf18 6808      | r1=1000 m1000=5     | r0=5 |
        it ne; ldrne r0, [r1], not executed     | bf18 6808      | r1=1000 m1000=5 z=1 | |
        it lo; strlo r0, [r1], executed         | bf38 6008      | r0=3 r1=1000     | m1000=3 |
        it lo; strlo r0, [r1], not executed     | bf38 6008      | r0=3 r1=1000 c=1 | |
        it eq; addeq leaves the flags           | bf08 1888      | z=1 c=1 r1=1 r2=2 | r0=3 |
        it eq; adds.w sets the flags            | bf08 eb11 0002 | z=1 c=1 r1=1 r2=2 | r0=3 z=0 c=0 |
        it eq; bxeq lr                          | bf08 4770      | z=1 lr=201       | | branch 201
        it eq; bxeq lr, not executed            | bf08 4770      | lr=201           | |
        itt eq; popeq last                      | bf04 6808 bd01 | z=1 r1=1000 m1000=9 sp=2000 m2000=1 m2004=301 | r0=1 sp=2008 | branch 301
        itt eq; bx not last                     | bf04 4770 2001 | z=1 lr=201       | | stop: UNPREDICTABLE
        itt eq; pop {pc} not last               | bf04 bd01 2001 |                  | | stop: UNPREDICTABLE
        it inside it                            | bf08 bf08      |                  | | stop: UNPREDICTABLE
        cbz inside it                           | bf08 b140      |                  | | stop: UNPREDICTABLE
        conditional branch inside it            | bf08 d0fc      |                  | | stop: UNPREDICTABLE
        movs r0, r1 (16-bit) inside it          | bf08 0008      |                  | | stop: UNPREDICTABLE
        movs.w r0, r1 inside it                 | bf08 ea5f 0001 | z=1 r1=1         | r0=1 z=0 |
        four slots end, the fifth is free       | bf01 2001 2101 2201 2301 2401 | c=1 | r4=1 z=0 |
        ",
    );
}

#[test]
fn armv6m_faults_on_an_address_that_is_no_multiple_of_the_size() {
    // ldr, ldrh, ldrb r0, [r1]; str, strh, strb r0, [r1].
    for (code, size) in [(0x6808, 4), (0x8808, 2), (0x7808, 1), (0x6008, 4), (0x8008, 2), (0x7008, 1)] {
        for at in 0..8 {
            for architecture in [Architecture::V6M, Architecture::V7M] {
                let mut machine = Plain::new();
                machine.target.architecture = architecture;
                machine.registers[1] = 0x2000_0000 + at;
                let faults = machine.run(&[code]).is_err();
                assert_eq!(faults, architecture == Architecture::V6M && at % size != 0, "{code:x} at {at}");
            }
        }
    }
}
