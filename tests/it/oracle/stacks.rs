//! Change sets: all that is sent has to be what the files say.

use landfast::model::{Account, Desired, Item, Mode, Scope, Stack, StackKey};
use landfast::sandbox::aws::Entry;
use serde_json::Value;

use super::{names, pairs, text};

/// True when the account's folder declares just this stack.
pub(super) fn is_implied(desired: &Desired, account: Option<&Account>, made: &Entry) -> bool {
    let Some(account) = account else { return false };
    let is_it = |(key, _): &(&StackKey, _)| {
        text(&made.params, "StackName") == Some(key.name.as_str()) && key.region.as_str() == made.region
    };
    account.stacks.iter().find(is_it).is_some_and(|(key, stack)| {
        is_content(desired, &stack.value, &made.params) && may_revert(desired, account, key, &made.params)
    })
}

fn is_content(desired: &Desired, stack: &Stack, sent: &Value) -> bool {
    let parameters = pairs(sent, "Parameters", "ParameterKey", "ParameterValue");
    text(sent, "TemplateBody") == Some(stack.template.as_str())
        && parameters == stack.parameters
        && pairs(sent, "Tags", "Key", "Value") == stack.sent_tags(&desired.organization.id)
        && names(sent, "Capabilities") == stack.capabilities
}

/// Drift is put back only where the files say so.
fn may_revert(desired: &Desired, account: &Account, key: &StackKey, sent: &Value) -> bool {
    let (scope, item) = (Scope::Account(account.slug.clone()), Item::Stack(key.clone()));
    text(sent, "DeploymentMode").is_none()
        || account.mode == Mode::Enforce
        || desired.is_adopted(&scope, &item)
}
