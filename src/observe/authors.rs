//! Who made a difference: the newest call in CloudTrail that fits the item.
//!
//! Our own calls are recognised by the role and the session name, and are named like anybody's; recognising them
//! never hides a difference.

use jiff::Timestamp;

use super::traces::traces;
use crate::aws::{Error, Reader, TrailEvent, WRITE_SESSION_PREFIX};
use crate::model::{Access, AccountId, Author, Deed, Item, RoleName, Value};

/// How long CloudTrail may take before an author counts as not to be found (seconds).
const PATIENCE: i64 = 20 * 60;
/// The session name of CloudFormation when it works with a service role.
const STACK_SESSION: &str = "AWSCloudFormation";

/// Whom to ask.
#[derive(Clone, Copy)]
pub struct Witnesses<'a> {
    /// Reads the management account.
    pub management: &'a Reader,
    /// Reads the account in question, for settings and stacks.
    pub account: Option<&'a Reader>,
}

/// What to find the author of.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The item that differs.
    pub item: &'a Item,
    /// What was observed; its `drift` names the resources that were touched.
    pub observed: Option<&'a Value>,
    /// The account in question.
    pub account: Option<&'a AccountId>,
    /// The id of the policy in question.
    pub policy: Option<&'a str>,
    /// The id of what the policy is attached to, in question of an attachment.
    pub target: Option<&'a str>,
    /// The roles we use ourselves there.
    pub access: &'a Access,
    /// Seconds since 1970 from which on it can have happened.
    pub from: i64,
    /// When the difference was first seen.
    pub seen: i64,
    /// Now.
    pub now: i64,
}

/// Asks CloudTrail. An error means that nobody knows yet: ask again later.
///
/// While the newest call that fits is our own, somebody's later one may still be on its way: our value was the one
/// that was changed. So our own hand is named only when CloudTrail had its time.
pub async fn author(witnesses: Witnesses<'_>, question: &Question<'_>) -> Result<Author, Error> {
    let reader = match question.item {
        Item::Ou(_) | Item::Account(..) | Item::PolicyType(_) | Item::Policy(_) | Item::Attachment(..) => {
            Some(witnesses.management)
        }
        Item::Setting(_) | Item::Stack(_) => witnesses.account,
    };
    let Some(reader) = reader else {
        return Ok(Author::Unknown { because: "the account cannot be entered".to_owned() });
    };
    let mut found = Vec::new();
    for trace in traces(question) {
        let events = reader.trail(&trace.region, &trace.lookup, question.from, question.now).await?;
        found.extend(events.into_iter().filter_map(|event| Some((trace.fits(question, &event)?, event))));
    }
    let is_early = question.now - question.seen < PATIENCE;
    Ok(match newest(found).map(|(is_certain, event)| deed(&event, is_certain, question.access)) {
        Some(deed) if !(deed.is_ours && is_early) => Author::Known(deed),
        _ if is_early => Author::Pending,
        _ => Author::Unknown { because: "CloudTrail shows no call that fits".to_owned() },
    })
}

/// The newest of those that are certain; only where there is none, the newest of the likely ones.
fn newest(found: Vec<(bool, TrailEvent)>) -> Option<(bool, TrailEvent)> {
    // CloudTrail tells seconds, and the newer first: of two in one second the first one counts.
    found.into_iter().rev().max_by_key(|(is_certain, event)| (*is_certain, event.time))
}

fn deed(found: &TrailEvent, is_certain: bool, access: &Access) -> Deed {
    let text =
        |pointer: &str| found.record.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let principal = principal(&text);
    let (role, name) = names(&principal);
    let mfa = text("/userIdentity/sessionContext/attributes/mfaAuthenticated");
    Deed {
        is_ours: is_ours(&principal, access),
        principal,
        name,
        role,
        event_name: found.name.clone(),
        event_id: found.id.clone(),
        time: Timestamp::from_second(found.time).unwrap_or_default(),
        source_ip: text("/sourceIPAddress"),
        console: from_console(&found.record),
        mfa: (!mfa.is_empty()).then(|| mfa == "true"),
        is_certain,
    }
}

