//! Steps of policies: a kind is enabled, then policies are made or changed, then attached; what is no longer declared
//! and is to go is detached after that, and deleted last.
//!
//! Guarantees: no policy is changed or deleted that is not proved to be ours, and none of AWS's own; nothing is detached
//! before what is to be attached in the same place is; nothing goes while anything of the policies could not be read.

use std::collections::{BTreeMap, BTreeSet};

use super::hindrance::{Hindrance, person, wait};
use super::leaving::{Leaving, leaving};
use super::{Draft, Rules, foreign, wants_write};
use crate::model::{
    AccountId, Base, Desired, Finding, Item, OWNER_TAG, OrganizationFacts, PolicyFact, PolicyName,
    PolicyTarget, Scope, Step, StepId, Verdict, managed,
};

/// What the steps of policies hang on.
pub(super) struct Around<'a> {
    pub(super) desired: &'a Desired,
    pub(super) base: &'a Base,
    pub(super) findings: &'a BTreeMap<Item, Finding>,
    pub(super) facts: &'a OrganizationFacts,
    pub(super) rules: &'a Rules,
}

type Planned = Result<(BTreeSet<StepId>, Step), Hindrance>;

pub(super) fn steps(draft: &mut Draft, around: &Around<'_>) {
    let wanted = |item: &Item, finding: &Finding| {
        let is_adopted = around.desired.is_adopted(&Scope::Organization, item);
        wants_write(finding, is_adopted) && finding.desired.is_some()
    };
    let todo: Vec<_> =
        around.findings.iter().filter(|(item, it)| item.is_of_policies() && wanted(item, it)).collect();
    for (item, _) in &todo {
        if let Item::PolicyType(kind) = item {
            draft.step("enable", item, BTreeSet::new(), Step::EnablePolicyType { kind: *kind });
        }
    }
    for (item, finding) in &todo {
        if let Item::Policy(name) = item {
            let planned = around.policy(name, finding);
            let verb = if finding.observed.is_some() { "update" } else { "create" };
            draft.take(verb, item, planned);
        }
    }
    for (item, _) in &todo {
        if let Item::Attachment(name, target) = item {
            let planned = around.attachment(draft, name, target);
            draft.take("attach", item, planned);
        }
    }
    around.removals(draft);
}

impl Draft {
    fn take(&mut self, verb: &str, item: &Item, planned: Planned) {
        match planned {
            Ok((needs, step)) => drop(self.step(verb, item, needs, step)),
            Err(hindrance) => self.hinder(item, &hindrance),
        }
    }
}

