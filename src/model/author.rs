//! Who made a change, as far as CloudTrail tells.

use serde::{Deserialize, Serialize};

/// The author of a difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Author {
    /// Not shown yet: CloudTrail can take 15 minutes.
    Pending,
    /// This event made it.
    Known(Box<Event>),
    /// Not to be found, and why.
    Unknown(String),
}

/// The call that made a change, as CloudTrail recorded it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The ARN of who called, session name included.
    pub principal: String,
    /// The call, such as `AttachRolePolicy`.
    pub event_name: String,
    /// CloudTrail's id of the event.
    pub event_id: String,
    /// When, seconds since 1970.
    pub time: i64,
    /// From where, as CloudTrail spells it; empty where it does not say.
    pub source_ip: String,
    /// With what, as CloudTrail spells it; empty where it does not say.
    pub user_agent: String,
    /// True when the session was made with a second factor.
    pub mfa: bool,
    /// True when it was a write session of Landfast.
    pub is_ours: bool,
}
