//! What a change set would do: from what a stack is to what it is to be.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::super::iam::tags::read_tags;
use super::super::state::State;
use super::super::wire::Params as _;
use super::blueprint::Blueprint;
use super::evaluate::{Scope, text_of};
use super::stack::Resource;
use super::{At, drift, live, resources};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Add,
    Modify,
    Remove,
}

/// One resource that would change.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) action: Action,
    pub(crate) logical: String,
    pub(crate) kind: String,
    physical: Option<String>,
    pub(crate) is_replaced: bool,
    is_retained: bool,
    before: Value,
    after: Value,
    has_new_tags: bool,
    drift: Option<&'static str>,
}

/// A stack as a change starts from it.
pub(crate) struct From<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) resources: &'a BTreeMap<String, Resource>,
    pub(crate) tags: &'a BTreeMap<String, String>,
}

/// The changes, in the order in which they can be made; removals come last.
pub(crate) fn changes(
    state: &mut State,
    at: &At,
    from: &From<'_>,
    target: &Blueprint,
    reverts_drift: bool,
) -> Result<Vec<Change>, String> {
    let exports = at.stacks(state).exports();
    let mut known = from.resources.clone();
    let mut changes = Vec::new();
    let mut kept = BTreeSet::new();
    for logical in target.order() {
        let scope = Scope {
            body: &target.body,
            parameters: &target.parameters,
            resources: &known,
            exports: &exports,
            account: &at.account,
            region: &at.region,
            stack_name: from.name,
            stack_id: from.id,
            is_planning: true,
        };
        let Some((kind, after)) = wanted(&scope, target.resource(&logical))? else { continue };
        kept.insert(logical.clone());
        let change = match from.resources.get(&logical) {
            None => Some(addition(&logical, kind, after)),
            Some(resource) => modification(state, at, from, target, resource, &kind, after, reverts_drift),
        };
        if let Some(change) = change {
            // What refers to a resource that is made anew changes with it.
            if change.is_replaced {
                known.remove(&logical);
            }
            changes.push(change);
        }
    }
    let gone = from.resources.values().filter(|resource| !kept.contains(&resource.logical));
    changes.extend(gone.map(|resource| removal(resource, target)));
    Ok(changes)
}

/// The kind and properties of a resource, unless its condition does not hold.
pub(crate) fn wanted(scope: &Scope<'_>, resource: &Value) -> Result<Option<(String, Value)>, String> {
    if let Some(condition) = resource.text("Condition")
        && !scope.condition(condition)?
    {
        return Ok(None);
    }
    let properties = match resource.get("Properties") {
        Some(properties) => scope.value(properties)?.unwrap_or_else(|| json!({})),
        None => json!({}),
    };
    if !properties.is_object() {
        return Err("Template error: the Properties of a resource must be an object".to_owned());
    }
    Ok(Some((resource.text("Type").unwrap_or_default().to_owned(), properties)))
}

fn addition(logical: &str, kind: String, after: Value) -> Change {
    Change {
        action: Action::Add,
        logical: logical.to_owned(),
        kind,
        physical: None,
        is_replaced: false,
        is_retained: false,
        before: Value::Null,
        after,
        has_new_tags: false,
        drift: None,
    }
}

fn removal(resource: &Resource, target: &Blueprint) -> Change {
    let policy = target.resource(&resource.logical).text("DeletionPolicy");
    Change {
        action: Action::Remove,
        physical: Some(resource.physical.clone()),
        before: resource.properties.clone(),
        after: Value::Null,
        is_retained: policy.is_some_and(|policy| policy != "Delete"),
        ..addition(&resource.logical, resource.kind.clone(), Value::Null)
    }
}

#[expect(clippy::too_many_arguments, reason = "one private step of `changes`, with all it holds")]
fn modification(
    state: &mut State,
    at: &At,
    from: &From<'_>,
    target: &Blueprint,
    resource: &Resource,
    kind: &str,
    after: Value,
    reverts_drift: bool,
) -> Option<Change> {
    let live = reverts_drift.then(|| live::read(state, at, &resource.kind, &resource.physical));
    let (before, drift) = match live {
        None => (resource.properties.clone(), None),
        // Gone: it is made again.
        Some(None) => {
            let drift = Some("DELETED");
            return Some(Change { drift, ..addition(&resource.logical, kind.to_owned(), after) });
        }
        Some(Some(live)) => seen(&live, resource, &after, from.tags),
    };
    let has_new_tags = resources::takes_tags(kind) && *from.tags != target.tags;
    let is_same = match drift {
        None => before == after && resource.kind == kind,
        Some(_) => drift::differences(&after, &before).is_empty() && resource.properties == after,
    };
    if is_same && !has_new_tags {
        return None;
    }
    let is_replaced =
        resource.kind != kind || changed(&before, &after).iter().any(|name| resources::replaces(kind, name));
    Some(Change {
        action: Action::Modify,
        physical: Some(resource.physical.clone()),
        is_replaced,
        before,
        has_new_tags,
        drift,
        ..addition(&resource.logical, kind.to_owned(), after)
    })
}

