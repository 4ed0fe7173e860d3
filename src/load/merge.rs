//! Laying layers over each other: the repository, baselines in their order, the account last.
//!
//! Guarantees: the account's own word wins; among baselines the one that comes `after` the other wins; two that
//! disagree without an order are reported and never silently decided; every word is kept, with who said it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::diagnostic::{At, Faults, Spot};
use super::fields::suggest;
use super::layer::Layer;
use super::memory::Same;
use super::order::{ancestors, order};
use super::paths::ByPath;
use super::raw::{Baseline, Repository};
use super::rule::Rule;
use super::targets::Candidate;
use super::words::{Said, Spoken, Words};
use crate::model::Value;

/// What an account comes to, leaf by leaf, each with the place that decided.
pub(super) type Merged<'a> = ByPath<'a, &'a At<Value>>;

/// The repository and its baselines, these in an order in which each comes after those it names.
pub(super) struct Layers {
    repository: Arc<Repository>,
    baselines: Vec<Arc<Baseline>>,
    /// For each baseline those it comes after, directly or through others.
    before: BTreeMap<String, BTreeSet<String>>,
}

/// One layer that speaks to an account.
#[derive(Clone, Copy)]
pub(super) struct Speaker<'a> {
    pub(super) layer: &'a Layer,
    pub(super) spot: &'a Spot,
    pub(super) rank: Rank<'a>,
}

/// Where a speaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rank<'a> {
    /// `landfast.yaml`, before everybody.
    Repository,
    /// A baseline, by name.
    Baseline(&'a str),
    /// The account itself, after everybody.
    Account,
}

impl std::fmt::Display for Rank<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Repository => f.write_str("landfast.yaml"),
            Self::Baseline(name) => write!(f, "the baseline `{name}`"),
            Self::Account => f.write_str("the account"),
        }
    }
}

impl Layers {
    /// Checks `after` and brings the baselines in order.
    pub(super) fn new(
        repository: Arc<Repository>,
        mut baselines: Vec<Arc<Baseline>>,
        faults: &mut Faults,
    ) -> Self {
        let after = |b: &Arc<Baseline>| b.after.iter().map(|name| name.value.clone()).collect();
        let graph: BTreeMap<String, BTreeSet<String>> =
            baselines.iter().map(|baseline| (baseline.name.clone(), after(baseline))).collect();
        for name in baselines.iter().flat_map(|baseline| &baseline.after) {
            if !graph.contains_key(&name.value) {
                let message = format!("there is no baseline `{}`", name.value);
                let hint = suggest(&name.value, graph.keys().map(String::as_str));
                faults.report(Rule::UnknownName, &name.spot, message, hint);
            }
        }
        match order(&graph) {
            Ok(names) => baselines.sort_by_key(|b| names.iter().position(|name| *name == b.name)),
            Err(cycle) => report_cycle(&baselines, &cycle, faults),
        }
        let before = graph.keys().map(|name| (name.clone(), ancestors(&graph, name))).collect();
        Self { repository, baselines, before }
    }

    /// The baselines that are for this account, in order.
    pub(super) fn reaching<'a>(&'a self, account: &Candidate<'_>) -> Vec<&'a Baseline> {
        self.iter().filter(|baseline| baseline.targets.reach(account)).collect()
    }

    /// Every layer that speaks to an account, in order.
    pub(super) fn speakers<'a>(
        &'a self,
        account: &Candidate<'_>,
        own: &'a Layer,
        own_spot: &'a Spot,
    ) -> Vec<Speaker<'a>> {
        let repository =
            Speaker { layer: &self.repository.layer, spot: &self.repository.spot, rank: Rank::Repository };
        let baselines = self.reaching(account).into_iter().map(|baseline| Speaker {
            layer: &baseline.layer,
            spot: &baseline.spot,
            rank: Rank::Baseline(&baseline.name),
        });
        let own = Speaker { layer: own, spot: own_spot, rank: Rank::Account };
        std::iter::once(repository).chain(baselines).chain([own]).collect()
    }

    /// Every baseline.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Baseline> + Clone {
        self.baselines.iter().map(AsRef::as_ref)
    }

    /// What an account is built from beside its own: the repository's file and every baseline, in order.
    pub(super) fn shared(&self) -> (Same<Repository>, Vec<Same<Baseline>>) {
        (Same::of(&self.repository), self.baselines.iter().map(Same::of).collect())
    }

    /// The repository's own layer.
    pub(super) fn repository(&self) -> &Repository {
        &self.repository
    }

    /// True when the later layer was told to come after the earlier one.
    pub(super) fn comes_after(&self, later: Rank<'_>, earlier: Rank<'_>) -> bool {
        match (later, earlier) {
            (Rank::Account, earlier) => earlier != Rank::Account,
            (later, Rank::Repository) => later != Rank::Repository,
            (Rank::Baseline(later), Rank::Baseline(earlier)) => self.before[later].contains(earlier),
            (Rank::Repository, _) | (Rank::Baseline(_), Rank::Account) => false,
        }
    }
}

/// True for what may become a template's parameter: it may be a secret, and no template has been read yet.
pub(super) fn may_be_secret(path: &[String]) -> bool {
    matches!(path, [head, ..] if head == "values")
        || matches!(path, [head, _, key, ..] if head == "stacks" && key == "parameters")
}

/// The leaves that count, of all that was said.
pub(super) fn effective<'a>(words: &Words<'a>) -> Merged<'a> {
    let leaf = |(path, word): &Spoken<'a>| match word.said {
        Said::Value(leaf) => Some((*path, leaf)),
        Said::Denied(_) => None,
    };
    words.decided().filter_map(leaf).collect()
}

fn report_cycle(baselines: &[Arc<Baseline>], cycle: &[String], faults: &mut Faults) {
    let named = |baseline: &&Arc<Baseline>| baseline.name == cycle[0];
    let spot = baselines.iter().find(named).and_then(|baseline| baseline.after.first());
    let spot = spot.map_or_else(|| Spot::file("baselines"), |after| after.spot.clone());
    let message = format!("baselines come after each other in a circle: {}", cycle.join(" after "));
    faults.report(Rule::Circle, &spot, message, "take one `after` out");
}
