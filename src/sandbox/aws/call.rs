//! One call, from who and what to the answer: permission, handler, trail.

use serde_json::Value;

use super::identity::Principal;
use super::state::State;
use super::wire::{Answer, Params as _, Protocol, Refusal};
use super::{cloudformation, cloudtrail, iam, log, organizations, permissions, sts};

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

    /// What the call is about, as policies name it.
    fn resource(&self) -> String {
        let account = self.account();
        let by_role = || {
            let name = self.params.text("RoleName")?;
            Some(format!("arn:aws:iam::{account}:role/{name}"))
        };
        let by_policy = || self.params.text("PolicyArn").map(str::to_owned);
        let by_provider = || match self.operation.as_str() {
            "CreateSAMLProvider" => {
                let name = self.params.text("Name")?;
                Some(format!("arn:aws:iam::{account}:saml-provider/{name}"))
            }
            _ => self.params.text("SAMLProviderArn").map(str::to_owned),
        };
        let by_stack = || {
            let name = self.params.text("StackName")?;
            let is_arn = name.starts_with("arn:");
            Some(if is_arn {
                name.to_owned()
            } else {
                format!("arn:aws:cloudformation:{}:{account}:stack/{name}/*", self.region)
            })
        };
        by_role().or_else(by_policy).or_else(by_provider).or_else(by_stack).unwrap_or_else(|| "*".to_owned())
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
    permissions::check(state, &call.principal, &action, &call.resource(), call.protocol())
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
        _ => Err(call.unknown_operation()),
    }
}
