//! STS: who am I, and who may I become.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::Call;
use super::identity::{Key, Kind, Principal};
use super::organizations::accounts::Standing;
use super::permissions::{self, Asked};
use super::state::State;
use super::wire::{Answer, Params as _, Protocol, Refusal, iso};
use super::{Credentials, about};

pub(crate) fn handle(state: &mut State, call: &Call) -> Answer {
    match call.operation.as_str() {
        "GetCallerIdentity" => Ok(caller_identity(&call.principal)),
        "AssumeRole" => assume_role(state, call),
        _ => Err(call.unknown_operation()),
    }
}

fn caller_identity(principal: &Principal) -> Value {
    json!({"Account": principal.account, "Arn": principal.arn, "UserId": principal.id})
}

fn assume_role(state: &mut State, call: &Call) -> Answer {
    let arn = call.params.required("RoleArn")?.to_owned();
    let session = session_name(call.params.required("RoleSessionName")?)?;
    let (account, name) = role_of(&arn)?;
    let max = may_assume(state, call, &arn, account, name)?;
    let lifetime = lifetime(call, max)?;
    let session_policies = session_policies(state, call, account)?;
    let since = state.now();
    let access_key = format!("ASIA{}", state.capitals(16));
    let role_id = state.members[account].iam.roles[name].id.clone();
    let principal = Principal {
        account: account.to_owned(),
        arn: format!("arn:aws:sts::{account}:assumed-role/{name}/{session}"),
        id: format!("{role_id}:{session}"),
        kind: Kind::Role { name: name.to_owned(), session },
        access_key: access_key.clone(),
        session_policies,
        since,
    };
    Ok(issue(state, access_key, principal, lifetime))
}

fn issue(state: &mut State, access_key: String, principal: Principal, lifetime: Duration) -> Value {
    let secret = state.fresh()[..40].to_owned();
    let token = format!("IQoJ{}{}", state.fresh(), state.fresh());
    let expires = Timestamp::now() + lifetime;
    // Sessions long over are unknown rather than expired.
    let forgotten = Timestamp::now() - Duration::from_hours(1);
    state.keys.retain(|_, key| key.expires.is_none_or(|expired| expired > forgotten));
    let answer = json!({
        "AssumedRoleUser": {"Arn": principal.arn, "AssumedRoleId": principal.id},
        "Credentials": {"AccessKeyId": access_key, "SecretAccessKey": secret, "SessionToken": token,
                        "Expiration": iso(expires)},
        "PackedPolicySize": 0,
    });
    state.keys.insert(access_key, Key { secret, token: Some(token), expires: Some(expires), principal });
    answer
}

/// What runs under a role as a service of AWS would have it, such as an instance; `None` if there is no such role.
pub(crate) fn principal(state: &mut State, account: &str, name: &str) -> Option<Principal> {
    let role_id = state.members.get(account)?.iam.roles.get(name)?.id.clone();
    let session = "i-0123456789abcdef0".to_owned();
    Some(Principal {
        account: account.to_owned(),
        arn: format!("arn:aws:sts::{account}:assumed-role/{name}/{session}"),
        id: format!("{role_id}:{session}"),
        kind: Kind::Role { name: name.to_owned(), session },
        access_key: format!("ASIA{}", state.capitals(16)),
        session_policies: Vec::new(),
        since: state.now(),
    })
}

/// The credentials that it is given.
pub(crate) fn handed_out(state: &mut State, account: &str, name: &str) -> Option<Credentials> {
    let principal = principal(state, account, name)?;
    let access_key = principal.access_key.clone();
    issue(state, access_key.clone(), principal, Duration::from_hours(6));
    let key = state.keys.get(&access_key)?;
    Some(Credentials { access_key, secret_key: key.secret.clone(), session_token: key.token.clone() })
}

fn session_name(name: &str) -> Result<String, Refusal> {
    let is_fine = (2..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b));
    if is_fine { Ok(name.to_owned()) } else { Err(constraint(name, "roleSessionName", "[\\w+=,.@-]*")) }
}

