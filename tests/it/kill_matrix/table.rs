//! What was tried and how it ended, for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use landfast::sandbox::watch::Moment;

use super::reaper::{MOMENTS, Point};
use super::run::Verdict;

/// The outcomes so far.
#[derive(Default)]
pub(super) struct Table {
    cells: BTreeMap<(String, Moment), Cell>,
    pub(super) wrong: Vec<(Point, String)>,
}

#[derive(Clone, Copy, Default)]
struct Cell {
    right: usize,
    not_reached: usize,
    wrong: usize,
}

impl Table {
    pub(super) fn enter(&mut self, point: &Point, verdict: Verdict) {
        let row = format!("{} {}", point.call.side, point.call.operation);
        let cell = self.cells.entry((row, point.moment)).or_default();
        match verdict {
            Verdict::Right => cell.right += 1,
            Verdict::NotReached => cell.not_reached += 1,
            Verdict::Wrong(why) => {
                cell.wrong += 1;
                self.wrong.push((point.clone(), why));
            }
        }
    }

    fn sum(&self, of: impl Fn(&Cell) -> usize) -> usize {
        self.cells.values().map(of).sum()
    }

    /// How many were killed where they should be.
    pub(super) fn reached(&self) -> usize {
        self.sum(|cell| cell.right + cell.wrong)
    }

    pub(super) fn summary(&self) -> String {
        let (right, not, wrong) =
            (self.sum(|cell| cell.right), self.sum(|cell| cell.not_reached), self.sum(|cell| cell.wrong));
        format!("{right} right, {wrong} wrong, {not} not reached")
    }

    /// A line for each operation, a column for each moment.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{:44}", "right (+ not reached) (! wrong)");
        for (_, name) in &MOMENTS {
            _ = write!(text, "{name:>14}");
        }
        let rows: std::collections::BTreeSet<_> = self.cells.keys().map(|(row, _)| row).collect();
        for row in rows {
            _ = write!(text, "\n{row:44}");
            for (moment, _) in MOMENTS {
                let cell = self.cells.get(&(row.clone(), moment)).copied().unwrap_or_default();
                _ = write!(text, "{:>14}", cell.text());
            }
        }
        format!("{text}\n{}", self.summary())
    }
}

impl Cell {
    fn text(self) -> String {
        let mut text = self.right.to_string();
        if self.not_reached > 0 {
            _ = write!(text, " +{}", self.not_reached);
        }
        if self.wrong > 0 {
            _ = write!(text, " !{}", self.wrong);
        }
        text
    }
}
