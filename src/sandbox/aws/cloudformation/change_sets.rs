//! Change sets: worked out in the background, executed once, obsolete when the stack has moved.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::state::{State, Work};
use super::super::wire::{Answer, Params as _, Refusal, iso};
use super::blueprint::Blueprint;
use super::stack::{ChangeSet, OnFailure, Stack};
use super::stacks::{new_stack, refuse_unless_updatable};
use super::{At, Due, What, engine, paged, plan};

const NO_CHANGES: &str = "The submitted information didn't contain changes. Submit different information to create a \
                          change set.";

pub(crate) fn create(state: &mut State, call: &Call) -> Answer {
    let at = At::of(call);
    let stack_name = call.params.required("StackName")?.to_owned();
    let name = call.params.required("ChangeSetName")?.to_owned();
    let is_create = call.params.text("ChangeSetType") == Some("CREATE");
    if let Some(again) = same_again(state, &at, call, &stack_name, &name)? {
        return Ok(again);
    }
    let existing = at.stacks(state).find(&stack_name).cloned();
    refuse_wrong_type(existing.as_ref(), is_create, &stack_name, &name)?;
    let previous = existing.as_ref().filter(|_| !is_create).map(|stack| &stack.blueprint);
    let blueprint = Blueprint::read(call, previous)?;
    engine::operator(state, call, &blueprint)?;
    let stack = match existing {
        Some(stack) => stack.id,
        None => new_stack(state, &at, &stack_name, None, "REVIEW_IN_PROGRESS")?,
    };
    let change_set = read(state, call, &at, name, stack, is_create, blueprint);
    let answer = json!({"Id": change_set.id, "StackId": change_set.stack});
    let due = state.due(state.config.change_set);
    state.schedule(due, Work::Stack(Due { at: at.clone(), what: What::ChangeSet(change_set.id.clone()) }));
    at.stacks(state).change_sets.insert(change_set.id.clone(), change_set);
    Ok(answer)
}

fn read(
    state: &mut State,
    call: &Call,
    at: &At,
    name: String,
    stack: String,
    is_create: bool,
    blueprint: Blueprint,
) -> ChangeSet {
    let id = state.uuid();
    ChangeSet {
        id: at.arn("changeSet", &name, &id),
        name,
        stack,
        is_create,
        blueprint,
        status: "CREATE_PENDING",
        execution: "UNAVAILABLE",
        reason: None,
        changes: Vec::new(),
        client_token: call.params.text("ClientToken").map(str::to_owned),
        description: call.params.text("Description").map(str::to_owned),
        reverts_drift: call.params.text("DeploymentMode") == Some("REVERT_DRIFT"),
        on_failure: match call.params.text("OnStackFailure") {
            Some("DO_NOTHING") => OnFailure::Keep,
            Some("DELETE") => OnFailure::Delete,
            _ => OnFailure::RollBack,
        },
        created: state.now(),
    }
}

/// The answer given before, if this very request was made before; a refusal if only its name was.
fn same_again(
    state: &mut State,
    at: &At,
    call: &Call,
    stack: &str,
    name: &str,
) -> Result<Option<Value>, Refusal> {
    let stacks = at.stacks(state);
    let Some(stack) = stacks.find(stack).map(|stack| stack.id.clone()) else { return Ok(None) };
    let Some(known) = by_name(stacks.change_sets.values(), &stack, name) else { return Ok(None) };
    let token = call.params.text("ClientToken");
    if token.is_some() && known.client_token.as_deref() == token {
        return Ok(Some(json!({"Id": known.id, "StackId": known.stack})));
    }
    let message = if token.is_some() && known.client_token.is_some() {
        format!("ChangeSet {name} cannot be created due to a mismatch with existing attribute ClientToken")
    } else {
        format!("ChangeSet {name} already exists")
    };
    Err(Refusal::bad("AlreadyExistsException", message))
}

/// A change set that was executed to its end is found by its id only.
fn by_name<'a>(
    mut all: impl Iterator<Item = &'a ChangeSet>,
    stack: &str,
    name: &str,
) -> Option<&'a ChangeSet> {
    all.find(|known| known.stack == stack && known.name == name && known.execution != "EXECUTE_COMPLETE")
}

