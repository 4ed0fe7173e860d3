//! Reading GitHub. Nothing here can change anything there.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::OnceCell;

use super::Error;
use super::lag::Lag;
use super::transport::Transport;
use crate::report::{Me, SeenIssue};

/// Reads issues and pull requests of one repository.
#[derive(Clone)]
pub struct Reader {
    transport: Arc<Transport>,
    lag: Arc<Lag>,
    /// A token belongs to one login for as long as it lives.
    me: Arc<OnceCell<Me>>,
}

/// A pull request, as far as we need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// The branch it wants merged.
    pub head: String,
    /// True when that branch is in another repository, or in one that was deleted: anybody may open such a one, and
    /// name the branch as they like.
    pub is_from_elsewhere: bool,
    /// The branch it is to be merged into.
    pub base: String,
    /// The commit at the tip of that branch.
    pub head_commit: String,
    /// Where people read it.
    pub url: String,
}

#[derive(Deserialize)]
struct IssueAnswer {
    number: u64,
    title: String,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    labels: Vec<LabelAnswer>,
    state: String,
    user: Option<UserAnswer>,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// GitHub lists pull requests among the issues.
    pull_request: Option<serde_json::Value>,
}

/// A label is an object, or in old answers its bare name.
#[derive(Deserialize)]
#[serde(untagged)]
enum LabelAnswer {
    Object { name: Option<String> },
    Name(String),
}

#[derive(Deserialize)]
struct UserAnswer {
    login: String,
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Deserialize)]
pub(super) struct PullAnswer {
    number: u64,
    title: String,
    head: EndAnswer,
    base: EndAnswer,
    html_url: String,
}

/// Either end of a pull request.
#[derive(Deserialize)]
struct EndAnswer {
    #[serde(rename = "ref")]
    branch: String,
    sha: String,
    /// Null where a fork was deleted.
    repo: Option<RepositoryAnswer>,
}

#[derive(PartialEq, Deserialize)]
struct RepositoryAnswer {
    full_name: String,
}

impl Reader {
    pub(super) fn new(transport: Arc<Transport>, lag: Arc<Lag>) -> Self {
        Self { transport, lag, me: Arc::default() }
    }

    /// Who we are, by `GET /user`, asked once. An app may not ask that.
    pub async fn me(&self) -> Result<Me, Error> {
        self.me.get_or_try_init(|| self.ask_who_we_are()).await.cloned()
    }

    async fn ask_who_we_are(&self) -> Result<Me, Error> {
        match self.transport.get::<UserAnswer>("/user").await {
            Ok(user) => Ok(Me::User(user.login)),
            Err(Error::Forbidden { .. }) => Ok(Me::App),
            Err(error) => Err(error),
        }
    }

    /// Every issue that `me` may have opened, open and closed, oldest first, without pull requests. All pages or an
    /// error.
    ///
    /// Only our own are believed; those of strangers are not even asked for, or else they could make the list as long
    /// as they like. An app cannot ask for its own, since it does not know its name.
    pub async fn issues(&self, me: &Me) -> Result<Vec<SeenIssue>, Error> {
        let path = self.transport.path("issues");
        let mut query = "state=all&sort=created&direction=asc".to_owned();
        if let Me::User(login) = me {
            query.extend(["&creator="].into_iter().chain(form_urlencoded::byte_serialize(login.as_bytes())));
        }
        let mut answers: Vec<IssueAnswer> = self.transport.list(&path, &query).await?;
        self.catch_up(&mut answers).await?;
        let issues = answers.into_iter().filter(|answer| answer.pull_request.is_none());
        Ok(issues.map(IssueAnswer::seen).collect())
    }

    /// Reads one by one what the list does not show yet.
    async fn catch_up(&self, answers: &mut Vec<IssueAnswer>) -> Result<(), Error> {
        let listed = answers.iter().map(|answer| (answer.number, answer.updated_at)).collect();
        for number in self.lag.behind(&listed) {
            let path = self.transport.path(&format!("issues/{number}"));
            let found = match self.transport.get::<IssueAnswer>(&path).await {
                // One that was moved to another repository is answered with what it is there.
                Ok(answer) => Some(answer).filter(|answer| answer.number == number),
                Err(Error::Missing { .. }) => None,
                Err(error) => return Err(error),
            };
            answers.retain(|answer| answer.number != number);
            match found {
                Some(answer) => answers.push(answer),
                None => self.lag.is_gone(number),
            }
        }
        answers.sort_by_key(|answer| answer.number);
        Ok(())
    }

    /// Every open pull request, oldest first. All pages or an error.
    pub async fn open_pulls(&self) -> Result<Vec<Pull>, Error> {
        let path = self.transport.path("pulls");
        let answers: Vec<PullAnswer> =
            self.transport.list(&path, "state=open&sort=created&direction=asc").await?;
        Ok(answers.into_iter().map(Pull::from).collect())
    }
}

impl IssueAnswer {
    fn seen(self) -> SeenIssue {
        let user = self.user.unwrap_or(UserAnswer { login: "ghost".to_owned(), kind: String::new() });
        let labels: BTreeSet<_> = self.labels.into_iter().filter_map(LabelAnswer::name).collect();
        SeenIssue {
            number: self.number,
            title: self.title,
            body: self.body.unwrap_or_default(),
            labels,
            is_open: self.state == "open",
            author_is_app: user.kind == "Bot",
            author: user.login,
            created: self.created_at,
        }
    }
}

impl LabelAnswer {
    fn name(self) -> Option<String> {
        match self {
            Self::Object { name } => name,
            Self::Name(name) => Some(name),
        }
    }
}

impl From<PullAnswer> for Pull {
    fn from(answer: PullAnswer) -> Self {
        // The base is always in the repository that was asked, whatever that is called by now.
        let is_from_elsewhere = answer.head.repo.is_none() || answer.head.repo != answer.base.repo;
        Self {
            number: answer.number,
            title: answer.title,
            head: answer.head.branch,
            is_from_elsewhere,
            base: answer.base.branch,
            head_commit: answer.head.sha,
            url: answer.html_url,
        }
    }
}
