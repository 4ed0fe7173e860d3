//! Metadata of an identity provider for tests, and what plans and issues say of its certificates.

use std::sync::Arc;

use landfast::model::saml::{SamlMetadata, outline};
use landfast::model::{
    Declared, Desired, Facts, Finding, Item, Observed, Plan, SamlProviderName, Setting, SettingValue, Sight,
    Source, Step, Value, Verdict,
};
use landfast::plan::plan;
use landfast::report::{ScopeReport, Situation, text, wanted};
use serde_json::json;

use crate::paper::{based_on, desired, payments, rules, scope, seeing};

/// What the example's directory publishes: more than 100 kB.
pub(crate) const METADATA: &str =
    include_str!("../../example-repo/baselines/security/directory-metadata.xml");
/// Another certificate, `CN=one,O=Acme`, valid from 2026 to 2036.
pub(crate) const OTHER: &str = "MIIBITCByAIBATAKBggqhkjOPQQDAjAdMQ0wCwYDVQQKDARBY21lMQwwCgYDVQQDDANvbmUwHhcNMjYwMTAxMDAwMDAwWhcNMzYwMTAxMDAwMDAwWjAdMQ0wCwYDVQQKDARBY21lMQwwCgYDVQQDDANvbmUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQ3duUNNj+XXsRSEPRb5WRgrneMf/WPyo+YADSiWKIeEsu9PbGJsGugH6P5fZdsB6j+oegx42g+Q+IApBICbC8xMAoGCCqGSM49BAMCA0gAMEUCIQD2yvcAo8AYG+3+ImKEjjComrzEsIQhSpaeOVdnAhnSpQIgN5QWlupx2TMhbqx5/ktngkkk824Xc2d+fERdgc6eAGo=";
/// Its fingerprint, by openssl.
pub(crate) const FINGERPRINT: &str = "28ef3f35a899bc587a2c5c7e62e2d0a725482ff0f24e3e4253e8094ff5cbb648";
/// When it ends.
const END: i64 = 2_082_758_400;
const DAY: i64 = 24 * 60 * 60;

/// The metadata with another certificate to sign with.
pub(crate) fn signed_by(certificate: &str) -> String {
    let head = "<ds:X509Certificate>";
    let start = METADATA.find(head).unwrap() + head.len();
    let length = METADATA[start..].find('<').unwrap();
    METADATA.replace(&METADATA[start..start + length], certificate)
}

/// The same metadata in other words: other prefixes, other white space, other line ends.
pub(crate) fn laid_out_otherwise() -> String {
    METADATA
        .replace("fed:", "f:")
        .replace("xmlns:fed=", "xmlns:f=")
        .replace('\n', "\r\n")
        .replace("  <", "\t<")
}

fn provider() -> Setting {
    Setting::SamlProvider(SamlProviderName::parse("ADFS").unwrap())
}

fn wanting(text: &str) -> Desired {
    let mut desired = desired();
    let value = SettingValue::Metadata(Arc::new(SamlMetadata::parse(text).unwrap()));
    let declared =
        Declared { value, source: Source { path: "baselines/b/baseline.yaml".to_owned(), line: 7 } };
    payments(&mut desired).settings.insert(provider(), declared);
    desired
}

fn value(text: &str) -> Value {
    json!({"metadata": outline(text)})
}

fn observed(text: Option<&str>) -> Observed {
    let mut observed = seeing(Sight::Absent);
    let sight = text.map_or(Sight::Absent, |text| Sight::present(value(text)));
    observed.items = [(Item::Setting(provider()), sight)].into();
    assert!(matches!(observed.facts, Facts::Account(_)));
    observed
}

fn planned(git: &str, base: Option<&str>, aws: Option<&str>, now: i64) -> Plan {
    let mut base_items = based_on(None);
    base_items.items.extend(base.map(|text| (Item::Setting(provider()), value(text).into())));
    let rules = landfast::plan::Rules { now, ..rules() };
    plan(&scope(), &wanting(git), &base_items, &observed(aws), &rules)
}

fn finding(plan: &Plan) -> &Finding {
    &plan.findings[&Item::Setting(provider())]
}

fn reported(plan: Plan) -> ScopeReport {
    ScopeReport {
        scope: scope(),
        account_id: Some(crate::paper::account_id("111122223333")),
        account_name: "Payments".to_owned(),
        plan,
        outcomes: landfast::model::Outcomes::new(),
        authors: std::collections::BTreeMap::new(),
        gaps_last: false,
        hold: None,
    }
}

#[test]
fn the_example_is_as_long_as_what_directories_publish_and_says_the_same_however_it_is_laid_out() {
    assert!(METADATA.len() > 100_000, "{}", METADATA.len());
    let other = laid_out_otherwise();
    assert!(other != METADATA && outline(&other) == outline(METADATA));
    assert_ne!(outline(&signed_by(OTHER)), outline(METADATA));
    assert_eq!(finding(&planned(METADATA, None, Some(&other), 0)).verdict, Verdict::InSync);
}

