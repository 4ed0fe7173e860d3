//! The hidden first line of every issue we write: how we find our own again, and what we remember in it.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};

use super::issue::{IssueKey, IssueKind};
use crate::model::Value;

const OPENING: &str = "<!-- landfast ";
const CLOSING: &str = " -->";
/// Items beyond these are not remembered; such an issue closes only when nothing in its scope is unreadable.
const MAX_ITEMS: usize = 400;

/// Whether what the issue reports still holds, as far as we said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It holds.
    Open,
    /// We closed it, or noted on a closed one that it is over.
    Healed,
}

/// What is remembered of one item the issue reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remembered {
    /// Digest of what git declared then.
    pub(super) desired: String,
    /// True when Landfast has put it back.
    pub(super) is_put_back: bool,
}

/// The marker of one issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    pub(super) key: IssueKey,
    pub(super) kind: IssueKind,
    /// The scope as printed; empty for issues about the repository.
    pub(super) scope: String,
    /// Changes only when what is reported changes.
    pub(super) fingerprint: String,
    pub(super) state: State,
    /// What it reports, by digest of the item.
    pub(super) items: BTreeMap<String, Remembered>,
    /// False when there were more items than are remembered.
    pub(super) is_complete: bool,
}

impl Marker {
    /// The marker of an issue's body: its first line, nowhere else, since the rest holds foreign text.
    pub(super) fn of(body: &str) -> Option<Self> {
        let line = body.lines().next()?.trim();
        let inner = line.strip_prefix(OPENING)?.strip_suffix(CLOSING)?;
        let fields: BTreeMap<_, _> = inner.split(' ').filter_map(|field| field.split_once('=')).collect();
        let items: Option<BTreeMap<_, _>> =
            fields.get("items")?.split(',').filter(|item| !item.is_empty()).map(remembered).collect();
        Some(Self {
            key: IssueKey::parse(fields.get("key")?)?,
            kind: IssueKind::from_label(fields.get("kind")?)?,
            scope: (*fields.get("scope")?).to_owned(),
            fingerprint: (*fields.get("fingerprint")?).to_owned(),
            state: if fields.get("state") == Some(&"healed") { State::Healed } else { State::Open },
            items: items?,
            is_complete: fields.get("items-left-out").is_none(),
        })
    }

    /// Keeps what fits.
    pub(super) fn bounded(mut self) -> Self {
        while self.items.len() > MAX_ITEMS {
            self.items.pop_last();
            self.is_complete = false;
        }
        self
    }

    /// `body` with this marker as its first line, in place of the one it has.
    pub(super) fn replace_in(&self, body: &str) -> String {
        let rest = body.split_once('\n').map_or("", |(_, rest)| rest);
        format!("{self}\n{rest}")
    }
}

fn remembered(text: &str) -> Option<(String, Remembered)> {
    let mut parts = text.split(':');
    let (item, desired) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    Some((item, Remembered { desired, is_put_back: parts.next() == Some("r") }))
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, kind, scope, fingerprint, state, items, is_complete } = self;
        let state = if *state == State::Open { "open" } else { "healed" };
        write!(f, "{OPENING}key={} fingerprint={fingerprint} state={state}", key.as_str())?;
        write!(f, " kind={} scope={scope} items=", kind.label())?;
        for (index, (item, remembered)) in items.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            let put_back = if remembered.is_put_back { ":r" } else { "" };
            write!(f, "{comma}{item}:{}{put_back}", remembered.desired)?;
        }
        f.write_str(if *is_complete { "" } else { " items-left-out=yes" })?;
        f.write_str(CLOSING)
    }
}

/// The first `length` hexadecimal digits of the SHA-256 of `parts`, each of which ends with a zero byte.
pub(super) fn digest(parts: &[&str], length: usize) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    let mut hex = hex::encode(hasher.finalize());
    hex.truncate(length);
    hex
}

/// A short digest of a value; of nothing too.
pub(super) fn value_digest(value: Option<&Value>) -> String {
    digest(&[&value.map(ToString::to_string).unwrap_or_default()], 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_survives_being_written_and_read() {
        let remembered = |is_put_back| Remembered { desired: "abc".to_owned(), is_put_back };
        let marker = Marker {
            key: IssueKey::new(IssueKind::Drift, "accounts/a"),
            kind: IssueKind::Drift,
            scope: "accounts/a".to_owned(),
            fingerprint: "f00".to_owned(),
            state: State::Healed,
            items: [("i1".to_owned(), remembered(true)), ("i2".to_owned(), remembered(false))].into(),
            is_complete: true,
        };
        assert_eq!(Marker::of(&format!("{marker}\nwords")), Some(marker.clone()));
        assert_eq!(Marker::of(&format!("{marker}\r\nwords")), Some(marker.clone()));
        assert_eq!(Marker::of(&format!("words\n{marker}")), None, "only the first line counts");
    }
}
