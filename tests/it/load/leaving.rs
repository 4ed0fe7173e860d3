//! What becomes of what leaves, and what must not be there: who says it, over whom, and what a lock makes of it.

use landfast::load::render;
use landfast::model::Account;

use super::*;

const STACKS: &str = "targets: {ous: [/**]}
settings: {passwordPolicy: {minimumLength: 14}}
stacks: {trail: {template: trail.template.yaml, parameters: {Cidr: a}}}
";

fn baseline(more: &str) -> [(&'static str, String); 2] {
    [
        ("baselines/b/baseline.yaml", format!("{STACKS}{more}")),
        ("baselines/b/trail.template.yaml", TEMPLATE.to_owned()),
    ]
}

/// What is removed when it leaves account `one`, with these lines in the files.
fn removed(repository: &str, in_baseline: &str, own: &str) -> Vec<String> {
    let account = account(repository, in_baseline, own);
    account.remove_on_leave.iter().map(ToString::to_string).collect()
}

fn account(repository: &str, in_baseline: &str, own: &str) -> Account {
    let own = format!("{ONE}{own}");
    let files = baseline(in_baseline);
    let mut changes: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    changes.extend([("landfast.yaml", repository), (ACCOUNT, own.as_str())]);
    Account::clone(&loaded(&changes).accounts[&slug("one")])
}

const BOTH: [&str; 2] = ["settings.passwordPolicy", "stacks.trail[eu-west-1]"];

#[test]
fn what_leaves_is_kept_unless_a_file_says_otherwise_and_the_nearest_says_it() {
    let none: [&str; 0] = [];
    assert_eq!(removed("", "", ""), none);
    assert_eq!(removed("onLeave: remove\n", "", ""), BOTH);
    assert_eq!(removed("", "onLeave: remove\n", ""), BOTH);
    assert_eq!(removed("onLeave: remove\n", "onLeave: keep\n", ""), none);
    let own = "stacks: {trail: {onLeave: keep}}\n";
    assert_eq!(removed("", "onLeave: remove\n", own), BOTH[..1]);
    assert_eq!(removed("", "", "settings: {passwordPolicy: {onLeave: remove}}\n"), BOTH[..1]);
    let alias = "settings: {accountAlias: {value: acme, onLeave: remove}}\n";
    assert_eq!(removed("", "", alias), ["settings.accountAlias"]);
}

#[test]
fn a_default_is_for_what_its_own_file_declares() {
    let more = [(
        "baselines/c/baseline.yaml",
        "targets: {ous: [/**]}\nonLeave: remove\nsettings: {accountAlias: acme}\n",
    )];
    let files = baseline("");
    let mut changes: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    changes.extend(more);
    let desired = loaded(&changes);
    let removed = &desired.accounts[&slug("one")].remove_on_leave;
    assert_eq!(removed.iter().map(ToString::to_string).collect::<Vec<_>>(), ["settings.accountAlias"]);
}

#[test]
fn a_lock_holds_what_becomes_of_what_leaves() {
    let own = format!(
        "{ONE}stacks: {{trail: {{onLeave: remove}}}}\nsettings: {{passwordPolicy: {{onLeave: remove}}}}\n"
    );
    let files = baseline("onLeave: keep\nlocked: [stacks.trail, settings.passwordPolicy]\n");
    let mut changes: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    changes.push((ACCOUNT, own.as_str()));
    let told = faults(&changes);
    for path in ["stacks.trail.onLeave", "settings.passwordPolicy.onLeave"] {
        assert!(told.contains(&format!("`{path}` is locked and cannot be changed")), "{told}");
    }
}

#[test]
fn a_word_that_is_no_fate_is_refused() {
    insta::assert_snapshot!(one("settings: {passwordPolicy: {onLeave: delete}}\n"), @r"
    error: `delete` is nothing that can become of it
     --> accounts/one/account.yaml:4:38
      |
    4 | settings: {passwordPolicy: {onLeave: delete}}
      |                                      ^
      = hint: known here: keep, remove
    ");
}

#[test]
fn what_must_not_be_there_is_wanted_in_no_region_and_never_declared_too() {
    let own = "stacks: {trail: absent, old: absent}\nsettings: {accountAlias: absent, samlProviders: {ADFS: absent}}\n";
    let account = account("", "", own);
    let absent: Vec<_> = account.absent.keys().map(ToString::to_string).collect();
    let regions = ["eu-west-1", "us-east-1"];
    let stacks =
        ["old", "trail"].iter().flat_map(|name| regions.map(|region| format!("stacks.{name}[{region}]")));
    let settings = ["settings.accountAlias", "settings.samlProviders.ADFS"].map(str::to_owned);
    assert_eq!(absent, settings.into_iter().chain(stacks).collect::<Vec<_>>());
    assert!(account.stacks.is_empty());
    let again = account_of_rendered(own);
    assert_eq!(
        (again.absent.keys().collect::<Vec<_>>(), again.stacks.len()),
        (account.absent.keys().collect(), 0)
    );
}

/// The account that its own rendering loads as.
fn account_of_rendered(own: &str) -> Account {
    let own = format!("{ONE}{own}");
    let tree = tree(small().into_iter().chain([(ACCOUNT.to_owned(), File::Blob(own.into_bytes().into()))]));
    let yaml = render(&tree, &slug("one"), true).unwrap().unwrap().yaml;
    Account::clone(&loaded(&[(ACCOUNT, &yaml)]).accounts[&slug("one")])
}

#[test]
fn what_is_to_be_removed_is_so_in_the_account_that_is_rendered_too() {
    let own = "settings: {accountAlias: {value: acme, onLeave: remove}, passwordPolicy: {minimumLength: 9, onLeave: remove}}\n";
    let again = account_of_rendered(own);
    let removed: Vec<_> = again.remove_on_leave.iter().map(ToString::to_string).collect();
    assert_eq!(removed, ["settings.passwordPolicy", "settings.accountAlias"]);
    assert_eq!(again.settings[&Setting::AccountAlias].value.to_value(), json!("acme"));
}
