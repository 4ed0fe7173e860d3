//! The settings of one account: merged leaves become one value for each kind.

use std::collections::BTreeMap;

use super::diagnostic::Faults;
use super::expression::Context;
use super::merge::Merged;
use super::rule::Rule;
use crate::model::{AccountId, Declared, Setting, Slug, Value};

/// Every setting somebody declares for the account.
pub(super) fn build(
    slug: &Slug,
    merged: &Merged,
    context: &Context,
    faults: &mut Faults,
) -> BTreeMap<Setting, Declared<Value>> {
    let mut settings = BTreeMap::new();
    for setting in Setting::ALL {
        let value = match setting {
            Setting::PasswordPolicy => password_policy(merged),
            Setting::AccountAlias => account_alias(slug, merged, context, faults),
        };
        settings.extend(value.map(|value| (setting, value)));
    }
    settings
}

fn password_policy(merged: &Merged) -> Option<Declared<Value>> {
    let head = ["settings".to_owned(), "passwordPolicy".to_owned()];
    let marker = merged.get(head.as_slice())?;
    let fields = merged.iter().filter(|(path, _)| path.len() == 3 && path.starts_with(&head));
    let value: serde_json::Map<_, _> =
        fields.map(|(path, leaf)| (path[2].clone(), leaf.value.clone())).collect();
    // A policy without a single field says nothing about anything.
    let declared = Declared { value: Value::Object(value), source: marker.spot.source() };
    Some(declared).filter(|declared| declared.value.as_object().is_some_and(|fields| !fields.is_empty()))
}

fn account_alias(
    slug: &Slug,
    merged: &Merged,
    context: &Context,
    faults: &mut Faults,
) -> Option<Declared<Value>> {
    let leaf = merged.get(["settings".to_owned(), "accountAlias".to_owned()].as_slice())?;
    match context.text(leaf.value.as_str().unwrap_or_default()) {
        Ok(alias) if is_alias(&alias) => Some(Declared { value: alias.into(), source: leaf.spot.source() }),
        Ok(alias) => {
            let hint = "3 to 63 lower-case letters, digits and single hyphens inside, and not 12 digits";
            faults.report_for(
                Rule::Setting,
                slug,
                &leaf.spot,
                format!("`{alias}` cannot be an account alias"),
                hint,
            );
            None
        }
        Err(fault) => {
            faults.report_for(Rule::Expression, slug, &leaf.spot, fault.message, fault.hint);
            None
        }
    }
}

/// IAM's own rule (`CreateAccountAlias`).
fn is_alias(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let hyphens_inside = !text.starts_with('-') && !text.ends_with('-') && !text.contains("--");
    let is_account_id = AccountId::parse(text).is_ok();
    (3..=63).contains(&text.len()) && text.bytes().all(allowed) && hyphens_inside && !is_account_id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_is_what_iam_takes() {
        for good in ["acme-prod", "a1b", "1234567890123"] {
            assert!(is_alias(good), "{good}");
        }
        for bad in ["ab", "Acme", "a--b", "-ab", "ab-", "123456789012", "a_b"] {
            assert!(!is_alias(bad), "{bad}");
        }
    }
}
