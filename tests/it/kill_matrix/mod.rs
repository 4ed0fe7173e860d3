//! The kill matrix: a rollout that is killed with SIGKILL at any moment of any call it makes, and started again with an
//! empty disk, ends as one that nobody killed.
//!
//! `tests/kills.sh` runs all of it or a part; plain `cargo test` runs a sample.
#![allow(clippy::print_stdout, reason = "two hours of work say how far they are")]
#![allow(clippy::disallowed_methods, reason = "how much is tested is not for the program to know")]

mod mischief;
mod moments;
mod reaper;
mod remote;
mod run;
mod sample;
mod table;
mod truth;
mod world;

use std::sync::{Arc, Mutex};

use tokio::time::Instant;

use self::reaper::Point;
use self::run::{Model, Verdict, killed_at, undisturbed};
use self::sample::Choice;
use self::table::Table;

/// How many worlds at once: what is waited for in one is worked on in another.
const AT_ONCE: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_that_is_killed_at_any_call_ends_as_one_that_is_not() {
    let began = Instant::now();
    let model = Arc::new(undisturbed().await);
    let choice = Choice::from_environment();
    let (points, enough) = match &choice {
        Choice::All(part, parts) => (sample::part_of(&sample::all(&model.calls), *part, *parts), usize::MAX),
        Choice::Some(count, seed) => (sample::drawn(&model.calls, *seed), *count),
        Choice::One(point) => (vec![point.clone()], 1),
    };
    println!(
        "{} calls, {} points; undisturbed in {:.1?}",
        model.calls.values().sum::<u32>(),
        points.len(),
        began.elapsed()
    );
    let table = tried(&model, points, enough).await;
    println!("{}\nin {:.0?}", table.text(), began.elapsed());
    for (point, why) in &table.wrong {
        println!("\n== tests/kills.sh --point '{point}'\n{why}");
    }
    assert!(table.wrong.is_empty(), "{} of the kills ended wrong", table.wrong.len());
    assert!(table.reached() >= enough.min(60), "too few calls were there to kill at: {}", table.summary());
}

/// Tries points until enough of them were reached.
async fn tried(model: &Arc<Model>, points: Vec<Point>, enough: usize) -> Table {
    let table = Arc::new(Mutex::new(Table::default()));
    let queue = Arc::new(Mutex::new((points.into_iter(), 0_usize)));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        let (model, table, queue) = (Arc::clone(model), Arc::clone(&table), Arc::clone(&queue));
        workers.spawn(async move {
            loop {
                let next = {
                    let mut queue = queue.lock().unwrap();
                    if queue.1 >= enough {
                        None
                    } else {
                        queue.1 += 1;
                        queue.0.next()
                    }
                };
                let Some(point) = next else { return };
                let began = Instant::now();
                let verdict = killed_at(&point, &model).await;
                // What was not reached is replaced by another.
                if matches!(verdict, Verdict::NotReached) {
                    queue.lock().unwrap().1 -= 1;
                }
                let mut table = table.lock().unwrap();
                if let Verdict::Wrong(why) = &verdict {
                    println!("WRONG {point}: {}", why.lines().take(12).collect::<Vec<_>>().join("\n    "));
                }
                table.enter(&point, verdict);
                println!("{point} in {:.1?}: {}", began.elapsed(), table.summary());
            }
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended.unwrap();
    }
    Arc::into_inner(table).unwrap().into_inner().unwrap()
}
