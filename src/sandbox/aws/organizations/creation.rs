//! Creating accounts: asynchronous, limited, and able to fail, as on AWS.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::iam::Role;
use super::super::state::{Member, State, Work, digest};
use super::super::wire::{Answer, Params as _, Refusal, epoch};
use super::accounts::{Account, Standing};
use super::{invalid, paged, required, tags};

/// One request to create an account.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    id: String,
    name: String,
    email: String,
    role: String,
    tags: BTreeMap<String, String>,
    requested: Timestamp,
    completed: Option<Timestamp>,
    /// Why it will fail, known before it is told.
    trouble: Option<String>,
    /// The account id, or why there is none.
    result: Option<Result<String, String>>,
}

impl Request {
    fn state(&self) -> &'static str {
        match self.result {
            None => "IN_PROGRESS",
            Some(Ok(_)) => "SUCCEEDED",
            Some(Err(_)) => "FAILED",
        }
    }

    fn shown(&self) -> Value {
        let mut shown = json!({"Id": self.id, "AccountName": self.name, "State": self.state(),
                               "RequestedTimestamp": epoch(self.requested)});
        if let Some(completed) = self.completed {
            shown["CompletedTimestamp"] = epoch(completed);
        }
        match &self.result {
            Some(Ok(account)) => shown["AccountId"] = json!(account),
            Some(Err(reason)) => shown["FailureReason"] = json!(reason),
            None => {}
        }
        shown
    }

    fn is_for(&self, email: &str) -> bool {
        self.result.is_none() && self.email.eq_ignore_ascii_case(email)
    }
}

pub(crate) fn create(state: &mut State, call: &Call) -> Answer {
    if !state.take("CreateAccount".to_owned(), 0.1, 3.0) {
        return Err(Refusal::bad(
            "TooManyRequestsException",
            "You have sent too many requests in too short a period of time. The quota helps protect against \
             denial-of-service attacks. Try again later.",
        ));
    }
    let request = read(state, call)?;
    refuse_beyond_limits(state)?;
    let trouble = trouble(state, &request.email);
    let delay = state.config.account_creation;
    // A request that cannot succeed is found out sooner than an account is made.
    let delay = if trouble.is_some() { delay.min(Duration::from_secs(5)) } else { delay };
    let due = state.due(delay);
    state.schedule(due, Work::FinishCreation { request: request.id.clone() });
    let shown = request.shown();
    state.organization.requests.insert(request.id.clone(), Request { trouble, ..request });
    Ok(json!({"CreateAccountStatus": shown}))
}

fn read(state: &mut State, call: &Call) -> Result<Request, Refusal> {
    let (name, email) = (required(call, "AccountName")?, required(call, "Email")?);
    if !(1..=50).contains(&name.chars().count()) {
        return Err(invalid("MAX_LENGTH_EXCEEDED", "You specified an account name that is too long."));
    }
    if !is_email(email) {
        return Err(invalid("INVALID_PATTERN", "You specified an e-mail address that is not valid."));
    }
    Ok(Request {
        name: name.to_owned(),
        email: email.to_owned(),
        role: call.params.text("RoleName").unwrap_or("OrganizationAccountAccessRole").to_owned(),
        tags: tags::read(call.params.entries("Tags"))?,
        requested: state.now(),
        completed: None,
        trouble: None,
        result: None,
        id: format!("car-{}", &state.fresh()[..32]),
    })
}

fn is_email(text: &str) -> bool {
    (6..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_graphic())
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && domain.contains('.') && !domain.contains('@') && !domain.ends_with('.')
        })
}

fn refuse_beyond_limits(state: &State) -> Result<(), Refusal> {
    let organization = &state.organization;
    let in_progress = organization.requests.values().filter(|request| request.result.is_none()).count();
    let refuse = |message: &str, reason| {
        Err(Refusal::bad("ConstraintViolationException", message).with_reason(reason))
    };
    if in_progress >= 5 {
        return refuse(
            "You have exceeded the rate at which you can create accounts.",
            "ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED",
        );
    }
    if organization.accounts.len() + in_progress >= state.config.account_quota {
        return refuse(
            "You have exceeded the allowed number of AWS accounts.",
            "ACCOUNT_NUMBER_LIMIT_EXCEEDED",
        );
    }
    Ok(())
}

