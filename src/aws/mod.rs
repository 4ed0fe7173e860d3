//! The only folder that names an AWS SDK: sessions, then one file per service, reads apart from writes.
//!
//! Guarantees:
//! - A [`Reader`] cannot write; a [`Writer`] does nothing else.
//! - Every call ends in time, and a call that must not be repeated is sent once.
//! - A list is complete or it is an error.
//! - A session is proved to be in the account it is for before the first call goes through it.
//!
//! Assumes the commercial partition (`aws`).

mod cloud;
mod codes;
mod connections;
mod error;
mod pace;
mod read;
mod session;
mod settings;
mod sides;
mod visitor;
mod write;

pub use cloud::{Cloud, READ_SESSION, WRITE_SESSION_PREFIX};
pub use error::{Error, Refusal};
pub use pace::Pace;
pub use read::{
    Change, ChangeSet, Detection, ListedAccount, ListedPolicy, Lookup, OuChild, Reader, ResourceDrift, Root,
    StackEvent, StackSeen, Subscription, TrailEvent, first_failure,
};
pub use settings::{Keys, Settings, Timeouts};
pub use sides::{Readers, Writers};
pub use visitor::Visitor;
pub use write::{NewChangeSet, Writer};
