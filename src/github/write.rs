//! Writing to GitHub. Each call sends one request, once.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Method;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Error;
use super::lag::Lag;
use super::read::{Pull, PullAnswer};
use super::transport::Transport;
use crate::report::label_words;

/// Writes issues and pull requests of one repository.
#[derive(Clone)]
pub struct Writer {
    transport: Arc<Transport>,
    lag: Arc<Lag>,
    /// The labels that exist, as far as we know.
    labels: Arc<Mutex<BTreeSet<String>>>,
}

/// A pull request to open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewPull {
    /// The title.
    pub title: String,
    /// The body, in markdown.
    pub body: String,
    /// The branch to merge, which must have been pushed.
    pub head: String,
    /// The branch to merge into.
    pub base: String,
}

#[derive(Deserialize)]
struct Written {
    number: u64,
    updated_at: Timestamp,
}

/// Whatever GitHub answers, as long as it is JSON.
type Anything = serde::de::IgnoredAny;

#[derive(Serialize)]
struct NewIssue<'a> {
    title: &'a str,
    body: &'a str,
    labels: &'a BTreeSet<String>,
}

/// What to change of an issue; what is absent stays.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct IssueEdit<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) labels: Option<&'a BTreeSet<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state_reason: Option<&'static str>,
}

#[derive(Serialize)]
struct NewComment<'a> {
    body: &'a str,
}

#[derive(Serialize)]
struct NewLabel<'a> {
    name: &'a str,
    color: &'a str,
    description: &'a str,
}

impl Writer {
    pub(super) fn new(transport: Arc<Transport>, lag: Arc<Lag>) -> Self {
        Self { transport, lag, labels: Arc::default() }
    }

    /// Opens an issue and gives its number. After an error that leaves doubt, list before calling this again.
    pub async fn create_issue(
        &self,
        title: &str,
        body: &str,
        labels: &BTreeSet<String>,
    ) -> Result<u64, Error> {
        let path = self.transport.path("issues");
        let issue = NewIssue { title, body, labels };
        let created: Written = self.transport.send(Method::POST, &path, Some(&issue)).await?;
        self.lag.wrote(created.number, created.updated_at);
        Ok(created.number)
    }

    pub(super) async fn edit_issue(&self, number: u64, edit: &IssueEdit<'_>) -> Result<(), Error> {
        let path = self.transport.path(&format!("issues/{number}"));
        let written: Written = self.transport.send(Method::PATCH, &path, Some(edit)).await?;
        self.lag.wrote(written.number, written.updated_at);
        Ok(())
    }

    /// Comments on an issue or a pull request.
    pub async fn comment(&self, number: u64, body: &str) -> Result<(), Error> {
        let path = self.transport.path(&format!("issues/{number}/comments"));
        self.transport.send::<Anything>(Method::POST, &path, Some(&NewComment { body })).await?;
        Ok(())
    }

    /// Opens a pull request. After an error that leaves doubt, list before calling this again.
    pub async fn create_pull(&self, pull: &NewPull) -> Result<Pull, Error> {
        let path = self.transport.path("pulls");
        Ok(self.transport.send::<PullAnswer>(Method::POST, &path, Some(pull)).await?.into())
    }

    /// Makes those of `labels` that do not exist, each tried once in the life of this process: GitHub would make them
    /// too, but grey and without a word. One that exists is left as it is.
    pub(super) async fn ensure_labels(&self, labels: &BTreeSet<String>) -> Result<(), Error> {
        let missing = labels.difference(&self.labels()).cloned().collect::<Vec<_>>();
        for name in missing {
            let Some(words) = label_words(&name) else { continue };
            match self.ensure_label(&name, words.color, words.description).await {
                // Without them an issue is worth no less.
                Ok(()) | Err(Error::Forbidden { .. } | Error::Missing { .. } | Error::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
            self.labels().insert(name);
        }
        Ok(())
    }

    fn labels(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.labels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes sure a label exists, so that it has a colour and a description.
    pub async fn ensure_label(&self, name: &str, color: &str, description: &str) -> Result<(), Error> {
        let path = self.transport.path("labels");
        let label = NewLabel { name, color, description };
        match self.transport.send::<Anything>(Method::POST, &path, Some(&label)).await {
            Ok(_) => Ok(()),
            Err(Error::Outdated { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
