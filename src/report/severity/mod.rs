//! How bad a difference is, and what it means in words.
//!
//! HIGH is for what an attacker or an accident would do first: permissions widened, trust changed, something made
//! public, logging stopped, the password policy weakened. Foreign names within the words stand in backticks.

mod policy;
mod saml;

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::markdown::code;
use crate::model::{AccountProperty, Finding, Item, Setting, StackKey, Verdict};

/// How bad it is; ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A label, a tag, a name.
    Low,
    /// Something works differently from what was agreed.
    Medium,
    /// Someone may do more, see more, or go unseen.
    High,
}

impl Severity {
    /// For labels: `high`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
        })
    }
}

/// What one difference means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The worst of what follows.
    pub severity: Severity,
    /// A few words for a title, without an article or a full stop: "role `AWS-NetOps` widened".
    pub headline: String,
    /// Clauses for a sentence, the worst first: "`AWS-NetOps` gained `AdministratorAccess`".
    pub meanings: Vec<String>,
}

/// One thing that is true of a difference.
struct Mark {
    severity: Severity,
    headline: String,
    meaning: String,
}

fn mark(severity: Severity, headline: String, meaning: String) -> Mark {
    Mark { severity, headline, meaning }
}

/// Judges what became of `item` since it was as git declares; in a conflict, where git has changed too, since the two
/// last agreed, for what git wants by now nobody has undone.
pub fn judge(item: &Item, finding: &Finding) -> Judgement {
    let (desired, base) = (finding.desired.as_deref(), finding.base.as_deref());
    let left = if finding.verdict == Verdict::Conflict { base.or(desired) } else { desired.or(base) };
    let left = left.unwrap_or(&Value::Null);
    let right = finding.observed.as_deref().unwrap_or(&Value::Null);
    if finding.desired.as_deref() == Some(&Value::Null) {
        let name = code(&item.to_string());
        let meaning = format!("{name} is there, and must not be");
        let headline = format!("{name} appeared");
        return Judgement { severity: Severity::Medium, headline, meanings: vec![meaning] };
    }
    let mut marks = match item {
        Item::Setting(Setting::PasswordPolicy) => password_policy(left, right),
        Item::Setting(setting @ Setting::AccountAlias) => {
            vec![replaced(Severity::Medium, setting.kind().key(), left, right)]
        }
        Item::Setting(Setting::SamlProvider(name)) => saml::provider(name.as_str(), left, right),
        Item::Stack(key) => stack(key, left, right),
        Item::Account(slug, property) => vec![account(slug.as_str(), property, left, right)],
        Item::Ou(path) => vec![ou(path.as_str(), right)],
        Item::PolicyType(kind) => vec![policy::kind(*kind)],
        Item::Policy(name) => vec![policy::content(name, right)],
        Item::Attachment(name, target) => vec![policy::attachment(name, target)],
    };
    if marks.is_empty() {
        let name = code(&item.to_string());
        marks.push(mark(Severity::Medium, format!("{name} changed"), format!("{name} is not as declared")));
    }
    marks.sort_by_key(|mark| std::cmp::Reverse(mark.severity));
    Judgement {
        severity: marks[0].severity,
        headline: marks[0].headline.clone(),
        meanings: marks.into_iter().map(|mark| mark.meaning).collect(),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => code(text),
        other => code(&other.to_string()),
    }
}

fn replaced(severity: Severity, name: &str, left: &Value, right: &Value) -> Mark {
    mark(severity, format!("{name} changed"), format!("{name} went from {} to {}", shown(left), shown(right)))
}

fn password_policy(left: &Value, right: &Value) -> Vec<Mark> {
    if right.is_null() {
        let headline = "password policy removed".to_owned();
        return vec![mark(Severity::High, headline, "the password policy was removed".to_owned())];
    }
    let declared = left.as_object().into_iter().flatten();
    declared
        .filter(|(key, value)| right.get(*key) != Some(value))
        .map(|(key, value)| {
            let now = right.get(key).unwrap_or(&Value::Null);
            let (severity, headline) = if is_weaker(key, value, now) {
                (Severity::High, "password policy weakened")
            } else {
                (Severity::Low, "password policy changed")
            };
            let meaning = format!("{} went from {} to {}", code(key), bare(value), bare(now));
            mark(severity, headline.to_owned(), meaning)
        })
        .collect()
}

