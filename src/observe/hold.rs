//! The brake that works when git and the forge are down: a tag on the organization's root or on an account.

use crate::aws::{Error, Reader};
use crate::model::{AccountId, HOLD_TAG};

/// Why writes are held, if they are. `reader` reads the management account; `root` is the root's id (`r-…`).
///
/// An error means that nobody knows, and must be treated as a hold.
pub async fn hold(reader: &Reader, account: Option<&AccountId>, root: &str) -> Result<Option<String>, Error> {
    if let Some(value) = reader.tags_of(root).await?.get(HOLD_TAG) {
        return Ok(Some(words("the organization's root", value)));
    }
    let Some(account) = account else { return Ok(None) };
    let tags = reader.tags_of(account.as_str()).await?;
    Ok(tags.get(HOLD_TAG).map(|value| words(&format!("account {account}"), value)))
}

fn words(place: &str, value: &str) -> String {
    if value.is_empty() {
        return format!("the tag {HOLD_TAG} is set on {place}");
    }
    format!("the tag {HOLD_TAG} on {place} says: {value}")
}
