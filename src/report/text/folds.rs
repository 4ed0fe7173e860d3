//! What is told once for many: new accounts, things that share a reason, scopes with nothing to say.

use std::collections::BTreeMap;

use super::super::deed::{fate, plain};
use super::super::lines::{listed, number, words};
use super::super::unseen::{Unseen, unseen};
use super::super::{ScopeReport, counts};
use crate::model::{AccountProperty, Finding, Item, Mode, Scope, Slug, Value, Verdict};

/// No more names than this stand in one line.
const MAX_NAMES: usize = 12;

/// Accounts of the organization without a folder: nothing is done about them, and nobody else tells of them.
pub(super) fn unclaimed(out: &mut String, report: &ScopeReport) {
    for account in &report.plan.unclaimed {
        let (name, email) = (plain(&account.name), plain(&account.email));
        words(
            out,
            1,
            &format!("· account {} ({name}, {email}, in {})  no folder claims it", account.id, account.ou),
        );
    }
}

/// How much there is to say of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// It is told on its own.
    Told,
    /// In sync, every item of it fully checked.
    InSync,
    /// An account that nobody has made yet: what waits for it is told with its creation.
    Unborn,
}

pub(super) fn weight(report: &ScopeReport) -> Weight {
    let findings = &report.plan.findings;
    let is_unborn = matches!(report.scope, Scope::Account(_))
        && report.account_id.is_none()
        && report.hold.is_none()
        && findings.values().all(|finding| finding.verdict == Verdict::New)
        && report.plan.blocked.iter().all(|blocked| !blocked.needs_person);
    let sum = counts(report);
    let is_settled = |finding: &Finding| matches!(finding.verdict, Verdict::InSync | Verdict::Gone);
    if is_unborn && !findings.is_empty() {
        Weight::Unborn
    } else if sum.is_quiet()
        && sum.not_checked == 0
        && report.hold.is_none()
        && report.plan.unclaimed.is_empty()
        && report.plan.warnings.is_empty()
        && findings.values().all(is_settled)
    {
        Weight::InSync
    } else {
        Weight::Told
    }
}

/// One line for all scopes of one weight.
pub(super) fn scopes(out: &mut String, lead: &str, scopes: &[&Scope]) {
    if scopes.is_empty() {
        return;
    }
    let mut names: Vec<_> = scopes.iter().take(MAX_NAMES).map(ToString::to_string).collect();
    if scopes.len() > MAX_NAMES {
        names.push(format!("{} more", scopes.len() - MAX_NAMES));
    }
    words(out, 0, &format!("{lead}: {}", listed(&names)));
}

/// True where the creation of the item's account speaks for the item too.
pub(super) fn comes_with_account(report: &ScopeReport, item: &Item) -> bool {
    let Item::Account(slug, property) = item else { return false };
    let exists = Item::Account(slug.clone(), AccountProperty::Exists);
    let is_new = |item| report.plan.findings.get(item).is_some_and(|it| it.verdict == Verdict::New);
    *property != AccountProperty::Exists && is_new(item) && is_new(&exists)
}

/// An account that is to be made, with all that comes with it and after it.
pub(super) fn new_account(out: &mut String, report: &ScopeReport, all: &[ScopeReport], slug: &Slug) {
    let property = |property| {
        let finding = report.plan.findings.get(&Item::Account(slug.clone(), property));
        finding.and_then(|it| it.desired.as_deref()).and_then(Value::as_str).map(plain)
    };
    let text = |wanted| property(wanted).unwrap_or_default();
    let is_tag =
        |item: &&Item| matches!(item, Item::Account(other, AccountProperty::Tag(_)) if other == slug);
    let tags = report.plan.findings.keys().filter(is_tag).count();
    let with = if tags > 0 { format!(" with {}", number(tags, "tag")) } else { String::new() };
    let (name, email) = (text(AccountProperty::Name), text(AccountProperty::Email));
    let mut then: Vec<_> =
        property(AccountProperty::Ou).map(|ou| format!("move it to {ou}")).into_iter().collect();
    then.extend(inside(all, slug));
    let then = if then.is_empty() { String::new() } else { format!("; then {}", then.join(", ")) };
    words(out, 1, &format!("+ create account {slug} ({name}, {email}){with}{then}"));
    let item = Item::Account(slug.clone(), AccountProperty::Exists);
    let steps = report.plan.steps.iter().filter(|planned| planned.item == item);
    for fate in steps.filter_map(|planned| fate(report, planned)) {
        words(out, 3, &fate);
    }
    held_back(out, report, &item);
}

