//! Policies of the organization: their kinds, their names, where they are attached, and what counts when two are compared.
//!
//! Guarantees: the kind is data. What AWS knows of a kind is a row of [`PolicyType::ALL`], and nothing else in Landfast
//! knows one kind from another. What is sent is the file without its spaces; what is compared is a canonical form.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Value;
use super::id::{Invalid, OuPath, PolicyName, Slug};

/// What there is to know of one kind of policy.
#[derive(Debug)]
struct Row {
    /// The folder below `organization/policies`.
    folder: &'static str,
    /// AWS's name.
    aws: &'static str,
    /// The most characters that AWS takes; nothing where it says no number.
    limit: Option<usize>,
    /// Above so many characters some organizations are refused.
    usual: Option<usize>,
    /// True where the content is in IAM's language.
    is_iam: bool,
}

impl Row {
    const fn plain(folder: &'static str, aws: &'static str, limit: Option<usize>) -> Self {
        Self { folder, aws, limit, usual: None, is_iam: false }
    }
}

/// Every kind, by folder. The sizes are those of AWS's "Quotas and service limits for AWS Organizations"; of a service
/// control policy its pages say 5,120 characters, while 10,240 were announced in May 2026, so that nothing in between
/// is certain.
const ROWS: [Row; 14] = [
    Row::plain("aiservices-opt-out-policy", "AISERVICES_OPT_OUT_POLICY", Some(2_500)),
    Row::plain("backup-policy", "BACKUP_POLICY", Some(10_000)),
    Row::plain("bedrock-policy", "BEDROCK_POLICY", None),
    Row::plain("chatbot-policy", "CHATBOT_POLICY", Some(10_000)),
    Row::plain("declarative-policy-ec2", "DECLARATIVE_POLICY_EC2", Some(10_000)),
    Row::plain("guardduty-policy", "GUARDDUTY_POLICY", None),
    Row::plain("inspector-policy", "INSPECTOR_POLICY", None),
    Row::plain("network-security-director-policy", "NETWORK_SECURITY_DIRECTOR_POLICY", None),
    Row { is_iam: true, ..Row::plain("resource-control-policy", "RESOURCE_CONTROL_POLICY", Some(5_120)) },
    Row::plain("s3-policy", "S3_POLICY", None),
    Row::plain("securityhub-policy", "SECURITYHUB_POLICY", Some(10_000)),
    Row {
        is_iam: true,
        usual: Some(5_120),
        ..Row::plain("service-control-policy", "SERVICE_CONTROL_POLICY", Some(10_240))
    },
    Row::plain("tag-policy", "TAG_POLICY", Some(10_000)),
    Row::plain("upgrade-rollout-policy", "UPGRADE_ROLLOUT_POLICY", None),
];

/// Policies that AWS attaches to everything itself, with the id each has in every organization.
const MANAGED: [(&str, &str, &str); 2] = [
    ("FullAWSAccess", "p-FullAWSAccess", "service-control-policy"),
    ("RCPFullAWSAccess", "p-RCPFullAWSAccess", "resource-control-policy"),
];

/// A kind of policy. Printed and parsed as its folder is called: `service-control-policy`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PolicyType(u8);

impl PolicyType {
    /// Every kind, in the order of their folders.
    pub fn all() -> impl Iterator<Item = Self> {
        (0u8..).zip(&ROWS).map(|(at, _)| Self(at))
    }

    fn row(self) -> &'static Row {
        &ROWS[usize::from(self.0)]
    }

    /// The kind that AWS calls so.
    pub fn of_aws(name: &str) -> Option<Self> {
        Self::all().find(|kind| kind.row().aws == name)
    }

    /// Its folder below `organization/policies`.
    pub fn folder(self) -> &'static str {
        self.row().folder
    }

    /// AWS's name of it.
    pub fn aws(self) -> &'static str {
        self.row().aws
    }

    /// The most characters that AWS takes, where it says so.
    pub fn limit(self) -> Option<usize> {
        self.row().limit
    }

    /// Above so many characters not every organization may have one.
    pub fn usual_limit(self) -> Option<usize> {
        self.row().usual
    }

    /// Content as AWS shows it, in canonical form; what is no JSON stays the text that it is.
    pub fn read(self, content: &str) -> Value {
        serde_json::from_str(content).map_or_else(|_| Value::from(content), |content| self.canonical(content))
    }

    /// The content in the form in which two of this kind are compared.
    ///
    /// In IAM's language a lone value and a list of it say the same, and the order of such a list says nothing; in
    /// every other kind all is as it is written.
    pub fn canonical(self, content: Value) -> Value {
        if self.row().is_iam { statements(content) } else { content }
    }
}

impl fmt::Display for PolicyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.folder())
    }
}

impl fmt::Debug for PolicyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.aws())
    }
}

impl TryFrom<String> for PolicyType {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let found = Self::all().find(|kind| kind.folder() == text);
        found.ok_or(Invalid { text, expected: "a kind of policy such as service-control-policy" })
    }
}

impl From<PolicyType> for String {
    fn from(kind: PolicyType) -> Self {
        kind.folder().to_owned()
    }
}

/// A policy of AWS's own: which kind it is, and its id.
pub fn managed(name: &PolicyName) -> Option<(PolicyType, &'static str)> {
    let (_, id, folder) = MANAGED.iter().find(|(own, ..)| *own == name.as_str())?;
    Some((PolicyType::try_from((*folder).to_owned()).ok()?, id))
}

