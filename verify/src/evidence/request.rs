//! What a bundle is made of beside modules and ELF file, as text: a line for each choice.

use crate::smt::solvers::Solvers;

/// The choices that decide what is in a bundle.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The names of the modules, in order.
    pub modules: Vec<String>,
    /// Who must find that no state satisfies a query.
    pub solvers: Solvers,
    /// The flags that the file was compiled with. They are the compiler's word: nothing is proved of them.
    pub flags: Vec<String>,
}

const FIRST: &str = "synth evidence 1";

impl Request {
    /// As text, which [`Request::of_text`] reads.
    pub fn to_text(&self) -> String {
        let mut text = format!("{FIRST}\nsolver {}\n", self.solvers);
        self.modules.iter().for_each(|name| text.push_str(&format!("module {}\n", name.escape_default())));
        self.flags.iter().for_each(|flag| text.push_str(&format!("flag {}\n", flag.escape_default())));
        text
    }

    /// What a text says; nothing if it is no such text.
    pub fn of_text(text: &str) -> Option<Request> {
        let mut request = Request { modules: Vec::new(), solvers: Solvers::default(), flags: Vec::new() };
        let mut lines = text.lines();
        (lines.next() == Some(FIRST)).then_some(())?;
        for line in lines {
            match line.split_once(' ')? {
                ("solver", name) => request.solvers = name.parse().ok()?,
                ("module", name) => request.modules.push(unescaped(name)?),
                ("flag", flag) => request.flags.push(unescaped(flag)?),
                _ => return None,
            }
        }
        // One text says one thing.
        (request.to_text() == text).then_some(request)
    }
}

/// What `escape_default` made text of.
fn unescaped(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match rest.next()? {
            't' => plain.push('\t'),
            'r' => plain.push('\r'),
            'n' => plain.push('\n'),
            c @ ('\'' | '"' | '\\') => plain.push(c),
            'u' => {
                (rest.next()? == '{').then_some(())?;
                let digits: String = rest.by_ref().take_while(|c| *c != '}').collect();
                plain.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
            }
            _ => return None,
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_back_and_no_other_text() {
        let request = Request {
            modules: vec![String::new(), "a b\n\\ü\u{0}'".into()],
            solvers: Solvers::ALL,
            flags: vec!["-O s".into()],
        };
        let text = request.to_text();
        assert_eq!(Request::of_text(&text), Some(request));
        for wrong in [
            "",
            "synth evidence 2\n",
            &text.replace("solver ", "solver  "),
            &format!("{text}other 1\n"),
            text.trim_end(),
        ] {
            assert_eq!(Request::of_text(wrong), None, "{wrong}");
        }
    }
}
