//! A move between OUs in words, told in one place.

use super::super::ScopeReport;
use super::super::lines::{listed, words};
use super::super::moves::{Fate, Move};

/// The move of this account, if the organization's plan has one, with what the account gains and loses.
pub(super) fn told(out: &mut String, report: &ScopeReport, all: &[ScopeReport]) {
    let Some(found) = Move::of(report, all) else { return };
    let Move { from, to, gains, loses, comes_under, leaves } = found;
    words(out, 1, &format!("> moves from {from} to {to}"));
    if !gains.is_empty() {
        let gains: Vec<_> = gains.iter().map(ToString::to_string).collect();
        words(out, 3, &format!("gains {}", listed(&gains)));
    }
    if !loses.is_empty() {
        let loses: Vec<_> =
            loses.iter().map(|(item, fate)| format!("{item} ({})", in_words(*fate))).collect();
        words(out, 3, &format!("loses {}", listed(&loses)));
    }
    for (verb, policies) in [("comes under", comes_under), ("is no longer under", leaves)] {
        if !policies.is_empty() {
            let policies: Vec<_> = policies.iter().map(|name| format!("policies.{name}")).collect();
            words(out, 3, &format!("{verb} {}", listed(&policies)));
        }
    }
}

fn in_words(fate: Fate) -> &'static str {
    match fate {
        Fate::Removed => "removed",
        Fate::KeptForNow => "kept for now",
        Fate::Kept => "kept",
    }
}
