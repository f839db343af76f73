//! The hints as text, for people.

use super::super::{Cut, ENTRY_NAME, FunctionHints, Hints, Location, Name, Node, Shown};

/// The hints as text, one item a line, for people.
pub fn to_text(hints: &Hints) -> String {
    let mut text = format!(
        "module {:?}, exports prefixed {:?}, wasm sha256 {}\n",
        hints.module_name,
        hints.export_prefix,
        hints.wasm_sha256.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    );
    for function in &hints.functions {
        text.push_str(&function_text(function));
    }
    text
}

fn function_text(function: &FunctionHints) -> String {
    let mut lines = vec![format!(
        "function {}: {} bytes, frame {}, checked {}",
        function.function, function.code_bytes, function.frame_bytes, function.checked_bytes
    )];
    lines.extend(function.data.iter().map(|(start, end)| format!("  data {start:#x}..{end:#x}")));
    for cut in &function.cuts {
        lines.push(cut_text(cut));
    }
    for label in &function.labels {
        let source = label.source.map_or(String::new(), |source| format!(" for wasm {source:#x}"));
        lines.push(format!(
            "  {:#06x} {:?}{source}: {} <- {}",
            label.at,
            label.class,
            named_locations_text(&label.writes),
            named_locations_text(&label.reads)
        ));
    }
    for join in &function.joins {
        let renames = join.renames.iter().map(|&(location, before, after)| {
            format!("{} {}>{}", location_text(location), name_text(before), name_text(after))
        });
        let renames: Vec<String> = renames.collect();
        lines.push(format!("  join {:#06x} from {:#06x}: {}", join.at, join.from, renames.join(", ")));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn cut_text(cut: &Cut) -> String {
    let places: Vec<String> = cut.source.iter().map(|(function, offset)| format!("f{function}+{offset:#x}")).collect();
    let slots = |slots: &[Option<Node>]| {
        let slots = slots.iter().map(|slot| slot.map_or("_".to_owned(), |node| format!("n{node}")));
        slots.collect::<Vec<_>>().join(" ")
    };
    let mut lines = vec![format!("  cut {:#06x} at {}, depth {}", cut.at, places.join(" "), cut.depth)];
    for (index, unknown) in cut.unknowns.iter().enumerate() {
        let shown = match unknown.shown {
            Shown::Nowhere => String::new(),
            Shown::Result(at, 0) => format!(" the result at {at:#x}"),
            Shown::Result(at, above) => format!(" the result below {above} others at {at:#x}"),
            Shown::Local(at, index) => format!(" in local {index} at {at:#x}"),
            Shown::Stack(at, slot) => format!(" in stack slot {slot} at {at:#x}"),
        };
        lines.push(format!("    x{index} = value {} {:?}{shown}", unknown.key, unknown.sort));
    }
    for (index, node) in cut.nodes.iter().enumerate() {
        lines.push(format!("    n{index} = {node:?}"));
    }
    lines.push(format!("    locals {}", slots(&cut.locals)));
    lines.push(format!("    stack {}", slots(&cut.stack)));
    for located in &cut.locations {
        let location = location_text(located.location);
        let name = name_text(located.name);
        lines.push(match located.name {
            ENTRY_NAME.. => format!("    {location} = {name}"),
            _ => format!("    {location} = {name} = n{}", located.value),
        });
    }
    for &(name, node) in &cut.named {
        lines.push(format!("    {} = n{node}", name_text(name)));
    }
    for node in &cut.facts {
        lines.push(format!("    n{node} is not zero"));
    }
    lines.join("\n")
}

fn named_locations_text(items: &[(Location, Name)]) -> String {
    let items = items.iter().map(|&(location, name)| format!("{}:{}", location_text(location), name_text(name)));
    format!("({})", items.collect::<Vec<_>>().join(" "))
}

fn location_text(location: Location) -> String {
    match location {
        Location::Core(register) => format!("r{register}"),
        Location::Single(register) => format!("s{register}"),
        Location::Stack(offset) => format!("[entry{offset:+}]"),
    }
}

fn name_text(name: Name) -> String {
    match name.checked_sub(ENTRY_NAME) {
        Some(register) => format!("entry{register}"),
        None => format!("v{name}"),
    }
}
