//! Policies: managed ones, attached ones, inline ones.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::state::State;
use super::super::wire::{Answer, Params as _, Refusal, iso};
use super::{already_exists, document, encoded, no_such_entity, paged, roles};

/// A managed policy of the account itself.
#[derive(Clone, Debug)]
pub(crate) struct ManagedPolicy {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) path: String,
    pub(crate) document: Value,
    pub(crate) description: Option<String>,
    pub(crate) created: Timestamp,
}

impl ManagedPolicy {
    fn shown(&self) -> Value {
        json!({
            "PolicyName": self.name, "PolicyId": self.id, "Arn": self.arn, "Path": self.path,
            "DefaultVersionId": "v1", "IsAttachable": true, "CreateDate": iso(self.created),
            "UpdateDate": iso(self.created), "Description": self.description,
        })
    }
}

pub(crate) fn attach(state: &mut State, call: &Call) -> Answer {
    let arn = call.params.required("PolicyArn")?.to_owned();
    roles::find(state, call)?;
    if state.member(call.account()).iam.document(&arn).is_none() {
        return Err(no_such_entity(format!("Policy {arn} does not exist or is not attachable.")));
    }
    let role = roles::find(state, call)?;
    if role.attached.len() >= 10 && !role.attached.contains(&arn) {
        return Err(Refusal::new(409, "LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10"));
    }
    role.attached.insert(arn);
    Ok(Value::Null)
}

pub(crate) fn detach(state: &mut State, call: &Call) -> Answer {
    let arn = call.params.required("PolicyArn")?;
    if !roles::find(state, call)?.attached.remove(arn) {
        return Err(no_such_entity(format!("Policy {arn} was not found.")));
    }
    Ok(Value::Null)
}

pub(crate) fn list_attached(state: &mut State, call: &Call) -> Answer {
    let attached = roles::find(state, call)?.attached.clone();
    let shown = |arn: &String| json!({"PolicyArn": arn, "PolicyName": arn.rsplit('/').next()});
    paged(call, "AttachedPolicies", attached.iter().map(shown).collect())
}

pub(crate) fn put_inline(state: &mut State, call: &Call) -> Answer {
    let name = call.params.required("PolicyName")?.to_owned();
    let document = document(call.params.required("PolicyDocument")?)?;
    roles::find(state, call)?.inline.insert(name, document);
    Ok(Value::Null)
}

pub(crate) fn get_inline(state: &mut State, call: &Call) -> Answer {
    let name = call.params.required("PolicyName")?;
    let role = roles::find(state, call)?;
    let document = role.inline.get(name).ok_or_else(|| missing_inline(name))?;
    Ok(json!({"RoleName": role.name, "PolicyName": name, "PolicyDocument": encoded(document)}))
}

fn missing_inline(name: &str) -> Refusal {
    no_such_entity(format!("The role policy with name {name} cannot be found."))
}

pub(crate) fn delete_inline(state: &mut State, call: &Call) -> Answer {
    let name = call.params.required("PolicyName")?;
    let removed = roles::find(state, call)?.inline.remove(name);
    removed.map(|_| Value::Null).ok_or_else(|| missing_inline(name))
}

pub(crate) fn list_inline(state: &mut State, call: &Call) -> Answer {
    let names = roles::find(state, call)?.inline.keys().map(|name| json!(name)).collect();
    paged(call, "PolicyNames", names)
}

pub(crate) fn create(state: &mut State, call: &Call) -> Answer {
    let name = call.params.required("PolicyName")?.to_owned();
    let path = call.params.text("Path").unwrap_or("/").to_owned();
    let arn = format!("arn:aws:iam::{}:policy{path}{name}", call.account());
    if state.member(call.account()).iam.policies.contains_key(&arn) {
        return Err(already_exists(format!(
            "A policy called {name} already exists. Duplicate names are not allowed."
        )));
    }
    let policy = ManagedPolicy {
        id: format!("ANPA{}", state.capitals(17)),
        document: document(call.params.required("PolicyDocument")?)?,
        description: call.params.text("Description").map(str::to_owned),
        created: state.now(),
        arn: arn.clone(),
        name,
        path,
    };
    let shown = policy.shown();
    state.member(call.account()).iam.policies.insert(arn, policy);
    Ok(json!({"Policy": shown}))
}

fn find<'a>(state: &'a mut State, call: &Call) -> Result<&'a ManagedPolicy, Refusal> {
    let arn = call.params.required("PolicyArn")?;
    let policy = state.member(call.account()).iam.policies.get(arn);
    policy.ok_or_else(|| no_such_entity(format!("Policy {arn} was not found.")))
}

/// The new version is the policy from now on; older ones are not kept.
pub(crate) fn create_version(state: &mut State, call: &Call) -> Answer {
    let arn = find(state, call)?.arn.clone();
    let document = document(call.params.required("PolicyDocument")?)?;
    if let Some(policy) = state.member(call.account()).iam.policies.get_mut(&arn) {
        policy.document = document;
    }
    Ok(json!({"PolicyVersion": {"VersionId": "v1", "IsDefaultVersion": true}}))
}

pub(crate) fn get(state: &mut State, call: &Call) -> Answer {
    Ok(json!({"Policy": find(state, call)?.shown()}))
}

pub(crate) fn get_version(state: &mut State, call: &Call) -> Answer {
    let policy = find(state, call)?;
    Ok(
        json!({"PolicyVersion": {"Document": encoded(&policy.document), "VersionId": "v1", "IsDefaultVersion": true,
                                "CreateDate": iso(policy.created)}}),
    )
}

pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    let shown = state.member(call.account()).iam.policies.values().map(ManagedPolicy::shown).collect();
    paged(call, "Policies", shown)
}

pub(crate) fn delete(state: &mut State, call: &Call) -> Answer {
    let arn = find(state, call)?.arn.clone();
    let iam = &mut state.member(call.account()).iam;
    if iam.roles.values().any(|role| role.attached.contains(&arn)) {
        return Err(Refusal::new(409, "DeleteConflict", "Cannot delete a policy attached to entities."));
    }
    iam.policies.remove(&arn);
    Ok(Value::Null)
}
