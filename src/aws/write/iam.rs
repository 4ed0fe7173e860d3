//! IAM: settings that are put or removed as a whole, so that twice is once.

use super::super::Error;
use super::super::read::saml_provider_arn;
use super::super::session::Repeat;
use super::Writer;
use crate::model::{SamlProviderName, Value};

impl Writer {
    /// Replaces the whole password policy; what `policy` leaves out goes back to AWS's default. Its keys are the
    /// field names of the files.
    pub async fn put_password_policy(&self, policy: &Value) -> Result<(), Error> {
        let number =
            |key| policy.get(key).and_then(Value::as_i64).and_then(|number| i32::try_from(number).ok());
        let switch = |key| policy.get(key).and_then(Value::as_bool);
        let client = self.session.iam(None, Repeat::Freely).await?;
        let call = client
            .update_account_password_policy()
            .set_minimum_password_length(number("minimumLength"))
            .set_max_password_age(number("maxAgeDays"))
            .set_password_reuse_prevention(number("reusePrevention"))
            .set_require_symbols(switch("requireSymbols"))
            .set_require_numbers(switch("requireNumbers"))
            .set_require_uppercase_characters(switch("requireUppercase"))
            .set_require_lowercase_characters(switch("requireLowercase"))
            .set_allow_users_to_change_password(switch("allowUsersToChange"))
            .set_hard_expiry(switch("hardExpiry"))
            .send();
        self.session.send("UpdateAccountPasswordPolicy", call).await.map(|_| ())
    }

    /// Sets the account's alias in place of any other.
    pub async fn put_account_alias(&self, alias: &str) -> Result<(), Error> {
        let client = self.session.iam(None, Repeat::Freely).await?;
        let call = client.create_account_alias().account_alias(alias).send();
        self.session.send("CreateAccountAlias", call).await.map(|_| ())
    }

    /// Makes a SAML provider. Its name is taken once, so asking again makes no second one.
    pub async fn create_saml_provider(&self, name: &SamlProviderName, metadata: &str) -> Result<(), Error> {
        let client = self.session.iam(None, Repeat::Freely).await?;
        let call = client.create_saml_provider().name(name.as_str()).saml_metadata_document(metadata);
        self.session.send("CreateSAMLProvider", call.send()).await.map(|_| ())
    }

    /// Replaces the whole metadata of a SAML provider.
    pub async fn update_saml_provider(&self, name: &SamlProviderName, metadata: &str) -> Result<(), Error> {
        let arn = saml_provider_arn(self.account(), name);
        let client = self.session.iam(None, Repeat::Freely).await?;
        let call = client.update_saml_provider().saml_provider_arn(arn).saml_metadata_document(metadata);
        self.session.send("UpdateSAMLProvider", call.send()).await.map(|_| ())
    }

    /// Removes the password policy, so that AWS's default holds; that there is none counts as done.
    pub async fn delete_password_policy(&self) -> Result<(), Error> {
        let client = self.session.iam(None, Repeat::Freely).await?;
        let call = client.delete_account_password_policy().send();
        gone(self.session.send("DeleteAccountPasswordPolicy", call).await.map(|_| ()))
    }

    /// Takes this very alias away; that the account has another, or none, counts as done.
    pub async fn delete_account_alias(&self, alias: &str) -> Result<(), Error> {
        let client = self.session.iam(None, Repeat::Freely).await?;
        let call = client.delete_account_alias().account_alias(alias).send();
        gone(self.session.send("DeleteAccountAlias", call).await.map(|_| ()))
    }

    /// Removes a SAML provider; that it is gone already counts as done.
    pub async fn delete_saml_provider(&self, name: &SamlProviderName) -> Result<(), Error> {
        let arn = saml_provider_arn(self.account(), name);
        let client = self.session.iam(None, Repeat::Freely).await?;
        let call = client.delete_saml_provider().saml_provider_arn(arn).send();
        gone(self.session.send("DeleteSAMLProvider", call).await.map(|_| ()))
    }
}

/// What is gone already needs no removing: an earlier try whose answer was lost has done it.
fn gone(answer: Result<(), Error>) -> Result<(), Error> {
    answer.or_else(|error| if error.is_absent() { Ok(()) } else { Err(error) })
}
