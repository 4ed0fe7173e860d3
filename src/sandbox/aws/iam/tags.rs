//! Tags of whatever IAM lets be tagged.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::wire::Params as _;

pub(crate) type Tags = BTreeMap<String, String>;

pub(crate) fn tag_list(tags: &Tags) -> Value {
    Value::Array(tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect())
}

pub(crate) fn read_tags(entries: &[Value]) -> Tags {
    let pair =
        |tag: &Value| Some((tag.text("Key")?.to_owned(), tag.text("Value").unwrap_or_default().to_owned()));
    entries.iter().filter_map(pair).collect()
}

/// Adds the tags of a request.
pub(crate) fn add(tags: &mut Tags, call: &Call) -> Value {
    tags.extend(read_tags(call.params.entries("Tags")));
    Value::Null
}

/// Removes the keys of a request; keys that are not there do not matter.
pub(crate) fn remove(tags: &mut Tags, call: &Call) -> Value {
    for key in call.params.entries("TagKeys").iter().filter_map(Value::as_str) {
        tags.remove(key);
    }
    Value::Null
}

/// All of them on one page: there are fifty at most.
pub(crate) fn listed(tags: &Tags) -> Value {
    json!({"Tags": tag_list(tags), "IsTruncated": false})
}