fn refuse_wrong_type(
    existing: Option<&Stack>,
    is_create: bool,
    stack: &str,
    name: &str,
) -> Result<(), Refusal> {
    match existing {
        None if is_create => Ok(()),
        None => Err(Refusal::validation(format!("Stack [{stack}] does not exist"))),
        Some(existing) if is_create && existing.status == "REVIEW_IN_PROGRESS" => Ok(()),
        Some(existing) if is_create => Err(Refusal::validation(format!(
            "Stack [{}] already exists and cannot be created again with the changeSet [{name}].",
            existing.name
        ))),
        Some(existing) => refuse_unless_updatable(existing),
    }
}

/// The change set is worked out: it can be executed, or it failed.
pub(crate) fn work_out(state: &mut State, at: &At, id: &str) {
    let Some(mut change_set) = at.stacks(state).change_sets.get(id).cloned() else { return };
    let Some(stack) = at.stacks(state).all.get(&change_set.stack).cloned() else { return };
    let tags = stack.blueprint.tags.clone();
    let from = plan::From { id: &stack.id, name: &stack.name, resources: &stack.resources, tags: &tags };
    let outcome = plan::changes(state, at, &from, &change_set.blueprint, change_set.reverts_drift);
    let outcome = match outcome {
        Ok(changes) if changes.is_empty() && !is_new(&change_set, &stack) => Err(NO_CHANGES.to_owned()),
        outcome => outcome,
    };
    match outcome {
        Ok(changes) => {
            change_set.changes = changes;
            (change_set.status, change_set.execution) = ("CREATE_COMPLETE", "AVAILABLE");
        }
        Err(reason) => {
            change_set.reason = Some(reason);
            change_set.status = "FAILED";
        }
    }
    at.stacks(state).change_sets.insert(id.to_owned(), change_set);
}

/// True if something other than resources would change.
fn is_new(change_set: &ChangeSet, stack: &Stack) -> bool {
    let (now, target) = (&stack.blueprint, &change_set.blueprint);
    change_set.is_create
        || now.tags != target.tags
        || now.parameters != target.parameters
        || now.body.get("Outputs") != target.body.get("Outputs")
}

/// The change set a call names, by id or by stack and name.
fn find(state: &mut State, call: &Call) -> Result<ChangeSet, Refusal> {
    let name = call.params.required("ChangeSetName")?;
    let missing = || Refusal::new(404, "ChangeSetNotFound", format!("ChangeSet [{name}] does not exist"));
    let stacks = At::of(call).stacks(state);
    if name.starts_with("arn:") {
        return stacks.change_sets.get(name).cloned().ok_or_else(missing);
    }
    let stack = call.params.text("StackName").ok_or_else(|| {
        Refusal::validation("StackName must be specified if ChangeSetName is not specified as an ARN.")
    })?;
    let stack =
        stacks.find(stack).ok_or_else(|| Refusal::validation(format!("Stack [{stack}] does not exist")))?;
    by_name(stacks.change_sets.values(), &stack.id, name).cloned().ok_or_else(missing)
}

pub(crate) fn describe(state: &mut State, call: &Call) -> Answer {
    let change_set = find(state, call)?;
    let with_values = call.params.flag("IncludePropertyValues") == Some(true);
    let stack = At::of(call).stacks(state).all.get(&change_set.stack).cloned();
    let changes = change_set.changes.iter().map(|change| change.shown(with_values)).collect();
    let mut shown = paged(call, "Changes", changes, state.config.change_page.max(1))?;
    let mut put = |name: &str, value: Value| shown[name] = value;
    put("ChangeSetName", json!(change_set.name));
    put("ChangeSetId", json!(change_set.id));
    put("StackId", json!(change_set.stack));
    put("StackName", json!(stack.as_ref().map(|stack| &stack.name)));
    put("Description", json!(change_set.description));
    put("Parameters", change_set.blueprint.shown_parameters());
    put("Tags", super::super::iam::tags::tag_list(&change_set.blueprint.tags));
    put("Capabilities", json!(change_set.blueprint.capabilities));
    put("CreationTime", iso(change_set.created));
    put("Status", json!(change_set.status));
    put("StatusReason", json!(change_set.reason));
    put("ExecutionStatus", json!(change_set.execution));
    put("IncludeNestedStacks", json!(false));
    put("NotificationARNs", json!([]));
    put("RollbackConfiguration", json!({}));
    if change_set.reverts_drift {
        put("DeploymentMode", json!("REVERT_DRIFT"));
        put("StackDriftStatus", json!(stack.map(|stack| stack.drift_status)));
    }
    Ok(shown)
}