/// The role and the session of `…:assumed-role/Role/session`; the last name of any other principal.
fn names(principal: &str) -> (Option<String>, String) {
    let role_and_session = principal.split_once(":assumed-role/").and_then(|(_, rest)| rest.rsplit_once('/'));
    match role_and_session {
        Some((role, session)) => (Some(role.to_owned()), session.to_owned()),
        None => (None, principal.rsplit(['/', ':']).next().unwrap_or(principal).to_owned()),
    }
}

/// Whether the console made the call, where the record says it or shows the console's own agent.
fn from_console(record: &Value) -> Option<bool> {
    let said = record.get("sessionCredentialFromConsole").and_then(Value::as_str).map(|said| said == "true");
    let agent = record.get("userAgent").and_then(Value::as_str)?;
    said.or_else(|| Some(agent.contains("console.amazonaws.com") || agent.contains("signin.amazonaws.com")))
}

/// The ARN; for the few that have none, what CloudTrail gives instead.
fn principal(text: &impl Fn(&str) -> String) -> String {
    let candidates = ["/userIdentity/arn", "/userIdentity/principalId", "/userIdentity/invokedBy"];
    candidates.into_iter().map(text).find(|text| !text.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

/// One of our roles under one of our session names, as in `…:assumed-role/Role/landfast-0123456789`; or
/// CloudFormation as the service role that only our change sets pass.
fn is_ours(principal: &str, access: &Access) -> bool {
    let Some((_, rest)) = principal.split_once(":assumed-role/") else { return false };
    let Some((role, session)) = rest.rsplit_once('/') else { return false };
    let is = |ours: Option<&RoleName>| ours.is_some_and(|ours| ours.as_str() == role);
    let is_writer = is(Some(&access.role)) || is(access.management_role.as_ref());
    (is_writer && session.starts_with(WRITE_SESSION_PREFIX))
        || (is(access.stack_role.as_ref()) && session == STACK_SESSION)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn access() -> Access {
        let role = RoleName::parse("OrganizationAccountAccessRole").unwrap();
        Access {
            role,
            read_role: None,
            management_role: None,
            stack_role: None,
            new_account_role: None,
            external_id: None,
        }
    }

    #[test]
    fn a_call_that_names_the_change_comes_before_a_later_one_that_does_not() {
        let event = |name: &str, time| TrailEvent {
            id: String::new(),
            name: name.to_owned(),
            time,
            record: json!({}),
        };
        let found = vec![(true, event("AttachRolePolicy", 1)), (false, event("TagRole", 2))];
        assert_eq!(newest(found).map(|(_, event)| event.name).as_deref(), Some("AttachRolePolicy"));
    }

    #[test]
    fn we_know_our_own_hand_by_role_and_session() {
        let arn = |tail: &str| format!("arn:aws:sts::111122223333:assumed-role/{tail}");
        assert!(is_ours(&arn("OrganizationAccountAccessRole/landfast-0123456789"), &access()));
        assert!(!is_ours(&arn("OrganizationAccountAccessRole/alice"), &access()));
        assert!(!is_ours(&arn("BreakGlass/landfast-0123456789"), &access()));
        assert!(!is_ours("arn:aws:iam::111122223333:user/landfast-0123456789", &access()));
        let with = Access { stack_role: Some(RoleName::parse("LandfastStacks").unwrap()), ..access() };
        assert!(is_ours(&arn("LandfastStacks/AWSCloudFormation"), &with));
        assert!(!is_ours(&arn("LandfastStacks/alice"), &with));
        assert!(!is_ours(&arn("LandfastStacks/AWSCloudFormation"), &access()));
    }
}
