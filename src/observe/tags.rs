//! Tags of accounts, which cost a call each: read in turns, and while the list of accounts is still coming.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;

use super::each::ORGANIZATIONS_AT_ONCE;
use super::organization::words;
use crate::aws::{Error, ListedAccount, Reader};
use crate::model::AccountId;

type Tags = BTreeMap<String, String>;
/// The tags of each account, or why they could not be read.
pub(super) type TagsOf = BTreeMap<AccountId, Result<Tags, String>>;

/// Tags that were read.
#[derive(Debug)]
pub struct OrganizationCache {
    keep: Duration,
    tags: BTreeMap<AccountId, (Instant, Tags)>,
}

impl OrganizationCache {
    /// A cache that believes tags for as long as `keep`; zero reads them every time.
    pub fn new(keep: Duration) -> Self {
        Self { keep, tags: BTreeMap::new() }
    }

    /// Reads an account's tags again next time: to be called after they were written.
    pub fn forget(&mut self, account: &AccountId) {
        self.tags.remove(account);
    }

    fn fresh(&self, account: &AccountId) -> Option<(Instant, Tags)> {
        self.tags.get(account).filter(|(at, _)| at.elapsed() < self.keep).cloned()
    }
}

/// The list of all accounts, and the tags of those for which `met` says that they matter. It is asked as soon as an
/// account is listed, and its tags are read while the rest of the list is still coming.
pub(super) async fn accounts_and_tags(
    reader: &Reader,
    met: &(dyn Fn(&ListedAccount) -> bool + Send + Sync),
    cache: &mut OrganizationCache,
) -> (Result<Vec<ListedAccount>, Error>, TagsOf) {
    let (tell, told) = unbounded_channel();
    let listing = async move {
        let met = |account: &ListedAccount| {
            if met(account) {
                // Whoever reads the tags listens until the list is whole.
                _ = tell.send(account.id.clone());
            }
        };
        reader.accounts_meeting(&met).await
    };
    tokio::join!(listing, tags(reader, told, cache))
}

/// The tags of all accounts that are `told`; ends when nobody tells any more.
async fn tags(
    reader: &Reader,
    mut told: UnboundedReceiver<AccountId>,
    cache: &mut OrganizationCache,
) -> TagsOf {
    let mut known = BTreeSet::new();
    // While accounts are being made the pages of the list shift, and one is told twice.
    let once =
        stream::poll_fn(|context| told.poll_recv(context)).filter(|id| ready(known.insert(id.clone())));
    let reads = once.map(|id| {
        let fresh = cache.fresh(&id);
        async move {
            let tags = match fresh {
                Some(tags) => Ok(tags),
                None => reader.tags_of(id.as_str()).await.map(|tags| (Instant::now(), tags)),
            };
            (id, tags)
        }
    });
    let read: Vec<_> = reads.buffer_unordered(ORGANIZATIONS_AT_ONCE).collect().await;
    let kept = |(id, tags): (AccountId, Result<(Instant, Tags), Error>)| {
        if let Ok(read) = &tags {
            cache.tags.insert(id.clone(), read.clone());
        }
        (id, tags.map(|(_, tags)| tags).map_err(|error| words(&error)))
    };
    read.into_iter().map(kept).collect()
}
