//! CloudFormation templates as data: parsed, never executed.
//!
//! Guarantees: short and long forms of every intrinsic read as the same long form; what a scalar says is kept to
//! the letter (`2010-09-09`, `012345678901`, `1.10` stay texts, and `"8080"` is not the number 8080, because
//! inside a free-form document the two differ); [`canonical`] is equal for templates that mean the same.
//! What a template means to CloudFormation beyond its form is looked at as far as the text alone shows it: names that
//! stand for nothing, quotas, values of parameters. Types of resources and their properties are not.

mod constraints;
mod documents;
mod form;
mod remarks;
mod text;

use std::collections::{BTreeMap, BTreeSet};

pub use constraints::{Constraints, Objection};
pub use remarks::{About, Remark};

pub use text::TemplateText;

use super::Value;
use crate::yaml::{self, Entry, Kind, Node, Place, implied};

/// A template in long form.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    body: Value,
}

/// Why a text is not a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateFault {
    /// Line, counted from 1.
    pub line: u32,
    /// Column, counted from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
}

/// One entry of a template's `Parameters`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateParameter {
    /// `Type` as CloudFormation spells it: `String`, `CommaDelimitedList`…
    pub kind: String,
    /// The default, as the text CloudFormation would show for it.
    pub default: Option<String>,
    /// True when AWS never shows the value again.
    pub no_echo: bool,
    /// The only values that are accepted; empty when any is.
    pub allowed: Vec<String>,
    /// What else is asked of a value.
    pub constraints: Constraints,
}

impl Template {
    /// Reads YAML or JSON.
    pub fn parse(text: &str) -> Result<Self, TemplateFault> {
        Self::of(&node(text)?)
    }

    /// The same, with everything that CloudFormation will refuse in it; nothing is said where names may come from
    /// elsewhere.
    pub fn survey(text: &str) -> Result<(Self, Vec<Remark>), TemplateFault> {
        let node = node(text)?;
        let template = Self::of(&node)?;
        let remarks = if template.is_made_elsewhere() { Vec::new() } else { remarks::remarks(&node) };
        Ok((template, remarks))
    }

    fn of(node: &Node) -> Result<Self, TemplateFault> {
        let template = Self { body: long(node)? };
        match template.body.get("Resources") {
            Some(Value::Object(resources)) if !resources.is_empty() => Ok(template),
            _ => Err(fault(node.place, "not a CloudFormation template: it has no `Resources`")),
        }
    }

    /// The whole template, every intrinsic in its long form.
    pub fn body(&self) -> &Value {
        &self.body
    }

    /// The parameters by name.
    pub fn parameters(&self) -> BTreeMap<String, TemplateParameter> {
        self.section("Parameters").map(|(name, value)| (name.clone(), parameter(value))).collect()
    }

    /// The types of the resources by logical id.
    pub fn resources(&self) -> BTreeMap<String, String> {
        let kind = |value: &Value| value.get("Type").and_then(Value::as_str).unwrap_or_default().to_owned();
        self.section("Resources").map(|(name, value)| (name.clone(), kind(value))).collect()
    }

    /// The keys of the outputs.
    pub fn outputs(&self) -> BTreeSet<String> {
        self.section("Outputs").map(|(key, _)| key.clone()).collect()
    }

    /// True where something else works on the template before CloudFormation reads it (a transform, `Fn::ForEach`, a
    /// module): names and resources may come from there.
    pub fn is_made_elsewhere(&self) -> bool {
        let is_module = |kind: &String| kind.ends_with("::MODULE");
        self.body.get("Transform").is_some()
            || self.resources().values().any(is_module)
            || has_macro(&self.body)
    }

    fn section(&self, name: &str) -> impl Iterator<Item = (&String, &Value)> {
        self.body.get(name).and_then(Value::as_object).into_iter().flatten()
    }
}

/// The canonical text of a template: equal for templates that mean the same.
///
/// YAML in long form with sorted keys. Comments, layout, key order, short or long intrinsics, JSON or YAML do not
/// count. A text that is not a template is its own canonical text, so that it can still be compared and shown.
pub fn canonical(text: &str) -> String {
    let Ok(template) = Template::parse(text) else { return text.to_owned() };
    yaml_serde::to_string(&template.body).unwrap_or_else(|_| text.to_owned())
}

/// The text CloudFormation makes of a scalar, or of a list of scalars (joined by commas).
pub fn plain_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Array(values) => {
            let texts: Option<Vec<_>> = values.iter().map(plain_text).collect();
            texts.map(|texts| texts.join(","))
        }
        Value::Null | Value::Object(_) => None,
    }
}

