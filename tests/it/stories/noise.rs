//! Noise: a fleet is rolled out, and changed once more, while AWS fails at every turn.
//!
//! Each seed deals other fates. All of them end in the same world, without one write that no commit implies, and for
//! at most three times the calls of a rollout in which nothing fails. `NOISE_SEEDS` says how many seeds (or which:
//! `NOISE_SEEDS=17..18`); a seed that fails says how to repeat it.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use landfast::apply::Progress;
use landfast::daemon::{Daemon, Publisher};
use landfast::git::bare;
use landfast::sandbox::aws::{Calls, Fault, Trouble};
use landfast::sandbox::stage::Scenery;
use tokio::time::{Instant, sleep};

use super::files::{company, logs_template, path, role_template};
use super::{OBSERVED, Play, rest};
use crate::oracle::Implied;

const SLUGS: [&str; 4] = ["alpha", "beta", "gamma", "delta"];
/// What one account has beside the others, for a while.
const EXTRA: &str = "accounts/gamma/extra.template.yaml";
const TOPIC: &str = "Resources:\n  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: extra}}\n";
const ORGANIZATION: &str = "organization/organization.yaml";
const LEAVING: &str = "organization/policies/service-control-policy/deny-leaving.json";
const QUIET: &str = "organization/policies/service-control-policy/quiet.json";
const OWNERS: &str = "organization/policies/tag-policy/owners.json";
const SPEED: f64 = 200.0;
/// Seeds of every `cargo test`.
const SEEDS: Range<u64> = 1..4;
/// Plays at once: most of the time of each is spent waiting.
const AT_ONCE: usize = 20;
/// How long a seed may take before it counts as stuck: far longer than it takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(4);
/// How many times the calls of a quiet rollout a noisy one may take.
const DEARER: usize = 3;

/// What one rollout came to.
struct Rollout {
    calls: usize,
    took: Duration,
    wrong: Vec<String>,
    overlooked: Vec<String>,
}

fn noise() -> Vec<Fault> {
    let everywhere = [
        (0.10, Trouble::Throttle),
        (0.025, Trouble::ErrorBefore(500)),
        (0.025, Trouble::ErrorAfter(500)),
        (0.01, Trouble::Hang),
        (0.01, Trouble::HangAfter),
        (0.01, Trouble::Truncate),
    ];
    let mut faults = Fault::mix(&Calls::OrganizationWrites, &[(0.30, Trouble::ConcurrentModification)]);
    faults.extend(Fault::mix(&Calls::Any, &everywhere));
    faults
}

fn scenery() -> Scenery {
    let mut scenery = Scenery::fast(SPEED);
    scenery.rhythm.poll = Duration::from_millis(400);
    // What is counted is work and not the rhythm of looking, so that a busy machine counts the same. And nothing that
    // goes wrong may need the next resync to go on.
    scenery.rhythm.resync = Duration::from_mins(2);
    scenery.rhythm.detect_drift_every = Duration::from_hours(1);
    scenery.timeouts.attempt = Duration::from_secs(4);
    scenery.timeouts.operation = Duration::from_secs(8);
    scenery
}

fn baseline(length: u32) -> String {
    format!(
        "targets: {{ous: [\"/**\"]}}\n\
         settings:\n  passwordPolicy: {{minimumLength: {length}, requireSymbols: true}}\n\
         stacks:\n  role: {{template: role.template.yaml, capabilities: [CAPABILITY_NAMED_IAM]}}\n  \
         logs: {{template: logs.template.yaml}}\n"
    )
}

fn account(slug: &str, ou: &str, owner: &str) -> String {
    let settings = format!("settings: {{accountAlias: acme-{slug}}}\n");
    format!("{}{settings}", bare_account(slug, ou, owner))
}

fn bare_account(slug: &str, ou: &str, owner: &str) -> String {
    format!("name: Company {slug}\nou: {ou}\ntags: {{owner: {owner}}}\n")
}

/// An account whose alias and whose own stack go with their declarations.
fn passing(slug: &str) -> String {
    format!(
        "{}settings: {{accountAlias: {{value: acme-{slug}, onLeave: remove}}}}\n\
         stacks: {{extra: {{template: extra.template.yaml, onLeave: remove}}}}\n",
        bare_account(slug, "/workloads", slug)
    )
}

