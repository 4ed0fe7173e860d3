//! Whether the world is as the newest commit says, and whether Landfast has it on record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use landfast::model::{Account, AccountProperty, Base, Item, OnLeave, PolicyTarget, Scope, Setting, Value};
use landfast::sandbox::aws::{KnownAccount, KnownPolicy, KnownStack, SimulatedAws};

use super::{Implied, POLICY, account_tags, plain};

impl Implied {
    /// Every way in which AWS is not yet as the newest commit says.
    pub(crate) fn missing(&self, aws: &SimulatedAws) -> Vec<String> {
        let ous = aws.ous();
        let lacks_ou = |path: &String| (!ous.contains_key(path)).then(|| format!("no OU {path}"));
        let declared = self.newest().organization.ous.keys().map(ToString::to_string);
        let missing: Vec<_> = declared.filter_map(|path| lacks_ou(&path)).collect();
        let accounts = self.newest().accounts.values();
        let missing = missing.into_iter().chain(self.missing_policies(aws));
        missing.chain(accounts.flat_map(|account| self.missing_in(aws, account))).collect()
    }

    /// Policies and attachments that are not as declared, and those that were to go and are still there.
    fn missing_policies(&self, aws: &SimulatedAws) -> Vec<String> {
        let policies = &self.newest().organization.policies;
        let mut missing = Vec::new();
        let mut check = |is_so: bool, what: String| missing.extend((!is_so).then_some(what));
        for (name, declared) in &policies.by_name {
            let is_it = |known: &KnownPolicy| {
                known.kind == declared.value.kind.aws() && known.content == declared.value.text
            };
            check(aws.policy_named(name.as_str()).as_ref().is_some_and(is_it), format!("the policy {name}"));
        }
        let place = |target: &PolicyTarget| match target {
            PolicyTarget::Ou(path) => Some(path.to_string()),
            PolicyTarget::Account(slug) => {
                let account = &self.newest().accounts[slug];
                aws.account_by_email(account.email.as_str()).map(|known| known.id)
            }
        };
        for (name, target) in policies.attachments.keys() {
            let known = aws.policy_named(name.as_str());
            let is_there =
                known.zip(place(target)).is_some_and(|(known, place)| known.targets.contains(&place));
            check(is_there, format!("{name} on {target}"));
        }
        let mut before = self.revisions.iter().map(|revision| &revision.organization.policies);
        if before.any(|earlier| earlier.on_leave == OnLeave::Remove) {
            for known in aws.policies().into_iter().filter(|known| !known.is_managed_by_aws) {
                let is_declared = policies.by_name.keys().any(|name| name.as_str() == known.name);
                check(is_declared, format!("{} is still there", known.name));
                let declared = policies.attachments.keys().filter(|(name, _)| name.as_str() == known.name);
                let declared: BTreeSet<_> = declared.filter_map(|(_, target)| place(target)).collect();
                check(known.targets == declared, format!("{} is on {:?}", known.name, known.targets));
            }
        }
        missing
    }

    /// True when an earlier commit declared a setting and wanted it to go, and none declares it now.
    fn should_be_gone(&self, account: &Account, setting: &Setting) -> bool {
        let item = Item::Setting(setting.clone());
        let mut of = self.revisions.iter().rev().filter_map(|revision| revision.accounts.get(&account.slug));
        let last = of.find(|earlier| earlier.settings.contains_key(setting));
        !account.settings.contains_key(setting)
            && last.is_some_and(|earlier| earlier.remove_on_leave.contains(&item))
    }

