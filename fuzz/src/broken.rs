//! Faults by which the validator is broken on purpose: small changes to its source, each with a sentence.
//!
//! Ensures: [`Fault::apply`] changes a source at the one place that the fault means, or not at all.
//!
//! A list is text. `## NAME` begins a fault, a sentence says what is broken, a line names the file below `verify/src`,
//! and the lines that follow begin with a space where they stay, with `-` where they go and with `+` where they come, as
//! in a diff. How far lines are indented does not matter, so that a fault outlives the source's formatting.

/// One way to break the validator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// What it is called.
    pub name: String,
    /// What is broken.
    pub sentence: String,
    /// The file, below `verify/src`.
    pub file: String,
    lines: Vec<Line>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Line {
    Stays(String),
    Goes(String),
    Comes(String),
}

/// Reads a list of faults.
///
/// # Errors
/// A line that is no part of a fault, or a fault that lacks one.
pub fn parse(text: &str) -> Result<Vec<Fault>, String> {
    text.split("## ").skip(1).map(fault).collect()
}

fn fault(text: &str) -> Result<Fault, String> {
    let mut lines = text.lines();
    let mut next = || lines.next().map(str::to_owned).filter(|line| !line.is_empty());
    let (Some(name), Some(sentence), Some(file)) = (next(), next(), next()) else {
        return Err(format!("a fault without name, sentence or file: {text}"));
    };
    let changes: Result<Vec<Line>, String> = lines
        .filter(|line| !line.is_empty())
        .map(|line| {
            let rest = line[1..].trim().to_owned();
            match line.as_bytes()[0] {
                b' ' => Ok(Line::Stays(rest)),
                b'-' => Ok(Line::Goes(rest)),
                b'+' => Ok(Line::Comes(rest)),
                _ => Err(format!("{name}: a line that neither stays, goes nor comes: {line}")),
            }
        })
        .collect();
    Ok(Fault { name, sentence, file, lines: changes? })
}

impl Fault {
    /// The source with the fault in it.
    ///
    /// # Errors
    /// The lines that stay and go stand there never, or more than once.
    pub fn apply(&self, source: &str) -> Result<String, String> {
        let source: Vec<&str> = source.lines().collect();
        let old: Vec<&str> = self.lines.iter().filter_map(Line::before).collect();
        let is_there = |lines: &&[&str]| lines.iter().zip(&old).all(|(line, old)| line.trim() == *old);
        let windows = source.windows(old.len().max(1)).enumerate();
        let places: Vec<usize> = windows.filter(|(_, lines)| is_there(lines)).map(|(at, _)| at).collect();
        let [at] = places[..] else {
            return Err(format!("{}: its lines stand {} times in {}", self.name, places.len(), self.file));
        };
        let (before, rest) = source.split_at(at);
        let (own, behind) = rest.split_at(old.len());
        let mut own = own.iter();
        let mut changed = before.to_vec();
        for line in &self.lines {
            match line {
                Line::Stays(_) => changed.extend(own.next()),
                Line::Goes(_) => _ = own.next(),
                Line::Comes(line) => changed.push(line),
            }
        }
        changed.extend(behind);
        Ok(changed.join("\n") + "\n")
    }
}

impl Line {
    fn before(&self) -> Option<&str> {
        match self {
            Line::Stays(line) | Line::Goes(line) => Some(line),
            Line::Comes(_) => None,
        }
    }
}
