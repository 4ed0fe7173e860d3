//! Roles: made, read, changed, removed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::state::State;
use super::super::wire::{Answer, Params as _, Refusal, iso};
use super::{already_exists, document, encoded, no_such_entity, paged};

#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) path: String,
    pub(crate) trust: Value,
    pub(crate) description: Option<String>,
    /// Seconds.
    pub(crate) max_session: i64,
    pub(crate) tags: BTreeMap<String, String>,
    /// ARNs of managed policies.
    pub(crate) attached: BTreeSet<String>,
    /// Documents by name.
    pub(crate) inline: BTreeMap<String, Value>,
    /// The ARN of the permissions boundary.
    pub(crate) boundary: Option<String>,
    pub(crate) created: Timestamp,
    /// Cannot be assumed before: IAM is eventually consistent.
    pub(crate) ready_at: Option<Timestamp>,
}

impl Role {
    fn shown(&self) -> Value {
        json!({
            "RoleName": self.name, "RoleId": self.id, "Arn": self.arn, "Path": self.path,
            "AssumeRolePolicyDocument": encoded(&self.trust), "Description": self.description,
            "MaxSessionDuration": self.max_session, "CreateDate": iso(self.created),
        })
    }

    fn shown_in_full(&self) -> Value {
        let mut shown = self.shown();
        if let Some(boundary) = &self.boundary {
            shown["PermissionsBoundary"] =
                json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary});
        }
        if !self.tags.is_empty() {
            shown["Tags"] = tag_list(&self.tags);
        }
        shown
    }
}

pub(crate) fn tag_list(tags: &BTreeMap<String, String>) -> Value {
    Value::Array(tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect())
}

pub(crate) fn read_tags(entries: &[Value]) -> BTreeMap<String, String> {
    let pair =
        |tag: &Value| Some((tag.text("Key")?.to_owned(), tag.text("Value").unwrap_or_default().to_owned()));
    entries.iter().filter_map(pair).collect()
}

pub(crate) fn find<'a>(state: &'a mut State, call: &Call) -> Result<&'a mut Role, Refusal> {
    let name = call.params.required("RoleName")?;
    let role = state.member(call.account()).iam.roles.get_mut(name);
    role.ok_or_else(|| no_such_entity(format!("The role with name {name} cannot be found.")))
}

pub(crate) fn create(state: &mut State, call: &Call) -> Answer {
    let name = call.params.required("RoleName")?.to_owned();
    let is_name = (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b));
    if !is_name {
        return Err(Refusal::validation(
            "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
        ));
    }
    if state.member(call.account()).iam.roles.contains_key(&name) {
        return Err(already_exists(format!("Role with name {name} already exists.")));
    }
    let path = call.params.text("Path").unwrap_or("/").to_owned();
    let boundary = call.params.text("PermissionsBoundary").map(str::to_owned);
    boundary.as_ref().map_or(Ok(()), |arn| require_boundary(state, call, arn))?;
    let role = Role {
        boundary,
        id: format!("AROA{}", state.capitals(17)),
        arn: format!("arn:aws:iam::{}:role{path}{name}", call.account()),
        path,
        trust: document(call.params.required("AssumeRolePolicyDocument")?)?,
        description: call.params.text("Description").map(str::to_owned),
        max_session: max_session(call)?.unwrap_or(3600),
        tags: read_tags(call.params.entries("Tags")),
        attached: BTreeSet::new(),
        inline: BTreeMap::new(),
        created: state.now(),
        ready_at: None,
        name: name.clone(),
    };
    let shown = role.shown_in_full();
    state.member(call.account()).iam.roles.insert(name, role);
    Ok(json!({"Role": shown}))
}

fn max_session(call: &Call) -> Result<Option<i64>, Refusal> {
    match call.params.number("MaxSessionDuration") {
        Some(seconds) if !(3600..=43200).contains(&seconds) => Err(Refusal::validation(format!(
            "1 validation error detected: Value '{seconds}' at 'maxSessionDuration' failed to satisfy constraint: \
             Member must have value between 3600 and 43200"
        ))),
        seconds => Ok(seconds),
    }
}

pub(crate) fn get(state: &mut State, call: &Call) -> Answer {
    Ok(json!({"Role": find(state, call)?.shown_in_full()}))
}

pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    let prefix = call.params.text("PathPrefix").unwrap_or("/");
    let roles = state.member(call.account()).iam.roles.values();
    let shown = roles.filter(|role| role.path.starts_with(prefix)).map(Role::shown).collect();
    paged(call, "Roles", shown)
}

pub(crate) fn update(state: &mut State, call: &Call) -> Answer {
    let seconds = max_session(call)?;
    let role = find(state, call)?;
    if let Some(description) = call.params.text("Description") {
        role.description = Some(description.to_owned());
    }
    role.max_session = seconds.unwrap_or(role.max_session);
    Ok(json!({}))
}

pub(crate) fn update_trust(state: &mut State, call: &Call) -> Answer {
    let trust = document(call.params.required("PolicyDocument")?)?;
    find(state, call)?.trust = trust;
    Ok(Value::Null)
}

fn require_boundary(state: &mut State, call: &Call, arn: &str) -> Result<(), Refusal> {
    let known = state.member(call.account()).iam.document(arn);
    known
        .map(|_| ())
        .ok_or_else(|| no_such_entity(format!("Scope ARN: {arn} does not exist or is not attachable.")))
}

pub(crate) fn put_boundary(state: &mut State, call: &Call) -> Answer {
    let arn = call.params.required("PermissionsBoundary")?.to_owned();
    require_boundary(state, call, &arn)?;
    find(state, call)?.boundary = Some(arn);
    Ok(Value::Null)
}

pub(crate) fn delete_boundary(state: &mut State, call: &Call) -> Answer {
    find(state, call)?.boundary = None;
    Ok(Value::Null)
}

pub(crate) fn delete(state: &mut State, call: &Call) -> Answer {
    let role = find(state, call)?;
    let conflict = |message: &str| Err(Refusal::new(409, "DeleteConflict", message));
    if !role.attached.is_empty() {
        return conflict("Cannot delete entity, must detach all policies first.");
    }
    if !role.inline.is_empty() {
        return conflict("Cannot delete entity, must delete policies first.");
    }
    let name = role.name.clone();
    state.member(call.account()).iam.roles.remove(&name);
    Ok(Value::Null)
}

pub(crate) fn tag(state: &mut State, call: &Call) -> Answer {
    let tags = read_tags(call.params.entries("Tags"));
    find(state, call)?.tags.extend(tags);
    Ok(Value::Null)
}

pub(crate) fn untag(state: &mut State, call: &Call) -> Answer {
    let role = find(state, call)?;
    for key in call.params.entries("TagKeys").iter().filter_map(Value::as_str) {
        role.tags.remove(key);
    }
    Ok(Value::Null)
}

pub(crate) fn list_tags(state: &mut State, call: &Call) -> Answer {
    Ok(json!({"Tags": tag_list(&find(state, call)?.tags), "IsTruncated": false}))
}
