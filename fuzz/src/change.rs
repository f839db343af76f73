//! Files with some bytes changed: set, flipped, counted up, cut out, repeated, exchanged.

use crate::choices::Choices;

/// Most changes of one file.
const CHANGES_MAX: usize = 6;

/// The file with one change or a few.
pub fn bytes(file: &[u8], choices: &mut Choices<'_>) -> Vec<u8> {
    let mut changed = file.to_vec();
    for _ in 0..=choices.below(CHANGES_MAX) {
        if changed.is_empty() {
            break;
        }
        one(&mut changed, choices);
    }
    changed
}

fn one(file: &mut Vec<u8>, choices: &mut Choices<'_>) {
    let at = place(file, choices);
    match choices.below(9) {
        0 => file[at] = choices.byte(),
        1 => file[at] ^= 1 << choices.below(8),
        2 => file[at] = file[at].wrapping_add(1),
        3 => file[at] = file[at].wrapping_sub(1),
        4 => {
            // A field of four bytes: sizes, offsets, addresses.
            let value = choices.i32().to_le_bytes();
            for (byte, new) in file[at..].iter_mut().zip(value) {
                *byte = new;
            }
        }
        5 => file.truncate(at),
        6 => {
            let end = (at + 1 + choices.below(64)).min(file.len());
            file.drain(at..end);
        }
        7 => {
            let end = (at + 1 + choices.below(64)).min(file.len());
            let again = file[at..end].to_vec();
            file.splice(at..at, again);
        }
        _ => {
            let (other, length) = (place(file, choices), choices.below(16));
            for offset in 0..length {
                let (a, b) = (at + offset, other + offset);
                if a.max(b) < file.len() {
                    file.swap(a, b);
                }
            }
        }
    }
}

/// Any place, as likely near the ends as anywhere.
fn place(file: &[u8], choices: &mut Choices<'_>) -> usize {
    let (kind, low, high) = (choices.below(4), usize::from(choices.byte()), usize::from(choices.byte()));
    match kind {
        0 => low % file.len(),
        1 => file.len() - 1 - (low << 1 | high & 1) % file.len(),
        _ => (high << 8 | low) % file.len(),
    }
}
