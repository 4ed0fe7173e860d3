//! Reading, one file per service. Asking for drift detection counts as reading.

mod cloudformation;
mod cloudtrail;
mod iam;
mod organizations;
mod policies;
mod sns;

use std::sync::Arc;

use super::session::Session;
use super::{Error, Pace};
use crate::model::AccountId;

pub use cloudformation::{Change, ChangeSet, Detection, ResourceDrift, StackEvent, StackSeen, first_failure};
pub use cloudtrail::{Lookup, TrailEvent};
pub(super) use iam::saml_provider_arn;
pub(super) use organizations::creation;
pub use organizations::{ListedAccount, OuChild, Root};
pub use policies::ListedPolicy;
pub use sns::Subscription;

/// Reads in one account. Cheap to clone; it has no way to write.
#[derive(Clone)]
pub struct Reader {
    session: Arc<Session>,
}

impl Reader {
    pub(super) fn new(session: Arc<Session>) -> Self {
        Self { session }
    }

    /// The account that is read.
    pub fn account(&self) -> &AccountId {
        self.session.account()
    }

    /// How fast time passes there.
    pub fn pace(&self) -> Pace {
        self.session.inner().pace()
    }

    /// Makes sure that the account can be entered; free while a session is held.
    pub async fn enter(&self) -> Result<(), Error> {
        self.session.enter().await
    }

    fn lacks(&self, operation: &'static str, what: &str) -> Error {
        Error::lacks(operation, self.account().as_str(), what)
    }
}
