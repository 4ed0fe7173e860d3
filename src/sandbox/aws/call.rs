//! One call, from who and what to the answer: permission, handler, trail.

use serde_json::Value;

use super::identity::Principal;
use super::permissions::Asked;
use super::state::State;
use super::wire::{Answer, Params as _, Protocol, Refusal};
use super::{about, cloudformation, cloudtrail, iam, log, organizations, permissions, sns, sts};

/// A call by a known principal.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) principal: Principal,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) operation: String,
    pub(crate) params: Value,
    pub(crate) source: String,
    pub(crate) agent: String,
    /// The service that calls on the principal's behalf.
    pub(crate) invoked_by: Option<String>,
}

impl Call {
    pub(crate) fn account(&self) -> &str {
        &self.principal.account
    }

    pub(crate) fn protocol(&self) -> Protocol {
        Protocol::of(&self.service).unwrap_or(Protocol::Query)
    }

    pub(crate) fn unknown_operation(&self) -> Refusal {
        let message =
            format!("The simulated AWS does not have the operation {} of {}.", self.operation, self.service);
        match self.protocol() {
            Protocol::Query => Refusal::bad("InvalidAction", message),
            Protocol::Json => Refusal::bad("UnknownOperationException", message),
        }
    }
}

/// Carries out `call` if it is allowed, and leaves a trail of it if it can change something.
pub(crate) fn perform(state: &mut State, call: &Call) -> Answer {
    let answer = allowed(state, call).and_then(|()| handle(state, call));
    if log::is_mutating(&call.operation) || call.operation == "AssumeRole" {
        cloudtrail::record(state, call, &answer);
    }
    answer
}

fn allowed(state: &State, call: &Call) -> Result<(), Refusal> {
    if call.service == "sts" {
        return Ok(());
    }
    let is_in_force = state.organization.is_active(call.account());
    if !is_in_force {
        let (status, code) = if call.protocol() == Protocol::Query {
            (403, "AccessDenied")
        } else {
            (400, "AccessDeniedException")
        };
        return Err(Refusal::new(
            status,
            code,
            format!("The account {} is suspended or closed.", call.account()),
        ));
    }
    refuse_too_early(state, call)?;
    let action = format!("{}:{}", call.service, call.operation);
    let (resource, facts) = (about::resource(state, call), about::of_call(state, call));
    let asked = Asked { action: &action, resource: &resource, facts: &facts };
    permissions::check(state, &call.principal, &asked, call.protocol())?;
    also_asked(state, call, &asked)
}

/// What AWS asks for on top of the action that is named like the call.
fn also_asked(state: &State, call: &Call, asked: &Asked<'_>) -> Result<(), Refusal> {
    let more: &[&str] = match call.operation.as_str() {
        "DetectStackDrift" => {
            &["cloudformation:DetectStackResourceDrift", "cloudformation:BatchDescribeTypeConfigurations"]
        }
        "CreateAccount" if !call.params.entries("Tags").is_empty() => &["organizations:TagResource"],
        "CreatePolicy" if call.service == "organizations" && !call.params.entries("Tags").is_empty() => {
            &["organizations:TagResource"]
        }
        "CreateRole" if !call.params.entries("Tags").is_empty() => &["iam:TagRole"],
        _ => &[],
    };
    more.iter().try_for_each(|action| {
        permissions::check(state, &call.principal, &Asked { action, ..*asked }, call.protocol())
    })?;
    let target = call.params.text("TargetId").filter(|_| call.operation.ends_with("achPolicy"));
    target.and_then(|id| state.organization.target_arn(id)).map_or(Ok(()), |arn| {
        permissions::check(state, &call.principal, &Asked { resource: &arn, ..*asked }, call.protocol())
    })
}

fn refuse_too_early(state: &State, call: &Call) -> Result<(), Refusal> {
    let ready_at = state.members.get(call.account()).and_then(|member| member.ready_at);
    if call.service == "iam" || ready_at.is_none_or(|ready_at| ready_at <= state.now()) {
        return Ok(());
    }
    Err(Refusal::new(403, "OptInRequired", "The AWS Access Key Id needs a subscription for the service"))
}

fn handle(state: &mut State, call: &Call) -> Answer {
    match call.service.as_str() {
        "sts" => sts::handle(state, call),
        "iam" => iam::handle(state, call),
        "organizations" => organizations::handle(state, call),
        "cloudformation" => cloudformation::handle(state, call),
        "cloudtrail" => cloudtrail::handle(state, call),
        "sns" => sns::handle(state, call),
        _ => Err(call.unknown_operation()),
    }
}