fn has_macro(value: &Value) -> bool {
    let is_macro = |key: &str| key == "Fn::Transform" || key.starts_with("Fn::ForEach");
    match value {
        Value::Object(map) => map.iter().any(|(key, value)| is_macro(key) || has_macro(value)),
        Value::Array(values) => values.iter().any(has_macro),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn node(text: &str) -> Result<Node, TemplateFault> {
    let (node, mut faults) = yaml::parse(text);
    if !faults.is_empty() {
        let first = faults.remove(0);
        return Err(fault(first.place, first.message));
    }
    node.ok_or_else(|| fault(Place::default(), "nothing in it"))
}

fn parameter(value: &Value) -> TemplateParameter {
    let text = |key: &str| value.get(key).and_then(plain_text);
    let allowed = value.get("AllowedValues").and_then(Value::as_array);
    TemplateParameter {
        kind: text("Type").unwrap_or_default(),
        default: text("Default"),
        // Whatever does not plainly say no: what is hidden for nothing harms nobody.
        no_echo: value.get("NoEcho").is_some_and(|_| text("NoEcho").and_then(|it| flag(&it)) != Some(false)),
        allowed: allowed.into_iter().flatten().filter_map(plain_text).collect(),
        constraints: Constraints::of(value),
    }
}

/// What CloudFormation, which reads YAML 1.1, takes for a flag; to YAML 1.2 most of these are texts.
fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" => Some(true),
        "false" | "no" | "off" | "n" => Some(false),
        _ => None,
    }
}

fn long(node: &Node) -> Result<Value, TemplateFault> {
    match node.tag.as_deref() {
        None | Some("!!map" | "!!seq" | "!!int" | "!!float" | "!!bool" | "!!null") => untagged(node),
        Some("!" | "!!str") => Ok(text_of(node).map_or_else(|| untagged(node), |text| Ok(text.into()))?),
        Some(tag) => intrinsic(tag, node),
    }
}

fn untagged(node: &Node) -> Result<Value, TemplateFault> {
    Ok(match &node.kind {
        Kind::Scalar { text, plain: false } => Value::from(text.as_str()),
        Kind::Scalar { .. } if node.is_null() => Value::Null,
        Kind::Scalar { text, .. } => implied(text),
        Kind::List(nodes) => Value::Array(nodes.iter().map(long).collect::<Result<_, _>>()?),
        Kind::Map(entries) => long_map(entries)?,
    })
}

fn long_map(entries: &[Entry]) -> Result<Value, TemplateFault> {
    // Collected through a sorted map: the order of keys never counts.
    let values: BTreeMap<_, _> = entries
        .iter()
        .map(|entry| {
            let value = long(&entry.value)?;
            let value = if entry.key == "Fn::GetAtt" { split_attribute(value) } else { value };
            Ok((entry.key.clone(), value))
        })
        .collect::<Result<_, TemplateFault>>()?;
    Ok(Value::Object(values.into_iter().collect()))
}

fn intrinsic(tag: &str, node: &Node) -> Result<Value, TemplateFault> {
    let key = match tag.trim_start_matches('!') {
        name @ ("Ref" | "Condition") => name.to_owned(),
        name @ ("And" | "Base64" | "Cidr" | "Contains" | "EachMemberEquals" | "EachMemberIn" | "Equals"
        | "FindInMap" | "GetAZs" | "GetAtt" | "GetStackOutput" | "If" | "ImportValue" | "Join"
        | "Length" | "Not" | "Or" | "RefAll" | "Select" | "Split" | "Sub" | "ToJsonString"
        | "Transform" | "ValueOf" | "ValueOfAll") => format!("Fn::{name}"),
        _ => return Err(fault(node.place, format!("`{tag}` is not a CloudFormation function"))),
    };
    let value = text_of(node).map_or_else(|| untagged(node), |text| Ok(Value::from(text)))?;
    let value = if key == "Fn::GetAtt" { split_attribute(value) } else { value };
    Ok(Value::Object(std::iter::once((key, value)).collect()))
}

/// `Resource.Attribute` as the list that is its other spelling; attributes may hold more dots.
fn split_attribute(value: Value) -> Value {
    let parts = value.as_str().and_then(|text| text.split_once('.'));
    parts.map(|(resource, attribute)| serde_json::json!([resource, attribute])).unwrap_or(value)
}

fn text_of(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Scalar { text, .. } => Some(text),
        _ => None,
    }
}

fn fault(place: Place, message: impl Into<String>) -> TemplateFault {
    TemplateFault { line: place.line, column: place.column, message: message.into() }
}

#[cfg(test)]
mod tests;
