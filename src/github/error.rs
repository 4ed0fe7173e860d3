//! What GitHub refuses, and what to do about it.

use std::time::Duration;

use crate::model::Class;

/// Why a request to GitHub did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Too many requests, by the hour or at once. Nothing to do: Landfast waits as long as GitHub asks.
    #[error("GitHub asks to wait {} s", retry_after.as_secs())]
    Throttled {
        /// How long to wait at least.
        retry_after: Duration,
    },
    /// No answer, a broken one, or an error within GitHub. A write may have happened: Landfast lists before it
    /// sends it again. Look at GitHub's status page and the network if it lasts.
    #[error("GitHub did not answer {what}")]
    Doubtful {
        /// The request: method and path.
        what: String,
        /// What went wrong.
        #[source]
        source: Cause,
    },
    /// The token is wrong or has expired: give Landfast a new one.
    #[error("GitHub does not accept the token ({message})")]
    Unauthorized {
        /// GitHub's words.
        message: String,
    },
    /// The token may not do this: it needs read and write access to issues, pull requests and contents.
    #[error("the token may not do {what} ({message})")]
    Forbidden {
        /// The request: method and path.
        what: String,
        /// GitHub's words.
        message: String,
    },
    /// The repository does not exist or has moved, the token cannot see it, it is blocked, or issues are switched off
    /// in its settings.
    #[error("GitHub has no {what} ({message})")]
    Missing {
        /// The request: method and path.
        what: String,
        /// GitHub's words.
        message: String,
    },
    /// Something was there already, or changed meanwhile. Nothing to do: Landfast lists again.
    #[error("GitHub has moved on since {what} was decided ({message})")]
    Outdated {
        /// The request: method and path.
        what: String,
        /// GitHub's words.
        message: String,
    },
    /// GitHub understood and refused. Report this: Landfast should not have sent it.
    #[error("GitHub refused {what} with {status} ({message})")]
    Refused {
        /// The request: method and path.
        what: String,
        /// The HTTP status.
        status: u16,
        /// GitHub's words.
        message: String,
    },
    /// The address of the API is not one, or the token could be read on the way there: correct the option.
    #[error("`{url}` is not the address of an API over https (or http, on this machine)")]
    Address {
        /// The address as given.
        url: String,
    },
}

/// Why there was no good answer.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// It took too long.
    #[error("no answer within {:?}", .0)]
    TooLate(Duration),
    /// The connection failed or broke.
    #[error("the connection failed: {0}")]
    Connection(String),
    /// GitHub answered that it is in trouble.
    #[error("status {0}")]
    Status(u16),
    /// The answer was not what GitHub documents.
    #[error("the answer cannot be read: {0}")]
    Unreadable(String),
}

impl Error {
    /// What the loop does next.
    pub fn class(&self) -> Class {
        match self {
            Self::Throttled { .. } => Class::Waiting,
            Self::Doubtful { .. } | Self::Outdated { .. } => Class::Transient,
            Self::Unauthorized { .. } | Self::Forbidden { .. } | Self::Missing { .. } => Class::Stalled,
            Self::Address { .. } => Class::Stalled,
            Self::Refused { .. } => Class::Bug,
        }
    }

    /// How long GitHub asks to wait, if it does.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after } => Some(*retry_after),
            _ => None,
        }
    }
}
