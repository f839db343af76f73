//! A small assembler for the code that no Wasm function stands behind: instantiation, startup, harness.
//!
//! Requires: each label is placed once before `finish`; short branches stay in their range.
//! Ensures: what is appended is the encoding of Arm ARM DDI0403, A7.7, named at each method.
//!
//! Operands are checked by assertion: all callers are in this crate and pass no user's data
//! except through `constant`, which takes any word.

use super::program::{Relocation, RelocationKind, Symbol};

/// A core register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reg(pub u16);

/// Stack pointer.
pub const SP: Reg = Reg(13);
/// Link register.
pub const LR: Reg = Reg(14);

/// A place to branch to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Label(usize);

/// When a branch is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// Zero flag set.
    Equal,
    /// Zero flag clear.
    NotEqual,
    /// Unsigned greater or equal.
    NotBelow,
}

impl When {
    fn bits(self) -> u16 {
        match self {
            When::Equal => 0,
            When::NotEqual => 1,
            When::NotBelow => 2,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Fixup {
    /// `B<c>` T1, 8-bit offset.
    Conditional,
    /// `B` T2, 11-bit offset.
    Short,
    /// `BL` T1, 24-bit offset.
    Call,
    /// The absolute address of the label by a `MOVW`/`MOVT` pair, Thumb bit not set.
    Address,
}

/// Code under construction.
#[derive(Debug, Default)]
pub struct Assembler {
    code: Vec<u16>,
    labels: Vec<Option<usize>>,
    fixups: Vec<(usize, Label, Fixup)>,
    relocations: Vec<Relocation>,
}

impl Assembler {
    /// Bytes so far.
    pub fn position(&self) -> u32 {
        2 * self.code.len() as u32
    }

    /// A label to be placed later.
    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// Puts a label here.
    pub fn place(&mut self, label: Label) {
        assert!(self.labels[label.0].is_none(), "a label has one place");
        self.labels[label.0] = Some(self.code.len());
    }

    /// A label that stands here.
    pub fn here(&mut self) -> Label {
        let label = self.label();
        self.place(label);
        label
    }

    /// The offset of a label that has been placed.
    pub fn offset(&self, label: Label) -> u32 {
        2 * self.labels[label.0].expect("the label is placed") as u32
    }

    /// Resolves every label. `origin` is the address of the first byte, for absolute addresses.
    pub fn finish(mut self, origin: u32) -> (Vec<u8>, Vec<Relocation>) {
        for (at, label, fixup) in std::mem::take(&mut self.fixups) {
            let target = self.labels[label.0].expect("every label is placed");
            let distance = 2 * (target as i32 - at as i32) - 4;
            match fixup {
                Fixup::Conditional => {
                    assert!(
                        (-256..=254).contains(&distance),
                        "a short conditional branch is in range"
                    );
                    self.code[at] |= (distance >> 1) as u16 & 0xff;
                }
                Fixup::Short => {
                    assert!(
                        (-2048..=2046).contains(&distance),
                        "a short branch is in range"
                    );
                    self.code[at] |= (distance >> 1) as u16 & 0x7ff;
                }
                Fixup::Call => {
                    let [first, second] =
                        bl(distance).expect("startup code is shorter than 16 MiB");
                    self.code[at] = first;
                    self.code[at + 1] = second;
                }
                Fixup::Address => {
                    let address = origin + 2 * target as u32;
                    set_move(&mut self.code[at..at + 2], address as u16);
                    set_move(&mut self.code[at + 2..at + 4], (address >> 16) as u16);
                }
            }
        }
        (
            self.code
                .iter()
                .flat_map(|half| half.to_le_bytes())
                .collect(),
            self.relocations,
        )
    }

    fn half(&mut self, half: u16) {
        self.code.push(half);
    }

    fn low(reg: Reg) -> u16 {
        assert!(reg.0 < 8, "a 16-bit encoding names a low register");
        reg.0
    }

    /// `PUSH` T1: low registers by bit, LR as bit 8.
    pub fn push(&mut self, mask: u16) {
        self.half(0xb400 | mask);
    }

    /// `POP` T1: low registers by bit, PC as bit 8.
    pub fn pop(&mut self, mask: u16) {
        self.half(0xbc00 | mask);
    }

    /// Puts a constant into a register: `MOVS` T1, `MOVW` T3, or `MOVW` and `MOVT` T1.
    pub fn constant(&mut self, d: Reg, value: u32) {
        if d.0 < 8 && value < 256 {
            return self.half(0x2000 | d.0 << 8 | value as u16);
        }
        self.move_wide(d, value as u16, 0xf240);
        if value >> 16 != 0 {
            self.move_wide(d, (value >> 16) as u16, 0xf2c0);
        }
    }

    fn move_wide(&mut self, d: Reg, value: u16, opcode: u16) {
        let at = self.code.len();
        self.code.extend([opcode, d.0 << 8]);
        set_move(&mut self.code[at..], value);
    }

    /// The address of a symbol, by `MOVW` and `MOVT`.
    pub fn address(&mut self, d: Reg, symbol: Symbol) {
        for (kind, opcode) in [
            (RelocationKind::MovwAbsNc, 0xf240),
            (RelocationKind::MovtAbs, 0xf2c0),
        ] {
            self.relocations.push(Relocation {
                offset: self.position(),
                kind,
                symbol,
                addend: 0,
            });
            self.move_wide(d, 0, opcode);
        }
    }

    /// The address of a label in code at a fixed place, by `MOVW` and `MOVT`.
    pub fn address_of(&mut self, d: Reg, label: Label) {
        self.fixups.push((self.code.len(), label, Fixup::Address));
        self.move_wide(d, 0, 0xf240);
        self.move_wide(d, 0, 0xf2c0);
    }

    /// `BL` to a function.
    pub fn call(&mut self, symbol: Symbol) {
        let offset = self.position();
        self.relocations.push(Relocation {
            offset,
            kind: RelocationKind::ThmCall,
            symbol,
            addend: 0,
        });
        self.code.extend([0xf000, 0xd000]);
    }

    /// `BL` to a label.
    pub fn call_label(&mut self, label: Label) {
        self.fixups.push((self.code.len(), label, Fixup::Call));
        self.code.extend([0xf000, 0xd000]);
    }

    /// `BLX` T1.
    pub fn call_register(&mut self, m: Reg) {
        self.half(0x4780 | m.0 << 3);
    }

    /// `BX` T1.
    pub fn branch_register(&mut self, m: Reg) {
        self.half(0x4700 | m.0 << 3);
    }

    /// `B` T2.
    pub fn branch(&mut self, label: Label) {
        self.fixups.push((self.code.len(), label, Fixup::Short));
        self.half(0xe000);
    }

    /// `B<c>` T1.
    pub fn branch_when(&mut self, when: When, label: Label) {
        self.fixups
            .push((self.code.len(), label, Fixup::Conditional));
        self.half(0xd000 | when.bits() << 8);
    }

    /// `MOV` T1.
    pub fn copy(&mut self, d: Reg, m: Reg) {
        self.half(0x4600 | (d.0 & 8) << 4 | m.0 << 3 | (d.0 & 7));
    }

    /// `ADD` T2 (register, flags kept).
    pub fn add(&mut self, d: Reg, m: Reg) {
        self.half(0x4400 | (d.0 & 8) << 4 | m.0 << 3 | (d.0 & 7));
    }

    /// `ADDS` T2 with an 8-bit immediate.
    pub fn add_imm(&mut self, d: Reg, value: u16) {
        assert!(value < 256, "the immediate has 8 bits");
        self.half(0x3000 | Self::low(d) << 8 | value);
    }

    /// `SUBS` T2 with an 8-bit immediate.
    pub fn sub_imm(&mut self, d: Reg, value: u16) {
        assert!(value < 256, "the immediate has 8 bits");
        self.half(0x3800 | Self::low(d) << 8 | value);
    }

    /// `SUB` T1 (register), low registers, sets the flags.
    pub fn sub(&mut self, d: Reg, n: Reg, m: Reg) {
        self.half(0x1a00 | Self::low(m) << 6 | Self::low(n) << 3 | Self::low(d));
    }

    /// `LSLS` T1 by an immediate of 1 to 31.
    pub fn shift_left(&mut self, d: Reg, m: Reg, count: u16) {
        assert!(
            (1..32).contains(&count),
            "a count of 0 is another instruction"
        );
        self.half(count << 6 | Self::low(m) << 3 | Self::low(d));
    }

    /// `LSRS` T1 by an immediate of 1 to 31.
    pub fn shift_right(&mut self, d: Reg, m: Reg, count: u16) {
        assert!((1..32).contains(&count), "a count of 0 means 32");
        self.half(0x0800 | count << 6 | Self::low(m) << 3 | Self::low(d));
    }

    /// `CMP` T1 with an 8-bit immediate.
    pub fn compare_imm(&mut self, n: Reg, value: u16) {
        assert!(value < 256, "the immediate has 8 bits");
        self.half(0x2800 | Self::low(n) << 8 | value);
    }

    /// `CMP` T1 (register), low registers.
    pub fn compare(&mut self, n: Reg, m: Reg) {
        self.half(0x4280 | Self::low(m) << 3 | Self::low(n));
    }

    /// `LDR` T3: 12-bit offset.
    pub fn load(&mut self, t: Reg, n: Reg, offset: u16) {
        assert!(offset < 4096, "the offset has 12 bits");
        self.code.extend([0xf8d0 | n.0, t.0 << 12 | offset]);
    }

    /// `STR` T3: 12-bit offset.
    pub fn store(&mut self, t: Reg, n: Reg, offset: u16) {
        assert!(offset < 4096, "the offset has 12 bits");
        self.code.extend([0xf8c0 | n.0, t.0 << 12 | offset]);
    }

    /// `LDRH` T1 without offset.
    pub fn load_half(&mut self, t: Reg, n: Reg) {
        self.half(0x8800 | Self::low(n) << 3 | Self::low(t));
    }

    /// `LDR` T1 (register), low registers.
    pub fn load_indexed(&mut self, t: Reg, n: Reg, m: Reg) {
        self.half(0x5800 | Self::low(m) << 6 | Self::low(n) << 3 | Self::low(t));
    }

    /// `STR` T1 (register), low registers.
    pub fn store_indexed(&mut self, t: Reg, n: Reg, m: Reg) {
        self.half(0x5000 | Self::low(m) << 6 | Self::low(n) << 3 | Self::low(t));
    }

    /// `LDR` T4, post-indexed.
    pub fn load_advance(&mut self, t: Reg, n: Reg) {
        self.code.extend([0xf850 | n.0, t.0 << 12 | 0x0b04]);
    }

    /// `STR` T4, post-indexed.
    pub fn store_advance(&mut self, t: Reg, n: Reg) {
        self.code.extend([0xf840 | n.0, t.0 << 12 | 0x0b04]);
    }

    /// `LDRB` T3, post-indexed.
    pub fn load_byte_advance(&mut self, t: Reg, n: Reg) {
        self.code.extend([0xf810 | n.0, t.0 << 12 | 0x0b01]);
    }

    /// `STRB` T3, post-indexed.
    pub fn store_byte_advance(&mut self, t: Reg, n: Reg) {
        self.code.extend([0xf800 | n.0, t.0 << 12 | 0x0b01]);
    }

    /// `STMIA` T1 with write-back.
    pub fn store_multiple(&mut self, n: Reg, mask: u16) {
        assert!(mask & 1 << n.0 == 0, "the base is not stored");
        self.half(0xc000 | Self::low(n) << 8 | mask);
    }

    /// `UDF` T1.
    pub fn trap(&mut self, code: u8) {
        self.half(0xde00 | u16::from(code));
    }

    /// `BKPT #0xab`, a semihosting request (Arm semihosting, "The semihosting interface").
    pub fn semihost(&mut self) {
        self.half(0xbeab);
    }

    /// `WFI` T1.
    pub fn wait(&mut self) {
        self.half(0xbf30);
    }

    /// `NOP` T1.
    pub fn nop(&mut self) {
        self.half(0xbf00);
    }
}

/// Puts a 16-bit immediate into a `MOVW` or `MOVT` (DDI0403 A7.7.76 T3, A7.7.79 T1).
pub fn set_move(code: &mut [u16], value: u16) {
    code[0] = code[0] & !0x040f | value >> 12 | (value >> 11 & 1) << 10;
    code[1] = code[1] & !0x70ff | (value >> 8 & 7) << 12 | value & 0xff;
}

/// `BL` T1 over a distance from the instruction's address plus 4; `None` beyond 16 MiB.
pub fn bl(distance: i32) -> Option<[u16; 2]> {
    wide_branch(distance, 0xd000)
}

/// `B` T4 over a distance from the instruction's address plus 4; `None` beyond 16 MiB.
pub fn b_wide(distance: i32) -> Option<[u16; 2]> {
    wide_branch(distance, 0x9000)
}

fn wide_branch(distance: i32, second: u16) -> Option<[u16; 2]> {
    if !(-(1 << 24)..1 << 24).contains(&distance) || distance & 1 != 0 {
        return None;
    }
    let sign = (distance >> 24 & 1) as u16;
    let j1 = (!(distance >> 23) as u16 ^ sign) & 1;
    let j2 = (!(distance >> 22) as u16 ^ sign) & 1;
    let high = (distance >> 12) as u16 & 0x3ff;
    let low = (distance >> 1) as u16 & 0x7ff;
    Some([
        0xf000 | sign << 10 | high,
        second | j1 << 13 | j2 << 11 | low,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_over_known_distances() {
        assert_eq!(bl(-4), Some([0xf7ff, 0xfffe]));
        assert_eq!(bl(0), Some([0xf000, 0xf800]));
        assert_eq!(b_wide(-4), Some([0xf7ff, 0xbffe]));
        assert_eq!(bl(0x00ff_fffe), Some([0xf3ff, 0xd7ff]));
        assert_eq!(bl(1 << 24), None);
        assert_eq!(bl(-(1 << 24)), Some([0xf400, 0xd000]));
    }

    #[test]
    fn immediates_of_moves() {
        let mut movw = [0xf240, 0x0300];
        set_move(&mut movw, 0xabcd);
        // movw r3, #0xabcd
        assert_eq!(movw, [0xf64a, 0x33cd]);
    }
}
