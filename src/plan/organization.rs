//! Steps for the organization: OUs, then new accounts, then where accounts are and what tags they bear.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::hindrance::Hindrance;
use super::{Draft, Rules, account, go_on, wants_write};
use crate::model::status::Failure;
use crate::model::{
    Account, AccountFact, AccountId, AccountProperty, Creation, CreationState, Desired, Facts, Finding, Item,
    OWNER_TAG, OrganizationFacts, OuPath, SLUG_TAG, Scope, Slug, Step, StepId, Unclaimed, Value, Verdict,
};

/// How long an organization-wide refusal (a quota, a payment problem) holds all creations, in seconds.
const REFUSAL_HOLDS: i64 = 15 * 60;

/// How often a creation that failed inside AWS is asked again for one commit, and how many seconds lie between.
const INTERNAL_FAILURE_TRIES: usize = 3;
const INTERNAL_FAILURE_PAUSE: i64 = 15 * 60;

/// How long AWS may take over an account before a person should ask why, in seconds.
const TOO_LONG: i64 = 24 * 60 * 60;

/// How long a created account may be missing from the list, in seconds.
const UNLISTED: i64 = 60 * 60;

const DAY: i64 = 24 * 60 * 60;

type Findings = BTreeMap<Item, Finding>;

pub(super) fn steps(
    draft: &mut Draft,
    desired: &Desired,
    findings: &Findings,
    facts: &OrganizationFacts,
    rules: &Rules,
) {
    for (item, finding) in findings {
        if let Item::Ou(path) = item {
            ou(draft, item, path, finding, findings);
        }
    }
    let mut creating = under_way(facts);
    for (item, finding) in findings {
        let Item::Account(slug, property) = item else { continue };
        let Some(account) = desired.accounts.get(slug) else { continue };
        match property {
            AccountProperty::Exists => {
                creating +=
                    usize::from(exists(draft, desired, account, item, finding, facts, rules, creating));
            }
            property => {
                let is_adopted = desired.is_adopted(&Scope::Organization, item);
                if wants_write(finding, is_adopted) {
                    match facts.claimed.get(slug).and_then(|id| facts.accounts.get(id)) {
                        Some(fact) => change(draft, account, fact, property, item, finding, facts),
                        None => nobody_home(draft, property, item, is_new(findings, slug)),
                    }
                }
            }
        }
    }
}

fn ou(draft: &mut Draft, item: &Item, path: &OuPath, finding: &Finding, findings: &Findings) {
    if !wants_write(finding, false) {
        return;
    }
    let parent = path.parent().map(Item::Ou);
    let is_missing = |parent: &Item| findings.get(parent).is_some_and(|parent| parent.observed.is_none());
    let needs = match parent {
        Some(parent) if is_missing(&parent) => match draft.making(&parent) {
            Some(step) => BTreeSet::from([step]),
            None => return draft.wait(item, format!("{parent} has to be there first")),
        },
        _ => BTreeSet::new(),
    };
    draft.step("create", item, needs, Step::CreateOu { path: path.clone() });
}

/// Plans the creation of an account, or says why there is none. True when a creation was planned.
#[expect(clippy::too_many_arguments, reason = "each is a different input of one decision")]
fn exists(
    draft: &mut Draft,
    desired: &Desired,
    account: &Account,
    item: &Item,
    finding: &Finding,
    facts: &OrganizationFacts,
    rules: &Rules,
    creating: usize,
) -> bool {
    match finding.verdict {
        Verdict::New if wants_write(finding, false) => {}
        Verdict::Drift | Verdict::Conflict | Verdict::FirstSight => {
            draft.refuse(item, not_usable(account, finding));
            return false;
        }
        _ => return false,
    }
    let Some(hindrance) = obstacle(desired, account, facts, rules, creating) else {
        draft.step("create", item, BTreeSet::new(), creation(desired, account));
        return true;
    };
    draft.hinder(item, &hindrance);
    false
}

fn creation(desired: &Desired, account: &Account) -> Step {
    let mut tags = account.tags.clone();
    tags.insert(OWNER_TAG.to_owned(), desired.organization.id.to_string());
    tags.insert(SLUG_TAG.to_owned(), account.slug.to_string());
    Step::CreateAccount {
        slug: account.slug.clone(),
        name: account.name.clone(),
        email: account.email.clone(),
        tags,
    }
}

