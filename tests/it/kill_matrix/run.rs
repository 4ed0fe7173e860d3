//! One run: the rollout, perhaps a kill and a restart, and the judgement once the world has come to rest.

use std::collections::BTreeMap;
use std::time::Duration;

use landfast::apply::Progress;
use landfast::follow::News;
use landfast::observe::DriftLook;
use landfast::reconcile::sweep;
use tokio::time::{Instant, sleep};

use super::reaper::{Call, Point};
use super::truth::{Truth, difference};
use super::world::{LEGACY, N_ACCOUNTS, World, email, slugs};

/// How long a world may take to come to rest: many times longer than it takes.
const PATIENCE: Duration = Duration::from_mins(10);
/// Looking copies what there is of six worlds: seldom enough not to take the time of what is looked at.
const PAUSE: Duration = Duration::from_millis(200);
const COSTLY: Duration = Duration::from_millis(250);
/// Longer than anything gathers before it is published.
const REST: Duration = Duration::from_millis(1200);

/// What a run that nobody disturbed comes to: what every other must come to, and every call there is.
pub(super) struct Model {
    pub(super) truth: Truth,
    pub(super) calls: BTreeMap<Call, u32>,
}

/// How a run with a kill ended.
pub(super) enum Verdict {
    /// As if nobody had killed anything.
    Right,
    /// The same, but this run made no such call.
    NotReached,
    /// What went wrong.
    Wrong(String),
}

/// Runs undisturbed.
pub(super) async fn undisturbed() -> Model {
    let world = World::begin(None).await;
    world.start("first");
    let began = Instant::now();
    while !world.is_rolled_out() {
        assert!(began.elapsed() < PATIENCE, "it is never rolled out\n{}", world.logs());
        sleep(PAUSE).await;
    }
    let mut trace = world.trace();
    loop {
        sleep(REST).await;
        let now = world.trace();
        if now == trace {
            break;
        }
        trace = now;
        assert!(began.elapsed() < PATIENCE, "it never comes to rest\n{}", world.logs());
    }
    let calls = world.reaper.seen();
    let truth = world.truth();
    world.judge(&truth).await.unwrap();
    world.reaper.kill();
    world.every_mischief_is_seen(&truth).await;
    Model { truth, calls }
}

/// Runs, is killed at this point, starts again and runs until nothing moves any more.
pub(super) async fn killed_at(point: &Point, model: &Model) -> Verdict {
    let world = World::begin(Some(point.clone())).await;
    world.start("first");
    let judged = world.through(model).await;
    world.reaper.kill();
    match judged {
        Err(wrong) => Verdict::Wrong(format!("{wrong}\n{}", world.logs())),
        Ok(()) if world.reaper.has_killed() => Verdict::Right,
        Ok(()) => Verdict::NotReached,
    }
}

impl World {
    async fn through(&self, model: &Model) -> Result<(), String> {
        let began = Instant::now();
        let mut is_restarted = false;
        let mut looked = began;
        loop {
            // The whole truth is costly to look at, and this is done again and again.
            if self.is_rolled_out() && looked.elapsed() > COSTLY {
                looked = Instant::now();
                if self.truth() == model.truth {
                    break;
                }
            }
            if self.reaper.has_killed() && !is_restarted {
                self.start("second");
                is_restarted = true;
            }
            if let Some(status) = self.reaper.ended() {
                return Err(format!("the program ended by itself: {status}"));
            }
            if began.elapsed() > PATIENCE {
                return Err(format!(
                    "it never ends as it should:\n{}",
                    difference(&model.truth, &self.truth()).join("\n")
                ));
            }
            sleep(PAUSE).await;
        }
        self.reaper.spare();
        // It may have been killed between the last look and now.
        if self.reaper.has_killed() && !is_restarted {
            self.start("second");
        }
        self.judge(&model.truth).await
    }

    /// A cheap look whether all is there.
    fn is_rolled_out(&self) -> bool {
        let pulls = self.stage.github.pulls().len();
        let accounts = self.stage.aws.accounts();
        let stacks = || accounts.iter().flat_map(|account| self.stage.aws.stacks(&account.id));
        pulls >= N_ACCOUNTS
            && self.stage.github.issues().len() == 2
            && stacks().filter(|stack| stack.status == "CREATE_COMPLETE").count() >= 2 * N_ACCOUNTS
    }

