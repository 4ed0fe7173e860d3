//! Stack operations, one resource a step, through AWS's states and back again when something fails.

use std::collections::VecDeque;

use serde_json::Value;

use super::super::call::Call;
use super::super::identity::{Kind, Principal};
use super::super::permissions;
use super::super::state::{State, Work};
use super::super::wire::{Params as _, Refusal};
use super::blueprint::Blueprint;
use super::evaluate::Scope;
use super::live::{self, Shift, Target};
use super::plan::{self, Action, Change};
use super::stack::{OnFailure, Operation, Output, Phase, Resource, Stack, StackEvent};
use super::{At, Due, What, change_sets, resources};

/// An operation about to start.
pub(crate) struct Start {
    pub(crate) call: Call,
    pub(crate) token: Option<String>,
    pub(crate) is_create: bool,
    pub(crate) changes: Vec<Change>,
    pub(crate) target: Blueprint,
    pub(crate) reverts_drift: bool,
    pub(crate) on_failure: OnFailure,
    pub(crate) change_set: Option<String>,
}

/// On whose behalf resources are handled: the caller's, or the role's that the stack names.
pub(crate) fn operator(state: &mut State, call: &Call, blueprint: &Blueprint) -> Result<Principal, Refusal> {
    let Some(arn) = &blueprint.role_arn else { return Ok(call.principal.clone()) };
    let roles = &state.member(call.account()).iam.roles;
    let role = roles.values().find(|role| role.arn == *arn && trusts_cloudformation(&role.trust));
    let role =
        role.ok_or_else(|| Refusal::validation(format!("Role {arn} is invalid or cannot be assumed")))?;
    let session = "AWSCloudFormation".to_owned();
    Ok(Principal {
        arn: format!("arn:aws:sts::{}:assumed-role/{}/{session}", call.account(), role.name),
        id: format!("{}:{session}", role.id),
        kind: Kind::Role { name: role.name.clone(), session },
        session_policies: Vec::new(),
        ..call.principal.clone()
    })
}

fn trusts_cloudformation(trust: &Value) -> bool {
    permissions::one_or_many(trust.get("Statement")).iter().any(|statement| {
        let services = permissions::one_or_many(statement["Principal"].get("Service"));
        services.iter().any(|service| service == "cloudformation.amazonaws.com")
    })
}

pub(crate) fn start(state: &mut State, at: &At, id: &str, start: Start) {
    let Some(mut stack) = at.stacks(state).stacks.remove(id) else { return };
    let (removals, steps): (Vec<_>, Vec<_>) =
        start.changes.into_iter().partition(|change| change.action == Action::Remove);
    let steps: VecDeque<Change> = steps.into();
    let count = u32::try_from(steps.len()).unwrap_or(u32::MAX);
    let cleanup =
        removals.iter().filter_map(|change| stack.resources.get(&change.logical).cloned()).collect();
    stack.operation = Some(Operation {
        phase: if start.is_create { Phase::Create } else { Phase::Update },
        call: start.call,
        token: start.token.clone(),
        change_set: start.change_set.clone(),
        steps,
        cleanup,
        undo: Vec::new(),
        before: stack.blueprint.clone(),
        target: start.target.clone(),
        reverts_drift: start.reverts_drift,
        on_failure: start.on_failure,
        pause: state.config.stack_operation / count.saturating_add(1),
    });
    stack.blueprint = start.target;
    stack.change_set = start.change_set.or(stack.change_set);
    forget_drift(&mut stack);
    let status = if start.is_create { "CREATE_IN_PROGRESS" } else { "UPDATE_IN_PROGRESS" };
    if !start.is_create {
        stack.updated = Some(state.now());
    }
    if stack.status != status {
        set_status(state, &mut stack, status, Some("User Initiated".to_owned()), start.token.as_deref());
    }
    put_back(state, at, stack);
}

/// An update makes what was known about drift old.
fn forget_drift(stack: &mut Stack) {
    "NOT_CHECKED".clone_into(&mut stack.drift_status);
    stack.resources.values_mut().for_each(|resource| resource.drift = None);
}