fn not_usable(account: &Account, finding: &Finding) -> String {
    let state = finding.observed.as_deref().and_then(|value| value.get("state")).and_then(Value::as_str);
    match (state, &account.id) {
        (Some(state), _) => format!(
            "the account is {state}: Landfast changes nothing in it; reopen it with AWS, or remove the folder"
        ),
        (None, Some(id)) => format!(
            "account {id} was kept before and is missing from the organization's list; \
             nothing is created in its place; look whether it left the organization"
        ),
        (None, None) => "the account was kept before and is missing from the organization's list; \
             nothing is created in its place; record its id in the folder if it is still there"
            .to_owned(),
    }
}

/// What speaks against asking AWS for this account now. Every look comes before the first and any later request.
fn obstacle(
    desired: &Desired,
    account: &Account,
    facts: &OrganizationFacts,
    rules: &Rules,
    creating: usize,
) -> Option<Hindrance> {
    recorded_elsewhere(account)
        .or_else(|| email_taken(account, facts))
        .or_else(|| asked_before(account, facts, rules))
        .or_else(|| nameless_request(desired, facts, rules))
        .or_else(|| all_refused(facts, rules))
        .or_else(|| too_many(desired, facts, rules, creating - under_way(facts)))
        .or_else(|| {
            let because = format!("{creating} other accounts are created first; AWS makes few at a time");
            (creating >= rules.max_creations).then_some(Hindrance::Wait(because))
        })
}

/// The operator's limits on new accounts: an account can hardly be undone. So many are `planned` by this plan already.
fn too_many(
    desired: &Desired,
    facts: &OrganizationFacts,
    rules: &Rules,
    planned: usize,
) -> Option<Hindrance> {
    let guards = &rules.guards;
    if guards.is_approved(&desired.revision) {
        return None;
    }
    let is_new = |account: &&Arc<Account>| account.id.is_none() && !facts.claimed.contains_key(&account.slug);
    let new = desired.accounts.values().filter(is_new).count();
    if new > guards.new_accounts_per_commit {
        return Some(Hindrance::Person(format!(
            "the commit asks for {new} new accounts, and `new-accounts-per-commit` allows {}; ask for fewer at a \
             time, or {}",
            guards.new_accounts_per_commit,
            go_on(&desired.revision)
        )));
    }
    let is_recent = |creation: &&Creation| {
        rules.now - creation.requested < DAY && !matches!(creation.state, CreationState::Failed(_))
    };
    let recent = facts.creations.iter().filter(is_recent).count() + planned;
    (recent >= guards.new_accounts_per_day).then(|| {
        Hindrance::Person(format!(
            "{recent} accounts are asked for within 24 hours, and `new-accounts-per-day` allows {}; it goes on by \
             itself, or {}",
            guards.new_accounts_per_day,
            go_on(&desired.revision)
        ))
    })
}

fn recorded_elsewhere(account: &Account) -> Option<Hindrance> {
    let id = account.id.as_ref()?;
    Some(Hindrance::Person(format!(
        "the folder records account {id}, which is not in this organization; correct or remove `id`"
    )))
}

fn email_taken(account: &Account, facts: &OrganizationFacts) -> Option<Hindrance> {
    let is_same = |other: &&AccountFact| other.email.eq_ignore_ascii_case(account.email.as_str());
    let other = facts.accounts.values().find(is_same)?;
    let owner: Option<&Slug> = facts.claimed.iter().find(|(_, id)| **id == other.id).map(|(slug, _)| slug);
    Some(Hindrance::Person(match owner {
        Some(slug) => {
            format!("account {} of accounts/{slug} has the e-mail {} already", other.id, account.email)
        }
        None => format!(
            "account {} has the e-mail {} already and nothing proves that it is ours; \
             if it is this account, add `id: \"{}\"` to accounts/{}/account.yaml",
            other.id, account.email, other.id, account.slug
        ),
    }))
}

