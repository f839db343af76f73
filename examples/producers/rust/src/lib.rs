//! A ledger of accounts: collections, sorting, text, trait objects and floating point of std.

use std::collections::BTreeMap;
use std::fmt::Write;

trait Entry {
    fn amount(&self) -> i64;
}

struct Payment(i32);
struct Interest {
    principal: i32,
    rate: f64,
}

impl Entry for Payment {
    fn amount(&self) -> i64 {
        i64::from(self.0)
    }
}

impl Entry for Interest {
    fn amount(&self) -> i64 {
        (f64::from(self.principal) * self.rate).round() as i64
    }
}

fn next(state: &mut u32) -> u32 {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    *state >> 8
}

/// A hash of the printed ledger that a seed makes.
#[no_mangle]
pub extern "C" fn answer(seed: u32) -> u32 {
    let mut state = seed;
    let mut accounts: BTreeMap<u32, Vec<Box<dyn Entry>>> = BTreeMap::new();
    for _ in 0..96 {
        let account = next(&mut state) % 13;
        let amount = (next(&mut state) % 20_001) as i32 - 10_000;
        let entry: Box<dyn Entry> = match next(&mut state) % 3 {
            0 => Box::new(Interest { principal: amount, rate: f64::from(next(&mut state) % 1000) / 10_000.0 }),
            _ => Box::new(Payment(amount)),
        };
        accounts.entry(account).or_default().push(entry);
    }
    let mut balances: Vec<(i64, u32)> =
        accounts.iter().map(|(account, entries)| (entries.iter().map(|entry| entry.amount()).sum(), *account)).collect();
    balances.sort();
    let mut text = String::new();
    for (balance, account) in &balances {
        writeln!(text, "{account:>4} {balance:+}").expect("a string grows");
    }
    text.bytes().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
