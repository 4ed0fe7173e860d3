//! Adds an entry to a YAML file that a person may have written.
//!
//! Guarantees: every byte that was there stays, but for an empty `{}` that the entry takes the place of; the file
//! then means what it meant before, with the entry. Where that cannot be had, the answer is no, and nothing is lost.

use std::collections::BTreeMap;

use crate::load;
use crate::model::Value;
use crate::yaml::{self, Entry, Kind, Node, Place};

/// `text` with `value` as a new entry at `path`; nothing where the layout leaves no place for it, or where something is
/// there already.
pub(super) fn insert(text: &str, path: &[&str], value: &Value) -> Option<String> {
    let before = parsed(text)?;
    let after = spliced(text, &before, path, value)?;
    let is_added = meaning(&parsed(&after)?) == added(meaning(&before), path, value)?;
    is_added.then_some(after)
}

/// True when something is said at `path`, whatever it is, or at a key above it that is no map.
pub(super) fn has(text: &str, path: &[&str]) -> bool {
    let Some(root) = parsed(text) else { return false };
    let mut node = &root;
    for key in path {
        let Some(entries) = entries(node) else { return true };
        let Some(entry) = entries.iter().find(|entry| entry.key == **key) else { return false };
        node = &entry.value;
    }
    true
}

/// The entry as a person would add it by hand.
pub(super) fn snippet(path: &[&str], value: &Value) -> String {
    match path {
        [] => String::new(),
        [key] => load::document(&[(key, value.clone())]),
        [key, rest @ ..] => load::document(&[(key, nested(rest, value.clone()))]),
    }
}

fn parsed(text: &str) -> Option<Node> {
    match yaml::parse(text) {
        (Some(node), faults) if faults.is_empty() => Some(node),
        _ => None,
    }
}

fn spliced(text: &str, root: &Node, path: &[&str], value: &Value) -> Option<String> {
    let (mut map, mut parent): (&Node, Option<&Entry>) = (root, None);
    for (depth, key) in path.iter().enumerate() {
        let entries = entries(map)?;
        let Some(found) = entries.iter().find(|entry| entry.key == **key) else {
            let block = load::document(&[(key, nested(&path[depth + 1..], value.clone()))]);
            return place(text, entries, parent, &block);
        };
        (map, parent) = (&found.value, Some(found));
    }
    None
}

/// Puts `block` into the map of `entries`, behind the key of the map or at the end of the file.
fn place(text: &str, entries: &[Entry], parent: Option<&Entry>, block: &str) -> Option<String> {
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let Some(parent) = parent else {
        let indent = entries.first().map_or(0, |entry| entry.place.column.saturating_sub(1));
        let gap = if text.is_empty() || text.ends_with('\n') { "" } else { end };
        return Some(format!("{text}{gap}{}", indented(block, indent, end)));
    };
    let Some(first) = entries.first() else { return in_place_of_nothing(text, parent, block, end) };
    // A map in braces has no lines of its own to put one between.
    if first.place.line <= parent.place.line || !is_first_on_its_line(text, first.place) {
        return None;
    }
    let at = line_start(text, parent.place.line + 1)?;
    let block = indented(block, first.place.column.saturating_sub(1), end);
    Some(format!("{}{block}{}", &text[..at], &text[at..]))
}

/// `key: {}` becomes `key:` with the block below it; what else stands on the line stays.
fn in_place_of_nothing(text: &str, parent: &Entry, block: &str, end: &str) -> Option<String> {
    let braces = offset(text, parent.value.place)?;
    let behind = text[braces..].strip_prefix("{}")?;
    if parent.value.place.line != parent.place.line || !is_first_on_its_line(text, parent.place) {
        return None;
    }
    let head = text[..braces].trim_end_matches(' ');
    let (rest, tail) = behind.split_at(behind.find('\n').map_or(behind.len(), |at| at + 1));
    let gap = if rest.ends_with('\n') { "" } else { end };
    let block = indented(block, parent.place.column + 1, end);
    Some(format!("{head}{rest}{gap}{block}{tail}"))
}

fn indented(block: &str, indent: u32, end: &str) -> String {
    let indent = " ".repeat(indent as usize);
    block.lines().flat_map(|line| [&indent, line, end]).collect()
}