/// The names of AWS's own policies.
pub fn managed_names() -> impl Iterator<Item = &'static str> {
    MANAGED.iter().map(|(name, ..)| *name)
}

/// What a policy is attached to: an OU or the root by its path, an account by its folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum PolicyTarget {
    /// An OU, or the root.
    Ou(OuPath),
    /// An account.
    Account(Slug),
}

impl fmt::Display for PolicyTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ou(path) => path.fmt(f),
            Self::Account(slug) => slug.fmt(f),
        }
    }
}

impl TryFrom<String> for PolicyTarget {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        if text.starts_with('/') {
            OuPath::parse(text).map(Self::Ou)
        } else {
            Slug::parse(text).map(Self::Account)
        }
    }
}

impl From<PolicyTarget> for String {
    fn from(target: PolicyTarget) -> Self {
        target.to_string()
    }
}

/// A policy as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: PolicyType,
    /// The file without its spaces, its keys in the order of the file: this is what is sent and what AWS counts.
    pub text: String,
    /// The same in canonical form: this is what is compared.
    pub content: Value,
}

impl Policy {
    /// The policy as a comparable value: `{type, content}`.
    pub fn to_value(&self) -> Value {
        json!({"type": self.kind, "content": self.content})
    }
}

/// A policy document in IAM's language, each value that may be a list a sorted list.
fn statements(mut content: Value) -> Value {
    if let Some(fields) = content.as_object_mut()
        && let Some(statement) = fields.get_mut("Statement")
    {
        let all = match statement.take() {
            Value::Array(all) => all,
            lone => vec![lone],
        };
        *statement = all.into_iter().map(plain_statement).collect();
    }
    content
}

fn plain_statement(mut statement: Value) -> Value {
    for key in ["Action", "NotAction", "Resource", "NotResource"] {
        if let Some(value) = statement.get_mut(key) {
            *value = listed(value.take());
        }
    }
    let operators = statement.get_mut("Condition").and_then(Value::as_object_mut).into_iter().flatten();
    for (_, keys) in operators {
        for (_, value) in keys.as_object_mut().into_iter().flatten() {
            *value = listed(value.take());
        }
    }
    statement
}

/// What may be one or many, as a sorted list; anything but texts, numbers and flags is left as it is.
fn listed(value: Value) -> Value {
    let is_lone = |value: &Value| matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_));
    match value {
        Value::Array(mut values) if values.iter().all(is_lone) => {
            values.sort_by_key(ToString::to_string);
            values.dedup();
            Value::Array(values)
        }
        lone if is_lone(&lone) => Value::Array(vec![lone]),
        other => other,
    }
}

/// A JSON text without the spaces between its parts; every part is as it was. The text has to be JSON.
pub fn minified(json: &str) -> String {
    let (mut short, mut in_text, mut is_escaped) = (String::with_capacity(json.len()), false, false);
    for c in json.chars() {
        if in_text || !matches!(c, ' ' | '\t' | '\n' | '\r') {
            short.push(c);
        }
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if in_text => is_escaped = true,
            '"' => in_text = !in_text,
            _ => {}
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(folder: &str) -> PolicyType {
        PolicyType::try_from(folder.to_owned()).unwrap()
    }

    #[test]
    fn every_kind_has_a_folder_spelled_as_aws_spells_its_name() {
        for kind in PolicyType::all() {
            assert_eq!(kind.folder().to_uppercase().replace('-', "_"), kind.aws());
            assert_eq!(PolicyType::of_aws(kind.aws()), Some(kind));
        }
        assert!(PolicyType::all().map(PolicyType::folder).is_sorted());
        assert!(PolicyType::try_from("scp".to_owned()).is_err());
    }

    #[test]
    fn in_iams_language_one_and_a_list_of_one_are_the_same_and_order_says_nothing() {
        let one = json!({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}}});
        let other = json!({"Statement": [{"Resource": ["*"], "Action": ["s3:*"], "Effect": "Deny",
            "Condition": {"StringEquals": {"aws:RequestedRegion": ["eu-west-1"]}}}], "Version": "2012-10-17"});
        let iam = kind("service-control-policy");
        assert_eq!(iam.canonical(one.clone()), iam.canonical(other.clone()));
        assert_ne!(kind("tag-policy").canonical(one), kind("tag-policy").canonical(other));
        let actions =
            |list: Value| iam.canonical(json!({"Statement": [{"Effect": "Deny", "NotAction": list}]}));
        assert_eq!(actions(json!(["b:*", "a:*"])), actions(json!(["a:*", "b:*"])));
        assert_ne!(actions(json!(["a:*"])), actions(json!(["a:*", "b:*"])));
    }

    #[test]
    fn the_order_of_statements_and_of_lists_that_are_no_sets_counts() {
        let tag = kind("tag-policy");
        assert_ne!(tag.canonical(json!({"a": ["x", "y"]})), tag.canonical(json!({"a": ["y", "x"]})));
    }

    #[test]
    fn only_the_spaces_between_the_parts_go() {
        let text = "{ \"a b\" :\t\"c \\\" d \\\\\" ,\r\n \"n\": [ 1.0 , 2 ] }";
        assert_eq!(minified(text), "{\"a b\":\"c \\\" d \\\\\",\"n\":[1.0,2]}");
    }
}
