//! What expressions say of what is known later: outputs of stacks, and ids of accounts that are not recorded yet.
//!
//! Guarantees: each is put into a value whole or not at all. While files are read nobody knows it, so that nothing may
//! be worked out of it; what could have been is refused. In texts it is a [`Part`] between marks. Whether there is such
//! a stack and such an output is checked by `links`.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use minijinja::value::{Enumerator, Object, ObjectRepr, Value as Seen};

use crate::model::{Deferred, OutputRef, Part, Region, Slug, StackName, Value};

/// Noncharacters: they mean nothing in any text, so that they can mean this.
const MARKS: (char, char) = ('\u{fdd0}', '\u{fdd1}');

/// Stands for every letter of what is known later, so that none can be told from another.
const VEIL: char = '\u{fdd2}';

/// Words that look into a value, or decide by one.
const DECIDING: [&str; 7] = ["if", "else", "in", "is", "not", "and", "or"];

/// Notes that an expression took what is known later, and says how that is to look.
#[derive(Clone, Debug, Default)]
pub(super) struct Taken(Arc<Flags>);

#[derive(Debug, Default)]
struct Flags {
    is_taken: AtomicBool,
    is_output: AtomicBool,
    are_texts: AtomicBool,
}

impl Taken {
    pub(super) fn forget(&self) {
        self.0.is_taken.store(false, Ordering::Relaxed);
        self.0.is_output.store(false, Ordering::Relaxed);
    }

    pub(super) fn is_so(&self) -> bool {
        self.0.is_taken.load(Ordering::Relaxed)
    }

    /// What was taken, for a message.
    pub(super) fn what(&self) -> &'static str {
        if self.0.is_output.load(Ordering::Relaxed) { "an output of a stack" } else { "the id of an account" }
    }

    /// Evaluates with texts like any other, and veiled. Where that comes to something else than [`veiled`] makes of the
    /// value, the expression does not put them in whole.
    pub(super) fn as_texts<T>(&self, evaluate: impl FnOnce() -> T) -> T {
        self.0.are_texts.store(true, Ordering::Relaxed);
        let result = evaluate();
        self.0.are_texts.store(false, Ordering::Relaxed);
        result
    }

    /// A text as an expression is given it that takes it.
    fn give(&self, parts: Vec<Part>) -> Seen {
        self.0.is_taken.store(true, Ordering::Relaxed);
        if parts.iter().any(|part| matches!(part, Part::Output(_))) {
            self.0.is_output.store(true, Ordering::Relaxed);
        }
        let pending = Pending(parts);
        if !self.0.are_texts.load(Ordering::Relaxed) {
            return Seen::from_object(pending);
        }
        // What was rendered just now has no piece of a mark in it.
        Seen::from(veiled_text(&Seen::from_object(pending).to_string()).unwrap_or_default())
    }
}

/// `stacks` of one account.
pub(super) fn stacks(account: &Slug, taken: &Taken) -> Seen {
    Seen::from_object(Stacks { account: account.clone(), taken: taken.clone() })
}

/// `accounts` with the id of each, and where `has_stacks` with its stacks.
pub(super) fn accounts(facts: &Seen, has_stacks: bool, taken: &Taken) -> Seen {
    Seen::from_object(Accounts { facts: facts.clone(), has_stacks, taken: taken.clone() })
}

/// `account`, or one of `accounts`.
pub(super) fn account(facts: &Seen, slug: &Slug, has_stacks: bool, taken: &Taken) -> Seen {
    let (facts, slug, taken) = (facts.clone(), slug.clone(), taken.clone());
    Seen::from_object(Account { facts, slug, has_stacks, taken })
}

/// `values` of which some hang on what is known later.
pub(super) fn values(value: &Value, taken: &Taken) -> Seen {
    match value {
        _ if !is_open_within(value) => super::expression::fact(value),
        Value::Object(map) => Seen::from_object(Values { map: map.clone(), taken: taken.clone() }),
        Value::Array(members) => members.iter().map(|member| values(member, taken)).collect(),
        other => taken.give(parts(other.as_str().unwrap_or_default())),
    }
}

