//! Layers: who speaks over whom, what `null` takes back, and whom targets reach.

use landfast::load::{Severity, check};

use super::*;

const POLICY: &str =
    "targets: {ous: [/**]}\nsettings: {passwordPolicy: {minimumLength: 14, requireSymbols: true}}\n";

fn policy(desired: &Desired, account: &str) -> serde_json::Value {
    let settings = &desired.accounts[&slug(account)].settings;
    settings.get(&Setting::PasswordPolicy).map_or(json!(null), |declared| declared.value.to_value())
}

fn alias(desired: &Desired, account: &str) -> String {
    let settings = &desired.accounts[&slug(account)].settings;
    settings
        .get(&Setting::AccountAlias)
        .map_or_else(String::new, |it| it.value.to_value().as_str().unwrap().to_owned())
}

#[test]
fn the_repository_speaks_first_then_baselines_then_the_account() {
    let desired = loaded(&[
        (
            "landfast.yaml",
            "mode: observe\nvalues: {A: r, B: r, C: r}\nsettings: {passwordPolicy: {minimumLength: 8, maxAgeDays: 90}}\n",
        ),
        (
            "baselines/a/baseline.yaml",
            "targets: {ous: [/**]}\nvalues: {B: b, C: b}\nsettings: {passwordPolicy: {minimumLength: 12}}\n",
        ),
        (
            ACCOUNT,
            &format!(
                "{ONE}values: {{C: c}}\nsettings: {{accountAlias: \"x-${{{{ values.A }}}}${{{{ values.B }}}}${{{{ values.C }}}}\"}}\n"
            ),
        ),
    ]);
    assert_eq!(alias(&desired, "one"), "x-rbc");
    assert_eq!(policy(&desired, "one"), json!({"minimumLength": 12, "maxAgeDays": 90}));
    assert_eq!(desired.accounts[&slug("one")].mode, Mode::Observe);
}

#[test]
fn the_repositorys_settings_stop_at_the_management_account() {
    let management = "id: \"999988887777\"\nname: Management\nemail: management@example.com\nou: /security\n";
    let desired = loaded(&[
        ("landfast.yaml", "mode: enforce\nsettings: {passwordPolicy: {minimumLength: 8}}\n"),
        ("accounts/boss/account.yaml", management),
    ]);
    assert_eq!(
        (policy(&desired, "boss"), policy(&desired, "one")),
        (json!(null), json!({"minimumLength": 8}))
    );
    assert_eq!(desired.accounts[&slug("boss")].mode, Mode::Enforce);
}

#[test]
fn null_takes_back_what_earlier_layers_said_and_everything_below_it() {
    let own = format!(
        "{ONE}mode: null\nsettings: {{passwordPolicy: {{requireSymbols: null}}, accountAlias: null}}\n"
    );
    let two = format!("{TWO}settings: {{passwordPolicy: null}}\n");
    let baseline =
        format!("{POLICY}mode: enforce\n").replace("settings: {", "settings: {accountAlias: acme-x, ");
    let desired = loaded(&[
        ("baselines/a/baseline.yaml", &baseline),
        (ACCOUNT, &own),
        ("accounts/two/account.yaml", &two),
    ]);
    assert_eq!(policy(&desired, "one"), json!({"minimumLength": 14}));
    assert_eq!(policy(&desired, "two"), json!(null));
    assert_eq!((alias(&desired, "one"), alias(&desired, "two")), (String::new(), "acme-x".to_owned()));
    assert_eq!(desired.accounts[&slug("one")].mode, Mode::Report);
}

#[test]
fn a_later_layer_may_speak_again_after_null() {
    let desired = loaded(&[
        ("baselines/a/baseline.yaml", POLICY),
        (
            "baselines/b/baseline.yaml",
            "targets: {ous: [/**]}\nafter: [a]\nsettings: {passwordPolicy: null}\n",
        ),
        (ACCOUNT, &format!("{ONE}settings: {{passwordPolicy: {{maxAgeDays: 30}}}}\n")),
    ]);
    assert_eq!(policy(&desired, "one"), json!({"maxAgeDays": 30}));
    assert_eq!(policy(&desired, "two"), json!(null));
}

