//! The faults by which the validator is broken on purpose still fit its source.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use synth_fuzz::broken::parse;

#[test]
fn every_fault_has_its_place() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../verify");
    let faults = parse(&fs::read_to_string(root.join("tests/broken/list.txt")).unwrap()).unwrap();
    assert!(faults.len() >= 12, "{} faults", faults.len());
    let names: BTreeSet<&str> = faults.iter().map(|fault| fault.name.as_str()).collect();
    assert_eq!(names.len(), faults.len(), "names are given once");
    let wrong: Vec<String> = faults
        .iter()
        .filter_map(|fault| {
            let source = fs::read_to_string(root.join("src").join(&fault.file)).unwrap_or_default();
            match fault.apply(&source) {
                Ok(broken) if broken == source => Some(format!("{} changes nothing", fault.name)),
                Ok(_) => None,
                Err(why) => Some(why),
            }
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_fault_that_fits_twice_or_not_at_all_is_refused() {
    let fault = &parse("## f\nA sentence.\na.rs\n     let x = 1;\n-x\n+y\n").unwrap()[0];
    assert_eq!(fault.apply("let x = 1;\n  x\nz\n").unwrap(), "let x = 1;\ny\nz\n");
    assert!(fault.apply("x\n").is_err());
    assert!(fault.apply("let x = 1;\nx\nlet x = 1;\nx\n").is_err());
    assert!(parse("## f\nA sentence.\na.rs\nneither\n").is_err());
    assert!(parse("## f\nA sentence.\n").is_err());
}
