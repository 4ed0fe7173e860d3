//! Organizations. Nothing here may be sent twice for one intent, so the SDK never repeats a call by itself; a tag
//! is the exception, for setting it twice is setting it once.

use std::collections::BTreeMap;

use aws_sdk_organizations::types::{IamUserAccessToBilling, Tag};

use super::super::Error;
use super::super::read::creation;
use super::super::session::Repeat;
use super::Writer;
use crate::model::{AccountId, Creation, Email, RoleName};

impl Writer {
    /// Creates an OU under a root or OU and returns its id.
    pub async fn create_ou(&self, parent: &str, name: &str) -> Result<String, Error> {
        let operation = "CreateOrganizationalUnit";
        let client = self.session.organizations(None, Repeat::Never).await?;
        let call = client.create_organizational_unit().parent_id(parent).name(name).send();
        let answer = self.session.send(operation, call).await?;
        let id = answer.organizational_unit.and_then(|ou| ou.id);
        id.ok_or_else(|| self.lacks(operation, "id"))
    }

    /// Asks for an account, once. [`Error::Paced`] when AWS would not let it through yet: nothing was sent then.
    /// After an error of unknown outcome look at the accounts and the requests before asking again.
    pub async fn create_account(
        &self,
        name: &str,
        email: &Email,
        role: &RoleName,
        tags: &BTreeMap<String, String>,
    ) -> Result<Creation, Error> {
        let operation = "CreateAccount";
        let client = self.session.organizations(None, Repeat::Never).await?;
        let request = client
            .create_account()
            .account_name(name)
            .email(email.as_str())
            .role_name(role.as_str())
            .iam_user_access_to_billing(IamUserAccessToBilling::Allow)
            .set_tags(Some(self.tags(operation, tags)?));
        self.session.inner().take_creation().map_err(|after| Error::Paced { operation, after })?;
        let answer = self.session.send(operation, request.send()).await?;
        let status = answer.create_account_status.ok_or_else(|| self.lacks(operation, "status"))?;
        creation(operation, self.account(), &status)
    }

    /// Moves an account between OUs (ids). That it is there already counts as done.
    pub async fn move_account(&self, account: &AccountId, from: &str, to: &str) -> Result<(), Error> {
        let client = self.session.organizations(None, Repeat::Never).await?;
        let request = client.move_account().account_id(account.as_str());
        let call = request.source_parent_id(from).destination_parent_id(to).send();
        match self.session.send("MoveAccount", call).await {
            Err(error) if error.code() == Some("DuplicateAccountException") => Ok(()),
            answer => answer.map(|_| ()),
        }
    }

    /// Sets tags of an account, an OU or the root; other tags stay.
    pub async fn tag(&self, resource: &str, tags: &BTreeMap<String, String>) -> Result<(), Error> {
        let operation = "TagResource";
        let client = self.session.organizations(None, Repeat::Freely).await?;
        let request = client.tag_resource().resource_id(resource);
        let call = request.set_tags(Some(self.tags(operation, tags)?)).send();
        self.session.send(operation, call).await.map(|_| ())
    }

    pub(super) fn tags(
        &self,
        operation: &'static str,
        tags: &BTreeMap<String, String>,
    ) -> Result<Vec<Tag>, Error> {
        tags.iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect::<Result<_, _>>()
            .map_err(|_| self.lacks(operation, "tag"))
    }
}