#[test]
fn a_missing_provider_is_made_and_a_changed_one_gets_the_document_as_committed() {
    let made = planned(METADATA, None, None, 0);
    let [step] = made.steps.as_slice() else { panic!("{:?}", made.steps) };
    let Step::PutSamlProvider { name, before: None, after } = &step.step else { panic!("{step:?}") };
    assert_eq!((name.as_str(), after.text.as_str()), ("ADFS", METADATA));
    let next = signed_by(OTHER);
    let changed = planned(&next, Some(METADATA), Some(METADATA), 0);
    let [step] = changed.steps.as_slice() else { panic!("{:?}", changed.steps) };
    let Step::PutSamlProvider { before: Some(before), after, .. } = &step.step else { panic!("{step:?}") };
    assert_eq!((before, &after.text), (&outline(METADATA), &next));
}

#[test]
fn a_provider_found_there_is_changed_by_nobody_until_it_is_adopted() {
    let found = planned(METADATA, None, Some(&signed_by(OTHER)), 0);
    assert_eq!((finding(&found).verdict, found.steps.len()), (Verdict::FirstSight, 0));
    let drifted = planned(METADATA, Some(METADATA), Some(&signed_by(OTHER)), 0);
    assert_eq!((finding(&drifted).verdict, drifted.steps.len()), (Verdict::Drift, 0));
}

#[test]
fn a_plan_shows_which_certificates_come_and_go_and_no_base64() {
    let plan = planned(METADATA, Some(METADATA), Some(&signed_by(OTHER)), 0);
    insta::assert_snapshot!(text(&[reported(plan)]), @r#"
    creates 0, changes 0, drifted 1
    in 1 scope at commit aaaaaaaaaa

    accounts/payments (111122223333): drifted 1
      ≠ settings.samlProviders.ADFS  drifted, HIGH: SAML provider ADFS trusts another certificate
          baselines/b/baseline.yaml:7
             metadata: |
                     ds:KeyInfo
                       ds:X509Data
          -              ds:X509Certificate: sha256 ec8362f794bfec8478f11b1951823a90c0d8bc021bacf5dda7e068c066352b4f, 2026-01-01 to 2036-01-01, "CN=Directory signing,O=Acme"
          +              ds:X509Certificate: sha256 28ef3f35a899bc587a2c5c7e62e2d0a725482ff0f24e3e4253e8094ff5cbb648, 2026-01-01 to 2036-01-01, "CN=one,O=Acme"
                   {http://docs.oasis-open.org/wsfed/federation/200706}ClaimTypesOffered
                     {http://docs.oasis-open.org/wsfed/authorization/200706}ClaimType Optional="true" Uri="https://login.acme.example/claims/person/identifier"
               …
                     ds:KeyInfo
                       ds:X509Data
          -              ds:X509Certificate: sha256 ec8362f794bfec8478f11b1951823a90c0d8bc021bacf5dda7e068c066352b4f, 2026-01-01 to 2036-01-01, "CN=Directory signing,O=Acme"
          +              ds:X509Certificate: sha256 28ef3f35a899bc587a2c5c7e62e2d0a725482ff0f24e3e4253e8094ff5cbb648, 2026-01-01 to 2036-01-01, "CN=one,O=Acme"
                   SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://login.acme.example/adfs/ls/"
                   NameIDFormat: "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
          author pending: CloudTrail can take 15 minutes
          mode report: it is left as it is until git or AWS is changed
    "#);
}

#[test]
fn a_certificate_that_ends_is_told_a_month_before_and_holds_nothing_back() {
    let git = signed_by(OTHER);
    let at = |now| planned(&git, Some(&git), Some(&git), now);
    let warned = |now| {
        let plan = at(now);
        assert!(plan.steps.is_empty() && plan.blocked.is_empty());
        plan.warnings.into_iter().map(|warning| warning.because).collect::<Vec<_>>()
    };
    // The directory's encryption certificate ends on the same day.
    assert_eq!(warned(END - 31 * DAY), Vec::<String>::new());
    assert_eq!(warned(END - 29 * DAY).len(), 2);
    assert_eq!(warned(END - 29 * DAY), warned(END - DAY), "the words do not change from day to day");
    insta::assert_snapshot!(warned(END + DAY)[0], @"the certificate sha256 28ef3f35a899bc58 (CN=one,O=Acme) expired on 2036-01-01: nobody signs in with it after that; bring the metadata up to date");
    insta::assert_snapshot!(text(&[reported(at(END - DAY))]), @r"
    creates 0, changes 0, drifted 0, in sync 1
    in 1 scope at commit aaaaaaaaaa

    accounts/payments (111122223333): 2 warnings
      ! settings.samlProviders.ADFS  warning: the certificate sha256 28ef3f35a899bc58 (CN=one,O=Acme)
          expires on 2036-01-01: nobody signs in with it after that; bring the metadata up to date
      ! settings.samlProviders.ADFS  warning: the certificate sha256 41d956f4df5018b7 (CN=Directory
          encryption,O=Acme) expires on 2036-01-01: nobody signs in with it after that; bring the
          metadata up to date
    ");
    let issues = wanted(&[reported(at(END - DAY))], &Situation::default()).issues;
    let [issue] = issues.values().collect::<Vec<_>>()[..] else { panic!("{issues:?}") };
    assert!(issue.body.contains(&FINGERPRINT[..16]) && issue.body.contains("2036-01-01"), "{}", issue.body);
    assert!(wanted(&[reported(at(0))], &Situation::default()).issues.is_empty());
}
