//! What is as declared and will not stay good: said early enough for somebody to do something about it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Rules;
use crate::model::saml::{Certificate, SamlMetadata};
use crate::model::{
    Account, AccountProperty, Exclusion, Finding, Item, SUBSCRIPTIONS, Setting, SettingValue, Warning,
};

/// How long before a certificate ends that is said (seconds): a change of it takes the directory's people and ours.
const NOTICE: i64 = 30 * 24 * 60 * 60;

/// Everything about one account that somebody should know now. The words change only when what they say does.
pub(super) fn warnings(account: &Account, findings: &BTreeMap<Item, Finding>, rules: &Rules) -> Vec<Warning> {
    let settings = account.settings.iter();
    let ending = settings.flat_map(|(setting, declared)| match &declared.value {
        SettingValue::Plain(_) | SettingValue::Later(_) => Vec::new(),
        SettingValue::Metadata(metadata) => certificates(setting, metadata, rules.now),
    });
    let unheard = findings.iter().flat_map(|(item, finding)| unheard(item, finding));
    ending.chain(unheard).chain(ended(account, rules.now)).collect()
}

/// Mailboxes of a stack that nothing reaches, though the stack is as declared.
fn unheard<'a>(item: &'a Item, finding: &'a Finding) -> impl Iterator<Item = Warning> + 'a {
    let of_mailboxes = finding.unchecked.iter().filter(|(pointer, _)| pointer.starts_with(SUBSCRIPTIONS));
    of_mailboxes.map(|(_, because)| Warning { item: item.clone(), because: because.clone() })
}

/// Exclusions whose last day is over.
fn ended(account: &Account, now: i64) -> Vec<Warning> {
    let today = Timestamp::from_second(now).map(|now| now.to_zoned(TimeZone::UTC).date());
    let is_over = |exclusion: &&Exclusion| today.as_ref().is_ok_and(|today| exclusion.until < *today);
    let warning = |Exclusion { reason, until, source }: &Exclusion| Warning {
        item: Item::Account(account.slug.clone(), AccountProperty::Exists),
        because: format!(
            "{}:{} leaves this account out ({reason}), which was to end on {until}: it is left out all the same; give \
             it another day, or take it out",
            source.path, source.line
        ),
    };
    account.exclusions.iter().filter(is_over).map(warning).collect()
}

/// The certificates that have ended or soon will; each once, however often the metadata names it.
fn certificates(setting: &Setting, metadata: &SamlMetadata, now: i64) -> Vec<Warning> {
    let by_fingerprint: BTreeMap<&str, &Certificate> =
        metadata.certificates.iter().map(|it| (it.fingerprint.as_str(), it)).collect();
    let ending = by_fingerprint.into_values().filter_map(|certificate| {
        let details = certificate.details.as_ref().filter(|details| details.expires < now + NOTICE)?;
        let ends = if details.expires < now { "expired" } else { "expires" };
        let because = format!(
            "the certificate sha256 {} ({}) {ends} on {}: nobody signs in with it after that; bring the metadata up to date",
            &certificate.fingerprint[..16],
            details.subject,
            details.until
        );
        Some(Warning { item: Item::Setting(setting.clone()), because })
    });
    ending.collect()
}
