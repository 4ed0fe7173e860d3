//! Ties: what base is to remember of each item, so that it is known what to do when git no longer speaks of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Verdict;
use crate::model::{
    Account, AccountFacts, Base, CommitId, Desired, Facts, Finding, Item, OnLeave, Scope, Setting, Tie, Ties,
    Value, Warning, managed,
};

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
            Some(source) => {
                let is_removed = is_removed(item, desired, account);
                declared(item, finding, &source.path, before, account, facts, is_removed)
            }
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
    is_removed: bool,
) -> Tie {
    let keys = keys(item, finding);
    Tie {
        declared_in: path.to_owned(),
        on_leave: if is_removed { OnLeave::Remove } else { OnLeave::Keep },
        needs: account.map(|account| needs(item, account)).unwrap_or_default(),
        stack: agreed_stack(item, finding, facts).or_else(|| before.and_then(|tie| tie.stack.clone())),
        left_keys: left_keys(&keys, finding, before),
        keys,
        since: None,
        left: None,
    }
}

/// Whether an item is to go once it is no longer declared. AWS's own policies are attached everywhere by AWS itself, and
/// nothing works any more where the last of them is gone: they stay.
fn is_removed(item: &Item, desired: &Desired, account: Option<&Account>) -> bool {
    match item {
        Item::Policy(name) | Item::Attachment(name, _) => {
            desired.organization.policies.on_leave == OnLeave::Remove && managed(name).is_none()
        }
        Item::Setting(_) | Item::Stack(_) | Item::Ou(_) | Item::Account(..) | Item::PolicyType(_) => {
            account.is_some_and(|account| account.remove_on_leave.contains(item))
        }
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
        Item::Setting(_)
        | Item::Ou(_)
        | Item::Account(..)
        | Item::PolicyType(_)
        | Item::Policy(_)
        | Item::Attachment(..) => BTreeSet::new(),
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
    let fields = finding.desired.as_deref().and_then(|value| value.as_object());
    match item {
        Item::Setting(Setting::PasswordPolicy) => {
            fields.into_iter().flatten().map(|(key, _)| key.clone()).collect()
        }
        _ => BTreeSet::new(),
    }
}

/// Keys that were declared once and are still as they were left.
fn left_keys(keys: &BTreeSet<String>, finding: &Finding, before: Option<&Tie>) -> BTreeMap<String, Value> {
    let Some(before) = before else { return BTreeMap::new() };
    // Where nothing may be and nothing is, nothing was left.
    if must_be_absent(finding) && finding.verdict == Verdict::InSync {
        return BTreeMap::new();
    }
    let base = |key: &String| Some((key.clone(), finding.base.as_deref()?.get(key)?.clone()));
    let mut left = before.left_keys.clone();
    left.extend(before.keys.iter().filter_map(base));
    let is_there =
        |key: &str, value: &Value| finding.observed.as_deref().is_none_or(|now| now.get(key) == Some(value));
    left.retain(|key, value| !keys.contains(key) && is_there(key, value) && !is_usual(key, value));
    left
}

/// True for what IAM takes where nothing is said.
pub(super) fn is_usual(key: &str, value: &Value) -> bool {
    *value == Value::Bool(false) || key == "minimumLength" && *value == 6
}

fn must_be_absent(finding: &Finding) -> bool {
    finding.desired.as_deref() == Some(&Value::Null)
}

/// What is said of keys that are left in a value whose other keys are still declared.
pub(super) fn warnings(ties: &Ties, findings: &BTreeMap<Item, Finding>) -> Vec<Warning> {
    let goes = |item: &Item| findings.get(item).is_some_and(must_be_absent);
    let stays = |(item, tie): &(&Item, &Tie)| !tie.left_keys.is_empty() && tie.left.is_none() && !goes(item);
    let left = ties.iter().filter(stays);
    let warning = |(item, tie): (&Item, &Tie)| {
        let keys: Vec<_> = tie.left_keys.iter().map(|(key, value)| format!("{key} ({value})")).collect();
        let because = format!(
            "{} in it is no longer declared in {} and stays as it is; declare what it is to be, or change it by hand",
            keys.join(", "),
            tie.declared_in
        );
        Warning { item: item.clone(), because }
    };
    left.map(warning).collect()
}
