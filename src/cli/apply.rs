//! `landfast apply`: one pass of all scopes, and again until nothing moves any more.

use std::process::ExitCode;
use std::time::Duration;

use super::setup::{self, Failure};
use super::{ApplyArgs, progress};
use crate::apply::Progress;
use crate::daemon::{Ending, ending};
use crate::model::{AccountProperty, Blocked, Class, Hold, Item, Mode, Outcome, Verdict};
use crate::reconcile::{Edition, Hands, sweep};
use crate::report::{self, ScopeReport};

/// Runs the command: progress to standard error, the last state of things to standard output.
pub(super) async fn run(args: ApplyArgs) -> Result<ExitCode, Failure> {
    let (start, writers) = setup::start(&args.source).await?;
    let mut publisher = setup::publisher(&args.source, &args.forge, &start)?;
    let (progress, heard) = Progress::heard();
    let bars = tokio::spawn(progress::show(heard));
    let hands = (Mode::from(args.source.mode) > Mode::Observe).then(|| Hands {
        writers,
        progress,
        patience: args.timeout,
    });
    let (accepted, concurrency) = (&start.accepted, args.source.concurrency);
    let mut sweep = sweep::Sweep::new(&start.world, accepted, start.bases, concurrency);
    let until = tokio::time::Instant::now() + args.timeout;
    loop {
        sweep.pass(hands.as_ref()).await;
        let next = if sweep.has_news() { Some(Duration::ZERO) } else { rest(sweep.reports()) };
        match next {
            Some(wait) if tokio::time::Instant::now() + wait < until => {
                tokio::time::sleep(start.pace.scale(wait)).await;
            }
            _ => break,
        }
    }
    drop(hands);
    let edition: Edition = sweep.edition();
    let is_published = publisher.publish(&edition).await;
    let _ = bars.await;
    drop(edition);
    let reports = sweep.into_reports();
    super::out(&report::text(&reports));
    Ok(status(&reports, is_published))
}

/// How long until another look makes sense, if one does.
fn rest<'a>(reports: impl Iterator<Item = &'a ScopeReport>) -> Option<Duration> {
    let wait = |report: &ScopeReport| match ending(&in_motion(report)) {
        Ending::Moved => Some(Duration::from_secs(1)),
        Ending::Waiting(after) => Some(after),
        Ending::Failing | Ending::Quiet | Ending::Stalled => None,
    };
    reports.filter_map(wait).min()
}

/// The report without what only waits for something else: that is in a plan of its own, and without it (an account that
/// was refused, a hold) waiting would be in vain. Of accounts themselves, AWS is at those that wait.
fn in_motion(report: &ScopeReport) -> ScopeReport {
    let is_at_aws = |blocked: &Blocked| {
        report.hold.is_none() && matches!(blocked.item, Item::Account(_, AccountProperty::Exists))
    };
    let mut report_in_motion = report.clone();
    report_in_motion.plan.blocked.retain(|blocked| blocked.needs_person || is_at_aws(blocked));
    report_in_motion
}

/// 0 all in line, 2 something left for a person, 1 an error or something unreadable.
fn status(reports: &[ScopeReport], is_published: bool) -> ExitCode {
    let is_broken = |report: &ScopeReport| {
        let is_gap = report.plan.findings.values().any(|finding| finding.verdict == Verdict::Gap);
        let is_failed =
            |outcome: &Outcome| matches!(outcome, Outcome::Failed { class, .. } if *class != Class::Stalled);
        let is_unread = matches!(report.hold, Some(Hold::Unread(_)));
        is_gap || is_unread || report.outcomes.values().any(is_failed)
    };
    if !is_published || reports.iter().any(is_broken) {
        return ExitCode::from(1);
    }
    let is_in_line = |report: &ScopeReport| {
        let settled = |verdict| matches!(verdict, Verdict::InSync | Verdict::Gone);
        report.plan.blocked.is_empty()
            && report.plan.findings.values().all(|finding| settled(finding.verdict))
    };
    ExitCode::from(if reports.iter().all(is_in_line) { 0 } else { 2 })
}
