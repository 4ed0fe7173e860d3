//! Faults as people read them: where, what, and what to do, all at once and always in the same order.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::fields::suggest;
use super::rule::{Rule, Severity};
use super::tree::{File, Tree};
use crate::model::{Class, Slug, Source};
use crate::yaml::Place;

/// Faults of one file that are shown; a file can hold a hundred thousand.
const MAX_FAULTS: usize = 100;
/// Characters of a line that are shown.
const MAX_EXCERPT: usize = 160;
/// Characters of a message and of a hint.
const MAX_MESSAGE: usize = 1000;

/// Something that is wrong with the repository, or that a person should know of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostic {
    /// The file, or the folder, from the root of the repository.
    pub path: String,
    /// Line counted from 1; 0 when it is the file as a whole.
    pub line: u32,
    /// Column counted from 1, in characters; 0 when it is the file as a whole.
    pub column: u32,
    /// How grave it is.
    pub severity: Severity,
    /// The rule that is broken.
    pub rule: Rule,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The line of the file; nothing when it may hold a secret.
    pub excerpt: Option<String>,
    /// Other places that have to do with it.
    pub related: Vec<Related>,
}

/// A place that has to do with a diagnostic. What stands there may be a secret, so it is named and not shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Related {
    /// The file from the root of the repository.
    pub path: String,
    /// Line counted from 1; 0 when it is the file as a whole.
    pub line: u32,
    /// Column counted from 1, in characters; 0 when it is the file as a whole.
    pub column: u32,
    /// What it has to do with it.
    pub message: String,
}

/// Everything there is to say of a commit, sorted by path, line and column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Each one, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// True when there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True when nothing of the commit can be applied.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// All of both, in order.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self.0.sort();
        self
    }

    /// Trying again does not help: a commit has to repair it.
    pub fn class(&self) -> Class {
        Class::Stalled
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl std::error::Error for Diagnostics {}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            write!(f, "{gap}{diagnostic}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.severity.name(), self.message)?;
        let number = self.line.to_string();
        let margin = " ".repeat(if self.line == 0 { 1 } else { number.len() });
        writeln!(f, "{margin}--> {}", place(&self.path, self.line, self.column))?;
        if let Some(excerpt) = &self.excerpt {
            let before = " ".repeat(self.column.saturating_sub(1) as usize);
            writeln!(f, "{margin} |\n{number} | {excerpt}\n{margin} | {before}^")?;
        }
        for Related { path, line, column, message } in &self.related {
            writeln!(f, "{margin} = see: {}: {message}", place(path, *line, *column))?;
        }
        match &self.hint {
            Some(hint) => writeln!(f, "{margin} = hint: {hint}"),
            None => Ok(()),
        }
    }
}

fn place(path: &str, line: u32, column: u32) -> String {
    if line == 0 { path.to_owned() } else { format!("{path}:{line}:{column}") }
}

/// A place in a file of the repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) path: Arc<str>,
    pub(super) place: Place,
}

impl Spot {
    /// The file as a whole.
    pub(super) fn file(path: &str) -> Self {
        Self { path: path.into(), place: Place::default() }
    }

    pub(super) fn source(&self) -> Source {
        Source { path: self.path.to_string(), line: self.place.line.max(1) }
    }
}

/// A value with the place that declares it.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) spot: Spot,
}

impl<T> At<T> {
    pub(super) fn map<U>(self, map: impl FnOnce(T) -> U) -> At<U> {
        At { value: map(self.value), spot: self.spot }
    }
}

/// What is wrong at one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fault {
    spot: Spot,
    rule: Rule,
    message: String,
    hint: String,
    related: Vec<(Spot, String)>,
}

impl Fault {
    /// An empty hint is none.
    pub(super) fn new(rule: Rule, spot: &Spot, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let (spot, message, hint) = (spot.clone(), cut(message.into()), cut(hint.into()));
        Self { spot, rule, message, hint, related: Vec::new() }
    }

    /// The same, naming another place that has to do with it.
    pub(super) fn see(mut self, spot: &Spot, message: impl Into<String>) -> Self {
        self.related.push((spot.clone(), cut(message.into())));
        self
    }

