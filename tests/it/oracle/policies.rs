//! Policies of the organization: what is made, changed, attached, detached and deleted has to be what the files say.

use landfast::model::{Desired, Item, OWNER_TAG, OnLeave, PolicyName, PolicyTarget, PolicyType, Scope};
use landfast::sandbox::aws::{Entry, KnownPolicy};
use serde_json::Value;

use super::{Judge, pairs, text};

impl Judge<'_> {
    pub(super) fn is_enabling(&self, desired: &Desired, entry: &Entry) -> bool {
        let kind = text(&entry.params, "PolicyType").and_then(PolicyType::of_aws);
        let items = desired.items(&Scope::Organization);
        self.ous.get(text(&entry.params, "RootId").unwrap_or_default()).is_some_and(String::is_empty)
            && kind.is_some_and(|kind| items.contains_key(&Item::PolicyType(kind)))
    }

    /// The file without its spaces, under our tag; the description names the file.
    pub(super) fn is_new_policy(desired: &Desired, entry: &Entry) -> bool {
        let Some(declared) =
            named(&entry.params).and_then(|it| desired.organization.policies.by_name.get(&it))
        else {
            return false;
        };
        let tags = pairs(&entry.params, "Tags", "Key", "Value");
        let ours = [(OWNER_TAG.to_owned(), desired.organization.id.to_string())];
        text(&entry.params, "Type") == Some(declared.value.kind.aws())
            && text(&entry.params, "Content") == Some(declared.value.text.as_str())
            && text(&entry.params, "Description") == Some(declared.source.path.as_str())
            && tags == ours.into()
    }

    /// The content of a policy that is ours, and nothing else of it.
    pub(super) fn is_policy_change(&self, desired: &Desired, entry: &Entry) -> bool {
        let Some(known) = self.policy(entry) else { return false };
        let name = PolicyName::parse(&known.name).ok();
        let declared = name.as_ref().and_then(|name| desired.organization.policies.by_name.get(name));
        let is_adopted = name.as_ref().is_some_and(|it| desired.organization.policies.adopt.contains(it));
        let is_ours = known.tags.get(OWNER_TAG) == Some(&desired.organization.id.to_string());
        ["Name", "Description"].iter().all(|field| entry.params.get(field).is_none_or(Value::is_null))
            && (is_ours || is_adopted)
            && declared.is_some_and(|declared| {
                declared.value.kind.aws() == known.kind
                    && text(&entry.params, "Content") == Some(declared.value.text.as_str())
            })
    }

    pub(super) fn is_attachment(&self, desired: &Desired, entry: &Entry) -> bool {
        let pair = self.attachment(desired, entry);
        pair.is_some_and(|pair| desired.organization.policies.attachments.contains_key(&pair))
    }

    /// What an earlier commit attached and wanted to go; never one of AWS's own.
    pub(super) fn is_detachment(&self, desired: &Desired, entry: &Entry) -> bool {
        let Some((name, target)) = self.attachment(desired, entry) else { return false };
        let is_awss = self.policy(entry).is_none_or(|policy| policy.is_managed_by_aws);
        let item = Item::Attachment(name, target);
        !is_awss && self.leaves(desired, &Scope::Organization, &item, removes_policies)
    }

    pub(super) fn is_deletion(&self, desired: &Desired, entry: &Entry) -> bool {
        let name = self.policy(entry).and_then(|policy| PolicyName::parse(&policy.name).ok());
        let item = name.map(Item::Policy);
        item.is_some_and(|item| self.leaves(desired, &Scope::Organization, &item, removes_policies))
    }

    fn policy(&self, entry: &Entry) -> Option<&KnownPolicy> {
        self.policies.get(text(&entry.params, "PolicyId")?)
    }

    fn attachment(&self, desired: &Desired, entry: &Entry) -> Option<(PolicyName, PolicyTarget)> {
        let id = text(&entry.params, "TargetId")?;
        let of_ou = || {
            let path = self.ous.get(id)?;
            PolicyTarget::try_from(if path.is_empty() { "/".to_owned() } else { path.clone() }).ok()
        };
        let target =
            of_ou().or_else(|| Some(PolicyTarget::Account(self.owner(desired, id)?.slug.clone())))?;
        Some((PolicyName::parse(&self.policy(entry)?.name).ok()?, target))
    }
}

fn named(params: &Value) -> Option<PolicyName> {
    PolicyName::parse(text(params, "Name")?).ok()
}

fn removes_policies(desired: &Desired, _: &Item) -> bool {
    desired.organization.policies.on_leave == OnLeave::Remove
}
