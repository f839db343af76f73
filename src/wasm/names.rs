//! Function names for diagnostics, from the custom `name` section.
//!
//! A custom section cannot make a module invalid (core spec, 5.5.3): what does not decode is left out.

use std::collections::BTreeMap;

use wasmparser::{Name, NameSectionReader};

/// Names by function index.
pub fn function_names(section: NameSectionReader) -> BTreeMap<u32, String> {
    let mut names = BTreeMap::new();
    for subsection in section.into_iter().map_while(Result::ok) {
        let Name::Function(map) = subsection else {
            continue;
        };
        for naming in map.into_iter().map_while(Result::ok) {
            names.insert(naming.index, naming.name.to_string());
        }
    }
    names
}
