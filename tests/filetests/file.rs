//! The text of a filetest: what it asks for, its input, its snapshots.
//!
//! Ensures: what looks like a directive is one, or the file is refused; so is a file that asks nothing,
//! and one that does not begin with a sentence about what it shows. A directive is a comment line of
//! its own whose first word is in capitals:
//!
//! ```text
//! ;; CHECK stage: text          some function's text at the stage contains it, as whole words
//! ;; CHECK-NOT stage: text      none does
//! ;; RUN f(1, -2) = 3           the compiled image, in the validator's interpreter; all runs of a
//! ;; RUN f(0) = trap WORDS      file are on one instance, in order
//! ;; SIZE f <= n                bytes of code, literals included
//! ;; VERIFY proved              object and image
//! ;; OPTIONS opt-level=s        or cpu=NAME, float=hard, memory-max=BYTES
//! ;;= stage                     a snapshot, up to the next one or the end of the file
//! ```
//! Runs of blanks are one blank in what `CHECK` compares. A `.ir` file enters at `opt`, and has no
//! module to run, measure or verify.

use synth::config::{Config, OptLevel};
use synth::stage::Stage;
use synth::target::Cpu;
use synth_verify::trap::Trap;

/// The stages that have text.
pub const STAGES: [Stage; 6] = [Stage::Ir, Stage::Opt, Stage::Vcode, Stage::Alloc, Stage::Asm, Stage::Hints];

/// A filetest.
#[derive(Clone, Debug)]
pub struct File {
    pub input: Input,
    pub config: Config,
    pub asks: Vec<Ask>,
    snapshots: Vec<Stage>,
    /// Everything before the snapshots.
    head: String,
}

/// What is compiled. Line numbers are those of the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    Wat(String),
    Ir(String),
}

/// What is asked on a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ask {
    pub line: usize,
    pub what: What,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    Check(Stage, String),
    CheckNot(Stage, String),
    Run { function: String, arguments: Vec<String>, end: End },
    Size { function: String, bytes_max: u32 },
    Verify,
}

/// How a run is to end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    Results(Vec<String>),
    Trap(Trap),
}

/// Reads a filetest.
///
/// # Errors
/// Each line that is wrong.
pub fn parse(text: &str, extension: &str) -> Result<File, Vec<String>> {
    let head: String = text.split_inclusive('\n').take_while(|line| !line.starts_with(";;=")).collect();
    let mut reader =
        Reader { config: Config { module_name: "m".into(), ..Config::default() }, asks: Vec::new(), wrong: Vec::new() };
    let first = text.lines().next().and_then(|line| line.strip_prefix(";; ")).unwrap_or_default();
    if first.is_empty() || directive(first).is_some() {
        reader.wrong.push("line 1: a file begins with a comment that says what it shows".to_owned());
    }
    let mut code = String::new();
    for (number, line) in (1..).zip(head.lines()) {
        code.push_str(reader.line(number, line));
        code.push('\n');
    }
    let mut snapshots = Vec::new();
    for (number, line) in (1..).zip(text.lines()).skip(head.lines().count()) {
        match line.strip_prefix(";;=") {
            Some(name) => reader.keep(number, stage(name.trim()).map(|stage| snapshots.push(stage))),
            None if line.starts_with(";;") => {}
            None => reader.keep(number, Err("behind a snapshot stands only its text, in comments".to_owned())),
        }
    }
    let is_ir = extension == "ir";
    for ask in reader.asks.clone() {
        reader.keep(ask.line, if is_ir { of_ir(&ask.what) } else { Ok(()) });
    }
    if is_ir && snapshots.iter().any(|stage| !IR_STAGES.contains(stage)) {
        reader.wrong.push("a .ir file has snapshots of opt, vcode and alloc only".to_owned());
    }
    if reader.asks.is_empty() && snapshots.is_empty() {
        reader.wrong.push("the file asks nothing".to_owned());
    }
    if !reader.wrong.is_empty() {
        return Err(reader.wrong);
    }
    let input = if is_ir { Input::Ir(code) } else { Input::Wat(code) };
    Ok(File { input, config: reader.config, asks: reader.asks, snapshots, head })
}

/// The stages that a `.ir` file goes through.
const IR_STAGES: [Stage; 3] = [Stage::Opt, Stage::Vcode, Stage::Alloc];

fn of_ir(what: &What) -> Result<(), String> {
    match what {
        What::Check(stage, _) | What::CheckNot(stage, _) if IR_STAGES.contains(stage) => Ok(()),
        What::Check(..) | What::CheckNot(..) => Err("a .ir file goes through opt, vcode and alloc only".to_owned()),
        What::Run { .. } | What::Size { .. } | What::Verify => {
            Err("a .ir file has no module to run, measure or verify".to_owned())
        }
    }
}

impl File {
    /// The file with these snapshots in place of its own.
    pub fn with_snapshots(&self, mut text_of: impl FnMut(Stage) -> String) -> String {
        let mut text = self.head.clone();
        for stage in &self.snapshots {
            text += &format!(";;= {}\n", stage.name());
            for line in text_of(*stage).lines() {
                text += format!(";; {line}").trim_end();
                text.push('\n');
            }
        }
        text
    }
}

struct Reader {
    config: Config,
    asks: Vec<Ask>,
    wrong: Vec<String>,
}

impl Reader {
    fn keep(&mut self, number: usize, parsed: Result<(), String>) {
        if let Err(why) = parsed {
            self.wrong.push(format!("line {number}: {why}"));
        }
    }