/// Four accounts with two settings, two stacks and a tag each.
fn fleet() -> Vec<(String, String)> {
    let mut files = company(&[]);
    files.retain(|(path, _)| !path.starts_with("baselines/") && path != ORGANIZATION);
    files.push((ORGANIZATION.to_owned(), organization("policies: [quiet, deny-leaving]", "")));
    files.push((LEAVING.to_owned(), policy("organizations:LeaveOrganization")));
    files.push((QUIET.to_owned(), policy("account:DisableRegion")));
    files.push((super::files::BASELINE.to_owned(), baseline(14)));
    files.push(("baselines/base/role.template.yaml".to_owned(), role_template()));
    files.push(("baselines/base/logs.template.yaml".to_owned(), logs_template(7)));
    files.extend(SLUGS.iter().map(|slug| (path(slug), account(slug, "/workloads", slug))));
    files.push((path("gamma"), passing("gamma")));
    files.push((EXTRA.to_owned(), TOPIC.to_owned()));
    files
}

/// The organization's file with these words at two of its OUs; what leaves it goes.
fn organization(workloads: &str, special: &str) -> String {
    let files = company(&[]);
    let text = files.iter().find(|(path, _)| path == ORGANIZATION).unwrap().1.clone();
    let ous = format!("ous: {{workloads: {{{workloads}}}, special: {{{special}}}}}\nonLeave: remove");
    text.replace("ous: {workloads: {}, special: {}}", &ous)
}

fn policy(denied: &str) -> String {
    format!(
        "{{\"Version\": \"2012-10-17\",\n \"Statement\": [{{\"Effect\": \"Deny\", \"Action\": \"{denied}\", \"Resource\": \"*\"}}]}}\n"
    )
}

/// A setting and a stack of all change, two accounts move, one gets another tag, there is one account more, two settings
/// and a stack go; a policy changes, one is new, one goes.
fn change(play: &Play) {
    let files = [
        (super::files::BASELINE, Some(baseline(16))),
        ("baselines/base/logs.template.yaml", Some(logs_template(30))),
        (&path("alpha"), Some(account("alpha", "/special", "alpha"))),
        (&path("beta"), Some(account("beta", "/special", "somebody-else") + "policies: [deny-leaving]\n")),
        (&path("gamma"), Some(bare_account("gamma", "/workloads", "gamma"))),
        (EXTRA, None),
        (ORGANIZATION, Some(organization("policies: [deny-leaving]", "policies: [owners]"))),
        (LEAVING, Some(policy("account:CloseAccount"))),
        (QUIET, None),
        (OWNERS, Some("{\"tags\": {\"owner\": {\"tag_key\": {\"@@assign\": \"owner\"}}}}\n".to_owned())),
        (
            &path("delta"),
            Some(
                account("delta", "/workloads", "delta")
                    .replace("{accountAlias", "{passwordPolicy: absent, accountAlias"),
            ),
        ),
        (&path("zeta"), Some(account("zeta", "/workloads", "zeta"))),
    ];
    play.commit("Change much at once", &files);
}

