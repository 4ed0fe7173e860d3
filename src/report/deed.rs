//! Steps in words: what each does, as an order, and what became of it.

use super::ScopeReport;
use super::markdown::visible;
use crate::model::{
    AccountProperty, Item, Outcome, PlannedStep, PolicyTarget, PolicyType, Scope, Step, Verdict,
};

/// What a step does, as an order.
pub(super) fn deed(report: &ScopeReport, step: &Step) -> String {
    let here = match &report.scope {
        Scope::Organization => "the organization".to_owned(),
        Scope::Account(slug) => slug.to_string(),
    };
    match step {
        Step::CreateOu { path } => format!("create OU {path}"),
        Step::CreateAccount { slug, name, email, .. } => {
            format!("create account {slug} ({}, {email})", plain(name))
        }
        Step::MoveAccount { slug, before, after, .. } => {
            format!("move account {slug} from {before} to {after}")
        }
        Step::TagAccount { slug, key, before: Some(before), after, .. } => {
            format!("change tag {} of account {slug} from {} to {}", plain(key), plain(before), plain(after))
        }
        Step::TagAccount { slug, key, before: None, after, .. } => {
            format!("tag account {slug} with {}: {}", plain(key), plain(after))
        }
        Step::EnablePolicyType { kind } => format!("enable {} in the organization", kind_words(*kind)),
        Step::CreatePolicy { name, after, .. } => format!("create {} {name}", kind_words(after.kind)),
        Step::UpdatePolicy { name, after, .. } => format!("change {} {name}", kind_words(after.kind)),
        Step::AttachPolicy { name, target, .. } => {
            format!("attach policy {name} to {}", target_words(target))
        }
        Step::DetachPolicy { name, target, .. } => {
            format!("detach policy {name} from {}", target_words(target))
        }
        Step::DeletePolicy { name, kind, .. } => format!("delete {} {name}", kind_words(*kind)),
        Step::PutPasswordPolicy { before: None, .. } => format!("create the password policy of {here}"),
        Step::PutPasswordPolicy { .. } => format!("change the password policy of {here}"),
        Step::PutAccountAlias { after, .. } => format!("set the alias of {here} to {}", plain(after)),
        Step::PutSamlProvider { name, before: None, .. } => format!("create SAML provider {name} in {here}"),
        Step::PutSamlProvider { name, .. } => {
            format!("replace the metadata of SAML provider {name} in {here}")
        }
        Step::DeployStack { key, before, revert, .. } => {
            let verb = if before.is_some() { "update" } else { "create" };
            let revert = if *revert { ", and put drifted resources back" } else { "" };
            format!("{verb} stack {} in {}{revert}", key.name, key.region)
        }
        Step::RemovePasswordPolicy { .. } => format!("remove the password policy of {here}"),
        Step::RemoveAccountAlias { before } => format!("take the alias {} from {here}", plain(before)),
        Step::RemoveSamlProvider { name, .. } => format!("remove SAML provider {name} from {here}"),
        Step::RemoveStack { key, .. } => format!("delete stack {} in {}", key.name, key.region),
        Step::DeleteFailedStack { key, .. } => {
            format!("delete stack {} in {}, which was never made", key.name, key.region)
        }
    }
}

/// `service control policy`.
pub(super) fn kind_words(kind: PolicyType) -> String {
    kind.folder().replace('-', " ")
}

/// What a policy is attached to, in words.
pub(super) fn target_words(target: &PolicyTarget) -> String {
    match target {
        PolicyTarget::Ou(path) if path.is_root() => "the root".to_owned(),
        PolicyTarget::Ou(path) => format!("OU {path}"),
        PolicyTarget::Account(slug) => format!("account {slug}"),
    }
}

/// Why an item is left behind, and since when.
pub(super) fn departure(report: &ScopeReport, item: &Item) -> String {
    let tie = report.plan.ties.get(item).cloned().unwrap_or_default();
    let place = if tie.declared_in.is_empty() { String::new() } else { format!(" in {}", tie.declared_in) };
    let since = tie.left.map(|commit| format!(", as of commit {}", commit.short())).unwrap_or_default();
    format!("no longer declared{place}{since}")
}

/// True where the account that goes without a folder speaks for this property of it.
pub(super) fn leaves_with_account(report: &ScopeReport, item: &Item) -> bool {
    let slug = match item {
        Item::Account(slug, property) if *property != AccountProperty::Exists => slug,
        Item::Attachment(_, PolicyTarget::Account(slug)) => slug,
        _ => return false,
    };
    let exists = Item::Account(slug.clone(), AccountProperty::Exists);
    let is_left = |item| report.plan.findings.get(item).is_some_and(|it| it.verdict == Verdict::Undeclared);
    is_left(item) && is_left(&exists)
}

/// What became of a step; nothing where none was tried.
pub(super) fn fate(report: &ScopeReport, planned: &PlannedStep) -> Option<String> {
    Some(match report.outcomes.get(&planned.id)? {
        Outcome::Done => "done".to_owned(),
        Outcome::Waiting { because, .. } => format!("under way, {}", plain(because)),
        Outcome::Stale(because) => format!("not done, since it moved meanwhile: {}", plain(because)),
        Outcome::Failed { message, .. } => format!("failed: {}", plain(message)),
        Outcome::Skipped { because } => {
            format!("not tried, since `{}` has to be done first", plain(&because.0))
        }
    })
}

/// One line: a terminal obeys what it is sent.
pub(super) fn plain(text: &str) -> String {
    visible(text, 500)
}
