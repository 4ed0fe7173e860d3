//! One account in trouble is no trouble for the others.
//!
//! Nothing here is timed. How far the others got is judged by how many passes they needed, and by whether they were
//! done before the account in trouble got one answer.

use std::sync::Arc;
use std::time::Duration;

use landfast::apply::Progress;
use landfast::model::{Base, Item, Scope, Slug};
use landfast::sandbox::aws::{Calls, Fault, Trouble, When};
use landfast::sandbox::stage::Scenery;
use tokio::time::sleep;

use super::files::{BASELINE, account, baseline, company, path};
use super::{Play, REST};

/// Fast, so that retries are used up soon.
const SPEED: f64 = 1000.0;
const ILL: &str = "alpha";
const WELL: [&str; 3] = ["beta", "gamma", "delta"];

/// A company at rest, whose daemon looks at an account only when there is a reason to.
async fn at_rest(adjust: impl FnOnce(&mut Scenery)) -> Play {
    let mut scenery = Scenery::fast(SPEED);
    scenery.rhythm.poll = Duration::from_millis(100);
    scenery.rhythm.resync = Duration::from_mins(2);
    scenery.rhythm.detect_drift_every = Duration::from_hours(1);
    adjust(&mut scenery);
    let slugs: Vec<_> = [ILL].into_iter().chain(WELL).collect();
    let mut files = company(&[]);
    files.extend(slugs.iter().map(|slug| (path(slug), with_alias(slug, ""))));
    let mut play = Play::set(scenery, &files).await;
    play.start();
    play.until("the accounts are as declared", |play| slugs.iter().all(|slug| play.is_kept(slug))).await;
    // The passes that wrote are followed by one each that confirms; then there is nothing until the next commit.
    loop {
        let before = play.log().len();
        sleep(REST).await;
        if play.log().len() == before {
            return play;
        }
    }
}

/// An account's file that makes every pass read the aliases.
fn with_alias(slug: &str, more: &str) -> String {
    account(slug, &format!("settings: {{accountAlias: acme-{slug}}}\n{more}"))
}

/// Passes over an account so far: each reads the aliases once.
fn passes(play: &Play, slug: &str) -> usize {
    let id = play.id(slug);
    play.calls("ListAccountAliases").iter().filter(|entry| entry.account == id).count()
}

/// Calls into the account in trouble since call number `since`, by whether anything came of them.
fn calls_into_the_ill(play: &Play, since: u64) -> usize {
    let id = play.id(ILL);
    play.log().iter().filter(|entry| entry.account == id && entry.sequence > since).count()
}

fn last(play: &Play) -> u64 {
    play.log().last().unwrap().sequence
}

/// Waits until nothing more is asked in the accounts that are well.
async fn at_rest_but_for_the_ill(play: &Play) {
    let calls = || WELL.map(|slug| play.log().iter().filter(|entry| entry.account == play.id(slug)).count());
    play.until("the others have it", |play| WELL.iter().all(|slug| play.password_length(slug) == Some(15)))
        .await;
    loop {
        let before = calls();
        sleep(REST).await;
        if calls() == before {
            return;
        }
    }
}

/// Merges a change for all, and waits until the accounts that are well have it. How many passes each needed before
/// its first write.
async fn passes_until_written(play: &Play) -> [usize; 3] {
    let since = last(play);
    play.commit("Longer passwords", &[(BASELINE, Some(baseline(16)))]);
    play.until("the others have it", |play| WELL.iter().all(|slug| play.password_length(slug) == Some(16)))
        .await;
    WELL.map(|slug| {
        let id = play.id(slug);
        let log = play.log().into_iter().filter(|entry| entry.account == id && entry.sequence > since);
        log.take_while(|entry| !entry.is_mutating)
            .filter(|entry| entry.operation == "ListAccountAliases")
            .count()
    })
}

/// Waits until the change is on record for the accounts that are well.
async fn recorded(play: &Play) {
    let publisher = play.stage.daemon(Progress::default(), None).await.unwrap().publisher;
    let item: Item = "settings.passwordPolicy".parse().unwrap();
    for slug in WELL {
        let scope = Scope::Account(Slug::parse(slug).unwrap());
        let has_it = |base: &Arc<Base>| base.items.get(&item).is_some_and(|it| it["minimumLength"] == 16);
        while !publisher.bases().await.get(&scope).is_some_and(has_it) {
            sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test]
async fn one_account_that_is_throttled_for_ever_leaves_the_others_all_of_their_retries() {
    let play = at_rest(|_| {}).await;
    let since = last(&play);
    let before = WELL.map(|slug| passes(&play, slug));
    play.stage.aws.add_fault(Fault::new(Calls::Any, When::Every, Trouble::Throttle).within(&play.id(ILL)));
    play.commit("Reach all of them", &[(BASELINE, Some(baseline(15)))]);
    // More than any quota of retries lasts.
    play.until("its retries are used up", |play| calls_into_the_ill(play, since) > 400).await;
    play.until("the others were looked at", |play| {
        WELL.iter().zip(before).all(|(slug, before)| passes(play, slug) > before)
    })
    .await;
    at_rest_but_for_the_ill(&play).await;
    // From here on the others cannot do without theirs.
    for slug in WELL {
        for operation in ["DescribeStacks", "GetAccountPasswordPolicy"] {
            let fault = Fault::new(operation, When::Next(2), Trouble::Throttle).within(&play.id(slug));
            play.stage.aws.add_fault(fault);
        }
    }
    assert_eq!(passes_until_written(&play).await, [1; 3], "{}", play.scene());
    play.stage.aws.clear_faults();
    play.until("it is well again", |play| play.password_length(ILL) == Some(16)).await;
}

#[tokio::test]
async fn the_others_are_done_before_one_call_to_a_hung_endpoint_is_given_up() {
    let play = at_rest(|scenery| {
        // Far longer than the story: whoever waits for such a call is not done in time.
        scenery.timeouts.attempt = Duration::from_mins(30);
        scenery.timeouts.operation = Duration::from_hours(1);
    })
    .await;
    let since = last(&play);
    play.stage.aws.add_fault(Fault::new(Calls::Any, When::Every, Trouble::Hang).within(&play.id(ILL)));
    assert_eq!(passes_until_written(&play).await, [1; 3]);
    recorded(&play).await;
    play.until("it was called", |play| calls_into_the_ill(play, since) > 0).await;
    let id = play.id(ILL);
    let log = play.log().into_iter().filter(|entry| entry.account == id && entry.sequence > since);
    let mut hung: Vec<_> = log.map(|entry| (entry.operation, entry.outcome)).collect();
    let begun = hung.len();
    hung.dedup();
    assert_eq!(hung.len(), begun, "a call was given up and sent again: {hung:?}");
    assert!(hung.iter().all(|(_, outcome)| outcome == "fault:hang"), "{hung:?}");
}
