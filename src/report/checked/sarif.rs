//! For code scanning: SARIF 2.1.0, the parts of it that GitHub reads.
//!
//! Guarantees: every result has a rule, a place with a line, and a fingerprint that stays the same when lines above it
//! come or go, and that no other result of the document has.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Checkup;
use crate::load::{Diagnostic, Related, Rule, Severity};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
const HOME: &str = "https://github.com/landfast/landfast";

/// The document, ending with a line end.
pub fn sarif(checkup: &Checkup<'_>) -> String {
    let mut seen = BTreeMap::new();
    let results: Vec<_> = checkup.diagnostics.iter().map(|it| result(checkup, it, &mut seen)).collect();
    let driver = json!({
        "name": "Landfast",
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "informationUri": HOME,
        "rules": Rule::ALL.iter().map(|rule| descriptor(*rule)).collect::<Vec<_>>(),
    });
    let run = json!({"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results});
    format!("{:#}\n", json!({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}))
}

fn descriptor(rule: Rule) -> Value {
    let meaning = match rule.severity() {
        Severity::Error => "Nothing of a commit that breaks this rule is applied.",
        Severity::Warning => "A commit that breaks this rule is applied all the same.",
    };
    let summary = capital(rule.summary());
    json!({
        "id": rule.name(),
        "shortDescription": {"text": format!("{summary}.")},
        "fullDescription": {"text": format!("{summary}. {meaning}")},
        "help": {"text": format!("{summary}. {meaning}"), "markdown": format!("{summary}. {meaning}")},
        "defaultConfiguration": {"level": rule.severity().name()},
    })
}

fn result(checkup: &Checkup<'_>, diagnostic: &Diagnostic, seen: &mut BTreeMap<String, usize>) -> Value {
    let Diagnostic { path, line, column, severity, rule, message, hint, excerpt: _, related } = diagnostic;
    let text = match hint {
        Some(hint) => format!("{}. Hint: {hint}", capital(message)),
        None => format!("{}.", capital(message)),
    };
    let others: Vec<_> = related.iter().map(|other| related_location(checkup, other)).collect();
    json!({
        "ruleId": rule.name(),
        "ruleIndex": Rule::ALL.iter().position(|it| it == rule),
        "level": severity.name(),
        "message": {"text": text},
        "locations": [{"physicalLocation": place(checkup, path, *line, *column)}],
        "relatedLocations": others,
        "partialFingerprints": {"primaryLocationLineHash": fingerprint(diagnostic, seen)},
    })
}

fn related_location(checkup: &Checkup<'_>, related: &Related) -> Value {
    let Related { path, line, column, message } = related;
    json!({"physicalLocation": place(checkup, path, *line, *column), "message": {"text": message}})
}

/// Code scanning wants a line: what is about a whole file is shown at its first one.
fn place(checkup: &Checkup<'_>, path: &str, line: u32, column: u32) -> Value {
    let region = json!({"startLine": line.max(1), "startColumn": column.max(1)});
    json!({"artifactLocation": {"uri": uri(&checkup.path(path))}, "region": region})
}

/// A relative reference: a colon in its first name would otherwise read as a scheme.
fn uri(path: &str) -> String {
    let encode = |byte: u8| match byte {
        b'/' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    path.bytes().map(encode).collect()
}

/// What it is about, but for where: the same again counts up.
fn fingerprint(diagnostic: &Diagnostic, seen: &mut BTreeMap<String, usize>) -> String {
    let Diagnostic { path, rule, message, excerpt, .. } = diagnostic;
    let line = excerpt.as_deref().unwrap_or_default().trim();
    let digest = hex::encode(Sha256::digest(format!("{}\n{path}\n{message}\n{line}", rule.name())));
    let digest = &digest[..16];
    let count = seen.entry(digest.to_owned()).or_default();
    *count += 1;
    format!("{digest}:{count}")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}
