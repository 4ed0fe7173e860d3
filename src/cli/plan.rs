//! `landfast plan`: what would change and what has drifted. It is handed readers only.

use std::process::ExitCode;

use super::setup::{self, Failure};
use super::{Format, PlanArgs};
use crate::model::Verdict;
use crate::reconcile::{World, sweep};
use crate::report::{self, ScopeReport};

/// Runs the command; the plan goes to standard output.
pub(super) async fn run(args: PlanArgs) -> Result<ExitCode, Failure> {
    let start = setup::start_looking(&args.source).await?;
    let world: World = start.world;
    let drift = setup::drift_look(args.detect_drift);
    let reports = sweep::look(&world, &start.accepted, &start.bases, drift, args.source.concurrency).await;
    let page = match args.format {
        Format::Text => report::text(&reports),
        Format::Json => report::json(&reports),
    };
    super::out(&page);
    Ok(status(&reports))
}

/// 0 nothing, 2 something, 1 something unreadable.
fn status(reports: &[ScopeReport]) -> ExitCode {
    let verdicts =
        || reports.iter().flat_map(|report| report.plan.findings.values()).map(|finding| finding.verdict);
    if verdicts().any(|verdict| verdict == Verdict::Gap) {
        return ExitCode::from(1);
    }
    let is_quiet = |verdict| matches!(verdict, Verdict::InSync | Verdict::Gone);
    let is_blocked = reports.iter().any(|report| !report.plan.blocked.is_empty());
    ExitCode::from(if verdicts().all(is_quiet) && !is_blocked { 0 } else { 2 })
}