/// What is live of what the template has set or sets, and whether that is drift.
fn seen(
    live: &Value,
    resource: &Resource,
    after: &Value,
    tags: &BTreeMap<String, String>,
) -> (Value, Option<&'static str>) {
    let mut named: Map<String, Value> = resource.properties.as_object().cloned().unwrap_or_default();
    named.extend(after.as_object().cloned().unwrap_or_default());
    let before = restricted(live, &Value::Object(named), tags);
    let now = restricted(live, &resource.properties, tags);
    let is_drifted = !drift::differences(&resource.properties, &now).is_empty();
    (before, Some(if is_drifted { "MODIFIED" } else { "IN_SYNC" }))
}

/// The properties of `live` that `named` names; of tags, those the stack did not bring.
pub(crate) fn restricted(live: &Value, named: &Value, tags: &BTreeMap<String, String>) -> Value {
    let no_fields = Map::new();
    let named = named.as_object().unwrap_or(&no_fields);
    let fields = live.as_object().into_iter().flatten().filter(|(name, _)| named.contains_key(*name));
    let field = |(name, value): (&String, &Value)| {
        let value = if name == "Tags" { own_tags(value, &named["Tags"], tags) } else { value.clone() };
        (name.clone(), value)
    };
    Value::Object(fields.map(field).collect())
}

fn own_tags(live: &Value, named: &Value, tags: &BTreeMap<String, String>) -> Value {
    let named = read_tags(named.as_array().map_or(&[], Vec::as_slice));
    let is_own = |tag: &&Value| {
        let key = tag.text("Key").unwrap_or_default();
        named.contains_key(key) || tags.get(key).map(String::as_str) != tag.text("Value")
    };
    Value::Array(live.as_array().into_iter().flatten().filter(is_own).cloned().collect())
}

/// The names of properties that differ.
fn changed(before: &Value, after: &Value) -> BTreeSet<String> {
    let names =
        |value: &Value| value.as_object().into_iter().flat_map(Map::keys).cloned().collect::<BTreeSet<_>>();
    let all = &names(before) | &names(after);
    all.into_iter().filter(|name| before.get(name) != after.get(name)).collect()
}

impl Change {
    /// As `DescribeChangeSet` gives it.
    pub(crate) fn shown(&self, with_values: bool) -> Value {
        let mut change = json!({
            "LogicalResourceId": self.logical, "ResourceType": self.kind, "PhysicalResourceId": self.physical,
            "ResourceDriftStatus": self.drift,
        });
        let action = match self.action {
            Action::Add => "Add",
            Action::Modify => "Modify",
            Action::Remove => "Remove",
        };
        change["Action"] = json!(action);
        match self.action {
            Action::Add => {}
            Action::Modify => self.show_modification(&mut change, with_values),
            Action::Remove => {
                change["PolicyAction"] = json!(if self.is_retained { "Retain" } else { "Delete" });
            }
        }
        if with_values {
            let context =
                |value: &Value| (!value.is_null()).then(|| json!({"Properties": value}).to_string());
            change["BeforeContext"] = json!(context(&self.before));
            change["AfterContext"] = json!(context(&self.after));
        }
        json!({"Type": "Resource", "ResourceChange": change})
    }

    fn show_modification(&self, change: &mut Value, with_values: bool) {
        let names = changed(&self.before, &self.after);
        let mut scope = Vec::new();
        if names.iter().any(|name| name != "Tags") {
            scope.push("Properties");
        }
        if self.has_new_tags || names.contains("Tags") {
            scope.push("Tags");
        }
        change["Scope"] = json!(scope);
        change["Replacement"] = json!(if self.is_replaced { "True" } else { "False" });
        if self.is_replaced {
            change["PolicyAction"] = json!("ReplaceAndDelete");
        }
        change["Details"] = Value::Array(names.iter().map(|name| self.detail(name, with_values)).collect());
    }

    fn detail(&self, name: &str, with_values: bool) -> Value {
        let (before, after) = (self.before.get(name), self.after.get(name));
        let mut target = json!({
            "Attribute": if name == "Tags" { "Tags" } else { "Properties" }, "Name": name,
            "RequiresRecreation": if resources::replaces(&self.kind, name) { "Always" } else { "Never" },
        });
        if with_values {
            target["Path"] = json!(format!("/Properties/{name}"));
            target["BeforeValue"] = json!(before.map(text_of));
            target["AfterValue"] = json!(after.map(text_of));
            target["AttributeChangeType"] = json!(match (before, after) {
                (None, _) => "Add",
                (_, None) => "Remove",
                _ => "Modify",
            });
        }
        json!({"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"})
    }
}
