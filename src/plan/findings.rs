//! A finding for every item that git declares or that was kept before.

use std::collections::{BTreeMap, BTreeSet};

use super::Rules;
use super::references::Effective;
use super::unmarked::{Compared, plain};
use crate::model::status::Standing;
use crate::model::{
    AccountFacts, AccountProperty, AccountState, Base, Declared, Desired, Facts, Finding, Item, Mode,
    Observed, OrganizationFacts, OuPath, SLUG_TAG, Scope, SharedValue, Sight, Slug, StackKey, Value, assume,
    verdict,
};

/// The findings of one scope, by item.
pub(super) fn findings(
    scope: &Scope,
    desired: &Desired,
    effective: Option<&Effective<'_>>,
    base: &Base,
    observed: &Observed,
    rules: &Rules,
) -> BTreeMap<Item, Finding> {
    let declared = effective
        .map_or_else(|| desired.items(scope), |effective| effective.account.items(&desired.organization));
    let items: BTreeSet<&Item> = declared.keys().chain(base.items.keys()).collect();
    let finding = |item: &Item| {
        let sight = match item {
            // A kind of policy that nothing needs any more does no harm, and nobody switches it off.
            Item::PolicyType(_) if !declared.contains_key(item) => Sight::Absent,
            _ => sight(item, base.value(item), observed),
        };
        let ceiling =
            if rules.fights.contains(item) { rules.ceiling.min(Mode::Report) } else { rules.ceiling };
        let mode = desired.mode(scope, item).min(ceiling);
        let compared = plain(declared.get(item), base, item, sight)
            .levelled(scope, item, desired, observed)
            .completed(item);
        let finding = match (effective.and_then(|effective| effective.wait(item)), compared) {
            (Some(wait), Compared { desired: Some(declared), base, sight }) => {
                wait.finding(&declared, base, sight, mode)
            }
            (_, compared) => judge(compared, mode),
        };
        (item.clone(), finding)
    };
    items.into_iter().map(finding).collect()
}

fn judge(compared: Compared, mode: Mode) -> Finding {
    let Compared { desired, base, sight } = compared;
    let (value, source) = desired.map(|Declared { value, source }| (value, source)).unzip();
    let verdict = verdict(value.as_ref(), base.as_deref(), &sight);
    let (observed, unchecked, because) = match sight {
        Sight::Absent => (None, BTreeMap::new(), String::new()),
        Sight::Present { value: seen, unchecked } => {
            let believed = base.as_deref().or(value.as_ref());
            (Some(assume(&seen, &unchecked, believed)), unchecked, String::new())
        }
        Sight::Moving(because) | Sight::Gap(because) => (None, BTreeMap::new(), because),
    };
    // In what is in sync most is as it was: then nothing is kept twice.
    let observed = observed.map(|value| SharedValue::like(value, &base));
    let desired = value.map(|value| SharedValue::like(value, base.iter().chain(&observed)));
    Finding { verdict, mode, desired, base, observed, unchecked, because, source }
}

/// What was seen of `item`, as it counts for the verdict.
fn sight(item: &Item, base: Option<&Value>, observed: &Observed) -> Sight {
    let seen = observed.sight(item);
    match (&observed.facts, item) {
        (Facts::Account(facts), Item::Stack(key)) if base.is_none() && is_fallen(key, facts) => Sight::Absent,
        (Facts::Organization(facts), Item::Account(slug, property)) => match property {
            AccountProperty::Ou if base.is_none() && is_unplaced(slug, facts) => Sight::Absent,
            AccountProperty::Exists => activation(slug, facts).unwrap_or(seen),
            _ => seen,
        },
        _ => seen,
    }
}

/// A stack of ours whose first creation failed: nothing of it is left but its name, so it is still to be made.
fn is_fallen(key: &StackKey, facts: &AccountFacts) -> bool {
    facts
        .stacks
        .get(key)
        .is_some_and(|stack| stack.is_ours && Standing::of(&stack.status) == Standing::Fallen)
}

/// An account that we had made and that nobody has placed yet: AWS puts every new account in the root, so being
/// there is nobody's decision.
fn is_unplaced(slug: &Slug, facts: &OrganizationFacts) -> bool {
    let Some(account) = facts.claimed.get(slug).and_then(|id| facts.accounts.get(id)) else { return false };
    let is_made_by_us =
        account.tags.as_ref().and_then(|tags| tags.get(SLUG_TAG)).is_some_and(|tag| tag == slug.as_str());
    is_made_by_us && account.ou == OuPath::root()
}

fn activation(slug: &Slug, facts: &OrganizationFacts) -> Option<Sight> {
    let account = facts.accounts.get(facts.claimed.get(slug)?)?;
    (account.state == AccountState::PendingActivation)
        .then(|| Sight::Moving(format!("AWS is still activating account {}", account.id)))
}