/// Earlier requests for this name. AWS does not show the e-mail of a request, so the name has to do.
fn asked_before(account: &Account, facts: &OrganizationFacts, rules: &Rules) -> Option<Hindrance> {
    let ours: Vec<&Creation> =
        facts.creations.iter().filter(|creation| creation.account_name == account.name).collect();
    let newest = ours.iter().max_by_key(|creation| creation.requested)?;
    match &newest.state {
        CreationState::InProgress if rules.now - newest.requested > TOO_LONG => {
            let because =
                format!("AWS has been creating the account for over a day ({}); ask its support", newest.id);
            Some(Hindrance::Person(because))
        }
        CreationState::InProgress => {
            Some(Hindrance::Wait(format!("AWS is creating the account ({})", newest.id)))
        }
        CreationState::Succeeded(id) if !facts.accounts.contains_key(id) => {
            Some(Hindrance::Wait(format!("AWS has created account {id} but does not list it yet")))
        }
        // Listed under another e-mail or without our tags: another account that happens to bear the name.
        CreationState::Succeeded(_) => None,
        CreationState::Failed(_) if is_before_commit(newest, rules) => None,
        CreationState::Failed(reason) => failed_before(reason, newest, &ours, rules),
    }
}

/// True when the request is older than the commit. A commit from the future excuses nothing: its time is whatever the
/// committer's clock said.
fn is_before_commit(creation: &Creation, rules: &Rules) -> bool {
    creation.requested < rules.committed && rules.committed <= rules.now
}

/// A request that no folder names any more may be this folder's under its former name: AWS shows no e-mail, so it has
/// to end before anything is asked for under the new one.
fn nameless_request(desired: &Desired, facts: &OrganizationFacts, rules: &Rules) -> Option<Hindrance> {
    let is_named =
        |creation: &Creation| desired.accounts.values().any(|account| account.name == creation.account_name);
    let is_open = |creation: &Creation| match &creation.state {
        CreationState::InProgress => true,
        // An account that left the organization later stays among the requests for long.
        CreationState::Succeeded(id) => {
            !facts.accounts.contains_key(id) && rules.now - creation.requested < UNLISTED
        }
        CreationState::Failed(_) => false,
    };
    let request = facts.creations.iter().find(|creation| is_open(creation) && !is_named(creation))?;
    Some(Hindrance::Wait(format!(
        "a request for `{}` ({}), which no folder names, is under way",
        request.account_name, request.id
    )))
}

fn failed_before(reason: &str, newest: &Creation, ours: &[&Creation], rules: &Rules) -> Option<Hindrance> {
    match Failure::of(reason) {
        Failure::Aws => {
            let tries = ours.iter().filter(|creation| !is_before_commit(creation, rules)).count();
            let waited = rules.now - newest.requested;
            if tries >= INTERNAL_FAILURE_TRIES {
                Some(Hindrance::Person(format!("AWS failed to create it {tries} times ({reason})")))
            } else {
                (waited < INTERNAL_FAILURE_PAUSE).then(|| {
                    Hindrance::Wait(format!("AWS failed to create it ({reason}); asked again later"))
                })
            }
        }
        Failure::Twin => (rules.now - newest.requested < INTERNAL_FAILURE_PAUSE)
            .then(|| Hindrance::Wait("AWS is at another request for the same account".to_owned())),
        Failure::Folder | Failure::Everybody => Some(Hindrance::Person(format!(
            "AWS refused to create it: {reason} ({}); a new commit makes Landfast ask again",
            newest.id
        ))),
    }
}

/// A refusal that concerns every account stops all creations for a while: asking on would only use up the quota.
fn all_refused(facts: &OrganizationFacts, rules: &Rules) -> Option<Hindrance> {
    facts.creations.iter().find_map(|creation| match &creation.state {
        CreationState::Failed(reason)
            if Failure::of(reason) == Failure::Everybody
                && rules.now - creation.requested < REFUSAL_HOLDS =>
        {
            Some(Hindrance::Person(format!("AWS creates no accounts at present: {reason} ({})", creation.id)))
        }
        _ => None,
    })
}

fn under_way(facts: &OrganizationFacts) -> usize {
    facts.creations.iter().filter(|creation| creation.state == CreationState::InProgress).count()
}

fn is_new(findings: &Findings, slug: &Slug) -> bool {
    let exists = Item::Account(slug.clone(), AccountProperty::Exists);
    findings.get(&exists).is_some_and(|finding| finding.verdict == Verdict::New)
}

