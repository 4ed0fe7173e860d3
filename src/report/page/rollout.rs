//! A rollout that does not go on without a person: stopped by a wave in trouble, or waiting for an operator's word.

use std::collections::{BTreeMap, BTreeSet};

use super::super::ScopeReport;
use super::super::issue::{Draft, IssueKind};
use super::super::markdown::{code, fit, steady};
use super::{MAX_NAMES, MAX_ROWS, labels};
use crate::model::{Cause, Closed, CommitId, Scope, Slug};
use crate::plan::go_on;

/// The issue on the rollout; nothing where it goes on by itself, or where nothing waits for it.
pub(in crate::report) fn rollout(reports: &[ScopeReport]) -> Option<Draft> {
    let closed = |report: &ScopeReport| {
        let closed = report.plan.gate.as_ref()?.closed.clone()?;
        closed.cause.needs_person().then(|| (report.plan.revision.clone(), closed))
    };
    // A stop comes before a pause: nobody should vouch for what is in trouble.
    let found = reports.iter().filter_map(closed);
    let (commit, closed) = found.min_by_key(|(_, closed)| closed.cause == Cause::Approval)?;
    let waiting = waiting(reports, &closed);
    let draft = match &closed.cause {
        Cause::Stopped { at, accounts, tolerated } => stopped(&commit, at, accounts, *tolerated, &waiting),
        Cause::Approval => paused(&commit, &closed.wave, &waiting),
        Cause::Working | Cause::Soaking { .. } => return None,
    };
    Some(draft)
}

/// The accounts that wait for the same.
fn waiting<'a>(reports: &'a [ScopeReport], closed: &Closed) -> BTreeSet<&'a Slug> {
    let waits = |report: &&ScopeReport| {
        let theirs = report.plan.gate.as_ref().and_then(|gate| gate.closed.as_ref());
        theirs.is_some_and(|theirs| theirs.cause == closed.cause)
    };
    let slugs = reports.iter().filter(waits).filter_map(|report| match &report.scope {
        Scope::Account(slug) => Some(slug),
        Scope::Organization => None,
    });
    slugs.collect()
}

fn stopped(
    commit: &CommitId,
    wave: &str,
    accounts: &BTreeMap<Slug, String>,
    tolerated: usize,
    waiting: &BTreeSet<&Slug>,
) -> Draft {
    let rows = accounts.iter().take(MAX_ROWS);
    let rows =
        rows.map(|(slug, because)| format!("| {} | {} |", code(slug.as_str()), code(&steady(because))));
    let table =
        std::iter::once("| account | trouble |\n|---|---|".to_owned()).chain(rows).collect::<Vec<_>>();
    let sections = [
        format!(
            "**What it means.** The rollout of commit {} is stopped at wave {}: it tolerates {tolerated} in trouble, and \
             has {}. {} for it. What is in these accounts already stays there.",
            code(commit.as_str()),
            code(wave),
            accounts.len(),
            wait(waiting),
        ),
        fit(&table.join("\n"), 40_000),
        format!(
            "**Choose.**\n\n- mend it → merge a commit that does; whatever differs under it begins with the first wave \
             again\n- or remove what is in the way in AWS; the wave then goes on by itself\n- let it pass → raise \
             `tolerance` of wave {} in `landfast.yaml`\n\nThe accounts in trouble have their own issues. Landfast \
             closes this one when the rollout goes on.",
            code(wave)
        ),
    ];
    let substance = accounts.iter().map(|(slug, because)| format!("{slug} {}", steady(because)));
    Draft {
        title: format!(
            "[rollout] {} is stopped at wave {wave}: {} in trouble",
            commit.short(),
            accounts.keys().map(Slug::as_str).collect::<Vec<_>>().join(", ")
        ),
        body: sections.join("\n\n"),
        labels: labels(IssueKind::Rollout, None),
        substance: [commit.to_string(), wave.to_owned()].into_iter().chain(substance).collect(),
        items: BTreeMap::new(),
    }
}

fn paused(commit: &CommitId, wave: &str, waiting: &BTreeSet<&Slug>) -> Draft {
    let sections = [
        format!(
            "**What it means.** Every wave before {} is done with commit {}, and `landfast.yaml` asks for an operator's \
             word before this one. {} for it.",
            code(wave),
            code(commit.as_str()),
            wait(waiting),
        ),
        format!(
            "**Choose.** To let it go on: {}. That is for this very commit, and for every pause it meets; it lifts the \
             operator's guards for that commit as well (limits, what is protected, what holds data). To let it go no \
             further: revert the commit.",
            code(&go_on(commit))
        ),
    ];
    Draft {
        title: format!("[rollout] wave {wave} waits for an operator to vouch for {}", commit.short()),
        body: sections.join("\n\n"),
        labels: labels(IssueKind::Rollout, None),
        substance: vec![commit.to_string(), wave.to_owned(), "approval".to_owned()],
        items: BTreeMap::new(),
    }
}

