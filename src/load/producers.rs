//! What a locked stack is given by stacks that are not locked.
//!
//! A lock keeps which output a stack takes, not what that output comes to: this is for whoever decides the stack that
//! makes it. Others could have it make another one, and the locked stack would follow. It is a warning: such a stack may
//! well be somebody else's by intention.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::diagnostic::{At, Fault, Faults, Spot};
use super::layer::Path;
use super::merge::Merged;
use super::rule::Rule;
use crate::model::{Account, Declared, Deferred, OutputRef, Slug, Stack, StackKey, StackName};

/// What there is to know of one account.
#[derive(Debug, Default)]
pub(super) struct Producers {
    /// Its stacks that are locked as a whole.
    locked: BTreeSet<StackName>,
    taken: Vec<Taken>,
}

/// An output that goes into what is locked.
#[derive(Debug)]
struct Taken {
    lock: At<Path>,
    output: OutputRef,
    spot: Spot,
}

/// Of each account that has something locked.
pub(super) type ByAccount<'a> = BTreeMap<&'a Slug, Arc<Producers>>;

impl Producers {
    /// `locks` are those that hold in the account.
    pub(super) fn new(
        locks: &[&At<Path>],
        merged: &Merged<'_>,
        stacks: &BTreeMap<StackKey, Declared<Stack>>,
    ) -> Self {
        let mut found = Self::default();
        for lock in locks.iter().filter(|lock| lock.value[0] == "stacks") {
            if let [_, name] = lock.value.as_slice() {
                found.locked.extend(StackName::parse(name.as_str()));
            }
            let of_it =
                stacks.iter().filter(|(key, _)| lock.value.get(1).is_some_and(|it| it == key.name.as_str()));
            found.taken.extend(of_it.flat_map(|(key, stack)| taken(lock, key, &stack.value, merged)));
        }
        found
    }

    /// True where nothing is locked that has to do with it.
    pub(super) fn is_empty(&self) -> bool {
        self.locked.is_empty() && self.taken.is_empty()
    }
}

/// The outputs that the locked parameters of a stack take.
fn taken(lock: &At<Path>, key: &StackKey, stack: &Stack, merged: &Merged<'_>) -> Vec<Taken> {
    let of = |(name, deferred): (&String, &Deferred)| {
        let path = ["stacks", key.name.as_str(), "parameters", name.as_str()].map(str::to_owned).to_vec();
        let spot = merged.get(&path).filter(|_| path.starts_with(&lock.value))?.spot.clone();
        let taken =
            |output: &OutputRef| Taken { lock: lock.clone(), output: output.clone(), spot: spot.clone() };
        Some(deferred.outputs().map(taken).collect::<Vec<_>>())
    };
    stack.deferred.iter().filter_map(of).flatten().collect()
}

/// Says which locked stacks take outputs of stacks that no lock holds where they are. What could not be built is not
/// there to be looked at.
pub(super) fn warn(of: &ByAccount<'_>, accounts: &BTreeMap<Slug, Arc<Account>>, faults: &mut Faults) {
    for (slug, taken) in of.iter().flat_map(|(slug, it)| it.taken.iter().map(move |taken| (*slug, taken))) {
        let OutputRef { account, stack, .. } = &taken.output;
        let is_locked = of.get(account).is_some_and(|there| there.locked.contains(stack));
        if is_locked || !accounts.contains_key(account) {
            continue;
        }
        let place = if account == slug { String::new() } else { format!(" in accounts/{account}") };
        let lock = taken.lock.value.join(".");
        let message =
            format!("`{lock}` is locked, but not `stacks.{stack}`{place}, an output of which it takes");
        let hint =
            format!("lock `stacks.{stack}` there too: whoever decides it decides what `{lock}` is given");
        let fault = Fault::new(Rule::UnlockedProducer, &taken.lock.spot, message, hint);
        faults.add_for(slug, fault.see(&taken.spot, "taken here"));
    }
}
