//! Organizations: the tree, the accounts, their tags, and requests for new ones.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_organizations::operation::list_accounts::ListAccountsOutput;
use aws_sdk_organizations::types::{Account, CreateAccountState, CreateAccountStatus, PolicyTypeSummary};

use super::super::Error;
use super::super::session::Repeat;
use super::Reader;
use crate::model::{AccountId, AccountState, Creation, CreationState};

/// An OU as listed under its parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OuChild {
    /// `ou-…`.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// The root of the organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// `r-…`.
    pub id: String,
    /// The state of each kind of policy by AWS's name: `ENABLED`, `PENDING_ENABLE` or `PENDING_DISABLE`. A kind that is
    /// not enabled is missing.
    pub policy_types: BTreeMap<String, String>,
}

/// An account as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedAccount {
    /// Its id.
    pub id: AccountId,
    /// Its root e-mail as AWS spells it.
    pub email: String,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: AccountState,
    /// When it joined, seconds since 1970; 0 where AWS does not say.
    pub joined: i64,
    /// The id of the OU or root it is in, where the listing says.
    pub parent: Option<String>,
}

impl Reader {
    /// The ids of the organization and of its management account.
    pub async fn organization(&self) -> Result<(String, String), Error> {
        let operation = "DescribeOrganization";
        let client = self.session.organizations(None, Repeat::Freely).await?;
        let answer = self.session.send(operation, client.describe_organization().send()).await?;
        let organization = answer.organization.ok_or_else(|| self.lacks(operation, "organization"))?;
        let id = organization.id.ok_or_else(|| self.lacks(operation, "id"))?;
        let management = organization.master_account_id.ok_or_else(|| self.lacks(operation, "account"))?;
        Ok((id, management))
    }

