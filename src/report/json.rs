//! What `plan --format json` prints: versioned, for programs.
//!
//! Guarantees: the same reports give the same bytes; keys are in alphabetical order, scopes, items and steps in the
//! order of the plan. No value of a hidden parameter or of anything that is named like a secret is in it.
//!
//! The shape, version 1. Fields may be added without a new version; what is `null` does not apply.
//!
//! ```text
//! version   1
//! counts    {creates, changes, removes, drifted, conflicts, firstSeen, undeclared, blocked, waiting, moving,
//!            unreadable, notChecked, inSync}: numbers over all scopes
//! scopes[]  scope       "organization" or "accounts/<folder>"
//!           accountId   "111122223333", or null while there is none
//!           revision    the commit, 40 digits; zeros for a directory that is not committed
//!           hold        why every write is stopped here, or null
//!           counts      as above, of this scope
//!           move        {from, to, gains[], loses[]} of an account that goes to another OU, or null: items that are
//!                       declared of it there and were not before, and {item, fate: removed | keptForNow | kept}
//!           items[]     item        "settings.passwordPolicy", "stacks.network[eu-west-1]", …
//!                       verdict     inSync, pending, drift, conflict, new, firstSight, undeclared, gone, moving, gap,
//!                                   waiting
//!                       mode        observe, report, enforce
//!                       source      {path, line} that declares it, or null
//!                       because     why, where the verdict alone does not say it; else ""
//!                       diff[]      lines as the text shows them: "-  minimumLength: 14"
//!                       notChecked  {"/drift": why}: the parts that were not checked, by JSON pointer
//!                       severity    low, medium, high for drift and conflict, else null
//!                       means       the change in words for drift and conflict, else null
//!                       author      {is: "pending"}, {is: "unknown", because} or {is: "known", principal, name, role,
//!                                   eventName, eventId, time, sourceIp, console, mfa, isCertain, isOurs}, or null
//!           steps[]     id, item, needs[] (ids), does (words), outcome: null while it was not tried, or
//!                       {is: done | waiting | stale | failed | skipped, …}
//!           blocked[]   item, because, needsPerson
//!           gate        what of blocked[] waits for a wave or a freeze: {items[], closed: {wave, cause, because} or null,
//!                       again: when it opens by itself, seconds since 1970, or null}, or null
//!           unclaimed[] id, name, email, ou: accounts of the organization that no folder claims
//!           warnings[]  item, because: what will not stay good, whatever it is now
//! ```

use serde_json::{Value, json};

use super::deed::deed;
use super::diff::finding_diff;
use super::moves::{Fate, Move};
use super::severity::judge;
use super::{Counts, ScopeReport, counts};
use crate::model::{Author, Blocked, Finding, Item, Outcome, Verdict};

/// The version of the format. It grows when a field changes its meaning or goes, not when one is added.
const VERSION: u32 = 1;

/// All reports as one JSON document, `{"version": 1, "counts": {…}, "scopes": […]}`, ending with a line end.
pub fn json(reports: &[ScopeReport]) -> String {
    let total = reports.iter().map(counts).fold(Counts::default(), Counts::plus);
    let scopes: Vec<_> = reports.iter().map(|report| scope(report, reports)).collect();
    let document = json!({"version": VERSION, "counts": total, "scopes": scopes});
    format!("{document:#}\n")
}

fn scope(report: &ScopeReport, all: &[ScopeReport]) -> Value {
    let items = report.plan.findings.iter();
    json!({
        "scope": report.scope.to_string(),
        "accountId": report.account_id,
        "revision": report.plan.revision,
        "hold": report.hold.as_ref().map(ToString::to_string),
        "counts": counts(report),
        "move": Move::of(report, all).map(|found| moved(&found)),
        "items": items.map(|(item, finding)| self::item(report, item, finding)).collect::<Vec<_>>(),
        "steps": steps(report),
        "blocked": report.plan.blocked.iter().map(blocked).collect::<Vec<_>>(),
        "gate": report.plan.gate,
        "unclaimed": report.plan.unclaimed,
        "warnings": report.plan.warnings,
    })
}

