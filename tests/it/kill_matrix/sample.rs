//! Which points to try, and in which order.

use std::collections::BTreeMap;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;

use landfast::sandbox::watch::Moment;

use super::reaper::{Call, MOMENTS, Point};

/// What is chosen by the environment.
#[derive(Debug)]
pub(super) enum Choice {
    /// Every moment of every call, or one of so many parts of that: (2, 4) is the second quarter.
    All(usize, usize),
    /// This many, drawn with this seed.
    Some(usize, u64),
    /// One.
    One(Point),
}

/// How many are tried unless somebody asks for more: as many as plain `cargo test` has the time for.
const USUAL: usize = 60;

impl Choice {
    /// From `LANDFAST_KILLS` (`all`, a part such as `2/4`, a number or a point) and `LANDFAST_KILLS_SEED`.
    pub(super) fn from_environment() -> Self {
        let seed = std::env::var("LANDFAST_KILLS_SEED").map_or(1, |seed| seed.parse().expect("a number"));
        match std::env::var("LANDFAST_KILLS").as_deref() {
            Err(_) | Ok("") => Self::Some(USUAL, seed),
            Ok("all") => Self::All(1, 1),
            Ok(text) => match (text.parse(), part(text)) {
                (Ok(count), _) => Self::Some(count, seed),
                (_, Some((part, parts))) => Self::All(part, parts),
                _ => Self::One(text.parse().expect("`all`, a part such as `2/4`, a number or a point")),
            },
        }
    }
}

fn part(text: &str) -> Option<(usize, usize)> {
    let (part, parts) = text.split_once('/')?;
    let (part, parts) = (part.parse().ok()?, parts.parse().ok()?);
    (1..=parts).contains(&part).then_some((part, parts))
}

/// One part of the points. They are the same from run to run, so that all parts together are all of them.
pub(super) fn part_of(points: &[Point], part: usize, parts: usize) -> Vec<Point> {
    let bound = |part: usize| points.len() * part / parts;
    points[bound(part - 1)..bound(part)].to_vec()
}

/// Every moment of every call.
pub(super) fn all(calls: &BTreeMap<Call, u32>) -> Vec<Point> {
    let nth = |(call, count): (&Call, &u32)| {
        let call = call.clone();
        (1..=*count).flat_map(move |nth| {
            let call = call.clone();
            MOMENTS.iter().map(move |(moment, _)| Point { call: call.clone(), nth, moment: *moment })
        })
    };
    calls.iter().flat_map(nth).collect()
}

/// All points in an order where each operation and moment comes once before any comes twice, those of writes first.
pub(super) fn drawn(calls: &BTreeMap<Call, u32>, seed: u64) -> Vec<Point> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut strata: BTreeMap<(bool, String, String, Moment), Vec<Point>> = BTreeMap::new();
    for point in all(calls) {
        let (side, operation) = (point.call.side.clone(), point.call.operation.clone());
        strata.entry((is_read(&operation), side, operation, point.moment)).or_default().push(point);
    }
    for points in strata.values_mut() {
        points.shuffle(&mut random);
    }
    let (mut writes, mut reads): (Vec<_>, Vec<_>) =
        strata.into_iter().partition(|((is_read, ..), _)| !is_read);
    writes.shuffle(&mut random);
    reads.shuffle(&mut random);
    let mut strata: Vec<_> = writes.into_iter().chain(reads).map(|(_, points)| points).collect();
    let mut order = Vec::new();
    while strata.iter().any(|points| !points.is_empty()) {
        order.extend(strata.iter_mut().filter_map(Vec::pop));
    }
    order
}

fn is_read(operation: &str) -> bool {
    let reading = ["Get", "List", "Describe", "Assume", "GET", "upload-pack", "receive-pack refs"];
    reading.iter().any(|prefix| operation.starts_with(prefix))
}
