//! What AWS asks of whoever makes or changes a resource: the action named like it, and what else it takes.
//!
//! *Assumes* that kinds without an entry here take one action on `*`. Roles and managed policies are not here but for
//! what they attach to others: they go through IAM's own calls.

use serde_json::Value;

use super::super::about;
use super::super::conditions::Facts;
use super::super::state::State;
use super::super::wire::Params as _;

/// A permission that one resource takes.
pub(crate) struct Right {
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) facts: Facts,
}

/// A resource about to be made, changed or removed.
pub(crate) struct Deed<'a> {
    pub(crate) account: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) physical: &'a str,
    /// `Create`, `Update` or `Delete`.
    pub(crate) verb: &'a str,
    pub(crate) properties: &'a Value,
}

pub(crate) fn rights(state: &State, deed: &Deed<'_>) -> Vec<Right> {
    let mut rights = Vec::new();
    if deed.kind != "AWS::IAM::ManagedPolicy" && deed.kind != "AWS::IAM::Policy" {
        rights.push(named(deed));
    }
    match deed.kind {
        "AWS::IAM::User" => rights.extend(of_user(deed)),
        "AWS::IAM::Policy" => rights.extend(on_others(state, deed, "Put", "Policy")),
        "AWS::IAM::ManagedPolicy" => rights.extend(on_others(state, deed, "Attach", "Policy")),
        "AWS::IAM::InstanceProfile" => {
            let roles = names(deed, "Roles").into_iter();
            rights.extend(roles.map(|role| pass(&role_arn(state, deed, &role), "ec2.amazonaws.com")));
        }
        "AWS::Lambda::Function" => {
            rights.extend(deed.properties.text("Role").map(|role| pass(role, "lambda.amazonaws.com")));
        }
        _ => {}
    }
    rights
}

fn right(action: impl Into<String>, resource: impl Into<String>, facts: Facts) -> Right {
    Right { action: action.into(), resource: resource.into(), facts }
}

/// `s3:CreateBucket` for `AWS::S3::Bucket`.
fn named(deed: &Deed<'_>) -> Right {
    let mut parts = deed.kind.split("::").skip(1);
    let service = parts.next().unwrap_or_default().to_lowercase();
    let action = format!("{service}:{}{}", deed.verb, parts.next().unwrap_or_default());
    match deed.kind {
        "AWS::IAM::User" => {
            right(action, user_arn(deed), bounded(deed.properties.text("PermissionsBoundary")))
        }
        _ => right(action, "*", Facts::new()),
    }
}

fn bounded(boundary: Option<&str>) -> Facts {
    about::facts([("iam:permissionsboundary", boundary)])
}

fn user_arn(deed: &Deed<'_>) -> String {
    format!("arn:aws:iam::{}:user/{}", deed.account, deed.physical)
}

fn of_user(deed: &Deed<'_>) -> Vec<Right> {
    let facts = bounded(deed.properties.text("PermissionsBoundary"));
    let takes = [
        ("Policies", "iam:PutUserPolicy"),
        ("ManagedPolicyArns", "iam:AttachUserPolicy"),
        ("Groups", "iam:AddUserToGroup"),
        ("LoginProfile", "iam:CreateLoginProfile"),
    ];
    let taken = takes.iter().filter(|(property, _)| deed.properties.get(*property).is_some());
    taken.map(|(_, action)| right(*action, user_arn(deed), facts.clone())).collect()
}

/// A policy is put on the roles, users and groups it names.
fn on_others(state: &State, deed: &Deed<'_>, before: &str, after: &str) -> Vec<Right> {
    let verb = if deed.verb == "Delete" { if before == "Put" { "Delete" } else { "Detach" } } else { before };
    let roles = names(deed, "Roles").into_iter().map(|role| {
        let members = state.members.get(deed.account);
        let known = members.and_then(|member| member.iam.roles.get(&role));
        let facts = bounded(known.and_then(|role| role.boundary.as_deref()));
        right(format!("iam:{verb}Role{after}"), role_arn(state, deed, &role), facts)
    });
    let others = [("Users", "User", "user"), ("Groups", "Group", "group")].into_iter().flat_map(
        |(list, word, path)| {
            names(deed, list).into_iter().map(move |name| {
                let arn = format!("arn:aws:iam::{}:{path}/{name}", deed.account);
                right(format!("iam:{verb}{word}{after}"), arn, Facts::new())
            })
        },
    );
    roles.chain(others).collect()
}

fn names(deed: &Deed<'_>, list: &str) -> Vec<String> {
    deed.properties.entries(list).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn role_arn(state: &State, deed: &Deed<'_>, name: &str) -> String {
    let known = state.members.get(deed.account).and_then(|member| member.iam.roles.get(name));
    known.map_or_else(|| format!("arn:aws:iam::{}:role/{name}", deed.account), |role| role.arn.clone())
}

fn pass(role: &str, service: &str) -> Right {
    right("iam:PassRole", role, about::facts([("iam:passedtoservice", Some(service))]))
}
