//! How bad it is when a policy of the organization is not as declared: whoever is kept from something by it may not be.

use super::super::deed::{kind_words, target_words};
use super::super::markdown::code;
use super::{Mark, Severity, mark};
use crate::model::{PolicyName, PolicyTarget, PolicyType, Value};

pub(super) fn kind(kind: PolicyType) -> Mark {
    let kind = kind_words(kind);
    let meaning = format!("no {kind} has any effect in the organization any more");
    mark(Severity::High, format!("{kind} switched off"), meaning)
}

pub(super) fn content(name: &PolicyName, right: &Value) -> Mark {
    let fate = if right.is_null() { "deleted" } else { "changed" };
    let name = code(name.as_str());
    mark(Severity::High, format!("policy {name} {fate}"), format!("the policy {name} was {fate}"))
}

pub(super) fn attachment(name: &PolicyName, target: &PolicyTarget) -> Mark {
    let (name, target) = (code(name.as_str()), code(&target_words(target)));
    let meaning = format!("the policy {name} no longer holds for {target}");
    mark(Severity::High, format!("policy {name} detached from {target}"), meaning)
}
