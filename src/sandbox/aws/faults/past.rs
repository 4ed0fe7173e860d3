//! What the world was like a while ago, for listings that lag behind.
//!
//! Kept only while a fault asks for it, and only as far back as that fault needs.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use super::super::organizations::Organization;
use super::super::state::{Member, State};

/// What calls can read.
#[derive(Clone, Debug)]
struct World {
    organization: Organization,
    members: BTreeMap<String, Member>,
}

/// The world as it was from each moment on.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// How far back anything may be read; `None` keeps nothing.
    longest: Option<Duration>,
    moments: VecDeque<(Timestamp, World)>,
}

impl Past {
    /// Keeps what `lag` needs, which is on the clock as it runs.
    pub(crate) fn keep(&mut self, lag: Duration) {
        self.longest = self.longest.max(Some(lag));
    }

    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The world as it was then, or as it was when it was first kept.
    fn at(&self, then: Timestamp) -> Option<World> {
        let is_old = |moment: &&(Timestamp, World)| moment.0 <= then;
        let moment = self.moments.iter().rev().find(is_old).or_else(|| self.moments.front());
        moment.map(|(_, world)| world.clone())
    }
}

impl State {
    /// Keeps the world as it is now, where a fault may ask for it.
    pub(crate) fn remember(&mut self) {
        let Some(longest) = self.past.longest else { return };
        let now = self.now();
        let world = World { organization: self.organization.clone(), members: self.members.clone() };
        self.past.moments.push_back((now, world));
        // The newest of those that are old enough is still needed.
        while self.past.moments.get(1).is_some_and(|(at, _)| *at + longest <= now) {
            self.past.moments.pop_front();
        }
    }

    /// Reads the world as it was `lag` ago.
    pub(crate) fn long_ago<T>(&mut self, lag: Duration, read: impl FnOnce(&mut Self) -> T) -> T {
        let then = self.now() - self.clock.scaled(lag);
        let Some(mut past) = self.past.at(then) else { return read(self) };
        self.swap(&mut past);
        let told = read(self);
        self.swap(&mut past);
        told
    }

    fn swap(&mut self, world: &mut World) {
        std::mem::swap(&mut self.organization, &mut world.organization);
        std::mem::swap(&mut self.members, &mut world.members);
    }
}
