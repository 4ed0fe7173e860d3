//! What a template says for one stack: parameters, conditions and intrinsic functions worked out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::super::wire::Params as _;
use super::stack::Resource;

/// What AWS writes for a value it will know only later.
pub(crate) const LATER: &str = "{{changeSet:KNOWN_AFTER_APPLY}}";

/// Everything a template can refer to.
pub(crate) struct Scope<'a> {
    pub(crate) body: &'a Value,
    pub(crate) parameters: &'a BTreeMap<String, String>,
    pub(crate) resources: &'a BTreeMap<String, Resource>,
    pub(crate) exports: &'a BTreeMap<String, String>,
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    pub(crate) stack_name: &'a str,
    pub(crate) stack_id: &'a str,
    /// True while planning: resources that are not there yet have values known later.
    pub(crate) is_planning: bool,
}

type Evaluated = Result<Option<Value>, String>;

impl Scope<'_> {
    /// `value` worked out; `None` is `AWS::NoValue`.
    pub(crate) fn value(&self, value: &Value) -> Evaluated {
        match value {
            Value::Object(fields) => match fields.iter().next() {
                Some((name, argument)) if fields.len() == 1 && is_intrinsic(name, argument) => {
                    self.call(name, argument)
                }
                _ => self.object(fields),
            },
            Value::Array(entries) => {
                let entries = entries.iter().map(|entry| self.value(entry)).collect::<Result<Vec<_>, _>>()?;
                Ok(Some(Value::Array(entries.into_iter().flatten().collect())))
            }
            other => Ok(Some(other.clone())),
        }
    }

    fn object(&self, fields: &Map<String, Value>) -> Evaluated {
        let mut object = Map::new();
        for (name, field) in fields {
            if let Some(value) = self.value(field)? {
                object.insert(name.clone(), value);
            }
        }
        Ok(Some(Value::Object(object)))
    }

    /// The text of `value`.
    pub(crate) fn text(&self, value: &Value) -> Result<String, String> {
        Ok(self.value(value)?.map(|value| text_of(&value)).unwrap_or_default())
    }

    fn call(&self, name: &str, argument: &Value) -> Evaluated {
        match name {
            "Ref" => self.reference(argument.as_str().unwrap_or_default()),
            "Condition" => {
                self.condition(argument.as_str().unwrap_or_default()).map(|holds| Some(json!(holds)))
            }
            "Fn::GetAtt" => self.attribute(argument).map(Some),
            "Fn::Sub" => self.substitute(argument).map(|text| Some(json!(text))),
            "Fn::Join" => self.join(argument).map(|text| Some(json!(text))),
            "Fn::If" => self.choose(argument),
            "Fn::Equals" => {
                let (a, b) = pair(argument)?;
                Ok(Some(json!(self.text(a)? == self.text(b)?)))
            }
            "Fn::Not" => self.all(argument).map(|all| Some(json!(!all.first().copied().unwrap_or(false)))),
            "Fn::And" => self.all(argument).map(|all| Some(json!(all.iter().all(|holds| *holds)))),
            "Fn::Or" => self.all(argument).map(|all| Some(json!(all.iter().any(|holds| *holds)))),
            "Fn::Select" => self.select(argument).map(Some),
            "Fn::Split" => self.split(argument).map(Some),
            "Fn::FindInMap" => self.find_in_map(argument).map(Some),
            "Fn::ImportValue" => self.import(argument).map(Some),
            "Fn::Base64" => {
                use base64::Engine as _;
                let text = self.text(argument)?;
                Ok(Some(json!(base64::engine::general_purpose::STANDARD.encode(text))))
            }
            "Fn::GetAZs" => Ok(Some(json!(["a", "b", "c"].map(|zone| format!("{}{zone}", self.region))))),
            other => Err(format!("Template error: the simulated AWS does not have {other}")),
        }
    }

    fn reference(&self, name: &str) -> Evaluated {
        let pseudo = match name {
            "AWS::AccountId" => self.account,
            "AWS::Region" => self.region,
            "AWS::StackName" => self.stack_name,
            "AWS::StackId" => self.stack_id,
            "AWS::Partition" => "aws",
            "AWS::URLSuffix" => "amazonaws.com",
            "AWS::NoValue" => return Ok(None),
            "AWS::NotificationARNs" => return Ok(Some(json!([]))),
            name => return self.named(name).map(Some),
        };
        Ok(Some(json!(pseudo)))
    }

    fn named(&self, name: &str) -> Result<Value, String> {
        if let Some(value) = self.parameters.get(name) {
            let kind = self.body["Parameters"][name].text("Type").unwrap_or("String");
            let is_list = kind == "CommaDelimitedList" || kind.starts_with("List<");
            let list = || value.split(',').map(str::trim).collect::<Vec<_>>();
            return Ok(if is_list { json!(list()) } else { json!(value) });
        }
        match self.resources.get(name) {
            Some(resource) => Ok(json!(resource.physical)),
            None if self.is_planning => Ok(json!(LATER)),
            None => Err(format!("Unresolved resource dependencies [{name}]")),
        }
    }

    fn attribute(&self, argument: &Value) -> Result<Value, String> {
        let (name, attribute) = pair(argument)?;
        let (name, attribute) = (name.as_str().unwrap_or_default(), self.text(attribute)?);
        match self.resources.get(name) {
            Some(resource) => resource.attributes.get(&attribute).cloned().ok_or_else(|| {
                format!("Template error: resource {name} does not support attribute type {attribute} in Fn::GetAtt")
            }),
            None if self.is_planning => Ok(json!(LATER)),
            None => Err(format!("Unresolved resource dependencies [{name}]")),
        }
    }

    fn substitute(&self, argument: &Value) -> Result<String, String> {
        let (text, given) = match argument {
            Value::Array(both) => (both.first().and_then(Value::as_str).unwrap_or_default(), both.get(1)),
            other => (other.as_str().unwrap_or_default(), None),
        };
        pieces(text)
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => Ok(text.to_owned()),
                Piece::Name(name) => match given.and_then(|given| given.get(name)) {
                    Some(value) => self.text(value),
                    None => self.text(&named_value(name)),
                },
            })
            .collect()
    }

    fn join(&self, argument: &Value) -> Result<String, String> {
        let (delimiter, entries) = pair(argument)?;
        let entries = self.value(entries)?.unwrap_or_default();
        let texts: Vec<_> = entries.as_array().into_iter().flatten().map(text_of).collect();
        Ok(texts.join(delimiter.as_str().unwrap_or_default()))
    }

    fn choose(&self, argument: &Value) -> Evaluated {
        let parts = argument.as_array().filter(|parts| parts.len() == 3);
        let parts = parts.ok_or("Template error: Fn::If requires a list argument with three values")?;
        let holds = self.condition(parts[0].as_str().unwrap_or_default())?;
        self.value(&parts[if holds { 1 } else { 2 }])
    }

    /// Whether the condition of this name holds.
    pub(crate) fn condition(&self, name: &str) -> Result<bool, String> {
        let condition = self.body["Conditions"].get(name);
        let condition =
            condition.ok_or_else(|| format!("Template error: unresolved condition dependency {name}"))?;
        Ok(self.value(condition)?.and_then(|value| value.as_bool()).unwrap_or(false))
    }

    fn all(&self, argument: &Value) -> Result<Vec<bool>, String> {
        let values = argument.as_array().into_iter().flatten().map(|value| self.value(value));
        values.map(|value| Ok(value?.and_then(|value| value.as_bool()).unwrap_or(false))).collect()
    }

    fn select(&self, argument: &Value) -> Result<Value, String> {
        let (index, entries) = pair(argument)?;
        let index: usize =
            self.text(index)?.parse().map_err(|_| "Template error: Fn::Select requires an index")?;
        let entries = self.value(entries)?.unwrap_or_default();
        entries.get(index).cloned().ok_or_else(|| {
            format!("Template error: Fn::Select cannot select nonexistent value at index {index}")
        })
    }

    fn split(&self, argument: &Value) -> Result<Value, String> {
        let (delimiter, text) = pair(argument)?;
        let text = self.text(text)?;
        Ok(json!(text.split(delimiter.as_str().unwrap_or_default()).collect::<Vec<_>>()))
    }

    fn find_in_map(&self, argument: &Value) -> Result<Value, String> {
        let names = argument.as_array().into_iter().flatten().take(3).map(|name| self.text(name));
        let names: Vec<String> = names.collect::<Result<_, _>>()?;
        let found = names.iter().try_fold(&self.body["Mappings"], |map, name| map.get(name));
        found
            .cloned()
            .ok_or_else(|| format!("Template error: Unable to get mapping for {}", names.join("::")))
    }

    fn import(&self, argument: &Value) -> Result<Value, String> {
        let name = self.text(argument)?;
        let value = self.exports.get(&name);
        value.map(|value| json!(value)).ok_or_else(|| format!("No export named {name} found."))
    }
}

