//! The judge, judged: a right write that is changed in any word that matters is a wrong one.

use std::collections::BTreeSet;

use landfast::sandbox::aws::{Entry, SimulatedAws};
use serde_json::Value;

use super::{Implied, Judge};

/// What may be sent in any words: tokens, how AWS is to treat the request, and where an account comes from.
const FREE: [&str; 6] = [
    "/ChangeSetType",
    "/ClientRequestToken",
    "/ClientToken",
    "/IamUserAccessToBilling",
    "/SourceParentId",
    "/ChangeSetName",
];

impl Implied {
    /// Every change to a write of `log` that would not be noticed: operation and place. Nothing is in `log` that is
    /// wrong as it is.
    pub(crate) fn overlooked(&self, aws: &SimulatedAws, log: &[Entry]) -> Vec<String> {
        let judge = Judge::new(self, aws, log);
        let mut overlooked = BTreeSet::new();
        for entry in log.iter().filter(|entry| entry.is_mutating) {
            let places = texts(&entry.params, "").into_iter();
            for place in places.filter(|place| !FREE.contains(&place.as_str())) {
                let mut params = entry.params.clone();
                if let Some(text) = params.pointer_mut(&place) {
                    *text = Value::String(format!("{}0", text.as_str().unwrap_or_default()));
                }
                if judge.objection(&Entry { params, ..entry.clone() }).is_none() {
                    overlooked.insert(format!("{} {place}", entry.operation));
                }
            }
            let elsewhere = Entry { account: "000000000000".to_owned(), ..entry.clone() };
            if entry.service != "organizations" && judge.objection(&elsewhere).is_none() {
                overlooked.insert(format!("{} in another account", entry.operation));
            }
        }
        overlooked.into_iter().collect()
    }
}

/// The JSON pointers of all texts in `value`.
fn texts(value: &Value, at: &str) -> Vec<String> {
    match value {
        // An empty list is spelled as an empty text.
        Value::String(text) if !text.is_empty() => vec![at.to_owned()],
        Value::Array(entries) => {
            let inside = entries.iter().enumerate();
            inside.flat_map(|(nth, entry)| texts(entry, &format!("{at}/{nth}"))).collect()
        }
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, field)| texts(field, &format!("{at}/{name}"))).collect()
        }
        _ => Vec::new(),
    }
}
