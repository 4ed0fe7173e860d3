//! First contact: one digest of all that was found and never kept, with the lines that adopt it.

use std::collections::BTreeMap;

use super::super::ScopeReport;
use super::super::adopt::adopt_path;
use super::super::diff::finding_diff;
use super::super::issue::{Draft, IssueKind};
use super::super::markdown::{code, details, fenced, fit};
use super::super::marker::{Remembered, value_digest};
use super::{checked, folded, item_words, labels, modes, place, source_words};
use crate::model::{Finding, Item, Mode, Scope, Unclaimed, Verdict};

/// All differences of one digest together are at most this long, in characters.
const MAX_DIFFS: usize = 16_000;
/// No file gets more `adopt` lines than this in one digest.
const MAX_LINES: usize = 300;

/// The digest of one scope; nothing where nothing was found for the first time.
pub(in crate::report) fn first_contact(report: &ScopeReport) -> Option<Draft> {
    let found: Vec<_> = report.plan.findings.iter().filter(|(_, it)| is_reported(it)).collect();
    if found.is_empty() {
        return unclaimed_only(report);
    }
    let (count, place) = (found.len(), place(report));
    let (things, are) = if count == 1 { ("thing", "is") } else { ("things", "are") };
    let lines: Vec<_> = found.iter().map(|(item, it)| line(item, it)).collect();
    let sections = [
        format!(
            "**What it means.** {count} {things} in {place} {are} there already, not as declared, and Landfast has never \
             kept {}. Mode here is {}: nothing was or will be changed until the repository says so. This issue stays \
             open until then, and closes by itself.",
            if count == 1 { "it" } else { "them" },
            modes(found.iter().map(|(_, finding)| *finding)),
        ),
        fit(&folded("items", &lines), 10_000),
        fit(&differences(&found), MAX_DIFFS + 2_000),
        fit(&choose(&adopt_lines(report, &found), &found), 12_000),
        fit(&unclaimed(report), 6_000),
        checked(report),
    ];
    let sections: Vec<_> = sections.into_iter().filter(|section| !section.is_empty()).collect();
    Some(Draft {
        title: format!("[first contact] {place}: {count} {things} found that {are} not as declared"),
        body: sections.join("\n\n"),
        labels: labels(IssueKind::FirstContact, None),
        substance: found.iter().map(|(item, it)| substance(item, it)).chain(strangers(report)).collect(),
        items: found.iter().map(|(item, it)| ((*item).clone(), remembered(it))).collect(),
    })
}

/// Nothing differs, but there are accounts that nobody declares.
fn unclaimed_only(report: &ScopeReport) -> Option<Draft> {
    let count = report.plan.unclaimed.len();
    let (accounts, that) = if count == 1 { ("account", "has") } else { ("accounts", "have") };
    let sections = [fit(&unclaimed(report), 30_000), checked(report)];
    (count > 0).then(|| Draft {
        title: format!("[first contact] {}: {count} {accounts} that {that} no folder", place(report)),
        body: sections.join("\n\n"),
        labels: labels(IssueKind::FirstContact, None),
        substance: strangers(report).collect(),
        items: BTreeMap::new(),
    })
}

fn strangers(report: &ScopeReport) -> impl Iterator<Item = String> + '_ {
    report.plan.unclaimed.iter().map(|account| format!("unclaimed {}", account.id))
}

/// The accounts no folder claims, and how to claim one; empty where there are none.
fn unclaimed(report: &ScopeReport) -> String {
    let account = |account: &Unclaimed| {
        format!(
            "- {} {} · {} · in {}",
            code(account.id.as_str()),
            code(&account.name),
            code(&account.email),
            code(account.ou.as_str())
        )
    };
    let lines: Vec<_> = report.plan.unclaimed.iter().map(account).collect();
    if lines.is_empty() {
        return String::new();
    }
    format!(
        "**No folder claims these accounts.** Landfast does nothing in them and does not watch them.\n\n{}\n\n\
         To keep one, make a folder `accounts/<name>/account.yaml` whose first line is its `id`.",
        folded("accounts", &lines)
    )
}

fn is_reported(finding: &Finding) -> bool {
    finding.verdict == Verdict::FirstSight && finding.mode != Mode::Observe
}

fn line(item: &Item, finding: &Finding) -> String {
    let never = adopt_path(item).err().map(|because| format!("; {because}")).unwrap_or_default();
    format!("- {}, declared in {}{never}", item_words(item), source_words(finding.source.as_ref()))
}

fn substance(item: &Item, finding: &Finding) -> String {
    let (desired, observed) = (finding.desired.as_deref(), finding.observed.as_deref());
    format!("{item} {} {}", value_digest(desired), value_digest(observed))
}

fn remembered(finding: &Finding) -> Remembered {
    Remembered { desired: value_digest(finding.desired.as_deref()), is_put_back: false }
}

