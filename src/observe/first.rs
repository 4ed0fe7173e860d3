//! The first look at an account: its session, and the descriptions of its stacks. It hangs on nothing else, so that it
//! can be taken ahead of everything else that is to be known of the account.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt};

use super::stacks::{Stacks, described};
use crate::aws::{Error, Reader};
use crate::model::Region;

/// How many regions of one account are read at once.
pub(super) const REGIONS_AT_ONCE: usize = 4;

/// What the first look showed, region by region; an error where nobody is let in.
#[derive(Debug)]
pub struct FirstLook(pub(super) Result<BTreeMap<Region, Result<Stacks, Error>>, Error>);

impl FirstLook {
    /// False where asking again may let us in.
    pub fn is_final(&self) -> bool {
        self.0.as_ref().err().is_none_or(Error::is_access_denied)
    }
}

/// Enters an account and describes its stacks in `regions`, with a call for each page of each. Another region's stacks
/// are left to be described when it is looked at.
pub async fn first_look(reader: &Reader, regions: BTreeSet<Region>) -> FirstLook {
    if let Err(error) = reader.enter().await {
        return FirstLook(Err(error));
    }
    let described = |region| async move {
        let stacks = described(reader, &region).await;
        (region, stacks)
    };
    let described = stream::iter(regions).map(described).buffer_unordered(REGIONS_AT_ONCE);
    FirstLook(Ok(described.collect().await))
}
