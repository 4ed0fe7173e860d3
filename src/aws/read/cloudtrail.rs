//! CloudTrail: who did what, one region and one attribute a call, at most two calls a second.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_cloudtrail::operation::lookup_events::LookupEventsOutput;
use aws_sdk_cloudtrail::primitives::DateTime;
use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};

use super::super::Error;
use super::super::session::Repeat;
use super::Reader;
use crate::model::{Region, Value};

/// AWS allows two lookups a second in an account and region.
const BETWEEN_LOOKUPS: Duration = Duration::from_millis(500);

/// What to look events up by: AWS takes one attribute a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The name of the call, such as `UpdateAccountPasswordPolicy`.
    EventName(String),
    /// The name or ARN of what was touched.
    ResourceName(String),
}

/// A recorded call.
#[derive(Clone, Debug, PartialEq)]
pub struct TrailEvent {
    /// CloudTrail's id.
    pub id: String,
    /// The name of the call.
    pub name: String,
    /// When, seconds since 1970.
    pub time: i64,
    /// The whole record as CloudTrail keeps it.
    pub record: Value,
}

/// Pages that are read at most, newest first: whoever floods the trail hides himself, and nothing more.
const MAX_PAGES: usize = 4;

impl Reader {
    /// Events of one region between two times (seconds since 1970), newest first; of a great many the newest 200.
    pub async fn trail(
        &self,
        region: &Region,
        lookup: &Lookup,
        from: i64,
        until: i64,
    ) -> Result<Vec<TrailEvent>, Error> {
        let client = self.session.cloudtrail(Some(region), Repeat::Freely).await?;
        let request = client
            .lookup_events()
            .lookup_attributes(attribute(lookup).map_err(|_| self.lacks("LookupEvents", "attribute"))?)
            .start_time(DateTime::from_secs(from))
            .end_time(DateTime::from_secs(until))
            .max_results(50);
        let pause = self.pace().scale(BETWEEN_LOOKUPS);
        let fetch = |token: Option<String>| {
            let call = request.clone().set_next_token(token).send();
            async move {
                tokio::time::sleep(pause).await;
                call.await
            }
        };
        let n_pages = AtomicUsize::new(0);
        let split = |page: LookupEventsOutput| {
            let is_last = n_pages.fetch_add(1, Ordering::Relaxed) + 1 >= MAX_PAGES;
            (page.events, page.next_token.filter(|_| !is_last))
        };
        let events = self.session.pages("LookupEvents", fetch, split).await?;
        let mut events: Vec<_> = events.into_iter().filter_map(trail_event).collect();
        events.sort_by_key(|event| std::cmp::Reverse(event.time));
        Ok(events)
    }
}

fn attribute(lookup: &Lookup) -> Result<LookupAttribute, aws_sdk_cloudtrail::error::BuildError> {
    let (key, value) = match lookup {
        Lookup::EventName(name) => (LookupAttributeKey::EventName, name),
        Lookup::ResourceName(name) => (LookupAttributeKey::ResourceName, name),
    };
    LookupAttribute::builder().attribute_key(key).attribute_value(value).build()
}

/// Events whose record cannot be read tell nothing and are left out.
fn trail_event(event: Event) -> Option<TrailEvent> {
    Some(TrailEvent {
        record: serde_json::from_str(event.cloud_trail_event.as_deref()?).ok()?,
        id: event.event_id?,
        name: event.event_name?,
        time: event.event_time?.secs(),
    })
}
