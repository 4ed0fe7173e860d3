//! IAM: the settings that exist once per account.

use serde_json::{Map, json};

use super::super::Error;
use super::super::session::Repeat;
use super::Reader;
use crate::model::{AccountId, SamlProviderName, Value};

impl Reader {
    /// The password policy by the field names of the files, or nothing where the account has none. Numbers that are
    /// not set are left out.
    pub async fn password_policy(&self) -> Result<Option<Value>, Error> {
        let operation = "GetAccountPasswordPolicy";
        let client = self.session.iam(None, Repeat::Freely).await?;
        let answer = match self.session.send(operation, client.get_account_password_policy().send()).await {
            Err(error) if error.is_absent() => return Ok(None),
            answer => answer?,
        };
        let policy = answer.password_policy.ok_or_else(|| self.lacks(operation, "policy"))?;
        let mut fields = Map::new();
        let numbers = [
            ("minimumLength", policy.minimum_password_length),
            ("maxAgeDays", policy.max_password_age),
            ("reusePrevention", policy.password_reuse_prevention),
        ];
        let set = numbers.into_iter().filter_map(|(key, number)| Some((key, number.filter(|n| *n != 0)?)));
        fields.extend(set.map(|(key, number)| (key.to_owned(), json!(number))));
        let switches = [
            ("requireSymbols", policy.require_symbols),
            ("requireNumbers", policy.require_numbers),
            ("requireUppercase", policy.require_uppercase_characters),
            ("requireLowercase", policy.require_lowercase_characters),
            ("allowUsersToChange", policy.allow_users_to_change_password),
            ("hardExpiry", policy.hard_expiry.unwrap_or_default()),
        ];
        fields.extend(switches.map(|(key, on)| (key.to_owned(), json!(on))));
        Ok(Some(Value::Object(fields)))
    }

    /// The account's sign-in alias, where it has one.
    pub async fn account_alias(&self) -> Result<Option<String>, Error> {
        let request = self.session.iam(None, Repeat::Freely).await?.list_account_aliases();
        let fetch = |marker| request.clone().set_marker(marker).send();
        let aliases = self
            .session
            .pages("ListAccountAliases", fetch, |page| (Some(page.account_aliases), page.marker))
            .await?;
        Ok(aliases.into_iter().next())
    }

    /// The names of the account's SAML providers; IAM does not page them.
    pub async fn saml_providers(&self) -> Result<Vec<String>, Error> {
        let operation = "ListSAMLProviders";
        let client = self.session.iam(None, Repeat::Freely).await?;
        let answer = self.session.send(operation, client.list_saml_providers().send()).await?;
        let arns = answer.saml_provider_list.unwrap_or_default().into_iter().map(|provider| provider.arn);
        arns.map(|arn| {
            let name = arn.as_deref().and_then(|arn| arn.rsplit_once('/')).map(|(_, name)| name.to_owned());
            name.ok_or_else(|| self.lacks(operation, "name"))
        })
        .collect()
    }

    /// The metadata document of a SAML provider, where the account has one of that name.
    pub async fn saml_provider(&self, name: &SamlProviderName) -> Result<Option<String>, Error> {
        let operation = "GetSAMLProvider";
        let client = self.session.iam(None, Repeat::Freely).await?;
        let call = client.get_saml_provider().saml_provider_arn(saml_provider_arn(self.account(), name));
        match self.session.send(operation, call.send()).await {
            Err(error) if error.is_absent() => Ok(None),
            answer => {
                let metadata = answer?.saml_metadata_document;
                metadata.map(Some).ok_or_else(|| self.lacks(operation, "metadata"))
            }
        }
    }
}

/// The name is all that a provider's ARN adds to its account's.
pub(in super::super) fn saml_provider_arn(account: &AccountId, name: &SamlProviderName) -> String {
    format!("arn:aws:iam::{account}:saml-provider/{name}")
}
