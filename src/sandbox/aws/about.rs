//! What a call is about, as policies see it: the resource and the condition keys.

use serde_json::Value;

use super::call::Call;
use super::conditions::Facts;
use super::identity::{Kind, Principal};
use super::organizations::policies::Policy;
use super::state::State;
use super::wire::Params as _;

/// The ARN of what the call is about; `*` where it is about nothing in particular.
pub(crate) fn resource(state: &State, call: &Call) -> String {
    let account = call.account();
    let by_role = || call.params.text("RoleName").map(|name| role(state, call, name));
    let by_policy = || call.params.text("PolicyArn").map(str::to_owned);
    let by_policy =
        || by_policy().or_else(|| organization_policy(state, call).map(|policy| policy.arn.clone()));
    let by_new_policy = || {
        let is_new = call.operation == "CreatePolicy";
        let path = call.params.text("Path").unwrap_or("/");
        call.params
            .text("PolicyName")
            .filter(|_| is_new)
            .map(|name| format!("arn:aws:iam::{account}:policy{path}{name}"))
    };
    let by_provider = || match call.operation.as_str() {
        "CreateSAMLProvider" => {
            call.params.text("Name").map(|name| format!("arn:aws:iam::{account}:saml-provider/{name}"))
        }
        _ => call.params.text("SAMLProviderArn").map(str::to_owned),
    };
    let by_stack = || stack(state, call);
    let known = by_role().or_else(by_policy).or_else(by_new_policy).or_else(by_provider).or_else(by_stack);
    known.unwrap_or_else(|| "*".to_owned())
}

fn organization_policy<'a>(state: &'a State, call: &Call) -> Option<&'a Policy> {
    state.organization.policies.by_id.get(call.params.text("PolicyId")?)
}

/// The type that the call names, or that the policy it names has.
fn policy_type<'a>(state: &'a State, call: &'a Call) -> Option<&'a str> {
    let params = ["Type", "PolicyType", "Filter"].into_iter();
    let named = params.filter(|_| call.service == "organizations").find_map(|name| call.params.text(name));
    named.or_else(|| Some(organization_policy(state, call)?.kind.as_str()))
}

fn role(state: &State, call: &Call, name: &str) -> String {
    let known = state.members.get(call.account()).and_then(|member| member.iam.roles.get(name));
    let path = call.params.text("Path").unwrap_or("/");
    let new = || format!("arn:aws:iam::{}:role{path}{name}", call.account());
    known.map_or_else(new, |role| role.arn.clone())
}

/// A stack that is there by its whole ARN, also where the call names its change set only.
fn stack(state: &State, call: &Call) -> Option<String> {
    let stacks = state.members.get(call.account()).and_then(|member| member.stacks.get(&call.region));
    let of_change_set = || {
        let change_set = stacks?.change_sets.get(call.params.text("ChangeSetName")?)?;
        Some(change_set.stack.clone())
    };
    let Some(name) = call.params.text("StackName") else { return of_change_set() };
    if name.starts_with("arn:") {
        return Some(name.to_owned());
    }
    let known = stacks.and_then(|stacks| stacks.find(name)).map(|stack| stack.id.clone());
    let new = || format!("arn:aws:cloudformation:{}:{}:stack/{name}/*", call.region, call.account());
    Some(known.unwrap_or_else(new))
}

/// What is known of the caller, whatever is called.
pub(crate) fn of_principal(state: &State, principal: &Principal) -> Facts {
    let arn = match &principal.kind {
        Kind::Role { name, .. } => format!("arn:aws:iam::{}:role/{name}", principal.account),
        Kind::User { .. } => principal.arn.clone(),
    };
    facts([
        ("aws:principalaccount", Some(principal.account.as_str())),
        ("aws:principalarn", Some(arn.as_str())),
        ("aws:principalorgid", Some(state.organization.id.as_str())),
    ])
}

/// What is known of a call into the caller's own account.
pub(crate) fn of_call(state: &State, call: &Call) -> Facts {
    let mut known = of_principal(state, &call.principal);
    known.extend(facts([
        ("aws:resourceaccount", Some(call.account())),
        ("aws:resourceorgid", Some(state.organization.id.as_str())),
        ("aws:requestedregion", Some(call.region.as_str())),
        ("organizations:policytype", policy_type(state, call)),
        ("cloudformation:changesetname", call.params.text("ChangeSetName")),
        ("cloudformation:rolearn", call.params.text("RoleARN")),
        ("iam:policyarn", call.params.text("PolicyArn")),
        ("iam:permissionsboundary", boundary(state, call).as_deref()),
    ]));
    known.insert("aws:tagkeys".to_owned(), texts(&call.params, "Tags", "Key"));
    known.extend(tags(state, call));
    known
}

pub(crate) fn facts<'a>(pairs: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Facts {
    let known = pairs.into_iter().filter_map(|(key, value)| Some((key, value?)));
    known.map(|(key, value)| (key.to_owned(), vec![value.to_owned()])).collect()
}

fn texts(params: &Value, list: &str, field: &str) -> Vec<String> {
    params.entries(list).iter().filter_map(|entry| entry.text(field)).map(str::to_owned).collect()
}

/// The boundary that a call gives a role, or else the one the role has.
fn boundary(state: &State, call: &Call) -> Option<String> {
    let given = call.params.text("PermissionsBoundary").map(str::to_owned);
    given.or_else(|| known_role(state, call)?.boundary.clone())
}

fn known_role<'a>(state: &'a State, call: &Call) -> Option<&'a super::iam::Role> {
    state.members.get(call.account())?.iam.roles.get(call.params.text("RoleName")?)
}

/// The tags of the role or the stack that the call is about.
fn tags(state: &State, call: &Call) -> Facts {
    let of_role = || known_role(state, call).map(|role| role.tags.clone());
    let of_stack = || {
        let arn = stack(state, call)?;
        let stacks = state.members.get(call.account())?.stacks.get(&call.region)?;
        Some(stacks.find(&arn)?.blueprint.tags.clone())
    };
    of_role().or_else(of_stack).map(|tags| tagged(&tags)).unwrap_or_default()
}

/// `aws:ResourceTag/…` of a resource with these tags, and the name that IAM has for it.
pub(crate) fn tagged(tags: &std::collections::BTreeMap<String, String>) -> Facts {
    let both = |(key, value): (&String, &String)| {
        ["aws", "iam"]
            .map(|service| (format!("{service}:resourcetag/{}", key.to_lowercase()), vec![value.clone()]))
    };
    tags.iter().flat_map(both).collect()
}
