//! Items: the smallest things that have a verdict of their own, and the scopes they belong to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::id::{Invalid, OuPath, PolicyName, Region, Slug, StackName};
use super::policy::{PolicyTarget, PolicyType};
use super::setting::Setting;

/// What one pass is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Scope {
    /// The OU tree and the accounts themselves: one serial writer.
    Organization,
    /// Everything inside one account.
    Account(Slug),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization => f.write_str("organization"),
            Self::Account(slug) => write!(f, "accounts/{slug}"),
        }
    }
}

/// One stack in one region of an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StackKey {
    /// The stack's name, the same in every region.
    pub name: StackName,
    /// The region it is deployed in.
    pub region: Region,
}

/// A property of an account as Organizations sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountProperty {
    /// That the account exists; its value is its state, `ACTIVE` when all is well.
    Exists,
    /// Its name.
    Name,
    /// Its root e-mail.
    Email,
    /// The OU it is in, by path.
    Ou,
    /// One tag on the account.
    Tag(String),
}

/// The smallest thing with a verdict of its own.
///
/// Printed and parsed as a dotted path: `settings.passwordPolicy`, `settings.samlProviders.ADFS`, `stacks.network[eu-west-1]`,
/// `ous./workloads/prod`, `accounts.payments-prod`, `accounts.payments-prod.tags.env`,
/// `policyTypes.service-control-policy`, `policies.deny-leaving`, `policies.deny-leaving.targets./workloads`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Item {
    /// An organizational unit.
    Ou(OuPath),
    /// A property of an account.
    Account(Slug, AccountProperty),
    /// That policies of a kind can be attached at all.
    PolicyType(PolicyType),
    /// A policy of the organization: its kind and its content.
    Policy(PolicyName),
    /// That a policy is attached to something.
    Attachment(PolicyName, PolicyTarget),
    /// An account-wide setting.
    Setting(Setting),
    /// A stack.
    Stack(StackKey),
}

impl Item {
    /// The account that an item of `scope` is about; none for the organization itself.
    pub fn whose<'a>(&'a self, scope: &'a Scope) -> Option<&'a Slug> {
        match (scope, self) {
            (Scope::Account(slug), _)
            | (
                Scope::Organization,
                Self::Account(slug, _) | Self::Attachment(_, PolicyTarget::Account(slug)),
            ) => Some(slug),
            (Scope::Organization, _) => None,
        }
    }

    /// True for what belongs to a policy of the organization.
    pub fn is_of_policies(&self) -> bool {
        matches!(self, Self::PolicyType(_) | Self::Policy(_) | Self::Attachment(..))
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ou(path) => write!(f, "ous.{path}"),
            Self::Account(slug, AccountProperty::Exists) => write!(f, "accounts.{slug}"),
            Self::Account(slug, AccountProperty::Name) => write!(f, "accounts.{slug}.name"),
            Self::Account(slug, AccountProperty::Email) => write!(f, "accounts.{slug}.email"),
            Self::Account(slug, AccountProperty::Ou) => write!(f, "accounts.{slug}.ou"),
            Self::Account(slug, AccountProperty::Tag(key)) => write!(f, "accounts.{slug}.tags.{key}"),
            Self::PolicyType(kind) => write!(f, "policyTypes.{kind}"),
            Self::Policy(name) => write!(f, "policies.{name}"),
            Self::Attachment(name, target) => write!(f, "policies.{name}.targets.{target}"),
            Self::Setting(setting) => write!(f, "settings.{setting}"),
            Self::Stack(key) => write!(f, "stacks.{}[{}]", key.name, key.region),
        }
    }
}

impl FromStr for Item {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid =
            || Invalid { text: text.to_owned(), expected: "an item path such as settings.passwordPolicy" };
        let (head, rest) = text.split_once('.').ok_or_else(invalid)?;
        match head {
            "ous" => Ok(Self::Ou(OuPath::parse(rest)?)),
            "policyTypes" => PolicyType::try_from(rest.to_owned()).map(Self::PolicyType),
            "policies" => match rest.split_once(".targets.") {
                None => PolicyName::parse(rest).map(Self::Policy),
                Some((name, target)) => {
                    let target = PolicyTarget::try_from(target.to_owned())?;
                    Ok(Self::Attachment(PolicyName::parse(name)?, target))
                }
            },
            "settings" => rest.parse().map(Self::Setting),
            "stacks" => {
                let (name, region) =
                    rest.strip_suffix(']').and_then(|rest| rest.split_once('[')).ok_or_else(invalid)?;
                Ok(Self::Stack(StackKey { name: StackName::parse(name)?, region: Region::parse(region)? }))
            }
            "accounts" => {
                let (slug, property) = rest.split_once('.').unwrap_or((rest, ""));
                let property = match property {
                    "" => AccountProperty::Exists,
                    "name" => AccountProperty::Name,
                    "email" => AccountProperty::Email,
                    "ou" => AccountProperty::Ou,
                    _ => {
                        let key = property.strip_prefix("tags.").ok_or_else(invalid)?;
                        AccountProperty::Tag(key.to_owned())
                    }
                };
                Ok(Self::Account(Slug::parse(slug)?, property))
            }
            _ => Err(invalid()),
        }
    }
}

impl TryFrom<String> for Item {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Item> for String {
    fn from(item: Item) -> Self {
        item.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_survives_being_printed_and_parsed() {
        for text in [
            "ous./workloads/prod",
            "accounts.payments-prod",
            "accounts.payments-prod.ou",
            "accounts.payments-prod.tags.cost.center",
            "policyTypes.service-control-policy",
            "policies.deny-leaving",
            "policies.deny-leaving.targets./",
            "policies.deny-leaving.targets./work.targets.loads/prod",
            "policies.deny-leaving.targets.payments-prod",
            "settings.passwordPolicy",
            "settings.samlProviders.ADFS",
            "stacks.network[eu-west-1]",
        ] {
            assert_eq!(text.parse::<Item>().unwrap().to_string(), text);
        }
        assert!("stacks.network".parse::<Item>().is_err());
        assert!("settings.nonsense".parse::<Item>().is_err());
    }
}