    /// Reads a line and gives what of it is input.
    fn line<'a>(&mut self, number: usize, line: &'a str) -> &'a str {
        let Some((code, comment)) = line.split_once(";;") else {
            return line;
        };
        let comment = comment.trim_start_matches(';').trim();
        let Some((word, rest)) = directive(comment) else {
            return if code.trim().is_empty() { "" } else { line };
        };
        if !code.trim().is_empty() {
            self.keep(number, Err(format!("{word} stands on a line of its own")));
            return line;
        }
        let parsed = self.directive(number, word, rest);
        self.keep(number, parsed);
        ""
    }

    fn directive(&mut self, line: usize, word: &str, rest: &str) -> Result<(), String> {
        let what = match word {
            "CHECK" => check(rest).map(|(stage, text)| What::Check(stage, text))?,
            "CHECK-NOT" => check(rest).map(|(stage, text)| What::CheckNot(stage, text))?,
            "RUN" => run(rest)?,
            "SIZE" => size(rest)?,
            "VERIFY" if rest == "proved" => What::Verify,
            "VERIFY" => return Err("the form is: VERIFY proved".to_owned()),
            "OPTIONS" => return self.options(rest),
            _ => {
                return Err(format!("there is no directive {word}; a comment that is none does not begin in capitals"));
            }
        };
        self.asks.push(Ask { line, what });
        Ok(())
    }

    fn options(&mut self, rest: &str) -> Result<(), String> {
        for option in rest.split_whitespace() {
            let unknown = || format!("there is no option {option}");
            match option.split_once('=').ok_or_else(unknown)? {
                ("opt-level", level) => self.config.opt_level = opt_level(level).ok_or_else(unknown)?,
                ("cpu", cpu) => self.config.cpu = Cpu::named(cpu).ok_or_else(unknown)?,
                ("float", "hard") => self.config.float = self.config.cpu.float_unit(),
                ("memory-max", bytes) => self.config.memory_max = Some(bytes.parse().map_err(|_| unknown())?),
                _ => return Err(unknown()),
            }
        }
        Ok(())
    }
}

/// The directive's word and what follows, if the comment is one: its first word is in capitals, or
/// is a directive's in other letters followed by what directives are followed by.
fn directive(comment: &str) -> Option<(&str, &str)> {
    let end = comment.find(|c: char| !c.is_ascii_alphabetic() && c != '-' && c != '_').unwrap_or(comment.len());
    let (word, rest) = comment.split_at(end);
    let is_capital = word.len() > 1 && !word.contains(|c: char| c.is_ascii_lowercase());
    let known =
        ["CHECK", "CHECK-NOT", "RUN", "SIZE", "VERIFY", "OPTIONS"].contains(&word.to_ascii_uppercase().as_str());
    let is_asking = [":", " = ", "<=", "proved"].iter().any(|mark| rest.contains(mark));
    (is_capital || (known && is_asking)).then_some((word, rest.trim()))
}

fn stage(name: &str) -> Result<Stage, String> {
    let names = || STAGES.map(Stage::name).join(", ");
    STAGES
        .into_iter()
        .find(|stage| stage.name() == name)
        .ok_or_else(|| format!("there is no stage {name:?}; the stages are {}", names()))
}

fn opt_level(name: &str) -> Option<OptLevel> {
    match name {
        "0" => Some(OptLevel::O0),
        "1" => Some(OptLevel::O1),
        "2" => Some(OptLevel::O2),
        "s" => Some(OptLevel::Os),
        _ => None,
    }
}

/// `stage: text`.
fn check(rest: &str) -> Result<(Stage, String), String> {
    let (name, text) = rest.split_once(':').ok_or("the form is: CHECK stage: text")?;
    let text = words(text);
    if text.is_empty() {
        return Err("there is no text to look for".to_owned());
    }
    Ok((stage(name.trim())?, text))
}

/// One blank for each run of blanks.
pub fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `f(1, 2) = 3`, or `= trap WORDS`.
fn run(rest: &str) -> Result<What, String> {
    const FORM: &str = "the form is: RUN f(1, 2) = 3, or RUN f(1, 2) = trap WORDS";
    let (call, end) = rest.split_once('=').ok_or(FORM)?;
    let (function, arguments) = call.trim().strip_suffix(')').and_then(|call| call.split_once('(')).ok_or(FORM)?;
    let end = match end.trim().strip_prefix("trap ") {
        Some(words) => {
            let trap = Trap::ALL.into_iter().find(|trap| trap.words() == words.trim());
            End::Trap(trap.ok_or_else(|| format!("there is no trap {:?}", words.trim()))?)
        }
        None => End::Results(list(end)),
    };
    Ok(What::Run { function: function.trim().to_owned(), arguments: list(arguments), end })
}

fn list(text: &str) -> Vec<String> {
    let items = text.split(',').map(|item| item.trim().to_owned());
    if text.trim().is_empty() { Vec::new() } else { items.collect() }
}

/// `f <= n`.
fn size(rest: &str) -> Result<What, String> {
    let parts = rest.split_once("<=").map(|(function, bytes)| (function.trim(), bytes.trim().parse()));
    match parts {
        Some((function, Ok(bytes_max))) if !function.is_empty() => {
            Ok(What::Size { function: function.to_owned(), bytes_max })
        }
        _ => Err("the form is: SIZE f <= BYTES".to_owned()),
    }
}
