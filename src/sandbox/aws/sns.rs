//! SNS as far as stacks reach: the subscriptions they made, and who has confirmed.
//!
//! *Guarantees*: a mailbox is pending until it clicks; what needs no click is confirmed at once.

use serde_json::{Value, json};

use super::call::Call;
use super::cloudformation::Stacks;
use super::state::State;
use super::wire::{Answer, Params as _};

/// SNS's own size of a page.
const PAGE: usize = 100;

/// A subscription that is there.
struct Subscription {
    topic: String,
    protocol: String,
    endpoint: String,
    arn: String,
}

pub(crate) fn handle(state: &mut State, call: &Call) -> Answer {
    match call.operation.as_str() {
        "ListSubscriptions" => Ok(list(state, call)),
        _ => Err(call.unknown_operation()),
    }
}

fn list(state: &mut State, call: &Call) -> Value {
    let start = call.params.text("NextToken").and_then(|token| token.parse().ok()).unwrap_or(0);
    let all = subscriptions(state, call);
    let next = (start + PAGE < all.len()).then(|| (start + PAGE).to_string());
    let shown = |it: &Subscription| {
        let is_waiting = it.protocol.starts_with("email")
            && !state.confirmed.contains(&(it.topic.clone(), it.endpoint.clone()));
        let arn = if is_waiting { "PendingConfirmation" } else { &it.arn };
        json!({"SubscriptionArn": arn, "Owner": call.account(), "Protocol": it.protocol,
               "Endpoint": it.endpoint, "TopicArn": it.topic})
    };
    let page: Vec<_> = all.iter().skip(start).take(PAGE).map(shown).collect();
    json!({"Subscriptions": page, "NextToken": next})
}

/// The topics that have sent a link to this mailbox, confirmed or not.
pub(crate) fn topics_that_asked(state: &State, address: &str) -> Vec<String> {
    let places = state.members.values().flat_map(|member| member.stacks.values());
    places.flat_map(in_place).filter(|it| it.endpoint == address).map(|it| it.topic).collect()
}

fn subscriptions(state: &State, call: &Call) -> Vec<Subscription> {
    let place = state.members.get(call.account()).and_then(|member| member.stacks.get(&call.region));
    place.into_iter().flat_map(in_place).collect()
}

/// The subscriptions of one account and region.
fn in_place(place: &Stacks) -> impl Iterator<Item = Subscription> {
    place.bags.iter().flat_map(|((kind, physical), properties)| match kind.as_str() {
        "AWS::SNS::Subscription" => {
            let topic = properties.text("TopicArn").unwrap_or_default();
            vec![subscription(topic, properties, physical)]
        }
        "AWS::SNS::Topic" => {
            let entries = properties.entries("Subscription").iter();
            entries.map(|entry| subscription(physical, entry, physical)).collect()
        }
        _ => Vec::new(),
    })
}

fn subscription(topic: &str, properties: &Value, physical: &str) -> Subscription {
    let text = |key| properties.text(key).unwrap_or_default().to_owned();
    let (protocol, endpoint) = (text("Protocol"), text("Endpoint"));
    Subscription { topic: topic.to_owned(), protocol, endpoint, arn: format!("{physical}:confirmed") }
}
