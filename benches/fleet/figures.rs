//! The figures that the design aims for, and whether they are met.

use crate::fleet::STACKS;
use crate::phases::{Measured, Phase};
use crate::table::per;

/// One figure.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) what: String,
    pub(crate) measured: String,
    pub(crate) limit: String,
    pub(crate) is_met: bool,
}

fn at_most(what: impl Into<String>, measured: f64, limit: f64) -> Figure {
    let is_met = measured <= limit + 1e-9;
    Figure { what: what.into(), measured: format!("{measured:.2}"), limit: format!("≤ {limit:.2}"), is_met }
}

/// Judges everything that was measured.
pub(crate) fn judge(all: &[Measured]) -> Vec<Figure> {
    let mut figures: Vec<Figure> = all.iter().flat_map(of_phase).collect();
    figures.extend(growth(all));
    figures
}

fn of_phase(measured: &Measured) -> Vec<Figure> {
    let size = measured.accounts;
    let name = |what: &str| format!("{size} accounts, {:?}: {what}", measured.phase).to_lowercase();
    let each = per(measured.calls.len(), size);
    let mutating = measured.calls.iter().filter(|entry| entry.is_mutating).count();
    let mut figures = match measured.phase {
        Phase::Cold => vec![at_most(name("calls an account"), each, 2.1)],
        Phase::Warm => vec![at_most(name("calls an account"), each, 1.1)],
        Phase::Drift => drift(measured, name),
        Phase::Rollout => rollout(measured, STACKS.len(), name),
        Phase::Change => rollout(measured, 1, name),
        Phase::Confirm => Vec::new(),
        Phase::Slow => vec![at_most(name("calls an account, polls too (best neighbour: 23)"), each, 23.0)],
        Phase::New => vec![new(measured, name)],
    };
    if matches!(measured.phase, Phase::Cold | Phase::Warm | Phase::Drift | Phase::Confirm) {
        figures.push(at_most(name("calls that write"), per(mutating, 1), 0.0));
    }
    figures.extend(resources(measured, name));
    figures
}

/// Time and memory of a sweep, for the two sizes that the design names.
fn resources(measured: &Measured, name: impl Fn(&str) -> String) -> Vec<Figure> {
    let Measured { phase, accounts, cost, .. } = measured;
    let megabytes = f64::from(u32::try_from(cost.peak).unwrap_or(u32::MAX)) / 1024.0;
    let wall = match phase {
        Phase::Cold => 0.6,
        Phase::Warm => 0.15,
        _ => return Vec::new(),
    };
    match accounts {
        100 => vec![
            at_most(name("seconds"), cost.wall, wall),
            at_most(name("seconds of CPU"), cost.cpu, 0.2),
            at_most(name("MB at the peak"), megabytes, 40.0),
        ],
        1000 => vec![
            at_most(name("time over calls × latency ÷ concurrency"), cost.wall / measured.bound(), 1.5),
            at_most(name("MB at the peak"), megabytes, 100.0),
        ],
        _ => Vec::new(),
    }
}

fn drift(measured: &Measured, name: impl Fn(&str) -> String) -> Vec<Figure> {
    let size = measured.accounts;
    let of = |operation| measured.count(operation);
    vec![
        at_most(name("detections a stack"), per(of("DetectStackDrift"), size * STACKS.len()), 1.0),
        at_most(name("polls of single stacks"), per(of("DescribeStackDriftDetectionStatus"), 1), 0.0),
        at_most(name("reads of resources, nothing drifted"), per(of("DescribeStackResourceDrifts"), 1), 0.0),
    ]
}

/// Polls are what comes after the first description of an account's stacks.
fn rollout(measured: &Measured, changed: usize, name: impl Fn(&str) -> String) -> Vec<Figure> {
    let size = measured.accounts;
    let of = |operation| measured.count(operation);
    let stack = of("CreateChangeSet") + of("DescribeChangeSet") + of("ExecuteChangeSet");
    let polls = of("DescribeStacks").saturating_sub(size);
    let rest = measured.calls.len() - stack - polls;
    vec![
        at_most(name("calls a changed stack"), per(stack, size * changed), 3.0),
        at_most(name("calls an account beside these and polls"), per(rest, size), 2.0),
    ]
}

/// Six for the account, three for each stack, one for its setting. List pages are apart.
fn new(measured: &Measured, name: impl Fn(&str) -> String) -> Figure {
    let pages = measured.calls.iter().filter(|entry| is_page(&entry.operation)).count();
    let limit = 6 + 3 * STACKS.len() + 1;
    at_most(name("calls beside list pages"), per(measured.calls.len() - pages, 1), per(limit, 1))
}

fn is_page(operation: &str) -> bool {
    matches!(
        operation,
        "ListAccounts" | "ListCreateAccountStatus" | "ListRoots" | "ListOrganizationalUnitsForParent"
    )
}

/// A thousand accounts cost at most 10.5 times what a hundred cost.
fn growth(all: &[Measured]) -> Vec<Figure> {
    let of = |phase, size| all.iter().find(|m: &&Measured| m.phase == phase && m.accounts == size);
    let phases = [Phase::Cold, Phase::Warm];
    let pairs = phases.into_iter().filter_map(|phase| Some((phase, of(phase, 100)?, of(phase, 1000)?)));
    pairs
        .flat_map(|(phase, small, large)| {
            let name = |what: &str| format!("1000 against 100 accounts, {phase:?}: {what}").to_lowercase();
            [
                at_most(name("calls"), per(large.calls.len(), small.calls.len()), 10.5),
                at_most(name("CPU"), large.cost.cpu / small.cost.cpu.max(0.01), 10.5),
            ]
        })
        .collect()
}
