//! Why an account is as it is: each path with its effective value and every word that was said about it.

use std::collections::BTreeMap;

use serde_json::json;

use super::account::Accounts;
use super::diagnostic::{At, Spot};
use super::fields::Denial;
use super::later;
use super::targets::Targets;
use super::whole::Whole;
use super::words::{Said, Spoken, Words, is_hidden};
use crate::model::{Access, OuPath, PolicyName, Slug, Source, Value};

/// Everything about one account, by path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The account.
    pub slug: Slug,
    /// Its paths, the account's own properties first.
    pub paths: Vec<ExplainedPath>,
    /// Baselines that leave this account out by name.
    pub exclusions: Vec<ExplainedExclusion>,
}

/// One path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedPath {
    /// Such as `settings.passwordPolicy.minimumLength`.
    pub path: String,
    /// What it comes to, and in which region where that matters; empty when nobody manages it.
    pub values: Vec<(Option<String>, Shown)>,
    /// Everything that was said, what counts least first.
    pub words: Vec<ExplainedWord>,
    /// The lock that holds it.
    pub locked: Option<Source>,
}

/// Something to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// As JSON, texts without quotes.
    Text(String),
    /// It is a secret, or may be one.
    Hidden,
}

/// What one layer said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedWord {
    /// Where.
    pub source: Source,
    /// The path it is said of, where that is another one: it withdraws or replaces what was said at this one.
    pub of: Option<String>,
    /// What, as it is written there; `null` or `absent` for a denial.
    pub said: Shown,
    /// True for the one that decides.
    pub counts: bool,
}

/// A baseline, or an entry of one, that leaves the account out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedExclusion {
    /// The entry it is left out of, such as `stacks.trail`; empty for the whole baseline.
    pub of: String,
    /// Where.
    pub source: Source,
    /// Why.
    pub reason: String,
    /// The last day on which it is meant to hold.
    pub until: Option<jiff::civil::Date>,
}

impl Accounts<'_> {
    /// Explains an account that was built without a fault.
    pub(super) fn explain(&self, slug: &Slug) -> Option<Explanation> {
        let whole = self.whole_of(slug)?;
        let mut paths = properties(&whole);
        for words in whole.words.by_path().filter(|words| words.iter().any(|(_, word)| !word.is_marker())) {
            paths.push(explained(&whole, words[0].0));
        }
        Some(Explanation { slug: slug.clone(), paths, exclusions: exclusions(&whole) })
    }
}

fn explained<'a>(whole: &Whole<'a>, path: &'a [String]) -> ExplainedPath {
    let is_secret = whole.is_secret(path);
    let shown = |leaf: &At<Value>, value: &Value| match () {
        () if is_secret => Shown::Hidden,
        () if leaf.value.is_null() => Shown::Text("an entry".to_owned()),
        () => Shown::Text(plain(value)),
    };
    let heard = heard(&whole.words, path);
    let decided =
        whole.words.decides(path).map_or_else(|| heard.last().map(|(_, it)| it.by), |it| Some(it.by));
    let words = heard.iter().map(|(at, word)| ExplainedWord {
        source: word.spot().source(),
        of: (*at != path).then(|| at.join(".")),
        said: match word.said {
            Said::Value(_) if whole.is_secret(at) => Shown::Hidden,
            Said::Value(leaf) => shown(leaf, &leaf.value),
            Said::Denied(denial) => Shown::Text(denied(denial).to_owned()),
        },
        counts: decided == Some(word.by),
    });
    let values = whole.merged.get(path).into_iter().flat_map(|leaf| {
        let values = whole.values_of(path, leaf).into_iter();
        values.map(|(region, value)| (region.map(|it| it.to_string()), shown(leaf, &value)))
    });
    ExplainedPath {
        path: path.join("."),
        values: values.collect(),
        words: words.collect(),
        locked: whole.lock(path).map(Spot::source),
    }
}

/// The words at a path, and the word of each layer that leaves nothing of one of them: by what it says above the path,
/// or by a map in its place. In the order of the layers.
fn heard<'w, 'a>(words: &'w Words<'a>, path: &'a [String]) -> Vec<&'w Spoken<'a>> {
    let overrules = |(other, over): &&Spoken<'_>| {
        let mut said = words.at(path).iter().filter(|(_, word)| word.by < over.by);
        *other != path && said.any(|(_, word)| is_hidden(path, word, other, over))
    };
    let others = words.rivals(path).chain(words.inside(path)).filter(overrules);
    let mut heard: Vec<_> = words.at(path).iter().chain(others).collect();
    heard.sort_by_key(|(_, word)| word.by);
    heard.dedup_by(|(at, word), (_, before)| *at != path && word.by == before.by);
    heard
}

fn denied(denial: &At<Denial>) -> &'static str {
    match denial.value {
        Denial::Withdrawn => "null",
        Denial::Absent => "absent",
    }
}

