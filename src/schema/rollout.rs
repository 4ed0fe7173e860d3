//! `rollout` and `freeze` of `landfast.yaml`.

use schemars::JsonSchema;

use super::{DayOfWeek, Hours, Moment, OuPath, Reason, Span, Targets, TimeZone, Tolerance, WaveName};

/// In which order a change reaches accounts.
#[derive(JsonSchema)]
#[schemars(extend("anyOf" = [{"required": ["waves"]}, {"required": ["policies"]}]))]
pub struct Rollout {
    /// The waves, the first one first; an account is in the first one that names it.
    pub waves: Option<Vec<Wave>>,
    /// Where policies of the organization are tried before they are attached anywhere else.
    pub policies: Option<PolicyRollout>,
}

/// Where policies of the organization are tried first.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyRollout {
    /// The OU; what is attached there or below comes first.
    pub first_ou: OuPath,
    /// How long a policy is watched there before it is attached elsewhere.
    pub soak: Option<Span>,
    /// Whether it then waits for an operator's word.
    pub approval: Option<bool>,
}

/// Accounts that a change reaches together.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Wave {
    /// It is named in all that waits for it.
    pub name: WaveName,
    /// Which accounts it is for; all that is given has to hold.
    pub targets: Targets,
    /// How many of its accounts may fail before the next wave is held.
    pub tolerance: Option<Tolerance>,
    /// How long it is watched before the next one begins.
    pub soak: Option<Span>,
    /// Whether it waits for an operator's word.
    pub approval: Option<bool>,
}

/// A time in which nothing is written, whatever was merged: once `from` and `until`, or every week on `days`.
#[derive(JsonSchema)]
#[schemars(extend("oneOf" = [{"required": ["from", "until"]}, {"required": ["days"]}]))]
#[serde(rename_all = "camelCase")]
pub struct Freeze {
    /// A person will ask for it.
    pub reason: Reason,
    /// The first day, or a minute of it.
    pub from: Option<Moment>,
    /// The last day, which is frozen to its end, or a minute of it.
    pub until: Option<Moment>,
    /// Days of each week.
    #[schemars(length(min = 1))]
    pub days: Option<Vec<DayOfWeek>>,
    /// Hours of those days, such as 18:00-08:00.
    pub hours: Option<Hours>,
    /// The time zone of days and hours, such as Europe/Zurich; UTC unless it is said.
    pub time_zone: Option<TimeZone>,
    /// Which accounts it is for, where that is not all of them.
    pub targets: Option<Targets>,
}
