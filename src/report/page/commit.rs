//! Issues about commits: one that does not load, and a history that is not followed.

use std::collections::BTreeMap;

use super::super::issue::{Draft, Halted, IssueKind, Rejected};
use super::super::markdown::{code, fenced, visible};
use super::labels;
use crate::model::CommitId;

/// Lines of diagnostics that are shown.
const MAX_LINES: usize = 300;

/// The issue on a commit that does not load.
pub(in crate::report) fn rejected(rejected: &Rejected, in_force: Option<&CommitId>) -> Draft {
    let all: Vec<_> = rejected.diagnostics.lines().collect();
    let mut lines: Vec<_> = all.iter().take(MAX_LINES).map(|line| verbatim(line)).collect();
    if all.len() > MAX_LINES {
        lines.push(format!("… {} more lines", all.len() - MAX_LINES));
    }
    let sections = [
        format!(
            "**What it means.** Commit {} does not load, so nothing of it was applied. {}",
            code(rejected.commit.as_str()),
            stays(in_force)
        ),
        fenced("text", &lines),
        "**Choose.** Fix what is listed, or revert the commit. Landfast closes this issue when the branch loads again."
            .to_owned(),
    ];
    draft(
        format!("[rejected] commit {} does not load", rejected.commit.short()),
        sections.join("\n\n"),
        IssueKind::Rejected,
        vec![rejected.commit.to_string(), rejected.diagnostics.clone()],
    )
}

/// The issue on a branch that is not followed.
pub(in crate::report) fn halted(halted: &Halted, in_force: Option<&CommitId>) -> Draft {
    let sections = [
        format!(
            "**What it means.** Landfast does not follow the branch to commit {}: {}. {}",
            code(halted.commit.as_str()),
            code(&halted.because),
            stays(in_force)
        ),
        "**Choose.** Somebody should look at what changed. If it was not meant, bring the branch back with an ordinary \
         commit on top of the one in force. Landfast closes this issue when it can follow the branch again."
            .to_owned(),
    ];
    let sections = sections
        .into_iter()
        .chain((!halted.proceed.is_empty()).then(|| format!("If it was meant: {}.", code(&halted.proceed))));
    let sections: Vec<_> = sections.collect();
    draft(
        format!("[halted] the branch is not followed to {}", halted.commit.short()),
        sections.join("\n\n"),
        IssueKind::Halted,
        vec![halted.commit.to_string(), halted.because.clone()],
    )
}

fn stays(in_force: Option<&CommitId>) -> String {
    match in_force {
        Some(commit) => format!("Commit {} stays in force.", code(commit.as_str())),
        None => "No commit is in force: nothing is kept until one loads.".to_owned(),
    }
}

/// A line of diagnostics with its indentation: carets point at columns.
fn verbatim(line: &str) -> String {
    let indent = line.len() - line.trim_start_matches(' ').len();
    format!("{}{}", " ".repeat(indent.min(80)), visible(line, 300))
}

fn draft(title: String, body: String, kind: IssueKind, substance: Vec<String>) -> Draft {
    Draft { title, body, labels: labels(kind, None), substance, items: BTreeMap::new() }
}

#[cfg(test)]
mod tests {
    use crate::model::CommitId;
    use crate::report::issue::{Halted, Situation, wanted};

    #[test]
    fn a_branch_that_is_not_followed_says_why_and_what_stays_in_force() {
        let commit = |digit: &str| CommitId::parse(digit.repeat(40)).unwrap();
        let because = "it does not descend from the commit in force".to_owned();
        let situation = Situation {
            revision: Some(commit("a")),
            halted: Some(Halted {
                commit: commit("b"),
                because,
                proceed: "start with --approve b".to_owned(),
            }),
            ..Situation::default()
        };
        let wanted = wanted(&[], &situation);
        let issue = wanted.issues.values().next().unwrap();
        assert_eq!(wanted.issues.len(), 1);
        insta::assert_snapshot!(issue.title, @"[halted] the branch is not followed to bbbbbbbbbb");
        insta::assert_snapshot!(issue.body, @r#"
        <!-- landfast key=9120442b06ebedb7 fingerprint=7ac25df45ce241c2 state=open kind=halted scope= items= -->
        **What it means.** Landfast does not follow the branch to commit `bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb`: `it does not descend from the commit in force`. Commit `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` stays in force.

        **Choose.** Somebody should look at what changed. If it was not meant, bring the branch back with an ordinary commit on top of the one in force. Landfast closes this issue when it can follow the branch again.

        If it was meant: `start with --approve b`.
        "#);
    }
}
