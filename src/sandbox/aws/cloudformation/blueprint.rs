//! What a stack is to be: template, parameters, tags, capabilities. Checked as AWS checks before it accepts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::iam::tags::read_tags;
use super::super::wire::{Params as _, Refusal};
use super::{evaluate, resources, template};

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Blueprint {
    /// As sent.
    pub(crate) text: String,
    /// In long form.
    pub(crate) body: Value,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) capabilities: Vec<String>,
    pub(crate) role_arn: Option<String>,
}

impl Blueprint {
    /// Reads what `call` asks for; `previous` is what the stack is now, if it is.
    pub(crate) fn read(call: &Call, previous: Option<&Self>) -> Result<Self, Refusal> {
        let text = text(call, previous)?;
        let body = template::parse(&text).map_err(|error| malformed(&error))?;
        check(&body)?;
        let parameters = parameters(call, &body, previous)?;
        let has_tags = call.params.get("Tags").is_some();
        let tags = match previous {
            Some(previous) if !has_tags => previous.tags.clone(),
            _ => read_tags(call.params.entries("Tags")),
        };
        let capabilities =
            call.params.entries("Capabilities").iter().filter_map(Value::as_str).map(str::to_owned);
        let capabilities: Vec<String> = capabilities.collect();
        require_capabilities(&body, &capabilities)?;
        let role_arn = call.params.text("RoleARN").map(str::to_owned);
        let role_arn = role_arn.or_else(|| previous.and_then(|previous| previous.role_arn.clone()));
        Ok(Self { text, body, parameters, tags, capabilities, role_arn })
    }

    /// The resources of the template, in the order in which they can be made.
    pub(crate) fn order(&self) -> Vec<String> {
        order(&self.body).unwrap_or_default()
    }

    pub(crate) fn resource(&self, logical: &str) -> &Value {
        &self.body["Resources"][logical]
    }

    /// Parameters as shown: secret ones as stars.
    pub(crate) fn shown_parameters(&self) -> Value {
        let shown = self.parameters.iter().map(|(name, value)| {
            let is_secret = self.body["Parameters"][name].flag("NoEcho") == Some(true);
            json!({"ParameterKey": name, "ParameterValue": if is_secret { "****" } else { value }})
        });
        Value::Array(shown.collect())
    }
}

pub(crate) fn malformed(error: &str) -> Refusal {
    Refusal::validation(format!("Template format error: {error}"))
}

fn text(call: &Call, previous: Option<&Blueprint>) -> Result<String, Refusal> {
    if call.params.flag("UsePreviousTemplate") == Some(true) {
        let missing =
            || Refusal::validation("UsePreviousTemplate cannot be used: the stack has no template.");
        return previous.map(|previous| previous.text.clone()).ok_or_else(missing);
    }
    if call.params.text("TemplateURL").is_some() {
        return Err(Refusal::validation(
            "The simulated AWS reads no templates from S3: send a TemplateBody.",
        ));
    }
    let body = call
        .params
        .text("TemplateBody")
        .ok_or_else(|| Refusal::validation("Either Template URL or Template Body must be specified."))?;
    if body.len() > 51_200 {
        return Err(Refusal::validation(format!(
            "1 validation error detected: Value '{body}' at 'templateBody' failed to satisfy constraint: Member must \
             have length less than or equal to 51200"
        )));
    }
    Ok(body.to_owned())
}

/// Refuses a template that could not be a stack.
pub(crate) fn check(body: &Value) -> Result<(), Refusal> {
    let resources = body["Resources"].as_object().filter(|resources| !resources.is_empty());
    let resources = resources.ok_or_else(|| malformed("At least one Resources member must be defined."))?;
    let unknown: BTreeSet<&str> = resources
        .values()
        .map(|resource| resource.text("Type").unwrap_or("null"))
        .filter(|kind| !resources::is_known(kind))
        .collect();
    if !unknown.is_empty() {
        let unknown: Vec<_> = unknown.into_iter().collect();
        return Err(malformed(&format!("Unrecognized resource types: [{}]", unknown.join(", "))));
    }
    check_references(body)?;
    order(body).map(|_| ())
}

fn check_references(body: &Value) -> Result<(), Refusal> {
    let is_known = |name: &String| {
        name.starts_with("AWS::")
            || body["Parameters"].get(name).is_some()
            || body["Resources"].get(name).is_some()
    };
    for block in ["Resources", "Outputs"] {
        let mut names = BTreeSet::new();
        evaluate::references(&body[block], &mut names);
        let missing: Vec<_> = names.into_iter().filter(|name| !is_known(name)).collect();
        if !missing.is_empty() {
            let message = format!(
                "Unresolved resource dependencies [{}] in the {block} block of the template",
                missing.join(", ")
            );
            return Err(malformed(&message));
        }
    }
    Ok(())
}