/// True when something within a value is known later.
pub(super) fn is_open_within(value: &Value) -> bool {
    match value {
        Value::String(text) => is_open(text),
        Value::Array(members) => members.iter().any(is_open_within),
        Value::Object(map) => map.values().any(is_open_within),
        _ => false,
    }
}

#[derive(Debug)]
struct Accounts {
    facts: Seen,
    has_stacks: bool,
    taken: Taken,
}

#[derive(Debug)]
struct Account {
    facts: Seen,
    slug: Slug,
    has_stacks: bool,
    taken: Taken,
}

#[derive(Debug)]
struct Values {
    map: serde_json::Map<String, Value>,
    taken: Taken,
}

#[derive(Debug)]
struct Stacks {
    account: Slug,
    taken: Taken,
}

/// A stack, and its region once it is named.
#[derive(Debug)]
struct Stack {
    account: Slug,
    name: StackName,
    region: Option<Region>,
    taken: Taken,
}

#[derive(Debug)]
struct Outputs {
    account: Slug,
    name: StackName,
    region: Option<Region>,
    taken: Taken,
}

/// A text of which something is still to come.
#[derive(Debug)]
struct Pending(Vec<Part>);

impl Object for Accounts {
    fn get_value(self: &Arc<Self>, key: &Seen) -> Option<Seen> {
        let facts = known(&self.facts, key)?;
        Some(account(&facts, &Slug::parse(key.as_str()?).ok()?, self.has_stacks, &self.taken))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        keys(&self.facts)
    }
}

impl Object for Account {
    fn get_value(self: &Arc<Self>, key: &Seen) -> Option<Seen> {
        match key.as_str() {
            Some("stacks") if self.has_stacks => Some(stacks(&self.slug, &self.taken)),
            Some("id") => Some(
                known(&self.facts, key)
                    .unwrap_or_else(|| self.taken.give(vec![Part::AccountId(self.slug.clone())])),
            ),
            _ => known(&self.facts, key),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        keys(&self.facts)
    }
}

impl Object for Values {
    fn get_value(self: &Arc<Self>, key: &Seen) -> Option<Seen> {
        Some(values(self.map.get(key.as_str()?)?, &self.taken))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Iter(Box::new(self.map.keys().cloned().map(Seen::from).collect::<Vec<_>>().into_iter()))
    }
}

impl Object for Stacks {
    fn get_value(self: &Arc<Self>, key: &Seen) -> Option<Seen> {
        let name = StackName::parse(key.as_str()?).ok()?;
        let (account, taken) = (self.account.clone(), self.taken.clone());
        Some(Seen::from_object(Stack { account, name, region: None, taken }))
    }
}

impl Object for Stack {
    fn get_value(self: &Arc<Self>, key: &Seen) -> Option<Seen> {
        let (account, name, taken) = (self.account.clone(), self.name.clone(), self.taken.clone());
        match (key.as_str()?, &self.region) {
            ("outputs", region) => {
                Some(Seen::from_object(Outputs { account, name, region: region.clone(), taken }))
            }
            (region, None) => {
                let region = Some(Region::parse(region).ok()?);
                Some(Seen::from_object(Self { account, name, region, taken }))
            }
            (_, Some(_)) => None,
        }
    }
}

impl Object for Outputs {
    fn get_value(self: &Arc<Self>, key: &Seen) -> Option<Seen> {
        let key = key.as_str().filter(|key| is_key(key))?.to_owned();
        let (account, stack, region) = (self.account.clone(), self.name.clone(), self.region.clone());
        Some(self.taken.give(vec![Part::Output(OutputRef { account, stack, region, key })]))
    }
}

impl Object for Pending {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::AccountId(slug) => write!(f, "{}{slug}{}", MARKS.0, MARKS.1),
            Part::Output(OutputRef { account, stack, region, key }) => {
                let region = region.as_ref().map(Region::as_str).unwrap_or_default();
                write!(f, "{}{account}/{stack}/{region}/{key}{}", MARKS.0, MARKS.1)
            }
        })
    }
}

