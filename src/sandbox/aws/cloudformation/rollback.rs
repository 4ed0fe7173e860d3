//! The way back and the way out: what an operation removes, undoes or deletes.

use super::super::state::State;
use super::super::wire::Params as _;
use super::At;
use super::blueprint::Blueprint;
use super::engine::{end, note, set_status, take_failure};
use super::live::{self, Shift, Target};
use super::stack::{Operation, Phase, Resource, Stack};

pub(crate) fn clean_up(state: &mut State, at: &At, stack: &mut Stack, operation: &mut Operation) -> bool {
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
    let planned = take_failure(state, at, &format!("deletion of {}", resource.logical)).map_or(Ok(()), Err);
    let removed = planned.and_then(|()| live::remove(state, &target, &resource.properties));
    let status = if removed.is_ok() { "DELETE_COMPLETE" } else { "DELETE_FAILED" };
    let about = (resource.logical.as_str(), resource.physical.as_str(), resource.kind.as_str());
    let is_removed = removed.is_ok();
    note(state, stack, about, status, removed.err(), operation.token.as_deref());
    is_removed
}

pub(crate) fn roll_back(state: &mut State, at: &At, stack: &mut Stack, operation: &mut Operation) -> bool {
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

pub(crate) fn delete(state: &mut State, at: &At, stack: &mut Stack, operation: &mut Operation) -> bool {
    let mut order = stack.blueprint.order();
    order.reverse();
    let mut left = Vec::new();
    for logical in order {
        let Some(resource) = stack.resources.get(&logical).cloned() else { continue };
        if is_retained(&stack.blueprint, &logical) || remove(state, at, stack, operation, &resource) {
            stack.resources.remove(&logical);
        } else {
            left.push(logical);
        }
    }
    if left.is_empty() {
        stack.outputs.clear();
        stack.deleted = Some(state.now());
        end(state, at, stack, operation, "DELETE_COMPLETE");
    } else {
        stack.reason = Some(format!("The following resource(s) failed to delete: [{}]. ", left.join(", ")));
        end(state, at, stack, operation, "DELETE_FAILED");
    }
    false
}
