//! Stacks as entries: one for each name, for all its regions. What another owner keeps, and what could not be sent
//! again as it is, makes no entry.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::pieces::{Beside, Piece};
use crate::load;
use crate::model::status::Standing;
use crate::model::template::Template;
use crate::model::{Item, OWNER_TAG, OrganizationId, Region, Sight, StackKey, StackName};
use crate::observe::FoundStack;
use crate::plan::other_owner;

/// What CloudFormation takes in a request's body.
const LARGEST: usize = 51_200;

/// Why there is no entry for a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// Somebody else keeps it.
    To(String),
    /// It would not be in sync.
    Unfit(String),
}

/// The entries of an account's stacks, and those left out.
pub(super) fn pieces(
    found: &BTreeMap<StackKey, FoundStack>,
    home: &Region,
    owner: &OrganizationId,
) -> (Vec<Piece>, Vec<(StackKey, Left)>) {
    let mut by_name: BTreeMap<&StackName, BTreeMap<&Region, &FoundStack>> = BTreeMap::new();
    let mut left = Vec::new();
    for (key, stack) in found {
        match obstacle(key, stack, owner) {
            Some(why) => left.push((key.clone(), why)),
            None => drop(by_name.entry(&key.name).or_default().insert(&key.region, stack)),
        }
    }
    let mut pieces = Vec::new();
    for (name, regions) in by_name {
        let (same, others) = alike(&regions, home);
        left.extend(others.into_iter().map(|region| {
            let why = "a stack of this name in another region has another template or other tags, and one folder \
                       gives a name one of each";
            (StackKey { name: name.clone(), region: region.clone() }, Left::Unfit(why.to_owned()))
        }));
        pieces.extend(piece(name, &same, home));
    }
    (pieces, left)
}

/// Why a stack cannot be written down.
fn obstacle(key: &StackKey, stack: &FoundStack, owner: &OrganizationId) -> Option<Left> {
    if let Some(other) = other_owner(&key.name) {
        return Some(Left::To(other.to_owned()));
    }
    if stack.tags.get(OWNER_TAG).is_some_and(|tag| tag != owner.as_str()) {
        return Some(Left::To("another organization's Landfast".to_owned()));
    }
    if !matches!(Standing::of(&stack.fact.status), Standing::Whole | Standing::Restored) {
        return Some(Left::Unfit(format!("it is in {}", stack.fact.status)));
    }
    if stack.has_hidden {
        let why = "AWS hides a NoEcho parameter of it, so its value cannot be written down";
        return Some(Left::Unfit(why.to_owned()));
    }
    if stack.template.len() > LARGEST {
        let why = format!("its template has {} bytes, and {LARGEST} are allowed", stack.template.len());
        return Some(Left::Unfit(why));
    }
    let template = match Template::parse(&stack.template) {
        Ok(template) => template,
        Err(fault) => return Some(Left::Unfit(format!("its template cannot be read: {fault}"))),
    };
    if template.resources().values().any(|kind| kind == "AWS::CDK::Metadata") {
        return Some(Left::To("an app of the CDK".to_owned()));
    }
    if transforms(template.body()) {
        return Some(Left::Unfit("its template uses a transform or macro".to_owned()));
    }
    is_drifted(&stack.sight).then(|| {
        Left::Unfit("CloudFormation found its resources drifted: mend that, and import again".to_owned())
    })
}

fn transforms(value: &Value) -> bool {
    value.get("Transform").is_some() || has_transform(value)
}

fn has_transform(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(key, value)| key == "Fn::Transform" || has_transform(value)),
        Value::Array(values) => values.iter().any(has_transform),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn is_drifted(sight: &Sight) -> bool {
    let Sight::Present { value, .. } = sight else { return false };
    value.get("drift").and_then(Value::as_object).is_some_and(|drift| !drift.is_empty())
}

/// The regions whose stack is like the one at home, or else in the first region; and the others.
fn alike<'a>(
    regions: &BTreeMap<&'a Region, &'a FoundStack>,
    home: &Region,
) -> (BTreeMap<&'a Region, &'a FoundStack>, Vec<&'a Region>) {
    let model = regions.get(home).or_else(|| regions.values().next()).copied();
    let is_like = |stack: &FoundStack| {
        model.is_some_and(|model| {
            let names = |stack: &FoundStack| stack.parameters.keys().cloned().collect::<BTreeSet<_>>();
            model.template == stack.template && model.tags == stack.tags && names(model) == names(stack)
        })
    };
    let (same, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
        regions.iter().map(|(region, stack)| (*region, *stack)).partition(|(_, stack)| is_like(stack));
    (same, others.into_keys().collect())
}

fn piece(name: &StackName, regions: &BTreeMap<&Region, &FoundStack>, home: &Region) -> Option<Piece> {
    let model = regions.values().next()?;
    let mut value = json!({"template": ""});
    if regions.keys().copied().ne([home]) {
        value["regions"] = json!(regions.keys().collect::<Vec<_>>());
    }
    let parameters: Value =
        model.parameters.keys().map(|key| (key.clone(), parameter(key, regions))).collect();
    let tags = model.tags.iter().filter(|(key, _)| *key != OWNER_TAG);
    let tags: Value = tags.map(|(key, tag)| (key.clone(), load::escaped(&json!(tag)))).collect();
    let capabilities = capabilities(regions);
    let more = [("capabilities", json!(capabilities)), ("parameters", parameters), ("tags", tags)];
    for (key, more) in more.into_iter().filter(|(_, more)| *more != json!({}) && *more != json!([])) {
        value[key] = more;
    }
    let key = |region: &&Region| StackKey { name: name.clone(), region: (*region).clone() };
    let is_json = model.template.trim_start().starts_with('{');
    let ending = if is_json { ".template.json" } else { ".template.yaml" };
    Some(Piece {
        path: vec!["stacks".to_owned(), name.to_string()],
        value,
        file: Some(Beside { key: "template", stem: name.to_string(), ending, text: model.template.clone() }),
        sights: regions.iter().map(|(it, stack)| (Item::Stack(key(it)), stack.sight.clone())).collect(),
        facts: regions.iter().map(|(it, stack)| (key(it), stack.fact.clone())).collect(),
    })
}

/// A parameter's text, or an expression that gives each region its own.
fn parameter(key: &str, regions: &BTreeMap<&Region, &FoundStack>) -> Value {
    let texts: Vec<_> = regions.iter().map(|(region, stack)| (*region, stack.parameters.get(key))).collect();
    match texts.as_slice() {
        [(_, first), rest @ ..] if rest.iter().all(|(_, text)| text == first) => load::escaped(&json!(first)),
        texts => {
            let texts = texts.iter().filter_map(|(region, text)| Some((*region, text.as_ref()?.as_str())));
            load::by_region(&texts.collect::<Vec<_>>())
        }
    }
}

/// What the template will be asked for, and what its stacks were granted where nested stacks may ask for more.
fn capabilities(regions: &BTreeMap<&Region, &FoundStack>) -> BTreeSet<String> {
    let template = regions.values().next().and_then(|stack| Template::parse(&stack.template).ok());
    let Some(template) = template else { return BTreeSet::new() };
    let asked = load::capability(&template).map(str::to_owned);
    let nests = template.resources().values().any(|kind| kind == "AWS::CloudFormation::Stack");
    let granted = regions.values().filter(|_| nests).flat_map(|stack| stack.capabilities.iter().cloned());
    granted.chain(asked).collect()
}
