//! Sessions: who we are in which account, proved before the first call.
//!
//! Guarantees: a session is asked for once however many want it at the same time; a session that answers from another account
//! is never used; credentials are renewed five minutes before they end; a read session is named `landfast-read`
//! and, where the role itself may write, is made under a policy that only reads.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_sdk_sts::config::http::HttpResponse;
use aws_sdk_sts::config::retry::RetryPartition;
use aws_sdk_sts::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::types::PolicyDescriptorType;
use tokio::time::Instant;

use super::Error;
use super::cloud::Inner;
use crate::model::{AccountId, Region, RoleName};

const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
/// How long a session lasts: the most that AWS gives to a role assumed by a role.
const LIFETIME: Duration = Duration::from_hours(1);
/// How long before its end a session is renewed.
const MARGIN: Duration = Duration::from_mins(5);
/// How many empty pages in a row a list may have.
const PATIENCE: usize = 50;
/// Where services live that exist once per account.
const GLOBAL: &str = "us-east-1";

/// As whom calls are made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Identity {
    /// The daemon's own credentials.
    Own,
    /// A role of the account.
    Role(Assumption),
}

/// How a role is assumed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Assumption {
    /// Roles to try, the better one first; the next one only when the one before is denied.
    pub(super) roles: Vec<Candidate>,
    pub(super) session_name: String,
    pub(super) external_id: Option<String>,
}

/// A role and whether the session is confined to reading.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    pub(super) role: RoleName,
    pub(super) confined: bool,
}

/// Calls into one account under one identity.
pub(super) struct Session {
    inner: Arc<Inner>,
    account: AccountId,
    identity: Identity,
    partition: RetryPartition,
    live: tokio::sync::Mutex<Option<Live>>,
}

/// What a session is while its credentials last.
#[derive(Clone)]
struct Live {
    config: SdkConfig,
    until: Option<Instant>,
    clients: Arc<Clients>,
}

#[derive(Default)]
struct Clients {
    organizations: Pool<aws_sdk_organizations::Client>,
    iam: Pool<aws_sdk_iam::Client>,
    cloudformation: Pool<aws_sdk_cloudformation::Client>,
    cloudtrail: Pool<aws_sdk_cloudtrail::Client>,
    sns: Pool<aws_sdk_sns::Client>,
}

/// Clients by region and by whether a call may be repeated.
struct Pool<C>(Mutex<BTreeMap<(String, Repeat), C>>);

/// Whether the SDK may send a call again by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Repeat {
    /// As often as the settings say.
    Freely,
    /// Never: one intent, one request.
    Never,
}

impl<C> Default for Pool<C> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<C: Clone> Pool<C> {
    fn get(&self, region: &str, repeat: Repeat, make: impl FnOnce() -> C) -> C {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clients.entry((region.to_owned(), repeat)).or_insert_with(make).clone()
    }
}

