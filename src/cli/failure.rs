//! Why a command did not do its job: exit code, and text for people or for programs.

use synth::error::{Error, Position};

use super::args::ErrorFormat;

/// What the process returns. Success is 0, an internal error 101.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Exit {
    /// Input or compile error, or a tool is missing or timed out.
    Input = 1,
    /// Wrong usage.
    Usage = 2,
    /// Validation refuted the output.
    Refuted = 3,
    /// Validation is incomplete.
    Unknown = 4,
    /// Another module's ELF file.
    OtherModule = 5,
    /// The program that was run trapped.
    Trapped = 6,
}

/// An error for the user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// What the process returns.
    pub exit: Exit,
    /// A short name that stays the same.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where in the Wasm module, in bytes.
    pub offset: Option<u64>,
    /// The module's file, where one is known.
    pub file: Option<Box<InFile>>,
    /// What the user can do.
    pub remedy: String,
    /// More, a line each.
    pub details: Vec<String>,
}

/// A place in the file of a module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InFile {
    /// Its path.
    pub path: String,
    /// What it is.
    pub form: Form,
}

/// What the file of a module is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// The binary module itself.
    Binary,
    /// Text, and the place in it, if that is known.
    Text(Option<Position>),
}

impl Failure {
    /// A failure that has no place in the module.
    pub fn new(exit: Exit, code: &'static str, message: impl Into<String>, remedy: &str) -> Failure {
        Failure {
            exit,
            code,
            message: message.into(),
            offset: None,
            file: None,
            remedy: remedy.into(),
            details: Vec::new(),
        }
    }

    /// The text that goes to standard error, line ends included.
    pub fn render(&self, format: ErrorFormat) -> String {
        match format {
            ErrorFormat::Human => self.human(),
            ErrorFormat::Json => self.json(),
        }
    }

    fn human(&self) -> String {
        let mut text = format!("error[{}]: {}", self.code, self.message);
        if let Some(place) = self.place() {
            text.push_str(&format!("\n  {place}"));
        }
        for detail in &self.details {
            text.push_str(&format!("\n  {detail}"));
        }
        if !self.remedy.is_empty() {
            text.push_str(&format!("\n  help: {}", self.remedy));
        }
        text.push('\n');
        text
    }

    fn place(&self) -> Option<String> {
        let offset = self.offset.map(|offset| format!("at byte {offset:#x}"));
        let Some(InFile { path, form }) = self.file.as_deref() else {
            return offset.map(|offset| format!("{offset} of the module"));
        };
        Some(match (form, offset) {
            (Form::Text(Some(Position { line, column })), _) => format!("at {path}:{line}:{column}"),
            (Form::Text(None), Some(offset)) => format!("{offset} of the module that {path} is encoded as"),
            (Form::Binary, Some(offset)) => format!("{offset} of {path}"),
            (Form::Text(None) | Form::Binary, None) => format!("in {path}"),
        })
    }

    fn json(&self) -> String {
        let number = |value: Option<u64>| value.map_or("null".to_string(), |value| value.to_string());
        let offset = number(self.offset);
        let file = self.file.as_ref().map_or("null".to_string(), |file| json_string(&file.path));
        let position = self.file.as_ref().and_then(|file| match file.form {
            Form::Text(position) => position,
            Form::Binary => None,
        });
        let line = number(position.map(|position| position.line as u64));
        let column = number(position.map(|position| position.column as u64));
        let details: Vec<String> = self.details.iter().map(|detail| json_string(detail)).collect();
        format!(
            "{{\"code\":{},\"exit\":{},\"message\":{},\"offset\":{offset},\"file\":{file},\"line\":{line},\
             \"column\":{column},\"remedy\":{},\"details\":[{}]}}\n",
            json_string(self.code),
            self.exit as u8,
            json_string(&self.message),
            json_string(&self.remedy),
            details.join(",")
        )
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let code = match error {
            Error::Invalid(_) => "invalid",
            Error::Unsupported(_) => "unsupported",
            Error::TooBig(_) => "too-big",
            Error::Link(_) => "link",
        };
        let details = error.details();
        Failure { offset: details.offset, ..Failure::new(Exit::Input, code, details.message.clone(), &details.remedy) }
    }
}

/// A string as JSON writes it (RFC 8259, 7).
fn json_string(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn in_file(form: Form) -> Option<Box<InFile>> {
        Some(Box::new(InFile { path: "a.wat".into(), form }))
    }

    #[test]
    fn json_is_read_back() {
        let failure = Failure {
            offset: Some(7),
            file: in_file(Form::Text(Some(Position { line: 2, column: 5 }))),
            details: vec!["a\nb".into()],
            ..Failure::new(Exit::Unknown, "unproved", "say \"no\" \\ ü", "")
        };
        let value: serde_json::Value = serde_json::from_str(&failure.render(ErrorFormat::Json)).unwrap();
        assert_eq!(value["code"], "unproved");
        assert_eq!(value["exit"], 4);
        assert_eq!(value["message"], "say \"no\" \\ ü");
        assert_eq!(value["offset"], 7);
        assert_eq!((&value["file"], &value["line"], &value["column"]), (&"a.wat".into(), &2.into(), &5.into()));
        assert_eq!(value["details"][0], "a\nb");
    }

    #[test]
    fn people_get_code_place_and_remedy() {
        let error = Error::unsupported(16, "memory.copy", "compile without bulk memory");
        let mut failure = Failure::from(error);
        let text = failure.render(ErrorFormat::Human);
        assert_eq!(
            text,
            "error[unsupported]: memory.copy\n  at byte 0x10 of the module\n  help: compile without bulk memory\n"
        );
        failure.file = in_file(Form::Text(None));
        assert!(
            failure.render(ErrorFormat::Human).contains("\n  at byte 0x10 of the module that a.wat is encoded as\n")
        );
        failure.file = in_file(Form::Text(Some(Position { line: 2, column: 5 })));
        assert!(failure.render(ErrorFormat::Human).contains("\n  at a.wat:2:5\n"));
        failure.file = in_file(Form::Binary);
        assert!(failure.render(ErrorFormat::Human).contains("\n  at byte 0x10 of a.wat\n"));
        failure.offset = None;
        assert!(failure.render(ErrorFormat::Human).contains("\n  in a.wat\n"));
    }
}
