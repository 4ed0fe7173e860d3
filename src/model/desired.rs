//! What git says should be: the effective state of one commit, already merged, expanded and checked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Value;
use super::id::{AccountId, CommitId, Email, OrganizationId, OuPath, PolicyName, Region, RoleName, Slug};
use super::item::{AccountProperty, Item, Scope, StackKey};
use super::policy::{Policy, PolicyTarget, PolicyType, managed};
use super::reference::Deferred;
use super::rollout::Rollout;
use super::setting::{Setting, SettingValue};
use super::template::TemplateText;
use super::tie::OnLeave;

/// The tag that proves a stack or an account is ours. Its value is constant: stack tags propagate to resources.
pub const OWNER_TAG: &str = "landfast:owner";
/// The tag that ties an account we created to its folder.
pub const SLUG_TAG: &str = "landfast:slug";
/// The tag, on an account or on the organization's root, that stops every write there.
pub const HOLD_TAG: &str = "landfast:hold";

/// The place in the repository that decided something.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Source {
    /// Path from the root of the repository.
    pub path: String,
    /// Line, counted from 1.
    pub line: u32,
}

/// A value together with the place that declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared<T> {
    /// What is declared.
    pub value: T,
    /// Where.
    pub source: Source,
}

/// How far Landfast goes when AWS differs from git. Later ones include what the earlier ones do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Record only; write nothing to AWS, not even what a merged commit asks.
    Observe,
    /// Apply merged commits; report drift in an issue.
    #[default]
    Report,
    /// Apply merged commits; put drift back and say so.
    Enforce,
}

/// The roles to assume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The role in every member account that writes.
    pub role: RoleName,
    /// The role that reads; where there is none, `role` under a read-only session policy.
    pub read_role: Option<RoleName>,
    /// The role in the management account for Organizations; where there is none, the daemon's own credentials.
    pub management_role: Option<RoleName>,
    /// The service role that CloudFormation makes the resources of a stack with; where there is none, it makes them
    /// with the rights of `role`.
    pub stack_role: Option<RoleName>,
    /// The role that AWS puts into an account Landfast creates; where there is none, `role`.
    pub new_account_role: Option<RoleName>,
    /// The external id the roles ask for.
    pub external_id: Option<String>,
}

/// The organization as declared in `organization/organization.yaml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// The id every run checks before it writes.
    pub id: OrganizationId,
    /// The management account.
    pub management_account: AccountId,
    /// The region of what exists once per account.
    pub home_region: Region,
    /// Roles to assume, unless an account names its own.
    pub access: Access,
    /// Every declared OU, parents included.
    pub ous: BTreeMap<OuPath, Source>,
    /// Its policies, and what becomes of them.
    pub policies: Policies,
    /// The file itself.
    pub source: Source,
}

/// The policies of the organization and where they are attached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    /// The policies that have a file, by name.
    pub by_name: BTreeMap<PolicyName, Declared<Policy>>,
    /// What is attached where, AWS's own policies included.
    pub attachments: BTreeMap<(PolicyName, PolicyTarget), Source>,
    /// How far to go for them; what is attached to an account goes as far as all of that account.
    pub mode: Mode,
    /// Policies that may be overwritten although they were found there.
    pub adopt: BTreeSet<PolicyName>,
    /// What becomes of a policy, and of an attachment, that is no longer declared.
    pub on_leave: OnLeave,
}

impl Policies {
    /// The kind of a policy, be it declared or AWS's own.
    pub fn kind(&self, name: &PolicyName) -> Option<PolicyType> {
        let declared = self.by_name.get(name).map(|policy| policy.value.kind);
        declared.or_else(|| managed(name).map(|(kind, _)| kind))
    }

    fn items(&self) -> BTreeMap<Item, Declared<Value>> {
        let mut items = BTreeMap::new();
        for (name, Declared { value, source }) in &self.by_name {
            let declared = Declared { value: value.to_value(), source: source.clone() };
            items.insert(Item::Policy(name.clone()), declared);
            items.entry(Item::PolicyType(value.kind)).or_insert_with(|| enabled(source));
        }
        for ((name, target), source) in &self.attachments {
            let declared = Declared { value: json!(true), source: source.clone() };
            items.insert(Item::Attachment(name.clone(), target.clone()), declared);
            if let Some((kind, _)) = managed(name) {
                items.entry(Item::PolicyType(kind)).or_insert_with(|| enabled(source));
            }
        }
        items
    }
}

fn enabled(source: &Source) -> Declared<Value> {
    Declared { value: json!("ENABLED"), source: source.clone() }
}

