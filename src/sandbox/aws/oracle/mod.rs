//! The simulation from inside: ground truth for tests, and a hand to stir with.

mod policies;
mod stacks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::faults::{Fault, Trouble};
use super::identity::Key;
use super::log::Entry;
use super::organizations::accounts::{self, Account, Standing};
use super::organizations::creation::{self, access_role};
use super::server::lock;
use super::state::State;
use super::{Credentials, SimulatedAws, cloudtrail, permissions, sts};
use crate::sandbox::watch::Watcher;

pub use policies::KnownPolicy;
pub use stacks::KnownStack;

/// An account as it truly is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownAccount {
    /// Twelve digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its e-mail.
    pub email: String,
    /// Where it is in its life.
    pub standing: Standing,
    /// Where it is in the tree, by names: `/workloads/prod`.
    pub ou: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A role as it truly is.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownRole {
    /// Its ARN.
    pub arn: String,
    /// Who may assume it.
    pub trust: Value,
    /// ARNs of managed policies.
    pub attached: Vec<String>,
    /// Inline policies by name.
    pub inline: BTreeMap<String, Value>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The ARN of its permissions boundary.
    pub boundary: Option<String>,
}

/// A permission somebody needed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// The name of the user or role that needed it.
    pub principal: String,
    /// Such as `iam:CreateRole`.
    pub action: String,
    /// Whether it had it.
    pub is_granted: bool,
}

