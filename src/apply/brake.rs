//! The brakes of one pass: the `landfast:hold` tags on the root and on the account, and the freezes of the commit.
//!
//! Guarantees: nothing is written before both tags were asked within the pass; a step that comes long after that asks
//! again. What cannot be read counts as a hold. A freeze that begins during a pass holds every step from then on.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::aws::Reader;
use crate::clock::Clock;
use crate::model::{AccountId, Hold, PlannedStep, Rollout, Scope};
use crate::observe::{RootHold, account_hold};

/// How long an answer serves within a pass, at AWS's pace: shorter than a daemon takes to look for commits, so that
/// a brake works no later than a revert would.
const SERVES: Duration = Duration::from_secs(30);

/// Where the tags are, and what they said.
pub struct Brake {
    reader: Reader,
    account: Option<AccountId>,
    root: String,
    shared: Arc<RootHold>,
    began: Instant,
    answer: Mutex<Option<(Instant, Option<Hold>)>>,
}

impl Brake {
    /// The brake of a pass that began at `began`. `reader` reads the management account, `account` is absent for a
    /// pass over the organization, `root` is the root's id.
    pub fn new(
        reader: Reader,
        account: Option<AccountId>,
        root: String,
        shared: Arc<RootHold>,
        began: Instant,
    ) -> Self {
        Self { reader, account, root, shared, began, answer: Mutex::default() }
    }

    /// The same for a pass that has read the root's tags while it observed, and found no hold there.
    #[must_use]
    pub fn asked(self) -> Self {
        Self { answer: Mutex::new(Some((self.began, None))), ..self }
    }

    /// When the pass began.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// Why writes are held now, if they are.
    pub async fn pulled(&self) -> Option<Hold> {
        let serves = self.reader.pace().scale(SERVES);
        let mut answer = self.answer.lock().await;
        if let Some((_, hold)) = answer.as_ref().filter(|(asked, _)| asked.elapsed() < serves) {
            return hold.clone();
        }
        // The first question takes what was asked since the pass began; a later one wants to know it anew.
        let asked = Instant::now();
        let since = if answer.is_none() { self.began } else { asked };
        let hold = self.ask(since).await;
        *answer = Some((asked, hold.clone()));
        hold
    }

    async fn ask(&self, since: Instant) -> Option<Hold> {
        let root = self.shared.since(since, &self.reader, &self.root).await;
        match &self.account {
            Some(account) if root.is_none() => account_hold(&self.reader, account).await,
            _ => root,
        }
    }
}

/// The freezes of the commit that a plan is for. The plan has left out what was frozen when it was drawn.
#[derive(Clone, Copy, Debug)]
pub struct Freezes<'a> {
    /// What the commit says of them.
    pub rollout: &'a Rollout,
    /// What tells whether one holds by now.
    pub clock: Clock,
}

impl Freezes<'_> {
    /// Why a step of this scope is not begun now, if so.
    pub(super) fn hold(self, scope: &Scope, step: &PlannedStep) -> Option<String> {
        let now = self.clock.now().as_second();
        self.rollout.frozen(step.item.whose(scope), now).map(|frozen| frozen.to_string())
    }
}
