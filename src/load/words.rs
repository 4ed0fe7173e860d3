//! Everything that layers say to one account, path by path, in the order in which it counts.
//!
//! Guarantees: nothing that was said is lost, so that every decision can be explained; putting layers together only
//! appends, so it does not matter which of them are put together first.

use std::fmt;

use super::diagnostic::{At, Spot};
use super::fields::Denial;
use super::layer::Layer;
use super::paths::ByPath;
use super::targets::Candidate;
use crate::model::Value;

/// What one layer says at one path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a> {
    /// Which of the account's speakers says it; later ones count more.
    pub(super) by: usize,
    pub(super) said: Said<'a>,
}

/// A value, or a denial.
#[derive(Clone, Copy, Debug)]
pub(super) enum Said<'a> {
    Value(&'a At<Value>),
    Denied(&'a At<Denial>),
}

impl PartialEq for Said<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Value(left), Self::Value(right)) => left.value == right.value,
            (Self::Denied(left), Self::Denied(right)) => left.value == right.value,
            (Self::Value(_), Self::Denied(_)) | (Self::Denied(_), Self::Value(_)) => false,
        }
    }
}

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(leaf) if leaf.value.is_null() => f.write_str("an entry"),
            Self::Value(leaf) => write!(f, "{}", leaf.value),
            Self::Denied(At { value: Denial::Withdrawn, .. }) => f.write_str("null"),
            Self::Denied(At { value: Denial::Absent, .. }) => f.write_str("absent"),
        }
    }
}

impl<'a> Word<'a> {
    pub(super) fn spot(&self) -> &'a Spot {
        match self.said {
            Said::Value(leaf) => &leaf.spot,
            Said::Denied(denial) => &denial.spot,
        }
    }

    /// True for an entry that was only spoken of: there is a map here, whatever is in it.
    pub(super) fn is_marker(&self) -> bool {
        let is_empty =
            |value: &Value| value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
        matches!(self.said, Said::Value(leaf) if is_empty(&leaf.value))
    }

    pub(super) fn is_denied(&self) -> bool {
        matches!(self.said, Said::Denied(_))
    }
}

/// True when `over`, said at `other`, leaves nothing of `word`, said at `path`.
///
/// At the same path the later word stands alone. A denial, or a value that is no map, leaves nothing below it; and
/// a map leaves nothing of the value in whose place it is put.
pub(super) fn is_hidden(path: &[String], word: &Word<'_>, other: &[String], over: &Word<'_>) -> bool {
    if path == other {
        return true;
    }
    if path.starts_with(other) {
        return !(over.is_marker() || over.is_denied() && word.is_denied());
    }
    let is_plain = !word.is_denied() && !word.is_marker();
    other.starts_with(path) && is_plain && !over.is_denied()
}

/// Every word to one account, those at one path in the order of the speakers.
#[derive(Default)]
pub(super) struct Words<'a> {
    all: ByPath<'a, Word<'a>>,
    /// Paths at which something is denied.
    denied: Vec<&'a [String]>,
}

/// A word with its path.
pub(super) type Spoken<'a> = (&'a [String], Word<'a>);

impl<'a> Words<'a> {
    /// What each of these layers says to the account, with the number of the speaker.
    pub(super) fn of(layers: impl Iterator<Item = (usize, &'a Layer)>, account: &Candidate<'_>) -> Self {
        let (mut all, mut denied) = (Vec::new(), Vec::new());
        for (by, layer) in layers {
            let given = layer.leaves_for(account);
            all.extend(given.map(|(path, leaf)| (path.as_slice(), Word { by, said: Said::Value(leaf) })));
            for (path, denial) in layer.denied_for(account) {
                all.push((path, Word { by, said: Said::Denied(denial) }));
                denied.push(path.as_slice());
            }
        }
        Self { all: all.into_iter().collect(), denied }
    }

    /// Every word with its path, those of a path in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Spoken<'a>> {
        self.all.iter()
    }

    /// The words at each path, path by path.
    pub(super) fn by_path(&self) -> impl Iterator<Item = &[Spoken<'a>]> {
        self.all.groups()
    }

    /// The words at one path.
    pub(super) fn at(&self, path: &[String]) -> &[Spoken<'a>] {
        self.all.at(path)
    }

    /// The words at and below a path.
    pub(super) fn under(&self, path: &[String]) -> &[Spoken<'a>] {
        self.all.under(path)
    }

    /// The words that may leave nothing of one at this path: those at it and those above it.
    pub(super) fn rivals(&self, path: &'a [String]) -> impl Iterator<Item = &Spoken<'a>> {
        self.at(path).iter().chain(self.above(path))
    }

    /// The words above a path that may leave nothing of one at it.
    pub(super) fn above(&self, path: &'a [String]) -> impl Iterator<Item = &Spoken<'a>> {
        // Only in values can something else than a denial stand where another layer has a map.
        let is_free = path[0] == "values";
        let lids = (2..path.len()).map(move |end| &path[..end]);
        let lids = lids.filter(move |lid| is_free || self.denied.contains(lid));
        lids.flat_map(|lid| self.at(lid))
    }

    /// The words of a map in the place of a value at this path.
    pub(super) fn inside(&self, path: &'a [String]) -> impl Iterator<Item = &Spoken<'a>> {
        let inside = (path[0] == "values").then(|| self.under(path));
        inside.into_iter().flatten().filter(move |(other, _)| other.len() > path.len())
    }

    /// Of each path the word that counts, where one does.
    pub(super) fn decided(&self) -> impl Iterator<Item = &Spoken<'a>> {
        self.by_path().filter_map(|words| self.last(words))
    }

    /// The denials that count.
    pub(super) fn denied(&self) -> impl Iterator<Item = (&'a [String], &'a At<Denial>)> {
        self.denied.iter().filter_map(|path| match self.decides(path)?.said {
            Said::Denied(denial) => Some((*path, denial)),
            Said::Value(_) => None,
        })
    }

    /// The word that counts at a path.
    pub(super) fn decides(&self, path: &[String]) -> Option<&Word<'a>> {
        self.last(self.at(path)).map(|(_, word)| word)
    }

    /// The last of the words at one path, unless something above or in its place leaves nothing of it.
    fn last<'w>(&'w self, words: &'w [Spoken<'a>]) -> Option<&'w Spoken<'a>> {
        let spoken = words.last()?;
        let (path, last) = spoken;
        let hides = |(other, rival): &Spoken<'_>| rival.by > last.by && is_hidden(path, last, other, rival);
        (!self.above(path).chain(self.inside(path)).any(hides)).then_some(spoken)
    }
}
