//! Stacks as the API shows them, and the calls of those who do without change sets.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::iam::tags::tag_list;
use super::super::state::State;
use super::super::wire::{Answer, Params as _, Refusal, iso};
use super::blueprint::{self, Blueprint};
use super::stack::{OnFailure, Resource, Stack};
use super::{At, engine, paged, plan, template as templates};

pub(crate) fn missing(name: &str) -> Refusal {
    Refusal::validation(format!("Stack with id {name} does not exist"))
}

pub(crate) fn find(state: &mut State, call: &Call) -> Result<Stack, Refusal> {
    let name = call.params.required("StackName")?;
    At::of(call).stacks(state).find(name).cloned().ok_or_else(|| missing(name))
}

pub(crate) fn refuse_unless_updatable(stack: &Stack) -> Result<(), Refusal> {
    match stack.status.as_str() {
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE" | "IMPORT_COMPLETE" => Ok(()),
        status => Err(Refusal::validation(format!(
            "Stack:{} is in {status} state and can not be updated.",
            stack.id
        ))),
    }
}

/// Adds an empty stack and gives its id.
pub(crate) fn new_stack(
    state: &mut State,
    at: &At,
    name: &str,
    token: Option<&str>,
    status: &str,
) -> Result<String, Refusal> {
    let is_name = (1..=128).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !is_name {
        return Err(Refusal::validation(format!(
            "1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )));
    }
    let live = at.stacks(state).all.values().filter(|stack| !stack.is_deleted()).count();
    if live >= 2000 {
        return Err(Refusal::bad("LimitExceededException", "Limit for stack has been exceeded"));
    }
    let uuid = state.uuid();
    let id = at.arn("stack", name, &uuid);
    let mut stack = Stack {
        id: id.clone(),
        name: name.to_owned(),
        status: String::new(),
        reason: None,
        blueprint: Blueprint::default(),
        outputs: Vec::new(),
        resources: BTreeMap::new(),
        events: Vec::new(),
        created: state.now(),
        updated: None,
        deleted: None,
        change_set: None,
        drift_status: "NOT_CHECKED".to_owned(),
        drift_checked: None,
        is_protected: false,
        operation: None,
    };
    engine::set_status(state, &mut stack, status, None, token);
    at.stacks(state).all.insert(id.clone(), stack);
    Ok(id)
}

pub(crate) fn create(state: &mut State, call: &Call) -> Answer {
    let at = At::of(call);
    let name = call.params.required("StackName")?.to_owned();
    if at.stacks(state).find(&name).is_some() {
        return Err(Refusal::bad("AlreadyExistsException", format!("Stack [{name}] already exists")));
    }
    let target = Blueprint::read(call, None)?;
    let principal = engine::operator(state, call, &target)?;
    let token = call.params.text("ClientRequestToken").map(str::to_owned);
    let id = new_stack(state, &at, &name, token.as_deref(), "CREATE_IN_PROGRESS")?;
    let resources = BTreeMap::new();
    let from = plan::From { id: &id, name: &name, resources: &resources, tags: &BTreeMap::new() };
    let changes = plan::changes(state, &at, &from, &target, false).map_err(Refusal::validation)?;
    let keeps = call.params.flag("DisableRollback") == Some(true)
        || call.params.text("OnFailure") == Some("DO_NOTHING");
    let on_failure = if keeps { OnFailure::Keep } else { OnFailure::RollBack };
    let call = Call { principal, ..call.clone() };
    let start = engine::Start {
        call,
        token,
        is_create: true,
        changes,
        target,
        reverts_drift: false,
        on_failure,
        change_set: None,
    };
    engine::start(state, &at, &id, start);
    Ok(json!({"StackId": id}))
}

pub(crate) fn update(state: &mut State, call: &Call) -> Answer {
    let at = At::of(call);
    let name = call.params.required("StackName")?;
    let absent = || Refusal::validation(format!("Stack [{name}] does not exist"));
    let stack = at.stacks(state).find(name).cloned().ok_or_else(absent)?;
    refuse_unless_updatable(&stack)?;
    let target = Blueprint::read(call, Some(&stack.blueprint))?;
    let principal = engine::operator(state, call, &target)?;
    let from = plan::From {
        id: &stack.id,
        name: &stack.name,
        resources: &stack.resources,
        tags: &stack.blueprint.tags,
    };
    let changes = plan::changes(state, &at, &from, &target, false).map_err(Refusal::validation)?;
    let now = &stack.blueprint;
    let is_same = now.tags == target.tags
        && now.parameters == target.parameters
        && now.body.get("Outputs") == target.body.get("Outputs");
    if changes.is_empty() && is_same {
        return Err(Refusal::validation("No updates are to be performed."));
    }
    let token = call.params.text("ClientRequestToken").map(str::to_owned);
    let call = Call { principal, ..call.clone() };
    let on_failure = OnFailure::RollBack;
    let start = engine::Start {
        call,
        token,
        is_create: false,
        changes,
        target,
        reverts_drift: false,
        on_failure,
        change_set: None,
    };
    engine::start(state, &at, &stack.id, start);
    Ok(json!({"StackId": stack.id}))
}

pub(crate) fn delete(state: &mut State, call: &Call) -> Answer {
    let at = At::of(call);
    let name = call.params.required("StackName")?;
    // Deleting what is not there is no error.
    let Some(stack) = at.stacks(state).find(name).cloned() else { return Ok(json!({})) };
    if stack.is_protected {
        return Err(Refusal::validation(format!(
            "Stack [{}] cannot be deleted while TerminationProtection is enabled",
            stack.name
        )));
    }
    if stack.status == "DELETE_IN_PROGRESS" {
        return Ok(json!({}));
    }
    if stack.operation.is_some() {
        return Err(Refusal::validation(format!(
            "Stack [{}] cannot be deleted while in status {}",
            stack.id, stack.status
        )));
    }
    // CloudFormation says so in the stack's reason and leaves the stack as it is; the call itself succeeds.
    if let Some(reason) = export_in_use(At::of(call).stacks(state), &stack) {
        let mut stack = stack;
        let (status, token) = (stack.status.clone(), call.params.text("ClientRequestToken"));
        engine::set_status(state, &mut stack, &status, Some(reason), token);
        at.stacks(state).all.insert(stack.id.clone(), stack);
        return Ok(json!({}));
    }
    if !stack.is_deleted() {
        let role_arn = call.params.text("RoleARN").map(str::to_owned).or(stack.blueprint.role_arn.clone());
        let blueprint = Blueprint { role_arn, ..stack.blueprint };
        let principal = engine::operator(state, call, &blueprint)?;
        engine::start_delete(state, &at, &stack.id, &Call { principal, ..call.clone() });
    }
    Ok(json!({}))
}

/// Why an export keeps a stack, if one does. Only imports of plain names are seen.
fn export_in_use(stacks: &super::stack::Stacks, stack: &Stack) -> Option<String> {
    let others = || stacks.all.values().filter(|other| other.id != stack.id && !other.is_deleted());
    stack.outputs.iter().filter_map(|output| output.export.as_ref()).find_map(|export| {
        let user = others().find(|other| imports(&other.blueprint.body, export))?;
        Some(format!("Export {export} cannot be deleted as it is in use by {}", user.name))
    })
}

fn imports(body: &Value, export: &str) -> bool {
    match body {
        Value::Object(fields) => fields.iter().any(|(key, value)| {
            key == "Fn::ImportValue" && value.as_str() == Some(export) || imports(value, export)
        }),
        Value::Array(values) => values.iter().any(|value| imports(value, export)),
        _ => false,
    }
}

pub(crate) fn protect(state: &mut State, call: &Call) -> Answer {
    let stack = find(state, call)?;
    let on = call.params.flag("EnableTerminationProtection").unwrap_or(false);
    if let Some(stack) = At::of(call).stacks(state).all.get_mut(&stack.id) {
        stack.is_protected = on;
    }
    Ok(json!({"StackId": stack.id}))
}

pub(crate) fn describe(state: &mut State, call: &Call) -> Answer {
    if call.params.text("StackName").is_some() {
        let stack = find(state, call)?;
        return Ok(json!({"Stacks": [shown(&stack)]}));
    }
    let stacks = At::of(call).stacks(state).all.values();
    let shown = stacks.filter(|stack| !stack.is_deleted()).map(shown).collect();
    paged(call, "Stacks", shown, 50)
}

fn shown(stack: &Stack) -> Value {
    let outputs: Vec<Value> = stack
        .outputs
        .iter()
        .map(|output| {
            json!({"OutputKey": output.key, "OutputValue": output.value, "Description": output.description,
                   "ExportName": output.export})
        })
        .collect();
    json!({
        "StackId": stack.id, "StackName": stack.name, "ChangeSetId": stack.change_set,
        "Description": stack.blueprint.body.get("Description"), "Parameters": stack.blueprint.shown_parameters(),
        "CreationTime": iso(stack.created), "LastUpdatedTime": stack.updated.map(iso),
        "DeletionTime": stack.deleted.map(iso), "StackStatus": stack.status, "StackStatusReason": stack.reason,
        "DisableRollback": false, "NotificationARNs": [], "RollbackConfiguration": {},
        "Capabilities": stack.blueprint.capabilities, "RoleARN": stack.blueprint.role_arn,
        "Outputs": outputs, "Tags": tag_list(&stack.blueprint.tags),
        "EnableTerminationProtection": stack.is_protected, "DriftInformation": drift(stack),
    })
}

fn drift(stack: &Stack) -> Value {
    json!({"StackDriftStatus": stack.drift_status, "LastCheckTimestamp": stack.drift_checked.map(iso)})
}

pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    let wanted = call.params.entries("StackStatusFilter");
    let stacks = At::of(call).stacks(state).all.values();
    let is_wanted = |stack: &&Stack| wanted.is_empty() || wanted.contains(&json!(stack.status));
    let summary = |stack: &Stack| {
        json!({"StackId": stack.id, "StackName": stack.name, "StackStatus": stack.status,
               "StackStatusReason": stack.reason, "CreationTime": iso(stack.created),
               "LastUpdatedTime": stack.updated.map(iso), "DeletionTime": stack.deleted.map(iso),
               "DriftInformation": drift(stack)})
    };
    paged(call, "StackSummaries", stacks.filter(is_wanted).map(summary).collect(), 100)
}

/// Newest first.
pub(crate) fn events(state: &mut State, call: &Call) -> Answer {
    let name = call.params.required("StackName")?;
    let stack = At::of(call).stacks(state).find(name).cloned();
    let stack = stack.ok_or_else(|| Refusal::validation(format!("Stack [{name}] does not exist")))?;
    let shown = stack.events.iter().rev().map(|event| {
        json!({"StackId": stack.id, "StackName": stack.name, "EventId": event.id,
               "LogicalResourceId": event.logical, "PhysicalResourceId": event.physical,
               "ResourceType": event.kind, "ResourceStatus": event.status, "ResourceStatusReason": event.reason,
               "ClientRequestToken": event.token, "Timestamp": iso(event.at)})
    });
    paged(call, "StackEvents", shown.collect(), 100)
}

fn shown_resource(stack: &Stack, resource: &Resource, time: &str) -> Value {
    let status = resource.drift.as_ref().map_or("NOT_CHECKED", |drift| drift.status);
    let checked = resource.drift.as_ref().map(|drift| iso(drift.at));
    let mut shown = json!({
        "StackId": stack.id, "StackName": stack.name, "LogicalResourceId": resource.logical,
        "PhysicalResourceId": resource.physical, "ResourceType": resource.kind, "ResourceStatus": resource.status,
        "ResourceStatusReason": resource.reason,
        "DriftInformation": {"StackResourceDriftStatus": status, "LastCheckTimestamp": checked},
    });
    shown[time] = iso(resource.at);
    shown
}

pub(crate) fn resource(state: &mut State, call: &Call) -> Answer {
    let stack = find(state, call)?;
    let logical = call.params.required("LogicalResourceId")?;
    let resource = stack.resources.get(logical).ok_or_else(|| {
        Refusal::validation(format!("Resource {logical} does not exist for stack {}", stack.name))
    })?;
    Ok(json!({"StackResourceDetail": shown_resource(&stack, resource, "LastUpdatedTimestamp")}))
}

pub(crate) fn resources(state: &mut State, call: &Call) -> Answer {
    let stack = find(state, call)?;
    let wanted = call.params.text("LogicalResourceId");
    let resources =
        stack.resources.values().filter(|resource| wanted.is_none_or(|wanted| wanted == resource.logical));
    let shown: Vec<_> = resources.map(|resource| shown_resource(&stack, resource, "Timestamp")).collect();
    Ok(json!({"StackResources": shown}))
}

pub(crate) fn list_resources(state: &mut State, call: &Call) -> Answer {
    let stack = find(state, call)?;
    let shown =
        stack.resources.values().map(|resource| shown_resource(&stack, resource, "LastUpdatedTimestamp"));
    paged(call, "StackResourceSummaries", shown.collect(), 100)
}

pub(crate) fn template(state: &mut State, call: &Call) -> Answer {
    let text = match call.params.text("ChangeSetName") {
        Some(name) => {
            let change_set =
                At::of(call).stacks(state).change_sets.values().find(|c| c.id == name || c.name == name);
            let missing =
                || Refusal::new(404, "ChangeSetNotFound", format!("ChangeSet [{name}] does not exist"));
            change_set.ok_or_else(missing)?.blueprint.text.clone()
        }
        None => find(state, call)?.blueprint.text,
    };
    Ok(json!({"TemplateBody": text, "StagesAvailable": ["Original", "Processed"]}))
}

pub(crate) fn exports(state: &mut State, call: &Call) -> Answer {
    let stacks = At::of(call).stacks(state).all.values().filter(|stack| !stack.is_deleted());
    let of = |stack: &Stack| {
        let exports = stack.outputs.iter().filter_map(|output| {
            Some(
                json!({"ExportingStackId": stack.id, "Name": output.export.as_ref()?, "Value": output.value}),
            )
        });
        exports.collect::<Vec<_>>()
    };
    paged(call, "Exports", stacks.flat_map(of).collect(), 100)
}

pub(crate) fn imports_of(state: &mut State, call: &Call) -> Answer {
    let export = call.params.required("ExportName")?;
    let stacks = At::of(call).stacks(state).all.values().filter(|stack| !stack.is_deleted());
    let users = stacks.filter(|stack| imports(&stack.blueprint.body, export));
    let names: Vec<_> = users.map(|stack| json!(stack.name)).collect();
    if names.is_empty() {
        return Err(Refusal::validation(format!("Export '{export}' is not imported by any stack.")));
    }
    paged(call, "Imports", names, 100)
}

pub(crate) fn validate(call: &Call) -> Answer {
    summarized(call.params.required("TemplateBody")?)
}

pub(crate) fn summary(state: &mut State, call: &Call) -> Answer {
    match call.params.text("TemplateBody") {
        Some(text) => summarized(text),
        None => summarized(&find(state, call)?.blueprint.text),
    }
}

/// What a template declares.
fn summarized(text: &str) -> Answer {
    let body = templates::parse(text).map_err(|error| blueprint::malformed(&error))?;
    blueprint::check(&body)?;
    let parameters = body["Parameters"].as_object().into_iter().flatten();
    let shown = parameters.map(|(name, declaration)| {
        json!({"ParameterKey": name, "DefaultValue": declaration.get("Default"), "ParameterType": declaration.get("Type"),
               "NoEcho": declaration.flag("NoEcho").unwrap_or(false), "Description": declaration.get("Description")})
    });
    let shown: Vec<_> = shown.collect();
    Ok(json!({"Parameters": shown, "Description": body.get("Description")}))
}