fn bare(value: &Value) -> String {
    match value {
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        other => shown(other),
    }
}

/// Everything is stronger when it is more, but a password's age and the right to change it.
fn is_weaker(key: &str, before: &Value, now: &Value) -> bool {
    match (before, now) {
        (Value::Bool(before), _) => *before && now.as_bool() != Some(true),
        (Value::Number(before), now) => {
            let (before, now) = (before.as_f64().unwrap_or(0.0), now.as_f64().unwrap_or(0.0));
            // Without a maximum a password never ages.
            if key == "maxAgeDays" { now == 0.0 || now > before } else { now < before }
        }
        _ => true,
    }
}

fn account(slug: &str, property: &AccountProperty, left: &Value, right: &Value) -> Mark {
    let from_to = format!("from {} to {}", shown(left), shown(right));
    let (severity, what) = match property {
        AccountProperty::Exists => {
            let state = if right.is_null() { "gone".to_owned() } else { shown(right) };
            let meaning = format!("account {} is {state}", code(slug));
            return mark(Severity::High, meaning.clone(), meaning);
        }
        AccountProperty::Email => (Severity::High, "root e-mail".to_owned()),
        AccountProperty::Ou => (Severity::High, "OU, and with it the policies that guard it,".to_owned()),
        AccountProperty::Name => (Severity::Low, "name".to_owned()),
        AccountProperty::Tag(key) => (Severity::Low, format!("tag {}", code(key))),
    };
    let short = what.split(',').next().unwrap_or_default();
    let headline = format!("{short} of account {} changed", code(slug));
    mark(severity, headline, format!("the {what} of account {} went {from_to}", code(slug)))
}

fn ou(path: &str, right: &Value) -> Mark {
    let fate = if right.is_null() { "deleted" } else { "changed" };
    mark(Severity::Medium, format!("OU {} {fate}", code(path)), format!("OU {} was {fate}", code(path)))
}

fn stack(key: &StackKey, left: &Value, right: &Value) -> Vec<Mark> {
    let name = code(key.name.as_str());
    let template = left["template"].as_str().unwrap_or_default();
    if right.is_null() {
        let severity = if is_sensitive(template) { Severity::High } else { Severity::Medium };
        let off = if is_logging(template) { ", and the logging it makes stopped" } else { "" };
        let headline = format!("stack {name} deleted");
        return vec![mark(severity, headline, format!("stack {name} was deleted{off}"))];
    }
    let mut marks: Vec<_> = ["parameters", "tags"]
        .into_iter()
        .flat_map(|map| map_changes(&name, map, &left[map], &right[map]))
        .collect();
    if left["state"] != right["state"] {
        let headline = format!("stack {name} in trouble");
        marks.push(mark(Severity::Medium, headline, format!("stack {name} is {}", shown(&right["state"]))));
    }
    if left["template"] != right["template"] {
        marks.push(template_change(&name, template, right["template"].as_str().unwrap_or_default()));
    }
    let resources = right["drift"].as_object().into_iter().flatten();
    let moved = resources.filter(|(logical, now)| left["drift"].get(*logical) != Some(now));
    marks.extend(moved.flat_map(|(logical, resource)| drifted(logical, resource)));
    marks
}

fn map_changes(stack: &str, map: &str, left: &Value, right: &Value) -> Vec<Mark> {
    let kind = map.trim_end_matches('s');
    let names = left.as_object().into_iter().chain(right.as_object()).flat_map(|map| map.keys());
    let names: std::collections::BTreeSet<_> = names.collect();
    let changed = names.into_iter().filter(|name| left.get(*name) != right.get(*name));
    changed
        .map(|name| {
            let (before, now) = (&left[name.as_str()], &right[name.as_str()]);
            let severity = match (map, grants_all(now) && !grants_all(before)) {
                (_, true) => Severity::High,
                ("tags", _) => Severity::Low,
                _ => Severity::Medium,
            };
            let hidden = super::diff::is_secret(name, now) || super::diff::is_secret(name, before);
            let change = if hidden {
                "changed".to_owned()
            } else {
                format!("went from {} to {}", shown(before), shown(now))
            };
            let meaning = format!("{kind} {} of stack {stack} {change}", code(name));
            mark(severity, format!("{map} of stack {stack} changed"), meaning)
        })
        .collect()
}

