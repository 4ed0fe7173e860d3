//! Templates: text to one long-form JSON value.
//!
//! *Guarantees*: short forms (`!Ref x`) come out as long ones (`{"Ref": x}`), so nothing after this knows them.

use serde_json::{Map, Value, json};
use yaml_serde::Value as Yaml;

/// Reads YAML or JSON. The error is AWS's wording after `Template format error: `.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    let is_json = text.trim_start().starts_with('{');
    let yaml: Yaml = yaml_serde::from_str(text).map_err(|error| {
        let place = error.location().map_or((0, 0), |place| (place.line(), place.column()));
        let kind = if is_json { "JSON" } else { "YAML" };
        format!("{kind} not well-formed. (line {}, column {})", place.0, place.1)
    })?;
    match long_form(yaml)? {
        Value::Object(body) => Ok(Value::Object(body)),
        _ => Err("unsupported structure.".to_owned()),
    }
}

fn long_form(yaml: Yaml) -> Result<Value, String> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(flag) => json!(flag),
        Yaml::Number(number) => serde_json::to_value(number).map_err(|error| error.to_string())?,
        Yaml::String(text) => json!(text),
        Yaml::Sequence(entries) => {
            Value::Array(entries.into_iter().map(long_form).collect::<Result<_, _>>()?)
        }
        Yaml::Mapping(fields) => {
            let field = |(name, field)| Ok::<_, String>((key(name)?, long_form(field)?));
            Value::Object(fields.into_iter().map(field).collect::<Result<Map<_, _>, _>>()?)
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            intrinsic(tag.trim_start_matches('!'), long_form(tagged.value)?)
        }
    })
}

fn key(name: Yaml) -> Result<String, String> {
    match long_form(name)? {
        Value::String(name) => Ok(name),
        Value::Number(name) => Ok(name.to_string()),
        Value::Bool(name) => Ok(name.to_string()),
        _ => Err("every key must be a string.".to_owned()),
    }
}

fn intrinsic(tag: &str, value: Value) -> Value {
    match (tag, value) {
        ("Ref" | "Condition", value) => json!({tag: value}),
        ("GetAtt", Value::String(path)) => {
            let (resource, attribute) = path.split_once('.').unwrap_or((&path, ""));
            json!({"Fn::GetAtt": [resource, attribute]})
        }
        (tag, value) => json!({format!("Fn::{tag}"): value}),
    }
}