macro_rules! client {
    ($(#[$doc:meta])* $service:ident, $sdk:ident) => {
        $(#[$doc])*
        pub(super) async fn $service(&self, region: Option<&Region>, repeat: Repeat) -> Result<$sdk::Client, Error> {
            let live = self.live().await?;
            let region = region.map_or(GLOBAL, Region::as_str);
            Ok(live.clients.$service.get(region, repeat, || {
                let config = $sdk::config::Builder::from(&live.config)
                    .region($sdk::config::Region::new(region.to_owned()))
                    .retry_partition(self.partition.clone())
                    .retry_config(self.retries(repeat))
                    .build();
                $sdk::Client::from_conf(config)
            }))
        }
    };
}

impl Session {
    pub(super) fn new(inner: Arc<Inner>, account: AccountId, identity: Identity) -> Self {
        let partition = inner.partition(&account);
        Self { inner, account, identity, partition, live: tokio::sync::Mutex::default() }
    }

    pub(super) fn account(&self) -> &AccountId {
        &self.account
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.inner
    }

    client!(organizations, aws_sdk_organizations);
    client!(iam, aws_sdk_iam);
    client!(cloudformation, aws_sdk_cloudformation);
    client!(cloudtrail, aws_sdk_cloudtrail);
    client!(sns, aws_sdk_sns);

    /// Drops the clients, and keeps the credentials. Who is making a call has a client of its own until that is over.
    pub(super) fn rest(&self) {
        if let Ok(mut live) = self.live.try_lock()
            && let Some(live) = live.as_mut()
        {
            live.clients = Arc::default();
        }
    }

    /// Makes sure that there is a session.
    pub(super) async fn enter(&self) -> Result<(), Error> {
        self.live().await.map(|_| ())
    }

    /// Waits for an answer and takes an error apart. A session that AWS calls expired is not used again.
    ///
    /// The call is boxed at once: the SDK's futures are large, and would be copied into everything that waits.
    pub(super) fn send<'a, T, E>(
        &'a self,
        operation: &'static str,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send + 'a,
    ) -> impl Future<Output = Result<T, Error>> + Send + 'a
    where
        T: Send + 'a,
        E: ProvideErrorMetadata + std::error::Error + Send + 'static,
    {
        let call = Box::pin(call);
        async move {
            let result = call.await.map_err(|error| Error::sdk(operation, self.account.as_str(), error));
            if result.as_ref().is_err_and(Error::is_expired) {
                *self.live.lock().await = None;
            }
            result
        }
    }

    /// Reads a list to its end: a page may be empty while more follow, and a page that fails fails the list.
    pub(super) async fn pages<P, T, E, F>(
        &self,
        operation: &'static str,
        fetch: impl Fn(Option<String>) -> F,
        split: impl Fn(P) -> (Option<Vec<T>>, Option<String>),
    ) -> Result<Vec<T>, Error>
    where
        P: Send,
        F: Future<Output = Result<P, SdkError<E, HttpResponse>>> + Send,
        E: ProvideErrorMetadata + std::error::Error + Send + 'static,
    {
        let (mut all, mut token, mut idle) = (Vec::new(), None, 0);
        loop {
            let (items, next) = split(self.send(operation, fetch(token.clone())).await?);
            let items = items.unwrap_or_default();
            idle = if items.is_empty() { idle + 1 } else { 0 };
            all.extend(items);
            let next = next.filter(|next| !next.is_empty());
            if next.is_none() {
                return Ok(all);
            }
            // The SDK's own paginator takes a token that comes twice for the end of the list.
            if idle > PATIENCE || (idle == 0 && next == token) {
                let message = "its pages lead nowhere".to_owned();
                return Err(Error::Malformed { operation, place: self.account.to_string(), message });
            }
            token = next;
        }
    }

    fn retries(&self, repeat: Repeat) -> RetryConfig {
        match repeat {
            Repeat::Freely => self.inner.retries(),
            Repeat::Never => RetryConfig::standard().with_max_attempts(1),
        }
    }

    /// The session, made anew where there is none or the old one is about to end. Whoever comes second waits for
    /// the first instead of asking as well.
    async fn live(&self) -> Result<Live, Error> {
        let mut live = self.live.lock().await;
        let fresh = live.as_ref().filter(|live| live.until.is_none_or(|until| Instant::now() < until));
        if let Some(fresh) = fresh {
            return Ok(fresh.clone());
        }
        let made = match &self.identity {
            Identity::Own => {
                let config = self.inner.config().clone();
                Live { config, until: None, clients: Arc::default() }
            }
            Identity::Role(assumption) => self.assume(assumption).await?,
        };
        *live = Some(made.clone());
        Ok(made)
    }

    async fn assume(&self, assumption: &Assumption) -> Result<Live, Error> {
        let mut refused = None;
        for candidate in &assumption.roles {
            let asked = Instant::now();
            match self.assume_one(assumption, candidate).await {
                Ok(credentials) => return Ok(self.live_with(credentials, asked)),
                Err(error) if error.is_access_denied() => refused = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(refused.unwrap_or_else(|| Error::lacks("AssumeRole", self.account.as_str(), "role to assume")))
    }

    fn live_with(&self, credentials: Credentials, asked: Instant) -> Live {
        let config = self.inner.config().to_builder();
        let config = config
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .identity_cache(IdentityCache::no_cache())
            .build();
        // Counted from before the call on our own clock, so that clocks need not agree.
        let until = asked + self.inner.pace().scale(LIFETIME.saturating_sub(MARGIN));
        Live { config, until: Some(until), clients: Arc::default() }
    }

    async fn assume_one(&self, assumption: &Assumption, candidate: &Candidate) -> Result<Credentials, Error> {
        let seconds = i32::try_from(LIFETIME.as_secs()).unwrap_or(3600);
        let confine = PolicyDescriptorType::builder().arn(READ_ONLY).build();
        let request = self.inner.sts().assume_role();
        let request = request
            .role_arn(candidate.role.arn(&self.account))
            .role_session_name(&assumption.session_name)
            .set_external_id(assumption.external_id.clone())
            .set_policy_arns(candidate.confined.then(|| vec![confine]))
            .duration_seconds(seconds);
        let place = self.account.as_str();
        let answer = request.send().await.map_err(|error| Error::sdk("AssumeRole", place, error))?;
        let user = answer.assumed_role_user().ok_or_else(|| Error::lacks("AssumeRole", place, "user"))?;
        self.check(&candidate.role, user.arn())?;
        let keys = answer.credentials().ok_or_else(|| Error::lacks("AssumeRole", place, "credentials"))?;
        let token = Some(keys.session_token().to_owned());
        Ok(Credentials::new(keys.access_key_id(), keys.secret_access_key(), token, None, "landfast"))
    }

    /// The answer names the account we are in, which costs no call to check.
    fn check(&self, role: &RoleName, arn: &str) -> Result<(), Error> {
        if arn.split(':').nth(4) == Some(self.account.as_str()) {
            return Ok(());
        }
        Err(Error::WrongAccount { wanted: self.account.clone(), role: role.clone(), arn: arn.to_owned() })
    }
}
