//! Writing, one file per service. Whoever holds a `Writer` has been given the right to change the account.

mod cloudformation;
mod iam;
mod organizations;
mod policies;

use std::sync::Arc;

use super::Error;
use super::session::Session;
use crate::model::AccountId;

pub use cloudformation::NewChangeSet;

/// Writes in one account. Cheap to clone.
#[derive(Clone)]
pub struct Writer {
    session: Arc<Session>,
}

impl Writer {
    pub(super) fn new(session: Arc<Session>) -> Self {
        Self { session }
    }

    /// The account that is written to.
    pub fn account(&self) -> &AccountId {
        self.session.account()
    }

    fn lacks(&self, operation: &'static str, what: &str) -> Error {
        Error::lacks(operation, self.account().as_str(), what)
    }
}
