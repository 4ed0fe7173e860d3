//! The stacks of one region: one description for all, templates only where they moved.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, json};

use super::account::{AccountLook, DriftLook};
use super::drift::{self, Notes};
use crate::aws::{Error, Reader, ResourceDrift, StackSeen, first_failure};
use crate::model::status::{Drift, Standing};
use crate::model::{
    Base, Item, OWNER_TAG, OrganizationId, Outputs, Proof, Proofs, Region, Sight, StackFact, StackKey,
    StackName, Value, template,
};

/// What AWS shows instead of a parameter it hides.
pub(super) const MASK: &str = "****";

/// What need not be read again while nothing moved; losing it costs calls and nothing else.
#[derive(Debug, Default)]
pub struct AccountCache {
    regions: BTreeMap<Region, RegionCache>,
}

/// The same of one region, by the stack's ARN.
#[derive(Debug, Default)]
pub(super) struct RegionCache {
    templates: BTreeMap<String, TemplateSeen>,
    drifts: BTreeMap<String, (i64, Vec<ResourceDrift>)>,
    causes: BTreeMap<String, (i64, String)>,
}

/// Stacks by name.
pub(super) type Stacks = BTreeMap<String, StackSeen>;

/// The template of one stack in canonical form, and what the proof of it says.
#[derive(Clone, Debug)]
struct TemplateSeen {
    key: StackKey,
    proof: Proof,
    text: String,
}

/// What was seen of one region.
#[derive(Default)]
pub(super) struct RegionSeen {
    pub(super) sights: BTreeMap<StackKey, Sight>,
    pub(super) facts: BTreeMap<StackKey, StackFact>,
    pub(super) undeclared: BTreeSet<StackName>,
    pub(super) outputs: BTreeMap<StackKey, Outputs>,
}

impl AccountCache {
    /// Begins with what is on record: a template that is proved to be the one in `base` need not be read.
    pub fn recalling(proofs: &Proofs, base: &Base) -> Self {
        let mut cache = Self::default();
        for (item, proof) in proofs {
            let Item::Stack(key) = item else { continue };
            let kept = base.items.get(item).and_then(|value| value.get("template")).and_then(Value::as_str);
            let Some(text) = kept.filter(|text| Proof::digest(text) == proof.template) else { continue };
            let seen = TemplateSeen { key: key.clone(), proof: proof.clone(), text: text.to_owned() };
            let region = cache.regions.entry(key.region.clone()).or_default();
            region.templates.insert(proof.stack.clone(), seen);
        }
        cache
    }

    /// What it could begin with next time.
    pub fn proofs(&self) -> Proofs {
        let seen = self.regions.values().flat_map(|region| region.templates.values());
        let settled = seen.filter(|seen| state(&seen.proof.status) == "ok");
        settled.map(|seen| (Item::Stack(seen.key.clone()), seen.proof.clone())).collect()
    }

    /// Forgets the regions in which nothing is wanted any more: nobody would notice that a stack is gone there.
    pub(super) fn keep_only(&mut self, wanted: &[(Region, BTreeSet<StackKey>)]) {
        self.regions.retain(|region, _| wanted.iter().any(|(name, _)| name == region));
    }

    pub(super) fn take(&mut self, region: &Region) -> RegionCache {
        self.regions.remove(region).unwrap_or_default()
    }

    pub(super) fn put(&mut self, region: Region, cache: RegionCache) {
        self.regions.insert(region, cache);
    }
}

/// Looks at the stacks of one region, which were `first` described already or are now. The cache comes back whatever
/// happens.
pub(super) async fn region(
    reader: &Reader,
    region: &Region,
    wanted: &BTreeSet<StackKey>,
    look: &AccountLook,
    first: Option<Result<Stacks, Error>>,
    mut cache: RegionCache,
) -> (Result<RegionSeen, Error>, RegionCache) {
    let stacks = match first {
        Some(stacks) => stacks,
        None => described(reader, region).await,
    };
    let seen = match stacks {
        Ok(stacks) => look_at(reader, region, wanted, look, stacks, &mut cache).await,
        Err(error) => Err(error),
    };
    (seen, cache)
}

