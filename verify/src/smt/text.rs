//! A query as text in the SMT-LIB language, to be answered by any solver.
//!
//! Ensures: the text is a function of the claims: z3 numbers what it binds by its own history, so those names are
//! counted anew.

use std::collections::BTreeMap;

use z3::Solver;

/// The claims of a solver, and the question whether some state satisfies them.
pub fn of(solver: &Solver) -> String {
    let text = solver.to_smt2();
    let claims = text.lines().filter(|line| !line.starts_with(';') && !line.starts_with("(set-info"));
    let claims: Vec<&str> = claims.collect();
    let mut whole = "(set-logic QF_AUFBV)\n".to_owned();
    counted(&claims.join("\n"), &mut whole);
    whole.push('\n');
    whole
}

/// The text with `?x` and `$x` names counted from 1 in the order in which they appear. Quoted names are left alone.
fn counted(text: &str, into: &mut String) {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rest = text;
    while let Some(at) = rest.find(['?', '$', '|']) {
        into.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = match rest.strip_prefix('|') {
            Some(quoted) => quoted.find('|').map_or(rest.len(), |end| end + 2),
            None => rest.find([' ', ')', '(', '\n']).unwrap_or(rest.len()),
        };
        let (name, behind) = rest.split_at(end);
        rest = behind;
        if name.starts_with('|') {
            into.push_str(name);
            continue;
        }
        let next = numbers.len() + 1;
        let number = *numbers.entry(name).or_insert(next);
        into.push_str(&format!("{}{number}", &name[..1]));
    }
    into.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn bound_names_are_counted_and_others_stay() {
        let mut text = String::new();
        counted("(let ((?x91 (bvadd |a?x3#1| b)))\n(let (($x7 (= ?x91 |$x7|))) $x7))", &mut text);
        assert_eq!(text, "(let ((?1 (bvadd |a?x3#1| b)))\n(let (($2 (= ?1 |$x7|))) $2))");
    }
}
