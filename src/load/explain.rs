//! Why an account is as it is: each path with its effective value and every word that was said about it.

use std::collections::BTreeMap;

use serde_json::json;

use super::account::Accounts;
use super::diagnostic::{At, Spot};
use super::fields::Denial;
use super::outputs;
use super::targets::Targets;
use super::whole::Whole;
use super::words::{Said, Word};
use crate::model::{OuPath, PolicyName, Slug, Source, Value};

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
        let mut last: Option<&[String]> = None;
        for (path, _) in whole.words.iter() {
            if last != Some(path) && whole.words.at(path).iter().any(|word| !word.is_marker()) {
                paths.push(explained(&whole, path));
            }
            last = Some(path);
        }
        Some(Explanation { slug: slug.clone(), paths, exclusions: exclusions(&whole) })
    }
}

fn explained(whole: &Whole<'_>, path: &[String]) -> ExplainedPath {
    let is_secret = whole.is_secret(path);
    let shown = |value: &Value| if is_secret { Shown::Hidden } else { Shown::Text(plain(value)) };
    let decided = whole.words.decides(path);
    let words = whole.words.at(path).iter().map(|word| ExplainedWord {
        source: word.spot().source(),
        said: match word.said {
            Said::Value(leaf) => shown(&leaf.value),
            Said::Denied(denial) => Shown::Text(denied(denial).to_owned()),
        },
        counts: decided.is_some_and(|decided: &Word<'_>| decided.by == word.by),
    });
    let values = whole.merged.get(path).map(|leaf| whole.values_of(path, leaf)).unwrap_or_default();
    ExplainedPath {
        path: path.join("."),
        values: values
            .iter()
            .map(|(region, value)| (region.as_ref().map(ToString::to_string), shown(value)))
            .collect(),
        words: words.collect(),
        locked: whole.lock(path).map(Spot::source),
    }
}

fn denied(denial: &At<Denial>) -> &'static str {
    match denial.value {
        Denial::Withdrawn => "null",
        Denial::Absent => "absent",
    }
}

/// A text without quotes, anything else as JSON; outputs of stacks as the expressions that take them.
pub(super) fn plain(value: &Value) -> String {
    outputs::readable(&value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// The account's own properties: its file over `accountDefaults` and `access` of the organization.
fn properties(whole: &Whole<'_>) -> Vec<ExplainedPath> {
    let (file, organization, account) = (whole.who.file, whole.organization, &whole.account);
    let text = |at: &At<String>| (at.spot.source(), at.value.clone());
    let one = |path: &str, value: Value, said: Vec<(Source, String)>| {
        let last = said.len().saturating_sub(1);
        let words = said.into_iter().enumerate().map(|(index, (source, said))| ExplainedWord {
            source,
            said: Shown::Text(said),
            counts: index == last,
        });
        let values = if value.is_null() { Vec::new() } else { vec![(None, Shown::Text(plain(&value)))] };
        ExplainedPath { path: path.to_owned(), values, words: words.collect(), locked: None }
    };
    let id = file.id.iter().map(|id| (id.spot.source(), id.value.to_string())).collect();
    let ou = vec![(file.ou.spot.source(), file.ou.value.to_string())];
    let email = organization.defaults.email.iter().chain(&file.email).map(text).collect();
    let mut paths = vec![
        one("id", json!(account.id), id),
        one("name", json!(account.name), vec![text(&file.name)]),
        one("email", json!(account.email), email),
        one("ou", json!(account.ou), ou),
    ];
    let defaults = &organization.defaults.tags;
    let keys: std::collections::BTreeSet<_> = defaults.keys().chain(file.tags.keys()).collect();
    for key in keys {
        let own = file.tags.get(key).map(text);
        let without = file.without_tags.get(key).map(|spot| (spot.source(), "null".to_owned()));
        let said = defaults.get(key).map(text).into_iter().chain(own).chain(without).collect();
        paths.push(one(&format!("tags.{key}"), json!(account.tags.get(key)), said));
    }
    if let Some((wave, spot)) = whole.layers.repository().rollout.wave_of(&whole.who.candidate()) {
        paths.push(one("wave", json!(wave), vec![(spot.source(), wave.to_owned())]));
    }
    paths.extend(policies(whole));
    paths.push(access(whole));
    paths.retain(|path| !path.words.is_empty());
    paths
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
        let word = ExplainedWord { source: name.spot.source(), said, counts: true };
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

/// The roles together: they are said together, in one key of each file.
fn access(whole: &Whole<'_>) -> ExplainedPath {
    let own = whole.who.file.access_spot.as_ref();
    let access = &whole.account.access;
    let mut roles = json!({"role": access.role});
    let more = [("readRole", json!(access.read_role)), ("externalId", json!(access.external_id))];
    for (key, value) in more.into_iter().filter(|(_, value)| !value.is_null()) {
        roles[key] = value;
    }
    let common = super::account::access(&whole.organization.access, &super::raw::Access::default());
    let said = [(Some(&whole.organization.spot), json!({"role": common.role})), (own, roles.clone())];
    let said = said.into_iter().filter_map(|(spot, said)| Some((spot?.source(), said)));
    let words =
        said.map(|(source, said)| ExplainedWord { source, said: Shown::Text(plain(&said)), counts: false });
    let mut words: Vec<_> = words.collect();
    if let Some(last) = words.last_mut() {
        last.counts = true;
    }
    let locked = whole.lock(&["access".to_owned()]).map(Spot::source);
    ExplainedPath {
        path: "access".to_owned(),
        values: vec![(None, Shown::Text(roles.to_string()))],
        words,
        locked,
    }
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
