//! Laying layers over each other: baselines in their order, the account last.
//!
//! Guarantees: the account's own word wins; among baselines the one that comes `after` the other wins; two that
//! disagree without an order are reported and never silently decided.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::diagnostic::{At, Fault, Faults, Spot};
use super::fields::suggest;
use super::layer::{Layer, Path};
use super::order::{ancestors, order};
use super::raw::Baseline;
use super::rule::Rule;
use super::targets::Candidate;
use crate::model::Value;

/// What an account comes to, leaf by leaf, each with the place that decided.
pub(super) type Merged = BTreeMap<Path, At<Value>>;

/// The baselines in an order in which each comes after those it names.
pub(super) struct Layers {
    baselines: Vec<Baseline>,
    /// For each baseline those it comes after, directly or through others.
    before: BTreeMap<String, BTreeSet<String>>,
}

impl Layers {
    /// Checks `after` and brings the baselines in order.
    pub(super) fn new(mut baselines: Vec<Baseline>, faults: &mut Faults) -> Self {
        let after = |b: &Baseline| b.after.iter().map(|name| name.value.clone()).collect();
        let graph: BTreeMap<String, BTreeSet<String>> =
            baselines.iter().map(|baseline| (baseline.name.clone(), after(baseline))).collect();
        for name in baselines.iter().flat_map(|baseline| &baseline.after) {
            if !graph.contains_key(&name.value) {
                let message = format!("there is no baseline `{}`", name.value);
                faults.report(
                    Rule::UnknownName,
                    &name.spot,
                    message,
                    suggest(&name.value, graph.keys().map(String::as_str)),
                );
            }
        }
        match order(&graph) {
            Ok(names) => baselines.sort_by_key(|b| names.iter().position(|name| *name == b.name)),
            Err(cycle) => report_cycle(&baselines, &cycle, faults),
        }
        let before = graph.keys().map(|name| (name.clone(), ancestors(&graph, name))).collect();
        Self { baselines, before }
    }

    /// The baselines that are for this account, in order.
    pub(super) fn reaching<'a>(&'a self, account: &Candidate<'_>) -> Vec<&'a Baseline> {
        self.baselines.iter().filter(|baseline| baseline.targets.reach(account)).collect()
    }

    /// Every baseline.
    pub(super) fn iter(&self) -> std::slice::Iter<'_, Baseline> {
        self.baselines.iter()
    }

    /// Merges what reaches the account.
    pub(super) fn merge(&self, account: &Candidate<'_>, own: &Layer, faults: &mut Faults) -> Merged {
        let mut said: BTreeMap<&Path, Vec<(&str, &At<Value>)>> = BTreeMap::new();
        let mut merged = Merged::new();
        for baseline in self.reaching(account) {
            for (path, leaf) in baseline.layer.leaves_for(account) {
                said.entry(path).or_default().push((&baseline.name, leaf));
                lay(&mut merged, path, leaf);
            }
        }
        for (path, said) in said.iter().filter(|(path, _)| !own.leaves.contains_key(**path)) {
            self.check_agreement(path, said, faults);
        }
        for (path, leaf) in own.leaves_for(account) {
            lay(&mut merged, path, leaf);
        }
        merged
    }

    /// Of those that said something, only those nobody later overrides count; they have to agree.
    fn check_agreement(&self, path: &Path, said: &[(&str, &At<Value>)], faults: &mut Faults) {
        let overridden = |name: &str| said.iter().any(|(other, _)| self.before[*other].contains(name));
        let mut last = said.iter().filter(|(name, _)| !overridden(name));
        let Some((first, value)) = last.next() else { return };
        for (second, other) in last.filter(|(_, other)| other.value != value.value) {
            let mut message =
                format!("the baselines `{first}` and `{second}` disagree on {}", path.join("."));
            if is_parameter(path) {
                faults.keep_secret(&value.spot);
                faults.keep_secret(&other.spot);
            } else {
                let _ = write!(message, ": {} and {}", value.value, other.value);
            }
            let hint = format!("let one come after the other: `after: [{first}]` in `{second}`");
            let fault = Fault::new(Rule::Disagreement, &other.spot, message, hint);
            faults.add(fault.see(&value.spot, format!("`{first}` says otherwise here")));
        }
    }
}

/// True for what a template takes as a parameter: it may be a secret, and no template has been read yet.
fn is_parameter(path: &Path) -> bool {
    matches!(path.as_slice(), [head, _, key, ..] if head == "stacks" && key == "parameters")
}

/// Puts one leaf over what is there. In values a map may take the place of a text, or a text that of a map.
fn lay(merged: &mut Merged, path: &Path, leaf: &At<Value>) {
    if path[0] == "values" {
        let hides = |other: &Path| other != path && (other.starts_with(path) || path.starts_with(other));
        merged.retain(|other, _| !hides(other));
    }
    merged.insert(path.clone(), leaf.clone());
}

fn report_cycle(baselines: &[Baseline], cycle: &[String], faults: &mut Faults) {
    let named = |baseline: &&Baseline| baseline.name == cycle[0];
    let spot = baselines.iter().find(named).and_then(|baseline| baseline.after.first());
    let spot = spot.map_or_else(|| Spot::file("baselines"), |after| after.spot.clone());
    let message = format!("baselines come after each other in a circle: {}", cycle.join(" after "));
    faults.report(Rule::Circle, &spot, message, "take one `after` out");
}
