//! Identifiers, parsed once at the edge and never bare strings afterwards.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A text that is not the identifier it was meant to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct Invalid {
    /// The text as it was given.
    pub text: String,
    /// What would have been right, with its article: "an account id (12 digits)".
    pub expected: &'static str,
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// What a valid text looks like, for error messages.
            pub const EXPECTED: &'static str = $expected;

            /// Checks `text` and wraps it.
            pub fn parse(text: impl Into<String>) -> Result<Self, Invalid> {
                let text = text.into();
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) { Ok(Self(text)) } else { Err(Invalid { text, expected: Self::EXPECTED }) }
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;
            fn try_from(text: String) -> Result<Self, Invalid> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

identifier! {
    /// An AWS account: twelve digits, leading zeros kept.
    AccountId, "an account id (12 digits in quotes)",
    |text| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}
identifier! {
    /// The name of an account's folder: the key an account keeps for life.
    Slug, "a folder name (lower-case letters, digits and hyphens, starting with a letter or digit, at most 63)",
    |text| (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}
identifier! {
    /// The root e-mail of an account (Organizations: 6 to 64 characters, 7-bit ASCII, one `@`).
    Email, "an e-mail address of 6 to 64 plain ASCII characters",
    is_email
}
identifier! {
    /// A place in the OU tree by names, from the root: `/`, `/workloads`, `/workloads/prod`.
    OuPath, "an OU path (`/` or `/name/name`)",
    is_ou_path
}
identifier! {
    /// A region code, such as `eu-west-1`.
    Region, "a region code such as eu-west-1",
    |text| text.len() >= 9 && text.split('-').count() >= 3
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && text.ends_with(|c: char| c.is_ascii_digit())
}
identifier! {
    /// The name of a CloudFormation stack (letters, digits, hyphens; starts with a letter; at most 128).
    StackName, "a stack name (letters, digits and hyphens, starting with a letter, at most 128)",
    |text| text.len() <= 128
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}
identifier! {
    /// The name of an IAM role (at most 64 of letters, digits and `+=,.@_-`).
    RoleName, "an IAM role name",
    |text| (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b))
}
identifier! {
    /// The name of a SAML provider of IAM (at most 128 of letters, digits and `._-`).
    SamlProviderName, "a name of a SAML provider (letters, digits and `._-`, at most 128)",
    |text| (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}
identifier! {
    /// The name of a policy of the organization: what its file is called.
    PolicyName, "a name of a policy (letters, digits, `_` and `-`, at most 128)",
    |text| (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
}
identifier! {
    /// An AWS organization: `o-` and 10 to 32 lower-case letters or digits.
    OrganizationId, "an organization id (o-xxxxxxxxxx)",
    |text| text.strip_prefix("o-").is_some_and(|rest| (10..=32).contains(&rest.len())
        && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}
identifier! {
    /// A git commit by its 40 hexadecimal digits.
    CommitId, "a commit id (40 hexadecimal digits)",
    |text| text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    (6..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_graphic())
        && !local.is_empty()
        && domain.contains('.')
        && !domain.contains('@')
        && domain.split('.').all(|label| !label.is_empty())
}

fn is_ou_path(text: &str) -> bool {
    let Some(names) = text.strip_prefix('/') else { return false };
    // Organizations allows OU names of up to 128 characters and OUs nested five deep.
    let name_ok = |name: &str| !name.is_empty() && name.len() <= 128 && name.trim() == name;
    names.is_empty() || (names.split('/').count() <= 5 && names.split('/').all(name_ok))
}

impl RoleName {
    /// The ARN of the role of this name in `account`.
    pub fn arn(&self, account: &AccountId) -> String {
        format!("arn:aws:iam::{account}:role/{self}")
    }
}

impl OuPath {
    /// The organization's root.
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// True for `/`.
    pub fn is_root(&self) -> bool {
        self.0 == "/"
    }

    /// The OU above, or nothing above the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let end = self.0.rfind('/').unwrap_or(0);
        Some(if end == 0 { Self::root() } else { Self(self.0[..end].to_owned()) })
    }

    /// True for this OU itself and for every OU below it.
    pub fn holds(&self, other: &Self) -> bool {
        let above = self.0.trim_end_matches('/');
        other.0.strip_prefix(above).is_some_and(|below| below.is_empty() || below.starts_with('/'))
    }

    /// The last name of the path; empty for the root.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The OU called `name` directly below this one.
    pub fn child(&self, name: &str) -> Result<Self, Invalid> {
        // Below the root an empty name would be the root itself, and a `/` would be read as a level of its own.
        if name.is_empty() || name.contains('/') {
            return Err(Invalid { text: name.to_owned(), expected: "the name of an OU" });
        }
        let prefix = if self.is_root() { "" } else { self.as_str() };
        Self::parse(format!("{prefix}/{name}"))
    }
}

impl CommitId {
    /// The first ten digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..10]
    }

    /// False for the id of all zeros, which stands for a directory that is not committed.
    pub fn is_commit(&self) -> bool {
        self.0.bytes().any(|digit| digit != b'0')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_id_keeps_its_leading_zeros() {
        assert_eq!(AccountId::parse("012345678901").unwrap().as_str(), "012345678901");
        assert!(AccountId::parse("12345678901").is_err());
    }

    #[test]
    fn an_ou_path_knows_its_parent_and_name() {
        let path = OuPath::parse("/workloads/prod").unwrap();
        assert_eq!(path.parent().unwrap().as_str(), "/workloads");
        assert_eq!(path.parent().unwrap().parent(), Some(OuPath::root()));
        assert_eq!(OuPath::root().parent(), None);
        assert_eq!(path.name(), "prod");
        let ou = |text| OuPath::parse(text).unwrap();
        assert!(path.holds(&path) && path.holds(&ou("/workloads/prod/eu")) && OuPath::root().holds(&path));
        assert!(!path.holds(&ou("/workloads")) && !path.holds(&ou("/workloads/production")));
    }

    #[test]
    fn a_child_is_one_level_below_its_parent_and_never_the_parent_itself() {
        for parent in [OuPath::root(), OuPath::parse("/workloads").unwrap()] {
            assert_eq!(parent.child("prod").unwrap().parent().as_ref(), Some(&parent));
            for name in ["", "/", "a/b", " ", "a "] {
                assert!(parent.child(name).is_err(), "{name:?} below {parent}");
            }
        }
    }

    #[test]
    fn an_email_has_one_at_sign_and_a_domain() {
        for good in ["a@b.cd", "aws+payments-prod@example.com"] {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
        for bad in ["a@b", "a@@b.cd", "@b.cde", "a b@c.de", "ä@b.cde", "a@b..c", "a@b.c"] {
            assert!(Email::parse(bad).is_err(), "{bad}");
        }
    }
}