fn order(body: &Value) -> Result<Vec<String>, Refusal> {
    let Some(resources) = body["Resources"].as_object() else { return Ok(Vec::new()) };
    let mut waiting: BTreeMap<&String, BTreeSet<String>> =
        resources.iter().map(|(name, resource)| (name, needs(body, resource))).collect();
    let mut order: Vec<String> = Vec::new();
    while !waiting.is_empty() {
        let ready: Vec<&String> = waiting
            .iter()
            .filter(|(_, needs)| needs.iter().all(|need| order.contains(need)))
            .map(|(name, _)| *name)
            .collect();
        if ready.is_empty() {
            let names: Vec<_> = waiting.keys().map(|name| name.as_str()).collect();
            return Err(Refusal::validation(format!(
                "Circular dependency between resources: [{}]",
                names.join(", ")
            )));
        }
        waiting.retain(|name, _| !ready.contains(name));
        order.extend(ready.into_iter().cloned());
    }
    Ok(order)
}

fn needs(body: &Value, resource: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    evaluate::references(resource, &mut names);
    let depends = super::super::permissions::one_or_many(resource.get("DependsOn"));
    names.extend(depends.iter().filter_map(Value::as_str).map(str::to_owned));
    names.retain(|name| body["Resources"].get(name).is_some());
    names
}

fn parameters(
    call: &Call,
    body: &Value,
    previous: Option<&Blueprint>,
) -> Result<BTreeMap<String, String>, Refusal> {
    let given: BTreeMap<&str, &Value> = call
        .params
        .entries("Parameters")
        .iter()
        .filter_map(|entry| Some((entry.text("ParameterKey")?, entry)))
        .collect();
    let no_fields = serde_json::Map::new();
    let declared = body["Parameters"].as_object().unwrap_or(&no_fields);
    let strangers: Vec<&str> = given.keys().copied().filter(|name| !declared.contains_key(*name)).collect();
    if !strangers.is_empty() {
        return Err(Refusal::validation(format!(
            "Parameters: [{}] do not exist in the template",
            strangers.join(", ")
        )));
    }
    let mut values = BTreeMap::new();
    let mut missing = Vec::new();
    for (name, declaration) in declared {
        match parameter(name, declaration, given.get(name.as_str()).copied(), previous) {
            Some(value) => {
                check_parameter(name, declaration, &value)?;
                values.insert(name.clone(), value);
            }
            None => missing.push(name.as_str()),
        }
    }
    if !missing.is_empty() {
        return Err(Refusal::validation(format!("Parameters: [{}] must have values", missing.join(", "))));
    }
    Ok(values)
}

fn parameter(
    name: &str,
    declaration: &Value,
    given: Option<&Value>,
    previous: Option<&Blueprint>,
) -> Option<String> {
    let has_to_stay = given.is_some_and(|given| given.flag("UsePreviousValue") == Some(true));
    let before = previous.and_then(|previous| previous.parameters.get(name).cloned());
    if has_to_stay {
        return before;
    }
    let given = given.and_then(|given| given.text("ParameterValue")).map(str::to_owned);
    given.or_else(|| declaration.get("Default").map(evaluate::text_of))
}

fn check_parameter(name: &str, declaration: &Value, value: &str) -> Result<(), Refusal> {
    let allowed = declaration.entries("AllowedValues");
    if !allowed.is_empty() && !allowed.iter().any(|allowed| evaluate::text_of(allowed) == value) {
        let allowed: Vec<_> = allowed.iter().map(evaluate::text_of).collect();
        return Err(Refusal::validation(format!(
            "Parameter '{name}' must be one of AllowedValues: [{}]",
            allowed.join(", ")
        )));
    }
    let length = i64::try_from(value.chars().count()).unwrap_or(i64::MAX);
    let bound =
        |name: &str| declaration.get(name).map(evaluate::text_of).and_then(|bound| bound.parse::<i64>().ok());
    if bound("MinLength").is_some_and(|least| length < least) {
        return Err(Refusal::validation(format!(
            "Parameter '{name}' must contain at least {} characters",
            bound("MinLength").unwrap_or(0)
        )));
    }
    if bound("MaxLength").is_some_and(|most| length > most) {
        return Err(Refusal::validation(format!(
            "Parameter '{name}' must contain at most {} characters",
            bound("MaxLength").unwrap_or(0)
        )));
    }
    if declaration.text("Type") == Some("Number") && value.parse::<f64>().is_err() {
        return Err(Refusal::validation(format!("Parameter '{name}' must be a number.")));
    }
    Ok(())
}

fn require_capabilities(body: &Value, given: &[String]) -> Result<(), Refusal> {
    let resources: Vec<&Value> = body["Resources"].as_object().into_iter().flat_map(|r| r.values()).collect();
    let makes_iam = resources.iter().any(|resource| resources::needs_iam_capability(resource));
    let names_iam = resources.iter().any(|resource| resources::names_iam(resource));
    let has = |name: &str| given.iter().any(|given| given == name);
    let needed = if body.get("Transform").is_some() && !has("CAPABILITY_AUTO_EXPAND") {
        "CAPABILITY_AUTO_EXPAND"
    } else if names_iam && !has("CAPABILITY_NAMED_IAM") {
        "CAPABILITY_NAMED_IAM"
    } else if makes_iam && !has("CAPABILITY_IAM") && !has("CAPABILITY_NAMED_IAM") {
        "CAPABILITY_IAM"
    } else {
        return Ok(());
    };
    Err(Refusal::bad("InsufficientCapabilitiesException", format!("Requires capabilities : [{needed}]")))
}
