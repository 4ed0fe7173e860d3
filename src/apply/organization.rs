//! Steps of the organization: one at a time.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Site;
use super::watch::FRESH;
use crate::aws::{Error, Reader, Writer};
use crate::model::{AccountId, Creation, CreationState, Email, Facts, HOLD_TAG, OuPath, Outcome};

/// How long a creation takes at least; looking earlier is a wasted call.
const CREATION: Duration = Duration::from_secs(15);

/// OU ids by path: those that were observed, and those made since.
pub(super) struct Ous {
    ids: Mutex<BTreeMap<OuPath, String>>,
}

impl Ous {
    pub(super) fn new(facts: &Facts) -> Self {
        let ids = match facts {
            Facts::Organization(facts) => {
                facts.ous.iter().map(|(path, fact)| (path.clone(), fact.id.clone())).collect()
            }
            Facts::Account(_) => BTreeMap::new(),
        };
        Self { ids: Mutex::new(ids) }
    }

    /// Creates an OU. That one of this name is there by now is found out by AWS: names are unique under a parent.
    pub(super) async fn create(&self, writer: &Writer, path: &OuPath) -> Result<Outcome, Error> {
        let Some(parent) = path.parent().and_then(|parent| self.id(&parent)) else {
            return Ok(Outcome::Stale(format!("the parent of {path} is not there")));
        };
        match writer.create_ou(&parent, path.name()).await {
            Ok(id) => {
                self.ids.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone(), id);
                Ok(Outcome::Done)
            }
            Err(error) if error.code() == Some("DuplicateOrganizationalUnitException") => {
                Ok(Outcome::Stale(format!("{path} is there by now")))
            }
            Err(error) => Err(error),
        }
    }

    /// Moves an account. AWS itself checks that it still is where `before` says.
    pub(super) async fn place(
        &self,
        reader: &Reader,
        writer: &Writer,
        account: &AccountId,
        before: &OuPath,
        after: &OuPath,
    ) -> Result<Outcome, Error> {
        if let Some(held) = held(account, &reader.tags_of(account.as_str()).await?) {
            return Ok(held);
        }
        let (Some(from), Some(to)) = (self.id(before), self.id(after)) else {
            return Ok(Outcome::Stale(format!("{before} or {after} is not there")));
        };
        match writer.move_account(account, &from, &to).await {
            Ok(()) => Ok(Outcome::Done),
            Err(error) if error.code() == Some("SourceParentNotFoundException") => {
                Ok(Outcome::Stale(format!("account {account} is no longer in {before}")))
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn id(&self, path: &OuPath) -> Option<String> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }
}

/// Asks for an account, once. Whatever the answer, the next pass looks before anything is asked again.
pub(super) async fn create_account(
    site: &Site<'_>,
    name: &str,
    email: &Email,
    tags: &BTreeMap<String, String>,
) -> Result<Outcome, Error> {
    if let Some(because) = overtaken(site, name, email).await? {
        return Ok(Outcome::Stale(because));
    }
    match site.writer.create_account(name, email, &site.role, tags).await {
        Ok(creation) => Ok(match creation.state {
            CreationState::InProgress | CreationState::Succeeded(_) => Outcome::Waiting {
                because: format!("AWS is creating the account ({})", creation.id),
                after: CREATION,
            },
            CreationState::Failed(reason) => Outcome::Failed {
                class: crate::model::Class::Stalled,
                message: format!("AWS refused to create it: {reason} ({})", creation.id),
            },
        }),
        Err(error) if error.outcome_unknown() => Ok(Outcome::Waiting {
            because: format!(
                "it is not known whether the request arrived; looking before asking again: {error}"
            ),
            after: CREATION,
        }),
        Err(error) => Err(error),
    }
}

/// What came between the look of the pass and now: another request of this name, which AWS would grant as well, or an
/// account of this e-mail. The whole list is long, and AWS refuses an e-mail twice by itself, so a look at it serves for
/// as long as a look at stacks does.
async fn overtaken(site: &Site<'_>, name: &str, email: &Email) -> Result<Option<String>, Error> {
    let Facts::Organization(facts) = site.facts else { return Ok(None) };
    let is_new = |request: &Creation| facts.creations.iter().all(|known| known.id != request.id);
    let requests = site.reader.creations().await?;
    if let Some(request) = requests.iter().find(|it| it.account_name == name && is_new(it)) {
        return Ok(Some(format!("an account named {name} was asked for meanwhile ({})", request.id)));
    }
    if site.began.elapsed() < site.reader.pace().scale(FRESH) {
        return Ok(None);
    }
    let accounts = site.reader.accounts().await?;
    let other = accounts.iter().find(|account| account.email.eq_ignore_ascii_case(email.as_str()));
    Ok(other.map(|account| format!("account {} has the e-mail {email} by now", account.id)))
}

/// The brake of one account, read at the moment of the write: the pass itself has asked for the root's only.
pub(super) fn held(account: &AccountId, tags: &BTreeMap<String, String>) -> Option<Outcome> {
    let because = tags.get(HOLD_TAG).map(|why| format!("account {account} is on hold: {why}"))?;
    Some(Outcome::Waiting { because, after: super::HELD })
}

/// Sets one tag, if it still has the value the plan saw.
pub(super) async fn tag(
    reader: &Reader,
    writer: &Writer,
    account: &AccountId,
    key: &str,
    before: Option<&str>,
    after: &str,
) -> Result<Outcome, Error> {
    let now = reader.tags_of(account.as_str()).await?;
    if let Some(held) = held(account, &now) {
        return Ok(held);
    }
    if now.get(key).map(String::as_str) != before {
        return Ok(Outcome::Stale(format!("the tag {key} of account {account} was changed meanwhile")));
    }
    writer.tag(account.as_str(), &BTreeMap::from([(key.to_owned(), after.to_owned())])).await?;
    Ok(Outcome::Done)
}
