//! Explaining and rendering: nothing that was said is left out, and what is printed loads as what it was.

use landfast::load::{Shown, explain, render};
use landfast::model::{Account, Source};

use super::*;

/// An account without the places that declare it: these are others once it is rendered.
fn placeless(mut account: Account) -> Account {
    account.sources.clear();
    account.exclusions.clear();
    account.settings.values_mut().for_each(|it| it.source = Source::default());
    account.stacks.values_mut().for_each(|it| it.source = Source::default());
    account
}

/// The account after every account was rendered into a repository without baselines, and all were loaded again.
fn again(before: &Tree, account: &str) -> Account {
    let mut files = BTreeMap::new();
    let organization = before.files.iter().filter(|(path, _)| path.starts_with("organization/"));
    files.extend(organization.map(|(path, file)| (path.clone(), file.clone())));
    for slug in load(before).unwrap().accounts.into_keys() {
        let rendered = render(before, &slug, true).unwrap().unwrap();
        files.insert(format!("accounts/{slug}/account.yaml"), File::text(&rendered.yaml));
        for (beside, path) in &rendered.files {
            files.insert(format!("accounts/{slug}/{beside}"), before.files[path].clone());
        }
    }
    let desired = load(&tree(files)).unwrap_or_else(|faults| panic!("{faults}"));
    Account::clone(&desired.accounts[&slug(account)])
}

#[test]
fn every_account_of_the_example_is_the_same_after_it_was_rendered() {
    let tree = example();
    let desired = load(&tree).unwrap();
    for (name, account) in desired.accounts {
        assert_eq!(placeless(again(&tree, name.as_str())), placeless(Account::clone(&account)));
    }
}

