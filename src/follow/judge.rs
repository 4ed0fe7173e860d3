//! From the files of a commit to what would be in force.
//!
//! Guarantees: what a commit leaves as it was is not worked out again, and comes out as the same memory: reading,
//! loading and sealing alike.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::Accepted;
use crate::clock::Clock;
use crate::git::Signer;
use crate::load::{Checked, Loader, Tree};
use crate::model::{Account, Desired, Slug};
use crate::report::Rejected;

/// Judges one commit after the other.
#[derive(Debug)]
pub(super) struct Judge {
    loader: Loader,
    signer: Option<Signer>,
    /// Accounts with hidden parameters: as they load, and sealed.
    sealed: BTreeMap<Slug, (Arc<Account>, Arc<Account>)>,
}

impl Judge {
    /// `signer` seals hidden parameters.
    pub(super) fn new(signer: Option<Signer>) -> Self {
        Self { loader: Loader::default(), signer, sealed: BTreeMap::new() }
    }

    /// What would be in force, or why the commit does not load.
    pub(super) fn judge(&mut self, tree: &Tree, committed: i64) -> Result<Accepted, Rejected> {
        let today = Clock.now().to_zoned(TimeZone::UTC).date();
        let Checked { desired, diagnostics, held } = self.loader.check(tree, Some(today));
        let Some(mut desired) = desired else {
            let (commit, diagnostics) = (tree.revision.clone(), diagnostics.to_string());
            return Err(Rejected { commit, diagnostics });
        };
        if !diagnostics.is_empty() {
            tracing::warn!(revision = %tree.revision, "the commit loads, but:\n{diagnostics}");
        }
        self.seal(&mut desired);
        Ok(Accepted { desired: Arc::new(desired), held: Arc::new(held), committed })
    }

    fn seal(&mut self, desired: &mut Desired) {
        let Some(signer) = &self.signer else { return };
        let before = std::mem::take(&mut self.sealed);
        for (slug, account) in desired.accounts.iter_mut().filter(|(_, account)| account.hides_something()) {
            let plain = Arc::clone(account);
            match before.get(slug) {
                Some((known, sealed)) if Arc::ptr_eq(known, &plain) => *account = Arc::clone(sealed),
                _ => Arc::make_mut(account).seal(|secret| signer.digest_secret(secret)),
            }
            self.sealed.insert(slug.clone(), (plain, Arc::clone(account)));
        }
    }
}
