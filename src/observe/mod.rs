//! AWS → Observed: what is there now, item by item.
//!
//! Guarantees:
//! - Every wanted item gets a sight of its own. What could not be read is a gap, never absent; what hangs on a
//!   list that failed is a gap as a whole.
//! - It is handed readers only, so it cannot write.
//! - Values come out exactly as `Desired::items` spells them, AWS's noise normalised away.
//! - Work in progress at one time is bounded, and each setting, region and stack fails on its own.

mod account;
mod authors;
mod drift;
mod each;
mod first;
mod hold;
mod organization;
mod policies;
mod shelf;
mod stacks;
mod subscriptions;
mod survey;
mod tags;
mod traces;
mod tree;

pub use account::{AccountLook, DriftLook, account, unentered};
pub use authors::{Question, Witnesses, author};
pub use first::{FirstLook, first_look};
pub use hold::{RootHold, account_hold};
pub use organization::organization;
pub use shelf::{Place, Shelf, Shelved};
pub use stacks::AccountCache;
pub use subscriptions::subscriptions;
pub use survey::{Census, Counted, FoundStack, Inside, census, inside};
pub use tags::OrganizationCache;