fn constraint(value: &str, name: &str, pattern: &str) -> Refusal {
    Refusal::validation(format!(
        "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: Member must satisfy \
         regular expression pattern: {pattern}"
    ))
}

/// The account and the name in a role's ARN.
fn role_of(arn: &str) -> Result<(&str, &str), Refusal> {
    arn.strip_prefix("arn:aws:iam::")
        .and_then(|rest| rest.split_once(":role/"))
        .map(|(account, path)| (account, path.rsplit('/').next().unwrap_or(path)))
        .ok_or_else(|| Refusal::validation(format!("{arn} is invalid")))
}

/// Refuses, or gives the role's longest session in seconds.
fn may_assume(state: &State, call: &Call, arn: &str, account: &str, name: &str) -> Result<i64, Refusal> {
    let refusal = || {
        let message = format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}",
            call.principal.arn
        );
        Refusal::new(403, "AccessDenied", message)
    };
    let now = state.now();
    let is_active = state.organization.accounts.get(account).is_some_and(|a| a.standing == Standing::Active);
    let member = state.members.get(account).ok_or_else(refusal)?;
    let role = member.iam.roles.get(name).ok_or_else(refusal)?;
    let is_ready = role.ready_at.is_none_or(|ready| ready <= now);
    let external_id = call.params.text("ExternalId");
    let is_trusted = permissions::trusts(state, &role.trust, &call.principal, external_id);
    if !(is_active && is_ready && is_trusted && role.arn == arn) {
        return Err(refusal());
    }
    let mut facts = about::of_principal(state, &call.principal);
    facts.extend(about::facts([
        ("aws:resourceaccount", Some(account)),
        ("aws:resourceorgid", Some(state.organization.id.as_str())),
        ("sts:rolesessionname", call.params.text("RoleSessionName")),
    ]));
    facts.extend(about::tagged(&role.tags));
    let asked = Asked { action: "sts:AssumeRole", resource: arn, facts: &facts };
    permissions::check(state, &call.principal, &asked, Protocol::Query)?;
    Ok(role.max_session)
}

fn lifetime(call: &Call, max: i64) -> Result<Duration, Refusal> {
    let seconds = call.params.number("DurationSeconds").unwrap_or(3600);
    let is_chained = matches!(call.principal.kind, Kind::Role { .. });
    if seconds < 900 {
        return Err(Refusal::validation(format!(
            "1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member \
             must have value greater than or equal to 900"
        )));
    }
    if is_chained && seconds > 3600 {
        return Err(Refusal::validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        ));
    }
    if seconds > max {
        return Err(Refusal::validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    Ok(Duration::from_secs(seconds.unsigned_abs()))
}

fn session_policies(state: &State, call: &Call, account: &str) -> Result<Vec<Value>, Refusal> {
    let mut policies = Vec::new();
    let inline = call.params.text("Policy");
    if let Some(text) = inline {
        let malformed =
            || Refusal::bad("MalformedPolicyDocument", "The policy is not in the valid JSON format.");
        policies.push(serde_json::from_str(text).map_err(|_| malformed())?);
    }
    let arns = call.params.entries("PolicyArns");
    for arn in arns.iter().filter_map(|entry| entry.text("arn")) {
        let document = state.members[account].iam.document(arn);
        let missing = || Refusal::validation(format!("Policy {arn} does not exist or is not attachable."));
        policies.push(document.ok_or_else(missing)?);
    }
    let size = inline.map_or(0, str::len)
        + arns.iter().filter_map(|arn| arn.text("arn")).map(str::len).sum::<usize>();
    if size > 2048 {
        return Err(Refusal::bad(
            "PackedPolicyTooLarge",
            format!(
                "Packed policy consumes {}% of allotted space, please use smaller policy.",
                size * 100 / 2048
            ),
        ));
    }
    Ok(policies)
}
