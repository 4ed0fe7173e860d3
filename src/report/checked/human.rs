//! For people: each diagnostic with the line it is about, and a last line that says how it went.

use std::fmt::Write as _;

use super::Checkup;
use crate::load::{Diagnostic, Severity};
use crate::report::lines::number;

const BOLD: &str = "\u{1b}[1m";
const RED: &str = "\u{1b}[1;31m";
const YELLOW: &str = "\u{1b}[1;33m";
const BLUE: &str = "\u{1b}[1;34m";
const PLAIN: &str = "\u{1b}[0m";

/// Everything, and a summary. Colours only where the reader is a terminal.
pub fn human(checkup: &Checkup<'_>, in_colour: bool) -> String {
    let mut out = String::new();
    for diagnostic in checkup.diagnostics {
        let text = diagnostic.to_string();
        let shown = if in_colour { coloured(diagnostic, &text) } else { text };
        _ = writeln!(out, "{shown}");
    }
    _ = writeln!(out, "{}", summary(checkup));
    out
}

fn summary(checkup: &Checkup<'_>) -> String {
    let (errors, warnings) = (checkup.count(Severity::Error), checkup.count(Severity::Warning));
    let found = [(errors, "error"), (warnings, "warning")];
    let found = found.iter().filter(|(count, _)| *count > 0).map(|(count, what)| number(*count, what));
    let found = found.collect::<Vec<_>>().join(" and ");
    let found = if found.is_empty() { "nothing to say".to_owned() } else { found };
    let (accounts, baselines) = (number(checkup.accounts, "account"), number(checkup.baselines, "baseline"));
    format!("{found} of {accounts} and {baselines}")
}

/// The same text. No diagnostic holds an end of a line of its own, so what begins a line is always its margin.
fn coloured(diagnostic: &Diagnostic, text: &str) -> String {
    let grave = match diagnostic.severity {
        Severity::Error => RED,
        Severity::Warning => YELLOW,
    };
    let mut out = String::new();
    for (index, line) in text.lines().enumerate() {
        let head = format!("{}:", diagnostic.severity.name());
        let shown = match line {
            _ if index == 0 => {
                format!("{grave}{head}{PLAIN}{BOLD}{}{PLAIN}", line.strip_prefix(&head).unwrap_or(line))
            }
            _ if line.trim_start().starts_with("--> ") => {
                line.replacen("-->", &format!("{BLUE}-->{PLAIN}"), 1)
            }
            _ => margin(line, grave),
        };
        _ = writeln!(out, "{shown}");
    }
    out
}

/// The number of a line with its bar in blue, the caret in the colour of what is wrong, `hint` and `see` in bold.
fn margin(line: &str, grave: &str) -> String {
    let Some(end) = line.find(['|', '=']) else { return line.to_owned() };
    let (margin, rest) = line.split_at(end + 1);
    let rest = match rest.trim_start() {
        "^" => rest.replacen('^', &format!("{grave}^{PLAIN}"), 1),
        note if margin.ends_with('=') => match note.split_once(':') {
            Some((word, words)) => format!(" {BOLD}{word}:{PLAIN}{words}"),
            None => rest.to_owned(),
        },
        _ => rest.to_owned(),
    };
    format!("{BLUE}{margin}{PLAIN}{rest}")
}
