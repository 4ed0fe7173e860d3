//! What apply tells while it works: plain events, for progress bars and logs. Nobody has to listen.

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::model::{Outcome, Scope, StepId};

/// Something that happened to a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// In which scope.
    pub scope: Scope,
    /// To which step.
    pub step: StepId,
    /// What.
    pub news: News,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The step was begun.
    Begun,
    /// It goes on; the text says how far.
    Moved(String),
    /// It ended.
    Ended(Outcome),
}

/// Where events go.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    listener: Option<UnboundedSender<Event>>,
}

impl Progress {
    /// A progress with somebody who listens.
    pub fn heard() -> (Self, UnboundedReceiver<Event>) {
        let (sender, receiver) = unbounded_channel();
        (Self { listener: Some(sender) }, receiver)
    }

    /// Tells what happened. A listener that went away is no reason to stop.
    pub fn tell(&self, scope: &Scope, step: &StepId, news: News) {
        if let Some(listener) = &self.listener {
            let _ = listener.send(Event { scope: scope.clone(), step: step.clone(), news });
        }
    }
}
