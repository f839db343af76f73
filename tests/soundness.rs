//! Every case and test that `docs/soundness.md` names is there.

use std::fs;
use std::path::Path;

/// Whether a case has a twin whose damage begins at an offset, `@0x12`; any case has the offset of none.
fn has_twin(case: &str, at: &str) -> bool {
    let twins = case.split_once("[twins").map_or("", |(_, twins)| twins);
    twins.lines().any(|line| line.split(';').next().is_some_and(|damage| damage.starts_with(&format!("{at}:"))))
}

/// What is wrong with a name, `NAME.case`, `NAME.case@0xN` or `FILE.rs::TEST`; nothing if it is none of these.
fn wrong(root: &Path, name: &str) -> Option<String> {
    let read = |file: &str| fs::read_to_string(root.join(file)).ok();
    if let Some((file, test)) = name.split_once(".rs::") {
        let text = read(&format!("{file}.rs")).unwrap_or_default();
        let is_there =
            text.contains(&format!("#[test]\nfn {test}()")) || text.contains(&format!("#[test]\n    fn {test}()"));
        return (!is_there).then(|| format!("there is no test {name}"));
    }
    let (file, at) = name.split_once('@').map_or((name, None), |(file, at)| (file, Some(at)));
    if !file.ends_with(".case") || file.contains("NAME") || file.contains('*') {
        return None;
    }
    match (read(&format!("verify/tests/cases/{file}")), at) {
        (None, _) => Some(format!("there is no case {file}")),
        (Some(case), Some(at)) if !has_twin(&case, at) => Some(format!("{file} has no twin at {at}")),
        (Some(_), _) => None,
    }
}

#[test]
fn the_page_names_what_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/soundness.md")).unwrap();
    let names: Vec<&str> = page.split('`').skip(1).step_by(2).collect();
    let wrong: Vec<String> = names.iter().filter_map(|name| wrong(root, name)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Each point has something refused and something accepted.
    let rows = page.lines().filter_map(|line| {
        let columns: Vec<&str> = line.strip_prefix("| ")?.split(" | ").collect();
        columns[0].parse::<usize>().ok().map(|number| (number, columns))
    });
    let points: Vec<usize> = rows
        .map(|(number, columns)| {
            assert!(columns.len() == 4 && columns[2..].iter().all(|column| column.contains('`')), "point {number}");
            number
        })
        .collect();
    assert_eq!(points, (1..=38).collect::<Vec<_>>());
}

#[test]
fn a_name_of_nothing_is_noticed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(wrong(root, "division.case@0x2"), None);
    assert_eq!(wrong(root, "tests/soundness.rs::a_name_of_nothing_is_noticed"), None);
    for name in ["divison.case", "division.case@0x3", "tests/soundness.rs::a_name_of_something"] {
        assert!(wrong(root, name).is_some(), "{name}");
    }
}