    /// What stands for this one and all that come after it in the file.
    fn and_more(self) -> Self {
        let message = format!("there is more from here on: of one file the first {MAX_FAULTS} are shown");
        Self { message, hint: String::new(), related: Vec::new(), ..self }
    }

    fn shown(self, accounts: &BTreeSet<Slug>, excerpt: Option<String>) -> Diagnostic {
        let Self { spot, rule, message, hint, related } = self;
        Diagnostic {
            path: clean(&spot.path),
            line: spot.place.line,
            column: spot.place.column,
            severity: rule.severity(),
            rule,
            message: clean(&format!("{message}{}", in_accounts(&spot.path, accounts))),
            hint: Some(clean(&hint)).filter(|hint| !hint.is_empty()),
            excerpt,
            related: related.into_iter().map(|(spot, message)| Related::new(&spot, &message)).collect(),
        }
    }
}

/// Faults in order, each with the accounts that met it.
type Page = BTreeMap<Fault, BTreeSet<Slug>>;

/// Collects faults. The same fault met by several accounts is said once, with their names.
///
/// Of one file the first ones are kept, in the order of their places, whatever the order they are met in.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    /// By file, errors and warnings apart: no warning makes an error forgotten.
    found: BTreeMap<(Arc<str>, Severity), Page>,
    /// Lines that may hold a secret.
    secret: BTreeSet<(Arc<str>, u32)>,
}

impl Faults {
    /// Reports a fault; an empty hint is none.
    pub(super) fn report(
        &mut self,
        rule: Rule,
        spot: &Spot,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.add(Fault::new(rule, spot, message, hint));
    }

    /// Reports a fault that shows in one account, wherever it comes from.
    pub(super) fn report_for(
        &mut self,
        rule: Rule,
        slug: &Slug,
        spot: &Spot,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.add_for(slug, Fault::new(rule, spot, message, hint));
    }

    /// Reports a fault that was put together before.
    pub(super) fn add(&mut self, fault: Fault) {
        self.keep(fault, None);
    }

    /// The same for one that shows in one account.
    pub(super) fn add_for(&mut self, slug: &Slug, fault: Fault) {
        self.keep(fault, Some(slug));
    }

    /// Takes in what was met elsewhere. It does not matter in which order.
    pub(super) fn absorb(&mut self, other: &Self) {
        for (fault, slugs) in other.found.values().flatten() {
            self.keep(fault.clone(), slugs);
        }
        self.secret.extend(other.secret.iter().cloned());
    }

    fn keep<'s>(&mut self, fault: Fault, slugs: impl IntoIterator<Item = &'s Slug>) {
        let page = self.found.entry((fault.spot.path.clone(), fault.rule.severity())).or_default();
        page.entry(fault).or_default().extend(slugs.into_iter().cloned());
        // One more than is shown says that there is more. What goes now would go whenever it was met.
        if page.len() > MAX_FAULTS + 1 {
            page.pop_last();
        }
    }

    /// What may have been meant at this place. Nothing where so much is wrong with the file that it would not be shown.
    pub(super) fn suggest<'a>(&self, at: &Spot, wrong: &str, right: impl Iterator<Item = &'a str>) -> String {
        if self.are_many(&at.path) { String::new() } else { suggest(wrong, right) }
    }

    /// True when more is wrong with a file than is shown.
    pub(super) fn are_many(&self, path: &Arc<str>) -> bool {
        self.found.get(&(Arc::clone(path), Severity::Error)).is_some_and(|page| page.len() > MAX_FAULTS)
    }

    /// Keeps the line out of every excerpt, whichever fault is found in it: diagnostics reach logs and issues.
    pub(super) fn keep_secret(&mut self, spot: &Spot) {
        self.secret.insert((spot.path.clone(), spot.place.line));
    }

    /// True when nothing keeps the commit from being applied.
    pub(super) fn is_sound(&self) -> bool {
        self.errors().next().is_none()
    }

    /// True when this very file has an error.
    pub(super) fn speaks_of(&self, path: &str) -> bool {
        self.errors().any(|it| &**it == path)
    }

    /// The files with an error so far.
    pub(super) fn paths(&self) -> BTreeSet<Arc<str>> {
        self.errors().cloned().collect()
    }

    fn errors(&self) -> impl Iterator<Item = &Arc<str>> {
        self.found.keys().filter(|(_, severity)| *severity == Severity::Error).map(|(path, _)| path)
    }

    /// All of it in order of path, line and column, with excerpts.
    pub(super) fn into_diagnostics(self, tree: &Tree) -> Diagnostics {
        let Self { found, secret } = self;
        let is_shown = |spot: &Spot| !secret.contains(&(spot.path.clone(), spot.place.line));
        let mut diagnostics = Vec::new();
        for ((path, _), page) in found {
            let lines = lines(tree, &path);
            for (nth, (fault, accounts)) in page.into_iter().enumerate() {
                let place = Some(fault.spot.place).filter(|_| is_shown(&fault.spot));
                let excerpt = place.and_then(|place| excerpt(&lines, place));
                diagnostics.push(match nth {
                    MAX_FAULTS => fault.and_more().shown(&BTreeSet::new(), excerpt),
                    _ => fault.shown(&accounts, excerpt),
                });
            }
        }
        diagnostics.sort();
        Diagnostics(diagnostics)
    }
}

