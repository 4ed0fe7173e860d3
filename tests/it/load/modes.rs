//! How far to go for one entry: nearer than what is said of the whole account, and held by locks like all else.

use landfast::load::render;
use landfast::model::Account;

use super::*;

const CONTROL: &str = "targets: {ous: [/**]}
settings: {passwordPolicy: {minimumLength: 14}, accountAlias: acme}
stacks: {trail: {template: trail.template.yaml, parameters: {Cidr: a}, regions: [eu-west-1, us-east-1]}}
";

/// The files with a baseline that also says `more`, and the account `one` that also says `own`.
fn files(more: &str, own: &str) -> Vec<(&'static str, String)> {
    vec![
        ("baselines/b/baseline.yaml", format!("{CONTROL}{more}")),
        ("baselines/b/trail.template.yaml", TEMPLATE.to_owned()),
        (ACCOUNT, format!("{ONE}{own}")),
    ]
}

/// The same with another baseline, of which something is locked.
fn files_of(control: &str, lock: &str, own: &str) -> Vec<(&'static str, String)> {
    let mut files = files("", own);
    files[0].1 = format!("{control}locked: [{lock}]\n");
    files
}

fn borrowed<'a>(files: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    files.iter().map(|(path, text)| (*path, text.as_str())).collect()
}

fn account(more: &str, own: &str) -> Account {
    Account::clone(&loaded(&borrowed(&files(more, own))).accounts[&slug("one")])
}

fn modes(account: &Account) -> Vec<(String, Mode)> {
    let items = account.settings.keys().cloned().map(Item::Setting);
    let items = items.chain(account.stacks.keys().cloned().map(Item::Stack));
    items.map(|item| (item.to_string(), account.mode_of(&item))).collect()
}

const ENTRIES: &str = "mode: report
settings: {passwordPolicy: {mode: enforce}, accountAlias: {value: acme, mode: observe}}
stacks: {trail: {mode: enforce}}
";

#[test]
fn the_mode_of_an_entry_is_nearer_than_that_of_any_layer() {
    let item = |name: &str, mode| (name.to_owned(), mode);
    assert_eq!(
        modes(&account("mode: enforce\n", ENTRIES)),
        [
            item("settings.passwordPolicy", Mode::Enforce),
            item("settings.accountAlias", Mode::Observe),
            item("stacks.trail[eu-west-1]", Mode::Enforce),
            item("stacks.trail[us-east-1]", Mode::Enforce),
        ]
    );
    let in_baseline = account("", "mode: observe\nstacks: {trail: {mode: report}}\n");
    assert!(modes(&in_baseline).contains(&item("stacks.trail[eu-west-1]", Mode::Report)));
    assert!(modes(&in_baseline).contains(&item("settings.accountAlias", Mode::Observe)));
}

#[test]
fn the_mode_of_a_password_policy_is_no_part_of_it() {
    let account = account("", "settings: {passwordPolicy: {mode: enforce}}\n");
    assert_eq!(account.settings[&Setting::PasswordPolicy].value.to_value(), json!({"minimumLength": 14}));
}

#[test]
fn modes_of_entries_are_rendered_and_load_again() {
    let files = files("", ENTRIES);
    let repository: BTreeMap<_, _> = small()
        .into_iter()
        .chain(files.iter().map(|(path, text)| ((*path).to_owned(), File::text(text))))
        .collect();
    let rendered = render(&tree(repository), &slug("one"), true).unwrap().unwrap();
    let again =
        loaded(&[(ACCOUNT, &rendered.yaml), ("accounts/one/baselines/b/trail.template.yaml", TEMPLATE)]);
    assert_eq!(modes(&again.accounts[&slug("one")]), modes(&account("", ENTRIES)), "{}", rendered.yaml);
}

/// What is said of the account `one` that says `own` under a baseline that locks.
fn told(lock: &str, own: &str) -> String {
    faults(&borrowed(&files(lock, own)))
}

#[test]
fn what_is_locked_is_not_silenced_by_a_mode_of_its_own() {
    let lock = "mode: enforce\nlocked: [stacks.trail, settings.passwordPolicy]\n";
    insta::assert_snapshot!(told(
        lock,
        "settings: {passwordPolicy: {mode: observe}}\nstacks: {trail: {mode: report}}\n"
    ), @r"
    error: the mode `observe` would silence `settings.passwordPolicy`, which is locked
     --> accounts/one/account.yaml:4:35
      |
    4 | settings: {passwordPolicy: {mode: observe}}
      |                                   ^
      = see: baselines/b/baseline.yaml:5:24: locked here
      = hint: take it out; only the baseline `b` can change it, or leave an account out

    error: the mode `report` would silence `stacks.trail`, which is locked
     --> accounts/one/account.yaml:5:24
      |
    5 | stacks: {trail: {mode: report}}
      |                        ^
      = see: baselines/b/baseline.yaml:5:10: locked here
      = hint: take it out; only the baseline `b` can change it, or leave an account out
    ");
    let inside = "mode: enforce\nlocked: [stacks.trail.parameters.Cidr]\n";
    let own = "stacks: {trail: {mode: report}}\n";
    assert!(told(inside, own).contains("would silence `stacks.trail.parameters.Cidr`, which is locked"));
    let withdrawn = "settings: {passwordPolicy: {mode: null}}\n";
    let lock = "settings.passwordPolicy";
    let told = faults(&borrowed(&files_of(
        &CONTROL.replace("minimumLength: 14", "minimumLength: 14, mode: enforce"),
        lock,
        withdrawn,
    )));
    assert!(told.contains("would silence `settings.passwordPolicy`"), "{told}");
}

#[test]
fn a_locked_mode_is_not_got_past_entry_by_entry() {
    let told = told("mode: enforce\nlocked: [mode]\n", "stacks: {trail: {mode: observe}}\n");
    assert!(told.contains("the mode `observe` would silence `stacks.trail`, whose mode is locked"), "{told}");
}

#[test]
fn what_is_locked_may_be_looked_after_more_closely() {
    let lock = "mode: report\nlocked: [stacks.trail, mode]\n";
    let account = account(lock, "stacks: {trail: {mode: enforce}}\n");
    assert_eq!(account.mode_of(&Item::Stack(key("trail[eu-west-1]"))), Mode::Enforce);
}

#[test]
fn a_lock_with_a_mode_of_its_own_lets_the_account_have_another() {
    let control = CONTROL.replace("{trail: {", "{trail: {mode: enforce, ");
    let files = files_of(&control, "stacks.trail", "mode: observe\n");
    let account = Account::clone(&loaded(&borrowed(&files)).accounts[&slug("one")]);
    assert_eq!(account.mode_of(&Item::Stack(key("trail[eu-west-1]"))), Mode::Enforce);
    assert_eq!(account.mode_of(&Item::Setting(Setting::PasswordPolicy)), Mode::Observe);
}