#[test]
fn null_takes_back_a_stack_a_parameter_a_value_and_a_tag() {
    let baseline = "targets: {ous: [/**]}\nvalues: {M: {p: 1, q: 2}}\nstacks:\n  a: &stack\n    template: t.template.yaml\n    \
                    parameters: {Cidr: x, Size: large}\n    tags: {k: v}\n  b: *stack\n";
    let own = format!(
        "{ONE}tags: {{company: null}}\nvalues: {{M: {{p: null}}}}\n\
         stacks: {{a: null, b: {{parameters: {{Size: null}}, tags: {{k: null, m: \"${{{{ values.M | length }}}}\"}}}}}}\n"
    );
    let organization = format!("{ORGANIZATION}accountDefaults: {{tags: {{company: acme, team: x}}}}\n");
    let desired = loaded(&[
        ("organization/organization.yaml", &organization),
        ("baselines/a/baseline.yaml", baseline),
        ("baselines/a/t.template.yaml", TEMPLATE),
        (ACCOUNT, &own),
    ]);
    let account = &desired.accounts[&slug("one")];
    assert_eq!(stacks(&desired, "one"), ["b[eu-west-1]"]);
    let stack = &account.stacks[&key("b[eu-west-1]")].value;
    assert_eq!(stack.parameters["Size"], "small");
    assert_eq!(json!(stack.tags), json!({"m": "1"}));
    assert_eq!(json!(account.tags), json!({"team": "x"}));
}