#[test]
fn a_rendered_account_reads_as_a_person_would_write_it() {
    let rendered = render(&example(), &slug("scratch"), false).unwrap().unwrap();
    insta::assert_snapshot!(rendered.yaml, @r#"
    name: Acme Scratch
    email: aws+scratch@example.com
    ou: /sandbox
    tags:
      company: acme
      costCenter: "1000"
      env: scratch
      owner: platform
    access:
      role: OrganizationAccountAccessRole
    mode: report
    values:
      AlertEmail: security@example.com
      LogDays: 7
      TrailDays: 30
    settings:
      accountAlias: acme-scratch
      passwordPolicy:
        allowUsersToChange: true
        maxAgeDays: 90
        minimumLength: 14
        requireLowercase: true
        requireNumbers: true
        requireSymbols: true
        requireUppercase: true
        reusePrevention: 24
      samlProviders:
        AcmeDirectory:
          metadata: baselines/security/directory-metadata.xml
    stacks:
      audit-trail:
        parameters:
          KeepDays: "30"
        regions: [eu-west-1]
        template: baselines/security/audit-trail.template.yaml
      role-auditors:
        capabilities: [CAPABILITY_NAMED_IAM]
        needs: [settings.samlProviders.AcmeDirectory]
        parameters:
          Group: AWS-Auditors
          Policies: ["arn:aws:iam::aws:policy/SecurityAudit"]
        regions: [eu-west-1]
        template: baselines/security/directory-role.template.yaml
      role-developers:
        capabilities: [CAPABILITY_NAMED_IAM]
        needs: [settings.samlProviders.AcmeDirectory]
        onLeave: remove
        parameters:
          Group: AWS-Developers
          Policies: ["arn:aws:iam::aws:policy/PowerUserAccess"]
        regions: [eu-west-1]
        template: baselines/security/directory-role.template.yaml
      root-alarm:
        capabilities: [CAPABILITY_IAM]
        parameters:
          Topic: "${{ accounts['security'].stacks['alerts'].outputs.TopicArn }}"
        regions: [eu-west-1]
        template: baselines/security/root-alarm.template.yaml
    "#);
}

const SECRETIVE: &str = "values: {DbPassword: hunter2, Plain: shown}
stacks:
  network:
    template: network.template.yaml
    parameters: {Cidr: \"${{ values.Plain }}\", Secret: \"${{ values.DbPassword }}\"}
";

#[test]
fn secrets_are_neither_explained_nor_rendered_unless_asked_for() {
    let mut files = small();
    files.insert("landfast.yaml".to_owned(), File::text("values: {DbPassword: hunter1}\n"));
    files.insert(ACCOUNT.to_owned(), File::text(format!("{ONE}{SECRETIVE}")));
    let tree = tree(files);
    let rendered = render(&tree, &slug("one"), false).unwrap().unwrap();
    assert!(rendered.is_redacted && !rendered.yaml.contains("hunter"), "{}", rendered.yaml);
    assert!(rendered.yaml.contains("Plain: shown"));
    assert!(render(&tree, &slug("one"), true).unwrap().unwrap().yaml.contains("hunter2"));
    let explained = explain(&tree, &slug("one")).unwrap().unwrap();
    assert!(!format!("{explained:?}").contains("hunter"));
    let password = explained.paths.iter().find(|path| path.path == "values.DbPassword").unwrap();
    assert_eq!(password.values, [(None, Shown::Hidden)]);
    assert_eq!(password.words.len(), 2, "that somebody spoke is no secret");
}

#[test]
fn who_decided_is_who_changes_it() {
    let baseline = "targets: {ous: [/**]}\nvalues: {A: 1, M: {p: 1}}\nmode: enforce\n";
    let own = format!("{ONE}values: {{A: 2, M: null}}\n");
    let mut files = small();
    files.insert("landfast.yaml".to_owned(), File::text("values: {A: 0, M: {q: 1}}\nmode: observe\n"));
    files.insert("baselines/a/baseline.yaml".to_owned(), File::text(baseline));
    files.insert(ACCOUNT.to_owned(), File::text(&own));
    let explained = explain(&tree(files), &slug("one")).unwrap().unwrap();
    let deciding = |path: &str| {
        let found = explained.paths.iter().find(|it| it.path == path).unwrap_or_else(|| panic!("{path}"));
        let words: Vec<_> = found.words.iter().filter(|word| word.counts).collect();
        let said =
            |word: &&landfast::load::ExplainedWord| format!("{}:{}", word.source.path, word.source.line);
        (found.values.len(), found.words.len(), words.iter().map(said).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(deciding("values.A"), (1, 3, "accounts/one/account.yaml:4".to_owned()));
    assert_eq!(deciding("values.M"), (0, 1, "accounts/one/account.yaml:4".to_owned()));
    assert_eq!(deciding("values.M.p"), (0, 2, "accounts/one/account.yaml:4".to_owned()));
    assert_eq!(deciding("mode"), (1, 2, "baselines/a/baseline.yaml:3".to_owned()));
}

/// What is printed of the account `one` at this path and below.
fn explained(files: &[(&str, &str)], path: &str) -> String {
    let mut all = small();
    all.extend(files.iter().map(|(path, text)| ((*path).to_owned(), File::text(text))));
    let explained = explain(&tree(all), &slug("one")).unwrap().unwrap();
    landfast::report::explanation(&explained, Some(path), jiff::civil::date(2026, 6, 1))
}

#[test]
fn who_withdraws_or_replaces_the_whole_is_shown_at_each_part_of_it() {
    let a =
        "targets: {ous: [/**]}\nsettings: {passwordPolicy: {minimumLength: 14}}\nvalues: {M: {p: 1}, N: 2}\n";
    let b = "targets: {ous: [/**]}\nafter: [a]\nsettings: {passwordPolicy: null}\n";
    let own = format!(
        "{ONE}settings: {{passwordPolicy: {{maxAgeDays: 30}}}}\nvalues:\n  M: plain\n  N: {{q: 3, r: 4}}\n"
    );
    let files = [("baselines/a/baseline.yaml", a), ("baselines/b/baseline.yaml", b), (ACCOUNT, own.as_str())];
    insta::assert_snapshot!(explained(&files, "settings"), @"
    accounts/one

    settings.passwordPolicy: an entry
      > accounts/one/account.yaml:4  an entry
        baselines/b/baseline.yaml:3  null
        baselines/a/baseline.yaml:2  an entry

    settings.passwordPolicy.maxAgeDays: 30
      > accounts/one/account.yaml:4  30

    settings.passwordPolicy.minimumLength: (not managed)
      > baselines/b/baseline.yaml:3  settings.passwordPolicy: null
        baselines/a/baseline.yaml:2  14
    ");
    insta::assert_snapshot!(explained(&files, "values"), @"
    accounts/one

    values.M: plain
      > accounts/one/account.yaml:6  plain

    values.M.p: (not managed)
      > accounts/one/account.yaml:6  values.M: plain
        baselines/a/baseline.yaml:3  1

    values.N: (not managed)
      > accounts/one/account.yaml:7  values.N.q: 3
        baselines/a/baseline.yaml:3  2

    values.N.q: 3
      > accounts/one/account.yaml:7  3

    values.N.r: 4
      > accounts/one/account.yaml:7  4
    ");
}

#[test]
fn each_role_is_explained_by_the_files_that_name_it() {
    let organization = format!("{ORGANIZATION}access:\n  readRole: Reader\n  stackRole: Maker\n");
    let own = format!("{ONE}access:\n  stackRole: Mine\n");
    let files = [("organization/organization.yaml", organization.as_str()), (ACCOUNT, &own)];
    insta::assert_snapshot!(explained(&files, "access"), @"
    accounts/one

    access.role: OrganizationAccountAccessRole

    access.readRole: Reader
      > organization/organization.yaml:7  Reader

    access.stackRole: Mine
      > accounts/one/account.yaml:5       Mine
        organization/organization.yaml:8  Maker
    ");
}

/// Data that a person could put under `values`, with everything in it that is hard to write down again.
fn data() -> impl Strategy<Value = serde_json::Value> {
    let text = prop_oneof![
        4 => "\\PC{0,12}",
        2 => "[ -~]{0,12}",
        1 => prop_oneof!["null", "absent", "no", "~", "1.10", "012", "true", "", "\\$\\{\\{ 1 \\}\\}", "\\$\\$\\{\\{'a\"b'", "x: y # z", "- a", "<<"],
        1 => "[\u{0}-\u{1f}\u{7f}-\u{a0}\u{2028}]{1,3}",
    ];
    let leaf = prop_oneof![
        text.prop_map(serde_json::Value::from),
        any::<i32>().prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(serde_json::Value::from),
            proptest::collection::btree_map("[a-z<~.]{1,4}|null|no|\\PC{1,3}", inner, 0..3)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Every field of `access` that a file may have, each there or not.
fn access(fields: [&'static str; 4]) -> impl Strategy<Value = String> {
    let said = fields.map(|field| proptest::option::of(Just(field)));
    said.prop_map(|said| {
        format!("access: {{{}}}\n", said.into_iter().flatten().collect::<Vec<_>>().join(", "))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Render, then load, is the identity: of values, of texts in every place that takes them, of roles, and of what
    /// differs by region.
    #[test]
    fn render_then_load_is_the_identity(
        data in proptest::collection::btree_map("[A-Z][a-z]{0,4}", data(), 0..4),
        text in "[ -~]{1,20}|\\PC{1,10}",
        (edge, narrowed) in any::<(bool, bool)>(),
        common in access(["role: Common", "readRole: Reader", "stackRole: Maker", "externalId: acme"]),
        own in access(["role: Mine", "readRole: MyReader", "stackRole: MyMaker", "externalId: mine"]),
    ) {
        let mut values = json!(data);
        // Written here as data, so nothing in it is meant as an expression.
        disarm(&mut values);
        values["T"] = json!(text.replace("${{", "$"));
        let regions = if edge { "[home, edge]" } else { "[edge]" };
        let targets = if narrowed { ", targets: {accounts: [one]}" } else { "" };
        let baseline = format!(
            "targets: {{ous: [/**]}}\nvalues: {values}\nmode: enforce\nsettings: {{passwordPolicy: {{minimumLength: 9{targets}}}, \
             accountAlias: \"x-${{{{ account.slug }}}}\"}}\nstacks:\n  s:\n    template: s.template.yaml\n    regions: {regions}\n    \
             parameters: {{Cidr: \"${{{{ values.T }}}}-${{{{ region }}}}\", Secret: \"${{{{ values.T }}}}\"}}\nadopt: [stacks.s, ou]\n"
        );
        let mut files = small();
        let organization = format!("{ORGANIZATION}accountDefaults: {{tags: {{company: acme, team: x}}}}\n{common}");
        files.insert("organization/organization.yaml".to_owned(), File::text(organization));
        files.insert("baselines/a/baseline.yaml".to_owned(), File::text(baseline));
        files.insert("baselines/a/s.template.yaml".to_owned(), File::text(TEMPLATE));
        files.insert(ACCOUNT.to_owned(), File::text(format!("{ONE}tags: {{team: null, env: prod}}\nid: \"012345678901\"\n{own}")));
        let tree = tree(files);
        let Ok(desired) = load(&tree) else { return Err(TestCaseError::reject("a key or text that no file takes")) };
        prop_assert_eq!(placeless(again(&tree, "one")), placeless(Account::clone(&desired.accounts[&slug("one")])));
    }
}

fn disarm(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => *text = text.replace("${{", "${{ '${' }}{"),
        serde_json::Value::Array(values) => values.iter_mut().for_each(disarm),
        serde_json::Value::Object(map) => map.values_mut().for_each(disarm),
        _ => {}
    }
}
