//! Settings: what exists for an account as a whole. Most kinds exist once; some are a map of named ones.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use strum::{EnumDiscriminants, EnumString, IntoStaticStr, VariantArray};

use super::Value;
use super::id::{Invalid, SamlProviderName};
use super::reference::Deferred;
use super::saml::SamlMetadata;

/// One setting of an account.
///
/// Printed and parsed as its path below `settings`: `passwordPolicy`, `samlProviders.ADFS`. The kind's key is the
/// variant's name in camel case, unless it says another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumDiscriminants)]
#[strum_discriminants(
    name(SettingKind),
    doc = "A kind of setting; `VARIANTS` has all of them, in the order in which plans list them.",
    derive(PartialOrd, Ord, Hash, VariantArray, IntoStaticStr, EnumString),
    strum(serialize_all = "camelCase")
)]
pub enum Setting {
    /// IAM's password policy for the account's users.
    #[strum_discriminants(doc = "See [`Setting::PasswordPolicy`].")]
    PasswordPolicy,
    /// The account's sign-in alias.
    #[strum_discriminants(doc = "See [`Setting::AccountAlias`].")]
    AccountAlias,
    /// One identity provider that speaks SAML, by name.
    #[strum_discriminants(doc = "See [`Setting::SamlProvider`].")]
    #[strum_discriminants(strum(serialize = "samlProviders"))]
    SamlProvider(SamlProviderName),
}

impl SettingKind {
    /// The key used in files: `passwordPolicy`.
    pub fn key(self) -> &'static str {
        self.into()
    }
}

impl Setting {
    /// What kind of setting it is.
    pub fn kind(&self) -> SettingKind {
        self.into()
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.kind().key();
        match self {
            Self::PasswordPolicy | Self::AccountAlias => f.write_str(key),
            Self::SamlProvider(name) => write!(f, "{key}.{name}"),
        }
    }
}

impl FromStr for Setting {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid { text: text.to_owned(), expected: "a setting such as passwordPolicy" };
        let (key, name) = text.split_once('.').map_or((text, None), |(key, name)| (key, Some(name)));
        let kind = SettingKind::from_str(key).map_err(|_| invalid())?;
        let once = |setting| if name.is_none() { Ok(setting) } else { Err(invalid()) };
        match kind {
            SettingKind::PasswordPolicy => once(Self::PasswordPolicy),
            SettingKind::AccountAlias => once(Self::AccountAlias),
            SettingKind::SamlProvider => {
                Ok(Self::SamlProvider(SamlProviderName::parse(name.ok_or_else(invalid)?)?))
            }
        }
    }
}

/// What a setting is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingValue {
    /// Sent as it is compared.
    Plain(Value),
    /// Sent as committed, compared by what it means.
    Metadata(Arc<SamlMetadata>),
    /// A text that takes ids which no folder records yet. Only a plan can fill it in, and makes it plain.
    Later(Deferred),
}

impl SettingValue {
    /// The value as it is compared with what AWS shows.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Plain(value) => value.clone(),
            Self::Metadata(metadata) => metadata.to_value(),
            Self::Later(deferred) => deferred.to_string().into(),
        }
    }
}

impl From<Value> for SettingValue {
    fn from(value: Value) -> Self {
        Self::Plain(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_that_is_a_map_needs_a_name_and_the_others_take_none() {
        for good in ["passwordPolicy", "accountAlias", "samlProviders.ADFS", "samlProviders.a.b"] {
            assert_eq!(good.parse::<Setting>().unwrap().to_string(), good);
        }
        for bad in
            ["passwordPolicy.x", "samlProviders", "samlProviders.", "samlProviders.a b", "samlProvider.x"]
        {
            assert!(bad.parse::<Setting>().is_err(), "{bad}");
        }
    }
}
