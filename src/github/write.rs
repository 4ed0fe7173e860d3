//! Writing to GitHub. Each call sends one request, once.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::Method;
use serde::{Deserialize, Serialize};

use super::Error;
use super::read::{Pull, PullAnswer};
use super::transport::Transport;

/// Writes issues and pull requests of one repository.
#[derive(Clone)]
pub struct Writer {
    transport: Arc<Transport>,
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
struct Numbered {
    number: u64,
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
    pub(super) fn new(transport: Arc<Transport>) -> Self {
        Self { transport }
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
        let created: Numbered = self.transport.send(Method::POST, &path, Some(&issue)).await?;
        Ok(created.number)
    }

    pub(super) async fn edit_issue(&self, number: u64, edit: &IssueEdit<'_>) -> Result<(), Error> {
        let path = self.transport.path(&format!("issues/{number}"));
        self.transport.send::<Anything>(Method::PATCH, &path, Some(edit)).await?;
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