pub(crate) fn execute(state: &mut State, call: &Call) -> Answer {
    let at = At::of(call);
    let change_set = find(state, call)?;
    if change_set.execution != "AVAILABLE" {
        let now =
            if change_set.execution == "UNAVAILABLE" { change_set.status } else { change_set.execution };
        return Err(Refusal::bad(
            "InvalidChangeSetStatus",
            format!("ChangeSet [{}] cannot be executed in its current status of [{now}]", change_set.id),
        ));
    }
    let token = call.params.text("ClientRequestToken").map(str::to_owned);
    refuse_used_token(state, &at, &change_set, token.as_deref())?;
    let principal = engine::operator(state, call, &change_set.blueprint)?;
    set_execution(state, &at, &change_set.id, "EXECUTE_IN_PROGRESS");
    for other in at.stacks(state).change_sets.values_mut() {
        if other.stack == change_set.stack && other.execution == "AVAILABLE" {
            other.execution = "OBSOLETE";
        }
    }
    let call = Call { principal, ..call.clone() };
    engine::start(
        state,
        &at,
        &change_set.stack.clone(),
        engine::Start {
            call,
            token,
            is_create: change_set.is_create,
            changes: change_set.changes,
            target: change_set.blueprint,
            reverts_drift: change_set.reverts_drift,
            on_failure: change_set.on_failure,
            change_set: Some(change_set.id),
        },
    );
    Ok(json!({}))
}

fn refuse_used_token(
    state: &mut State,
    at: &At,
    change_set: &ChangeSet,
    token: Option<&str>,
) -> Result<(), Refusal> {
    let stack = at.stacks(state).all.get(&change_set.stack);
    let stack =
        stack.ok_or_else(|| Refusal::validation(format!("Stack [{}] does not exist", change_set.stack)))?;
    if !change_set.is_create {
        refuse_unless_updatable(stack)?;
    }
    let is_used = token.is_some() && stack.events.iter().any(|event| event.token.as_deref() == token);
    if is_used {
        let message =
            format!("Token [{}] was already used for another operation.", token.unwrap_or_default());
        return Err(Refusal::bad("TokenAlreadyExistsException", message));
    }
    Ok(())
}

pub(crate) fn set_execution(state: &mut State, at: &At, id: &str, execution: &'static str) {
    if let Some(change_set) = at.stacks(state).change_sets.get_mut(id) {
        change_set.execution = execution;
    }
}

pub(crate) fn delete(state: &mut State, call: &Call) -> Answer {
    let change_set = find(state, call)?;
    if change_set.execution == "EXECUTE_IN_PROGRESS" {
        let message = format!(
            "ChangeSet [{}] cannot be deleted in its current status of [EXECUTE_IN_PROGRESS]",
            change_set.id
        );
        return Err(Refusal::bad("InvalidChangeSetStatus", message));
    }
    At::of(call).stacks(state).change_sets.remove(&change_set.id);
    Ok(json!({}))
}

pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    let name = call.params.required("StackName")?;
    let stacks = At::of(call).stacks(state);
    let missing = || Refusal::validation(format!("Stack [{name}] does not exist"));
    let stack = stacks.find(name).ok_or_else(missing)?;
    let ours =
        stacks.change_sets.values().filter(|c| c.stack == stack.id && c.execution != "EXECUTE_COMPLETE");
    let shown = ours.map(|c| {
        json!({"ChangeSetId": c.id, "ChangeSetName": c.name, "StackId": c.stack, "StackName": stack.name,
               "Status": c.status, "ExecutionStatus": c.execution, "StatusReason": c.reason,
               "CreationTime": iso(c.created), "Description": c.description})
    });
    paged(call, "Summaries", shown.collect(), 100)
}