async fn look_at(
    reader: &Reader,
    region: &Region,
    wanted: &BTreeSet<StackKey>,
    look: &AccountLook,
    mut stacks: Stacks,
    cache: &mut RegionCache,
) -> Result<RegionSeen, Error> {
    let mut notes = Notes::new();
    if look.drift == DriftLook::Detect {
        let checked = to_check(&stacks, wanted, &look.owner);
        if !checked.is_empty() {
            let (failed, last) = drift::detect(reader, region, &checked, look.deadline).await;
            notes = failed;
            stacks = match last {
                Some(last) => last,
                None => described(reader, region).await?,
            };
        }
    }
    cache.keep_only(&stacks);
    let mut seen = RegionSeen::default();
    for key in wanted {
        let stack = stacks.remove(key.name.as_str());
        if let Some(stack) = &stack {
            let reason = cache.reason(reader, region, stack).await;
            seen.facts.insert(key.clone(), fact(stack, reason, &look.owner));
            seen.outputs.insert(key.clone(), stack.outputs.clone());
        }
        seen.sights.insert(key.clone(), sight(reader, region, stack, &notes, cache).await);
    }
    let others = stacks.into_values().filter(is_there);
    seen.undeclared = others.filter_map(|stack| StackName::parse(stack.name).ok()).collect();
    Ok(seen)
}

/// Stacks that git speaks of, or that are ours.
fn to_check(
    stacks: &BTreeMap<String, StackSeen>,
    wanted: &BTreeSet<StackKey>,
    owner: &OrganizationId,
) -> Vec<StackSeen> {
    let is_wanted = |stack: &StackSeen| wanted.iter().any(|key| key.name.as_str() == stack.name);
    stacks.values().filter(|stack| is_wanted(stack) || is_ours(stack, owner)).cloned().collect()
}

/// The stacks that stand on their own, by name.
pub(super) async fn described(reader: &Reader, region: &Region) -> Result<Stacks, Error> {
    let stacks = reader.stacks(region).await?.into_iter();
    let own = stacks.filter(|stack| !stack.is_nested && Standing::of(&stack.status) != Standing::Gone);
    Ok(own.map(|stack| (stack.name.clone(), stack)).collect())
}

/// An empty shell, left by a change set that was never executed, is not a stack yet.
pub(super) fn is_there(stack: &StackSeen) -> bool {
    Standing::of(&stack.status) != Standing::Shell
}

fn is_ours(stack: &StackSeen, owner: &OrganizationId) -> bool {
    stack.tags.get(OWNER_TAG).map(String::as_str) == Some(owner.as_str())
}

pub(super) fn fact(stack: &StackSeen, reason: String, owner: &OrganizationId) -> StackFact {
    StackFact {
        id: stack.id.clone(),
        status: stack.status.clone(),
        reason,
        updated: stack.updated,
        change_set: stack.change_set.clone(),
        is_ours: is_ours(stack, owner),
        is_protected: stack.is_protected,
    }
}

pub(super) async fn sight(
    reader: &Reader,
    region: &Region,
    stack: Option<StackSeen>,
    notes: &Notes,
    cache: &mut RegionCache,
) -> Sight {
    let Some(stack) = stack.filter(is_there) else { return Sight::Absent };
    if Standing::of(&stack.status) == Standing::Moving {
        return Sight::Moving(format!("the stack is {}", stack.status));
    }
    match value(reader, region, &stack, notes, cache).await {
        Ok((value, unchecked)) => Sight::Present { value, unchecked },
        Err(error) => Sight::Gap(error.to_string()),
    }
}

async fn value(
    reader: &Reader,
    region: &Region,
    stack: &StackSeen,
    notes: &Notes,
    cache: &mut RegionCache,
) -> Result<(Value, BTreeMap<String, String>), Error> {
    let (shown, masked): (BTreeMap<_, _>, BTreeMap<_, _>) =
        stack.parameters.clone().into_iter().partition(|(_, value)| value != MASK);
    let is_masked = !masked.is_empty();
    let hidden =
        masked.into_keys().map(|name| (format!("/parameters/{name}"), "AWS does not show it".to_owned()));
    let mut unchecked: BTreeMap<_, _> = hidden.collect();
    if is_masked {
        // The hashes that git's side keeps in their place have no counterpart here.
        unchecked.insert("/hidden".to_owned(), "AWS does not show it".to_owned());
    }
    let mut value = Map::from_iter([
        ("state".to_owned(), json!(state(&stack.status))),
        ("template".to_owned(), json!(cache.template(reader, region, stack).await?)),
        ("parameters".to_owned(), json!(shown)),
        ("tags".to_owned(), json!(stack.tags)),
    ]);
    if let Some(why) = drift::unchecked(stack, notes) {
        unchecked.insert("/drift".to_owned(), why);
        return Ok((Value::Object(value), unchecked));
    }
    let (drifted, not_checked) = drift::value(cache.drift(reader, region, stack).await?);
    value.insert("drift".to_owned(), drifted);
    unchecked.extend(not_checked);
    Ok((Value::Object(value), unchecked))
}

