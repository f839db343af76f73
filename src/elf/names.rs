//! Symbol spellings of Wasm names (`docs/abi.md`, "Names").

/// The variable with the lowest address that the stack may use.
pub const STACK_LIMIT: &str = "synth_stack_limit";

/// The spelling of an export: `[A-Za-z0-9_]` stays, other bytes and a leading digit are escaped. The empty
/// name is the escape of nothing.
pub fn mangle(name: &str) -> String {
    spell(name, Underscore::Kept, Leading::Escaped)
}

/// The symbol of an imported function. The first underscore ends the module's part, because an
/// underscore inside that part is escaped.
pub fn import(module: &str, field: &str) -> String {
    let module = spell(module, Underscore::Escaped, Leading::Escaped);
    format!("{module}_{}", spell(field, Underscore::Kept, Leading::Kept))
}

/// The symbol of an export of one of several inputs.
pub fn linked_export(input: &str, name: &str) -> String {
    format!("{}_{}", mangle(input), spell(name, Underscore::Kept, Leading::Kept))
}

/// The symbol of an exported memory: memory 0 has no number.
pub fn exported_memory(name: &str, index: u32) -> String {
    if index == 0 { format!("{name}_memory") } else { format!("{name}_memory{index}") }
}

/// The Wasm name that a spelling stands for; what [`mangle`] does not make stays as it is.
pub fn unmangle(spelling: &str) -> String {
    if spelling == mangle("") {
        return String::new();
    }
    let mut parts = spelling.split('$');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let escaped = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(byte) => bytes.extend([&[byte], &part.as_bytes()[2..]].concat()),
            None => return spelling.into(),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| spelling.into())
}

/// The module name that a file stem gives. So that C can name it, ASCII punctuation becomes `_`;
/// bytes beyond ASCII, and a first character that is no letter, are escaped as [`mangle`] does:
/// names in other scripts stay apart, and none is of those that C keeps for itself.
pub fn of_stem(stem: &str) -> String {
    let mut name = String::new();
    for (index, byte) in stem.bytes().enumerate() {
        match byte {
            _ if byte.is_ascii_alphabetic() || index > 0 && byte.is_ascii_digit() => name.push(char::from(byte)),
            _ if index > 0 && byte.is_ascii() => name.push('_'),
            _ => name.push_str(&format!("${byte:02x}")),
        }
    }
    if name.is_empty() { "module".into() } else { name }
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
    }

    #[test]
    fn a_spelling_gives_back_its_name() {
        for name in ["control_step", "a-b", "7z", "", "$", "日本", "a$2db"] {
            assert_eq!(unmangle(&mangle(name)), name);
        }
        for other in ["a$2", "$zz", "$ff"] {
            assert_eq!(unmangle(other), other);
        }
    }

    #[test]
    fn stems_become_module_names() {
        assert_eq!(of_stem("flat_flight.loom"), "flat_flight_loom");
        assert_eq!(of_stem("1"), "$31");
        assert_eq!(of_stem("_a"), "$5fa");
        assert_eq!(of_stem("日本"), "$e6$97$a5$e6$9c$ac");
        assert_eq!(of_stem("mañana"), "ma$c3$b1ana");
        assert_eq!(of_stem(""), "module");
    }
}