fn template_change(stack: &str, before: &str, now: &str) -> Mark {
    let widened = ["AdministratorAccess", "PowerUserAccess", "IAMFullAccess"]
        .into_iter()
        .find(|policy| now.matches(policy).count() > before.matches(policy).count());
    let lost_logging = is_logging(before) && !is_logging(now);
    let (severity, more) = match (widened, lost_logging) {
        (Some(policy), _) => (Severity::High, format!(", and now names {}", code(policy))),
        (None, true) => (Severity::High, ", and no longer makes the logging it made".to_owned()),
        (None, false) => (Severity::Medium, String::new()),
    };
    let meaning = format!("the template of stack {stack} was changed outside git{more}");
    mark(severity, format!("template of stack {stack} changed"), meaning)
}

fn is_logging(template: &str) -> bool {
    ["AWS::CloudTrail::", "AWS::Config::", "AWS::GuardDuty::", "AWS::SecurityHub::"]
        .into_iter()
        .any(|kind| template.contains(kind))
}

fn is_sensitive(template: &str) -> bool {
    is_logging(template) || template.contains("AWS::IAM::") || template.contains("AWS::KMS::")
}

fn grants_all(value: &Value) -> bool {
    let text = value.to_string();
    ["AdministratorAccess", "PowerUserAccess", "IAMFullAccess"].into_iter().any(|name| text.contains(name))
}

/// What one drifted resource of a stack means.
fn drifted(logical: &str, resource: &Value) -> Vec<Mark> {
    let kind = resource["type"].as_str().unwrap_or("resource");
    let name = code(resource["physicalId"].as_str().unwrap_or(logical));
    let noun = noun(kind);
    if resource["status"] == "DELETED" {
        let severity = if is_sensitive(kind) { Severity::High } else { Severity::Medium };
        let headline = format!("{noun} {name} deleted");
        return vec![mark(severity, headline, format!("{noun} {name} was deleted"))];
    }
    let properties = resource["properties"].as_object().into_iter().flatten();
    properties.map(|(pointer, change)| property(kind, &noun, &name, pointer, change)).collect()
}

