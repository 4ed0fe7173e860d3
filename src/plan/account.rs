//! Steps inside one account: settings first, then stacks in the order of their needs, then what leaves.

use std::collections::{BTreeMap, BTreeSet};

use super::references::Effective;
use super::{Draft, Rules, leaving, stacks, wants_write};
use crate::model::saml::SamlMetadata;
use crate::model::{
    Account, AccountFacts, AccountId, Base, Desired, Finding, Item, Scope, Setting, SettingValue, Step,
    Value, overlay,
};

/// What an account's steps are made from.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) desired: &'a Desired,
    pub(super) effective: &'a Effective<'a>,
    pub(super) base: &'a Base,
    pub(super) facts: &'a AccountFacts,
    pub(super) rules: &'a Rules,
}

pub(super) fn steps(draft: &mut Draft, around: &Around<'_>, findings: &BTreeMap<Item, Finding>) {
    let Around { desired, effective, base, facts, rules } = *around;
    let account = effective.account.as_ref();
    let scope = Scope::Account(account.slug.clone());
    let wanted: BTreeMap<&Item, &Finding> = findings
        .iter()
        .filter(|(item, finding)| wants_write(finding, desired.is_adopted(&scope, item)))
        .collect();
    let leaving = leaving::leaving(base, findings, &wanted);
    if let Some((because, needs_person)) = shut(desired, account, facts, rules) {
        for item in wanted.keys().chain(leaving.keys()).copied().collect::<BTreeSet<_>>() {
            if needs_person { draft.refuse(item, &because) } else { draft.wait(item, &because) }
        }
        return;
    }
    for (item, finding) in &wanted {
        match (item, effective.wait(item)) {
            (Item::Setting(_), Some(wait)) => wait.hold(draft, item),
            (Item::Setting(setting), None) => set(draft, account, setting, item, finding, facts),
            _ => {}
        }
    }
    stacks::steps(draft, desired, effective, findings, &wanted, facts, rules);
    leaving::steps(draft, around, findings, &leaving);
}

/// Why nothing may be written in this account, and whether a person has to do something about it.
fn shut(desired: &Desired, account: &Account, facts: &AccountFacts, rules: &Rules) -> Option<(String, bool)> {
    if let Some(because) = off_limits(desired, account, facts.id.as_ref(), rules) {
        return Some((because, true));
    }
    facts.closed.clone().map(|because| (because, false))
}

/// Why the operator lets nothing be written in this account, if so.
pub(super) fn off_limits(
    desired: &Desired,
    account: &Account,
    id: Option<&AccountId>,
    rules: &Rules,
) -> Option<String> {
    let is_management = id.or(account.id.as_ref()) == Some(&desired.organization.management_account);
    if is_management && !rules.allow_management {
        let because = "this is the management account, which service control policies do not restrain; \
                       start the daemon with --allow-management to let it be changed";
        return Some(because.to_owned());
    }
    rules.guards.protects_account(&account.slug, &desired.revision)
}

fn set(
    draft: &mut Draft,
    account: &Account,
    setting: &Setting,
    item: &Item,
    finding: &Finding,
    facts: &AccountFacts,
) {
    let (Some(declared), observed) = (account.settings.get(setting), finding.observed.as_deref()) else {
        return;
    };
    let step = match (setting, &declared.value) {
        // IAM replaces the whole policy: what git does not declare is sent back as it was found.
        (Setting::PasswordPolicy, SettingValue::Plain(after)) => Step::PutPasswordPolicy {
            before: facts.password_policy.clone(),
            after: overlay(after, facts.password_policy.as_ref()),
        },
        (Setting::AccountAlias, SettingValue::Plain(after)) => Step::PutAccountAlias {
            before: observed.and_then(Value::as_str).map(str::to_owned),
            after: after.as_str().unwrap_or_default().to_owned(),
        },
        (Setting::SamlProvider(name), SettingValue::Metadata(after)) => Step::PutSamlProvider {
            name: name.clone(),
            before: observed.and_then(|value| value["metadata"].as_str()).map(str::to_owned),
            after: SamlMetadata::clone(after),
        },
        // Load gives each kind the value of its kind.
        (Setting::PasswordPolicy | Setting::AccountAlias, SettingValue::Metadata(_))
        | (Setting::SamlProvider(_), SettingValue::Plain(_))
        // What is still to come waits.
        | (_, SettingValue::Later(_)) => return,
    };
    draft.step("put", item, BTreeSet::new(), step);
}