fn line_start(text: &str, line: u32) -> Option<usize> {
    let ends = text.match_indices('\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(ends).nth(line.checked_sub(1)? as usize)
}

fn offset(text: &str, place: Place) -> Option<usize> {
    let start = line_start(text, place.line)?;
    let (bytes, _) = text[start..].char_indices().nth(place.column.checked_sub(1)? as usize)?;
    Some(start + bytes)
}

fn is_first_on_its_line(text: &str, place: Place) -> bool {
    let bounds = line_start(text, place.line).zip(offset(text, place));
    bounds.is_some_and(|(start, at)| text[start..at].bytes().all(|byte| byte == b' '))
}

fn entries(node: &Node) -> Option<&[Entry]> {
    match &node.kind {
        Kind::Map(entries) if node.tag.is_none() => Some(entries),
        _ => None,
    }
}

fn nested(path: &[&str], value: Value) -> Value {
    path.iter().rev().fold(value, |value, key| serde_json::json!({ *key: value }))
}

/// What a node says, without where it says it.
#[derive(Clone, Debug, PartialEq)]
enum Meaning {
    Scalar(String, bool),
    List(Vec<Self>),
    Map(BTreeMap<String, Self>),
}

fn meaning(node: &Node) -> Meaning {
    match &node.kind {
        Kind::Scalar { text, plain } => Meaning::Scalar(text.clone(), *plain),
        Kind::List(nodes) => Meaning::List(nodes.iter().map(meaning).collect()),
        Kind::Map(entries) => {
            Meaning::Map(entries.iter().map(|entry| (entry.key.clone(), meaning(&entry.value))).collect())
        }
    }
}

/// The old meaning with the entry.
fn added(mut old: Meaning, path: &[&str], value: &Value) -> Option<Meaning> {
    let mut at = &mut old;
    for (depth, key) in path.iter().enumerate() {
        let Meaning::Map(map) = at else { return None };
        if !map.contains_key(*key) {
            let new = load::document(&[(key, nested(&path[depth + 1..], value.clone()))]);
            let Meaning::Map(new) = meaning(&parsed(&new)?) else { return None };
            map.extend(new);
            return Some(old);
        }
        at = map.get_mut(*key)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Lines of which some make sense together.
    const LINES: [&str; 14] = [
        "# A comment.",
        "name: A",
        "stacks:",
        "stacks: {}  # none",
        "stacks: {a: {template: b}}",
        "  # Inside.",
        "  a: {template: a.yaml} # short",
        "  b:",
        "    template: b.yaml",
        "  net: null",
        "",
        "text: |",
        "  stacks:",
        "tags: &t {x: y}",
    ];

    proptest! {
        #[test]
        fn whatever_the_file_every_line_of_it_stays_in_its_order(
            lines in prop::collection::vec(prop::sample::select(&LINES[..]), 0..10),
            crlf: bool,
        ) {
            let before = lines.join(if crlf { "\r\n" } else { "\n" });
            let Some(after) = insert(&before, &STACK, &json!({"template": "net.yaml"})) else { return Ok(()) };
            let mut left = after.lines();
            for line in before.lines() {
                let line = line.replace("stacks: {}  # none", "stacks:  # none");
                prop_assert!(left.any(|it| it == line || it == line.replace("stacks:  #", "stacks: {}  #")), "{after}");
            }
            prop_assert!(has(&after, &STACK) && !has(&before, &STACK));
            prop_assert_eq!(insert(&after, &STACK, &json!({})), None);
        }
    }

    fn check(before: &str, path: &[&str], after: &str) {
        let value = json!({"template": "net.yaml"});
        assert_eq!(insert(before, path, &value).as_deref(), Some(after));
    }

    const STACK: [&str; 2] = ["stacks", "net"];

    #[test]
    fn an_entry_goes_behind_the_key_of_its_map_and_comments_stay() {
        check(
            "# A.\nstacks: # ours\n  # The first one.\n  a: {template: a.yaml}  # short\nou: /x # last",
            &STACK,
            "# A.\nstacks: # ours\n  net:\n    template: net.yaml\n  # The first one.\n  a: {template: a.yaml}  # short\nou: /x # last",
        );
    }

    #[test]
    fn a_key_that_is_not_there_comes_last() {
        check("name: A\n", &STACK, "name: A\nstacks:\n  net:\n    template: net.yaml\n");
        check("name: A # no end", &STACK, "name: A # no end\nstacks:\n  net:\n    template: net.yaml\n");
        check("  name: A\r\n", &STACK, "  name: A\r\n  stacks:\r\n    net:\r\n      template: net.yaml\r\n");
    }

    #[test]
    fn an_empty_map_gets_lines() {
        check(
            "stacks: {} # none yet\nou: /x\n",
            &STACK,
            "stacks: # none yet\n  net:\n    template: net.yaml\nou: /x\n",
        );
    }

    #[test]
    fn what_is_there_is_never_said_again() {
        for text in
            ["stacks:\n  net: null\n", "stacks: {net: {template: b}}\n", "stacks:\n  net:\n    a: b\n"]
        {
            assert_eq!(insert(text, &STACK, &json!({})), None, "{text}");
        }
    }

    #[test]
    fn a_layout_without_a_place_for_it_is_left_alone() {
        for text in [
            "stacks: {a: {template: b}}\n",
            "{name: A}\n",
            "stacks: &all\n  a: {template: b}\nmore: *all\n",
            "stacks: absent\n",
            "- a\n",
            "stacks:\n",
            "name: A\n...\n",
        ] {
            assert_eq!(insert(text, &STACK, &json!({"template": "x"})), None, "{text}");
        }
    }
}
