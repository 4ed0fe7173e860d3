//! What `explain` prints: each path with what it comes to, and under it every layer that spoke.

use std::fmt::Write as _;

use jiff::civil::Date;

use crate::load::{ExplainedPath, ExplainedWord, Explanation, Shown};
use crate::model::Source;

/// The paths at and below `only`, or all of them. The layer that decides is marked; those it overrules come after it.
pub fn explanation(explanation: &Explanation, only: Option<&str>, today: Date) -> String {
    let mut out = format!("accounts/{}\n", explanation.slug);
    for exclusion in &explanation.exclusions {
        let until = exclusion.until.map(|until| {
            let ended = if until < today { ", which is over" } else { "" };
            format!(", until {until}{ended}")
        });
        let (reason, until) = (&exclusion.reason, until.unwrap_or_default());
        let of = if exclusion.of.is_empty() { String::new() } else { format!(" of {}", exclusion.of) };
        _ = writeln!(out, "left out{of} by {}: {reason}{until}", place(&exclusion.source));
    }
    for path in explanation.paths.iter().filter(|path| only.is_none_or(|only| is_within(&path.path, only))) {
        out.push('\n');
        one(&mut out, path);
    }
    out
}

/// The paths that can be asked for, for whoever asked for another one.
pub fn explained_paths(explanation: &Explanation) -> Vec<&str> {
    explanation.paths.iter().map(|path| path.path.as_str()).collect()
}

/// True for the path itself and for what is below it.
pub fn is_within(path: &str, only: &str) -> bool {
    path.strip_prefix(only).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn one(out: &mut String, path: &ExplainedPath) {
    let ExplainedPath { path, values, words, locked } = path;
    match values.as_slice() {
        [] => _ = writeln!(out, "{path}: (not managed)"),
        values => {
            for (region, value) in values {
                let at = region.as_ref().map(|region| format!(" in {region}")).unwrap_or_default();
                _ = writeln!(out, "{path}{at}: {}", shown(value));
            }
        }
    }
    let width = words.iter().map(|word| place(&word.source).chars().count()).max().unwrap_or(0);
    for ExplainedWord { source, of, said, counts } in words.iter().rev() {
        let mark = if *counts { '>' } else { ' ' };
        let of = of.as_ref().map(|of| format!("{of}: ")).unwrap_or_default();
        _ = writeln!(out, "  {mark} {:width$}  {of}{}", place(source), shown(said));
    }
    if let Some(lock) = locked {
        _ = writeln!(out, "    locked by {}", place(lock));
    }
}

fn shown(value: &Shown) -> String {
    match value {
        // The text comes from a file: it must not be able to repaint a terminal.
        Shown::Text(text) => text.chars().flat_map(visible).collect(),
        Shown::Hidden => "(hidden)".to_owned(),
    }
}

fn visible(c: char) -> Vec<char> {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || turns { c.escape_default().collect() } else { vec![c] }
}

fn place(source: &Source) -> String {
    format!("{}:{}", source.path, source.line)
}
