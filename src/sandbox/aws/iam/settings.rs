//! Settings of the whole account: password policy and alias.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::state::State;
use super::super::wire::{Answer, Params as _, Refusal};
use super::{already_exists, no_such_entity};

pub(crate) fn get_password_policy(state: &mut State, call: &Call) -> Answer {
    let policy = state.member(call.account()).iam.password_policy.as_ref();
    let mut policy = policy.ok_or_else(|| missing(call))?.clone();
    policy["ExpirePasswords"] = json!(policy.get("MaxPasswordAge").is_some_and(|age| !age.is_null()));
    Ok(json!({"PasswordPolicy": policy}))
}

fn missing(call: &Call) -> Refusal {
    no_such_entity(format!("The Password Policy with domain name {} cannot be found.", call.account()))
}

/// Replaces the whole policy: what is not named goes back to AWS's default.
pub(crate) fn update_password_policy(state: &mut State, call: &Call) -> Answer {
    let flag = |name: &str| json!(call.params.flag(name).unwrap_or(false));
    let policy = json!({
        "MinimumPasswordLength": bounded(call, "MinimumPasswordLength", 6, 128)?.unwrap_or(6),
        "RequireSymbols": flag("RequireSymbols"),
        "RequireNumbers": flag("RequireNumbers"),
        "RequireUppercaseCharacters": flag("RequireUppercaseCharacters"),
        "RequireLowercaseCharacters": flag("RequireLowercaseCharacters"),
        "AllowUsersToChangePassword": flag("AllowUsersToChangePassword"),
        "MaxPasswordAge": bounded(call, "MaxPasswordAge", 1, 1095)?,
        "PasswordReusePrevention": bounded(call, "PasswordReusePrevention", 1, 24)?,
        "HardExpiry": call.params.flag("HardExpiry"),
    });
    state.member(call.account()).iam.password_policy = Some(policy);
    Ok(Value::Null)
}

fn bounded(call: &Call, name: &str, low: i64, high: i64) -> Result<Option<i64>, Refusal> {
    match call.params.number(name) {
        Some(value) if !(low..=high).contains(&value) => Err(Refusal::validation(format!(
            "1 validation error detected: Value '{value}' at '{}{}' failed to satisfy constraint: Member must have \
             value between {low} and {high}",
            name[..1].to_lowercase(),
            &name[1..]
        ))),
        value => Ok(value),
    }
}

pub(crate) fn delete_password_policy(state: &mut State, call: &Call) -> Answer {
    state
        .member(call.account())
        .iam
        .password_policy
        .take()
        .map(|_| Value::Null)
        .ok_or_else(|| no_such_entity("The account policy with name PasswordPolicy cannot be found."))
}

pub(crate) fn list_aliases(state: &mut State, call: &Call) -> Answer {
    Ok(json!({"AccountAliases": state.member(call.account()).iam.aliases, "IsTruncated": false}))
}

/// An account has one alias; a new one takes the place of the old.
pub(crate) fn create_alias(state: &mut State, call: &Call) -> Answer {
    let alias = call.params.required("AccountAlias")?.to_owned();
    if !is_alias(&alias) {
        return Err(Refusal::validation(format!(
            "1 validation error detected: Value '{alias}' at 'accountAlias' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){{1,61}}[a-z0-9]$"
        )));
    }
    if state.members.values().any(|member| member.iam.aliases.contains(&alias)) {
        return Err(already_exists(format!("The account alias {alias} already exists.")));
    }
    state.member(call.account()).iam.aliases = vec![alias];
    Ok(Value::Null)
}

fn is_alias(alias: &str) -> bool {
    (3..=63).contains(&alias.len())
        && alias.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !alias.starts_with('-')
        && !alias.ends_with('-')
        && !alias.contains("--")
}

pub(crate) fn delete_alias(state: &mut State, call: &Call) -> Answer {
    let alias = call.params.required("AccountAlias")?;
    let aliases = &mut state.member(call.account()).iam.aliases;
    if !aliases.iter().any(|has| has == alias) {
        return Err(no_such_entity(format!("The account alias {alias} cannot be found.")));
    }
    aliases.retain(|has| has != alias);
    Ok(Value::Null)
}
