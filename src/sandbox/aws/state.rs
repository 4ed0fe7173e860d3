//! Everything the simulation knows, as plain data.
//!
//! *Guarantees*: what is due on the clock is carried out, in order of its due time, before anything is asked or
//! told (`settle`), so nothing runs in the background and the same calls at the same times end the same.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::Config;
use super::clock::{Bucket, Clock};
use super::cloudformation::{self, Stacks};
use super::cloudtrail::Event;
use super::faults::{Faults, Past};
use super::iam::Iam;
use super::identity::{Key, Kind, Principal};
use super::log::Entry;
use super::oracle::Permission;
use super::organizations::{self, Organization};
use crate::sandbox::watch::Watcher;

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) keys: BTreeMap<String, Key>,
    pub(crate) organization: Organization,
    pub(crate) members: BTreeMap<String, Member>,
    pub(crate) events: VecDeque<Event>,
    /// The latest requests; `requests` counts all.
    pub(crate) log: Vec<Entry>,
    pub(crate) requests: u64,
    pub(crate) faults: Faults,
    pub(crate) past: Past,
    /// Every permission that was asked for.
    pub(crate) asked: RefCell<BTreeSet<Permission>>,
    pub(crate) watcher: Option<Arc<dyn Watcher>>,
    pub(crate) buckets: BTreeMap<String, Bucket>,
    /// Subscriptions that somebody confirmed, by topic and address.
    pub(crate) confirmed: BTreeSet<(String, String)>,
    work: BTreeMap<(Timestamp, u64), Work>,
    counter: u64,
    /// The moment of the work being carried out, while it is.
    moment: Option<Timestamp>,
}

/// What one account holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Member {
    pub(crate) iam: Iam,
    /// By region.
    pub(crate) stacks: BTreeMap<String, Stacks>,
    /// Patterns of actions a service control policy denies.
    pub(crate) denied: Vec<String>,
    /// Services other than STS and IAM refuse before.
    pub(crate) ready_at: Option<Timestamp>,
}

/// Something due later.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    FinishCreation { request: String },
    FinishClosing { account: String },
    SwitchPolicyType { kind: String },
    Stack(cloudformation::Due),
}

impl State {
    pub(crate) fn new(config: Config) -> Self {
        let clock = Clock::new(config.pace);
        let organization = Organization::new(&config, clock.now());
        let mut state = Self {
            clock,
            keys: BTreeMap::new(),
            organization,
            members: BTreeMap::from([(config.management_account.clone(), Member::default())]),
            events: VecDeque::new(),
            log: Vec::new(),
            requests: 0,
            faults: Faults::default(),
            past: Past::default(),
            asked: RefCell::default(),
            watcher: None,
            buckets: BTreeMap::new(),
            confirmed: BTreeSet::new(),
            work: BTreeMap::new(),
            counter: 0,
            moment: None,
            config,
        };
        state.add_administrator();
        state
    }

    fn add_administrator(&mut self) {
        let account = self.config.management_account.clone();
        let policies = ["arn:aws:iam::aws:policy/AdministratorAccess".to_owned()];
        self.members
            .entry(account.clone())
            .or_default()
            .iam
            .users
            .insert("admin".to_owned(), policies.into());
        let principal = self.user(&account, "admin", &self.config.access_key);
        let key = Key { secret: self.config.secret_key.clone(), token: None, expires: None, principal };
        self.keys.insert(self.config.access_key.clone(), key);
    }

    pub(crate) fn user(&self, account: &str, name: &str, access_key: &str) -> Principal {
        Principal {
            account: account.to_owned(),
            arn: format!("arn:aws:iam::{account}:user/{name}"),
            id: format!("AIDA{}", upper(&digest(&format!("{account}/{name}")), 17)),
            kind: Kind::User { name: name.to_owned() },
            access_key: access_key.to_owned(),
            session_policies: Vec::new(),
            since: self.now(),
        }
    }

    /// Now, or the due time of the work being carried out.
    pub(crate) fn now(&self) -> Timestamp {
        self.moment.unwrap_or_else(|| self.clock.now())
    }

    /// The moment `delay` from now.
    pub(crate) fn due(&self, delay: Duration) -> Timestamp {
        self.now() + self.clock.scaled(delay)
    }

    /// A text no one has had before: 64 hexadecimal digits.
    pub(crate) fn fresh(&mut self) -> String {
        self.counter += 1;
        digest(&format!("{}/{}", self.config.organization_id, self.counter))
    }

    /// A new id in the form of a UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let hex = self.fresh();
        format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
    }

    /// A new id of capital letters and digits.
    pub(crate) fn capitals(&mut self, length: usize) -> String {
        upper(&self.fresh(), length)
    }

    pub(crate) fn schedule(&mut self, at: Timestamp, work: Work) {
        self.counter += 1;
        self.work.insert((at, self.counter), work);
    }

    /// Carries out all that is due.
    pub(crate) fn settle(&mut self) {
        let now = self.clock.now();
        while let Some(entry) = self.work.first_entry() {
            let due = entry.key().0;
            if due > now {
                break;
            }
            let work = entry.remove();
            self.moment = Some(due);
            self.carry_out(work);
            self.remember();
            self.moment = None;
        }
    }

    fn carry_out(&mut self, work: Work) {
        match work {
            Work::FinishCreation { request } => organizations::creation::finish(self, &request),
            Work::FinishClosing { account } => organizations::accounts::finish_closing(self, &account),
            Work::SwitchPolicyType { kind } => organizations::policies::types::finish(self, &kind),
            Work::Stack(due) => cloudformation::carry_out(self, &due),
        }
    }

    pub(crate) fn member(&mut self, account: &str) -> &mut Member {
        self.members.entry(account.to_owned()).or_default()
    }

    /// Takes from the bucket of this name.
    pub(crate) fn take(&mut self, bucket: String, per_second: f64, burst: f64) -> bool {
        let (now, speed) = (self.clock.now(), self.clock.speed());
        self.buckets.entry(bucket).or_insert_with(|| Bucket::new(per_second, burst, now)).take(now, speed)
    }
}

pub(crate) fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// The first `length` hexadecimal digits as capitals, spread over the letters AWS uses.
pub(crate) fn upper(hex: &str, length: usize) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    hex.as_bytes()
        .windows(2)
        .step_by(2)
        .map(|pair| pair.iter().fold(0_usize, |sum, digit| sum * 16 + usize::from(*digit)))
        .map(|number| char::from(LETTERS[number % LETTERS.len()]))
        .take(length)
        .collect()
}