fn known(facts: &Seen, key: &Seen) -> Option<Seen> {
    facts.get_item(key).ok().filter(|value| !value.is_undefined())
}

fn keys(facts: &Seen) -> Enumerator {
    let keys: Vec<_> = facts.try_iter().into_iter().flatten().collect();
    Enumerator::Iter(Box::new(keys.into_iter()))
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// True when something of a text is known later.
pub(super) fn is_open(text: &str) -> bool {
    text.contains(MARKS.0) && parts(text).iter().any(|part| !matches!(part, Part::Text(_)))
}

/// True when a mark is anywhere in a value.
pub(super) fn is_marked(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains([MARKS.0, MARKS.1, VEIL]),
        Value::Array(members) => members.iter().any(is_marked),
        Value::Object(map) => {
            map.iter().any(|(key, value)| key.contains([MARKS.0, MARKS.1, VEIL]) || is_marked(value))
        }
        _ => false,
    }
}

/// A text with an id in the place of each that is to come. All ids are alike, as far as AWS asks.
pub(super) fn with_stand_ins(text: &str) -> Cow<'_, str> {
    if !is_open(text) {
        return text.into();
    }
    let said = parts(text).into_iter().map(|part| match part {
        Part::AccountId(_) => "0".repeat(12),
        Part::Text(text) => text,
        Part::Output(output) => output.key,
    });
    said.collect()
}

/// A text that is known as it is, or that has something to come.
pub(super) fn known_or_later(text: String) -> Result<String, Deferred> {
    if is_open(&text) {
        return Err(Deferred { parts: parts(&text), is_list: false, takes: Arc::default() });
    }
    Ok(text)
}

/// The pieces of a text.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, part, after)) = first(rest) {
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        parts.push(part);
        rest = after;
    }
    if !rest.is_empty() || parts.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    parts
}

/// A value with all that is known later veiled; nothing where a piece of that is in it.
pub(super) fn veiled(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => veiled_text(text).map(Value::String),
        Value::Array(members) => members.iter().map(veiled).collect::<Option<_>>().map(Value::Array),
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| Some((veiled_text(key)?, veiled(value)?)));
            entries.collect::<Option<_>>().map(Value::Object)
        }
        other => Some(other.clone()),
    }
}

fn veiled_text(text: &str) -> Option<String> {
    let (mut result, mut outside, mut rest) = (String::new(), String::new(), text);
    while let Some((before, _, after)) = first(rest) {
        let marked = &rest[before.len()..rest.len() - after.len()];
        result.extend([before, &veil(marked)]);
        outside.push_str(before);
        rest = after;
    }
    result.push_str(rest);
    outside.push_str(rest);
    (!outside.contains([MARKS.0, MARKS.1, VEIL])).then_some(result)
}

fn veil(marked: &str) -> String {
    marked.chars().map(|letter| if letter == MARKS.0 || letter == MARKS.1 { letter } else { VEIL }).collect()
}

/// A text with expressions in the place of what is known later.
pub(super) fn readable(text: &str) -> String {
    if !is_open(text) {
        return text.to_owned();
    }
    Deferred { parts: parts(text), is_list: false, takes: Arc::default() }.to_string()
}

