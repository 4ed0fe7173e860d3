//! The settings of one account: merged leaves become one value for each kind.

use std::collections::BTreeMap;

use strum::VariantArray;

use super::diagnostic::Faults;
use super::documents::Documents;
use super::expression::Context;
use super::later;
use super::layer::is_about;
use super::merge::Merged;
use super::rule::Rule;
use crate::model::{AccountId, Declared, SamlProviderName, Setting, SettingKind, SettingValue, Slug, Value};

/// What the settings of an account are made from.
pub(super) struct Settings<'a> {
    pub(super) slug: &'a Slug,
    pub(super) merged: &'a Merged<'a>,
    pub(super) documents: &'a Documents<'a>,
    pub(super) context: &'a Context,
}

impl Settings<'_> {
    /// Every setting somebody declares for the account.
    pub(super) fn build(&self, faults: &mut Faults) -> BTreeMap<Setting, Declared<SettingValue>> {
        let kinds = SettingKind::VARIANTS.iter();
        let of_kind = |kind: &SettingKind| match kind {
            SettingKind::PasswordPolicy => {
                let plain =
                    |Declared { value, source }| Declared { value: SettingValue::Plain(value), source };
                once(Setting::PasswordPolicy, password_policy(self.merged).map(plain))
            }
            SettingKind::AccountAlias => {
                once(Setting::AccountAlias, account_alias(self.slug, self.merged, self.context, faults))
            }
            SettingKind::SamlProvider => saml_providers(self.slug, self.merged, self.documents, faults),
        };
        kinds.flat_map(of_kind).collect()
    }
}

type Built = Vec<(Setting, Declared<SettingValue>)>;

/// A setting of which there is one.
fn once(setting: Setting, declared: Option<Declared<SettingValue>>) -> Built {
    declared.map(|declared| (setting, declared)).into_iter().collect()
}

/// The providers whose metadata could be read; of the others it has been said why.
fn saml_providers(slug: &Slug, merged: &Merged<'_>, documents: &Documents<'_>, faults: &mut Faults) -> Built {
    let all = merged.under(&["settings", SettingKind::SamlProvider.key()]).iter();
    let markers = all.filter(|(path, _)| path.len() == 3);
    markers
        .filter_map(|(path, marker)| {
            let name = SamlProviderName::parse(path[2].as_str()).ok()?;
            let Some(leaf) = merged.get(&[path, &["metadata".to_owned()][..]].concat()) else {
                let message = format!("the SAML provider `{name}` has no metadata");
                faults.report_for(
                    Rule::Setting,
                    slug,
                    &marker.spot,
                    message,
                    "name its file: `metadata: name.xml`",
                );
                return None;
            };
            let metadata = documents.metadata(leaf.value.as_str().unwrap_or_default())?;
            let value = SettingValue::Metadata(metadata);
            Some((Setting::SamlProvider(name), Declared { value, source: marker.spot.source() }))
        })
        .collect()
}

fn password_policy(merged: &Merged<'_>) -> Option<Declared<Value>> {
    let head = ["settings", "passwordPolicy"];
    let marker = merged.get(&head)?;
    let fields = merged.under(&head).iter().filter(|(path, _)| path.len() == 3 && !is_about(path));
    let value: serde_json::Map<_, _> =
        fields.map(|(path, leaf)| (path[2].clone(), leaf.value.clone())).collect();
    // A policy without a single field says nothing about anything.
    let declared = Declared { value: Value::Object(value), source: marker.spot.source() };
    Some(declared).filter(|declared| declared.value.as_object().is_some_and(|fields| !fields.is_empty()))
}

fn account_alias(
    slug: &Slug,
    merged: &Merged<'_>,
    context: &Context,
    faults: &mut Faults,
) -> Option<Declared<SettingValue>> {
    let path = ["settings", "accountAlias"].map(str::to_owned);
    let leaf = merged.get(&path)?;
    let context = context.for_value(&leaf.value, slug, &path, None);
    match context.text(leaf.value.as_str().unwrap_or_default()) {
        Ok(alias) if is_alias(&later::with_stand_ins(&alias)) => {
            let value = later::known_or_later(alias);
            let value = value.map_or_else(SettingValue::Later, |alias| SettingValue::Plain(alias.into()));
            Some(Declared { value, source: leaf.spot.source() })
        }
        Ok(alias) => {
            let hint = "3 to 63 lower-case letters, digits and single hyphens inside, and not 12 digits";
            faults.report_for(
                Rule::Setting,
                slug,
                &leaf.spot,
                format!("`{}` cannot be an account alias", later::readable(&alias)),
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
