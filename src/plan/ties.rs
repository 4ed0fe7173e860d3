//! Ties: what base is to remember of each item, so that it is known what to do when git no longer speaks of it.

use super::Verdict;
use crate::model::{
    Account, AccountFacts, Base, CommitId, Desired, Facts, Finding, Item, OnLeave, Scope, Setting, Tie, Ties,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The tie of every item that was looked at.
pub(super) fn ties(
    scope: &Scope,
    desired: &Desired,
    base: &Base,
    findings: &BTreeMap<Item, Finding>,
    facts: &Facts,
) -> Ties {
    let account = match scope {
        Scope::Account(slug) => desired.accounts.get(slug).map(Arc::as_ref),
        Scope::Organization => None,
    };
    let tie = |(item, finding): (&Item, &Finding)| {
        let before = base.ties.get(item);
        let tie = match &finding.source {
            Some(source) => declared(item, finding, &source.path, before, account, facts),
            None => undeclared(finding, before, &desired.revision),
        };
        (item.clone(), tie)
    };
    findings.iter().map(tie).collect()
}

fn declared(
    item: &Item,
    finding: &Finding,
    path: &str,
    before: Option<&Tie>,
    account: Option<&Account>,
    facts: &Facts,
) -> Tie {
    let is_removed = account.is_some_and(|account| account.remove_on_leave.contains(item));
    Tie {
        declared_in: path.to_owned(),
        on_leave: if is_removed { OnLeave::Remove } else { OnLeave::Keep },
        needs: account.map(|account| needs(item, account)).unwrap_or_default(),
        stack: agreed_stack(item, finding, facts).or_else(|| before.and_then(|tie| tie.stack.clone())),
        keys: keys(item, finding),
        left: None,
    }
}

/// What is undeclared keeps the last word that was said of it.
fn undeclared(finding: &Finding, before: Option<&Tie>, revision: &CommitId) -> Tie {
    let tie = before.cloned().unwrap_or_default();
    if finding.verdict != Verdict::Undeclared {
        return tie;
    }
    Tie { left: tie.left.clone().or_else(|| Some(revision.clone())), ..tie }
}

fn needs(item: &Item, account: &Account) -> BTreeSet<Item> {
    match item {
        Item::Stack(key) => {
            account.stacks.get(key).map(|stack| stack.value.needs.clone()).unwrap_or_default()
        }
        Item::Setting(_) | Item::Ou(_) | Item::Account(..) => BTreeSet::new(),
    }
}

/// The stack that is as declared now.
fn agreed_stack(item: &Item, finding: &Finding, facts: &Facts) -> Option<String> {
    match (item, facts) {
        (Item::Stack(key), Facts::Account(AccountFacts { stacks, .. }))
            if finding.verdict == Verdict::InSync =>
        {
            stacks.get(key).filter(|stack| stack.is_ours).map(|stack| stack.id.clone())
        }
        _ => None,
    }
}

/// The password policy is one value with keys of several owners; every other value is one owner's.
fn keys(item: &Item, finding: &Finding) -> BTreeSet<String> {
    let fields = finding.desired.as_ref().and_then(|value| value.as_object());
    match item {
        Item::Setting(Setting::PasswordPolicy) => {
            fields.into_iter().flatten().map(|(key, _)| key.clone()).collect()
        }
        _ => BTreeSet::new(),
    }
}