/// `Condition` is also an element of policies, but not with a plain text.
fn is_intrinsic(name: &str, argument: &Value) -> bool {
    name == "Ref" || name.starts_with("Fn::") || (name == "Condition" && argument.is_string())
}

fn pair(argument: &Value) -> Result<(&Value, &Value), String> {
    match argument.as_array().map(Vec::as_slice) {
        Some([a, b]) => Ok((a, b)),
        _ => Err("Template error: an intrinsic function takes a list of two values here".to_owned()),
    }
}

/// A value as text: lists with commas.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(entries) => entries.iter().map(text_of).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

/// Text and `${Name}`s; `${!Name}` is the text `${Name}`.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(end) = rest[start..].find('}') else { break };
        pieces.push(Piece::Text(&rest[..start]));
        let name = &rest[start + 2..start + end];
        match name.strip_prefix('!') {
            Some(_) => pieces.extend([Piece::Text("${"), Piece::Text(&rest[start + 3..=start + end])]),
            None => pieces.push(Piece::Name(name.trim())),
        }
        rest = &rest[start + end + 1..];
    }
    pieces.push(Piece::Text(rest));
    pieces
}

fn named_value(name: &str) -> Value {
    match name.split_once('.') {
        Some((resource, attribute)) => json!({"Fn::GetAtt": [resource, attribute]}),
        None => json!({"Ref": name}),
    }
}

/// Every name `value` refers to.
pub(crate) fn references(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, argument) in fields {
                match (name.as_str(), argument) {
                    ("Ref", Value::String(name)) => _ = names.insert(name.clone()),
                    ("Fn::GetAtt", Value::Array(path)) => {
                        names.extend(path.first().and_then(Value::as_str).map(str::to_owned));
                    }
                    ("Fn::Sub", argument) => substituted(argument, names),
                    _ => {}
                }
                references(argument, names);
            }
        }
        Value::Array(entries) => entries.iter().for_each(|entry| references(entry, names)),
        _ => {}
    }
}

fn substituted(argument: &Value, names: &mut BTreeSet<String>) {
    let (text, given) = match argument {
        Value::Array(both) => (both.first(), both.get(1)),
        text => (Some(text), None),
    };
    for piece in pieces(text.and_then(Value::as_str).unwrap_or_default()) {
        if let Piece::Name(name) = piece
            && given.and_then(|given| given.get(name)).is_none()
        {
            names.insert(name.split('.').next().unwrap_or(name).to_owned());
        }
    }
}
