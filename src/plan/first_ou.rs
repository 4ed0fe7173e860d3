//! The first OU: a policy is attached there before it is attached anywhere else, and stays there for a while.
//!
//! Guarantees: pure. Steps are only ever taken away, and each says why. Since when a policy is where it is tried is kept in
//! the tie of its attachment there: it is believed where base is, and without it the policy is watched anew. So the
//! loss of it makes this slower, never faster.
//!
//! AWS changes the content of a policy everywhere at once. So a change of one that is attached beyond the first OU can
//! only be vouched for, or be made under a new name. What is put back, and what is taken away, is nothing new.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use super::{Draft, Rules, go_on};
use crate::model::{
    AccountProperty, Base, Desired, Finding, FirstOu, Gate, Item, OrganizationFacts, OuPath, PolicyName,
    PolicyTarget, Slug, Step, Ties, Verdict, managed, shown,
};

/// Everything that decides.
pub(super) struct Trial<'a> {
    pub(super) desired: &'a Desired,
    pub(super) base: &'a Base,
    pub(super) findings: &'a BTreeMap<Item, Finding>,
    /// What was seen of the organization; nothing where another scope is planned for.
    pub(super) facts: Option<&'a OrganizationFacts>,
    pub(super) rules: &'a Rules,
}

/// Why a step is not taken now.
enum Reason {
    /// Until then, in seconds since 1970, or until something else is done.
    Wait(String, Option<i64>),
    Person(String),
}

/// What a policy is attached to.
enum Named<'i> {
    Target(PolicyTarget),
    /// An account that no folder claims, by its id.
    Stranger(&'i str),
}

impl Named<'_> {
    fn is_within(&self, trial: &Trial<'_>, first: &FirstOu) -> bool {
        match self {
            Self::Target(target) => trial.is_within(first, target),
            Self::Stranger(id) => trial.facts.is_some_and(|facts| {
                facts.accounts.values().any(|fact| fact.id.as_str() == *id && first.ou.holds(&fact.ou))
            }),
        }
    }
}

impl std::fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Target(target) => write!(f, "{target}"),
            Self::Stranger(id) => write!(f, "account {id}"),
        }
    }
}

