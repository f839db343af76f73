//! What is proved of a file, and under which assumptions: the page of the project that says so, with the names filled in.

use super::request::Request;
use super::{ELF, hash, input_path};
use crate::verdict::{Report, Verdict};

/// The page that says what a proof means and rests on.
const TRUST: &str = include_str!("../../../docs/trust.md");

/// The statement about these modules and this ELF file.
pub fn text(request: &Request, (wasm, elf): (&[&[u8]], &[u8]), report: &Report) -> String {
    let named = |path: String, bytes: &[u8]| format!("`{path}` (SHA-256 {})", hash(bytes));
    let inputs: Vec<String> = (0..).zip(wasm).map(|(number, wasm)| named(input_path(number), wasm)).collect();
    let output = named(ELF.to_owned(), elf);
    let proved = report.functions.iter().filter(|function| function.verdict == Verdict::Proved).count();
    let obligations: usize = report.functions.iter().map(|function| function.obligations.len()).sum();
    let target = report.target.map_or("a processor that it does not name".to_owned(), |target| target.to_string());
    let mut text = format!(
        "# Statement\n\n\
         W is {}.\nE is {output}, for {target}.\nThe theorem below holds of W and E; solver: {}.\n\n\
         {proved} of {} functions are Proved, by {obligations} obligations (`obligations.csv`) and {} about the file as a \
         whole. Bytes of code under no verdict: {}. Stack that `NAME_init` needs: {} bytes.\n\n\
         ## Assumed of this file\n\n",
        inputs.join(", linked behind it "),
        request.solvers,
        report.functions.len(),
        report.file_obligations,
        report.uncovered_bytes,
        report.init_stack_bytes
    );
    report.assumptions.iter().for_each(|assumption| text.push_str(&format!("* {assumption}\n")));
    if report.assumptions.is_empty() {
        text.push_str("Nothing beside what is assumed of every file.\n");
    }
    text.push('\n');
    text.push_str(sections());
    text
}

/// The theorem, what is trusted, and the assumptions.
fn sections() -> &'static str {
    let start = TRUST.find("## The theorem").unwrap_or(0);
    let end = TRUST.find("## The points").unwrap_or(TRUST.len());
    TRUST[start..end].trim_end_matches('\n')
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_has_its_sections() {
        let text = super::sections();
        let headings: Vec<&str> = text.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(headings, ["## The theorem", "## The trusted base", "## Assumptions"]);
    }
}
