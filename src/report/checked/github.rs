//! For pull requests: commands to GitHub's runner, which makes an annotation of each.
//!
//! Guarantees: one line for each diagnostic, and nothing that a file says can end it, add a property to it or begin
//! another command.

use std::fmt::Write as _;

use super::Checkup;
use crate::load::Diagnostic;

/// A command a line. GitHub shows ten errors and ten warnings of one step.
pub fn github(checkup: &Checkup<'_>) -> String {
    let mut out = String::new();
    for diagnostic in checkup.diagnostics {
        _ = writeln!(out, "{}", command(checkup, diagnostic));
    }
    out
}

fn command(checkup: &Checkup<'_>, diagnostic: &Diagnostic) -> String {
    let mut properties = vec![("file", checkup.path(&diagnostic.path))];
    if diagnostic.line > 0 {
        properties.push(("line", diagnostic.line.to_string()));
        properties.push(("col", diagnostic.column.to_string()));
    }
    properties.push(("title", format!("Landfast: {}", diagnostic.rule.name())));
    let properties: Vec<_> =
        properties.into_iter().map(|(key, value)| format!("{key}={}", property(&value))).collect();
    let hint = diagnostic.hint.iter().map(|hint| format!("\nhint: {hint}"));
    let message: String = std::iter::once(diagnostic.message.clone()).chain(hint).collect();
    format!("::{} {}::{}", diagnostic.severity.name(), properties.join(","), data(&message))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Colons and commas would end a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