/// One stack as it should be, every expression evaluated as far as git alone tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stack {
    /// The template's bytes as committed: this is what is sent.
    pub template: TemplateText,
    /// Every parameter of the template, defaults filled in.
    pub parameters: BTreeMap<String, String>,
    /// Parameters that take outputs of other stacks. Only a plan can fill them in, and moves them to `parameters`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub deferred: BTreeMap<String, Deferred>,
    /// The stack's tags, without the owner tag.
    pub tags: BTreeMap<String, String>,
    /// Tags that take ids which no folder records yet. Only a plan can fill them in, and moves them to `tags`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub deferred_tags: BTreeMap<String, Deferred>,
    /// Capabilities the file grants, such as `CAPABILITY_NAMED_IAM`.
    pub capabilities: BTreeSet<String>,
    /// Stacks and settings of the same account that must be in place first.
    pub needs: BTreeSet<Item>,
    /// Parameters AWS never shows again (`NoEcho`).
    pub hidden: BTreeSet<String>,
    /// Keyed hashes of the hidden parameters' values, by name: what the base keeps in their place.
    #[serde(default)]
    pub sealed: BTreeMap<String, String>,
}

/// That a layer leaves an account out, for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// Why.
    pub reason: String,
    /// The last day on which it is meant to hold.
    pub until: jiff::civil::Date,
    /// Where.
    pub source: Source,
}

/// One account with everything that applies to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its folder.
    pub slug: Slug,
    /// Its recorded id; absent until it was created and recorded.
    pub id: Option<AccountId>,
    /// Its name.
    pub name: String,
    /// Its root e-mail.
    pub email: Email,
    /// The OU it belongs in.
    pub ou: OuPath,
    /// Tags on the account, those of `accountDefaults` included.
    pub tags: BTreeMap<String, String>,
    /// How far to go in this account.
    pub mode: Mode,
    /// How far to go for single items, where that is said of them.
    pub modes: BTreeMap<Item, Mode>,
    /// Roles to assume here.
    pub access: Access,
    /// Settings: the password policy as a map of the declared fields, the alias as a text.
    pub settings: BTreeMap<Setting, Declared<SettingValue>>,
    /// Stacks by name and region.
    pub stacks: BTreeMap<StackKey, Declared<Stack>>,
    /// What may be overwritten although it was found there.
    pub adopt: BTreeSet<Item>,
    /// What is to be removed once it is no longer declared.
    pub remove_on_leave: BTreeSet<Item>,
    /// What must not be there, with the place that says so.
    pub absent: BTreeMap<Item, Source>,
    /// Layers that leave the account out until some day.
    pub exclusions: Vec<Exclusion>,
    /// Where the folder's file declares each of its own properties; `""` is the file itself.
    pub sources: BTreeMap<String, Source>,
}

/// The whole of one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The commit; all zeros for a directory that is not committed.
    pub revision: CommitId,
    /// The organization.
    pub organization: Organization,
    /// The accounts by folder. One that a commit leaves as it was is the same memory as in the commit before.
    pub accounts: BTreeMap<Slug, Arc<Account>>,
    /// In which order a change reaches them, and when nothing is written.
    pub rollout: Rollout,
}

impl Desired {
    /// Every scope, the organization first.
    pub fn scopes(&self) -> Vec<Scope> {
        let accounts = self.accounts.keys().cloned().map(Scope::Account);
        std::iter::once(Scope::Organization).chain(accounts).collect()
    }

    /// The items of one scope with their values and where they are declared. Null is the value of what must not be
    /// there.
    pub fn items(&self, scope: &Scope) -> BTreeMap<Item, Declared<Value>> {
        match scope {
            Scope::Organization => self.organization_items(),
            Scope::Account(slug) => {
                self.accounts.get(slug).map(|account| account.items(&self.organization)).unwrap_or_default()
            }
        }
    }

    /// How far to go for one item.
    pub fn mode(&self, scope: &Scope, item: &Item) -> Mode {
        let slug = match (scope, item) {
            (Scope::Account(slug), _) | (Scope::Organization, Item::Account(slug, _)) => slug,
            (Scope::Organization, Item::Attachment(_, PolicyTarget::Account(slug))) => slug,
            (Scope::Organization, item) if item.is_of_policies() => return self.organization.policies.mode,
            (Scope::Organization, _) => return Mode::Report,
        };
        self.accounts.get(slug).map_or(Mode::Report, |account| account.mode_of(item))
    }

    /// True when the repository says this item may be overwritten where it is found.
    pub fn is_adopted(&self, scope: &Scope, item: &Item) -> bool {
        let slug = match (scope, item) {
            (Scope::Account(slug), _) | (Scope::Organization, Item::Account(slug, _)) => slug,
            (Scope::Organization, Item::Policy(name)) => {
                return self.organization.policies.adopt.contains(name);
            }
            (Scope::Organization, _) => return false,
        };
        self.accounts.get(slug).is_some_and(|account| account.adopt.contains(item))
    }

    fn organization_items(&self) -> BTreeMap<Item, Declared<Value>> {
        let ous = self.organization.ous.iter().map(|(path, source)| {
            (Item::Ou(path.clone()), Declared { value: json!({}), source: source.clone() })
        });
        let policies = self.organization.policies.items();
        ous.chain(policies).chain(self.accounts.values().flat_map(|account| account.properties())).collect()
    }
}