pub(crate) fn start_delete(state: &mut State, at: &At, id: &str, call: &Call) {
    let Some(mut stack) = at.stacks(state).stacks.remove(id) else { return };
    let token = call.params.text("ClientRequestToken").map(str::to_owned);
    set_status(state, &mut stack, "DELETE_IN_PROGRESS", Some("User Initiated".to_owned()), token.as_deref());
    stack.operation = Some(Operation {
        phase: Phase::Delete,
        call: call.clone(),
        token,
        change_set: None,
        steps: VecDeque::new(),
        cleanup: Vec::new(),
        undo: Vec::new(),
        before: stack.blueprint.clone(),
        target: stack.blueprint.clone(),
        reverts_drift: false,
        on_failure: OnFailure::Keep,
        pause: state.config.stack_operation,
    });
    put_back(state, at, stack);
}

/// Puts the stack back and, while it is in an operation, sees to its next step.
fn put_back(state: &mut State, at: &At, stack: Stack) {
    if let Some(operation) = &stack.operation {
        let due = state.due(operation.pause);
        state.schedule(due, Work::Stack(Due { at: at.clone(), what: What::Step(stack.id.clone()) }));
    }
    at.stacks(state).stacks.insert(stack.id.clone(), stack);
}

pub(crate) fn set_status(
    state: &mut State,
    stack: &mut Stack,
    status: &str,
    reason: Option<String>,
    token: Option<&str>,
) {
    status.clone_into(&mut stack.status);
    stack.reason.clone_from(&reason);
    let (name, id) = (stack.name.clone(), stack.id.clone());
    note(state, stack, (&name, &id, "AWS::CloudFormation::Stack"), status, reason, token);
}

/// Adds an event about `(logical id, physical id, type)`.
fn note(
    state: &mut State,
    stack: &mut Stack,
    about: (&str, &str, &str),
    status: &str,
    reason: Option<String>,
    token: Option<&str>,
) {
    stack.events.push(StackEvent {
        id: state.uuid(),
        logical: about.0.to_owned(),
        physical: about.1.to_owned(),
        kind: about.2.to_owned(),
        status: status.to_owned(),
        reason,
        token: token.map(str::to_owned),
        at: state.now(),
    });
}

/// The stack's operation takes its next step.
pub(crate) fn step(state: &mut State, at: &At, id: &str) {
    let Some(mut stack) = at.stacks(state).stacks.remove(id) else { return };
    if let Some(mut operation) = stack.operation.take() {
        let goes_on = match operation.phase {
            Phase::Create | Phase::Update => forward(state, at, &mut stack, &mut operation),
            Phase::UpdateCleanup => clean_up(state, at, &mut stack, &mut operation),
            Phase::RollBackCreate | Phase::RollBackUpdate => roll_back(state, at, &mut stack, &mut operation),
            Phase::RollBackCleanup => {
                end(state, at, &mut stack, &operation, "UPDATE_ROLLBACK_COMPLETE");
                false
            }
            Phase::Delete => delete(state, at, &mut stack, &mut operation),
        };
        stack.operation = goes_on.then_some(operation);
    }
    put_back(state, at, stack);
}

fn forward(state: &mut State, at: &At, stack: &mut Stack, operation: &mut Operation) -> bool {
    let Some(change) = operation.steps.pop_front() else { return complete(state, at, stack, operation) };
    match apply(state, at, stack, operation, &change) {
        Ok(()) => true,
        Err(reason) => {
            let verb = if change.action == Action::Add { "CREATE" } else { "UPDATE" };
            let physical =
                stack.resources.get(&change.logical).map_or_else(String::new, |r| r.physical.clone());
            let about = (change.logical.as_str(), physical.as_str(), change.kind.as_str());
            note(state, stack, about, &format!("{verb}_FAILED"), Some(reason), operation.token.as_deref());
            let verb = verb.to_lowercase();
            fail(
                state,
                at,
                stack,
                operation,
                format!("The following resource(s) failed to {verb}: [{}]. ", change.logical),
            )
        }
    }
}