/// `alpha, beta and 12 more wait`.
fn wait(waiting: &BTreeSet<&Slug>) -> String {
    let rest = waiting.len().saturating_sub(MAX_NAMES);
    let names = waiting.iter().take(MAX_NAMES).map(|slug| code(slug.as_str())).collect::<Vec<_>>().join(", ");
    match (rest, waiting.len()) {
        (0, 1) => format!("{names} waits"),
        (0, _) => format!("{names} wait"),
        (rest, _) => format!("{names} and {rest} more wait"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Gate;
    use crate::report::fixtures::{in_sync, report};
    use crate::report::issue::{Situation, Wanted, wanted};

    fn gated(cause: Cause) -> Wanted {
        let mut report = report("payments-prod", [in_sync("settings.passwordPolicy")]);
        let closed = Closed { wave: "prod".to_owned(), cause, because: String::new() };
        report.plan.gate = Some(Gate { items: BTreeSet::new(), closed: Some(closed), again: None });
        let scopes = Some(BTreeSet::from([report.scope.clone()]));
        wanted(
            &[report.clone()],
            &Situation { revision: Some(report.plan.revision), scopes, ..Situation::default() },
        )
    }

    #[test]
    fn a_stopped_rollout_names_the_commit_the_wave_and_the_accounts_and_how_to_go_on() {
        let scratch = Slug::parse("scratch").unwrap();
        let accounts = BTreeMap::from([(scratch, "stacks.network[eu-west-1]: rolled back".to_owned())]);
        let wanted = gated(Cause::Stopped { at: "canary".to_owned(), accounts, tolerated: 0 });
        let issue = wanted.issues.values().next().unwrap();
        insta::assert_snapshot!(issue.title, @r"[rollout] 0123456789 is stopped at wave canary: scratch in trouble");
        insta::assert_snapshot!(issue.body, @r"
        <!-- landfast key=6f7534eabc3e6415 fingerprint=39e89e61d3d5e133 state=open kind=rollout scope= items= -->
        **What it means.** The rollout of commit `0123456789abcdef0123456789abcdef01234567` is stopped at wave `canary`: it tolerates 0 in trouble, and has 1. `payments-prod` waits for it. What is in these accounts already stays there.

        | account | trouble |
        |---|---|
        | `scratch` | `stacks.network[eu-west-1]: rolled back` |

        **Choose.**

        - mend it → merge a commit that does; whatever differs under it begins with the first wave again
        - or remove what is in the way in AWS; the wave then goes on by itself
        - let it pass → raise `tolerance` of wave `canary` in `landfast.yaml`

        The accounts in trouble have their own issues. Landfast closes this one when the rollout goes on.
        ");
    }

    #[test]
    fn a_pause_names_the_very_commit_to_vouch_for() {
        let wanted = gated(Cause::Approval);
        let issue = wanted.issues.values().next().unwrap();
        insta::assert_snapshot!(issue.title, @r"[rollout] wave prod waits for an operator to vouch for 0123456789");
        insta::assert_snapshot!(issue.body, @r"
        <!-- landfast key=6f7534eabc3e6415 fingerprint=1a5c59220df0e65e state=open kind=rollout scope= items= -->
        **What it means.** Every wave before `prod` is done with commit `0123456789abcdef0123456789abcdef01234567`, and `landfast.yaml` asks for an operator's word before this one. `payments-prod` waits for it.

        **Choose.** To let it go on: `after a look at what it would do, start Landfast with --approve 0123456789abcdef0123456789abcdef01234567`. That is for this very commit, and for every pause it meets; it lifts the operator's guards for that commit as well (limits, what is protected, what holds data). To let it go no further: revert the commit.
        ");
    }

    #[test]
    fn what_goes_on_by_itself_opens_nothing_and_closes_what_was_open() {
        for cause in [Cause::Working, Cause::Soaking { until: 0 }] {
            let wanted = gated(cause);
            assert!(wanted.issues.is_empty());
            let key = super::super::super::issue::IssueKey::new(IssueKind::Rollout, "");
            assert!(wanted.settled.contains_key(&key));
        }
    }
}
