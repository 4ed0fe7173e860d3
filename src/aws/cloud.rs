//! The connection to AWS: one pool of connections, one session per account and purpose.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_sts::config::Credentials;
use aws_sdk_sts::config::retry::RetryPartition;
use tokio::time::Instant;

use super::connections::Connections;
use super::error::{Error, wrong_organization};
use super::session::{Assumption, Candidate, Identity, Session};
use super::settings::{Keys, Settings};
use super::{Pace, Reader, Writer};
use crate::model::{Access, AccountId, CommitId, Organization, RoleName};

/// How many accounts AWS lets one make at once, and how long until the next.
const CREATIONS_AT_ONCE: f64 = 3.0;
const BETWEEN_CREATIONS: Duration = Duration::from_secs(10);
/// The session name of everything that reads.
pub const READ_SESSION: &str = "landfast-read";
/// How the session names of everything that writes begin; the revision follows.
pub const WRITE_SESSION_PREFIX: &str = "landfast-";

/// The connection to AWS. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Cloud {
    inner: Arc<Inner>,
}

pub(super) struct Inner {
    config: SdkConfig,
    settings: Settings,
    sts: aws_sdk_sts::Client,
    partitions: Mutex<BTreeMap<AccountId, RetryPartition>>,
    sessions: Mutex<BTreeMap<(AccountId, Identity), Arc<Session>>>,
    creations: Mutex<Bucket>,
}

/// A token bucket: what AWS lets through, counted on our side first.
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Cloud {
    /// Reads the credential chain and the profile. No call is made yet.
    pub async fn connect(settings: Settings) -> Self {
        let config = load(&settings).await;
        let sts = aws_sdk_sts::config::Builder::from(&config)
            .retry_partition(RetryPartition::custom("landfast-sts").build())
            .build();
        let inner = Inner {
            sts: aws_sdk_sts::Client::from_conf(sts),
            config,
            settings,
            partitions: Mutex::default(),
            sessions: Mutex::default(),
            creations: Mutex::new(Bucket { tokens: CREATIONS_AT_ONCE, at: Instant::now() }),
        };
        Self { inner: Arc::new(inner) }
    }

    /// How fast time passes there.
    pub fn pace(&self) -> Pace {
        self.inner.pace()
    }

    /// Checks that the credentials belong to the organization the repository is for: to be called before anything
    /// is written. A mismatch is [`Error::WrongOrganization`].
    pub async fn verify(&self, organization: &Organization) -> Result<(), Error> {
        let (id, management) = (&organization.id, &organization.management_account);
        if organization.access.management_role.is_none() {
            let caller = self.caller().await?;
            if caller != management.as_str() {
                return Err(wrong_organization(id, management, &format!("account {caller}")));
            }
        }
        let (found, found_management) = self.management_reader(organization).organization().await?;
        if found == id.as_str() && found_management == management.as_str() {
            return Ok(());
        }
        let found = format!("organization {found} with management account {found_management}");
        Err(wrong_organization(id, management, &found))
    }

    /// The account that the daemon's own credentials belong to.
    pub async fn caller(&self) -> Result<String, Error> {
        let place = "the daemon's own account";
        let answer = self.inner.sts.get_caller_identity().send().await;
        let answer = answer.map_err(|error| Error::sdk("GetCallerIdentity", place, error))?;
        answer.account.ok_or_else(|| Error::lacks("GetCallerIdentity", place, "account"))
    }

    /// Reads with the process's own credentials, in the account they belong to.
    pub async fn own_reader(&self) -> Result<Reader, Error> {
        let caller = self.caller().await?;
        let lacks = |_| Error::lacks("GetCallerIdentity", "the daemon's own account", "usable account");
        let account = AccountId::parse(caller).map_err(lacks)?;
        Ok(Reader::new(self.session(&account, Identity::Own)))
    }

    /// Reads Organizations, in the management account.
    pub fn management_reader(&self, organization: &Organization) -> Reader {
        let identity = match &organization.access.management_role {
            Some(role) => read_identity(role, None, &organization.access),
            None => Identity::Own,
        };
        Reader::new(self.session(&organization.management_account, identity))
    }

    /// Writes to Organizations, in the management account.
    pub fn management_writer(&self, organization: &Organization, revision: &CommitId) -> Writer {
        let identity = match &organization.access.management_role {
            Some(role) => write_identity(role, &organization.access, revision),
            None => Identity::Own,
        };
        Writer::new(self.session(&organization.management_account, identity))
    }

    /// Reads inside one account. No call is made until [`Reader::enter`] or the first read.
    pub fn reader(&self, account: &AccountId, access: &Access) -> Reader {
        let identity = read_identity(&access.role, access.read_role.as_ref(), access);
        Reader::new(self.session(account, identity))
    }

    /// Writes inside one account, under a session that names the revision.
    pub fn writer(&self, account: &AccountId, access: &Access, revision: &CommitId) -> Writer {
        Writer::new(self.session(account, write_identity(&access.role, access, revision)))
    }

    /// Drops the clients of an account, on both sides: all of theirs together are large, and soon made anew.
    pub(super) fn rest(&self, account: &AccountId) {
        let sessions = self.inner.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let of_account = sessions.range((account.clone(), Identity::Own)..);
        of_account.take_while(|((id, _), _)| id == account).for_each(|(_, session)| session.rest());
    }

    pub(super) fn session(&self, account: &AccountId, identity: Identity) -> Arc<Session> {
        let mut sessions = self.inner.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (account.clone(), identity.clone());
        if let Some(session) = sessions.get(&key) {
            return Arc::clone(session);
        }
        let of_account = sessions.range((account.clone(), Identity::Own)..);
        let of_account = of_account.map(|(key, _)| key).take_while(|(other, _)| other == account);
        let outdated = of_account.filter(|(_, theirs)| is_outdated(theirs, &identity));
        // There may be a thousand accounts, each with a session that is new.
        for key in outdated.cloned().collect::<Vec<_>>() {
            sessions.remove(&key);
        }
        let session = Arc::new(Session::new(Arc::clone(&self.inner), account.clone(), identity));
        sessions.insert(key, Arc::clone(&session));
        session
    }
}

