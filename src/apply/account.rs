//! Settings: look whether the plan still holds, then put or remove the whole.

use crate::aws::{Error, Reader, Writer};
use crate::model::saml::{SamlMetadata, outline};
use crate::model::{Outcome, SamlProviderName, Value};

/// Puts the merged password policy, if the policy still is what the plan merged with.
pub(super) async fn put_password_policy(
    reader: &Reader,
    writer: &Writer,
    before: Option<&Value>,
    after: &Value,
) -> Result<Outcome, Error> {
    if reader.password_policy().await?.as_ref() != before {
        return Ok(Outcome::Stale("the password policy was changed meanwhile".to_owned()));
    }
    writer.put_password_policy(after).await?;
    Ok(Outcome::Done)
}

/// Puts the alias, if the account still has the one the plan saw.
pub(super) async fn put_alias(
    reader: &Reader,
    writer: &Writer,
    before: Option<&str>,
    after: &str,
) -> Result<Outcome, Error> {
    if reader.account_alias().await?.as_deref() != before {
        return Ok(Outcome::Stale("the account's alias was changed meanwhile".to_owned()));
    }
    writer.put_account_alias(after).await?;
    Ok(Outcome::Done)
}

/// Makes the provider, or replaces its metadata if that still says what the plan saw.
pub(super) async fn put_saml_provider(
    reader: &Reader,
    writer: &Writer,
    name: &SamlProviderName,
    before: Option<&str>,
    after: &SamlMetadata,
) -> Result<Outcome, Error> {
    let now = reader.saml_provider(name).await?.map(|metadata| outline(&metadata));
    if now.as_deref() != before {
        return Ok(Outcome::Stale(format!("the SAML provider {name} was changed meanwhile")));
    }
    match before {
        Some(_) => writer.update_saml_provider(name, &after.text).await?,
        None => writer.create_saml_provider(name, &after.text).await?,
    }
    Ok(Outcome::Done)
}

/// Removes the password policy, if it still is what the plan saw.
pub(super) async fn remove_password_policy(
    reader: &Reader,
    writer: &Writer,
    before: &Value,
) -> Result<Outcome, Error> {
    if reader.password_policy().await?.as_ref() != Some(before) {
        return Ok(Outcome::Stale("the password policy was changed meanwhile".to_owned()));
    }
    writer.delete_password_policy().await?;
    Ok(Outcome::Done)
}

/// Takes the alias away, if the account still has the one the plan saw.
pub(super) async fn remove_alias(reader: &Reader, writer: &Writer, before: &str) -> Result<Outcome, Error> {
    if reader.account_alias().await?.as_deref() != Some(before) {
        return Ok(Outcome::Stale("the account's alias was changed meanwhile".to_owned()));
    }
    writer.delete_account_alias(before).await?;
    Ok(Outcome::Done)
}

/// Removes the provider, if its metadata still says what the plan saw.
pub(super) async fn remove_saml_provider(
    reader: &Reader,
    writer: &Writer,
    name: &SamlProviderName,
    before: &str,
) -> Result<Outcome, Error> {
    let now = reader.saml_provider(name).await?.map(|metadata| outline(&metadata));
    if now.as_deref() != Some(before) {
        return Ok(Outcome::Stale(format!("the SAML provider {name} was changed meanwhile")));
    }
    writer.delete_saml_provider(name).await?;
    Ok(Outcome::Done)
}
