//! The difference of two values as a person reads it: YAML-like lines, only what differs, bounded in size.

mod layout;

use std::borrow::Cow;

use serde_json::Value;

use crate::model::{Finding, Verdict, assume};
use layout::{Keys, Lines};

pub(super) use layout::is_secret;

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The same on both sides: context.
    Same,
    /// Only on the left: what git declares.
    Minus,
    /// Only on the right: what AWS shows.
    Plus,
}

impl Sign {
    /// The character in front of the line.
    pub fn symbol(self) -> char {
        match self {
            Self::Same => ' ',
            Self::Minus => '-',
            Self::Plus => '+',
        }
    }
}

/// One line of a diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which side it is on.
    pub sign: Sign,
    /// The text, indented, without control characters.
    pub text: String,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}  {}", self.sign.symbol(), self.text)
    }
}

/// A difference, line by line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// The lines, at most a screenful or two.
    pub lines: Vec<Line>,
    /// How many more there were.
    pub left_out: usize,
}

impl Diff {
    /// True when the values are equal.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// The difference from `left` (what git says) to `right` (what AWS shows).
///
/// Where `left` is a map, only the keys it declares are compared, as for verdicts.
pub fn diff(left: Option<&Value>, right: Option<&Value>) -> Diff {
    let (left, right) = (left.map(spread), right.map(spread));
    let (left, right) = (left.as_deref(), right.as_deref());
    let mut lines = Lines::default();
    match (left, right) {
        (None, None) => {}
        (Some(left), None) => lines.whole(Sign::Minus, 0, None, left),
        (None, Some(right)) => lines.whole(Sign::Plus, 0, None, right),
        (Some(left), Some(right)) => lines.between(0, None, Keys::Left, left, right),
    }
    lines.bounded()
}

/// The difference a finding shows. What git asks for reads the way a merge shows it, from AWS to git; everything else
/// from git to AWS. Parts that were not checked say nothing about AWS, and are left out of both sides.
pub(super) fn finding_diff(finding: &Finding) -> Diff {
    let checked = |value: Option<&Value>| value.map(|value| assume(value, &finding.unchecked, None));
    let (desired, observed) = (checked(finding.desired.as_deref()), checked(finding.observed.as_deref()));
    if let (Some(stack), None) | (None, Some(stack)) = (&desired, &observed)
        && stack.get("template").is_some()
    {
        // A page of template says less than this.
        let sign = if observed.is_none() { Sign::Minus } else { Sign::Plus };
        return Diff { lines: vec![Line { sign, text: "(the whole stack)".to_owned() }], left_out: 0 };
    }
    match finding.verdict {
        Verdict::Pending => merge_diff(finding.observed.as_deref(), finding.desired.as_deref()),
        _ => diff(desired.as_ref(), observed.as_ref()),
    }
}

/// The content of a policy as a text of many lines, so that what differs in it is told line by line; that one is attached
/// in a word.
fn spread(value: &Value) -> Cow<'_, Value> {
    if *value == Value::Bool(true) {
        return Cow::Owned(Value::from("attached"));
    }
    let content = value.get("content").filter(|it| it.is_object() && value.get("type").is_some());
    let Some(text) = content.and_then(|content| serde_json::to_string_pretty(content).ok()) else {
        return Cow::Borrowed(value);
    };
    let mut spread = value.clone();
    spread["content"] = Value::from(text);
    Cow::Owned(spread)
}

/// From AWS to git, only what git declares.
fn merge_diff(observed: Option<&Value>, desired: Option<&Value>) -> Diff {
    let (Some(observed), Some(desired)) = (observed, desired) else { return diff(observed, desired) };
    let (mut observed, desired) = (spread(observed).into_owned(), &*spread(desired));
    if let (Value::Object(observed), Value::Object(desired)) = (&mut observed, desired) {
        observed.retain(|key, _| desired.contains_key(key));
    }
    let mut lines = Lines::default();
    lines.between(0, None, Keys::All, &observed, desired);
    lines.bounded()
}

#[cfg(test)]
mod tests;