    /// Starts again, and waits until the program has looked at everything and said what it has to say.
    async fn looks(&self) -> Result<(), String> {
        self.reaper.kill();
        let count = || {
            let seen = self.reaper.seen();
            let of = |operation: &str, account: &str| {
                let call =
                    Call { side: "aws".into(), operation: operation.into(), account: account.to_owned() };
                seen.get(&call).copied().unwrap_or_default()
            };
            let accounts = slugs().into_iter().map(|slug| of("DescribeStacks", &slug));
            accounts.chain([of("ListAccounts", "management")]).collect::<Vec<_>>()
        };
        let (before, began) = (count(), Instant::now());
        self.start("last");
        while !before.iter().zip(count()).all(|(before, now)| now > *before) {
            if began.elapsed() > PATIENCE {
                return Err("it looks no more".to_owned());
            }
            sleep(PAUSE).await;
        }
        sleep(REST).await;
        Ok(())
    }

    /// A world at rest stays at rest, also when the program starts anew; has what it should once; and leaves nothing to
    /// do.
    async fn judge(&self, expected: &Truth) -> Result<(), String> {
        let before = self.trace();
        self.looks().await?;
        if self.trace() != before {
            return Err(format!("it does not rest: {before:?}, then {:?}", self.trace()));
        }
        let differs = difference(expected, &self.truth());
        if !differs.is_empty() {
            return Err(format!("at rest it is not as it should be:\n{}", differs.join("\n")));
        }
        self.counts()?;
        self.nothing_is_left().await
    }

    /// Everything is there once, whatever an undisturbed run came to.
    pub(super) fn counts(&self) -> Result<(), String> {
        let accounts = self.stage.aws.accounts();
        let mut emails: Vec<_> = accounts.iter().map(|account| account.email.to_lowercase()).collect();
        emails.sort();
        let mut wanted: Vec<_> = slugs().iter().map(|slug| email(slug)).collect();
        wanted.extend([email(LEGACY), email("management")]);
        wanted.sort();
        same("accounts", &emails, &wanted)?;
        for account in accounts.iter().filter(|account| account.email.contains("team")) {
            same("the place", &account.ou.as_str(), &"/workloads")?;
            let mut stacks: Vec<_> = self
                .stage
                .aws
                .stacks(&account.id)
                .into_iter()
                .map(|stack| (stack.name, stack.status))
                .collect();
            stacks.sort();
            let whole = |name: &str| (name.to_owned(), "CREATE_COMPLETE".to_owned());
            same("stacks", &stacks, &vec![whole("logs"), whole("role")])?;
        }
        let asked = self.stage.aws.mutations();
        let asked = asked.iter().filter(|entry| entry.operation == "CreateAccount" && entry.acted).count();
        // The older account was asked for too.
        same("accounts asked for", &asked, &(N_ACCOUNTS + 1))?;
        let mut issues: Vec<_> = self.stage.github.issues();
        issues.sort_by_key(|issue| issue.is_open);
        same("issues", &issues.iter().map(|issue| issue.is_open).collect(), &vec![false, true])?;
        // A comment may get lost, since the body says what it says; it must not be said twice.
        let said = self.stage.github.comments(issues[0].number).len();
        if said > 1 {
            return Err(format!("the end of an issue is told {said} times"));
        }
        let mut heads: Vec<_> =
            self.stage.github.pulls().into_iter().filter_map(|pull| Some(pull.pull?.head)).collect();
        heads.sort();
        same("pull requests", &heads, &slugs().iter().map(|slug| format!("landfast/record-{slug}")).collect())
    }

    /// A plan that somebody without any memory draws of the world as it is now is empty.
    async fn nothing_is_left(&self) -> Result<(), String> {
        let daemon = self.stage.daemon(Progress::default(), None).await.unwrap();
        let bases = daemon.publisher.bases().await;
        let mut follow = daemon.follow;
        let Ok(News::Accepted(accepted)) = follow.look().await else {
            return Err("the commit is not accepted".to_owned());
        };
        for report in sweep::look(&daemon.world, &accepted, &bases, DriftLook::LastKnown, 8).await {
            if !report.plan.is_empty() {
                return Err(format!("there is something left to do: {:?}", report.plan.steps));
            }
        }
        Ok(())
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, wanted: &T) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{what}: {found:?} instead of {wanted:?}")) }
}
