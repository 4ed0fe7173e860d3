//! One resource of an operation: worked out from the template, then made or changed.

use serde_json::Value;

use super::super::state::State;
use super::super::wire::Params as _;
use super::engine::{note, take_failure};
use super::evaluate::Scope;
use super::live::{self, Shift, Target};
use super::plan::{self, Action, Change};
use super::stack::{Operation, Output, Resource, Stack};
use super::{At, resources};

pub(crate) fn apply(
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

pub(crate) fn outputs(state: &mut State, at: &At, stack: &Stack) -> Result<Vec<Output>, String> {
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
