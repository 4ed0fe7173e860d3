//! Documents of IAM that are larger than IAM takes, whatever is filled in.
//!
//! Guarantees: what is counted is the least that a document can come to. White space does not count, as for IAM; what a
//! function makes counts as nothing, because it is not known yet.

use super::remarks::{function_tag, get, text};
use crate::yaml::{self, Entry, Kind, Node, Place};

/// Documents of one kind of resource: where they are, and how many characters IAM takes of all of them together.
/// From "IAM and AWS STS quotas"; of the trust policy it is the most that the quota can be raised to.
const QUOTAS: [(&str, Within, &str, usize); 9] = [
    ("AWS::IAM::ManagedPolicy", Within::Property("PolicyDocument"), "managed policy", 6_144),
    ("AWS::IAM::Role", Within::Property("AssumeRolePolicyDocument"), "trust policy", 8_192),
    ("AWS::IAM::Role", Within::Policies, "text of the role's inline policies", 10_240),
    ("AWS::IAM::Group", Within::Policies, "text of the group's inline policies", 5_120),
    ("AWS::IAM::User", Within::Policies, "text of the user's inline policies", 2_048),
    ("AWS::IAM::RolePolicy", Within::Property("PolicyDocument"), "role's inline policy", 10_240),
    ("AWS::IAM::GroupPolicy", Within::Property("PolicyDocument"), "group's inline policy", 5_120),
    ("AWS::IAM::UserPolicy", Within::Property("PolicyDocument"), "user's inline policy", 2_048),
    // It may be a role's, and roles have the most room.
    ("AWS::IAM::Policy", Within::Property("PolicyDocument"), "inline policy", 10_240),
];

#[derive(Clone, Copy)]
enum Within {
    Property(&'static str),
    /// `Policies`, a list of `{PolicyName, PolicyDocument}`.
    Policies,
}

/// Where a resource has more than IAM takes, and what to say of it.
pub(super) fn oversized(resource: &Node) -> Vec<(Place, String)> {
    let kind = get(resource, "Type").and_then(text);
    let Some(properties) = get(resource, "Properties") else { return Vec::new() };
    let quotas = QUOTAS.iter().filter(|(of, ..)| kind == Some(of));
    let over = quotas.filter_map(|(_, within, what, most)| {
        let documents = documents(properties, *within);
        let length: usize = documents.iter().map(|document| least(document)).sum();
        let place = documents.first().filter(|_| length > *most)?.place;
        Some((place, format!("the {what} has {length} characters or more, and IAM takes {most}")))
    });
    over.collect()
}

fn documents(properties: &Node, within: Within) -> Vec<&Node> {
    match within {
        Within::Property(name) => get(properties, name).into_iter().collect(),
        Within::Policies => match get(properties, "Policies").map(|node| &node.kind) {
            Some(Kind::List(policies)) => {
                policies.iter().filter_map(|policy| get(policy, "PolicyDocument")).collect()
            }
            _ => Vec::new(),
        },
    }
}

/// The least number of characters that a node can come to as JSON.
fn least(node: &Node) -> usize {
    if is_function(node) {
        return 0;
    }
    match &node.kind {
        Kind::Scalar { text, .. } => visible(text) + if yaml::implied(text).is_string() { 2 } else { 0 },
        Kind::List(nodes) => 2 + with_commas(nodes.iter().map(least)),
        Kind::Map(entries) => {
            let entry = |entry: &Entry| visible(&entry.key) + 3 + least(&entry.value);
            2 + with_commas(entries.iter().map(entry))
        }
    }
}

fn is_function(node: &Node) -> bool {
    let is_called = |key: &str| key == "Ref" || key.starts_with("Fn::");
    function_tag(node).is_some()
        || matches!(&node.kind, Kind::Map(entries) if matches!(entries.as_ref(), [Entry { key, .. }] if is_called(key)))
}

fn visible(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

/// A function may come to nothing at all, and then there is no comma either.
fn with_commas(lengths: impl Iterator<Item = usize>) -> usize {
    let (count, sum) =
        lengths.filter(|length| *length > 0).fold((0, 0), |(count, sum), length| (count + 1, sum + length));
    sum + usize::saturating_sub(count, 1)
}