/// What is known later first in a text, with what stands before and after it.
fn first(text: &str) -> Option<(&str, Part, &str)> {
    let (before, rest) = text.split_once(MARKS.0)?;
    let (inside, after) = rest.split_once(MARKS.1)?;
    let part = match inside.split('/').collect::<Vec<_>>()[..] {
        [slug] => Part::AccountId(Slug::parse(slug).ok()?),
        [account, stack, region, key] => Part::Output(OutputRef {
            account: Slug::parse(account).ok()?,
            stack: StackName::parse(stack).ok()?,
            region: if region.is_empty() { None } else { Some(Region::parse(region).ok()?) },
            key: Some(key).filter(|key| is_key(key))?.to_owned(),
        }),
        _ => return None,
    };
    Some((before, part, after))
}

/// What in an expression could look into what it takes, or decide by it; joining with `~`, listing and picking by name
/// cannot.
pub(super) fn working(expression: &str) -> Option<String> {
    let bare = without_quotes(expression);
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let words = bare.split(|c| !is_word(c));
    if let Some(word) = words.into_iter().find(|word| DECIDING.contains(word)) {
        return Some(word.to_owned());
    }
    let mut last = ' ';
    for letter in bare.chars().filter(|c| !c.is_whitespace()) {
        let is_call = letter == '(' && (is_word(last) || matches!(last, ']' | ')' | '\''));
        // Keys of a map are texts in quotes: another could turn out to be the same.
        let is_open_key = letter == ':' && last != '\'';
        if is_call || is_open_key || !(is_word(letter) || ".[](){},:~'".contains(letter)) {
            return Some(letter.to_string());
        }
        last = letter;
    }
    None
}

/// An expression with every text in it empty.
pub(super) fn without_quotes(expression: &str) -> String {
    let (mut bare, mut quote, mut is_escaped) = (String::new(), None, false);
    for letter in expression.chars() {
        match (quote, letter) {
            _ if is_escaped => is_escaped = false,
            (Some(_), '\\') => is_escaped = true,
            (Some(open), letter) if letter == open => {
                quote = None;
                bare.push('\'');
            }
            (Some(_), _) => {}
            (None, '"' | '\'') => {
                quote = Some(letter);
                bare.push('\'');
            }
            (None, letter) => bare.push(letter),
        }
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joining_listing_and_picking_do_not_look_into_an_output() {
        for good in [
            "stacks['a-b'].outputs.Key",
            "'x: | if' ~ accounts[values.Log].stacks['t'][region].outputs['Key']",
            "[stacks['a'].outputs.A, ('b' ~ stacks['b'].outputs.B)]",
            "{'eu-west-1': stacks['a'].outputs.A}[region]",
        ] {
            assert_eq!(working(good), None, "{good}");
        }
    }

    #[test]
    fn whatever_could_look_into_an_output_is_found() {
        for (bad, what) in [
            ("stacks['a'].outputs.A | upper", "|"),
            ("stacks['a'].outputs.A == 'x'", "="),
            ("'x' if stacks['a'].outputs.A else 'y'", "if"),
            ("stacks['a'].outputs.A.upper()", "("),
            ("f (stacks['a'].outputs.A)", "("),
            ("'a' in stacks['a'].outputs.A", "in"),
            ("stacks['a'].outputs.A is defined", "is"),
            ("stacks['a'].outputs.A[0:2]", ":"),
            ("{stacks['a'].outputs.A: 'x', 'k': 'y'}['k']", ":"),
        ] {
            assert_eq!(working(bad).as_deref(), Some(what), "{bad}");
        }
    }

    #[test]
    fn what_is_between_marks_comes_back_and_what_is_nothing_known_stays_text() {
        let text =
            "a\u{fdd0}log-archive/trail//Name\u{fdd1}\u{fdd0}one/t/eu-west-1/K\u{fdd1}\u{fdd0}one\u{fdd1}z";
        let parts = parts(text);
        assert_eq!(parts.len(), 5);
        assert!(matches!(&parts[1], Part::Output(it) if it.region.is_none() && it.key == "Name"));
        assert!(matches!(&parts[3], Part::AccountId(slug) if slug.as_str() == "one"));
        assert!(!is_open("\u{fdd0}n/o\u{fdd1}") && is_open(text));
    }
}