/// Why a request with this e-mail will fail, if it will.
fn trouble(state: &mut State, email: &str) -> Option<String> {
    let organization = &mut state.organization;
    let is_taken = organization.accounts.values().any(|account| account.email.eq_ignore_ascii_case(email))
        || organization.taken_emails.contains(&email.to_lowercase());
    if is_taken {
        return Some("EMAIL_ALREADY_EXISTS".to_owned());
    }
    if organization.requests.values().any(|request| request.is_for(email)) {
        return Some("CONCURRENT_ACCOUNT_MODIFICATION".to_owned());
    }
    if organization.failures.is_empty() { None } else { Some(organization.failures.remove(0)) }
}

/// The account is there, or the reason it is not.
pub(crate) fn finish(state: &mut State, id: &str) {
    let now = state.now();
    let Some(mut request) = state.organization.requests.get(id).cloned() else { return };
    request.result = Some(match request.trouble.take() {
        Some(reason) => Err(reason),
        None => Ok(add_account(state, &request)),
    });
    request.completed = Some(now);
    state.organization.requests.insert(id.to_owned(), request);
}

fn add_account(state: &mut State, request: &Request) -> String {
    let id = account_id(&format!("{}/{}", state.organization.id, request.email.to_lowercase()));
    let account = Account {
        id: id.clone(),
        name: request.name.clone(),
        email: request.email.clone(),
        standing: Standing::Active,
        parent: state.organization.root.clone(),
        is_invited: false,
        joined: state.now(),
    };
    let ready_at = state.due(state.config.role_ready);
    let role = access_role(&id, &request.role, &state.organization.management, state.now(), ready_at);
    let services_ready = state.due(state.config.services_ready);
    let mut member = Member { ready_at: Some(services_ready), ..Member::default() };
    member.iam.roles.insert(role.name.clone(), role);
    state.members.insert(id.clone(), member);
    state.organization.tags.insert(id.clone(), request.tags.clone());
    state.organization.policies.welcome(&id);
    state.organization.accounts.insert(id.clone(), account);
    id
}

/// An account that was there before anybody looked.
pub(crate) fn found(state: &mut State, name: &str, email: &str) -> String {
    let request = Request {
        name: name.to_owned(),
        email: email.to_owned(),
        role: "OrganizationAccountAccessRole".to_owned(),
        tags: BTreeMap::new(),
        requested: state.now(),
        completed: None,
        trouble: None,
        result: None,
        id: String::new(),
    };
    let id = add_account(state, &request);
    let long_ago = state.now() - jiff::SignedDuration::from_hours(24);
    if let Some(account) = state.organization.accounts.get_mut(&id) {
        account.joined = long_ago;
    }
    let member = state.member(&id);
    member.ready_at = None;
    member.iam.roles.values_mut().for_each(|role| role.ready_at = None);
    id
}

/// Twelve digits, the same for the same e-mail in every run.
fn account_id(seed: &str) -> String {
    digest(seed).bytes().take(12).map(|digit| char::from(b'0' + digit % 10)).collect()
}

/// The role through which the management account administers a member.
pub(crate) fn access_role(
    account: &str,
    name: &str,
    trusted: &str,
    now: Timestamp,
    ready_at: Timestamp,
) -> Role {
    Role {
        name: name.to_owned(),
        id: format!("AROA{}", super::super::state::upper(&digest(&format!("{account}/{name}")), 17)),
        arn: format!("arn:aws:iam::{account}:role/{name}"),
        path: "/".to_owned(),
        trust: json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                      "Principal": {"AWS": format!("arn:aws:iam::{trusted}:root")}}]}),
        description: None,
        max_session: 3600,
        tags: BTreeMap::new(),
        attached: ["arn:aws:iam::aws:policy/AdministratorAccess".to_owned()].into(),
        inline: BTreeMap::new(),
        boundary: None,
        created: now,
        ready_at: Some(ready_at),
    }
}

pub(crate) fn describe(state: &mut State, call: &Call) -> Answer {
    let id = required(call, "CreateAccountRequestId")?;
    let request = state.organization.requests.get(id).ok_or_else(|| {
        Refusal::bad(
            "CreateAccountStatusNotFoundException",
            "You specified a create account request that doesn't exist.",
        )
    })?;
    Ok(json!({"CreateAccountStatus": request.shown()}))
}

pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    let wanted = call.params.entries("States");
    let is_wanted = |request: &&Request| wanted.is_empty() || wanted.contains(&json!(request.state()));
    let shown = state.organization.requests.values().filter(is_wanted).map(Request::shown).collect();
    paged(state, call, "CreateAccountStatuses", shown)
}
