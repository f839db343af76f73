//! Encodings that print cleanly elsewhere and must be refused, each beside a twin that is accepted.

use synth_verify::thumb::decode::{DecodeError, decode};
use synth_verify::thumb::feature::Architecture;

fn text(code: &str) -> String {
    let bytes: Vec<u8> =
        code.split(' ').flat_map(|half| u16::from_str_radix(half, 16).expect("a halfword").to_le_bytes()).collect();
    match decode(&bytes, 0) {
        Ok((inst, size)) => {
            assert_eq!(size as usize, bytes.len(), "{code}");
            inst.to_string()
        }
        Err(DecodeError::Undefined) => "undefined".to_owned(),
        Err(DecodeError::Unpredictable(_)) => "unpredictable".to_owned(),
        Err(DecodeError::Unmodelled(what)) => what.to_owned(),
        Err(DecodeError::Truncated) => "truncated".to_owned(),
    }
}

/// Lines of: refused code, its class, accepted code, its text.
fn check(cases: &str) {
    for case in cases.lines().map(str::trim).filter(|case| !case.is_empty()) {
        let columns: Vec<&str> = case.split('|').map(str::trim).collect();
        let [refused, class, accepted, expected] = columns[..] else {
            panic!("four columns: {case}");
        };
        assert_eq!(text(refused), class, "{refused}");
        assert_eq!(text(accepted), expected, "{accepted}");
    }
}

