//! One round: read the issues, plan, write. Nothing is remembered from one round to the next.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::write::IssueEdit;
use super::{Error, NewPull, Pull, Reader, Writer};
use crate::report::{IssueStep, PullWords, Wanted, reconcile};

/// What one round did, by issue number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Issues that were opened.
    pub opened: Vec<u64>,
    /// Issues that were changed in place.
    pub edited: Vec<u64>,
    /// Issues that were closed.
    pub closed: Vec<u64>,
    /// Issues that were opened again.
    pub reopened: Vec<u64>,
}

impl Published {
    /// True when GitHub already showed what it should.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Makes GitHub show the issues that should be open. `at` is the time, for words such as "open for 2 h".
///
/// If the issues cannot be listed to the end, nothing is written. The first write that fails ends the round; the
/// next round lists again, and finds what was done in spite of a lost answer.
pub async fn publish(
    reader: &Reader,
    writer: &Writer,
    wanted: &Wanted,
    at: Timestamp,
) -> Result<Published, Error> {
    if *wanted == Wanted::default() {
        return Ok(Published::default());
    }
    let me = reader.me().await?;
    let seen = reader.issues(&me).await?;
    let mut published = Published::default();
    for step in reconcile(&seen, &me, wanted, at) {
        published.take(writer, &step).await?;
    }
    Ok(published)
}

/// Opens a pull request for our branch `head` into `base` unless one is open; either way gives it. One from a fork
/// does not count, whatever its branch is called.
pub async fn propose(
    reader: &Reader,
    writer: &Writer,
    words: &PullWords,
    head: &str,
    base: &str,
) -> Result<Pull, Error> {
    let is_it = |pull: &Pull| !pull.is_from_elsewhere && pull.head == head && pull.base == base;
    if let Some(pull) = reader.open_pulls().await?.into_iter().find(is_it) {
        return Ok(pull);
    }
    let (title, body) = (words.title.clone(), words.body.clone());
    writer.create_pull(&NewPull { title, body, head: head.to_owned(), base: base.to_owned() }).await
}

impl Published {
    async fn take(&mut self, writer: &Writer, step: &IssueStep) -> Result<(), Error> {
        match step {
            IssueStep::Create { issue, .. } => {
                writer.ensure_labels(&issue.labels).await?;
                self.opened.push(writer.create_issue(&issue.title, &issue.body, &issue.labels).await?);
            }
            IssueStep::Edit { number, title, body, labels } => {
                let edit = IssueEdit { labels: labels.as_ref(), ..text(title, body) };
                writer.ensure_labels(labels.as_ref().unwrap_or(&BTreeSet::new())).await?;
                writer.edit_issue(*number, &edit).await?;
                self.edited.push(*number);
            }
            // The state goes first: should the comment get lost, the body already says what it would.
            IssueStep::Close { number, body, comment } => {
                let state = Some("closed");
                let edit = IssueEdit {
                    body: Some(body),
                    state,
                    state_reason: Some("completed"),
                    ..IssueEdit::default()
                };
                writer.edit_issue(*number, &edit).await?;
                self.closed.push(*number);
                writer.comment(*number, comment).await?;
            }
            IssueStep::Reopen { number, title, body, labels, comment } => {
                let edit = IssueEdit { labels: labels.as_ref(), state: Some("open"), ..text(title, body) };
                writer.ensure_labels(labels.as_ref().unwrap_or(&BTreeSet::new())).await?;
                writer.edit_issue(*number, &edit).await?;
                self.reopened.push(*number);
                writer.comment(*number, comment).await?;
            }
            IssueStep::Settle { number, body } => {
                writer.edit_issue(*number, &IssueEdit { body: Some(body), ..IssueEdit::default() }).await?;
                self.edited.push(*number);
            }
        }
        Ok(())
    }
}

fn text<'a>(title: &'a str, body: &'a str) -> IssueEdit<'a> {
    IssueEdit { title: Some(title), body: Some(body), ..IssueEdit::default() }
}
