//! The resources themselves: made, read, changed, removed in the account.
//!
//! *Guarantees*: roles and managed policies are those of the account's IAM, through the same calls, permissions and
//! event trail as anybody's. Other kinds are property bags; making one asks for the permission to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::super::about;
use super::super::call::{self, Call};
use super::super::iam::roles::{read_tags, tag_list};
use super::super::permissions::{self, Asked};
use super::super::state::State;
use super::super::wire::{Params as _, Protocol, Refusal};
use super::At;
use super::resources::takes_tags;
use super::rights::{Deed, Right, rights};

/// Why a resource could not be handled: AWS's `StatusReason`.
pub(crate) type Done = Result<(), String>;

/// One resource, and on whose behalf it is handled.
pub(crate) struct Target<'a> {
    pub(crate) at: &'a At,
    pub(crate) call: &'a Call,
    pub(crate) kind: &'a str,
    pub(crate) physical: &'a str,
}

impl Target<'_> {
    fn bag(&self) -> (String, String) {
        (self.kind.to_owned(), self.physical.to_owned())
    }

    fn iam(&self, state: &mut State, operation: &str, params: Value) -> Result<Value, String> {
        let call = Call {
            service: "iam".to_owned(),
            operation: operation.to_owned(),
            params,
            invoked_by: Some("cloudformation.amazonaws.com".to_owned()),
            ..self.call.clone()
        };
        call::perform(state, &call).map_err(|refusal| handler_message(&refusal, "Iam"))
    }

    /// Refuses unless the caller may do `verb` to this resource, with all that it takes.
    fn permit(&self, state: &State, verb: &str, properties: &Value) -> Done {
        let (account, kind, physical) = (self.at.account.as_str(), self.kind, self.physical);
        let deed = Deed { account, kind, physical, verb, properties };
        rights(state, &deed).into_iter().try_for_each(|Right { action, resource, facts }| {
            let facts = about::of_principal(state, &self.call.principal).into_iter().chain(facts).collect();
            let asked = Asked { action: &action, resource: &resource, facts: &facts };
            let service = action.split(':').next().unwrap_or_default().to_owned();
            permissions::check(state, &self.call.principal, &asked, Protocol::Query)
                .map_err(|refusal| handler_message(&refusal, &service))
        })
    }
}

fn handler_message(refusal: &Refusal, service: &str) -> String {
    let code = match refusal.code.as_str() {
        "EntityAlreadyExists" => "AlreadyExists",
        "NoSuchEntity" => "NotFound",
        "AccessDenied" => "AccessDenied",
        _ => "GeneralServiceException",
    };
    format!(
        "Resource handler returned message: \"{} (Service: {service}, Status Code: {})\" (HandlerErrorCode: {code})",
        refusal.message, refusal.status
    )
}

/// Makes the resource; `tags` are the stack's.
pub(crate) fn make(
    state: &mut State,
    target: &Target<'_>,
    properties: &Value,
    tags: &BTreeMap<String, String>,
) -> Done {
    match target.kind {
        "AWS::IAM::Role" => make_role(state, target, properties, tags),
        "AWS::IAM::ManagedPolicy" => make_policy(state, target, properties),
        _ => make_bag(state, target, properties, tags),
    }
}

fn make_bag(
    state: &mut State,
    target: &Target<'_>,
    properties: &Value,
    tags: &BTreeMap<String, String>,
) -> Done {
    target.permit(state, "Create", properties)?;
    let is_taken = |stacks: &super::Stacks| stacks.bags.contains_key(&target.bag());
    let is_taken = if target.kind == "AWS::S3::Bucket" {
        state.members.values().flat_map(|member| member.stacks.values()).any(is_taken)
    } else {
        is_taken(target.at.stacks(state))
    };
    if is_taken {
        return Err(format!("{} already exists", target.physical));
    }
    let properties = with_tags(target.kind, properties, tags);
    target.at.stacks(state).bags.insert(target.bag(), properties);
    Ok(())
}

fn with_tags(kind: &str, properties: &Value, tags: &BTreeMap<String, String>) -> Value {
    let mut properties = properties.clone();
    if takes_tags(kind) && !tags.is_empty() {
        properties["Tags"] = tag_list(&all_tags(&properties, tags));
    }
    properties
}

/// The stack's tags, and over them those of the template.
fn all_tags(properties: &Value, tags: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut all = tags.clone();
    all.extend(read_tags(properties.entries("Tags")));
    all
}

