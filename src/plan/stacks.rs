//! Steps for stacks: which states may be touched, what has to come first, what the change set is called.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::references::Effective;
use super::{Draft, Rules, foreign, unmarked};
use crate::model::status::Standing;
use crate::model::{
    Account, AccountFacts, Desired, Finding, Item, RoleName, Scope, Stack, StackFact, StackKey, Step, StepId,
    Value,
};

/// What may be done about a stack in its present state.
enum Footing {
    /// Nothing there, or an empty shell: it is made anew.
    Fresh,
    /// There and updatable.
    Firm(StackFact),
    /// Its first creation failed: it has to be deleted before it can be made again.
    Fallen(StackFact),
    /// An operation on it is under way.
    Moving(String),
    /// A person has to look.
    Stuck(String),
}

pub(super) fn steps(
    draft: &mut Draft,
    desired: &Desired,
    effective: &Effective<'_>,
    findings: &BTreeMap<Item, Finding>,
    wanted: &BTreeMap<&Item, &Finding>,
    facts: &AccountFacts,
    rules: &Rules,
) {
    let account = effective.account.as_ref();
    for key in in_order(account) {
        let item = Item::Stack(key.clone());
        if let Some(wait) = effective.wait(&item) {
            if wanted.contains_key(&item) || wait.needs_person {
                wait.hold(draft, &item);
            }
            continue;
        }
        let (Some(finding), Some(declared)) = (wanted.get(&item), account.stacks.get(key)) else { continue };
        if let Some(because) = rules.guards.protects_stack(&account.slug, key, &desired.revision) {
            draft.refuse(&item, because);
            continue;
        }
        let needs = match needed(draft, &declared.value, findings) {
            Ok(needs) => needs,
            Err(because) => {
                draft.wait(&item, because);
                continue;
            }
        };
        let scope = Scope::Account(account.slug.clone());
        let fact = facts.stacks.get(key);
        let is_adopted =
            desired.is_adopted(&scope, &item) || fact.is_some_and(|fact| unmarked::is_agreed(finding, fact));
        let sent = Sent { stack: &declared.value, role: account.access.stack_role.as_ref() };
        let plan = Deployment { key, sent, finding, owner: desired, rules };
        plan.add(draft, &item, needs, footing(key, sent, fact, is_adopted, rules));
    }
}

/// What CloudFormation is given: the stack, and the role to make it with.
#[derive(Clone, Copy)]
struct Sent<'a> {
    stack: &'a Stack,
    role: Option<&'a RoleName>,
}

struct Deployment<'a> {
    key: &'a StackKey,
    sent: Sent<'a>,
    finding: &'a Finding,
    owner: &'a Desired,
    rules: &'a Rules,
}

impl Deployment<'_> {
    fn add(&self, draft: &mut Draft, item: &Item, mut needs: BTreeSet<StepId>, footing: Footing) {
        let before = match footing {
            Footing::Stuck(because) => return draft.refuse(item, because),
            Footing::Moving(because) => return draft.wait(item, because),
            Footing::Fresh => None,
            Footing::Firm(fact) => Some(fact),
            Footing::Fallen(before) => {
                let delete = Step::DeleteFailedStack { key: self.key.clone(), before };
                needs = BTreeSet::from([draft.step("delete", item, needs, delete)]);
                None
            }
        };
        let revert = before.is_some() && is_drifted(self.finding);
        let Sent { stack, role } = self.sent;
        let change_set = change_set(self.sent, before.as_ref(), revert);
        let step = Step::DeployStack {
            key: self.key.clone(),
            before,
            after: stack.clone(),
            tags: stack.sent_tags(&self.owner.organization.id),
            role: role.cloned(),
            change_set,
            revert,
            keeps_data: !self.rules.guards.is_approved(&self.owner.revision),
        };
        draft.step("deploy", item, needs, step);
    }
}

/// The stacks of an account so that every stack comes after those it needs; among equals by name.
fn in_order(account: &Account) -> Vec<&StackKey> {
    let mut placed: Vec<&StackKey> = Vec::new();
    let mut left: BTreeSet<&StackKey> = account.stacks.keys().collect();
    while !left.is_empty() {
        let is_ready = |key: &&StackKey| {
            let needs = &account.stacks[*key].value.needs;
            needs.iter().all(|need| !matches!(need, Item::Stack(need) if left.contains(need)))
        };
        // Load refuses cycles; if one got here all the same, its members are taken as they come.
        let next = left.iter().copied().find(is_ready).or_else(|| left.first().copied());
        let Some(next) = next else { break };
        left.remove(next);
        placed.push(next);
    }
    placed
}