/// `AWS::IAM::Role` as `role`, `AWS::EC2::SecurityGroup` as `security group`.
fn noun(kind: &str) -> String {
    let last = kind.rsplit("::").next().unwrap_or(kind);
    let mut words = String::new();
    for c in last.chars().filter(char::is_ascii_alphanumeric) {
        if c.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}

fn property(kind: &str, noun: &str, name: &str, pointer: &str, change: &Value) -> Mark {
    let top = pointer.trim_start_matches('/').split('/').next().unwrap_or_default();
    let (expected, actual) = (present(&change["expected"]), present(&change["actual"]));
    let high =
        |headline: &str, meaning: String| mark(Severity::High, format!("{noun} {name} {headline}"), meaning);
    match (kind, top) {
        (_, "ManagedPolicyArns") => match (expected, actual) {
            (None, Some(policy)) => high("widened", format!("{name} gained {}", policies(policy))),
            (Some(policy), None) => {
                let headline = format!("{noun} {name} narrowed");
                mark(Severity::Medium, headline, format!("{name} lost {}", policies(policy)))
            }
            (Some(old), Some(new)) => {
                let meaning = format!("{name} went from {} to {}", policies(old), policies(new));
                high("given other policies", meaning)
            }
            (None, None) => high("changed", format!("the policies of {name} changed")),
        },
        (_, "AssumeRolePolicyDocument") => {
            high("trusts others", format!("who may assume {name} changed (its trust policy)"))
        }
        (_, "PermissionsBoundary") => high("unbound", format!("the permissions boundary of {name} changed")),
        (kind, "Policies" | "PolicyDocument") if kind.starts_with("AWS::IAM::") => {
            high("rewritten", format!("what {name} allows changed (its policy)"))
        }
        ("AWS::S3::Bucket", "PublicAccessBlockConfiguration") => {
            high("may be public", format!("the public access block of {name} changed"))
        }
        ("AWS::S3::BucketPolicy" | "AWS::SQS::QueuePolicy" | "AWS::SNS::TopicPolicy", _) => {
            high("opened or closed", format!("who may reach {name} changed (its policy)"))
        }
        (_, "SecurityGroupIngress") if is_anywhere(actual) => {
            high("opened", format!("{name} is open to the whole internet"))
        }
        ("AWS::CloudTrail::Trail" | "AWS::Config::ConfigurationRecorder", _) => {
            high("changed", format!("logging by {name} changed ({})", code(top)))
        }
        _ => {
            let meaning = format!("{} of {noun} {name} changed", code(top));
            mark(Severity::Medium, format!("{noun} {name} changed"), meaning)
        }
    }
}

/// CloudFormation writes "not there" as `null`, bare or as a text.
fn present(value: &Value) -> Option<&Value> {
    (!value.is_null() && value != "null").then_some(value)
}

fn is_anywhere(value: Option<&Value>) -> bool {
    value.is_some_and(|value| {
        let text = value.to_string();
        text.contains("0.0.0.0/0") || text.contains("::/0")
    })
}

/// `AdministratorAccess` for its ARN.
fn policies(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    code(text.rsplit_once(":policy/").map_or(text.as_str(), |(_, name)| name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::fixtures::{drifted as drifted_finding, stack_value, widened};

    fn judged(item: &str, left: Value, right: Value) -> Judgement {
        judge(&item.parse().unwrap(), &drifted_finding(left, right))
    }

    #[test]
    fn a_role_that_gained_administrator_access_is_high() {
        let judgement =
            judged("stacks.role-netops[eu-west-1]", stack_value(json!({})), stack_value(widened()));
        assert_eq!(judgement.severity, Severity::High);
        assert_eq!(judgement.headline, "role `AWS-NetOps` widened");
        assert_eq!(judgement.meanings, ["`AWS-NetOps` gained `AdministratorAccess`"]);
    }

    #[test]
    fn a_weaker_password_policy_is_high_and_a_stronger_one_is_low() {
        let policy = |length: u32, age: u32| json!({"minimumLength": length, "maxAgeDays": age});
        let weaker = judged("settings.passwordPolicy", policy(14, 90), policy(8, 90));
        assert_eq!((weaker.severity, weaker.headline.as_str()), (Severity::High, "password policy weakened"));
        assert_eq!(weaker.meanings, ["`minimumLength` went from 14 to 8"]);
        let never_ages = judged("settings.passwordPolicy", policy(14, 90), json!({"minimumLength": 14}));
        assert_eq!(never_ages.severity, Severity::High);
        let stronger = judged("settings.passwordPolicy", policy(14, 90), policy(20, 30));
        assert_eq!(stronger.severity, Severity::Low);
    }

    #[test]
    fn the_end_of_logging_is_high_and_a_tag_is_low() {
        let trail = json!({"state": "ok", "template": "Type: AWS::CloudTrail::Trail", "tags": {}});
        let deleted = judged("stacks.audit-trail[eu-west-1]", trail, Value::Null);
        assert_eq!(deleted.severity, Severity::High);
        assert_eq!(deleted.meanings, ["stack `audit-trail` was deleted, and the logging it makes stopped"]);
        let tag = judged("accounts.a.tags.env", json!("prod"), json!("dev"));
        assert_eq!(tag.severity, Severity::Low);
    }

    #[test]
    fn in_a_conflict_what_git_wants_by_now_is_not_said_to_have_been_undone() {
        let value = |cidr: &str, kept: &str| json!({"parameters": {"Cidr": cidr, "Kept": kept}});
        let mut finding = drifted_finding(value("agreed", "x"), value("agreed", "y"));
        finding.desired = Some(value("wanted by now", "x").into());
        finding.verdict = Verdict::Conflict;
        let judgement = judge(&"stacks.x[eu-west-1]".parse().unwrap(), &finding);
        assert_eq!(judgement.meanings, ["parameter `Kept` of stack `x` went from `x` to `y`"]);
    }

    #[test]
    fn a_changed_trust_policy_is_high() {
        let drift = json!({"R": {"type": "AWS::IAM::Role", "physicalId": "Deploy", "status": "MODIFIED",
            "properties": {"/AssumeRolePolicyDocument/Statement/0": {"expected": "a", "actual": "b"}}}});
        let judgement = judged("stacks.x[eu-west-1]", stack_value(json!({})), stack_value(drift));
        assert_eq!(judgement.severity, Severity::High);
    }
}