fn make_role(
    state: &mut State,
    target: &Target<'_>,
    properties: &Value,
    tags: &BTreeMap<String, String>,
) -> Done {
    let mut params = json!({
        "RoleName": target.physical, "Path": properties.text("Path").unwrap_or("/"),
        "AssumeRolePolicyDocument": properties["AssumeRolePolicyDocument"].to_string(),
        "Tags": tag_list(&all_tags(properties, tags)),
    });
    for name in ["Description", "MaxSessionDuration", "PermissionsBoundary"] {
        if let Some(value) = properties.get(name) {
            params[name] = value.clone();
        }
    }
    target.iam(state, "CreateRole", params)?;
    let attached = change_role_policies(state, target, &Value::Null, properties);
    if attached.is_err() {
        // What was made of it goes again; the reason for the failure is the one to tell.
        _ = remove(state, target, properties);
    }
    attached
}

fn arns(properties: &Value) -> BTreeSet<String> {
    properties.entries("ManagedPolicyArns").iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn inline(properties: &Value) -> BTreeMap<String, Value> {
    let policy =
        |policy: &Value| Some((policy.text("PolicyName")?.to_owned(), policy["PolicyDocument"].clone()));
    properties.entries("Policies").iter().filter_map(policy).collect()
}

/// Only what differs between `before` and `after` is touched: what others attached stays.
fn change_role_policies(state: &mut State, target: &Target<'_>, before: &Value, after: &Value) -> Done {
    let role = target.physical;
    let (had, has) = (arns(before), arns(after));
    for arn in has.difference(&had) {
        target.iam(state, "AttachRolePolicy", json!({"RoleName": role, "PolicyArn": arn}))?;
    }
    for arn in had.difference(&has) {
        gone_is_fine(target.iam(state, "DetachRolePolicy", json!({"RoleName": role, "PolicyArn": arn})))?;
    }
    let (had, has) = (inline(before), inline(after));
    for (name, document) in has.iter().filter(|(name, document)| had.get(*name) != Some(document)) {
        let params = json!({"RoleName": role, "PolicyName": name, "PolicyDocument": document.to_string()});
        target.iam(state, "PutRolePolicy", params)?;
    }
    for name in had.keys().filter(|name| !has.contains_key(*name)) {
        gone_is_fine(target.iam(state, "DeleteRolePolicy", json!({"RoleName": role, "PolicyName": name})))?;
    }
    Ok(())
}

fn gone_is_fine(result: Result<Value, String>) -> Done {
    match result {
        Err(reason) if !reason.contains("HandlerErrorCode: NotFound") => Err(reason),
        _ => Ok(()),
    }
}

fn make_policy(state: &mut State, target: &Target<'_>, properties: &Value) -> Done {
    target.permit(state, "Create", properties)?;
    let name = target.physical.rsplit('/').next().unwrap_or_default();
    let params = json!({"PolicyName": name, "PolicyDocument": properties["PolicyDocument"].to_string(),
                        "Description": properties.get("Description")});
    target.iam(state, "CreatePolicy", params).map(|_| ())
}

/// All properties the resource has now; `None` if it is gone.
pub(crate) fn read(state: &mut State, at: &At, kind: &str, physical: &str) -> Option<Value> {
    match kind {
        "AWS::IAM::Role" => state.member(&at.account).iam.roles.get(physical).map(role_properties),
        "AWS::IAM::ManagedPolicy" => {
            let policy = state.member(&at.account).iam.policies.get(physical)?;
            Some(
                json!({"ManagedPolicyName": policy.name, "Path": policy.path, "PolicyDocument": policy.document,
                        "Description": policy.description}),
            )
        }
        _ => at.stacks(state).bags.get(&(kind.to_owned(), physical.to_owned())).cloned(),
    }
}

fn role_properties(role: &super::super::iam::Role) -> Value {
    let mut properties = Map::new();
    let mut put = |name: &str, value: Value| _ = properties.insert(name.to_owned(), value);
    put("RoleName", json!(role.name));
    put("Path", json!(role.path));
    put("AssumeRolePolicyDocument", role.trust.clone());
    put("MaxSessionDuration", json!(role.max_session));
    put("ManagedPolicyArns", json!(role.attached));
    let policy =
        |(name, document): (&String, &Value)| json!({"PolicyName": name, "PolicyDocument": document});
    put("Policies", Value::Array(role.inline.iter().map(policy).collect()));
    put("Tags", tag_list(&role.tags));
    if let Some(description) = &role.description {
        put("Description", json!(description));
    }
    if let Some(boundary) = &role.boundary {
        put("PermissionsBoundary", json!(boundary));
    }
    Value::Object(properties)
}

/// Properties before and after a change, and the stack's tags before and after it.
pub(crate) struct Shift<'a> {
    pub(crate) before: &'a Value,
    pub(crate) after: &'a Value,
    pub(crate) tags_before: &'a BTreeMap<String, String>,
    pub(crate) tags_after: &'a BTreeMap<String, String>,
}

