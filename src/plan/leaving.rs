//! Leaving: what is no longer declared and was to be removed then, and what must not be there.
//!
//! Guarantees: nothing is removed that is not proved to be ours and as it was last agreed, or named by `adopt`; nothing
//! while any part of the account could not be read; nothing that something else still needs. What is held back is
//! told with the guard, why, and how to go on.

use std::collections::{BTreeMap, BTreeSet};

use super::account::Around;
use super::hindrance::{Hindrance, person, wait};
use super::ties::is_usual;
use super::{Draft, foreign, go_on, losses};
use crate::model::status::Standing;
use crate::model::{
    Base, Finding, Item, Mode, OnLeave, Scope, Setting, StackFact, StackKey, Step, StepId, Tie, Value,
    Verdict,
};

/// Items that are to go, with what was found of them.
pub(super) type Leaving<'a> = BTreeMap<&'a Item, &'a Finding>;

/// What is to go: the last word on it was to remove it, or it must not be there and may be written.
pub(super) fn leaving<'a>(
    base: &Base,
    findings: &'a BTreeMap<Item, Finding>,
    wanted: &BTreeMap<&Item, &Finding>,
) -> Leaving<'a> {
    let is_sent_away = |item: &Item, finding: &Finding| {
        let on_leave = base.ties.get(item).map(|tie| tie.on_leave).unwrap_or_default();
        finding.verdict == Verdict::Undeclared
            && finding.base.is_some()
            && finding.mode >= Mode::Report
            && on_leave == OnLeave::Remove
    };
    let must_go = |item: &Item, finding: &Finding| {
        finding.desired.as_deref() == Some(&Value::Null)
            && wanted.contains_key(item)
            && finding.observed.is_some()
    };
    findings.iter().filter(|(item, finding)| is_sent_away(item, finding) || must_go(item, finding)).collect()
}

/// The steps that remove what is to go, dependants before what they need.
pub(super) fn steps(
    draft: &mut Draft,
    around: &Around<'_>,
    findings: &BTreeMap<Item, Finding>,
    leaving: &Leaving<'_>,
) {
    if let Some(hindrance) = hindrance_of_all(around, findings, leaving) {
        return leaving.keys().for_each(|item| draft.hinder(item, &hindrance));
    }
    let exit = Exit { around, findings };
    let mut left: BTreeSet<&Item> = leaving.keys().copied().collect();
    // Needs have no circle, for load refused it; if one got here all the same, its members are taken as they come.
    while let Some(item) = next(around.base, &left) {
        left.remove(item);
        let step = exit
            .waits_for(draft, item, leaving)
            .and_then(|needs| Ok((needs, exit.step(item, leaving[item])?)));
        match step {
            Ok((needs, step)) => drop(draft.step("remove", item, needs, step)),
            Err(hindrance) => draft.hinder(item, &hindrance),
        }
    }
}

/// The first that nothing else on its way out needs.
fn next<'a>(base: &Base, left: &BTreeSet<&'a Item>) -> Option<&'a Item> {
    let is_free = |item: &&&Item| !left.iter().any(|other| needs(base, other, item));
    left.iter().find(is_free).or_else(|| left.first()).copied()
}

/// True when `one` needed `other` when it was last declared.
fn needs(base: &Base, one: &Item, other: &Item) -> bool {
    base.ties.get(one).is_some_and(|tie| tie.needs.contains(other))
}

/// What keeps everything from being removed here.
fn hindrance_of_all(
    around: &Around<'_>,
    findings: &BTreeMap<Item, Finding>,
    leaving: &Leaving<'_>,
) -> Option<Hindrance> {
    let gap = findings.iter().find(|(_, finding)| finding.verdict == Verdict::Gap);
    if let Some((item, _)) = gap {
        return Some(wait(format!("nothing is removed here while {item} cannot be read")));
    }
    around.rules.guards.limits_removals(leaving.len(), &around.desired.revision).map(person)
}

/// The way out of one account.
struct Exit<'a> {
    around: &'a Around<'a>,
    findings: &'a BTreeMap<Item, Finding>,
}