/// A text without quotes, anything else as JSON; outputs of stacks as the expressions that take them.
pub(super) fn plain(value: &Value) -> String {
    later::readable(&value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// The account's own properties: its file over `accountDefaults` and `access` of the organization.
fn properties(whole: &Whole<'_>) -> Vec<ExplainedPath> {
    let (file, organization, account) = (whole.who.file, whole.organization, &whole.account);
    let id = file.id.iter().map(said).collect();
    let email = organization.defaults.email.iter().chain(&file.email).map(said).collect();
    let mut paths = vec![
        property("id", &json!(account.id), id),
        property("name", &json!(account.name), vec![said(&file.name)]),
        property("email", &json!(account.email), email),
        property("ou", &json!(account.ou), vec![said(&file.ou)]),
    ];
    let defaults = &organization.defaults.tags;
    let keys: std::collections::BTreeSet<_> = defaults.keys().chain(file.tags.keys()).collect();
    for key in keys {
        let own = file.tags.get(key).map(said);
        let without = file.without_tags.get(key).map(|spot| (spot.source(), "null".to_owned()));
        let said = defaults.get(key).map(said).into_iter().chain(own).chain(without).collect();
        paths.push(property(&format!("tags.{key}"), &json!(account.tags.get(key)), said));
    }
    if let Some((wave, spot)) = whole.layers.repository().rollout.wave_of(&whole.who.candidate()) {
        paths.push(property("wave", &json!(wave), vec![(spot.source(), wave.to_owned())]));
    }
    paths.extend(policies(whole));
    paths.extend(access(whole));
    paths.retain(|path| !(path.words.is_empty() && path.values.is_empty()));
    paths
}

fn said<T: ToString>(at: &At<T>) -> (Source, String) {
    (at.spot.source(), at.value.to_string())
}

/// What one file says over another: the last one decides.
fn property(path: &str, value: &Value, said: Vec<(Source, String)>) -> ExplainedPath {
    let last = said.len().saturating_sub(1);
    let words = said.into_iter().enumerate().map(|(index, (source, said))| ExplainedWord {
        source,
        of: None,
        said: Shown::Text(said),
        counts: index == last,
    });
    let values = if value.is_null() { Vec::new() } else { vec![(None, Shown::Text(plain(value)))] };
    ExplainedPath { path: path.to_owned(), values, words: words.collect(), locked: None }
}

/// The policies that hold for the account, wherever they are attached: the root, each OU on the way, itself.
fn policies(whole: &Whole<'_>) -> Vec<ExplainedPath> {
    let above = std::iter::successors(Some(whole.account.ou.clone()), OuPath::parent);
    let mut places: Vec<_> = above.collect();
    places.reverse();
    let on = |path: &OuPath| whole.organization.policies.get(path).map(Vec::as_slice).unwrap_or_default();
    let of_ous = places.iter().flat_map(|path| on(path).iter().map(move |name| (name, path.to_string())));
    let own = whole.who.file.policies.iter().map(|name| (name, "the account".to_owned()));
    let mut by_name: BTreeMap<&PolicyName, Vec<ExplainedWord>> = BTreeMap::new();
    for (name, place) in of_ous.chain(own) {
        let said = Shown::Text(format!("attached to {place}"));
        let word = ExplainedWord { source: name.spot.source(), of: None, said, counts: true };
        by_name.entry(&name.value).or_default().push(word);
    }
    let path = |(name, words)| ExplainedPath {
        path: format!("policies.{name}"),
        values: vec![(None, Shown::Text("attached".to_owned()))],
        words,
        locked: None,
    };
    by_name.into_iter().map(path).collect()
}

/// The roles, each by itself: two files may say one each. What only the organization can say is not the account's.
fn access(whole: &Whole<'_>) -> impl Iterator<Item = ExplainedPath> {
    let (common, own) = (&whole.organization.access, &whole.who.file.access);
    let Access { role, read_role, stack_role, external_id, management_role: _, new_account_role: _ } =
        &whole.account.access;
    let locked = whole.lock(&["access".to_owned()]).map(Spot::source);
    let all = [
        ("role", json!(role), both([&common.role, &own.role])),
        ("readRole", json!(read_role), both([&common.read_role, &own.read_role])),
        ("stackRole", json!(stack_role), both([&common.stack_role, &own.stack_role])),
        ("externalId", json!(external_id), both([&common.external_id, &own.external_id])),
    ];
    let path = move |(key, value, said)| ExplainedPath {
        locked: locked.clone(),
        ..property(&format!("access.{key}"), &value, said)
    };
    all.into_iter().map(path)
}

fn both<T: ToString>(layers: [&Option<At<T>>; 2]) -> Vec<(Source, String)> {
    layers.into_iter().flatten().map(said).collect()
}

fn exclusions(whole: &Whole<'_>) -> Vec<ExplainedExclusion> {
    let targets = whole.layers.iter().flat_map(|it| {
        let entries = it.layer.narrowed().map(|(path, targets)| (path.join("."), targets));
        entries.chain([(String::new(), &it.targets)])
    });
    let explained = |(of, targets): (String, &Targets)| {
        let exclusion = targets.exclusions().get(whole.who.slug.as_str())?;
        let (source, reason, until) = (exclusion.spot.source(), exclusion.reason.clone(), exclusion.until);
        Some(ExplainedExclusion { of, source, reason, until })
    };
    targets.filter_map(explained).collect()
}