pub(crate) fn change(state: &mut State, target: &Target<'_>, shift: &Shift<'_>) -> Done {
    if read(state, target.at, target.kind, target.physical).is_none() {
        return Err(format!(
            "Resource handler returned message: \"{} was not found\" (HandlerErrorCode: NotFound)",
            target.physical
        ));
    }
    match target.kind {
        "AWS::IAM::Role" => change_role(state, target, shift),
        "AWS::IAM::ManagedPolicy" => {
            target.permit(state, "Update", shift.after)?;
            let document = shift.after["PolicyDocument"].to_string();
            let params = json!({"PolicyArn": target.physical, "PolicyDocument": document});
            target.iam(state, "CreatePolicyVersion", params).map(|_| ())
        }
        _ => change_bag(state, target, shift),
    }
}

fn change_bag(state: &mut State, target: &Target<'_>, shift: &Shift<'_>) -> Done {
    target.permit(state, "Update", shift.after)?;
    let Some(live) = target.at.stacks(state).bags.get_mut(&target.bag()) else { return Ok(()) };
    let no_fields = Map::new();
    let fields = |value: &'_ Value| value.as_object().cloned().unwrap_or_else(|| no_fields.clone());
    let (before, after) = (fields(shift.before), fields(shift.after));
    if let Some(live) = live.as_object_mut() {
        live.retain(|name, _| !before.contains_key(name) || after.contains_key(name));
        let changed = after.into_iter().filter(|(name, value)| before.get(name) != Some(value));
        live.extend(changed);
    }
    if takes_tags(target.kind) {
        let tags = all_tags(shift.after, shift.tags_after);
        live["Tags"] = tag_list(&tags);
    }
    Ok(())
}

fn change_role(state: &mut State, target: &Target<'_>, shift: &Shift<'_>) -> Done {
    let (role, before, after) = (target.physical, shift.before, shift.after);
    if before.get("AssumeRolePolicyDocument") != after.get("AssumeRolePolicyDocument") {
        let document = after["AssumeRolePolicyDocument"].to_string();
        target.iam(state, "UpdateAssumeRolePolicy", json!({"RoleName": role, "PolicyDocument": document}))?;
    }
    let settings = ["Description", "MaxSessionDuration"];
    if settings.iter().any(|name| before.get(name) != after.get(name)) {
        let params = json!({"RoleName": role, "Description": after.text("Description").unwrap_or_default(),
                            "MaxSessionDuration": after.get("MaxSessionDuration").cloned().unwrap_or(json!(3600))});
        target.iam(state, "UpdateRole", params)?;
    }
    change_role_boundary(state, target, before, after)?;
    change_role_policies(state, target, before, after)?;
    change_role_tags(state, target, shift)
}

fn change_role_boundary(state: &mut State, target: &Target<'_>, before: &Value, after: &Value) -> Done {
    let role = target.physical;
    match (before.text("PermissionsBoundary"), after.text("PermissionsBoundary")) {
        (had, has) if had == has => Ok(()),
        (_, Some(has)) => {
            let params = json!({"RoleName": role, "PermissionsBoundary": has});
            target.iam(state, "PutRolePermissionsBoundary", params).map(|_| ())
        }
        (_, None) => {
            target.iam(state, "DeleteRolePermissionsBoundary", json!({"RoleName": role})).map(|_| ())
        }
    }
}

fn change_role_tags(state: &mut State, target: &Target<'_>, shift: &Shift<'_>) -> Done {
    let (had, has) = (all_tags(shift.before, shift.tags_before), all_tags(shift.after, shift.tags_after));
    if had == has {
        return Ok(());
    }
    target.iam(state, "TagRole", json!({"RoleName": target.physical, "Tags": tag_list(&has)}))?;
    let gone: Vec<&String> = had.keys().filter(|key| !has.contains_key(*key)).collect();
    if !gone.is_empty() {
        target.iam(state, "UntagRole", json!({"RoleName": target.physical, "TagKeys": gone}))?;
    }
    Ok(())
}

/// Removes the resource; one that is gone is removed.
pub(crate) fn remove(state: &mut State, target: &Target<'_>, properties: &Value) -> Done {
    match target.kind {
        "AWS::IAM::Role" => {
            if state.member(&target.at.account).iam.roles.contains_key(target.physical) {
                change_role_policies(state, target, properties, &Value::Null)?;
            }
            gone_is_fine(target.iam(state, "DeleteRole", json!({"RoleName": target.physical})))
        }
        "AWS::IAM::ManagedPolicy" => {
            gone_is_fine(target.iam(state, "DeletePolicy", json!({"PolicyArn": target.physical})))
        }
        _ => {
            target.permit(state, "Delete", properties)?;
            target.at.stacks(state).bags.remove(&target.bag());
            Ok(())
        }
    }
}