/// The steps a stack waits for, or why it cannot be made now.
fn needed(
    draft: &Draft,
    stack: &Stack,
    findings: &BTreeMap<Item, Finding>,
) -> Result<BTreeSet<StepId>, String> {
    let mut steps = BTreeSet::new();
    for item in &stack.needs {
        match draft.making(item) {
            Some(step) => drop(steps.insert(step)),
            None if findings.get(item).is_some_and(|finding| finding.observed.is_some()) => {}
            None => return Err(format!("it needs {item}, which is not there yet")),
        }
    }
    Ok(steps)
}

fn footing(
    key: &StackKey,
    sent: Sent<'_>,
    fact: Option<&StackFact>,
    is_adopted: bool,
    rules: &Rules,
) -> Footing {
    let Some(fact) = fact else { return Footing::Fresh };
    let owner = foreign::owner(&key.name).filter(|_| !fact.is_ours);
    match Standing::of(&fact.status) {
        Standing::Gone | Standing::Shell => Footing::Fresh,
        _ if owner.is_some() => Footing::Stuck(format!(
            "the stack belongs to {}, which would put it back: change it there",
            owner.unwrap_or_default()
        )),
        _ if !fact.is_ours && !is_adopted => Footing::Stuck(
            "the stack does not bear our tag, so it is not ours to change; name it under `adopt` to take it over"
                .to_owned(),
        ),
        Standing::Fallen | Standing::Restored if was_tried(sent, fact, rules) => Footing::Stuck(format!(
            "CloudFormation rolled this very content back ({}); a new commit makes Landfast try again",
            if fact.reason.is_empty() { &fact.status } else { &fact.reason }
        )),
        Standing::Fallen if fact.is_ours => Footing::Fallen(fact.clone()),
        Standing::Whole | Standing::Restored => Footing::Firm(fact.clone()),
        Standing::Moving => Footing::Moving(format!("the stack is in {}", fact.status)),
        Standing::Fallen | Standing::Broken => Footing::Stuck(format!(
            "the stack is in {}, from which a person has to bring it back: see its events in CloudFormation",
            fact.status
        )),
    }
}

/// True when what is to be sent is what was rolled back. Where nothing tells what that was, the commit is taken to have
/// been tried if it is older: a stack must not be made and rolled back without end.
fn was_tried(sent: Sent<'_>, fact: &StackFact, rules: &Rules) -> bool {
    let is_new_commit = fact.updated < rules.committed && rules.committed <= rules.now;
    fact.change_set.as_ref().map_or(!is_new_commit, |name| name.contains(&digest(sent)))
}

fn is_drifted(finding: &Finding) -> bool {
    let drift = finding.observed.as_deref().and_then(|value| value.get("drift"));
    drift.and_then(Value::as_object).is_some_and(|drift| !drift.is_empty())
}

/// The change set's name: the digest of what is sent, then the digest of what it is sent to. So it is the same
/// after a crash, and another one once the stack has moved.
fn change_set(sent: Sent<'_>, before: Option<&StackFact>, revert: bool) -> String {
    let before = before.map_or_else(String::new, |fact| format!("{} {}", fact.id, fact.updated));
    let kind = if revert { "landfast-revert" } else { "landfast" };
    format!("{kind}-{}-{}", digest(sent), &hex(&before)[..8])
}

/// The first 64 bits of the digest of everything that is sent, in hexadecimal. The role counts: what CloudFormation
/// could not make with one role it may make with another.
fn digest(sent: Sent<'_>) -> String {
    // Every output and id is filled in by now.
    let Stack {
        template,
        parameters: _,
        deferred: _,
        tags,
        deferred_tags: _,
        capabilities,
        needs: _,
        hidden: _,
        sealed,
    } = sent.stack;
    // Of hidden parameters only the keyed hashes: whoever may list change sets could guess a short secret otherwise.
    let parts = (template, sent.stack.shown_parameters(), sealed, tags, capabilities);
    let text = match sent.role {
        // As it was before there were service roles, so that an upgrade makes no name new.
        None => serde_json::json!(parts),
        Some(role) => serde_json::json!([parts, role]),
    };
    hex(&text.to_string())[..16].to_owned()
}

fn hex(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_service_role_is_another_try_and_none_keeps_the_names_of_old() {
        let stack = Stack { template: "{}".into(), ..Stack::default() };
        let roles = ["One", "Two"].map(|name| RoleName::parse(name).unwrap());
        let with = |role| digest(Sent { stack: &stack, role });
        // The digest of `["{}",{},{},{},[]]`.
        assert_eq!(with(None), "164c5a143634287c");
        assert!(with(None) != with(Some(&roles[0])) && with(Some(&roles[0])) != with(Some(&roles[1])));
    }
}
