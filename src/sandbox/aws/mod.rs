//! A simulated AWS organization behind AWS's real wire protocols.
//!
//! *Guarantees*: an unmodified AWS client works against it; it enforces what AWS enforces (signatures, isolation of
//! accounts, trust, permissions, limits, asynchronous life cycles); it keeps the ground truth and a log of every
//! request, for tests to judge by. *Assumes* a loopback socket and one process.
//!
//! One request: `server` reads it, `identity` finds who signed it, `faults` may strike, `call` checks `permissions`
//! and hands it to a service's handler, `cloudtrail` and `log` remember it. All state is in `state`.

mod about;
mod call;
mod clock;
mod cloudformation;
mod cloudtrail;
mod conditions;
mod faults;
mod gate;
mod iam;
mod identity;
mod log;
mod oracle;
mod organizations;
mod permissions;
mod server;
mod sns;
mod state;
mod sts;
mod wire;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::AbortHandle;

pub use clock::Pace;
pub use faults::{Calls, Fault, Trouble, When};
pub use log::Entry;
pub use oracle::{KnownAccount, KnownPolicy, KnownRole, KnownStack, Permission};
pub use organizations::accounts::Standing;

/// How the simulation behaves. All durations are on its own clock.
#[derive(Clone, Debug)]
pub struct Config {
    /// How time passes.
    pub pace: Pace,
    /// The organization's id.
    pub organization_id: String,
    /// The management account's id.
    pub management_account: String,
    /// The management account's name.
    pub management_name: String,
    /// The management account's e-mail.
    pub management_email: String,
    /// The access key of the administrator, an IAM user `admin` in the management account.
    pub access_key: String,
    /// The secret of that key.
    pub secret_key: String,
    /// From `CreateAccount` to the account; also from `CloseAccount` to its end.
    pub account_creation: Duration,
    /// From an account's creation until its role can be assumed.
    pub role_ready: Duration,
    /// From an account's creation until its services answer; until then `OptInRequired`.
    pub services_ready: Duration,
    /// From `EnablePolicyType` until the type is enabled; also from `DisablePolicyType` to its end.
    pub policy_type: Duration,
    /// From `CreateChangeSet` until the change set can be executed.
    pub change_set: Duration,
    /// How long a stack operation takes.
    pub stack_operation: Duration,
    /// How long drift detection takes.
    pub drift_detection: Duration,
    /// From a call until `LookupEvents` shows it.
    pub trail_delay: Duration,
    /// Entries of a page of Organizations' listings, at most 20.
    pub page_size: usize,
    /// Changes of a page of `DescribeChangeSet`.
    pub change_page: usize,
    /// How many accounts the organization may have.
    pub account_quota: usize,
    /// How long an answer is on its way, by the wall's clock: what calls cost a client that waits for them.
    pub latency: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            pace: Pace::Running(1.0),
            organization_id: "o-exampleorgid".to_owned(),
            management_account: "999988887777".to_owned(),
            management_name: "Management".to_owned(),
            management_email: "aws+management@example.com".to_owned(),
            access_key: "AKIASANDBOXADMIN0001".to_owned(),
            secret_key: "sandbox/secret/of/the/administrator/0001".to_owned(),
            account_creation: Duration::from_mins(1),
            role_ready: Duration::from_secs(10),
            services_ready: Duration::from_secs(10),
            policy_type: Duration::from_secs(5),
            change_set: Duration::from_secs(3),
            stack_operation: Duration::from_secs(20),
            drift_detection: Duration::from_secs(5),
            trail_delay: Duration::from_mins(1),
            page_size: 20,
            change_page: 100,
            account_quota: 1000,
            latency: Duration::ZERO,
        }
    }
}

/// An access key pair, with the token if it belongs to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// `AKIA…` or `ASIA…`.
    pub access_key: String,
    /// The secret.
    pub secret_key: String,
    /// The session's token.
    pub session_token: Option<String>,
}

/// A running simulation. Dropping it closes its socket.
#[derive(Debug)]
pub struct SimulatedAws {
    state: Arc<Mutex<state::State>>,
    endpoint: String,
    server: AbortHandle,
}

impl SimulatedAws {
    /// Starts serving on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// The system's, when no port can be bound.
    pub async fn start(config: Config) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let state = Arc::new(Mutex::new(state::State::new(config)));
        let server = tokio::spawn(server::serve(listener, Arc::clone(&state))).abort_handle();
        Ok(Self { state, endpoint, server })
    }

    /// What `AWS_ENDPOINT_URL` should be.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl Drop for SimulatedAws {
    fn drop(&mut self) {
        self.server.abort();
    }
}
