//! Who made a difference: the newest call in CloudTrail that fits the item.
//!
//! Our own calls are recognised by the role and the session name, and are named like anybody's; recognising them
//! never hides a difference.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::aws::{Error, Lookup, Reader, TrailEvent, WRITE_SESSION_PREFIX};
use crate::model::{
    Access, AccountId, AccountProperty, Author, Deed, Item, Region, Setting, StackKey, Value,
};

/// How long CloudTrail may take before an author counts as not to be found (seconds).
const PATIENCE: i64 = 20 * 60;
/// Where the events of global services are.
const GLOBAL: &str = "us-east-1";

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
pub async fn author(witnesses: Witnesses<'_>, question: &Question<'_>) -> Result<Author, Error> {
    let reader = match question.item {
        Item::Ou(_) | Item::Account(..) => Some(witnesses.management),
        Item::Setting(_) | Item::Stack(_) => witnesses.account,
    };
    let Some(reader) = reader else {
        return Ok(Author::Unknown { because: "the account cannot be entered".to_owned() });
    };
    let mut newest: Option<TrailEvent> = None;
    for (region, lookup) in traces(question) {
        let events = reader.trail(&region, &lookup, question.from, question.now).await?;
        let found = events.into_iter().find(|event| is_write(event) && fits(question, event));
        newest = newest.into_iter().chain(found).max_by_key(|event| event.time);
    }
    Ok(match newest {
        Some(found) => Author::Known(deed(&found, question.access)),
        None if question.now - question.seen < PATIENCE => Author::Pending,
        None => Author::Unknown { because: "CloudTrail shows no call that fits".to_owned() },
    })
}

/// What to look up, and where: one attribute a call is all that CloudTrail takes.
fn traces(question: &Question<'_>) -> Vec<(Region, Lookup)> {
    let Ok(global) = Region::parse(GLOBAL) else { return Vec::new() };
    let calls = |region: &Region, names: &[&str]| -> Vec<_> {
        names.iter().map(|name| (region.clone(), Lookup::EventName((*name).to_owned()))).collect()
    };
    match question.item {
        Item::Setting(Setting::PasswordPolicy) => {
            calls(&global, &["UpdateAccountPasswordPolicy", "DeleteAccountPasswordPolicy"])
        }
        Item::Setting(Setting::AccountAlias) => calls(&global, &["CreateAccountAlias", "DeleteAccountAlias"]),
        Item::Ou(_) => calls(
            &global,
            &["DeleteOrganizationalUnit", "UpdateOrganizationalUnit", "CreateOrganizationalUnit"],
        ),
        Item::Account(_, property) => calls(&global, account_calls(property)),
        Item::Stack(key) => match touched(question.observed) {
            resources if resources.is_empty() => {
                calls(&key.region, &["UpdateStack", "ExecuteChangeSet", "DeleteStack", "CreateStack"])
            }
            resources => resources
                .into_iter()
                .map(|resource| (resource.region(key, &global), Lookup::ResourceName(resource.physical_id)))
                .collect(),
        },
    }
}

fn account_calls(property: &AccountProperty) -> &'static [&'static str] {
    match property {
        AccountProperty::Exists => &["CloseAccount", "RemoveAccountFromOrganization", "LeaveOrganization"],
        AccountProperty::Name => &["PutAccountName"],
        AccountProperty::Email => &["AcceptPrimaryEmailUpdate"],
        AccountProperty::Ou => &["MoveAccount"],
        AccountProperty::Tag(_) => &["TagResource", "UntagResource"],
    }
}

/// A resource that drifted.
struct Touched {
    resource_type: String,
    physical_id: String,
}

impl Touched {
    fn region(&self, key: &StackKey, global: &Region) -> Region {
        if self.resource_type.starts_with("AWS::IAM::") { global.clone() } else { key.region.clone() }
    }
}

/// The resources that drift detection found changed; none where the stack itself was changed.
fn touched(observed: Option<&Value>) -> Vec<Touched> {
    let drift = observed.and_then(|value| value.get("drift")).and_then(Value::as_object);
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let touched = |value: &Value| {
        let (resource_type, physical_id) = (text(value, "type")?, text(value, "physicalId")?);
        (!physical_id.is_empty()).then_some(Touched { resource_type, physical_id })
    };
    drift.into_iter().flat_map(|drift| drift.values()).filter_map(touched).collect()
}

