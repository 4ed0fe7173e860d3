//! What the connection needs from the command line; everything else comes from the repository or from AWS.

use std::fmt;
use std::time::Duration;

use super::pace::Pace;
use crate::model::Region;

/// How to reach AWS.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Instead of AWS's own endpoints, for every service; `None` leaves it to the environment and the profile.
    pub endpoint_url: Option<String>,
    /// The region whose STS is asked for sessions.
    pub region: Region,
    /// Keys to use instead of the default credential chain.
    pub keys: Option<Keys>,
    /// How fast time passes there.
    pub pace: Pace,
    /// When a call is given up.
    pub timeouts: Timeouts,
    /// How often a call that may be repeated is sent at most.
    pub attempts: u32,
}

/// When a call is given up. There is no unlimited call: a hung endpoint would hang the account for ever.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Until the connection stands.
    pub connect: Duration,
    /// Until one attempt is answered.
    pub attempt: Duration,
    /// Until the call is done, repetitions included.
    pub operation: Duration,
}

/// A pair of keys. Never printed.
#[derive(Clone)]
pub struct Keys {
    /// The access key id.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: String,
    /// The session token, for keys that expire.
    pub session_token: Option<String>,
}

impl Settings {
    /// AWS itself, by the default credential chain.
    pub fn new(region: Region) -> Self {
        Self {
            endpoint_url: None,
            region,
            keys: None,
            pace: Pace::default(),
            timeouts: Timeouts::default(),
            attempts: 3,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_millis(3100),
            attempt: Duration::from_secs(30),
            operation: Duration::from_mins(1),
        }
    }
}

impl Keys {
    /// Long-term keys.
    pub fn new(access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Self {
        Self {
            access_key_id: access_key_id.into(),
            secret_access_key: secret_access_key.into(),
            session_token: None,
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}