/// What is to be made inside an account that nobody has made yet.
fn inside(all: &[ScopeReport], slug: &Slug) -> Vec<String> {
    let is_meant = |report: &&ScopeReport| matches!(&report.scope, Scope::Account(other) if other == slug);
    all.iter().find(is_meant).map(|report| kinds(report.plan.findings.keys())).unwrap_or_default()
}

/// `2 settings`, `8 stacks`.
fn kinds<'a>(items: impl Iterator<Item = &'a Item>) -> Vec<String> {
    let mut by_kind: BTreeMap<&str, usize> = BTreeMap::new();
    for item in items {
        let kind = match item {
            Item::Ou(_) => "OU",
            Item::Account(..) => "property",
            Item::PolicyType(_) => "kind of policy",
            Item::Policy(_) => "policy",
            Item::Attachment(..) => "attachment",
            Item::Setting(_) => "setting",
            Item::Stack(_) => "stack",
        };
        *by_kind.entry(kind).or_default() += 1;
    }
    by_kind.into_iter().map(|(kind, count)| number(count, kind)).collect()
}

/// Why `item` is held back, if it is.
pub(super) fn held_back(out: &mut String, report: &ScopeReport, item: &Item) {
    for blocked in report.plan.blocked.iter().filter(|blocked| &blocked.item == item) {
        let lead = if blocked.needs_person { "blocked" } else { "waits" };
        words(out, 3, &format!("{lead}: {}", plain(&blocked.because)));
    }
}

/// What is told together with others: items to be made that have no step, those under way,
/// and those that could not be read.
pub(super) fn shared(report: &ScopeReport, item: &Item, finding: &Finding) -> Option<String> {
    let has_step = report.plan.steps.iter().any(|planned| &planned.item == item);
    match finding.verdict {
        Verdict::Gap => {
            Some(format!("could not be read, so nothing is changed: {}", plain(&finding.because)))
        }
        Verdict::Moving => Some(format!("under way: {}", plain(&finding.because))),
        Verdict::Waiting => Some(format!("waits: {}", plain(&finding.because))),
        Verdict::New if !has_step => {
            let blocked = report.plan.blocked.iter().find(|blocked| &blocked.item == item);
            Some(match blocked {
                Some(it) if it.needs_person => format!("to be made; blocked: {}", plain(&it.because)),
                Some(it) => format!("to be made; waits: {}", plain(&it.because)),
                None if finding.mode == Mode::Observe => "to be made; not in mode observe".to_owned(),
                None => "to be made".to_owned(),
            })
        }
        _ => None,
    }
}

/// The items that share a reason.
pub(super) fn group(out: &mut String, sign: char, reason: &str, items: &[&Item]) {
    let names: Vec<_> = items.iter().map(ToString::to_string).collect();
    if names.len() <= 3 {
        return words(out, 1, &format!("{sign} {}  {reason}", listed(&names)));
    }
    words(out, 1, &format!("{sign} {}  {reason}", listed(&kinds(items.iter().copied()))));
    let mut shown: Vec<_> = names.iter().take(MAX_NAMES).cloned().collect();
    if names.len() > MAX_NAMES {
        shown.push(format!("{} more", names.len() - MAX_NAMES));
    }
    words(out, 3, &listed(&shown));
}

/// `not checked: drift of 6 stacks (…)`; nothing where everything was checked.
pub(super) fn not_checked(report: &ScopeReport) -> Option<String> {
    let told = |unseen: Unseen<'_>| {
        let whole = format!("{} of {}", plain(unseen.part), unseen.owners());
        let named = unseen.items.iter().map(|(item, path)| format!("{} of {item}", plain(path)));
        let what = if unseen.items.len() <= 2 { listed(&named.collect::<Vec<_>>()) } else { whole };
        format!("{what} ({})", plain(unseen.because))
    };
    let parts: Vec<_> = unseen(report).into_iter().map(told).collect();
    (!parts.is_empty()).then(|| format!("not checked: {}", parts.join("; ")))
}