#[test]
fn an_unfinished_key_is_no_null() {
    insta::assert_snapshot!(one("settings:\n  passwordPolicy:\nstacks:\nvalues:\n  X:\n"), @r"
    error: expected a map, found nothing
     --> accounts/one/account.yaml:5:17
      |
    5 |   passwordPolicy:
      |                 ^
      = hint: give it a value, or remove the key

    error: expected a map, found nothing
     --> accounts/one/account.yaml:6:7
      |
    6 | stacks:
      |       ^
      = hint: give it a value, or remove the key

    error: expected a value, found nothing
     --> accounts/one/account.yaml:8:4
      |
    8 |   X:
      |    ^
      = hint: give it a value, or remove the key
    ");
}

#[test]
fn what_cannot_be_absent_is_said() {
    insta::assert_snapshot!(one("settings: {passwordPolicy: {maxAgeDays: absent}}\nvalues: {X: absent}\n"), @r#"
    error: `settings.passwordPolicy.maxAgeDays` cannot be absent
     --> accounts/one/account.yaml:4:29
      |
    4 | settings: {passwordPolicy: {maxAgeDays: absent}}
      |                             ^
      = hint: null leaves it to others; "absent" in quotes is a text
    "#);
}

#[test]
fn baselines_that_disagree_on_whether_a_thing_is_managed_or_what_it_is() {
    insta::assert_snapshot!(faults(&[
        ("baselines/a/baseline.yaml", &format!("{POLICY}mode: enforce\nvalues: {{X: {{p: 1}}, Y: [1]}}\n")),
        ("baselines/b/baseline.yaml", "targets: {ous: [/**]}\nsettings: {passwordPolicy: null}\nmode: null\nvalues: {X: 1, Y: [2]}\n"),
    ]), @r#"
    error: the baselines `a` and `b` disagree on settings.passwordPolicy: an entry and null
     --> baselines/b/baseline.yaml:2:12
      |
    2 | settings: {passwordPolicy: null}
      |            ^
      = see: baselines/a/baseline.yaml:2:12: `a` says otherwise here
      = hint: let one come after the other: `after: [a]` in `b`

    error: the baselines `a` and `b` disagree on mode: "enforce" and null
     --> baselines/b/baseline.yaml:3:1
      |
    3 | mode: null
      | ^
      = see: baselines/a/baseline.yaml:3:7: `a` says otherwise here
      = hint: let one come after the other: `after: [a]` in `b`

    error: the baselines `a` and `b` disagree on values.X.p
     --> baselines/b/baseline.yaml:4:13
      = see: baselines/a/baseline.yaml:4:17: `a` says otherwise here
      = hint: let one come after the other: `after: [a]` in `b`

    error: the baselines `a` and `b` disagree on values.Y
     --> baselines/b/baseline.yaml:4:19
      = see: baselines/a/baseline.yaml:4:24: `a` says otherwise here
      = hint: let one come after the other: `after: [a]` in `b`
    "#);
}

#[test]
fn a_layer_after_both_settles_what_two_disagree_on() {
    let b = "targets: {ous: [/**]}\nsettings: {passwordPolicy: null}\n";
    let c = "targets: {ous: [/**]}\nafter: [a, b]\nsettings: {passwordPolicy: {minimumLength: 16}}\n";
    let files = |c| {
        [
            ("baselines/a/baseline.yaml", POLICY),
            ("baselines/b/baseline.yaml", b),
            ("baselines/c/baseline.yaml", c),
        ]
    };
    let seen = faults(&files(c));
    assert!(seen.contains("disagree on settings.passwordPolicy.requireSymbols: true and null"), "{seen}");
    assert_eq!(seen.matches("error: ").count(), 1, "what `c` says itself is settled: {seen}");
    let c = c.replace("16", "16, requireSymbols: false");
    let desired = loaded(&files(&c));
    assert_eq!(policy(&desired, "one"), json!({"minimumLength": 16, "requireSymbols": false}));
}

#[test]
fn an_entry_of_a_baseline_can_be_for_fewer_accounts() {
    let desired = loaded(&[(
        "baselines/a/baseline.yaml",
        "targets: {ous: [/**]}\nsettings:\n  accountAlias: {value: \"x-${{ account.slug }}\", targets: {accounts: [two]}}\n  \
         passwordPolicy: {targets: {ous: [/workloads/prod]}, minimumLength: 16}\n",
    )]);
    assert_eq!((alias(&desired, "one"), alias(&desired, "two")), (String::new(), "x-two".to_owned()));
    assert_eq!(
        (policy(&desired, "one"), policy(&desired, "two")),
        (json!({"minimumLength": 16}), json!(null))
    );
}

const EXCLUDING: &str = "targets:\n  ous: [/**]\n  exclude:\n    one: OPS-1231, until 2027-01-01\n    two: {reason: OPS-7, until: 2026-06-30}\n\
                         settings: {passwordPolicy: {minimumLength: 14}}\n";

fn checked(today: &str) -> String {
    let mut files = small();
    files.insert("baselines/a/baseline.yaml".to_owned(), File::text(EXCLUDING));
    let three = "name: Three\nemail: three@example.com\nou: /security\n";
    files.insert("accounts/three/account.yaml".to_owned(), File::text(three));
    let checked = check(&tree(files), Some(today.parse().unwrap()));
    assert!(checked.diagnostics.iter().all(|it| it.severity == Severity::Warning));
    let desired = checked.desired.expect("warnings keep nothing from being applied");
    // Ended or not, who is excluded stays so until a commit says otherwise.
    assert_eq!((policy(&desired, "one"), policy(&desired, "two")), (json!(null), json!(null)));
    checked.diagnostics.to_string()
}

#[test]
fn an_exclusion_that_has_ended_is_said_and_excludes_all_the_same() {
    assert_eq!(checked("2026-06-30"), "", "its last day is part of it");
    insta::assert_snapshot!(checked("2026-07-01"), @r"
    warning: the exclusion of `two` has ended: OPS-7, until 2026-06-30
     --> baselines/a/baseline.yaml:5:10
      |
    5 |     two: {reason: OPS-7, until: 2026-06-30}
      |          ^
      = hint: it excludes all the same; give it another day, or take it out
    ");
    assert_eq!(checked("2027-01-02").matches("warning: ").count(), 2);
}

#[test]
fn an_exclusion_needs_a_reason_and_a_day_that_exists() {
    insta::assert_snapshot!(faults(&[(
        "baselines/a/baseline.yaml",
        "targets:\n  ous: [/**]\n  exclude:\n    one: \"\"\n    two: OPS-1, until 2027-02-30\n    three: {until: soon}\n",
    )]), @r#"
    error: an exclusion without a reason
     --> baselines/a/baseline.yaml:4:10
      |
    4 |     one: ""
      |          ^
      = hint: such as "OPS-1231, until 2027-01-01"

    error: `2027-02-30` is not a day
     --> baselines/a/baseline.yaml:5:10
      |
    5 |     two: OPS-1, until 2027-02-30
      |          ^
      = hint: such as "OPS-1231, until 2027-01-01"

    error: the key `reason` is missing
     --> baselines/a/baseline.yaml:6:12
      |
    6 |     three: {until: soon}
      |            ^
      = hint: a person will ask for it

    error: `soon` is not a day
     --> baselines/a/baseline.yaml:6:20
      |
    6 |     three: {until: soon}
      |                    ^
      = hint: such as "OPS-1231, until 2027-01-01"
    "#);
}

#[test]
fn a_tag_that_every_account_has_to_have() {
    let organization = format!(
        "{ORGANIZATION}accountDefaults: {{tags: {{company: acme}}, requiredTags: [company, owner]}}\n"
    );
    insta::assert_snapshot!(faults(&[
        ("organization/organization.yaml", &organization),
        (ACCOUNT, &format!("{ONE}tags: {{owner: me, company: null}}\n")),
    ]), @r"
    error: the tag `company` is missing
     --> accounts/one/account.yaml:4:19
      |
    4 | tags: {owner: me, company: null}
      |                   ^
      = see: organization/organization.yaml:6:57: every account has to have it
      = hint: give the account one: `tags: {company: …}`

    error: the tag `owner` is missing
     --> accounts/two/account.yaml
      = see: organization/organization.yaml:6:66: every account has to have it
      = hint: give the account one: `tags: {owner: …}`
    ");
}

/// The lines of one baseline, one for each path.
const LINES: [&str; 9] = [
    "values: {A: 1}",
    "values: {M: {p: 1}}",
    "values: {M: {q: [2]}}",
    "mode: enforce",
    "settings: {passwordPolicy: {minimumLength: 14}}",
    "settings: {passwordPolicy: {requireSymbols: true}}",
    "settings: {accountAlias: \"x-${{ account.slug }}\"}",
    "stacks: {s: {template: s.template.yaml, parameters: {Cidr: \"${{ values.A }}\"}}}",
    "stacks: {s: {tags: {k: \"${{ values.M.p }}\"}}}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Layers that speak of different things come to the same, however they are cut into files, put in order and
    /// grouped: one baseline for all of it, or several, each after any of those before it.
    #[test]
    fn merging_is_associative_over_disjoint_keys(
        cut in proptest::collection::vec(0usize..4, LINES.len()),
        order in proptest::collection::vec(any::<bool>(), 6),
        names in Just(["a", "b", "c", "d"]).prop_shuffle(),
    ) {
        let plain = |lines: &[&str], after: &[&str]| {
            let mut text = format!("targets: {{ous: [/**]}}\nafter: [{}]\n", after.join(", "));
            // One key of a file once: lines of one kind are put under it together.
            for head in ["values", "mode", "settings", "stacks"] {
                let bodies: Vec<_> = lines.iter().filter_map(|line| line.strip_prefix(head)?.strip_prefix(": ")).collect();
                if head == "mode" {
                    text.extend(bodies.iter().map(|body| format!("mode: {body}\n")));
                } else if !bodies.is_empty() {
                    text.extend([head, ": ", &together(&bodies), "\n"]);
                }
            }
            text
        };
        let load_all = |files: &[(String, String)]| {
            let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
            let mut desired = loaded(&files);
            for account in desired.accounts.values_mut().map(Arc::make_mut) {
                account.sources.clear();
                account.settings.values_mut().for_each(|it| it.source = landfast::model::Source::default());
                account.stacks.values_mut().for_each(|it| it.source = landfast::model::Source::default());
            }
            desired
        };
        let template = |name: &str| (format!("baselines/{name}/s.template.yaml"), TEMPLATE.to_owned());
        let whole = load_all(&[("baselines/a/baseline.yaml".to_owned(), plain(&LINES, &[])), template("a")]);
        let mut files = Vec::new();
        let mut flags = order.iter();
        for (index, name) in names.iter().enumerate() {
            let lines: Vec<_> = LINES.iter().zip(&cut).filter(|(_, at)| **at == index).map(|(line, _)| *line).collect();
            let after: Vec<_> = names[..index].iter().copied().filter(|_| flags.next().copied().unwrap_or(false)).collect();
            files.push((format!("baselines/{name}/baseline.yaml"), plain(&lines, &after)));
            files.push(template(name));
        }
        prop_assert_eq!(load_all(&files), whole);
    }
}

/// Maps of one or two levels put together, such as `{M: {p: 1}}` and `{M: {q: 2}}`.
fn together(bodies: &[&str]) -> String {
    let mut all = serde_json::Map::new();
    for body in bodies {
        merge(&mut all, &yaml_serde::from_str(body).unwrap());
    }
    serde_json::Value::Object(all).to_string()
}

fn merge(into: &mut serde_json::Map<String, serde_json::Value>, from: &serde_json::Value) {
    for (key, value) in from.as_object().unwrap().clone() {
        match into.get_mut(&key) {
            Some(serde_json::Value::Object(there)) => merge(there, &value),
            _ => _ = into.insert(key, value),
        }
    }
}