fn fail(state: &mut State, at: &At, stack: &mut Stack, operation: &mut Operation, reason: String) -> bool {
    let token = operation.token.clone();
    let (phase, status) = match (operation.phase, operation.on_failure) {
        (Phase::Create, OnFailure::Keep) => {
            stack.reason = Some(reason);
            end(state, at, stack, operation, "CREATE_FAILED");
            return false;
        }
        (Phase::Create, OnFailure::Delete) => (Phase::Delete, "DELETE_IN_PROGRESS"),
        (Phase::Create, OnFailure::RollBack) => (Phase::RollBackCreate, "ROLLBACK_IN_PROGRESS"),
        _ => (Phase::RollBackUpdate, "UPDATE_ROLLBACK_IN_PROGRESS"),
    };
    operation.phase = phase;
    let reason =
        if phase == Phase::RollBackCreate { format!("{reason}Rollback requested by user.") } else { reason };
    set_status(state, stack, status, Some(reason), token.as_deref());
    true
}

/// All resources are as they should be.
fn complete(state: &mut State, at: &At, stack: &mut Stack, operation: &mut Operation) -> bool {
    match outputs(state, at, stack) {
        Err(reason) => fail(state, at, stack, operation, reason),
        Ok(outputs) => {
            stack.outputs = outputs;
            if operation.phase == Phase::Create {
                end(state, at, stack, operation, "CREATE_COMPLETE");
                return false;
            }
            operation.phase = Phase::UpdateCleanup;
            let token = operation.token.clone();
            set_status(state, stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", None, token.as_deref());
            true
        }
    }
}

fn clean_up(state: &mut State, at: &At, stack: &mut Stack, operation: &mut Operation) -> bool {
    for resource in std::mem::take(&mut operation.cleanup) {
        let is_current =
            stack.resources.get(&resource.logical).is_some_and(|now| now.physical == resource.physical);
        if is_current {
            stack.resources.remove(&resource.logical);
        }
        if !is_retained(&operation.before, &resource.logical) {
            remove(state, at, stack, operation, &resource);
        }
    }
    end(state, at, stack, operation, "UPDATE_COMPLETE");
    false
}

fn is_retained(blueprint: &Blueprint, logical: &str) -> bool {
    blueprint.resource(logical).text("DeletionPolicy").is_some_and(|policy| policy.starts_with("Retain"))
}

/// Removes what a resource stands for and notes how it went.
fn remove(state: &mut State, at: &At, stack: &mut Stack, operation: &Operation, resource: &Resource) -> bool {
    let target = Target { at, call: &operation.call, kind: &resource.kind, physical: &resource.physical };
    let removed = live::remove(state, &target, &resource.properties);
    let status = if removed.is_ok() { "DELETE_COMPLETE" } else { "DELETE_FAILED" };
    let about = (resource.logical.as_str(), resource.physical.as_str(), resource.kind.as_str());
    let is_removed = removed.is_ok();
    note(state, stack, about, status, removed.err(), operation.token.as_deref());
    is_removed
}

fn roll_back(state: &mut State, at: &At, stack: &mut Stack, operation: &mut Operation) -> bool {
    let is_create = operation.phase == Phase::RollBackCreate;
    let mut is_fine = take_failure(state, at, &format!("rollback of {}", stack.name)).is_none();
    while let Some((logical, before)) = operation.undo.pop() {
        is_fine &= undo(state, at, stack, operation, &logical, before);
    }
    let token = operation.token.clone();
    match (is_create, is_fine) {
        (true, true) => end(state, at, stack, operation, "ROLLBACK_COMPLETE"),
        (true, false) => end(state, at, stack, operation, "ROLLBACK_FAILED"),
        (false, false) => end(state, at, stack, operation, "UPDATE_ROLLBACK_FAILED"),
        (false, true) => {
            stack.blueprint = operation.before.clone();
            operation.phase = Phase::RollBackCleanup;
            set_status(state, stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", None, token.as_deref());
            return true;
        }
    }
    false
}

fn undo(
    state: &mut State,
    at: &At,
    stack: &mut Stack,
    operation: &Operation,
    logical: &str,
    before: Option<Resource>,
) -> bool {
    let Some(now) = stack.resources.remove(logical) else { return true };
    let Some(before) = before else {
        let is_removed = remove(state, at, stack, operation, &now);
        if !is_removed {
            stack.resources.insert(logical.to_owned(), now);
        }
        return is_removed;
    };
    let is_fine = if before.physical == now.physical {
        let target = Target { at, call: &operation.call, kind: &now.kind, physical: &now.physical };
        let shift = Shift {
            before: &now.properties,
            after: &before.properties,
            tags_before: &operation.target.tags,
            tags_after: &operation.before.tags,
        };
        live::change(state, &target, &shift).is_ok()
    } else {
        remove(state, at, stack, operation, &now)
    };
    stack.resources.insert(logical.to_owned(), before);
    is_fine
}

fn delete(state: &mut State, at: &At, stack: &mut Stack, operation: &mut Operation) -> bool {
    let mut order = stack.blueprint.order();
    order.reverse();
    let mut is_fine = true;
    for logical in order {
        let Some(resource) = stack.resources.get(&logical).cloned() else { continue };
        if is_retained(&stack.blueprint, &logical) || remove(state, at, stack, operation, &resource) {
            stack.resources.remove(&logical);
        } else {
            is_fine = false;
        }
    }
    if is_fine {
        stack.outputs.clear();
        stack.deleted = Some(state.now());
    }
    end(state, at, stack, operation, if is_fine { "DELETE_COMPLETE" } else { "DELETE_FAILED" });
    false
}

/// The operation is over.
fn end(state: &mut State, at: &At, stack: &mut Stack, operation: &Operation, status: &str) {
    let reason = stack.reason.take().filter(|_| status.ends_with("FAILED"));
    set_status(state, stack, status, reason, operation.token.as_deref());
    if let Some(change_set) = &operation.change_set {
        let is_fine = matches!(status, "CREATE_COMPLETE" | "UPDATE_COMPLETE");
        change_sets::set_execution(
            state,
            at,
            change_set,
            if is_fine { "EXECUTE_COMPLETE" } else { "EXECUTE_FAILED" },
        );
    }
}

/// A failure set by a test for this name, used up.
pub(crate) fn take_failure(state: &mut State, at: &At, name: &str) -> Option<String> {
    let failures = &mut at.stacks(state).failures;
    let place = failures.iter().position(|(failing, _)| failing == name)?;
    Some(failures.remove(place).1)
}

fn apply(
    state: &mut State,
    at: &At,
    stack: &mut Stack,
    operation: &mut Operation,
    change: &Change,
) -> live::Done {
    let verb = if change.action == Action::Add { "CREATE" } else { "UPDATE" };
    let Some((kind, properties)) = evaluated(state, at, stack, &change.logical)? else { return Ok(()) };
    let before = stack.resources.get(&change.logical).cloned();
    let mut made = resource(state, at, stack, change, &kind, properties, before.as_ref());
    let token = operation.token.clone();
    let physical = made.physical.clone();
    note(
        state,
        stack,
        (&change.logical, &physical, &kind),
        &format!("{verb}_IN_PROGRESS"),
        None,
        token.as_deref(),
    );
    let name = stack.name.clone();
    if let Some(reason) = take_failure(state, at, &change.logical).or_else(|| take_failure(state, at, &name))
    {
        return Err(reason);
    }
    made.status = format!("{verb}_COMPLETE");
    if before.is_some() && !change.is_replaced {
        // A change that fails half-way is undone too; a resource that was not made is not.
        operation.undo.push((change.logical.clone(), before.clone()));
        stack.resources.insert(change.logical.clone(), made.clone());
        act(state, at, operation, change, before.as_ref(), &made)?;
    } else {
        act(state, at, operation, change, before.as_ref(), &made)?;
        operation.cleanup.extend(before.clone());
        operation.undo.push((change.logical.clone(), before));
        stack.resources.insert(change.logical.clone(), made);
    }
    note(
        state,
        stack,
        (&change.logical, &physical, &kind),
        &format!("{verb}_COMPLETE"),
        None,
        token.as_deref(),
    );
    Ok(())
}

fn act(
    state: &mut State,
    at: &At,
    operation: &Operation,
    change: &Change,
    before: Option<&Resource>,
    made: &Resource,
) -> live::Done {
    let target = Target { at, call: &operation.call, kind: &made.kind, physical: &made.physical };
    let (tags_before, tags_after) = (&operation.before.tags, &operation.target.tags);
    let before = match before {
        Some(before) if change.action == Action::Modify && !change.is_replaced => before,
        _ => return live::make(state, &target, &made.properties, tags_after),
    };
    let live = if operation.reverts_drift { live::read(state, at, &made.kind, &made.physical) } else { None };
    let mut named = before.properties.clone();
    if let (Some(named), Some(after)) = (named.as_object_mut(), made.properties.as_object()) {
        named.extend(after.clone());
    }
    let before =
        live.map_or_else(|| before.properties.clone(), |live| plan::restricted(&live, &named, tags_before));
    live::change(state, &target, &Shift { before: &before, after: &made.properties, tags_before, tags_after })
}

fn resource(
    state: &mut State,
    at: &At,
    stack: &Stack,
    change: &Change,
    kind: &str,
    properties: Value,
    before: Option<&Resource>,
) -> Resource {
    let fresh = state.fresh();
    let place = resources::Place {
        account: &at.account,
        region: &at.region,
        stack: &stack.name,
        logical: &change.logical,
        fresh: &fresh,
    };
    let physical = match before {
        Some(before) if !change.is_replaced => before.physical.clone(),
        _ => resources::physical_id(kind, &properties, &place),
    };
    Resource {
        logical: change.logical.clone(),
        kind: kind.to_owned(),
        attributes: resources::attributes(kind, &physical, &properties, &place),
        physical,
        properties,
        status: String::new(),
        reason: None,
        at: state.now(),
        drift: None,
    }
}

fn evaluated(
    state: &mut State,
    at: &At,
    stack: &Stack,
    logical: &str,
) -> Result<Option<(String, Value)>, String> {
    let exports = at.stacks(state).exports();
    plan::wanted(&scope(at, stack, &exports), stack.blueprint.resource(logical))
}

fn scope<'a>(
    at: &'a At,
    stack: &'a Stack,
    exports: &'a std::collections::BTreeMap<String, String>,
) -> Scope<'a> {
    Scope {
        body: &stack.blueprint.body,
        parameters: &stack.blueprint.parameters,
        resources: &stack.resources,
        exports,
        account: &at.account,
        region: &at.region,
        stack_name: &stack.name,
        stack_id: &stack.id,
        is_planning: false,
    }
}

fn outputs(state: &mut State, at: &At, stack: &Stack) -> Result<Vec<Output>, String> {
    let exports = at.stacks(state).exports();
    let scope = scope(at, stack, &exports);
    let mut outputs = Vec::new();
    for (key, output) in stack.blueprint.body["Outputs"].as_object().into_iter().flatten() {
        if let Some(condition) = output.text("Condition")
            && !scope.condition(condition)?
        {
            continue;
        }
        let export = output
            .get("Export")
            .and_then(|export| export.get("Name"))
            .map(|name| scope.text(name))
            .transpose()?;
        if let Some(name) = export.as_ref().filter(|name| exports.contains_key(*name)) {
            return Err(format!("Export with name {name} is already exported by another stack. "));
        }
        outputs.push(Output {
            key: key.clone(),
            value: scope.text(&output["Value"])?,
            description: output.text("Description").map(str::to_owned),
            export,
        });
    }
    Ok(outputs)
}
