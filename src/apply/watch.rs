//! Watching stacks: however many are waited for, a region is asked once a round.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::aws::{Error, Reader, StackSeen};
use crate::model::{Facts, Item, Plan, Region, StackFact, StackKey};

/// The shortest and the longest pause between two looks. Operations on stacks take from seconds to hours, so the
/// pause grows.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(30));

/// How old a look may be before a step is begun on it.
pub(super) const FRESH: Duration = Duration::from_secs(5);

/// What was last seen in each region.
pub(super) struct Watch {
    reader: Reader,
    seen: Mutex<BTreeMap<Region, Look>>,
}

struct Look {
    at: Instant,
    stacks: BTreeMap<String, StackSeen>,
}

impl Watch {
    /// Begins with what the pass itself observed, at `at` or later: that is a look as good as any while it is fresh.
    pub(super) fn new(reader: Reader, plan: &Plan, facts: &Facts, at: Instant) -> Self {
        let mut seen: BTreeMap<Region, Look> = BTreeMap::new();
        if let Facts::Account(facts) = facts {
            for key in plan.steps.iter().filter_map(|step| stack_key(&step.item)) {
                let look = seen.entry(key.region.clone()).or_insert(Look { at, stacks: BTreeMap::new() });
                let known = facts.stacks.get(key).map(|fact| (key.name.to_string(), observed(key, fact)));
                look.stacks.extend(known);
            }
        }
        Self { reader, seen: Mutex::new(seen) }
    }

    /// The stack before a step: as the pass observed it if that was a moment ago, and else as it is now.
    pub(super) async fn before(&self, key: &StackKey) -> Result<Option<StackSeen>, Error> {
        self.look(key, self.reader.pace().scale(FRESH)).await
    }

    /// The stack as it is now, or nothing; a look younger than `at_most` serves.
    async fn look(&self, key: &StackKey, at_most: Duration) -> Result<Option<StackSeen>, Error> {
        let now = Instant::now();
        // On a machine that has just started there may be no such moment: then only a new look serves.
        self.since(key, now.checked_sub(at_most).unwrap_or(now)).await
    }

    /// The stack as it was at that moment or later, or nothing.
    pub(super) async fn since(&self, key: &StackKey, moment: Instant) -> Result<Option<StackSeen>, Error> {
        let mut seen = self.seen.lock().await;
        let is_fresh = seen.get(&key.region).is_some_and(|look| look.at >= moment);
        if !is_fresh {
            let at = Instant::now();
            let stacks = self.reader.stacks(&key.region).await?;
            let own = stacks.into_iter().filter(|stack| !stack.is_nested);
            let stacks = own.map(|stack| (stack.name.clone(), stack)).collect();
            seen.insert(key.region.clone(), Look { at, stacks });
        }
        Ok(seen.get(&key.region).and_then(|look| look.stacks.get(key.name.as_str())).cloned())
    }

    /// The pause before the look number `nth`, counted from 0.
    pub(super) fn pause(&self, nth: u32) -> Duration {
        let (shortest, longest) = PAUSES;
        self.reader.pace().scale(shortest.mul_f64(1.5_f64.powi(nth.min(16).cast_signed())).min(longest))
    }

    /// Waits `pause`, then looks; whoever waits in the same region at the same time shares the look.
    pub(super) async fn look_after(
        &self,
        key: &StackKey,
        pause: Duration,
    ) -> Result<Option<StackSeen>, Error> {
        tokio::time::sleep(pause).await;
        self.look(key, pause / 2).await
    }
}

fn stack_key(item: &Item) -> Option<&StackKey> {
    match item {
        Item::Stack(key) => Some(key),
        _ => None,
    }
}

/// What a step compares with: nothing else of the stack is asked of this look.
fn observed(key: &StackKey, fact: &StackFact) -> StackSeen {
    StackSeen {
        id: fact.id.clone(),
        name: key.name.to_string(),
        status: fact.status.clone(),
        updated: fact.updated,
        change_set: fact.change_set.clone(),
        ..StackSeen::default()
    }
}
