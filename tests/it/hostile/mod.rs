//! Repositories that somebody made to do harm, or that a tool made without meaning it.
//!
//! Each case is refused with words of its own, or comes to exactly what it looks like. The tables show every case with
//! the first thing that is said about it; nothing here waits, because what is bounded is bounded by counting.

#![allow(clippy::unwrap_used, reason = "a case that cannot be set up says where it stopped")]

mod arbitrary;
mod meaning;
mod names;
mod sizes;
mod texts;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use landfast::load::{Checked, File, Tree, check};
use landfast::model::CommitId;

const ORGANIZATION: &str = "id: o-exampleorgid\nmanagementAccount: \"999988887777\"\nhomeRegion: eu-west-1\n\
    ous: {workloads: {}}\n";
const ONE: &str = "name: One\nemail: one@example.com\nou: /workloads\n";
const ACCOUNT: &str = "accounts/one/account.yaml";
const TEMPLATE: &str =
    "Parameters:\n  Text: {Type: String, Default: x}\nResources:\n  Topic: {Type: AWS::SNS::Topic}\n";

/// A small repository that loads, with `changes` made to it.
fn repository(changes: &[(&str, &[u8])]) -> Tree {
    let sound = [
        ("organization/organization.yaml", ORGANIZATION),
        (ACCOUNT, ONE),
        ("accounts/one/net.template.yaml", TEMPLATE),
    ];
    let sound = sound.map(|(path, text)| (path.to_owned(), File::text(text)));
    let changes = changes.iter().map(|(path, bytes)| ((*path).to_owned(), File::Blob((*bytes).into())));
    tree(sound.into_iter().chain(changes).collect())
}

fn tree(files: BTreeMap<String, File>) -> Tree {
    Tree { revision: CommitId::parse("0".repeat(40)).unwrap(), files }
}

/// What is said of a repository: the first diagnostic, and how many more there are.
fn verdict(tree: &Tree) -> String {
    let Checked { desired, diagnostics, .. } = check(tree, None);
    assert_eq!(desired.is_none(), diagnostics.has_errors());
    let Some(first) = diagnostics.iter().next() else { return "loads".to_owned() };
    let place = if first.line == 0 {
        first.path.clone()
    } else {
        format!("{}:{}:{}", first.path, first.line, first.column)
    };
    let more = diagnostics.iter().count() - 1;
    let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
    assert!(first.to_string().len() < 4_000, "a message is for people: {first}");
    format!("{}: {place}: {}{more}", first.rule.name(), first.message)
}

/// One line a case: its name, and what was said.
fn table(cases: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let mut text = String::new();
    for (name, said) in cases {
        writeln!(text, "{name} | {}", shown(&said)).unwrap();
    }
    text
}

/// As it can stand in a source file: the beginning, with letters that cannot be seen spelled out.
fn shown(said: &str) -> String {
    let is_unseen =
        |c: char| matches!(c, '\u{ad}' | '\u{301}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}');
    let spelled = |c: char| if is_unseen(c) { c.escape_unicode().to_string() } else { c.to_string() };
    let text: String = said.chars().map(spelled).collect();
    let mut short: String = text.chars().take(200).collect();
    short.extend((short.len() < text.len()).then_some('…'));
    short
}
