//! SAML providers in the files.

use landfast::model::{SettingValue, Value};

use super::*;
use crate::saml::METADATA;

const PROVIDER: &str = "settings: {samlProviders: {ADFS: {metadata: adfs.xml}}}\n";

fn faults_with(metadata: &str, more: &str) -> String {
    faults(&[(ACCOUNT, &format!("{ONE}{more}")), ("accounts/one/adfs.xml", metadata)])
}

#[test]
fn the_document_is_taken_as_it_is_and_never_evaluated() {
    let text = METADATA.replace("Acme<", "Acme ${{ account.slug }}<");
    let mut files = small();
    files.insert("accounts/one/account.yaml".to_owned(), File::text(format!("{ONE}{PROVIDER}")));
    files.insert("accounts/one/adfs.xml".to_owned(), File::text(&text));
    let desired = load(&tree(files)).unwrap();
    let account = &desired.accounts[&Slug::parse("one").unwrap()];
    let declared = &account.settings[&"samlProviders.ADFS".parse().unwrap()];
    let SettingValue::Metadata(metadata) = &declared.value else { panic!("{declared:?}") };
    assert_eq!(metadata.text, text);
    assert_eq!((declared.source.path.as_str(), declared.source.line), ("accounts/one/account.yaml", 4));
    let items = desired.items(&landfast::model::Scope::Account(Slug::parse("one").unwrap()));
    let value = &items[&"settings.samlProviders.ADFS".parse().unwrap()].value;
    assert!(
        matches!(&value["metadata"], Value::String(text) if text.contains("\"Acme ${{ account.slug }}\""))
    );
}

#[test]
fn accounts_share_one_reading_of_one_document() {
    let mut files = small();
    let baseline = format!("targets: {{ous: [/**]}}\n{PROVIDER}");
    files.insert("baselines/b/baseline.yaml".to_owned(), File::text(baseline));
    files.insert("baselines/b/adfs.xml".to_owned(), File::text(METADATA));
    let desired = load(&tree(files)).unwrap();
    let read: Vec<_> = desired.accounts.values().flat_map(|account| account.settings.values()).collect();
    let [SettingValue::Metadata(one), SettingValue::Metadata(two)] = [&read[0].value, &read[1].value] else {
        panic!("{read:?}")
    };
    assert!(std::sync::Arc::ptr_eq(one, two));
}

#[test]
fn a_file_that_is_not_there_is_named_with_the_one_beside_it() {
    let settings = "settings: {samlProviders: {ADFS: {metadata: adsf.xml}, Okta: {}, a b: {metadata: x}}}\n";
    insta::assert_snapshot!(faults_with(METADATA, settings), @r"
    error: there is no metadata accounts/one/adsf.xml
     --> accounts/one/account.yaml:4:45
      |
    4 | settings: {samlProviders: {ADFS: {metadata: adsf.xml}, Okta: {}, a b: {metadata: x}}}
      |                                             ^
      = hint: did you mean `adfs.xml`?

    error: `a b` is not a name of a SAML provider (letters, digits and `._-`, at most 128)
     --> accounts/one/account.yaml:4:66
      |
    4 | settings: {samlProviders: {ADFS: {metadata: adsf.xml}, Okta: {}, a b: {metadata: x}}}
      |                                                                  ^
    ");
}

#[test]
fn a_provider_without_metadata_is_told_what_to_write() {
    let said = faults_with(METADATA, "settings: {samlProviders: {Okta: {}}}\n");
    assert!(said.starts_with("error: the SAML provider `Okta` has no metadata\n"), "{said}");
    assert!(said.contains("= hint: name its file: `metadata: name.xml`"), "{said}");
}

#[test]
fn only_a_file_beside_the_layer_is_taken() {
    let settings =
        "settings: {samlProviders: {ADFS: {metadata: ../two/adfs.xml, metdata: x}, Okta: adfs.xml}}\n";
    insta::assert_snapshot!(faults_with(METADATA, settings), @r"
    error: the metadata `../two/adfs.xml` is not in this folder
     --> accounts/one/account.yaml:4:45
      |
    4 | settings: {samlProviders: {ADFS: {metadata: ../two/adfs.xml, metdata: x}, Okta: adfs.xml}}
      |                                             ^
      = hint: a plain path below the folder of this file, without `..`

    error: unknown key `metdata`
     --> accounts/one/account.yaml:4:62
      |
    4 | settings: {samlProviders: {ADFS: {metadata: ../two/adfs.xml, metdata: x}, Okta: adfs.xml}}
      |                                                              ^
      = hint: did you mean `metadata`?

    error: expected a map, found `adfs.xml`
     --> accounts/one/account.yaml:4:81
      |
    4 | settings: {samlProviders: {ADFS: {metadata: ../two/adfs.xml, metdata: x}, Okta: adfs.xml}}
      |                                                                                 ^
    ");
}

#[test]
fn a_document_that_iam_would_not_take_is_refused_where_it_is_wrong() {
    let cut = METADATA.replacen("</ds:X509Certificate>", "=</ds:X509Certificate>", 1);
    insta::assert_snapshot!(faults_with(&cut, PROVIDER), @r"
    error: the certificate is not base64
      --> accounts/one/adfs.xml:14:11
       |
    14 |           <ds:X509Certificate>
       |           ^
       = hint: take the file as the identity provider hands it out
    ");
    insta::assert_snapshot!(faults_with("<EntityDescriptor/>", PROVIDER), @r"
    error: it has 19 characters, and IAM takes 1000 to 10000000
     --> accounts/one/adfs.xml:1:1
      |
    1 | <EntityDescriptor/>
      | ^
      = hint: take the file as the identity provider hands it out
    ");
}

#[test]
fn a_stack_needs_settings_of_its_account_only() {
    let stacks = format!(
        "{PROVIDER}stacks:\n  a:\n    template: network.template.yaml\n    parameters: {{Cidr: x}}\n    \
         needs: [settings.samlProviders.ADFS, settings.samlProviders.Okta, settings.accountAlias, settings.x]\n"
    );
    insta::assert_snapshot!(faults_with(METADATA, &stacks), @r"
    error: the stack `a` needs the setting `accountAlias`, which this account does not have
     --> accounts/one/account.yaml:9:12
      |
    9 |     needs: [settings.samlProviders.ADFS, settings.samlProviders.Okta, settings.accountAlias, settings.x]
      |            ^
      = hint: declare it, or take the need out

    error: the stack `a` needs the setting `samlProviders.Okta`, which this account does not have
     --> accounts/one/account.yaml:9:12
      |
    9 |     needs: [settings.samlProviders.ADFS, settings.samlProviders.Okta, settings.accountAlias, settings.x]
      |            ^
      = hint: declare it, or take the need out

    error: the stack `a` needs the setting `x`, which this account does not have
     --> accounts/one/account.yaml:9:12
      |
    9 |     needs: [settings.samlProviders.ADFS, settings.samlProviders.Okta, settings.accountAlias, settings.x]
      |            ^
      = hint: declare it, or take the need out
    ");
}

#[test]
fn a_provider_is_adopted_by_its_name() {
    let adopt = format!("{PROVIDER}adopt: [settings.samlProviders, settings.samlProviders.ADFS]\n");
    insta::assert_snapshot!(faults_with(METADATA, &adopt), @r"
    error: there is no setting `samlProviders`
     --> accounts/one/account.yaml:5:9
      |
    5 | adopt: [settings.samlProviders, settings.samlProviders.ADFS]
      |         ^
      = hint: name one of them: settings.samlProviders.<name>
    ");
}
