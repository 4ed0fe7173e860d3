//! Laying layers over each other: the repository, baselines in their order, the account last.
//!
//! Guarantees: the account's own word wins; among baselines the one that comes `after` the other wins; two that
//! disagree without an order are reported and never silently decided; every word is kept, with who said it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use super::diagnostic::{At, Fault, Faults, Spot};
use super::fields::suggest;
use super::layer::{Layer, Path};
use super::memory::Same;
use super::order::{ancestors, order};
use super::raw::{Baseline, Repository};
use super::rule::Rule;
use super::targets::Candidate;
use super::words::{Said, Word, Words, is_hidden};
use crate::model::Value;

/// What an account comes to, leaf by leaf, each with the place that decided.
pub(super) type Merged = BTreeMap<Path, At<Value>>;

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

    /// Reports each pair of words that cannot both stand although no order decides between them.
    pub(super) fn check_agreement(&self, words: &Words<'_>, speakers: &[Speaker<'_>], faults: &mut Faults) {
        let after =
            |later: usize, earlier: usize| self.comes_after(speakers[later].rank, speakers[earlier].rank);
        for (path, word) in words.iter() {
            // A quick way out for what only one layer says.
            if words.rivals(path).all(|(_, rival)| rival.by == word.by) {
                continue;
            }
            let is_overruled = |path, word: &Word<'_>| {
                let mut others = words.rivals(path).chain(words.inside(path));
                others.any(|(other, rival)| after(rival.by, word.by) && is_hidden(path, word, other, rival))
            };
            // An entry that was spoken of again does not make good what was denied in it.
            let is_settled = |rival: &Word<'_>| {
                let settles = |(at, it): (&[String], &Word<'_>)| at == path || !it.is_marker();
                words.rivals(path).any(|(at, it)| after(it.by, rival.by) && settles((at, it)))
            };
            if is_overruled(path, word) {
                continue;
            }
            for (other, rival) in words.rivals(path) {
                // Said once for the entry, not again for each thing in it.
                let is_entry = |it: &Word<'_>| it.by == word.by && !is_overruled(other, it);
                let is_told = other != path && words.at(other).iter().any(is_entry);
                let is_ordered = rival.by == word.by || after(rival.by, word.by) || after(word.by, rival.by);
                if !(is_ordered || is_told)
                    && (other, &rival.said) != (path, &word.said)
                    && is_hidden(path, word, other, rival)
                    && !is_settled(rival)
                {
                    let (first, second) = if word.by < rival.by { (word, rival) } else { (rival, word) };
                    disagree(path, first, second, speakers, faults);
                }
            }
        }
    }
}

fn disagree(
    path: &[String],
    word: &Word<'_>,
    rival: &Word<'_>,
    speakers: &[Speaker<'_>],
    faults: &mut Faults,
) {
    let (Rank::Baseline(first), Rank::Baseline(second)) = (speakers[word.by].rank, speakers[rival.by].rank)
    else {
        return;
    };
    let mut message = format!("the baselines `{first}` and `{second}` disagree on {}", path.join("."));
    if may_be_secret(path) {
        faults.keep_secret(word.spot());
        faults.keep_secret(rival.spot());
    } else {
        _ = write!(message, ": {} and {}", word.said, rival.said);
    }
    let hint = format!("let one come after the other: `after: [{first}]` in `{second}`");
    let fault = Fault::new(Rule::Disagreement, rival.spot(), message, hint);
    faults.add(fault.see(word.spot(), format!("`{first}` says otherwise here")));
}

/// True for what may become a template's parameter: it may be a secret, and no template has been read yet.
pub(super) fn may_be_secret(path: &[String]) -> bool {
    matches!(path, [head, ..] if head == "values")
        || matches!(path, [head, _, key, ..] if head == "stacks" && key == "parameters")
}

/// The leaves that count, of all that was said.
pub(super) fn effective(words: &Words<'_>) -> Merged {
    let leaf = |(path, word): (&[String], &Word<'_>)| match word.said {
        Said::Value(leaf) => Some((path.to_vec(), leaf.clone())),
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