impl Around<'_> {
    /// Makes a policy, or changes the one that is there.
    fn policy(&self, name: &PolicyName, finding: &Finding) -> Planned {
        let organization = &self.desired.organization;
        let Some(declared) = organization.policies.by_name.get(name) else {
            return Err(wait("it is not declared"));
        };
        let (after, declared_in) = (declared.value.clone(), declared.source.path.clone());
        let Some(observed) = &finding.observed else {
            let tags = BTreeMap::from([(OWNER_TAG.to_owned(), organization.id.to_string())]);
            let step = Step::CreatePolicy { name: name.clone(), after, declared_in, tags };
            return Ok((BTreeSet::new(), step));
        };
        if observed["type"] != after.kind.folder() {
            return Err(person(format!(
                "the policy is a {}, and AWS never changes the kind of one: give the new one another name",
                observed["type"].as_str().unwrap_or_default()
            )));
        }
        let fact = self.fact(name)?;
        if let (Err(why), owner) = (&fact.owned, foreign::owner_of_policy(name.as_str())) {
            if let Some(owner) = owner {
                let because =
                    format!("the policy belongs to {owner}, which would put it back: change it there");
                return Err(person(because));
            }
            if !organization.policies.adopt.contains(name) {
                return Err(person(why.clone()));
            }
        }
        let before = observed["content"].clone();
        let step = Step::UpdatePolicy { name: name.clone(), id: fact.id.clone(), before, after };
        Ok((BTreeSet::new(), step))
    }

    /// Attaches a policy that is as declared, or will be by then.
    fn attachment(&self, draft: &Draft, name: &PolicyName, target: &PolicyTarget) -> Planned {
        let kind = self.desired.organization.policies.kind(name);
        let kind = kind.ok_or_else(|| wait("it is not declared"))?;
        let mut needs = self.ready(draft, &Item::PolicyType(kind))?;
        if managed(name).is_none() {
            needs.extend(self.ready(draft, &Item::Policy(name.clone()))?);
        }
        let account = match target {
            PolicyTarget::Ou(path) => {
                needs.extend(place(draft, &Item::Ou(path.clone()), self.facts.ous.contains_key(path))?);
                None
            }
            PolicyTarget::Account(_) => Some(self.account(target)?),
        };
        let id = self.facts.policies.get(name).map(|fact| fact.id.clone());
        Ok((needs, Step::AttachPolicy { name: name.clone(), id, target: target.clone(), account }))
    }

    /// The step that makes `item` as declared, if it is not so by now.
    fn ready(&self, draft: &Draft, item: &Item) -> Result<BTreeSet<StepId>, Hindrance> {
        if self.findings.get(item).is_some_and(|it| it.verdict == Verdict::InSync) {
            return Ok(BTreeSet::new());
        }
        place(draft, item, false)
    }

    /// The id of the account that is a target.
    fn account(&self, target: &PolicyTarget) -> Result<AccountId, Hindrance> {
        let PolicyTarget::Account(slug) = target else { return Err(wait("it is no account")) };
        self.facts.claimed.get(slug).cloned().ok_or_else(|| wait("the account does not exist yet"))
    }

    fn fact(&self, name: &PolicyName) -> Result<&PolicyFact, Hindrance> {
        self.facts.policies.get(name).ok_or_else(|| wait("it is being looked at"))
    }

    /// What is to go: attachments first, then the policies themselves.
    fn removals(&self, draft: &mut Draft) {
        let mut leaving = leaving(self.base, self.findings, &BTreeMap::new());
        leaving.retain(|item, _| item.is_of_policies() && !self.is_without_folder(item));
        if let Some(hindrance) = self.hindrance_of_all(&leaving) {
            return leaving.keys().for_each(|item| draft.hinder(item, &hindrance));
        }
        for item in leaving.keys() {
            if let Item::Attachment(name, target) = item {
                let planned = self.detachment(draft, name, target);
                draft.take("detach", item, planned);
            }
        }
        for (item, finding) in &leaving {
            if let Item::Policy(name) = item {
                let planned = self.deletion(draft, name, finding);
                draft.take("delete", item, planned);
            }
        }
    }

    /// An account whose folder is gone keeps everything, and what guards it above all.
    fn is_without_folder(&self, item: &Item) -> bool {
        match item {
            Item::Attachment(_, PolicyTarget::Account(slug)) => !self.desired.accounts.contains_key(slug),
            _ => false,
        }
    }

    fn hindrance_of_all(&self, leaving: &Leaving<'_>) -> Option<Hindrance> {
        let is_gap = |(item, it): &(&Item, &Finding)| item.is_of_policies() && it.verdict == Verdict::Gap;
        if let Some((item, _)) = self.findings.iter().find(is_gap) {
            return Some(wait(format!("nothing is removed here while {item} cannot be read")));
        }
        let Rules { guards, .. } = self.rules;
        guards.limits_policies(leaving.len(), &self.desired.revision).map(person)
    }

    /// Detaches what was attached by us, once all that is to be attached in its place is.
    fn detachment(&self, draft: &Draft, name: &PolicyName, target: &PolicyTarget) -> Planned {
        if managed(name).is_some() {
            return Err(person(
                "AWS attaches it itself, so it is not detached: do that by hand if it is meant",
            ));
        }
        let fact = self.fact(name)?;
        fact.owned.clone().map_err(person)?;
        let account = match target {
            PolicyTarget::Ou(_) => None,
            PolicyTarget::Account(_) => Some(self.account(target)?),
        };
        let needs = self.instead(draft, target)?;
        let step =
            Step::DetachPolicy { name: name.clone(), id: fact.id.clone(), target: target.clone(), account };
        Ok((needs, step))
    }

    /// The steps that attach something to `target`; a wait where something that is declared there is not attached.
    fn instead(&self, draft: &Draft, target: &PolicyTarget) -> Result<BTreeSet<StepId>, Hindrance> {
        let is_here = |item: &Item| matches!(item, Item::Attachment(_, other) if other == target);
        let missing = self
            .findings
            .iter()
            .filter(|(item, it)| is_here(item) && it.desired.is_some() && it.verdict != Verdict::InSync);
        let step =
            |(item, _)| draft.making(item).ok_or_else(|| wait(format!("{item} has to be as declared first")));
        missing.map(step).collect()
    }

    /// Deletes a policy that is ours, as it was last agreed, and attached to nothing that stays.
    fn deletion(&self, draft: &Draft, name: &PolicyName, finding: &Finding) -> Planned {
        let fact = self.fact(name)?;
        fact.owned.clone().map_err(person)?;
        let (Some(observed), Some(base)) = (&finding.observed, &finding.base) else {
            return Err(wait("it is being looked at"));
        };
        if (&observed["content"], &observed["type"]) != (&base["content"], &base["type"]) {
            return Err(person("it was changed since git and AWS last agreed on it, so it is not removed"));
        }
        let kind = serde_json::from_value(observed["type"].clone());
        let kind = kind.map_err(|_| wait("its kind is not known"))?;
        let needs = self.detached(draft, name)?;
        let before = observed["content"].clone();
        Ok((needs, Step::DeletePolicy { name: name.clone(), id: fact.id.clone(), kind, before }))
    }

    /// The steps that detach a policy from wherever it is known to be.
    fn detached(&self, draft: &Draft, name: &PolicyName) -> Result<BTreeSet<StepId>, Hindrance> {
        let attached = self.findings.iter().filter(|(item, it)| {
            matches!(item, Item::Attachment(other, _) if other == name) && it.observed.is_some()
        });
        let step = |(item, _)| draft.making(item).ok_or_else(|| wait(format!("{item} is still there")));
        attached.map(step).collect()
    }
}

/// The step that makes `item`; none where it is there.
fn place(draft: &Draft, item: &Item, is_there: bool) -> Result<BTreeSet<StepId>, Hindrance> {
    match draft.making(item) {
        Some(step) => Ok(BTreeSet::from([step])),
        None if is_there => Ok(BTreeSet::new()),
        None => Err(wait(format!("{item} has to be as declared first"))),
    }
}