impl Exit<'_> {
    /// The steps that have to be done first, or why that will not come to pass now.
    fn waits_for(
        &self,
        draft: &Draft,
        item: &Item,
        leaving: &Leaving<'_>,
    ) -> Result<BTreeSet<StepId>, Hindrance> {
        let mut first = BTreeSet::new();
        for other in self.findings.keys().filter(|other| needs(self.around.base, other, item)) {
            match draft.making(other) {
                Some(step) => drop(first.insert(step)),
                None if self.is_over(other, leaving) => {}
                None if self.verdict(other) == Some(Verdict::Undeclared) => {
                    return Err(person(format!("{other} needs it, and is kept")));
                }
                None => return Err(wait(format!("{other} still needs it"))),
            }
        }
        Ok(first)
    }

    /// True when an item needed something under an older commit only.
    fn is_over(&self, item: &Item, leaving: &Leaving<'_>) -> bool {
        matches!(self.verdict(item), Some(Verdict::InSync | Verdict::Gone)) && !leaving.contains_key(item)
    }

    fn verdict(&self, item: &Item) -> Option<Verdict> {
        self.findings.get(item).map(|finding| finding.verdict)
    }

    fn step(&self, item: &Item, finding: &Finding) -> Result<Step, Hindrance> {
        let tie = self.around.base.ties.get(item).cloned().unwrap_or_default();
        match item {
            Item::Stack(key) => self.stack(key, item, finding, &tie),
            Item::Setting(setting) => {
                check_value(finding)?;
                setting_step(setting, finding, &tie, self.around.facts.password_policy.as_ref())
            }
            Item::Ou(_)
            | Item::Account(..)
            | Item::PolicyType(_)
            | Item::Policy(_)
            | Item::Attachment(..) => Err(person("Landfast never removes it")),
        }
    }

    fn stack(&self, key: &StackKey, item: &Item, finding: &Finding, tie: &Tie) -> Result<Step, Hindrance> {
        let Around { desired, effective, facts, rules, .. } = *self.around;
        let account = effective.account.as_ref();
        if let Some(because) = rules.guards.protects_stack(&account.slug, key, &desired.revision) {
            return Err(person(because));
        }
        let Some(fact) = facts.stacks.get(key) else { return Err(wait("it is being looked at".to_owned())) };
        let scope = Scope::Account(account.slug.clone());
        check_owner(key, fact, tie, desired.is_adopted(&scope, item))?;
        check_state(fact)?;
        check_value(finding)?;
        let template = finding.observed.as_deref().and_then(|value| value["template"].as_str());
        let losses = losses::losses(template.unwrap_or_default());
        if !losses.is_empty() && !rules.guards.is_approved(&desired.revision) {
            let because = format!("{}, with the data in it: {}", losses.join(", "), go_on(&desired.revision));
            return Err(person(because));
        }
        Ok(Step::RemoveStack { key: key.clone(), before: fact.clone() })
    }
}

/// What git no longer speaks of goes only as it was last agreed: whoever changed it since has a use for it.
fn check_value(finding: &Finding) -> Result<(), Hindrance> {
    if finding.desired.is_none() && finding.observed != finding.base {
        return Err(person("it was changed since git and AWS last agreed on it, so it is not removed"));
    }
    Ok(())
}

fn check_owner(key: &StackKey, fact: &StackFact, tie: &Tie, is_adopted: bool) -> Result<(), Hindrance> {
    if let Some(owner) = foreign::owner(&key.name).filter(|_| !fact.is_ours) {
        return Err(person(format!("the stack belongs to {owner}: remove it there")));
    }
    if !fact.is_ours && !is_adopted {
        return Err(person("the stack does not bear our tag, so it is not ours to remove"));
    }
    match &tie.stack {
        Some(id) if *id != fact.id && !is_adopted => Err(person(
            "the stack was deleted and made again since git and AWS last agreed on it, so it is not removed",
        )),
        _ => Ok(()),
    }
}

fn check_state(fact: &StackFact) -> Result<(), Hindrance> {
    if fact.is_protected {
        return Err(person(
            "the stack is under termination protection: switch that off to let it be removed",
        ));
    }
    match Standing::of(&fact.status) {
        Standing::Whole | Standing::Restored | Standing::Fallen => Ok(()),
        Standing::Moving | Standing::Gone | Standing::Shell => {
            Err(wait(format!("the stack is in {}", fact.status)))
        }
        Standing::Broken => Err(person(format!(
            "the stack is in {} ({}): see its events in CloudFormation, and delete or retain what is in the way",
            fact.status, fact.reason
        ))),
    }
}

fn setting_step(
    setting: &Setting,
    finding: &Finding,
    tie: &Tie,
    policy: Option<&Value>,
) -> Result<Step, Hindrance> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let observed = finding.observed.as_deref();
    let step = match setting {
        Setting::PasswordPolicy => policy.cloned().map(|before| Step::RemovePasswordPolicy { before }),
        Setting::AccountAlias => text(observed).map(|before| Step::RemoveAccountAlias { before }),
        Setting::SamlProvider(name) => text(observed.and_then(|value| value.get("metadata")))
            .map(|before| Step::RemoveSamlProvider { name: name.clone(), before }),
    };
    let step = step.ok_or_else(|| wait("it is being looked at".to_owned()))?;
    if let (Step::RemovePasswordPolicy { before }, None) = (&step, &finding.desired) {
        check_keys(before, tie)?;
    }
    Ok(step)
}

/// The whole policy goes at once: a key that git never declared is somebody else's, unless it is as AWS leaves it.
fn check_keys(policy: &Value, tie: &Tie) -> Result<(), Hindrance> {
    let is_ours = |key: &String, value: &Value| {
        tie.keys.contains(key) || tie.left_keys.get(key) == Some(value) || is_usual(key, value)
    };
    let fields = policy.as_object().into_iter().flatten();
    let others: Vec<_> =
        fields.filter(|(key, value)| !is_ours(key, value)).map(|(key, _)| key.as_str()).collect();
    match others.as_slice() {
        [] => Ok(()),
        others => {
            Err(person(format!("{} in it was set by somebody else, so it is not removed", others.join(", "))))
        }
    }
}