fn differences(found: &[(&Item, &Finding)]) -> String {
    let mut parts = Vec::new();
    let mut length = 0;
    for (item, finding) in found {
        let lines: Vec<_> = finding_diff(finding).lines.iter().map(ToString::to_string).collect();
        let part = format!("{}\n\n{}", item_words(item), fenced("diff", &lines));
        length += part.chars().count();
        if length > MAX_DIFFS {
            parts.push(format!(
                "_{} more would not fit here; `landfast plan` shows them._",
                found.len() - parts.len()
            ));
            break;
        }
        parts.push(part);
    }
    details("The differences (- git declares, + AWS shows)", &parts.join("\n\n"))
}

/// The lines to paste, file by file.
fn adopt_lines(report: &ScopeReport, found: &[(&Item, &Finding)]) -> Vec<String> {
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (item, _) in found {
        let file = match (&report.scope, item) {
            (Scope::Account(slug), _) | (Scope::Organization, Item::Account(slug, _)) => {
                format!("accounts/{slug}/account.yaml")
            }
            (Scope::Organization, Item::Policy(_)) => "organization/organization.yaml".to_owned(),
            (Scope::Organization, _) => continue,
        };
        let paths = files.entry(file).or_default();
        paths.extend(adopt_path(item));
    }
    files.retain(|_, paths| !paths.is_empty());
    let mut lines = Vec::new();
    for (file, items) in files {
        lines.extend([format!("# {file}"), "adopt:".to_owned()]);
        lines.extend(items.into_iter().take(MAX_LINES).map(|item| format!("  - {}", quoted(&item))));
    }
    lines
}

/// As YAML: bare where that is safe.
fn quoted(item: &str) -> String {
    let plain = item.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/[]".contains(&b));
    if plain { item.to_owned() } else { super::super::markdown::visible(&format!("{item:?}"), 300) }
}

fn choose(lines: &[String], found: &[(&Item, &Finding)]) -> String {
    let keep = "- accept as found → change the files named above to what AWS shows";
    if lines.is_empty() {
        let by_hand = "- or change it in AWS by hand to what the files say";
        return format!("**Choose.**\n\n{keep}\n{by_hand}");
    }
    let is_all = found.iter().all(|(item, _)| adopt_path(item).is_ok());
    let what = if is_all { "what was found" } else { "what Landfast may change of it" };
    let adopt = format!("- overwrite {what} with what is declared → add these lines and merge them:");
    format!("**Choose.**\n\n{keep}\n{adopt}\n\n{}", fenced("yaml", lines))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures::{password_drift, report, role_drift};
    use crate::report::issue::{Situation, wanted};

    #[test]
    fn an_account_found_in_the_organization_is_adopted_by_its_own_file() {
        let mut organization = report("a", []);
        organization.scope = Scope::Organization;
        for item in ["ous./workloads", "accounts.shop", "accounts.shop.ou", "accounts.shop.tags.cost center"]
        {
            let mut finding = password_drift().1;
            finding.verdict = Verdict::FirstSight;
            organization.plan.findings.insert(item.parse().unwrap(), finding);
        }
        let found: Vec<_> = organization.plan.findings.iter().collect();
        let lines = adopt_lines(&organization, &found);
        assert_eq!(lines, ["# accounts/shop/account.yaml", "adopt:", "  - ou", "  - \"tags.cost center\""]);
    }

    #[test]
    fn first_contact_is_one_digest_with_the_lines_to_paste() {
        let found = [password_drift(), role_drift()].map(|(item, mut finding)| {
            finding.verdict = Verdict::FirstSight;
            finding.base = None;
            (item, finding)
        });
        let wanted = wanted(&[report("payments-prod", found)], &Situation::default());
        assert_eq!(wanted.issues.len(), 1);
        let issue = wanted.issues.values().next().unwrap();
        insta::assert_snapshot!(issue.title, @"[first contact] payments-prod: 2 things found that are not as declared");
        insta::assert_snapshot!(issue.body, @r"
        <!-- landfast key=468b3c420c43790a fingerprint=0f04d7cd38e38c2b state=open kind=first-contact scope=accounts/payments-prod items=2504c16296:f1e8bd88,91f283abb5:5e875d62 -->
        **What it means.** 2 things in payments-prod are there already, not as declared, and Landfast has never kept them. Mode here is report: nothing was or will be changed until the repository says so. This issue stays open until then, and closes by itself.

        - `settings.passwordPolicy`, declared in `baselines/security/baseline.yaml:4`
        - stack `role-netops` (eu-west-1), declared in `baselines/security/baseline.yaml:4`

        <details><summary>The differences (- git declares, + AWS shows)</summary>

        `settings.passwordPolicy`

        ```diff
        -  minimumLength: 14
        +  minimumLength: 8
        ```

        stack `role-netops` (eu-west-1)

        ```diff
           drift:
             AWS::IAM::Role AWS-NetOps:
        +      ManagedPolicyArns[1]: arn:aws:iam::aws:policy/AdministratorAccess
        ```

        </details>

        **Choose.**

        - accept as found → change the files named above to what AWS shows
        - overwrite what was found with what is declared → add these lines and merge them:

        ```yaml
        # accounts/payments-prod/account.yaml
        adopt:
          - settings.passwordPolicy
          - stacks.role-netops[eu-west-1]
        ```

        **Checked.** 2 of 2 items of payments-prod in full.
        ");
    }
}
