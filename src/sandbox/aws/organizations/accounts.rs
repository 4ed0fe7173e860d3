//! Accounts that exist: listed, described, moved, closed.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::state::{State, Work};
use super::super::wire::{Answer, Refusal, epoch};
use super::{Organization, paged, required, tree};

#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) standing: Standing,
    /// The id of the root or of an OU.
    pub(crate) parent: String,
    pub(crate) is_invited: bool,
    pub(crate) joined: Timestamp,
}

/// Where an account is in its life: the `State` of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Made, but not usable yet.
    PendingActivation,
    /// In use.
    Active,
    /// Suspended by AWS.
    Suspended,
    /// Being closed.
    PendingClosure,
    /// Closed, and listed for another 90 days.
    Closed,
}

impl Standing {
    fn word(self) -> &'static str {
        match self {
            Self::PendingActivation => "PENDING_ACTIVATION",
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::PendingClosure => "PENDING_CLOSURE",
            Self::Closed => "CLOSED",
        }
    }
}

impl Organization {
    /// As the API gives it; `Status` was retired in September 2026 and is not in it.
    fn shown_account(&self, account: &Account) -> Value {
        json!({
            "Id": account.id, "Arn": self.arn("account", &account.id), "Email": account.email, "Name": account.name,
            "State": account.standing.word(), "JoinedTimestamp": epoch(account.joined),
            "JoinedMethod": if account.is_invited { "INVITED" } else { "CREATED" },
            "Paths": [format!("{}{}/", self.path(&account.parent), account.id)],
        })
    }
}

pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    let mut shown: Vec<Value> = state
        .organization
        .accounts
        .values()
        .map(|account| state.organization.shown_account(account))
        .collect();
    let (calls, left_out) = &mut state.organization.short_listings;
    if *calls > 0 {
        *calls -= 1;
        shown.truncate(shown.len().saturating_sub(*left_out));
    }
    paged(state, call, "Accounts", shown)
}

pub(crate) fn list_for_parent(state: &mut State, call: &Call) -> Answer {
    let parent = tree::parent(state, call)?;
    let accounts = state.organization.accounts.values().filter(|account| account.parent == parent);
    let shown = accounts.map(|account| state.organization.shown_account(account)).collect();
    paged(state, call, "Accounts", shown)
}

fn find<'a>(state: &'a State, call: &Call) -> Result<&'a Account, Refusal> {
    let id = required(call, "AccountId")?;
    state.organization.accounts.get(id).ok_or_else(|| {
        Refusal::bad("AccountNotFoundException", "You specified an account that doesn't exist.")
    })
}

pub(crate) fn describe(state: &mut State, call: &Call) -> Answer {
    Ok(json!({"Account": state.organization.shown_account(find(state, call)?)}))
}

pub(crate) fn move_to(state: &mut State, call: &Call) -> Answer {
    let account = find(state, call)?.clone();
    let (source, destination) = (required(call, "SourceParentId")?, required(call, "DestinationParentId")?);
    let organization = &mut state.organization;
    let exists = |id: &str| id == organization.root || organization.ous.contains_key(id);
    if !exists(destination) {
        return Err(Refusal::bad(
            "DestinationParentNotFoundException",
            "You specified a destination parent that doesn't exist.",
        ));
    }
    if account.parent == destination {
        return Err(Refusal::bad("DuplicateAccountException", "The account is already in the destination."));
    }
    if account.parent != source {
        return Err(Refusal::bad(
            "SourceParentNotFoundException",
            "You specified a source parent that doesn't exist.",
        ));
    }
    organization.accounts.insert(account.id.clone(), Account { parent: destination.to_owned(), ..account });
    Ok(json!({}))
}

pub(crate) fn close(state: &mut State, call: &Call) -> Answer {
    let account = find(state, call)?.clone();
    refuse_closing(state, &account)?;
    let due = state.due(state.config.account_creation);
    state.schedule(due, Work::FinishClosing { account: account.id.clone() });
    set_standing(state, &account.id, Standing::PendingClosure);
    Ok(json!({}))
}

fn refuse_closing(state: &State, account: &Account) -> Result<(), Refusal> {
    let constraint = |reason| {
        let message = "You have exceeded a limit or may not close this account.";
        Err(Refusal::bad("ConstraintViolationException", message).with_reason(reason))
    };
    let closing =
        state.organization.accounts.values().filter(|a| a.standing == Standing::PendingClosure).count();
    match account.standing {
        _ if account.id == state.organization.management => constraint("CANNOT_CLOSE_MANAGEMENT_ACCOUNT"),
        Standing::Closed | Standing::Suspended => Err(Refusal::bad(
            "AccountAlreadyClosedException",
            "You attempted to close an account that is already closed.",
        )),
        Standing::PendingClosure => Err(Refusal::bad(
            "ConflictException",
            "The request failed because it conflicts with the current state of the account.",
        )),
        Standing::Active | Standing::PendingActivation if closing >= 3 => {
            constraint("CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED")
        }
        Standing::Active | Standing::PendingActivation => Ok(()),
    }
}

pub(crate) fn set_standing(state: &mut State, id: &str, standing: Standing) {
    if let Some(account) = state.organization.accounts.get_mut(id) {
        account.standing = standing;
    }
}

pub(crate) fn finish_closing(state: &mut State, id: &str) {
    set_standing(state, id, Standing::Closed);
}
