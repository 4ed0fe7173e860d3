//! The ground truth.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use super::faults::Faults;
use crate::sandbox::watch::Watcher;

/// How many writes back a list can be stale.
const REMEMBERED: usize = 64;

/// What GitHub knows.
#[derive(Debug, Default)]
pub(super) struct Store {
    /// Issues and pull requests share their numbers.
    pub(super) issues: BTreeMap<u64, Issue>,
    pub(super) comments: Vec<Comment>,
    pub(super) labels: BTreeMap<String, Label>,
    pub(super) requests: Vec<Request>,
    pub(super) faults: Faults,
    /// What the last writes found: the issue's number, and the issue, if there was one.
    past: VecDeque<(u64, Option<Issue>)>,
    pub(super) watcher: Option<Arc<dyn Watcher>>,
    /// Requests counted against the hourly limit.
    pub(super) used: u64,
}

/// An issue, or what a pull request shares with one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Its body in markdown.
    pub body: String,
    /// Its labels.
    pub labels: BTreeSet<String>,
    /// True while it is open.
    pub is_open: bool,
    /// Why it was closed, as GitHub spells it.
    pub state_reason: Option<String>,
    /// Who opened it.
    pub author: String,
    /// Who closed it.
    pub closed_by: Option<String>,
    /// When it was opened.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
    /// When it was closed.
    pub closed: Option<Timestamp>,
    /// What makes it a pull request.
    pub pull: Option<PullRequest>,
}

/// What a pull request has beyond an issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    /// The branch to merge.
    pub head: String,
    /// The repository that branch is in, as `owner/name`; nothing where it was deleted.
    pub head_repository: Option<String>,
    /// The branch to merge into.
    pub base: String,
    /// The commit that merged it.
    pub merged: Option<String>,
}

/// A comment on an issue or a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Its id.
    pub id: u64,
    /// The issue.
    pub issue: u64,
    /// Its author.
    pub author: String,
    /// Its body in markdown.
    pub body: String,
    /// When it was written.
    pub created: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) color: String,
    pub(super) description: String,
}

/// One request to the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query, empty where there is none.
    pub query: String,
    /// Who asked; empty where the token was not accepted.
    pub login: String,
    /// The status it was answered with; 0 where the connection was dropped.
    pub status: u16,
}

impl Store {
    /// Every issue, as it was before the last so many writes.
    pub(super) fn issues_before(&self, writes: usize) -> Cow<'_, BTreeMap<u64, Issue>> {
        let mut issues = Cow::Borrowed(&self.issues);
        for (number, found) in self.past.iter().rev().take(writes) {
            match found {
                Some(issue) => issues.to_mut().insert(*number, issue.clone()),
                None => issues.to_mut().remove(number),
            };
        }
        issues
    }

    /// Keeps what a request that may change an issue finds.
    pub(super) fn remember_before(&mut self, method: &str, path: &str) {
        let mut segments = path.split('/').skip_while(|segment| !matches!(*segment, "issues" | "pulls"));
        let is_write = method != "GET" && segments.next().is_some();
        let named = segments.next().map(str::parse::<u64>);
        match named.unwrap_or_else(|| Ok(self.next_number())) {
            Ok(number) if is_write => self.remember(number),
            _ => {}
        }
    }

    /// Keeps what there is before a write.
    pub(super) fn remember(&mut self, number: u64) {
        if self.past.len() == REMEMBERED {
            self.past.pop_front();
        }
        self.past.push_back((number, self.issues.get(&number).cloned()));
    }

    fn next_number(&self) -> u64 {
        self.issues.keys().next_back().map_or(1, |last| last + 1)
    }

    pub(super) fn open(&mut self, author: &str, title: &str, body: &str, at: Timestamp) -> u64 {
        let number = self.next_number();
        let issue = Issue {
            number,
            title: title.to_owned(),
            body: body.to_owned(),
            labels: BTreeSet::new(),
            is_open: true,
            state_reason: None,
            author: author.to_owned(),
            closed_by: None,
            created: at,
            updated: at,
            closed: None,
            pull: None,
        };
        self.issues.insert(number, issue);
        number
    }

    pub(super) fn set_open(&mut self, number: u64, is_open: bool, by: &str, at: Timestamp) {
        let Some(issue) = self.issues.get_mut(&number).filter(|issue| issue.is_open != is_open) else {
            return;
        };
        issue.is_open = is_open;
        issue.updated = at;
        issue.closed = (!is_open).then_some(at);
        issue.closed_by = (!is_open).then(|| by.to_owned());
        issue.state_reason = Some(if is_open { "reopened" } else { "completed" }.to_owned());
    }

    pub(super) fn comment(&mut self, issue: u64, author: &str, body: &str, at: Timestamp) -> Comment {
        let id = self.comments.len() as u64 + 1;
        let comment = Comment { id, issue, author: author.to_owned(), body: body.to_owned(), created: at };
        self.comments.push(comment.clone());
        comment
    }

    /// Sets labels; GitHub makes those that do not exist.
    pub(super) fn set_labels(&mut self, number: u64, names: impl IntoIterator<Item = String>) {
        let names: BTreeSet<_> = names.into_iter().collect();
        for name in &names {
            let grey = || Label { color: "ededed".to_owned(), description: String::new() };
            self.labels.entry(name.clone()).or_insert_with(grey);
        }
        if let Some(issue) = self.issues.get_mut(&number) {
            issue.labels = names;
        }
    }
}