/// "ok" where the stack is whole and can be updated; otherwise the status as AWS spells it.
fn state(status: &str) -> &str {
    match Standing::of(status) {
        Standing::Whole | Standing::Restored => "ok",
        Standing::Fallen | Standing::Broken | Standing::Moving | Standing::Shell | Standing::Gone => status,
    }
}

impl RegionCache {
    fn keep_only(&mut self, stacks: &BTreeMap<String, StackSeen>) {
        let ids: BTreeSet<_> = stacks.values().map(|stack| stack.id.as_str()).collect();
        self.templates.retain(|id, _| ids.contains(id.as_str()));
        self.drifts.retain(|id, _| ids.contains(id.as_str()));
        self.causes.retain(|id, _| ids.contains(id.as_str()));
    }

    /// Why the stack is as it is: where it was rolled back, the first resource that failed, which only its events
    /// tell. They are words for people, so that without them the stack counts as seen all the same.
    async fn reason(&mut self, reader: &Reader, region: &Region, stack: &StackSeen) -> String {
        if !matches!(Standing::of(&stack.status), Standing::Restored | Standing::Fallen) {
            return stack.reason.clone();
        }
        if let Some((at, cause)) = self.causes.get(&stack.id)
            && *at == stack.updated_millis
        {
            return cause.clone();
        }
        let Ok(events) = reader.stack_events(region, &stack.id, stack.updated).await else {
            return stack.reason.clone();
        };
        let cause = first_failure(&events).unwrap_or_else(|| stack.reason.clone());
        self.causes.insert(stack.id.clone(), (stack.updated_millis, cause.clone()));
        cause
    }

    /// The live template in canonical form, read again only when the stack moved.
    async fn template(
        &mut self,
        reader: &Reader,
        region: &Region,
        stack: &StackSeen,
    ) -> Result<String, Error> {
        let is_it = |seen: &&TemplateSeen| {
            seen.proof.updated == stack.updated_millis && seen.proof.status == stack.status
        };
        if let Some(seen) = self.templates.get(&stack.id).filter(is_it) {
            return Ok(seen.text.clone());
        }
        let text = reader.template(region, &stack.id).await?;
        Ok(self.remember(region, stack, &text))
    }

    /// Keeps the live template in canonical form.
    pub(super) fn remember(&mut self, region: &Region, stack: &StackSeen, text: &str) -> String {
        let text = template::canonical(text);
        if let Ok(name) = StackName::parse(stack.name.clone()) {
            let proof = Proof {
                stack: stack.id.clone(),
                status: stack.status.clone(),
                updated: stack.updated_millis,
                template: Proof::digest(&text),
            };
            let key = StackKey { name, region: region.clone() };
            self.templates.insert(stack.id.clone(), TemplateSeen { key, proof, text: text.clone() });
        }
        text
    }

    /// What drifted, read again only when drift was detected again.
    async fn drift(
        &mut self,
        reader: &Reader,
        region: &Region,
        stack: &StackSeen,
    ) -> Result<Vec<ResourceDrift>, Error> {
        if Drift::of(&stack.drift) != Drift::Found {
            return Ok(Vec::new());
        }
        let checked = stack.drift_checked.unwrap_or_default();
        if let Some((at, drifts)) = self.drifts.get(&stack.id)
            && *at == checked
        {
            return Ok(drifts.clone());
        }
        let drifts = reader.resource_drifts(region, &stack.id).await?;
        self.drifts.insert(stack.id.clone(), (checked, drifts.clone()));
        Ok(drifts)
    }
}