    /// The root, with the kinds of policies that can be attached.
    pub async fn root(&self) -> Result<Root, Error> {
        let operation = "ListRoots";
        let request = self.session.organizations(None, Repeat::Freely).await?.list_roots();
        let fetch = |token| request.clone().set_next_token(token).send();
        let roots = self.session.pages(operation, fetch, |page| (page.roots, page.next_token)).await?;
        let root = roots.into_iter().next().ok_or_else(|| self.lacks(operation, "root"))?;
        let id = root.id.ok_or_else(|| self.lacks(operation, "root"))?;
        let kind =
            |it: PolicyTypeSummary| Some((it.r#type?.as_str().to_owned(), it.status?.as_str().to_owned()));
        Ok(Root { id, policy_types: root.policy_types.into_iter().flatten().filter_map(kind).collect() })
    }

    /// The OUs directly under a root or OU.
    pub async fn ous_under(&self, parent: &str) -> Result<Vec<OuChild>, Error> {
        let operation = "ListOrganizationalUnitsForParent";
        let client = self.session.organizations(None, Repeat::Freely).await?;
        let request = client.list_organizational_units_for_parent().parent_id(parent);
        let fetch = |token| request.clone().set_next_token(token).send();
        let ous =
            self.session.pages(operation, fetch, |page| (page.organizational_units, page.next_token)).await?;
        ous.into_iter()
            .map(|ou| {
                let id = ou.id.ok_or_else(|| self.lacks(operation, "id"))?;
                Ok(OuChild { id, name: ou.name.ok_or_else(|| self.lacks(operation, "name"))? })
            })
            .collect()
    }

    /// Every account of the organization, each once: while accounts are being made the pages shift, and one page
    /// begins with what the page before ended with.
    pub async fn accounts(&self) -> Result<Vec<ListedAccount>, Error> {
        self.accounts_meeting(&|_| ()).await
    }

    /// The same. Each account is `met` as soon as its page is there: the pages come one after the other, 20 accounts
    /// each, and most of the list is still to come.
    pub async fn accounts_meeting(
        &self,
        met: &(dyn Fn(&ListedAccount) + Send + Sync),
    ) -> Result<Vec<ListedAccount>, Error> {
        let request = self.session.organizations(None, Repeat::Freely).await?.list_accounts();
        let fetch = |token| request.clone().set_next_token(token).send();
        let split = |page: ListAccountsOutput| {
            let accounts = page.accounts.iter().flatten();
            accounts
                .filter_map(|account| self.listed(account.clone()).ok())
                .for_each(|account| met(&account));
            (page.accounts, page.next_token)
        };
        let accounts = self.session.pages("ListAccounts", fetch, split).await?;
        let mut seen = BTreeSet::new();
        let once = accounts.into_iter().filter(|account| seen.insert(account.id.clone()));
        once.map(|account| self.listed(account)).collect()
    }

    /// The id of the OU or root that holds an account, for listings that do not say.
    pub async fn parent_of(&self, account: &AccountId) -> Result<String, Error> {
        let request = self.session.organizations(None, Repeat::Freely).await?.list_parents();
        let request = request.child_id(account.as_str());
        let fetch = |token| request.clone().set_next_token(token).send();
        let parents =
            self.session.pages("ListParents", fetch, |page| (page.parents, page.next_token)).await?;
        parents.into_iter().find_map(|parent| parent.id).ok_or_else(|| self.lacks("ListParents", "parent"))
    }

    /// The tags of an account, an OU or the root, by its id.
    pub async fn tags_of(&self, resource: &str) -> Result<BTreeMap<String, String>, Error> {
        let request = self.session.organizations(None, Repeat::Freely).await?.list_tags_for_resource();
        let request = request.resource_id(resource);
        let fetch = |token| request.clone().set_next_token(token).send();
        let tags =
            self.session.pages("ListTagsForResource", fetch, |page| (page.tags, page.next_token)).await?;
        Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
    }

    /// Every request for an account that AWS remembers, newest first.
    pub async fn creations(&self) -> Result<Vec<Creation>, Error> {
        let states =
            [CreateAccountState::InProgress, CreateAccountState::Succeeded, CreateAccountState::Failed];
        let request = self.session.organizations(None, Repeat::Freely).await?.list_create_account_status();
        let request = request.set_states(Some(states.to_vec()));
        let fetch = |token| request.clone().set_next_token(token).send();
        let operation = "ListCreateAccountStatus";
        let all = self
            .session
            .pages(operation, fetch, |page| (page.create_account_statuses, page.next_token))
            .await?;
        let mut all: Vec<_> =
            all.iter().map(|status| creation(operation, self.account(), status)).collect::<Result<_, _>>()?;
        all.sort_by_key(|creation: &Creation| std::cmp::Reverse(creation.requested));
        Ok(all)
    }

    fn listed(&self, account: Account) -> Result<ListedAccount, Error> {
        let operation = "ListAccounts";
        let state = account.state.as_ref().map(aws_sdk_organizations::types::AccountState::as_str);
        // `Status` is retired, but the emulators know nothing else.
        let state =
            state.or(account.status.as_ref().map(aws_sdk_organizations::types::AccountStatus::as_str));
        let state = account_state(state.ok_or_else(|| self.lacks(operation, "state"))?);
        let parent = account.paths().first().and_then(|path| parent_in(path));
        let id = account.id.ok_or_else(|| self.lacks(operation, "id"))?;
        Ok(ListedAccount {
            id: AccountId::parse(id).map_err(|_| self.lacks(operation, "usable id"))?,
            email: account.email.unwrap_or_default(),
            name: account.name.unwrap_or_default(),
            state,
            joined: account.joined_timestamp.map_or(0, |time| time.secs()),
            parent,
        })
    }
}

/// A request for an account in the model's words.
pub(in crate::aws) fn creation(
    operation: &'static str,
    place: &AccountId,
    status: &CreateAccountStatus,
) -> Result<Creation, Error> {
    let lacks = |what| Error::lacks(operation, place.as_str(), what);
    let state = match status.state().map(CreateAccountState::as_str) {
        Some("IN_PROGRESS") => CreationState::InProgress,
        Some("SUCCEEDED") => {
            let id = status.account_id().ok_or_else(|| lacks("account id"))?;
            CreationState::Succeeded(AccountId::parse(id).map_err(|_| lacks("usable account id"))?)
        }
        Some("FAILED") => CreationState::Failed(
            status.failure_reason().map_or("(no reason)", |reason| reason.as_str()).to_owned(),
        ),
        _ => return Err(lacks("state")),
    };
    Ok(Creation {
        id: status.id().ok_or_else(|| lacks("id"))?.to_owned(),
        account_name: status.account_name().unwrap_or_default().to_owned(),
        state,
        requested: status.requested_timestamp().map_or(0, aws_sdk_organizations::primitives::DateTime::secs),
    })
}

fn account_state(state: &str) -> AccountState {
    match state {
        "ACTIVE" => AccountState::Active,
        "PENDING_ACTIVATION" => AccountState::PendingActivation,
        "SUSPENDED" | "PENDING_CLOSURE" | "CLOSED" => AccountState::Unusable(state.to_owned()),
        // Not known to this version: nothing is done in such an account until it is.
        unknown => AccountState::Unusable(unknown.to_owned()),
    }
}

/// The last OU or root on a path such as `o-…/r-…/ou-…/111122223333/`.
fn parent_in(path: &str) -> Option<String> {
    let is_parent = |part: &&str| part.starts_with("ou-") || part.starts_with("r-");
    path.split('/').rfind(is_parent).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_the_last_ou_of_the_path() {
        assert_eq!(parent_in("o-abc/r-ab12/ou-ab12-1/ou-ab12-2/111122223333/").as_deref(), Some("ou-ab12-2"));
        assert_eq!(parent_in("o-abc/r-ab12/111122223333").as_deref(), Some("r-ab12"));
        assert_eq!(parent_in("o-abc/111122223333"), None);
    }
}
