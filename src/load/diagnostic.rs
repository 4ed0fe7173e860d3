//! Faults as people read them: where, what, and what to do, all at once and always in the same order.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::rule::{Rule, Severity};
use super::tree::{File, Tree};
use crate::model::{Class, Slug, Source};
use crate::yaml::Place;

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
        let (spot, message, hint) = (spot.clone(), message.into(), hint.into());
        Self { spot, rule, message, hint, related: Vec::new() }
    }

    /// The same, naming another place that has to do with it.
    pub(super) fn see(mut self, spot: &Spot, message: impl Into<String>) -> Self {
        self.related.push((spot.clone(), message.into()));
        self
    }
}

/// Collects faults. The same fault met by several accounts is said once, with their names.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    found: BTreeMap<Fault, BTreeSet<Slug>>,
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
        self.found.entry(fault).or_default();
    }

    /// The same for one that shows in one account.
    pub(super) fn add_for(&mut self, slug: &Slug, fault: Fault) {
        self.found.entry(fault).or_default().insert(slug.clone());
    }

    /// Takes in what was met elsewhere. It does not matter in which order.
    pub(super) fn absorb(&mut self, other: &Self) {
        for (fault, slugs) in &other.found {
            self.found.entry(fault.clone()).or_default().extend(slugs.iter().cloned());
        }
        self.secret.extend(other.secret.iter().cloned());
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
        self.errors().any(|fault| &*fault.spot.path == path)
    }

    /// The files with an error so far.
    pub(super) fn paths(&self) -> BTreeSet<Arc<str>> {
        self.errors().map(|fault| fault.spot.path.clone()).collect()
    }

    fn errors(&self) -> impl Iterator<Item = &Fault> {
        self.found.keys().filter(|fault| fault.rule.severity() == Severity::Error)
    }

    /// All of it in order of path, line and column, with excerpts.
    pub(super) fn into_diagnostics(self, tree: &Tree) -> Diagnostics {
        let shown = |spot: &Spot| !self.secret.contains(&(spot.path.clone(), spot.place.line));
        let diagnostic = |(fault, accounts): (Fault, BTreeSet<Slug>)| {
            let Fault { spot, rule, message, hint, related } = fault;
            Diagnostic {
                path: clean(&spot.path),
                line: spot.place.line,
                column: spot.place.column,
                severity: rule.severity(),
                rule,
                message: clean(&format!("{}{}", cut(message), in_accounts(&spot.path, &accounts))),
                hint: Some(clean(&cut(hint))).filter(|hint| !hint.is_empty()),
                excerpt: Some(&spot).filter(|spot| shown(spot)).and_then(|spot| excerpt(tree, spot)),
                related: related.into_iter().map(|(spot, message)| Related::new(&spot, &message)).collect(),
            }
        };
        let mut diagnostics: Vec<_> = self.found.into_iter().map(diagnostic).collect();
        diagnostics.sort();
        Diagnostics(diagnostics)
    }
}

impl Related {
    fn new(spot: &Spot, message: &str) -> Self {
        let Place { line, column } = spot.place;
        Self { path: clean(&spot.path), line, column, message: clean(&cut(message.to_owned())) }
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

/// The line, where it can be shown with the place in it.
fn excerpt(tree: &Tree, spot: &Spot) -> Option<String> {
    let File::Blob(bytes) = tree.files.get(&*spot.path)? else { return None };
    let text = std::str::from_utf8(bytes).ok()?;
    let line = text.lines().nth(spot.place.line.checked_sub(1)? as usize)?;
    let shown = clean(&line.chars().take(MAX_EXCERPT).collect::<String>());
    let fits = (spot.place.column as usize) <= MAX_EXCERPT;
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
