//! Whether a commit may take the place of the one in force: what a person has to vouch for first.
//!
//! Guarantees: pure. A commit is compared with the one before it, not with AWS, so that the answer is the same
//! whenever it is asked.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{
    Account, AccountId, Desired, Item, OnLeave, PolicyName, PolicyTarget, Scope, Slug, managed,
};
use crate::plan::Guards;

/// How many folders are named in a message.
const MAX_NAMED: usize = 5;

/// Why `after` may not follow on `before` without an operator's word, as a sentence; nothing when it may.
pub(super) fn objection(before: &Desired, after: &Desired, guards: &Guards) -> Option<String> {
    vanished(before, after, guards)
        .or_else(|| touched(before, after, guards))
        .or_else(|| removed(before, after, guards))
}

/// Folders that went away, unless the same account has another folder now: that is a rename.
fn vanished(before: &Desired, after: &Desired, guards: &Guards) -> Option<String> {
    let kept: BTreeSet<&AccountId> =
        after.accounts.values().filter_map(|account| account.id.as_ref()).collect();
    let is_gone = |account: &&Arc<Account>| {
        !after.accounts.contains_key(&account.slug)
            && !account.id.as_ref().is_some_and(|id| kept.contains(id))
    };
    let gone: Vec<&Slug> = before.accounts.values().filter(is_gone).map(|account| &account.slug).collect();
    let limit = guards.vanished_folders;
    (gone.len() > limit).then(|| {
        format!(
            "{} of {} account folders went away ({}), and `vanished-folders` allows {limit} a commit",
            gone.len(),
            before.accounts.len(),
            some(&gone)
        )
    })
}

/// Accounts for which the commit changes what is wanted, or what their stacks take from others.
fn touched(before: &Desired, after: &Desired, guards: &Guards) -> Option<String> {
    let limit = guards.accounts_per_commit?;
    let reached = after.reached_since(before);
    let differs = |slug: &Slug| match (before.accounts.get(slug), after.accounts.get(slug)) {
        (Some(one), Some(other)) if Arc::ptr_eq(one, other) => {
            before.organization.id != after.organization.id
        }
        _ => wanted(before, slug) != wanted(after, slug),
    };
    let is_touched = |slug: &&Slug| reached.contains(slug) || differs(slug);
    let touched: Vec<&Slug> = after.accounts.keys().filter(is_touched).collect();
    (touched.len() > limit).then(|| {
        format!(
            "it changes {} accounts ({}), and `accounts-per-commit` allows {limit}",
            touched.len(),
            some(&touched)
        )
    })
}

/// What would be removed: no longer declared and to be removed then, or declared absent where it was declared.
fn removed(before: &Desired, after: &Desired, guards: &Guards) -> Option<String> {
    let limit = guards.removals_per_commit;
    let lost: Vec<(&Slug, usize)> = after
        .accounts
        .iter()
        .filter_map(|(slug, now)| Some((slug, lost(before.accounts.get(slug)?, now))))
        .filter(|(_, lost)| *lost > 0)
        .collect();
    let policies = lost_policies(before, after);
    let count: usize = lost.iter().map(|(_, lost)| lost).sum::<usize>() + policies;
    let slugs: Vec<&Slug> = lost.iter().map(|(slug, _)| *slug).collect();
    let accounts = || format!("from {} accounts ({})", slugs.len(), some(&slugs));
    let organization = || format!("{policies} of the organization's policies and their attachments");
    let place = match (policies, slugs.as_slice()) {
        (0, _) => accounts(),
        (_, []) => format!("among them {}", organization()),
        _ => format!("{}, among them {}", accounts(), organization()),
    };
    (count > limit).then(|| {
        format!("it would have {count} things removed {place}, and `removals-per-commit` allows {limit}")
    })
}

/// Policies and attachments that leave and are to be removed then. An account without a folder keeps its own.
fn lost_policies(before: &Desired, after: &Desired) -> usize {
    let (was, is) = (&before.organization.policies, &after.organization.policies);
    if was.on_leave != OnLeave::Remove {
        return 0;
    }
    let stays = |(name, target): &&(PolicyName, PolicyTarget)| match target {
        _ if managed(name).is_some() => true,
        PolicyTarget::Account(slug) if !after.accounts.contains_key(slug) => true,
        PolicyTarget::Account(_) | PolicyTarget::Ou(_) => false,
    };
    let detached =
        was.attachments.keys().filter(|key| !is.attachments.contains_key(*key)).filter(|key| !stays(key));
    detached.count() + was.by_name.keys().filter(|name| !is.by_name.contains_key(*name)).count()
}

fn lost(before: &Account, now: &Account) -> usize {
    let declares = |account: &Account, item: &Item| match item {
        Item::Setting(setting) => account.settings.contains_key(setting),
        Item::Stack(key) => account.stacks.contains_key(key),
        Item::Ou(_) | Item::Account(..) | Item::PolicyType(_) | Item::Policy(_) | Item::Attachment(..) => {
            false
        }
    };
    let left = before.remove_on_leave.iter().filter(|item| !declares(now, item));
    let unwanted = now.absent.keys().filter(|item| declares(before, item));
    left.chain(unwanted).collect::<BTreeSet<_>>().len()
}

/// What an account is wanted to be, without the places that say so.
fn wanted(desired: &Desired, slug: &Slug) -> Option<impl PartialEq + use<>> {
    let Account { name, email, ou, tags, mode, access, .. } = desired.accounts.get(slug)?.as_ref().clone();
    let items = desired.items(&Scope::Account(slug.clone())).into_iter();
    let items: Vec<_> = items.map(|(item, declared)| (item, declared.value)).collect();
    Some(((name, email, ou, tags), mode, access, items))
}

fn some(slugs: &[&Slug]) -> String {
    let mut names: Vec<String> = slugs.iter().take(MAX_NAMED).map(ToString::to_string).collect();
    if slugs.len() > MAX_NAMED {
        names.push(format!("and {} more", slugs.len() - MAX_NAMED));
    }
    names.join(", ")
}