impl SimulatedAws {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = lock(&self.state);
        state.settle();
        let told = act(&mut state);
        state.remember();
        told
    }

    /// The key of the administrator.
    pub fn credentials(&self) -> Credentials {
        self.with(|state| Credentials {
            access_key: state.config.access_key.clone(),
            secret_key: state.config.secret_key.clone(),
            session_token: None,
        })
    }

    /// Adds an IAM user with these managed policies, and gives its key.
    pub fn add_user(&self, account: &str, name: &str, policies: &[&str]) -> Credentials {
        self.with(|state| {
            let attached = policies.iter().map(|&arn| arn.to_owned()).collect();
            state.member(account).iam.users.insert(name.to_owned(), attached);
            let access_key = format!("AKIA{}", state.capitals(16));
            let secret = state.fresh()[..40].to_owned();
            let principal = state.user(account, name, &access_key);
            let key = Key { secret: secret.clone(), token: None, expires: None, principal };
            state.keys.insert(access_key.clone(), key);
            Credentials { access_key, secret_key: secret, session_token: None }
        })
    }

    /// Adds an administrator's role that the management account may assume, such as one in the management account.
    pub fn add_access_role(&self, account: &str, name: &str) {
        self.with(|state| {
            let now = state.now();
            let role = access_role(account, name, &state.organization.management.clone(), now, now);
            state.member(account).iam.roles.insert(name.to_owned(), role);
        });
    }

    /// Credentials of a role of this account, as AWS hands them to what runs there under the role.
    pub fn role_credentials(&self, account: &str, name: &str) -> Option<Credentials> {
        self.with(|state| sts::handed_out(state, account, name))
    }

    /// Every permission that anybody asked for so far.
    pub fn permissions_asked(&self) -> BTreeSet<Permission> {
        self.with(|state| state.asked.borrow().clone())
    }

    /// Adds an account at the root that was made long ago and is ready, and gives its id.
    pub fn add_account(&self, name: &str, email: &str) -> String {
        self.with(|state| creation::found(state, name, email))
    }

    /// The time it is in the simulation.
    pub fn now(&self) -> Timestamp {
        self.with(|state| state.now())
    }

    /// Stops the clock.
    pub fn hold(&self) {
        self.with(|state| state.clock.hold());
    }

    /// Lets the clock run, delays shortened this many times.
    pub fn run(&self, speed: f64) {
        self.with(|state| state.clock.run(speed));
    }

    /// Lets this much time pass, and everything happen that is due in it.
    pub fn advance(&self, by: Duration) {
        self.with(|state| {
            state.clock.advance(by);
            state.settle();
        });
    }

    /// Every request so far.
    pub fn log(&self) -> Vec<Entry> {
        self.with(|state| state.log.clone())
    }

    /// Every request so far that could change something.
    pub fn mutations(&self) -> Vec<Entry> {
        self.with(|state| state.log.iter().filter(|entry| entry.is_mutating).cloned().collect())
    }

    /// Deals the fates of faults that are set from now on, and come by chance, from this seed. Without it, from 0.
    pub fn sow(&self, seed: u64) {
        self.with(|state| state.faults.sow(seed));
    }

    /// Sets a fault. Of several that strike one call, the one set first decides.
    pub fn add_fault(&self, fault: Fault) {
        self.with(|state| {
            if let Trouble::Stale(lag) = fault.trouble {
                let lag = state.clock.scaled(lag);
                state.past.keep(lag);
            }
            state.faults.add(fault);
        });
    }

    /// Tells a watcher of every call from now on.
    pub fn watch(&self, watcher: Arc<dyn Watcher>) {
        self.with(|state| state.watcher = Some(watcher));
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.with(|state| {
            state.faults.clear();
            state.past.forget();
        });
    }

    /// All accounts, the management account too.
    pub fn accounts(&self) -> Vec<KnownAccount> {
        self.with(|state| state.organization.accounts.values().map(|account| known(state, account)).collect())
    }

    /// The account with this e-mail, whatever its case.
    pub fn account_by_email(&self, email: &str) -> Option<KnownAccount> {
        self.accounts().into_iter().find(|account| account.email.eq_ignore_ascii_case(email))
    }

    /// OU ids by the path of their names: `/workloads/prod`.
    pub fn ous(&self) -> BTreeMap<String, String> {
        self.with(|state| {
            let organization = &state.organization;
            organization.ous.keys().map(|id| (organization.name_path(id), id.clone())).collect()
        })
    }

    /// Puts an account where AWS would put it: suspended, closed, pending.
    pub fn set_standing(&self, account: &str, standing: Standing) {
        self.with(|state| accounts::set_standing(state, account, standing));
    }

    /// Suspends an account.
    pub fn suspend(&self, account: &str) {
        self.set_standing(account, Standing::Suspended);
    }

    /// Replaces all tags of an account, an OU or the root, by id.
    pub fn set_tags(&self, id: &str, tags: &[(&str, &str)]) {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.with(|state| state.organization.tags.insert(id.to_owned(), tags));
    }

    /// The id of the organization's root.
    pub fn root_id(&self) -> String {
        self.with(|state| state.organization.root.clone())
    }

    /// Denies these actions (patterns such as `cloudformation:Describe*`) in an account, as a service control
    /// policy would. An empty list ends it.
    pub fn deny(&self, account: &str, actions: &[&str]) {
        let actions = actions.iter().map(|&action| action.to_owned()).collect();
        self.with(|state| state.member(account).denied = actions);
    }

    /// The next `calls` to `ListAccounts` leave out the last `left_out` accounts, without an error.
    pub fn list_short(&self, calls: u32, left_out: usize) {
        self.with(|state| state.organization.short_listings = (calls, left_out));
    }

    /// Makes the e-mail one that an account outside the organization has.
    pub fn take_email(&self, email: &str) {
        self.with(|state| state.organization.taken_emails.insert(email.to_lowercase()));
    }

    /// The next creation fails for this reason, such as `INTERNAL_FAILURE`.
    pub fn fail_next_creation(&self, reason: &str) {
        self.with(|state| state.organization.failures.push(reason.to_owned()));
    }

    /// Ends all sessions at once, as if their time were over.
    pub fn expire_sessions(&self) {
        self.with(|state| {
            let sessions = state.keys.values_mut().filter(|key| key.token.is_some());
            sessions.for_each(|key| key.expires = Some(Timestamp::now()));
        });
    }

    /// The account's password policy as AWS stores it, if it has one.
    pub fn password_policy(&self, account: &str) -> Option<Value> {
        self.with(|state| state.member(account).iam.password_policy.clone())
    }

    /// The account's alias, if it has one.
    pub fn alias(&self, account: &str) -> Option<String> {
        self.with(|state| state.member(account).iam.aliases.first().cloned())
    }

    /// The metadata of the account's SAML providers by name.
    pub fn saml_providers(&self, account: &str) -> BTreeMap<String, String> {
        self.with(|state| {
            let providers = state.member(account).iam.saml_providers.iter();
            providers.map(|(name, provider)| (name.clone(), provider.document.clone())).collect()
        })
    }

    /// The account's roles by name.
    pub fn roles(&self, account: &str) -> BTreeMap<String, KnownRole> {
        self.with(|state| {
            let roles = state.member(account).iam.roles.values();
            roles.map(|role| (role.name.clone(), known_role(role))).collect()
        })
    }

    /// Whether a role's policies allow an action, also one of a service that is not simulated. Conditions see the
    /// role only.
    pub fn allows(&self, account: &str, role: &str, action: &str, resource: &str) -> bool {
        self.with(|state| {
            let principal = sts::principal(state, account, role);
            principal.is_some_and(|principal| permissions::allows(state, &principal, action, resource))
        })
    }

    /// The document of a managed policy of the account, by its ARN.
    pub fn policy(&self, account: &str, arn: &str) -> Option<Value> {
        self.with(|state| state.member(account).iam.document(arn))
    }

    /// The last event of this name in the account, visible yet or not, as `LookupEvents` would give it.
    pub fn last_event(&self, account: &str, name: &str) -> Option<Value> {
        self.with(|state| cloudtrail::last(state, account, name))
    }
}

fn known(state: &State, account: &Account) -> KnownAccount {
    KnownAccount {
        id: account.id.clone(),
        name: account.name.clone(),
        email: account.email.clone(),
        standing: account.standing,
        ou: state.organization.name_path(&account.parent),
        tags: state.organization.tags.get(&account.id).cloned().unwrap_or_default(),
    }
}

fn known_role(role: &super::iam::Role) -> KnownRole {
    KnownRole {
        arn: role.arn.clone(),
        trust: role.trust.clone(),
        attached: role.attached.iter().cloned().collect(),
        inline: role.inline.clone(),
        tags: role.tags.clone(),
        boundary: role.boundary.clone(),
    }
}
