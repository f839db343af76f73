//! Verdicts as text, and as the failure that a verdict short of Proved is.

use std::time::Duration;

use synth_verify::verdict::{FunctionReport, Method, Report, Verdict};

use super::failure::{Exit, Failure};
use super::say;

/// The architecture, a line per function, then the file as a whole.
pub fn text(report: &Report) -> String {
    let mut text = report.target.map_or(String::new(), |target| format!("for {target}\n"));
    for function in &report.functions {
        let dead = match function.dead.len() {
            0 => String::new(),
            count => format!(", {count} ways dead"),
        };
        text.push_str(&format!(
            "{}: {} ({} obligations in {} segments{dead}, {} bytes of code, {} bytes of stack)\n",
            label(function),
            function.verdict,
            function.obligations.len(),
            function.segments,
            function.code_bytes,
            function.stack_bytes
        ));
    }
    text.push_str(&format!("instantiation: {} bytes of stack\n", report.init_stack_bytes));
    text.push_str(&format!(
        "{} of {} functions Proved, {} obligations about the file, {} bytes uncovered\n",
        report.functions.iter().filter(|function| function.verdict == Verdict::Proved).count(),
        report.functions.len(),
        report.file_obligations,
        report.uncovered_bytes
    ));
    for assumption in &report.assumptions {
        text.push_str(&format!("assumed: {assumption}\n"));
    }
    text
}

/// One line of `--timings`.
pub fn print_time(what: &str, taken: Duration) {
    say(&format!("{:>10.3} ms  {what}\n", 1000.0 * taken.as_secs_f64()));
}

/// How the obligations were closed, and which share of the goals that needed work needed no solver.
pub fn methods(report: &Report) -> String {
    let methods = report.methods();
    let count = |method| methods.get(&method).copied().unwrap_or(0);
    let same = count(Method::Same);
    let solver = count(Method::Solver);
    let others = count(Method::Rules) + count(Method::Facts) + count(Method::Infeasible);
    let goals = others + solver;
    let share = if goals == 0 { 100.0 } else { 100.0 * f64::from(others) / f64::from(goals) };
    format!(
        "{} obligations: {same} the same term at once, {} by rules, {} by facts, {} infeasible, {solver} by the solver\n\
         {share:.1} % of the other {goals} were closed without the solver\n",
        same + goals,
        count(Method::Rules),
        count(Method::Facts),
        count(Method::Infeasible),
    )
}

/// Nothing if the report is Proved; else why the output is refused.
pub fn refusal(report: &Report) -> Result<(), Failure> {
    if report.proved() {
        return Ok(());
    }
    let (exit, code, message) = if report.refuted() {
        (Exit::Refuted, "refuted", "validation refuted the output")
    } else {
        (Exit::Unknown, "unproved", "validation could not prove the output")
    };
    let remedy = "this is a fault of the compiler or of the file, not of the module; please report it";
    let mut failure = Failure::new(exit, code, message, remedy);
    for finding in &report.findings {
        failure.details.push(format!("file, byte {:#x}: {}", finding.at, finding.message));
    }
    if report.uncovered_bytes > 0 {
        failure.details.push(format!("{} bytes of code are under no verdict", report.uncovered_bytes));
    }
    if report.file_obligations == 0 {
        failure.details.push("nothing was shown about the file as a whole".into());
    }
    for function in &report.functions {
        failure.details.extend(reasons(function));
    }
    Err(failure)
}

fn reasons(function: &FunctionReport) -> Vec<String> {
    let name = label(function);
    let mut lines = Vec::new();
    match &function.verdict {
        Verdict::Proved if function.obligations.is_empty() => lines.push(format!("{name}: nothing was shown")),
        Verdict::Proved => {}
        Verdict::Unknown => lines.push(format!("{name}: Unknown")),
        Verdict::Refuted(run) => {
            let arguments: Vec<String> = run.arguments.iter().map(|argument| format!("{argument:#x}")).collect();
            lines.push(format!("{name}({}), seed {}: Refuted", arguments.join(", "), run.seed));
            lines.push(format!("  Wasm: {}", run.wasm));
            lines.push(format!("  machine code: {}", run.machine));
        }
    }
    let findings = function.findings.iter();
    lines.extend(
        findings.map(|finding| format!("  {name}+{:#x}, {:?}: {}", finding.at, finding.check, finding.message)),
    );
    lines
}

fn label(function: &FunctionReport) -> String {
    if function.name.is_empty() { format!("function {}", function.function) } else { function.name.clone() }
}
