//! The judgement as tables.

use super::csv::line;
use super::query_path;
use crate::verdict::{FunctionReport, Record, Report};

/// Each function, its verdict, and sums.
pub fn functions(report: &Report) -> String {
    let mut text = line(&[
        "function",
        "name",
        "of",
        "verdict",
        "obligations",
        "segments",
        "dead ways",
        "code bytes",
        "stack bytes",
    ]);
    for function in &report.functions {
        let is_helper = function.record.as_ref().is_some_and(|record| record.is_helper);
        text.push_str(&line(&[
            function.function.to_string(),
            function.name.clone(),
            if is_helper { "synth" } else { "module" }.to_owned(),
            function.verdict.to_string(),
            function.obligations.len().to_string(),
            function.segments.to_string(),
            function.dead.len().to_string(),
            function.code_bytes.to_string(),
            function.stack_bytes.to_string(),
        ]));
    }
    text
}

/// Each obligation: where, what, how it was closed, and the query if a solver did.
pub fn obligations(report: &Report) -> String {
    let mut text = line(&["function", "offset", "kind", "method", "query"]);
    for (function, record) in recorded(report) {
        let paths: Vec<String> = record.queries.iter().map(|query| query_path(query)).collect();
        for obligation in &function.obligations {
            let query = obligation.query.and_then(|query| paths.get(query as usize)).cloned();
            text.push_str(&line(&[
                function.function.to_string(),
                format!("{:#x}", obligation.at),
                format!("{:?}", obligation.kind).to_lowercase(),
                format!("{:?}", obligation.method).to_lowercase(),
                query.unwrap_or_default(),
            ]));
        }
    }
    text
}

/// The queries that close no obligation themselves: that conditions of the source are decided by the facts, or that an
/// access is aligned.
pub fn decisions(report: &Report) -> String {
    let mut text = line(&["function", "query"]);
    for (function, record) in recorded(report) {
        let closing: Vec<u32> = function.obligations.iter().filter_map(|obligation| obligation.query).collect();
        let others = (0..).zip(&record.queries).filter(|(index, _)| !closing.contains(index));
        for (_, query) in others {
            text.push_str(&line(&[function.function.to_string(), query_path(query)]));
        }
    }
    text
}

/// Which value is where, and for how long.
pub fn ranges(report: &Report) -> String {
    let mut text = line(&["function", "value", "location", "from", "to"]);
    for (function, record) in recorded(report) {
        for range in &record.ranges {
            text.push_str(&line(&[
                function.function.to_string(),
                range.name.clone(),
                range.location.clone(),
                format!("{:#x}", range.from),
                format!("{:#x}", range.to),
            ]));
        }
    }
    text
}

/// The ways that no state takes, by the instruction that they leave.
pub fn dead(report: &Report) -> String {
    let mut text = line(&["function", "offset", "way", "paths"]);
    for function in &report.functions {
        for ((at, way), paths) in &function.dead {
            let (function, way) = (function.function.to_string(), way.words().to_owned());
            text.push_str(&line(&[function, format!("{at:#x}"), way, paths.to_string()]));
        }
    }
    text
}

fn recorded(report: &Report) -> impl Iterator<Item = (&FunctionReport, &Record)> {
    report.functions.iter().filter_map(|function| Some((function, function.record.as_ref()?)))
}