    fn missing_in(&self, aws: &SimulatedAws, account: &Account) -> Vec<String> {
        let Some(known) = aws.account_by_email(account.email.as_str()) else {
            return vec![format!("no account {}", account.slug)];
        };
        let mut missing = Vec::new();
        let mut check = |is_so: bool, what: String| missing.extend((!is_so).then_some(what));
        check(known.name == account.name, format!("{}: its name", account.slug));
        check(known.ou == account.ou.to_string(), format!("{}: its OU", account.slug));
        for (key, value) in account_tags(self.newest(), account) {
            check(known.tags.get(&key) == Some(&value), format!("{}: its tag {key}", account.slug));
        }
        for (setting, declared) in &account.settings {
            check(
                has(aws, &known, setting, &declared.value.to_value()),
                format!("{}: {setting}", account.slug),
            );
        }
        if self.should_be_gone(account, &Setting::AccountAlias) {
            check(aws.alias(&known.id).is_none(), format!("{}: its alias is still there", account.slug));
        }
        if self.should_be_gone(account, &Setting::PasswordPolicy) {
            let gone = aws.password_policy(&known.id).is_none();
            check(gone, format!("{}: its password policy is still there", account.slug));
        }
        let left = aws.stacks(&known.id).into_iter().filter(|stack| stack.status != "DELETE_COMPLETE");
        for stack in left {
            let is_declared = account
                .stacks
                .keys()
                .any(|key| key.name.as_str() == stack.name && key.region.as_str() == stack.region);
            check(is_declared, format!("{}: {} is still there", account.slug, stack.name));
        }
        for (key, stack) in &account.stacks {
            let found = aws.stack(&known.id, key.region.as_str(), key.name.as_str());
            let tags = stack.value.sent_tags(&self.newest().organization.id);
            let is_it = |found: &KnownStack| {
                ["CREATE_COMPLETE", "UPDATE_COMPLETE"].contains(&found.status.as_str())
                    && found.template == stack.value.template.as_str()
                    && found.parameters == stack.value.parameters
                    && found.tags == tags
            };
            check(found.as_ref().is_some_and(is_it), format!("{}: {}", account.slug, key.name));
        }
        missing
    }

    /// Stacks in all accounts that no folder declares, or that are there twice.
    pub(crate) fn strangers(&self, aws: &SimulatedAws) -> Vec<String> {
        let mut found: BTreeMap<(String, String, String), usize> = BTreeMap::new();
        for account in aws.accounts() {
            let stacks = aws.stacks(&account.id).into_iter();
            for stack in stacks.filter(|stack| stack.status != "DELETE_COMPLETE") {
                *found.entry((account.email.clone(), stack.region, stack.name)).or_default() += 1;
            }
        }
        let is_declared = |(email, region, name): &(String, String, String)| {
            let accounts = self.newest().accounts.values();
            let stacks = accounts
                .filter(|account| account.email.as_str() == email)
                .flat_map(|account| account.stacks.keys());
            stacks.into_iter().any(|key| key.region.as_str() == region && key.name.as_str() == name)
        };
        let strange = found.iter().filter(|(key, times)| **times > 1 || !is_declared(key));
        strange.map(|(key, times)| format!("{key:?}: {times} times")).collect()
    }

    /// Every item of the newest commit on which `bases`, as they are on record, do not say that all agree.
    pub(crate) fn unrecorded(&self, bases: &BTreeMap<Scope, Arc<Base>>) -> Vec<String> {
        let items = |scope: &Scope| self.newest().items(scope);
        let scopes = self.newest().scopes().into_iter();
        scopes
            .flat_map(|scope| {
                let base = bases.get(&scope).cloned().unwrap_or_default();
                let differs = items(&scope).into_iter().filter(move |(item, declared)| {
                    !base.items.get(item).is_some_and(|value| agrees(item, value, &declared.value))
                });
                differs.map(|(item, _)| item.to_string()).collect::<Vec<_>>()
            })
            .collect()
    }
}

fn has(aws: &SimulatedAws, account: &KnownAccount, setting: &Setting, declared: &Value) -> bool {
    match setting {
        Setting::AccountAlias => aws.alias(&account.id).as_deref() == declared.as_str(),
        Setting::PasswordPolicy => aws.password_policy(&account.id).is_some_and(|policy| {
            let declared = POLICY.iter().filter_map(|(field, name)| Some((name, declared.get(*field)?)));
            declared.into_iter().all(|(name, value)| plain(policy.get(*name)) == plain(Some(value)))
        }),
        Setting::SamlProvider(_) => panic!("no rollout under noise declares one"),
    }
}

/// The base of an account's existence holds its id too, and that of a policy what else was there.
fn agrees(item: &Item, base: &Value, declared: &Value) -> bool {
    match (item, declared.as_object()) {
        (Item::Account(_, AccountProperty::Exists) | Item::Setting(_) | Item::Policy(_), Some(fields)) => {
            fields.iter().all(|(name, value)| base.get(name) == Some(value))
        }
        _ => base == declared,
    }
}
