//! Mailboxes that have to confirm a subscription: CloudFormation is content once it has asked, yet nobody hears
//! anything before somebody has clicked.
//!
//! Guarantees: one call for each region in which a declared stack with a mailbox stands, none elsewhere. A stack
//! whose mailbox has not confirmed is not changed for it: the part of its value that says so cannot be checked off.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::{Error, Reader, Subscription};
use crate::model::{
    Account, Facts, Item, Mailbox, Observed, Region, SUBSCRIPTIONS, Sight, StackKey, Value, mailboxes,
};

type Mailboxes = BTreeMap<StackKey, BTreeSet<Mailbox>>;

/// Adds to what was seen of an account's stacks which of their mailboxes have yet to confirm.
pub async fn subscriptions(reader: &Reader, account: &Account, observed: &mut Observed) {
    if matches!(&observed.facts, Facts::Account(facts) if facts.closed.is_some()) {
        return;
    }
    for (region, stacks) in standing(account, observed) {
        let seen = reader.mail_subscriptions(&region).await;
        for (key, mailboxes) in stacks {
            let Some(Sight::Present { unchecked, .. }) = observed.items.get_mut(&Item::Stack(key)) else {
                continue;
            };
            unchecked.extend(mailboxes.iter().filter_map(|mailbox| {
                let pointer = format!("{SUBSCRIPTIONS}{}", escaped(&mailbox.address));
                Some((pointer, objection(mailbox, &seen)?))
            }));
        }
    }
}

/// The mailboxes of stacks as they stand, by region: what a stack is about to change is asked for once it has.
fn standing(account: &Account, observed: &Observed) -> BTreeMap<Region, Mailboxes> {
    let mut standing: BTreeMap<Region, Mailboxes> = BTreeMap::new();
    for key in account.stacks.keys() {
        let Some(Sight::Present { value, .. }) = observed.items.get(&Item::Stack(key.clone())) else {
            continue;
        };
        let mailboxes = of_stack(value);
        if !mailboxes.is_empty() {
            standing.entry(key.region.clone()).or_default().insert(key.clone(), mailboxes);
        }
    }
    standing
}

fn of_stack(value: &Value) -> BTreeSet<Mailbox> {
    let parameters = value["parameters"].as_object().into_iter().flatten();
    let texts = parameters.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    mailboxes(value["template"].as_str().unwrap_or_default(), &texts.collect())
}

/// Why nothing reaches a mailbox, as far as SNS tells; nothing when all is well.
fn objection(mailbox: &Mailbox, seen: &Result<Vec<Subscription>, Error>) -> Option<String> {
    let Mailbox { address, topic } = mailbox;
    let all = match seen {
        Ok(all) => all,
        Err(error) => return Some(format!("whether {address} has confirmed could not be read ({error})")),
    };
    let is_its = |it: &&Subscription| {
        it.address.eq_ignore_ascii_case(address) && topic.as_ref().is_none_or(|topic| it.topic == *topic)
    };
    let mut its = all.iter().filter(is_its).peekable();
    if its.peek().is_none() {
        return Some(format!(
            "{address} is not subscribed: it unsubscribed, or confirmed nothing for two days; the stack has to subscribe it anew"
        ));
    }
    let is_waiting = its.any(|it| !it.is_confirmed);
    is_waiting.then(|| format!("waiting for confirmation: the link in the mail that AWS sent to {address}"))
}

/// A key as part of a JSON pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
