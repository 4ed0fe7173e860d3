//! Types of policies, which the root has enabled or not.

use serde_json::{Value, json};

use super::super::super::call::Call;
use super::super::super::state::{State, Work};
use super::super::super::wire::{Answer, Refusal};
use super::super::{Organization, invalid, required};

/// The types there are, as the API spells them.
const KNOWN: [&str; 14] = [
    "AISERVICES_OPT_OUT_POLICY",
    "BACKUP_POLICY",
    "BEDROCK_POLICY",
    "CHATBOT_POLICY",
    "DECLARATIVE_POLICY_EC2",
    "GUARDDUTY_POLICY",
    "INSPECTOR_POLICY",
    "NETWORK_SECURITY_DIRECTOR_POLICY",
    super::RESOURCE_CONTROL,
    "S3_POLICY",
    "SECURITYHUB_POLICY",
    super::SERVICE_CONTROL,
    "TAG_POLICY",
    "UPGRADE_ROLLOUT_POLICY",
];

/// What the root says of a type; one it does not speak of is disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    PendingEnable,
    Enabled,
    PendingDisable,
}

impl Status {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::PendingEnable => "PENDING_ENABLE",
            Self::Enabled => "ENABLED",
            Self::PendingDisable => "PENDING_DISABLE",
        }
    }
}

/// The type that a call names.
pub(crate) fn asked<'a>(call: &'a Call, parameter: &str) -> Result<&'a str, Refusal> {
    let kind = required(call, parameter)?;
    if KNOWN.contains(&kind) {
        return Ok(kind);
    }
    Err(invalid("INVALID_ENUM_POLICY_TYPE", "You specified a policy type that is not valid."))
}

impl Organization {
    pub(crate) fn shown_root(&self) -> Value {
        let shown = |(kind, status): (&String, &Status)| json!({"Type": kind, "Status": status.word()});
        let types: Vec<Value> = self.policies.types.iter().map(shown).collect();
        json!({"Id": self.root, "Name": "Root", "Arn": self.arn("root", &self.root), "PolicyTypes": types})
    }
}

fn root_is_meant(state: &State, call: &Call) -> Result<(), Refusal> {
    if required(call, "RootId")? == state.organization.root {
        return Ok(());
    }
    Err(Refusal::bad("RootNotFoundException", "You specified a root that doesn't exist."))
}

/// The type that is to be switched, and what it is now.
fn switched<'a>(state: &State, call: &'a Call) -> Result<(&'a str, Option<Status>), Refusal> {
    root_is_meant(state, call)?;
    let kind = asked(call, "PolicyType")?;
    let status = state.organization.policies.types.get(kind).copied();
    if matches!(status, Some(Status::PendingEnable | Status::PendingDisable)) {
        let message = "Changes to the effective policy are in progress, and its contents can't be returned. Try again \
                       later.";
        return Err(Refusal::bad("PolicyChangesInProgressException", message));
    }
    Ok((kind, status))
}

pub(crate) fn enable(state: &mut State, call: &Call) -> Answer {
    let (kind, status) = switched(state, call)?;
    if status.is_some() {
        let message = "The specified policy type is already enabled.";
        return Err(Refusal::bad("PolicyTypeAlreadyEnabledException", message));
    }
    Ok(begin(state, kind, Status::PendingEnable))
}

pub(crate) fn disable(state: &mut State, call: &Call) -> Answer {
    let (kind, status) = switched(state, call)?;
    if status.is_none() {
        let message = "The specified policy type isn't currently enabled in this root.";
        return Err(Refusal::bad("PolicyTypeNotEnabledException", message));
    }
    Ok(begin(state, kind, Status::PendingDisable))
}

fn begin(state: &mut State, kind: &str, status: Status) -> Value {
    state.organization.policies.types.insert(kind.to_owned(), status);
    let due = state.due(state.config.policy_type);
    state.schedule(due, Work::SwitchPolicyType { kind: kind.to_owned() });
    json!({"Root": state.organization.shown_root()})
}

/// Carries out what was begun: everything gets AWS's own policy of a type that is new, or loses all of one that ends.
pub(crate) fn finish(state: &mut State, kind: &str) {
    let organization = &mut state.organization;
    match organization.policies.types.get(kind) {
        Some(Status::PendingDisable) => {
            organization.policies.types.remove(kind);
            let of_kind: Vec<String> = organization.policies.of(kind).collect();
            organization.policies.attached.retain(|(policy, _)| !of_kind.contains(policy));
        }
        Some(Status::PendingEnable) => set_enabled(organization, kind),
        Some(Status::Enabled) | None => {}
    }
}

pub(crate) fn set_enabled(organization: &mut Organization, kind: &str) {
    organization.policies.types.insert(kind.to_owned(), Status::Enabled);
    let targets = organization.ous.keys().chain(organization.accounts.keys()).cloned();
    let targets: Vec<String> = targets.chain([organization.root.clone()]).collect();
    for target in &targets {
        organization.policies.welcome(target);
    }
}

impl super::Policies {
    fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = String> + 'a {
        self.by_id.values().filter(move |policy| policy.kind == kind).map(|policy| policy.id.clone())
    }
}