fn item(report: &ScopeReport, item: &Item, finding: &Finding) -> Value {
    let diff = finding_diff(finding);
    let lines: Vec<_> = diff.lines.iter().map(ToString::to_string).collect();
    let changed = matches!(finding.verdict, Verdict::Drift | Verdict::Conflict);
    let judgement = changed.then(|| judge(item, finding));
    let author = changed.then(|| report.authors.get(item).cloned().unwrap_or(Author::Pending));
    json!({
        "item": item,
        "verdict": finding.verdict,
        "mode": finding.mode,
        "source": finding.source,
        "because": finding.because,
        "diff": if finding.verdict == Verdict::InSync { Vec::new() } else { lines },
        "notChecked": finding.unchecked,
        "severity": judgement.as_ref().map(|it| it.severity),
        "means": judgement.map(|it| it.meanings.join("; ").replace('`', "")),
        "author": author,
    })
}

fn moved(found: &Move<'_>) -> Value {
    let Move { from, to, gains, loses, comes_under, leaves } = found;
    let fate = |fate: Fate| match fate {
        Fate::Removed => "removed",
        Fate::KeptForNow => "keptForNow",
        Fate::Kept => "kept",
    };
    let loses: Vec<_> = loses.iter().map(|(item, it)| json!({"item": item, "fate": fate(*it)})).collect();
    json!({
        "from": from,
        "to": to,
        "gains": gains,
        "loses": loses,
        "comesUnder": comes_under,
        "leaves": leaves,
    })
}

fn blocked(blocked: &Blocked) -> Value {
    let Blocked { item, because, needs_person } = blocked;
    json!({"item": item, "because": because, "needsPerson": needs_person})
}

fn steps(report: &ScopeReport) -> Vec<Value> {
    let step = |planned: &crate::model::PlannedStep| {
        json!({
            "id": planned.id,
            "item": planned.item,
            "needs": planned.needs,
            "does": deed(report, &planned.step),
            "outcome": report.outcomes.get(&planned.id).map(outcome),
        })
    };
    report.plan.steps.iter().map(step).collect()
}

fn outcome(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Done => json!({"is": "done"}),
        Outcome::Waiting { because, after } => {
            json!({"is": "waiting", "because": because, "afterSeconds": after.as_secs()})
        }
        Outcome::Stale(because) => json!({"is": "stale", "because": because}),
        Outcome::Failed { class, message } => json!({"is": "failed", "class": class, "because": message}),
        Outcome::Skipped { because } => json!({"is": "skipped", "because": because}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures::{drifted, moving, password_drift, report};

    #[test]
    fn the_json_shows_no_secret() {
        let stack = |word: &str| json!({"parameters": {"DbPassword": word}, "hidden": {"Pin": word}});
        let item = "stacks.db[eu-west-1]".parse().unwrap();
        let printed = json(&[report("a", [(item, drifted(stack("before-word"), stack("after-word")))])]);
        assert!(printed.contains("DbPassword"), "it is said which parameter changed");
        assert!(!printed.contains("before-word") && !printed.contains("after-word"), "{printed}");
    }

    #[test]
    fn the_json_says_its_version_and_what_each_item_is() {
        let document: Value =
            serde_json::from_str(&json(&[report("payments-prod", [password_drift()])])).unwrap();
        assert_eq!(document["version"], 1);
        insta::assert_snapshot!(format!("{:#}", document["scopes"][0]["items"][0]), @r#"
        {
          "author": {
            "is": "pending"
          },
          "because": "",
          "diff": [
            "-  minimumLength: 14",
            "+  minimumLength: 8"
          ],
          "item": "settings.passwordPolicy",
          "means": "minimumLength went from 14 to 8",
          "mode": "report",
          "notChecked": {},
          "severity": "high",
          "source": {
            "line": 4,
            "path": "baselines/security/baseline.yaml"
          },
          "verdict": "drift"
        }
        "#);
    }

    #[test]
    fn the_json_says_of_a_move_what_the_text_says_of_it() {
        let document: Value = serde_json::from_str(&json(&moving())).unwrap();
        assert_eq!(document["scopes"][0]["move"], Value::Null, "it is told of the account");
        insta::assert_snapshot!(format!("{:#}", document["scopes"][1]["move"]), @r#"
        {
          "comesUnder": [],
          "from": "/sandbox",
          "gains": [
            "stacks.trail[eu-west-1]"
          ],
          "leaves": [],
          "loses": [
            {
              "fate": "kept",
              "item": "settings.samlProviders.ADFS"
            }
          ],
          "to": "/workloads/prod"
        }
        "#);
    }
}
