//! Symbol spellings of Wasm names (`docs/abi.md`, "Names").

/// The spelling of an export: `[A-Za-z0-9_]` stays, other bytes and a leading digit are escaped.
pub fn mangle(name: &str) -> String {
    spell(name, Underscore::Kept, Leading::Escaped)
}

/// The symbol of an imported function. The first underscore ends the module's part, because an
/// underscore inside that part is escaped.
pub fn import(module: &str, field: &str) -> String {
    let module = spell(module, Underscore::Escaped, Leading::Escaped);
    format!("{module}_{}", spell(field, Underscore::Kept, Leading::Kept))
}

/// Makes an identifier of a file stem; not injective.
pub fn identifier(stem: &str) -> String {
    let kept: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    match kept.chars().next() {
        None => "module".into(),
        Some(first) if first.is_ascii_digit() => format!("_{kept}"),
        Some(_) => kept,
    }
}

/// Whether a name may be a module name: a C identifier.
pub fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Underscore {
    Kept,
    Escaped,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Leading {
    Kept,
    Escaped,
}

fn spell(name: &str, underscore: Underscore, leading_digit: Leading) -> String {
    if name.is_empty() {
        // A symbol without a name is none.
        return "$".into();
    }
    let mut spelt = String::new();
    for (index, byte) in name.bytes().enumerate() {
        let kept = match byte {
            b'_' => underscore == Underscore::Kept,
            b'0'..=b'9' => index > 0 || leading_digit == Leading::Kept,
            _ => byte.is_ascii_alphabetic(),
        };
        if kept {
            spelt.push(char::from(byte));
        } else {
            spelt.push_str(&format!("${byte:02x}"));
        }
    }
    spelt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        assert_eq!(mangle("control_step"), "control_step");
        assert_eq!(mangle("a-b"), "a$2db");
        assert_eq!(mangle("7z"), "$37z");
        assert_eq!(mangle(""), "$");
        assert_eq!(import("", ""), "$_$");
        assert_eq!(import("my_host", "get_2"), "my$5fhost_get_2");
        assert_ne!(import("a", "b_c"), import("a_b", "c"));
        assert_eq!(identifier("flat_flight.loom"), "flat_flight_loom");
        assert_eq!(identifier("1"), "_1");
    }
}