impl Related {
    fn new(spot: &Spot, message: &str) -> Self {
        let Place { line, column } = spot.place;
        Self { path: clean(&spot.path), line, column, message: clean(message) }
    }
}

/// " (in account `x`)", unless the path says so already.
fn in_accounts(path: &str, accounts: &BTreeSet<Slug>) -> String {
    let Some(first) = accounts.first() else { return String::new() };
    match accounts.len() {
        1 if path.starts_with(&format!("accounts/{first}/")) => String::new(),
        1 => format!(" (in account `{first}`)"),
        many => format!(" (in {many} accounts, such as `{first}`)"),
    }
}

/// The lines of a file as its reader sees them.
fn lines<'t>(tree: &'t Tree, path: &str) -> Vec<&'t str> {
    let Some(File::Blob(bytes)) = tree.files.get(path) else { return Vec::new() };
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    // A BOM takes no column.
    text.strip_prefix('\u{feff}').unwrap_or(text).lines().collect()
}

/// The line, where it can be shown with the place in it.
fn excerpt(lines: &[&str], place: Place) -> Option<String> {
    let line = lines.get(place.line.checked_sub(1)? as usize)?;
    let shown = clean(&line.chars().take(MAX_EXCERPT).collect::<String>());
    let fits = (place.column as usize) <= MAX_EXCERPT;
    Some(shown.trim_end().to_owned()).filter(|line| fits && !line.is_empty())
}

/// A message is for people: what a file says may be a megabyte.
fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_MESSAGE) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Without what could repaint a terminal or turn a line around: the text comes from a file.
fn clean(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if c.is_control() || turns(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(rule: Rule, line: u32) -> Fault {
        let spot = Spot { path: "a.yaml".into(), place: Place { line, column: 1 } };
        Fault::new(rule, &spot, "x", "")
    }

    #[test]
    fn of_one_file_the_first_faults_are_kept_in_whatever_order_they_are_met() {
        let collected = |lines: &mut dyn Iterator<Item = u32>| {
            let mut faults = Faults::default();
            lines.for_each(|line| faults.add(fault(Rule::UnknownKey, line)));
            let mut absorbed = Faults::default();
            absorbed.absorb(&faults);
            absorbed.found
        };
        let (up, down) = (collected(&mut (1..=1_000)), collected(&mut (1..=1_000).rev()));
        assert_eq!(up, down);
        let lines: Vec<_> = up.values().flatten().map(|(fault, _)| fault.spot.place.line).collect();
        assert_eq!(lines, (1..=101).collect::<Vec<_>>());
    }

    #[test]
    fn no_number_of_warnings_makes_an_error_forgotten() {
        let mut faults = Faults::default();
        faults.add(fault(Rule::UnknownKey, 9_999));
        (1..=1_000).for_each(|line| faults.add(fault(Rule::Unreached, line)));
        assert!(!faults.is_sound() && faults.speaks_of("a.yaml"));
        let tree =
            Tree { revision: crate::model::CommitId::parse("0".repeat(40)).unwrap(), files: BTreeMap::new() };
        let diagnostics = faults.into_diagnostics(&tree);
        assert_eq!((diagnostics.iter().count(), diagnostics.has_errors()), (102, true));
    }
}