impl Inner {
    pub(super) fn config(&self) -> &SdkConfig {
        &self.config
    }

    pub(super) fn sts(&self) -> &aws_sdk_sts::Client {
        &self.sts
    }

    pub(super) fn pace(&self) -> Pace {
        self.settings.pace
    }

    pub(super) fn retries(&self) -> RetryConfig {
        retries(&self.settings)
    }

    /// The account's own retry quota: the SDK's default is one for all accounts, so that one throttled account
    /// would starve the rest.
    pub(super) fn partition(&self, account: &AccountId) -> RetryPartition {
        let mut partitions = self.partitions.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || RetryPartition::custom(account.to_string()).build();
        partitions.entry(account.clone()).or_insert_with(make).clone()
    }

    /// Takes the right to ask for one account, or says when the next may be asked for.
    pub(super) fn take_creation(&self) -> Result<(), Duration> {
        let between = self.pace().scale(BETWEEN_CREATIONS).as_secs_f64();
        let mut bucket = self.creations.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let gained = now.duration_since(bucket.at).as_secs_f64() / between;
        *bucket = Bucket { tokens: (bucket.tokens + gained).min(CREATIONS_AT_ONCE), at: now };
        if bucket.tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.tokens) * between));
        }
        bucket.tokens -= 1.0;
        Ok(())
    }
}

/// A write session of an earlier revision is of no further use.
fn is_outdated(old: &Identity, new: &Identity) -> bool {
    match (old, new) {
        (Identity::Role(old), Identity::Role(new)) => {
            old.session_name != READ_SESSION
                && new.session_name != READ_SESSION
                && old.session_name.starts_with(WRITE_SESSION_PREFIX)
                && old.session_name != new.session_name
        }
        _ => false,
    }
}

fn read_identity(role: &RoleName, read_role: Option<&RoleName>, access: &Access) -> Identity {
    let reading = read_role.map(|role| Candidate { role: role.clone(), confined: false });
    // A fresh account has no read role yet; the writing one stands in, confined to reading.
    let confined = Candidate { role: role.clone(), confined: true };
    Identity::Role(Assumption {
        roles: reading.into_iter().chain([confined]).collect(),
        session_name: READ_SESSION.to_owned(),
        external_id: access.external_id.clone(),
    })
}

fn write_identity(role: &RoleName, access: &Access, revision: &CommitId) -> Identity {
    Identity::Role(Assumption {
        roles: vec![Candidate { role: role.clone(), confined: false }],
        session_name: format!("{WRITE_SESSION_PREFIX}{}", revision.short()),
        external_id: access.external_id.clone(),
    })
}

async fn load(settings: &Settings) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(settings.timeouts.connect)
        .read_timeout(settings.timeouts.attempt)
        .operation_attempt_timeout(settings.timeouts.attempt)
        .operation_timeout(settings.timeouts.operation)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(aws_config::Region::new(settings.region.to_string()))
        .timeout_config(timeouts)
        .retry_config(retries(settings))
        .http_client(Connections::new());
    if let Some(url) = &settings.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(keys) = &settings.keys {
        loader = loader.credentials_provider(credentials(keys));
    }
    loader.load().await
}

fn retries(settings: &Settings) -> RetryConfig {
    let first = settings.pace.scale(Duration::from_secs(1));
    RetryConfig::standard().with_max_attempts(settings.attempts.max(1)).with_initial_backoff(first)
}

fn credentials(keys: &Keys) -> Credentials {
    let token = keys.session_token.clone();
    Credentials::new(&keys.access_key_id, &keys.secret_access_key, token, None, "landfast")
}
