//! Stacks that were there before Landfast and bear no owner tag: how they are compared, and what proves them ours.
//!
//! The owner tag belongs to what is declared only where Landfast writes. A stack without it that is otherwise as
//! declared is in sync: nothing is written to put a tag on it. From then on the base, which is signed and records the
//! stack's ARN, is the proof that a later commit may change this very stack, as the base is for settings. With the base
//! lost, or with another stack of that name in its place, there is no proof, and nothing is written without `adopt`.

use std::borrow::Cow;

use serde_json::json;

use super::foreign;
use super::ties::is_usual;
use crate::model::{
    Base, Declared, Desired, Facts, Finding, Item, OWNER_TAG, Observed, Scope, Setting, SharedValue, Sight,
    StackFact, Value,
};

/// Where the base of an unmarked stack records its ARN.
const ID: &str = "id";

/// The three values of an item, as they are to be compared.
pub(super) struct Compared {
    pub(super) desired: Option<Declared<Value>>,
    pub(super) base: Option<SharedValue>,
    pub(super) sight: Sight,
}

impl Compared {
    /// Leaves the owner tag out of what is declared where the stack does without it, and believes that we have put it
    /// where the base had agreed with the stack before.
    pub(super) fn levelled(
        mut self,
        scope: &Scope,
        item: &Item,
        desired: &Desired,
        observed: &Observed,
    ) -> Self {
        let (Item::Stack(key), Facts::Account(facts)) = (item, &observed.facts) else { return self };
        let Some(fact) = facts.stacks.get(key) else { return self };
        if fact.is_ours {
            self.mark_base(desired);
        } else if foreign::owner(&key.name).is_none() && !desired.is_adopted(scope, item) {
            self.unmark(fact);
        }
        self
    }

    /// A policy that was only just put is known as it was sent; what IAM adds to it by itself is nobody's change, where
    /// all of it must go.
    pub(super) fn completed(mut self, item: &Item) -> Self {
        let must_go = self.desired.as_ref().is_some_and(|declared| declared.value.is_null());
        if let (Item::Setting(Setting::PasswordPolicy), Some(base), Sight::Present { value, .. }) =
            (item, &mut self.base, &self.sight)
            && must_go
            && let Value::Object(base) = base.to_mut()
        {
            let seen = value.as_object().into_iter().flatten();
            for (key, value) in seen.filter(|(key, value)| is_usual(key, value)) {
                base.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        self
    }

    fn unmark(&mut self, fact: &StackFact) {
        let Sight::Present { value, .. } = &mut self.sight else { return };
        // A tag that is gone, or another organization's, is a difference like any other.
        if tag(value).is_some() || self.base.as_deref().and_then(tag).is_some() {
            return;
        }
        value[ID] = json!(fact.id);
        if let Some(tags) = self.desired.as_mut().and_then(|desired| tags_of(&mut desired.value)) {
            tags.remove(OWNER_TAG);
        }
    }

    fn mark_base(&mut self, desired: &Desired) {
        let Some(base) = self.base.as_mut().filter(|base| base.get(ID).is_some()) else { return };
        if let Some(tags) = tags_of(base.to_mut()) {
            tags.entry(OWNER_TAG).or_insert_with(|| json!(desired.organization.id));
        }
    }
}

/// What is declared, with the owner tag left out where the base agreed with a stack that does without it.
pub fn as_marked<'v>(declared: &'v Value, base: Option<&Value>) -> Cow<'v, Value> {
    let is_unmarked = base.is_some_and(|base| base.get(ID).is_some() && tag(base).is_none());
    let mut declared = Cow::Borrowed(declared);
    if is_unmarked && let Some(tags) = tags_of(declared.to_mut()) {
        tags.remove(OWNER_TAG);
    }
    declared
}

/// True when the base has agreed with this very stack, and nobody has put an owner tag on it since.
pub(super) fn is_agreed(finding: &Finding, fact: &StackFact) -> bool {
    let is_it = |value: Option<&Value>| {
        value.and_then(|value| value.get(ID)).and_then(Value::as_str) == Some(fact.id.as_str())
    };
    is_it(finding.base.as_deref()) && is_it(finding.observed.as_deref())
}

fn tag(value: &Value) -> Option<&Value> {
    value.get("tags")?.get(OWNER_TAG)
}

fn tags_of(value: &mut Value) -> Option<&mut serde_json::Map<String, Value>> {
    value.get_mut("tags")?.as_object_mut()
}

/// The values as they are.
pub(super) fn plain(declared: Option<&Declared<Value>>, base: &Base, item: &Item, sight: Sight) -> Compared {
    Compared { desired: declared.cloned(), base: base.items.get(item).cloned(), sight }
}
