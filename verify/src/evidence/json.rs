//! JSON as text (RFC 8259), one entry on a line.

/// A string.
pub fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c < ' ' => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// An object on one line, of values that are JSON.
pub fn object(entries: &[(&str, String)]) -> String {
    let entries: Vec<String> = entries.iter().map(|(name, value)| format!("{}: {value}", string(name))).collect();
    format!("{{{}}}", entries.join(", "))
}

/// An array on one line, of values that are JSON.
pub fn array(values: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", values.into_iter().collect::<Vec<_>>().join(", "))
}

/// A whole file: an array, a value on each line.
pub fn rows(values: impl IntoIterator<Item = String>) -> String {
    let values: Vec<String> = values.into_iter().map(|value| format!("  {value}")).collect();
    if values.is_empty() { "[]\n".to_owned() } else { format!("[\n{}\n]\n", values.join(",\n")) }
}

/// A whole file: an object, an entry on each line.
pub fn entries(entries: &[(&str, String)]) -> String {
    let entries: Vec<String> = entries.iter().map(|(name, value)| format!("  {}: {value}", string(name))).collect();
    format!("{{\n{}\n}}\n", entries.join(",\n"))
}