/// Calls that only read, and calls that were refused, changed nothing.
fn is_write(event: &TrailEvent) -> bool {
    let reads = ["Get", "List", "Describe", "Detect", "Simulate", "Generate", "Assume"];
    event.record.get("errorCode").is_none()
        && event.record.get("readOnly").and_then(Value::as_bool) != Some(true)
        && !reads.iter().any(|verb| event.name.starts_with(verb))
}

/// True when the call was about the item and not only of its kind.
fn fits(question: &Question<'_>, event: &TrailEvent) -> bool {
    let asked = |key: &str| {
        let value = event.record.get("requestParameters").and_then(|asked| asked.get(key));
        value.and_then(Value::as_str).unwrap_or_default()
    };
    match question.item {
        Item::Setting(_) => true,
        Item::Ou(path) => asked("name").is_empty() || asked("name") == path.name(),
        Item::Account(_, AccountProperty::Tag(_)) => Some(asked("resourceId")) == id(question),
        Item::Account(..) => Some(asked("accountId")) == id(question),
        // Looked up by the resource itself.
        Item::Stack(_) if !touched(question.observed).is_empty() => true,
        Item::Stack(key) => {
            let named =
                |text: &str| text == key.name.as_str() || text.contains(&format!(":stack/{}/", key.name));
            named(asked("stackName")) || named(asked("stackId"))
        }
    }
}

fn id<'a>(question: &Question<'a>) -> Option<&'a str> {
    question.account.map(AccountId::as_str)
}

fn deed(found: &TrailEvent, access: &Access) -> Deed {
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
        is_certain: true,
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

/// One of our roles under one of our session names, as in `…:assumed-role/Role/landfast-0123456789`.
fn is_ours(principal: &str, access: &Access) -> bool {
    let roles: BTreeSet<_> =
        [Some(&access.role), access.management_role.as_ref()].into_iter().flatten().collect();
    let Some((_, rest)) = principal.split_once(":assumed-role/") else { return false };
    let Some((role, session)) = rest.rsplit_once('/') else { return false };
    roles.iter().any(|ours| ours.as_str() == role) && session.starts_with(WRITE_SESSION_PREFIX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::RoleName;

    fn access() -> Access {
        let role = RoleName::parse("OrganizationAccountAccessRole").unwrap();
        Access { role, read_role: None, management_role: None, external_id: None }
    }

    fn question<'a>(item: &'a Item, observed: Option<&'a Value>, access: &'a Access) -> Question<'a> {
        Question { item, observed, account: None, access, from: 0, seen: 0, now: 0 }
    }

    fn call(name: &str, record: Value) -> TrailEvent {
        TrailEvent { id: "1".to_owned(), name: name.to_owned(), time: 1, record }
    }

    #[test]
    fn a_drifted_role_is_looked_up_by_its_name_where_iam_records() {
        let item = "stacks.roles[eu-west-1]".parse().unwrap();
        let observed = json!({"drift": {"Role": {"type": "AWS::IAM::Role", "physicalId": "netops"}}});
        let access = access();
        let traces = traces(&question(&item, Some(&observed), &access));
        assert_eq!(
            traces,
            [(Region::parse("us-east-1").unwrap(), Lookup::ResourceName("netops".to_owned()))]
        );
    }

    #[test]
    fn a_change_of_another_stack_does_not_fit() {
        let item = "stacks.network[eu-west-1]".parse().unwrap();
        let access = access();
        let question = question(&item, None, &access);
        let update = |stack: &str| call("UpdateStack", json!({"requestParameters": {"stackName": stack}}));
        assert!(fits(&question, &update("network")));
        assert!(fits(&question, &update("arn:aws:cloudformation:eu-west-1:1:stack/network/0a1b")));
        assert!(!fits(&question, &update("network-2")));
    }

    #[test]
    fn a_call_that_was_refused_or_only_read_made_nothing() {
        assert!(is_write(&call("AttachRolePolicy", json!({}))));
        assert!(!is_write(&call("AttachRolePolicy", json!({"errorCode": "AccessDenied"}))));
        assert!(!is_write(&call("GetRole", json!({}))));
    }

    #[test]
    fn we_know_our_own_hand_by_role_and_session() {
        let arn = |tail: &str| format!("arn:aws:sts::111122223333:assumed-role/{tail}");
        assert!(is_ours(&arn("OrganizationAccountAccessRole/landfast-0123456789"), &access()));
        assert!(!is_ours(&arn("OrganizationAccountAccessRole/alice"), &access()));
        assert!(!is_ours(&arn("BreakGlass/landfast-0123456789"), &access()));
        assert!(!is_ours("arn:aws:iam::111122223333:user/landfast-0123456789", &access()));
    }
}