impl Trial<'_> {
    /// Takes away what has to be tried first, and adds to the gate what of it waits.
    pub(super) fn hold(&self, draft: &mut Draft, gate: Option<Gate>) -> Option<Gate> {
        let Some(first) = &self.desired.rollout.first_ou else { return gate };
        let (mut waits, mut refused, mut again) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for step in &draft.steps {
            match self.reason(first, &step.item, &step.step) {
                Some(Reason::Wait(because, until)) => {
                    waits.insert(step.item.clone(), because);
                    again.extend(until);
                }
                Some(Reason::Person(because)) => drop(refused.insert(step.item.clone(), because)),
                None => {}
            }
        }
        draft.take_away(&mut refused, Draft::refuse);
        waits.retain(|item, _| !refused.contains_key(item));
        draft.take_away(&mut waits, Draft::wait);
        if waits.is_empty() {
            return gate;
        }
        let mut gate = gate.unwrap_or(Gate { items: BTreeSet::new(), closed: None, again: None });
        gate.items.extend(waits.into_keys());
        gate.again = gate.again.into_iter().chain(again).min();
        Some(gate)
    }

    fn reason(&self, first: &FirstOu, item: &Item, step: &Step) -> Option<Reason> {
        let is_news = self.findings.get(item).is_some_and(|it| it.verdict != Verdict::Drift);
        match (item, step) {
            (Item::Attachment(name, target), Step::AttachPolicy { .. })
                if is_news && managed(name).is_none() && !self.is_within(first, target) =>
            {
                self.untried(first, name)
            }
            (Item::Policy(name), Step::UpdatePolicy { .. }) if is_news => self.everywhere(first, name),
            _ => None,
        }
    }

    /// Why a policy is not attached beyond the first OU yet.
    fn untried(&self, first: &FirstOu, name: &PolicyName) -> Option<Reason> {
        let (ou, go_on) = (&first.ou, go_on(&self.desired.revision));
        let is_approved = self.rules.guards.is_approved(&self.desired.revision);
        let here =
            self.attached(name).filter(|(target, it)| it.desired.is_some() && self.is_within(first, target));
        let since: Vec<_> = here.map(|(target, it)| self.tried_since(name, target, it)).collect();
        if since.is_empty() {
            let because = format!(
                "policies are tried in {ou} first (`firstOu` in {}:{}), and nothing attaches policies.{name} there: \
                 attach it there too, or {go_on}",
                first.source.path, first.source.line
            );
            return (!is_approved).then_some(Reason::Person(because));
        }
        let Some(since) = since.into_iter().collect::<Option<Vec<_>>>() else {
            return Some(Reason::Wait(format!("policies.{name} has to be in place in {ou} first"), None));
        };
        let until = since.into_iter().max().unwrap_or_default() + first.soak;
        if until > self.rules.now {
            let shown = shown(until, &TimeZone::UTC);
            let because = format!("policies.{name} is tried in {ou} first, and watched there until {shown}");
            return Some(Reason::Wait(because, Some(until)));
        }
        let because = format!("policies.{name} was tried in {ou}, and waits for an operator: {go_on}");
        (first.approval && !is_approved).then_some(Reason::Person(because))
    }

    /// Why the content of a policy is not changed: it is attached beyond the first OU, by us or by others, or nobody
    /// knows whether it is.
    fn everywhere(&self, first: &FirstOu, name: &PolicyName) -> Option<Reason> {
        let targets = match &self.facts?.policies.get(name)?.targets {
            Ok(targets) => targets,
            Err(why) => {
                let because = format!("where policies.{name} is attached could not be read: {why}");
                return Some(Reason::Wait(because, None));
            }
        };
        let beyond = targets.iter().map(|id| self.named(id)).find(|it| !it.is_within(self, first))?;
        let because = format!(
            "AWS would change it everywhere at once, on {beyond} too, and policies are tried in {} first: give the new \
             text a name of its own and attach that, or {}",
            first.ou,
            go_on(&self.desired.revision)
        );
        (!self.rules.guards.is_approved(&self.desired.revision)).then_some(Reason::Person(because))
    }

    /// What has this id.
    fn named<'i>(&self, id: &'i str) -> Named<'i> {
        let facts = self.facts.into_iter();
        let ou = facts.clone().flat_map(|facts| &facts.ous).find(|(_, ou)| ou.id == id);
        let account = facts.flat_map(|facts| &facts.claimed).find(|(_, account)| account.as_str() == id);
        match (ou, account) {
            (Some((path, _)), _) => Named::Target(PolicyTarget::Ou(path.clone())),
            (None, Some((slug, _))) => Named::Target(PolicyTarget::Account(slug.clone())),
            (None, None) => Named::Stranger(id),
        }
    }

    /// Where a policy is, or should be, attached.
    fn attached(&self, name: &PolicyName) -> impl Iterator<Item = (&PolicyTarget, &Finding)> {
        self.findings.iter().filter_map(move |(item, finding)| match item {
            Item::Attachment(other, target) if other == name => Some((target, finding)),
            _ => None,
        })
    }

    fn is_within(&self, first: &FirstOu, target: &PolicyTarget) -> bool {
        match target {
            PolicyTarget::Ou(path) => first.ou.holds(path),
            PolicyTarget::Account(slug) => {
                let declared = self.desired.accounts.get(slug).map(|account| account.ou.clone());
                declared.into_iter().chain(self.place(slug)).all(|ou| first.ou.holds(&ou))
                    && self.desired.accounts.contains_key(slug)
            }
        }
    }

    /// Where an account is now: what is yet to be moved there is not in the first OU.
    fn place(&self, slug: &Slug) -> Option<OuPath> {
        let finding = self.findings.get(&Item::Account(slug.clone(), AccountProperty::Ou))?;
        OuPath::parse(finding.observed.as_deref()?.as_str()?).ok()
    }

    /// Since when the policy as it is now is attached to a target; nothing while one of the two is not as declared.
    fn tried_since(&self, name: &PolicyName, target: &PolicyTarget, attachment: &Finding) -> Option<i64> {
        let policy = self.findings.get(&Item::Policy(name.clone()))?;
        if [policy, attachment].iter().any(|it| it.verdict != Verdict::InSync) {
            return None;
        }
        let tie = self.base.ties.get(&Item::Attachment(name.clone(), target.clone()));
        // What was agreed of the policy may have changed since: then it is tried anew.
        let is_same = policy.base.is_some() && policy.base == policy.observed;
        Some(tie.and_then(|tie| tie.since).filter(|_| is_same).unwrap_or(self.rules.now))
    }

    /// The same for every attachment in the first OU, to be kept in its tie.
    pub(super) fn keep(&self, ties: &mut Ties) {
        let Some(first) = &self.desired.rollout.first_ou else { return };
        for (item, finding) in self.findings {
            let Item::Attachment(name, target) = item else { continue };
            if let Some(tie) = ties.get_mut(item).filter(|_| self.is_within(first, target)) {
                tie.since = self.tried_since(name, target, finding);
            }
        }
    }
}
