//! What was not checked, gathered by what it is and why: the same reason is said once, however many it is true of.

use std::collections::{BTreeMap, BTreeSet};

use super::ScopeReport;
use crate::model::Item;

/// Parts that were not checked for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unseen<'a> {
    /// The part as a person calls it: `drift`, `parameters`.
    pub(super) part: &'a str,
    /// Why, as a sentence without a full stop.
    pub(super) because: &'a str,
    /// The items with the whole path of the part: `drift/Queue`.
    pub(super) items: Vec<(&'a Item, &'a str)>,
}

/// Everything in `report` that was not checked.
pub(super) fn unseen(report: &ScopeReport) -> Vec<Unseen<'_>> {
    let mut gathered: BTreeMap<(&str, &str), Vec<(&Item, &str)>> = BTreeMap::new();
    for (item, finding) in &report.plan.findings {
        for (pointer, because) in &finding.unchecked {
            let path = pointer.trim_start_matches('/');
            let part = path.split('/').next().unwrap_or_default();
            gathered.entry((part, because.as_str())).or_default().push((item, path));
        }
    }
    let unseen = |((part, because), items)| Unseen { part, because, items };
    gathered.into_iter().map(unseen).collect()
}

impl Unseen<'_> {
    /// `6 stacks`: whose part it is.
    pub(super) fn owners(&self) -> String {
        let items: BTreeSet<_> = self.items.iter().map(|(item, _)| *item).collect();
        let are_stacks = items.iter().all(|item| matches!(item, Item::Stack(_)));
        let noun = if are_stacks { "stack" } else { "item" };
        let s = if items.len() == 1 { "" } else { "s" };
        format!("{} {noun}{s}", items.len())
    }
}
