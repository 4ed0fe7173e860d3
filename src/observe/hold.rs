//! The brake that works when git and the forge are down: a tag on the organization's root or on an account.

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::aws::Reader;
use crate::model::{AccountId, HOLD_TAG};

/// What the root's tags said last and when they were asked: one answer serves every pass that was under way by then.
#[derive(Debug, Default)]
pub struct RootHold(Mutex<Option<(Instant, Option<String>)>>);

impl RootHold {
    /// Why all writes are held, if they are, asked at `since` or later. `reader` reads the management account; `root`
    /// is the root's id (`r-…`).
    pub async fn since(&self, since: Instant, reader: &Reader, root: &str) -> Option<String> {
        // Whoever comes while it is asked waits for the answer instead of asking as well.
        let mut known = self.0.lock().await;
        if let Some((_, hold)) = known.as_ref().filter(|(asked, _)| *asked >= since) {
            return hold.clone();
        }
        let asked = Instant::now();
        let hold = root_hold(reader, root).await;
        *known = Some((asked, hold.clone()));
        hold
    }
}

/// Why all writes are held, if they are.
pub(super) async fn root_hold(reader: &Reader, root: &str) -> Option<String> {
    at(reader, root, "the organization's root").await
}

/// Why writes to one account are held, if they are. `reader` reads the management account.
pub async fn account_hold(reader: &Reader, account: &AccountId) -> Option<String> {
    at(reader, account.as_str(), &format!("account {account}")).await
}

/// What cannot be read may say hold, so it counts as one.
async fn at(reader: &Reader, id: &str, place: &str) -> Option<String> {
    match reader.tags_of(id).await {
        Ok(tags) => tags.get(HOLD_TAG).map(|value| words(place, value)),
        Err(error) => Some(format!("whether a hold is set could not be read: {error}")),
    }
}

fn words(place: &str, value: &str) -> String {
    if value.is_empty() {
        return format!("the tag {HOLD_TAG} is set on {place}");
    }
    format!("the tag {HOLD_TAG} on {place} says: {value}")
}
