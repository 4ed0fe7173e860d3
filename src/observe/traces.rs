//! What to look up in CloudTrail for an item, and which of the calls found there can have made the difference.

use crate::aws::{Lookup, TrailEvent};
use crate::model::{AccountId, AccountProperty, Item, Region, Setting, StackKey, Value};

use super::authors::Question;

/// Where the events of global services are.
const GLOBAL: &str = "us-east-1";

/// One thing to look up, and where: one attribute a call is all that CloudTrail takes.
pub(super) struct Trace {
    pub(super) region: Region,
    pub(super) lookup: Lookup,
    /// The resource that drifted, where one did.
    touched: Option<Touched>,
}

/// A resource that drifted.
#[derive(Clone)]
struct Touched {
    resource_type: String,
    physical_id: String,
    is_deleted: bool,
    /// The first names of the paths of the properties that differ.
    properties: Vec<String>,
}

/// What to look up.
pub(super) fn traces(question: &Question<'_>) -> Vec<Trace> {
    let Ok(global) = Region::parse(GLOBAL) else { return Vec::new() };
    let calls = |region: &Region, names: &[&str]| -> Vec<_> {
        let lookup = |name: &&str| Lookup::EventName((*name).to_owned());
        names
            .iter()
            .map(|name| Trace { region: region.clone(), lookup: lookup(name), touched: None })
            .collect()
    };
    match question.item {
        Item::Setting(Setting::PasswordPolicy) => {
            calls(&global, &["UpdateAccountPasswordPolicy", "DeleteAccountPasswordPolicy"])
        }
        Item::Setting(Setting::AccountAlias) => calls(&global, &["CreateAccountAlias", "DeleteAccountAlias"]),
        Item::Setting(Setting::SamlProvider(_)) => {
            calls(&global, &["UpdateSAMLProvider", "DeleteSAMLProvider", "CreateSAMLProvider"])
        }
        Item::Ou(_) => calls(
            &global,
            &["DeleteOrganizationalUnit", "UpdateOrganizationalUnit", "CreateOrganizationalUnit"],
        ),
        Item::Account(_, property) => calls(&global, account_calls(property)),
        Item::PolicyType(_) => calls(&global, &["DisablePolicyType", "EnablePolicyType"]),
        Item::Policy(_) => calls(&global, &["UpdatePolicy", "DeletePolicy", "CreatePolicy"]),
        Item::Attachment(..) => calls(&global, &["DetachPolicy", "AttachPolicy"]),
        Item::Stack(key) => match touched(question.observed) {
            resources if resources.is_empty() => {
                calls(&key.region, &["UpdateStack", "ExecuteChangeSet", "DeleteStack", "CreateStack"])
            }
            resources => resources.into_iter().map(|resource| resource.trace(key, &global)).collect(),
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

/// The resources that drift detection found changed; none where the stack itself was changed.
fn touched(observed: Option<&Value>) -> Vec<Touched> {
    let drift = observed.and_then(|value| value.get("drift")).and_then(Value::as_object);
    drift.into_iter().flat_map(|drift| drift.values()).filter_map(Touched::of).collect()
}

impl Touched {
    fn of(drift: &Value) -> Option<Self> {
        let text = |key: &str| drift.get(key).and_then(Value::as_str).map(str::to_owned);
        let properties = drift.get("properties").and_then(Value::as_object);
        let first = |path: &String| path.trim_start_matches('/').split('/').next().map(str::to_owned);
        Some(Self {
            resource_type: text("type")?,
            physical_id: text("physicalId").filter(|id| !id.is_empty())?,
            is_deleted: text("status").as_deref() == Some("DELETED"),
            properties: properties.into_iter().flat_map(|paths| paths.keys()).filter_map(first).collect(),
        })
    }

    fn trace(self, key: &StackKey, global: &Region) -> Trace {
        let is_global = self.resource_type.starts_with("AWS::IAM::");
        let region = if is_global { global.clone() } else { key.region.clone() };
        Trace { region, lookup: Lookup::ResourceName(self.physical_id.clone()), touched: Some(self) }
    }

    /// Whether a call on this resource is one that changes what differs.
    fn is_explained_by(&self, call: &str) -> bool {
        if self.is_deleted {
            return call.starts_with("Delete");
        }
        if self.resource_type != "AWS::IAM::Role" {
            return true;
        }
        self.properties.iter().any(|property| role_calls(property).is_none_or(|calls| calls.contains(&call)))
    }
}

/// The calls that change a property of a role; nothing for a property not listed here.
fn role_calls(property: &str) -> Option<&'static [&'static str]> {
    match property {
        "ManagedPolicyArns" => Some(&["AttachRolePolicy", "DetachRolePolicy"]),
        "AssumeRolePolicyDocument" => Some(&["UpdateAssumeRolePolicy"]),
        "Policies" => Some(&["PutRolePolicy", "DeleteRolePolicy"]),
        "Tags" => Some(&["TagRole", "UntagRole"]),
        "Description" | "MaxSessionDuration" => Some(&["UpdateRole", "UpdateRoleDescription"]),
        "PermissionsBoundary" => Some(&["PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary"]),
        _ => None,
    }
}

impl Trace {
    /// Nothing when the call cannot have made the difference; otherwise whether it is certain that it did.
    pub(super) fn fits(&self, question: &Question<'_>, event: &TrailEvent) -> Option<bool> {
        if !is_write(event) {
            return None;
        }
        match &self.touched {
            // What CloudFormation does to a resource is what drift is measured against, so it is no drift.
            Some(_) if is_by_cloudformation(event) => None,
            Some(touched) => Some(touched.is_explained_by(&event.name)),
            None => names(question, event),
        }
    }
}

/// Calls that only read, and calls that were refused, changed nothing.
fn is_write(event: &TrailEvent) -> bool {
    let reads = ["Get", "List", "Describe", "Detect", "Simulate", "Generate", "Assume"];
    event.record.get("errorCode").is_none()
        && event.record.get("readOnly").and_then(Value::as_bool) != Some(true)
        && !reads.iter().any(|verb| event.name.starts_with(verb))
}

fn is_by_cloudformation(event: &TrailEvent) -> bool {
    let by = |pointer| event.record.pointer(pointer).and_then(Value::as_str);
    let service = Some("cloudformation.amazonaws.com");
    by("/userIdentity/invokedBy") == service || by("/sourceIPAddress") == service
}

/// Whether the call was about the item and not only of its kind.
fn names(question: &Question<'_>, event: &TrailEvent) -> Option<bool> {
    let asked = |key: &str| {
        let value = event.record.get("requestParameters").and_then(|asked| asked.get(key));
        value.and_then(Value::as_str).unwrap_or_default()
    };
    let id = question.account.map(AccountId::as_str);
    match question.item {
        Item::Setting(Setting::PasswordPolicy | Setting::AccountAlias) => Some(true),
        Item::Setting(Setting::SamlProvider(name)) => {
            // The answer names the provider too: CloudTrail leaves out a request that is too long.
            let arn = event.record.get("responseElements").and_then(|answer| answer.get("sAMLProviderArn"));
            let arn = arn.and_then(Value::as_str).unwrap_or_else(|| asked("sAMLProviderArn"));
            let named = arn.rsplit_once('/').map_or_else(|| asked("name"), |(_, name)| name);
            if named.is_empty() { Some(false) } else { (named == name.as_str()).then_some(true) }
        }
        // Deleting an OU names its id only.
        Item::Ou(_) if asked("name").is_empty() => Some(false),
        Item::Ou(path) => (asked("name") == path.name()).then_some(true),
        Item::Account(_, AccountProperty::Tag(_)) => (Some(asked("resourceId")) == id).then_some(true),
        Item::Account(..) => (Some(asked("accountId")) == id).then_some(true),
        Item::PolicyType(kind) => (asked("policyType") == kind.aws()).then_some(true),
        // IAM has calls of these names too, and names nothing alike in them.
        Item::Policy(name) if event.name == "CreatePolicy" => {
            (asked("name") == name.as_str() && !asked("type").is_empty()).then_some(true)
        }
        Item::Policy(_) => (question.policy == Some(asked("policyId"))).then_some(true),
        Item::Attachment(..) => {
            let is_it =
                question.policy == Some(asked("policyId")) && question.target == Some(asked("targetId"));
            is_it.then_some(true)
        }
        Item::Stack(key) => {
            let is_it =
                |text: &str| text == key.name.as_str() || text.contains(&format!(":stack/{}/", key.name));
            (is_it(asked("stackName")) || is_it(asked("stackId"))).then_some(true)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{Access, RoleName};

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

    fn question<'a>(item: &'a Item, observed: Option<&'a Value>, access: &'a Access) -> Question<'a> {
        Question {
            item,
            observed,
            account: None,
            policy: None,
            target: None,
            access,
            from: 0,
            seen: 0,
            now: 0,
        }
    }

    fn call(name: &str, record: Value) -> TrailEvent {
        TrailEvent { id: "1".to_owned(), name: name.to_owned(), time: 1, record }
    }

    #[test]
    fn a_drifted_role_is_looked_up_by_its_name_where_iam_records() {
        let item = "stacks.roles[eu-west-1]".parse().unwrap();
        let observed = json!({"drift": {"Role": {"type": "AWS::IAM::Role", "physicalId": "netops",
            "properties": {"/ManagedPolicyArns/1": {}}}}});
        let access = access();
        let question = question(&item, Some(&observed), &access);
        let traces = traces(&question);
        assert_eq!(traces.len(), 1);
        assert_eq!(traces[0].region.as_str(), "us-east-1");
        assert_eq!(traces[0].lookup, Lookup::ResourceName("netops".to_owned()));
        let fits = |name, record| traces[0].fits(&question, &call(name, record));
        assert_eq!(fits("AttachRolePolicy", json!({})), Some(true));
        assert_eq!(fits("TagRole", json!({})), Some(false));
        assert_eq!(
            fits("AttachRolePolicy", json!({"sourceIPAddress": "cloudformation.amazonaws.com"})),
            None
        );
    }

    #[test]
    fn a_change_of_another_stack_does_not_fit() {
        let item = "stacks.network[eu-west-1]".parse().unwrap();
        let access = access();
        let question = question(&item, None, &access);
        let update = |stack: &str| call("UpdateStack", json!({"requestParameters": {"stackName": stack}}));
        let fits = |stack| traces(&question)[0].fits(&question, &update(stack));
        assert_eq!(fits("network"), Some(true));
        assert_eq!(fits("arn:aws:cloudformation:eu-west-1:1:stack/network/0a1b"), Some(true));
        assert_eq!(fits("network-2"), None);
    }

    #[test]
    fn a_policy_is_known_by_its_id_and_where_it_is_attached_by_both() {
        let access = access();
        let (policy, attachment) = ("policies.deny", "policies.deny.targets./workloads");
        let fits = |item: &str, name: &str, asked: Value| {
            let item = item.parse().unwrap();
            let ids =
                Question { policy: Some("p-1"), target: Some("ou-1"), ..question(&item, None, &access) };
            let event = call(name, json!({"requestParameters": asked}));
            traces(&ids).iter().any(|trace| trace.lookup == Lookup::EventName(name.to_owned()))
                && traces(&ids)[0].fits(&ids, &event) == Some(true)
        };
        assert!(fits(policy, "UpdatePolicy", json!({"policyId": "p-1"})));
        assert!(!fits(policy, "UpdatePolicy", json!({"policyId": "p-2"})));
        assert!(fits(policy, "CreatePolicy", json!({"name": "deny", "type": "SERVICE_CONTROL_POLICY"})));
        assert!(!fits(policy, "CreatePolicy", json!({"policyName": "deny"})), "IAM has such a call too");
        assert!(!fits(policy, "DeletePolicy", json!({"policyArn": "arn:aws:iam::1:policy/deny"})));
        assert!(fits(attachment, "DetachPolicy", json!({"policyId": "p-1", "targetId": "ou-1"})));
        assert!(!fits(attachment, "DetachPolicy", json!({"policyId": "p-1", "targetId": "ou-2"})));
        assert!(!fits(attachment, "DetachPolicy", json!({"policyId": "p-2", "targetId": "ou-1"})));
        let kind = "policyTypes.tag-policy";
        assert!(fits(kind, "DisablePolicyType", json!({"policyType": "TAG_POLICY"})));
        assert!(!fits(kind, "DisablePolicyType", json!({"policyType": "BACKUP_POLICY"})));
    }

    #[test]
    fn a_call_that_was_refused_or_only_read_made_nothing() {
        assert!(is_write(&call("AttachRolePolicy", json!({}))));
        assert!(!is_write(&call("AttachRolePolicy", json!({"errorCode": "AccessDenied"}))));
        assert!(!is_write(&call("GetRole", json!({}))));
    }
}
