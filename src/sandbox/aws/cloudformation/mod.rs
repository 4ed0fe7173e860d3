//! `CloudFormation`: stacks, change sets and drift of one account in one region.
//!
//! *Guarantees*: operations are asynchronous and pass through AWS's own states; a failed one rolls back; an update
//! touches only what differs between what the stack last sent and what it sends now, so drift can outlive it, and a
//! change set that reverts drift compares with the resources themselves.

pub(crate) mod blueprint;
pub(crate) mod change_sets;
pub(crate) mod drift;
pub(crate) mod engine;
pub(crate) mod evaluate;
pub(crate) mod live;
pub(crate) mod making;
pub(crate) mod plan;
pub(crate) mod resources;
pub(crate) mod rights;
pub(crate) mod rollback;
pub(crate) mod stack;
pub(crate) mod stacks;
pub(crate) mod template;

use serde_json::{Value, json};

use super::call::Call;
use super::state::State;
use super::wire::{self, Answer, Params as _, Refusal};
pub(crate) use stack::Stacks;

/// An account in a region.
#[derive(Clone, Debug)]
pub(crate) struct At {
    pub(crate) account: String,
    pub(crate) region: String,
}

impl At {
    pub(crate) fn of(call: &Call) -> Self {
        Self { account: call.account().to_owned(), region: call.region.clone() }
    }

    pub(crate) fn stacks<'a>(&self, state: &'a mut State) -> &'a mut Stacks {
        state.member(&self.account).stacks.entry(self.region.clone()).or_default()
    }

    /// `arn:aws:cloudformation:<region>:<account>:<kind>/<name>/<id>`.
    fn arn(&self, kind: &str, name: &str, id: &str) -> String {
        format!("arn:aws:cloudformation:{}:{}:{kind}/{name}/{id}", self.region, self.account)
    }
}

/// Something of a stack that is due later.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) at: At,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    /// The change set of this id is worked out.
    ChangeSet(String),
    /// The stack of this id takes its next step.
    Step(String),
    /// The drift detection of this id ends.
    Detection(String),
}

pub(crate) fn carry_out(state: &mut State, due: &Due) {
    match &due.what {
        What::ChangeSet(id) => change_sets::work_out(state, &due.at, id),
        What::Step(stack) => engine::step(state, &due.at, stack),
        What::Detection(id) => drift::finish(state, &due.at, id),
    }
}

pub(crate) fn handle(state: &mut State, call: &Call) -> Answer {
    match call.operation.as_str() {
        "CreateChangeSet" => change_sets::create(state, call),
        "DescribeChangeSet" => change_sets::describe(state, call),
        "ExecuteChangeSet" => change_sets::execute(state, call),
        "DeleteChangeSet" => change_sets::delete(state, call),
        "ListChangeSets" => change_sets::list(state, call),
        "CreateStack" => stacks::create(state, call),
        "UpdateStack" => stacks::update(state, call),
        "DeleteStack" => stacks::delete(state, call),
        "UpdateTerminationProtection" => stacks::protect(state, call),
        "DescribeStacks" => stacks::describe(state, call),
        "ListStacks" => stacks::list(state, call),
        "DescribeStackEvents" => stacks::events(state, call),
        "DescribeStackResource" => stacks::resource(state, call),
        "DescribeStackResources" => stacks::resources(state, call),
        "ListStackResources" => stacks::list_resources(state, call),
        "GetTemplate" => stacks::template(state, call),
        "ListExports" => stacks::exports(state, call),
        "ListImports" => stacks::imports_of(state, call),
        "ValidateTemplate" => stacks::validate(call),
        "GetTemplateSummary" => stacks::summary(state, call),
        "DetectStackDrift" => drift::detect(state, call),
        "DescribeStackDriftDetectionStatus" => drift::describe_detection(state, call),
        "DescribeStackResourceDrifts" => drift::describe_resources(state, call),
        _ => Err(call.unknown_operation()),
    }
}

pub(crate) fn paged(call: &Call, name: &str, all: Vec<Value>, size: usize) -> Answer {
    let (entries, next) = wire::page(all, call.params.text("NextToken"), size)
        .map_err(|_| Refusal::validation("The NextToken provided is not valid."))?;
    Ok(json!({name: entries, "NextToken": next}))
}