impl Organization {
    /// True when both say the same to every account. Policies are attached from outside, and nothing in an account is
    /// looked at because of one.
    pub fn says_the_same_to_accounts(&self, other: &Self) -> bool {
        let bare = |organization: &Self| Self { policies: Policies::default(), ..organization.clone() };
        bare(self) == bare(other)
    }
}

impl Account {
    /// How far to go for one item of this account.
    pub fn mode_of(&self, item: &Item) -> Mode {
        self.modes.get(item).copied().unwrap_or(self.mode)
    }

    /// Where `property` is declared, or else the folder's file.
    pub fn source(&self, property: &str) -> Source {
        self.sources.get(property).or_else(|| self.sources.get("")).cloned().unwrap_or_default()
    }

    /// True when there is a parameter that AWS never shows again.
    pub fn hides_something(&self) -> bool {
        self.stacks.values().any(|stack| !stack.value.hidden.is_empty())
    }

    /// Puts keyed hashes in the place of every hidden parameter's value, so that a change of it can be noticed
    /// without keeping it.
    pub fn seal(&mut self, hash: impl Fn(&str) -> String) {
        for stack in self.stacks.values_mut() {
            let Stack { parameters, hidden, sealed, .. } = &mut stack.value;
            *sealed = parameters
                .iter()
                .filter(|(name, _)| hidden.contains(*name))
                .map(|(name, value)| (name.clone(), hash(value)))
                .collect();
        }
    }

    fn properties(&self) -> Vec<(Item, Declared<Value>)> {
        let item = |property| Item::Account(self.slug.clone(), property);
        let declared = |value, at: &str| Declared { value, source: self.source(at) };
        let mut properties = vec![
            (item(AccountProperty::Exists), declared(json!({"state": "ACTIVE"}), "")),
            (item(AccountProperty::Name), declared(json!(self.name), "name")),
            (item(AccountProperty::Email), declared(json!(self.email), "email")),
            (item(AccountProperty::Ou), declared(json!(self.ou), "ou")),
        ];
        properties.extend(self.tags.iter().map(|(key, value)| {
            (item(AccountProperty::Tag(key.clone())), declared(json!(value), &format!("tags.{key}")))
        }));
        properties
    }

    /// The items inside the account with their values and where they are declared.
    pub fn items(&self, organization: &Organization) -> BTreeMap<Item, Declared<Value>> {
        let settings = self.settings.iter().map(|(setting, declared)| {
            let (value, source) = (declared.value.to_value(), declared.source.clone());
            (Item::Setting(setting.clone()), Declared { value, source })
        });
        let stacks = self.stacks.iter().map(|(key, stack)| {
            let value = stack.value.to_value(&organization.id);
            (Item::Stack(key.clone()), Declared { value, source: stack.source.clone() })
        });
        let absent = self
            .absent
            .iter()
            .map(|(item, source)| (item.clone(), Declared { value: Value::Null, source: source.clone() }));
        settings.chain(stacks).chain(absent).collect()
    }
}

impl Stack {
    /// The stack as a comparable value: `{state, template, parameters, tags, drift}`, and `hidden` where there is
    /// any.
    ///
    /// The template is in canonical form, so that layout and comments do not count. Of hidden parameters only the
    /// keyed hashes are in it.
    pub fn to_value(&self, owner: &OrganizationId) -> Value {
        let mut value = json!({
            "state": "ok",
            "template": self.template.canonical(),
            "parameters": self.parameters_as_said(),
            "tags": self.tags_as_said(owner),
            "drift": {},
        });
        if !self.sealed.is_empty() {
            value["hidden"] = json!(self.sealed);
        }
        value
    }

    /// True while something in it is still to be filled in.
    pub fn is_open(&self) -> bool {
        !(self.deferred.is_empty() && self.deferred_tags.is_empty())
    }

    /// The parameters without the hidden ones, and with the expressions of those that are still to be filled in.
    fn parameters_as_said(&self) -> BTreeMap<&String, String> {
        let known = self.shown_parameters().into_iter().map(|(name, value)| (name, value.clone()));
        known.chain(self.deferred.iter().map(|(name, value)| (name, value.to_string()))).collect()
    }

    /// The tags that are sent, with the expressions of those that are still to be filled in.
    fn tags_as_said(&self, owner: &OrganizationId) -> BTreeMap<String, String> {
        let mut tags = self.sent_tags(owner);
        tags.extend(self.deferred_tags.iter().map(|(key, value)| (key.clone(), value.to_string())));
        tags
    }

    /// The parameters without the hidden ones.
    pub fn shown_parameters(&self) -> BTreeMap<&String, &String> {
        self.parameters.iter().filter(|(name, _)| !self.hidden.contains(*name)).collect()
    }

    /// The tags that are sent: the declared ones and the one that proves ownership.
    pub fn sent_tags(&self, owner: &OrganizationId) -> BTreeMap<String, String> {
        let mut tags = self.tags.clone();
        tags.insert(OWNER_TAG.to_owned(), owner.to_string());
        tags
    }
}
