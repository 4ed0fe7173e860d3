//! What keeps a step from being taken now.

use super::Draft;
use crate::model::Item;

/// Why something is not done now, as a sentence without a full stop.
pub(super) enum Hindrance {
    /// Time, or another pass, resolves it.
    Wait(String),
    /// A person has to do something.
    Person(String),
}

pub(super) fn wait(because: impl Into<String>) -> Hindrance {
    Hindrance::Wait(because.into())
}

pub(super) fn person(because: impl Into<String>) -> Hindrance {
    Hindrance::Person(because.into())
}

impl Draft {
    /// Holds `item` back for that reason.
    pub(super) fn hinder(&mut self, item: &Item, hindrance: &Hindrance) {
        match hindrance {
            Hindrance::Wait(because) => self.wait(item, because),
            Hindrance::Person(because) => self.refuse(item, because),
        }
    }
}