#[test]
fn transfers() {
    check(
        "
        e9d1 0002 | unpredictable | e9d1 0202 | ldrd r0, r2, [r1, #8]
        e9f1 1202 | unpredictable | e9d1 1202 | ldrd r1, r2, [r1, #8]
        e9d1 0d02 | unpredictable | e9d1 0e02 | ldrd r0, lr, [r1, #8]
        e9ff 0202 | unpredictable | e9df 0202 | ldrd r0, r2, [pc, #8]
        e9cf 0202 | unpredictable | e9c1 0202 | strd r0, r2, [r1, #8]
        e891 0001 | unpredictable | e891 0003 | ldm r1, {r0, r1}
        e8b1 0003 | unpredictable | e8b1 0005 | ldm r1!, {r0, r2}
        e8bd c001 | unpredictable | e8bd 8001 | pop {r0, pc}
        e8bd 2001 | unpredictable | e8bd 4001 | pop {r0, lr}
        e92d 8001 | unpredictable | e92d 4001 | push {r0, lr}
        c1ff      | unpredictable | c11e      | stm r1!, {r1, r2, r3, r4}
        c100      | unpredictable | c101      | stm r1!, {r0}
        b400      | unpredictable | b500      | push {lr}
        bc00      | unpredictable | bd00      | pop {pc}
        f891 d000 | unpredictable | f891 c000 | ldrb r12, [r1]
        f891 f000 | a memory hint | f891 e000 | ldrb lr, [r1]
        f8c1 f000 | unpredictable | f8c1 e000 | str lr, [r1]
        f8cf 0000 | undefined     | f8ce 0000 | str r0, [lr]
        f851 1b04 | unpredictable | f851 0b04 | ldr r0, [r1], #4
        f851 0804 | undefined     | f851 0c04 | ldr r0, [r1, #-4]
        f851 0e04 | an unprivileged access | f851 0d04 | ldr r0, [r1, #-4]!
        f851 0042 | undefined     | f851 0032 | ldr r0, [r1, r2, lsl #3]
        f851 002d | unpredictable | f851 002e | ldr r0, [r1, lr, lsl #2]
        f8df f002 | unpredictable | f8df f004 | ldr pc, [pc, #4]
        f921 0002 | undefined     | f931 0002 | ldrsh r0, [r1, r2]
        e8dd f000 | unpredictable | e8df f000 | tbb [pc, r0]
        e8df f00d | unpredictable | e8df f00c | tbb [pc, r12]
        e851 0f00 | an exclusive access | e951 0e00 | ldrd r0, lr, [r1]
        e8df 0000 | unpredictable | e8df f010 | tbh [pc, r0, lsl #1]
        ",
    );
}

#[test]
fn arithmetic() {
    check(
        "
        fba2 0003 | unpredictable | fba2 0103 | umull r0, r1, r2, r3
        fba2 0d03 | unpredictable | fba2 0e03 | umull r0, lr, r2, r3
        fb91 00f2 | unpredictable | fb91 f0f2 | sdiv r0, r1, r2
        fb01 d002 | unpredictable | fb01 f002 | mul r0, r1, r2
        fb01 f012 | unpredictable | fb01 e012 | mls r0, r1, r2, lr
        fb11 f002 | a multiplication of the DSP extension | fb51 f002 | smmul r0, r1, r2
        f011 0d01 | unpredictable | f011 0f01 | tst r1, #1
        f001 0f01 | unpredictable | f001 0e01 | and lr, r1, #1
        f00d 0001 | unpredictable | f10d 0001 | add r0, sp, #1
        f101 0d01 | unpredictable | f10d 0d01 | add sp, sp, #1
        f10d 0f01 | unpredictable | f11d 0f01 | cmn sp, #1
        f04f 0d01 | unpredictable | f04f 0e01 | mov lr, #1
        f041 1000 | unpredictable | f041 1001 | orr r0, r1, #65537
        eb01 8002 | unpredictable | eb01 0002 | add r0, r1, r2
        eb0d 1d02 | unpredictable | eb0d 0dc2 | add sp, sp, r2, lsl #3
        eb01 0d02 | unpredictable | eb0d 0d02 | add sp, sp, r2
        ea4f 0d0d | unpredictable | ea4f 0d01 | mov sp, r1
        ea5f 0d01 | unpredictable | ea5f 0e01 | movs lr, r1
        ea4f 0d41 | unpredictable | ea4f 0e41 | lsl lr, r1, #1
        eac1 0002 | PKHBT or PKHTB | ebc1 0002 | rsb r0, r1, r2
        f361 1003 | unpredictable | f361 1004 | bfi r0, r1, #4, #1
        f361 1024 | unpredictable | f36f 1004 | bfc r0, #4, #1
        f3c1 101c | unpredictable | f3c1 101b | ubfx r0, r1, #4, #28
        f7c1 1007 | unpredictable | f3c1 1007 | ubfx r0, r1, #4, #8
        fab1 f082 | unpredictable | fab1 f081 | clz r0, r1
        fa1f f0c1 | unpredictable | fa1f f081 | uxth r0, r1
        fa2f f081 | extension of two bytes | fa5f f081 | uxtb r0, r1
        fa91 00a1 | undefined     | fa91 f0a1 | rbit r0, r1
        fa01 f00d | unpredictable | fa01 f00c | lsl r0, r1, r12
        f301 0000 | a saturation  | f340 0000 | sbfx r0, r0, #0, #1
        f24f 0d00 | unpredictable | f24f 0e00 | movw lr, #61440
        ba80      | undefined     | ba40      | rev16 r0, r0
        4508      | unpredictable | 4588      | cmp r8, r1
        45f8      | unpredictable | 45f0      | cmp r8, lr
        ",
    );
}

#[test]
fn control() {
    check(
        "
        4771      | unpredictable | 4770      | bx lr
        47f8      | unpredictable | 47f0      | blx lr
        4768      | branch to the stack | 4760 | bx r12
        4687      | MOV with PC   | 4686      | mov lr, r0
        4487      | ADD with PC   | 4486      | add lr, lr, r0
        bfe8      | IT with condition AL | bfd8 | it le
        bff8      | unpredictable | bfdf      | itttt le
        bf50      | an unallocated hint | bf00 | nop
        f3af 8005 | an unallocated hint | f3af 8000 | nop
        f3af 8800 | unpredictable | f3af 8000 | nop
        f3bf 8f3f | undefined     | f3bf 8f5f | dmb
        f3bf 8e5f | unpredictable | f3bf 8f6f | isb
        f7f0 a000 | the 32-bit UDF | de00     | udf #0
        f380 8000 | unpredictable | f380 8800 | msr apsr_nzcvq, r0
        f3ef 8004 | unpredictable | f3ef 8005 | mrs r0, ipsr
        ee00 0110 | a coprocessor instruction | de01 | udf #1
        fc00 0a00 | an instruction of a coprocessor or of vectors | de02 | udf #2
        ",
    );
}

#[test]
fn truncated_code() {
    assert_eq!(decode(&[], 0), Err(DecodeError::Truncated));
    assert_eq!(decode(&[0], 0), Err(DecodeError::Truncated));
    assert_eq!(decode(&[0, 0xf0, 0], 0), Err(DecodeError::Truncated));
    assert_eq!(decode(&[0, 0xbf], usize::MAX), Err(DecodeError::Truncated));
}

#[test]
fn the_floating_point_unit() {
    check(
        "
        ee00 0a20 | a fused, negated or accumulating product | ee20 0a20 | vmul.f32 s0, s0, s1
        ee20 0a60 | a fused, negated or accumulating product | ee30 0a60 | vsub.f32 s0, s0, s1
        eea0 0a20 | a fused, negated or accumulating product | ee80 0a20 | vdiv.f32 s0, s0, s1
        fe80 0a60 | a selection, minimum, maximum, or rounding of another kind | feb9 0a60 | vrintn.f32 s0, s1
        feb8 0a60 | a selection, minimum, maximum, or rounding of another kind | feba 0a60 | vrintp.f32 s0, s1
        ee70 0b00 | undefined | ee30 0b00 | vadd.f64 d0, d0, d0
        eeb4 0ae0 | a conversion, rounding or comparison of another kind | eeb4 0a60 | vcmp.f32 s0, s1
        eeb5 0a41 | unpredictable | eeb5 0a40 | vcmp.f32 s0, #0
        eebd 0a40 | a conversion, rounding or comparison of another kind | eebd 0ac0 | vcvt.s32.f32 s0, s0
        eeba 0ac0 | a conversion, rounding or comparison of another kind | eeb8 0ac0 | vcvt.f32.s32 s0, s0
        eeb2 0a40 | a conversion, rounding or comparison of another kind | eeb0 0a40 | vmov.f32 s0, s0
        eeb7 0a28 | unpredictable | eeb7 0a08 | vmov.f32 s0, #1.500000e+00
        ee00 0a30 | unpredictable | ee00 0a10 | vmov s0, r0
        ee00 da10 | unpredictable | ee00 ea10 | vmov s0, lr
        ee00 0b10 | a part of a double register, or another status register | ee10 0a10 | vmov r0, s0
        eee0 0a10 | a part of a double register, or another status register | eee1 0a10 | vmsr fpscr, r0
        eef1 fa30 | unpredictable | eef1 fa10 | vmrs APSR_nzcv, fpscr
        ec51 1b10 | unpredictable | ec51 0b10 | vmov r0, r1, d0
        ec41 0a3f | unpredictable | ec41 0a1f | vmov s30, s31, r0, r1
        ed8f 0a00 | unpredictable | ed8d 0a00 | vstr s0, [sp]
        edcd 0b00 | undefined | ed8d 0b00 | vstr d0, [sp]
        ed2d 8b03 | FLDMX or FSTMX | ed2d 8b04 | vpush {d8, d9}
        ed2d 8a00 | unpredictable | ed2d 8a01 | vpush {s16}
        ed2d fb04 | unpredictable | ed2d fb02 | vpush {d15}
        ",
    );
}

#[test]
fn every_encoding_gives_an_answer() {
    let mut refused = std::collections::BTreeSet::new();
    for first in 0..=0xffff_u16 {
        let first_bytes = first.to_le_bytes();
        if first >= 0xe800 {
            assert_eq!(decode(&first_bytes, 0), Err(DecodeError::Truncated), "{first:x}");
        }
        for second in [0, 0x0a00, 0x1a40, 0x7f0f, 0x8001, 0xb0ff, 0xd000, 0xf080, 0xfa10, 0xffff_u16] {
            let bytes = [first_bytes, second.to_le_bytes()].concat();
            refused.extend(decode(&bytes, 0).err().map(|error| error.to_string()));
        }
    }
    assert!(refused.len() > 20 && !refused.contains(&DecodeError::Truncated.to_string()), "{refused:#?}");
}

/// The GE flags are those of the DSP extension.
#[test]
fn only_the_dsp_extension_writes_ge() {
    let allowed = |architecture: Architecture, bytes: [u8; 4]| {
        let (inst, size) = decode(&bytes, 0).expect("MSR");
        architecture.require(&inst, size).is_ok()
    };
    let (nzcvq, ge) = ([0x80, 0xf3, 0x00, 0x88], [0x80, 0xf3, 0x00, 0x84]);
    assert!(allowed(Architecture::V7M, nzcvq) && !allowed(Architecture::V7M, ge));
    assert!(allowed(Architecture::V7EM, ge));
}