/// What is wanted of an account that is not there. AWS gives a new account its name, e-mail and tags as it makes it:
/// only its place is left for afterwards.
fn nobody_home(draft: &mut Draft, property: &AccountProperty, item: &Item, is_new: bool) {
    match property {
        AccountProperty::Name | AccountProperty::Email | AccountProperty::Tag(_) if is_new => {}
        _ if is_new => draft.wait(item, "the account does not exist yet"),
        _ => draft.wait(item, "the account is missing from the organization's list"),
    }
}

/// A change of one property of an account that exists.
fn change(
    draft: &mut Draft,
    account: &Account,
    fact: &AccountFact,
    property: &AccountProperty,
    item: &Item,
    finding: &Finding,
    facts: &OrganizationFacts,
) {
    match property {
        AccountProperty::Ou => place(draft, account, fact, item, facts),
        AccountProperty::Tag(key) => {
            let step = Step::TagAccount {
                slug: account.slug.clone(),
                id: fact.id.clone(),
                key: key.clone(),
                before: finding.observed.as_deref().and_then(Value::as_str).map(str::to_owned),
                after: account.tags.get(key).cloned().unwrap_or_default(),
            };
            draft.step("tag", item, BTreeSet::new(), step);
        }
        AccountProperty::Name | AccountProperty::Email => draft.refuse(
            item,
            "Landfast does not change the name or e-mail of an account; change it with AWS or in the folder",
        ),
        AccountProperty::Exists => {}
    }
}

fn place(draft: &mut Draft, account: &Account, fact: &AccountFact, item: &Item, facts: &OrganizationFacts) {
    let target = Item::Ou(account.ou.clone());
    let needs: BTreeSet<StepId> = match draft.making(&target) {
        Some(step) => BTreeSet::from([step]),
        None if facts.ous.contains_key(&account.ou) => BTreeSet::new(),
        None => return draft.wait(item, format!("{target} has to be there first")),
    };
    let step = Step::MoveAccount {
        slug: account.slug.clone(),
        id: fact.id.clone(),
        before: fact.ou.clone(),
        after: account.ou.clone(),
    };
    draft.step("move", item, needs, step);
}

/// Refuses what would be done from outside to an account that is off limits: moved, tagged, put under other policies.
pub(super) fn keep_off(draft: &mut Draft, desired: &Desired, facts: &OrganizationFacts, rules: &Rules) {
    let off_limits = |item: &Item| {
        let account = desired.accounts.get(item.whose(&Scope::Organization)?)?;
        account::off_limits(desired, account, facts.claimed.get(&account.slug), rules)
    };
    let items = draft.steps.iter().map(|step| &step.item);
    let mut refused: BTreeMap<Item, String> =
        items.filter_map(|item| Some((item.clone(), off_limits(item)?))).collect();
    draft.take_away(&mut refused, Draft::refuse);
}

/// The accounts of the organization that no folder claims, the management account aside: that one is declared with
/// the organization. What could not be read is nobody's word for being unclaimed; why that is so comes second.
pub(super) fn unclaimed(desired: &Desired, facts: &Facts) -> (Vec<Unclaimed>, Option<String>) {
    let Facts::Organization(facts) = facts else { return (Vec::new(), None) };
    let claimed: BTreeSet<&AccountId> = facts.claimed.values().collect();
    let is_told = |id: &AccountId| *id != desired.organization.management_account && !claimed.contains(id);
    let others: Vec<_> = facts.accounts.values().filter(|account| is_told(&account.id)).collect();
    let unread = others.iter().find(|account| account.tags.is_none());
    // The management account is always listed: an empty list is one that could not be read.
    let gap = match unread {
        Some(account) => Some(format!("the tags of account {} could not be read", account.id)),
        None => facts.accounts.is_empty().then(|| "the accounts could not be listed".to_owned()),
    };
    let told = others.into_iter().filter(|account| account.tags.is_some()).map(|account| Unclaimed {
        id: account.id.clone(),
        name: account.name.clone(),
        email: account.email.clone(),
        ou: account.ou.clone(),
    });
    (told.collect(), gap)
}
