//! Names of files that not every system can keep, or that two systems read differently.
//!
//! Guarantees: what is refused here would be lost, mixed up or run somewhere: on a checkout by Windows or macOS, in a
//! terminal, or by git itself. It is refused before anybody looks into the files.

use std::collections::BTreeMap;

use super::diagnostic::{Faults, Spot};
use super::rule::Rule;
use super::tree::Tree;

/// What Windows takes for a device, whatever follows behind a dot.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// Reports every name that is unsafe, and names that differ in case only.
pub(super) fn check(tree: &Tree, faults: &mut Faults) {
    for path in tree.files.keys().filter(|path| Tree::matters(path)) {
        if let Some((message, hint)) = path.split('/').find_map(refused) {
            faults.report(Rule::FileName, &Spot::file(path), message, hint);
        }
    }
    check_case(tree, faults);
}

/// Why a name cannot stand, and what to do.
fn refused(name: &str) -> Option<(String, &'static str)> {
    if is_plain(name) {
        return None;
    }
    let shown = || name.escape_debug();
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    if let Some(c) = name.chars().find(|c| is_invisible(*c)) {
        let message = format!("the name `{}` holds the invisible character {}", shown(), c.escape_unicode());
        return Some((message, "rename it"));
    }
    if is_git(name) {
        return Some((format!("`{}` is git's own folder on some systems", shown()), "rename it"));
    }
    if is_device(&stem) {
        return Some((format!("`{}` is a device on Windows", shown()), "rename it"));
    }
    if let Some(c) = name.chars().find(|c| "<>:\"|?*\\".contains(*c)) {
        return Some((format!("the name `{}` holds `{c}`, which Windows cannot keep", shown()), "rename it"));
    }
    if name.ends_with(['.', ' ']) || name.starts_with(' ') {
        let message = format!("the name `{}` begins or ends with a space or a dot", shown());
        return Some((message, "Windows drops them; rename it"));
    }
    if name.chars().any(is_combining) {
        let message = format!("the name `{}` holds a combining mark", shown());
        return Some((message, "macOS writes it as another letter; use the letter that has it, or none"));
    }
    (name.len() > 255).then(|| (format!("a name of {} bytes", name.len()), "file systems keep 255 bytes"))
}

/// The quick way out for nearly every name there is.
fn is_plain(name: &str) -> bool {
    let is_usual =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    name.bytes().all(is_usual)
        && name.len() <= 255
        && name != ".git"
        && !name.ends_with('.')
        && !is_device(name.split('.').next().unwrap_or_default())
}

fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}')
}

/// `.git` as Windows may find it: by its short name, as a stream, or with what it drops at the end.
fn is_git(name: &str) -> bool {
    let plain = name.split(':').next().unwrap_or_default().trim_end_matches([' ', '.']).to_ascii_lowercase();
    matches!(plain.as_str(), ".git" | "git~1")
}

fn is_device(stem: &str) -> bool {
    let stem = stem.trim_end();
    let numbered = |kind| {
        stem.strip_prefix(kind).is_some_and(|n: &str| n.len() == 1 && n.as_bytes()[0].is_ascii_digit())
    };
    DEVICES.contains(&stem) || numbered("com") || numbered("lpt")
}

/// Only what has a letter of another case can collide; nearly no repository has many.
fn check_case(tree: &Tree, faults: &mut Faults) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let cased = tree.files.keys().filter(|path| Tree::matters(path) && has_case(path));
    for part in cased.flat_map(|path| prefixes(path)).filter(|part| has_case(part)) {
        let folded = part.to_lowercase();
        let other = seen.get(&folded).copied().or_else(|| small(tree, &folded));
        if let Some(other) = other.filter(|other| *other != part) {
            let message = format!("`{part}` and `{other}` differ in nothing but case");
            let hint = "on Windows and macOS one overwrites the other; rename one";
            faults.report(Rule::FileName, &Spot::file(part), message, hint);
        }
        seen.entry(folded).or_insert(part);
    }
}

/// The path itself and every folder above it.
fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(end, _)| &path[..end]).chain([path])
}

fn has_case(path: &str) -> bool {
    path.chars().any(|c| c.is_uppercase() || !c.is_ascii())
}

/// The file or folder of exactly this name.
fn small<'t>(tree: &'t Tree, path: &str) -> Option<&'t str> {
    let folder = format!("{path}/");
    let inside = tree.files.range(folder.clone()..).next().filter(|(at, _)| at.starts_with(&folder));
    let found = tree.files.get_key_value(path).or(inside)?;
    found.0.get(..path.len())
}
