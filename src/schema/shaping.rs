//! From what Rust's types say to what the loader takes: keys that may be left out are not null, and maps with known keys
//! have no others.

use schemars::Schema;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Map, Value, json};

/// Applied to each schema, those in it first.
#[derive(Clone, Debug)]
pub(super) struct Shaping;

impl Transform for Shaping {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        if let Some(object) = schema.as_object_mut() {
            take_null_out(object);
            close(object);
        }
    }
}

/// An `Option` is something that may be left out; where null means something the type says so in its own way.
fn take_null_out(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|it| it != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            object.insert("type".to_owned(), one);
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("anyOf")
        && let [one, last] = values.as_slice()
        && *last == json!({"type": "null"})
    {
        let one = one.clone();
        object.remove("anyOf");
        match one {
            // Beside a reference nothing else counts.
            Value::Object(reference) if reference.contains_key("$ref") && object.is_empty() => {
                *object = reference;
            }
            Value::Object(reference) if reference.contains_key("$ref") => {
                object.insert("allOf".to_owned(), json!([reference]));
            }
            Value::Object(inside) => inside.into_iter().for_each(|(key, value)| {
                object.entry(key).or_insert(value);
            }),
            _ => {}
        }
    }
}

fn close(object: &mut Map<String, Value>) {
    let is_closed = object.contains_key("additionalProperties");
    if object.contains_key("properties") && !is_closed {
        object.insert("additionalProperties".to_owned(), json!(false));
    }
}
