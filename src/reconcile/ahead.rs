//! First looks at accounts, taken while the list of accounts is still coming.
//!
//! Guarantees: an account is looked at only where git and base both know its id; what was seen is used once, by the
//! sweep that asked for it, and only if the list says that it is the folder's account. Nothing is written or put on
//! record on the strength of it: only [`look`](super::sweep::look) does this.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream::{self, StreamExt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use super::World;
use crate::aws::Reader;
use crate::model::{Account, AccountId, Base, Desired, Item, Region, Scope, Slug};
use crate::observe::{FirstLook, first_look};

/// The first looks of one sweep, for passes to ask for and to take up.
pub struct Ahead {
    regions: BTreeMap<Slug, BTreeSet<Region>>,
    ask: UnboundedSender<Asked>,
    begun: Mutex<BTreeMap<Slug, (AccountId, oneshot::Receiver<FirstLook>)>>,
}

/// The same for whoever takes them.
pub(super) struct Looks(UnboundedReceiver<Asked>);

struct Asked {
    id: AccountId,
    reader: Reader,
    regions: BTreeSet<Region>,
    answer: oneshot::Sender<FirstLook>,
}

impl Ahead {
    /// Looks in the regions in which git or base speak of a stack.
    pub(super) fn new(desired: &Desired, bases: &BTreeMap<Scope, Arc<Base>>) -> (Self, Looks) {
        let of = |account: &Account| (account.slug.clone(), regions(account, bases));
        let regions = desired.accounts.values().map(|account| of(account)).collect();
        let (ask, asked) = unbounded_channel();
        (Self { regions, ask, begun: Mutex::default() }, Looks(asked))
    }

    /// Asks for a look at an account that was listed. While accounts are being made the pages of the list shift, and one
    /// is listed twice.
    pub(super) fn begin(&self, world: &World, account: &Account, id: &AccountId) {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.entry(account.slug.clone()).or_insert_with(|| {
            let regions = self.regions.get(&account.slug).cloned().unwrap_or_default();
            let reader = world.readers.account(id, &account.access);
            let (answer, answered) = oneshot::channel();
            // Nobody looks any more once the sweep is over.
            _ = self.ask.send(Asked { id: id.clone(), reader, regions, answer });
            (id.clone(), answered)
        });
    }

    /// What the first look at this account showed, as soon as it is over; nothing where none was asked for, or where it
    /// failed in a way that may be over by now.
    pub(super) async fn take(&self, slug: &Slug, id: &AccountId) -> Option<FirstLook> {
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner).remove(slug);
        let (_, answered) = begun.filter(|(of, _)| of == id)?;
        answered.await.ok().filter(FirstLook::is_final)
    }
}

impl Looks {
    /// Takes the looks that are asked for, `concurrency` at a time. Never ends by itself: to be dropped with the sweep.
    pub(super) async fn take(self, world: &World, concurrency: usize) -> Infallible {
        let Self(mut asked) = self;
        let looks = stream::poll_fn(|context| asked.poll_recv(context)).map(|asked| async {
            let Asked { id, reader, regions, answer } = asked;
            let seen = first_look(&reader, regions).await;
            world.readers.rest(&id);
            // The account may have turned out to be nobody's.
            _ = answer.send(seen);
        });
        looks.buffer_unordered(concurrency.max(1)).collect::<()>().await;
        std::future::pending().await
    }
}

fn regions(account: &Account, bases: &BTreeMap<Scope, Arc<Base>>) -> BTreeSet<Region> {
    let base = bases.get(&Scope::Account(account.slug.clone()));
    let kept = base.into_iter().flat_map(|base| base.items.keys());
    let declared = account.stacks.keys().map(|key| &key.region);
    let of_items = kept.chain(account.absent.keys()).filter_map(|item| match item {
        Item::Stack(key) => Some(&key.region),
        _ => None,
    });
    declared.chain(of_items).cloned().collect()
}
