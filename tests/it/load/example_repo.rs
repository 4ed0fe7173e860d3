//! The example repository, as a reader of it would expect.

use super::*;

#[test]
fn loads_and_every_account_gets_what_is_meant_for_it() {
    let desired = load(&example()).unwrap_or_else(|faults| panic!("{faults}"));
    let slugs: Vec<_> = desired.accounts.keys().map(Slug::as_str).collect();
    assert_eq!(slugs, ["log-archive", "management", "payments-dev", "payments-prod", "scratch", "security"]);
    assert_eq!(stacks(&desired, "management"), Vec::<String>::new());
    assert_eq!(
        stacks(&desired, "payments-prod"),
        [
            "audit-trail[eu-west-1]",
            "config-recorder[eu-west-1]",
            "edge-logs[us-east-1]",
            "network[eu-west-1]",
            "role-auditors[eu-west-1]",
            "role-netops[eu-west-1]",
            "root-alarm[eu-west-1]",
            "service[eu-west-1]",
        ]
    );
    let with = |name: &str| {
        let has = |slug: &&str| stacks(&desired, slug).contains(&format!("{name}[eu-west-1]"));
        slugs.iter().copied().filter(has).collect::<Vec<_>>()
    };
    assert_eq!(with("alerts"), ["security"]);
    assert_eq!(with("config-recorder"), ["log-archive", "payments-dev", "payments-prod", "security"]);
    assert_eq!(with("role-netops"), ["log-archive", "payments-prod", "security"]);
    assert_eq!(with("role-developers"), ["payments-dev", "scratch"]);
}

#[test]
fn an_account_says_the_last_word_and_keeps_the_rest_of_the_baseline() {
    let desired = load(&example()).unwrap();
    let policy = |slug_text: &str| {
        desired.accounts[&slug(slug_text)].settings[&Setting::PasswordPolicy].value.to_value()
    };
    assert_eq!(policy("payments-prod")["minimumLength"], json!(16));
    assert_eq!(policy("payments-prod")["reusePrevention"], json!(24));
    assert_eq!(policy("payments-dev")["minimumLength"], json!(14));
    let trail = &desired.accounts[&slug("scratch")].stacks[&key("audit-trail[eu-west-1]")];
    assert_eq!(trail.value.parameters["KeepDays"], "30");
    assert_eq!(desired.accounts[&slug("scratch")].email.as_str(), "aws+scratch@example.com");
    assert_eq!(
        desired.accounts[&slug("scratch")].settings[&Setting::AccountAlias].value.to_value(),
        json!("acme-scratch")
    );
}

#[test]
fn the_same_tree_gives_the_same_value_and_no_account_but_management_has_an_id() {
    let desired = load(&example()).unwrap();
    assert_eq!(desired, load(&example()).unwrap());
    let recorded: Vec<_> = desired.accounts.values().filter(|account| account.id.is_some()).collect();
    assert_eq!(recorded.len(), 1);
    assert_eq!(recorded[0].access.role.as_str(), "LandfastManagement");
}