/// Waits until the world is as the newest commit says and Landfast has it on record.
async fn converged(play: &Play, implied: &Implied, publisher: &Publisher) -> Result<(), String> {
    let began = Instant::now();
    let mut looked_at = None;
    loop {
        let mut left = implied.missing(&play.stage.aws);
        let head = bare::head(&play.stage.remote, OBSERVED).ok();
        if left.is_empty() && head != looked_at {
            looked_at = head;
            left = implied.unrecorded(&publisher.bases().await);
            if left.is_empty() {
                return Ok(());
            }
        }
        if began.elapsed() > PATIENCE {
            return Err(format!("it does not converge: {left:?}\n{}", play.scene()));
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until no issue is open: the world is as declared, and AWS answers again.
async fn quiet(play: &Play) -> Result<(), String> {
    let began = Instant::now();
    while !play.open_issues().is_empty() {
        if began.elapsed() > PATIENCE {
            return Err(format!("an issue stays open\n{}", play.scene()));
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Issues that were opened about changes by hand, although nobody changed anything.
fn false_alarms(play: &Play) -> Vec<String> {
    let issues = play.stage.github.issues().into_iter();
    let is_alarm = |body: &str| ["kind=drift", "kind=first-contact"].iter().any(|kind| body.contains(kind));
    issues
        .filter(|issue| is_alarm(&issue.body))
        .map(|issue| format!("{}\n{}", issue.title, issue.body))
        .collect()
}

/// Rolls the fleet out, changes it, and judges what was done.
async fn roll_out(seed: Option<u64>) -> Result<Rollout, String> {
    let began = Instant::now();
    let mut play = Play::set(scenery(), &fleet()).await;
    if let Some(seed) = seed {
        play.stage.aws.sow(seed);
        for fault in noise() {
            play.stage.aws.add_fault(fault);
        }
    }
    let mut implied = Implied::default();
    // Somebody who only reads.
    let Daemon { mut follow, publisher, .. } = play.stage.daemon(Progress::default(), None).await.unwrap();
    implied.accept(&mut follow).await;
    play.start();
    converged(&play, &implied, &publisher).await?;
    change(&play);
    implied.accept(&mut follow).await;
    converged(&play, &implied, &publisher).await?;
    let calls = play.log().len();
    play.stage.aws.clear_faults();
    quiet(&play).await?;
    rest::nothing_is_left_to_do(&play).await;
    let log = play.log();
    let mut wrong = implied.wrong_writes(&play.stage.aws, &log);
    wrong.extend(implied.strangers(&play.stage.aws));
    wrong.extend(false_alarms(&play));
    // Proves on what really happened that the judge is awake.
    let overlooked = if seed.is_none() { implied.overlooked(&play.stage.aws, &log) } else { Vec::new() };
    play.kill();
    Ok(Rollout { calls, took: began.elapsed(), wrong, overlooked })
}

/// The seeds that were asked for.
#[expect(clippy::disallowed_methods, reason = "how much is tested is not for the program to know")]
fn seeds() -> Range<u64> {
    let Ok(asked) = std::env::var("NOISE_SEEDS") else { return SEEDS };
    match asked.split_once("..") {
        Some((from, to)) => from.parse().unwrap()..to.parse().unwrap(),
        None => 1..asked.parse::<u64>().unwrap() + 1,
    }
}

/// A runtime of its own, so that several plays go on at once.
fn alone(seed: Option<u64>) -> Result<Rollout, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(roll_out(seed))
}

/// What is wrong with a seed's rollout, if anything is.
fn complaint(rollout: &Result<Rollout, String>, quiet: usize) -> Option<String> {
    match rollout {
        Err(why) => Some(why.clone()),
        Ok(rollout) if !rollout.wrong.is_empty() => Some(rollout.wrong.join("\n")),
        Ok(rollout) if rollout.calls > DEARER * quiet => {
            Some(format!("{} calls, and {quiet} without noise", rollout.calls))
        }
        Ok(_) => None,
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "the figures are what a run of many seeds is for")]
fn under_noise_every_seed_converges_without_a_wrong_write_and_for_three_times_the_calls_at_most() {
    let quiet = alone(None).unwrap();
    assert_eq!((&quiet.wrong, &quiet.overlooked), (&Vec::new(), &Vec::new()));
    let seeds = seeds();
    let next = AtomicU64::new(seeds.start);
    let told = Mutex::new((String::new(), String::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= seeds.end {
                        return;
                    }
                    let rollout = alone(Some(seed));
                    let mut told = told.lock().unwrap();
                    if let Ok(Rollout { calls, took, .. }) = &rollout {
                        let _ = writeln!(told.0, "seed {seed}: {calls} calls in {took:.1?}");
                    }
                    if let Some(complaint) = complaint(&rollout, quiet.calls) {
                        let _ = writeln!(
                            told.1,
                            "seed {seed}: repeat it with tests/noise.sh {seed}..{}\n{complaint}",
                            seed + 1
                        );
                    }
                }
            });
        }
    });
    let (figures, complaints) = told.into_inner().unwrap();
    eprintln!("without noise: {} calls in {:.1?}\n{figures}", quiet.calls, quiet.took);
    assert!(complaints.is_empty(), "{complaints}");
}
