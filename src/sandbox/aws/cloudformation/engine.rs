//! Stack operations, one resource a step, through AWS's states and back again when something fails.

use std::collections::VecDeque;

use super::super::about;
use super::super::call::Call;
use super::super::identity::{Kind, Principal};
use super::super::permissions::{self, Asked};
use super::super::state::{State, Work};
use super::super::wire::{Params as _, Protocol, Refusal};
use super::blueprint::Blueprint;
use super::making::{apply, outputs};
use super::plan::{Action, Change};
use super::rollback::{clean_up, delete, roll_back};
use super::stack::{OnFailure, Operation, Phase, Stack, StackEvent};
use super::{At, Due, What, change_sets};

const SERVICE: &str = "cloudformation.amazonaws.com";

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

/// On whose behalf resources are handled: the caller's, or the role's that the call or the stack names. AWS's pages
/// have said both that only who names a role has to be allowed to pass it, and that everybody has to; here everybody.
pub(crate) fn operator(state: &State, call: &Call, blueprint: &Blueprint) -> Result<Principal, Refusal> {
    let Some(arn) = &blueprint.role_arn else { return Ok(call.principal.clone()) };
    may_pass(state, call, arn, SERVICE)?;
    let roles = state.members.get(call.account()).map(|member| &member.iam.roles);
    let role = roles.and_then(|roles| {
        roles.values().find(|role| role.arn == *arn && permissions::trusts_service(&role.trust, SERVICE))
    });
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

/// Refuses unless the caller may hand this role to `service`.
pub(crate) fn may_pass(state: &State, call: &Call, role: &str, service: &str) -> Result<(), Refusal> {
    let mut facts = about::of_principal(state, &call.principal);
    facts.extend(about::facts([("iam:passedtoservice", Some(service))]));
    let asked = Asked { action: "iam:PassRole", resource: role, facts: &facts };
    permissions::check(state, &call.principal, &asked, Protocol::Query)
}

pub(crate) fn start(state: &mut State, at: &At, id: &str, start: Start) {
    let Some(mut stack) = at.stacks(state).all.remove(id) else { return };
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
    let Some(mut stack) = at.stacks(state).all.remove(id) else { return };
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
    at.stacks(state).all.insert(stack.id.clone(), stack);
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
pub(crate) fn note(
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
    let Some(mut stack) = at.stacks(state).all.remove(id) else { return };
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

/// The operation is over.
pub(crate) fn end(state: &mut State, at: &At, stack: &mut Stack, operation: &Operation, status: &str) {
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
