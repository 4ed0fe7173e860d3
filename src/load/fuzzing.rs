//! What a fuzzer can call that is not to be called otherwise.

use serde_json::json;

use super::expression::Context;

/// What a text comes to under a small context; nothing when it has no value.
pub fn expression(text: &str) -> Option<String> {
    let values = json!({"Text": "x", "List": ["a", "b"], "Map": {"a": 1}, "Number": 3});
    let context = Context::default().with("values", &values).with("accounts", &json!({"one": {"id": "1"}}));
    context.text(text).ok()
}
