//! Locks: what no later layer gets past, and how it is told.

use landfast::load::check;

use super::*;

const CONTROL: &str = "targets: {ous: [/**]}
locked: [settings.passwordPolicy, stacks.trail]
values: {Days: 365}
mode: enforce
settings: {passwordPolicy: {minimumLength: 14, requireSymbols: true, maxAgeDays: 90, allowUsersToChange: true}}
stacks:
  trail:
    template: trail.template.yaml
    parameters: {Cidr: \"${{ values.Days }}\"}
";

/// The small repository with a baseline that locks, and these files over it.
fn locked<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let control =
        [("baselines/control/baseline.yaml", CONTROL), ("baselines/control/trail.template.yaml", TEMPLATE)];
    control.into_iter().chain(more.iter().copied()).collect()
}

fn refused(own: &str) -> String {
    faults(&locked(&[(ACCOUNT, &format!("{ONE}{own}"))]))
}

#[test]
fn a_locked_path_is_not_weakened_dropped_or_added_to() {
    insta::assert_snapshot!(refused(
        "settings: {passwordPolicy: {minimumLength: 8, maxAgeDays: 365, requireSymbols: null, hardExpiry: true, allowUsersToChange: false}}\n\
         stacks: {trail: {parameters: {Size: large}, regions: [edge]}}\n"
    ), @r"
    error: `settings.passwordPolicy.minimumLength` is locked, and 8 is weaker than 14
     --> accounts/one/account.yaml:4:44
      |
    4 | settings: {passwordPolicy: {minimumLength: 8, maxAgeDays: 365, requireSymbols: null, hardExpiry: true, allowUsersToChange: false}}
      |                                            ^
      = see: baselines/control/baseline.yaml:2:10: locked here
      = see: baselines/control/baseline.yaml:5:44: what it is locked to
      = hint: take it out; only the baseline `control` can change it, or leave an account out

    error: `settings.passwordPolicy.maxAgeDays` is locked, and 365 is weaker than 90
     --> accounts/one/account.yaml:4:59
      |
    4 | settings: {passwordPolicy: {minimumLength: 8, maxAgeDays: 365, requireSymbols: null, hardExpiry: true, allowUsersToChange: false}}
      |                                                           ^
      = see: baselines/control/baseline.yaml:2:10: locked here
      = see: baselines/control/baseline.yaml:5:82: what it is locked to
      = hint: take it out; only the baseline `control` can change it, or leave an account out

    error: `settings.passwordPolicy.requireSymbols` is locked and cannot be dropped
     --> accounts/one/account.yaml:4:64
      |
    4 | settings: {passwordPolicy: {minimumLength: 8, maxAgeDays: 365, requireSymbols: null, hardExpiry: true, allowUsersToChange: false}}
      |                                                                ^
      = see: baselines/control/baseline.yaml:2:10: locked here
      = see: baselines/control/baseline.yaml:5:64: what it is locked to
      = hint: take it out; only the baseline `control` can change it, or leave an account out

    error: `settings.passwordPolicy.hardExpiry` is locked and cannot be added to
     --> accounts/one/account.yaml:4:98
      |
    4 | settings: {passwordPolicy: {minimumLength: 8, maxAgeDays: 365, requireSymbols: null, hardExpiry: true, allowUsersToChange: false}}
      |                                                                                                  ^
      = see: baselines/control/baseline.yaml:2:10: locked here
      = hint: take it out; only the baseline `control` can change it, or leave an account out

    error: `settings.passwordPolicy.allowUsersToChange` is locked and cannot be changed
     --> accounts/one/account.yaml:4:124
      |
    4 | settings: {passwordPolicy: {minimumLength: 8, maxAgeDays: 365, requireSymbols: null, hardExpiry: true, allowUsersToChange: false}}
      |                                                                                                                            ^
      = see: baselines/control/baseline.yaml:2:10: locked here
      = see: baselines/control/baseline.yaml:5:106: what it is locked to
      = hint: take it out; only the baseline `control` can change it, or leave an account out

    error: `stacks.trail.parameters.Size` is locked and cannot be added to
     --> accounts/one/account.yaml:5:37
      = see: baselines/control/baseline.yaml:2:35: locked here
      = hint: take it out; only the baseline `control` can change it, or leave an account out

    error: `stacks.trail.regions` is locked and cannot be added to
     --> accounts/one/account.yaml:5:54
      = see: baselines/control/baseline.yaml:2:35: locked here
      = hint: take it out; only the baseline `control` can change it, or leave an account out
    ");
}

#[test]
fn a_locked_thing_is_not_dropped_as_a_whole() {
    insta::assert_snapshot!(refused("settings: {passwordPolicy: null}\nstacks: {trail: absent}\n"), @r"
    error: `settings.passwordPolicy` is locked and cannot be dropped
     --> accounts/one/account.yaml:4:12
      |
    4 | settings: {passwordPolicy: null}
      |            ^
      = see: baselines/control/baseline.yaml:2:10: locked here
      = see: baselines/control/baseline.yaml:5:12: what it is locked to
      = hint: take it out; only the baseline `control` can change it, or leave an account out

    error: `stacks.trail` is locked and cannot be dropped
     --> accounts/one/account.yaml:5:10
      |
    5 | stacks: {trail: absent}
      |          ^
      = see: baselines/control/baseline.yaml:2:35: locked here
      = see: baselines/control/baseline.yaml:7:3: what it is locked to
      = hint: take it out; only the baseline `control` can change it, or leave an account out
    ");
}

#[test]
fn a_locked_thing_is_not_silenced_or_re_homed() {
    insta::assert_snapshot!(refused("mode: report\naccess: {role: Mine}\n"), @r#"
    error: the mode `report` would silence `settings.passwordPolicy`, which is locked
     --> accounts/one/account.yaml:4:7
      |
    4 | mode: report
      |       ^
      = see: baselines/control/baseline.yaml:2:10: locked here
      = hint: take it out; only the baseline `control` can change it, or leave an account out

    error: `access` would re-home `settings.passwordPolicy`, which is locked
     --> accounts/one/account.yaml:5:1
      |
    5 | access: {role: Mine}
      | ^
      = see: baselines/control/baseline.yaml:2:10: locked here
      = hint: take it out; only the baseline `control` can change it, or leave an account out
    "#);
}

#[test]
fn a_value_that_a_locked_expression_reads_is_locked_with_it() {
    insta::assert_snapshot!(refused("values: {Days: 1}\n"), @r"
    error: `values.Days` decides `stacks.trail.parameters.Cidr`, which is locked
     --> accounts/one/account.yaml:4:16
      = see: baselines/control/baseline.yaml:2:35: locked here
      = see: baselines/control/baseline.yaml:9:24: read here
      = hint: take it out; only the baseline `control` can change it, or leave an account out
    ");
}

/// What the lock left open is said by others: nobody can tell what the whole would be without them, and still the locked
/// part of it stays what it is. A default is a part like any other.
#[test]
fn a_locked_expression_keeps_what_was_said_and_what_was_not() {
    let refused = |expression: &str, own: &str| {
        let control = CONTROL.replace("${{ values.Days }}", expression);
        let own = format!("{ONE}{own}");
        faults(&locked(&[("baselines/control/baseline.yaml", &control), (ACCOUNT, &own)]))
    };
    for (expression, own, name) in [
        ("${{ values.Days }}-${{ values.Team }}", "values: {Days: 1, Team: red}\n", "Days"),
        ("${{ values.Size | default('30') }}", "values: {Size: 1}\n", "Size"),
    ] {
        let seen = refused(expression, own);
        let because = format!("`values.{name}` decides `stacks.trail.parameters.Cidr`, which is locked");
        assert!(seen.contains(&because), "{expression}: {seen}");
    }
}

/// A value sees no other value: what else is said cannot have decided it.
#[test]
fn a_value_of_the_lock_is_the_same_whatever_other_values_are_said() {
    let own = format!("{ONE}values: {{Other: 1}}\n");
    for locked_text in ["${{ values.Days }}", "${{ values['Days'] }}"] {
        let control = CONTROL
            .replace("${{ values.Days }}", locked_text)
            .replace("Days: 365", "Days: \"${{ 'x' if values is defined else 'y' }}\"");
        let files = locked(&[("baselines/control/baseline.yaml", &control), (ACCOUNT, &own)]);
        let one = &loaded(&files).accounts[&slug("one")];
        let stack = one.stacks.values().next().unwrap();
        assert_eq!(stack.value.parameters["Cidr"], "y", "{locked_text}");
    }
}

#[test]
fn a_later_baseline_is_held_as_an_account_is_and_both_files_are_named() {
    insta::assert_snapshot!(faults(&locked(&[(
        "baselines/lax/baseline.yaml",
        "targets: {ous: [/workloads/*]}\nafter: [control]\nsettings: {passwordPolicy: {minimumLength: 10}}\n",
    )])), @r"
    error: `settings.passwordPolicy.minimumLength` is locked, and 10 is weaker than 14 (in 2 accounts, such as `one`)
     --> baselines/lax/baseline.yaml:3:44
      |
    3 | settings: {passwordPolicy: {minimumLength: 10}}
      |                                            ^
      = see: baselines/control/baseline.yaml:2:10: locked here
      = see: baselines/control/baseline.yaml:5:44: what it is locked to
      = hint: take it out; only the baseline `control` can change it, or leave an account out
    ");
}

#[test]
fn a_baseline_without_an_order_to_the_lock_is_held_too() {
    let seen = faults(&locked(&[(
        "baselines/other/baseline.yaml",
        "targets: {ous: [/**]}\nstacks: {trail: {parameters: {Size: large}}}\n",
    )]));
    assert!(seen.contains("`stacks.trail.parameters.Size` is locked and cannot be added to"), "{seen}");
}

#[test]
fn what_cannot_be_locked_is_said() {
    insta::assert_snapshot!(faults(&[(
        "baselines/a/baseline.yaml",
        "targets: {ous: [/**]}\nlocked: [settings.passwordPolcy, ou, values]\nsettings: {passwordPolicy: {minimumLength: 14}}\n",
    ), (ACCOUNT, &format!("{ONE}locked: [mode]\n"))]), @"
    error: unknown key `locked`
     --> accounts/one/account.yaml:4:1
      |
    4 | locked: [mode]
      | ^
      = hint: known here: id, name, email, ou, tags, policies, access, mode, values, settings, stacks, onLeave, adopt

    error: there is no `settings.passwordPolcy` to lock
     --> baselines/a/baseline.yaml:2:10
      |
    2 | locked: [settings.passwordPolcy, ou, values]
      |          ^
      = hint: did you mean `settings.passwordPolicy`?

    error: `ou` is nothing that can be locked
     --> baselines/a/baseline.yaml:2:34
      |
    2 | locked: [settings.passwordPolcy, ou, values]
      |                                  ^
      = hint: such as settings.passwordPolicy, stacks.audit-trail, values.AlertEmail, mode or access

    error: `values` is nothing that can be locked
     --> baselines/a/baseline.yaml:2:38
      |
    2 | locked: [settings.passwordPolcy, ou, values]
      |                                      ^
      = hint: such as settings.passwordPolicy, stacks.audit-trail, values.AlertEmail, mode or access
    ");
}

#[test]
fn a_lock_lets_through_what_repeats_or_strengthens_it() {
    let own = format!(
        "{ONE}mode: enforce\naccess: {{role: OrganizationAccountAccessRole}}\n\
         settings: {{passwordPolicy: {{minimumLength: 20, maxAgeDays: 30, requireSymbols: true}}}}\n\
         values: {{Days: 365, Mine: 1}}\nstacks: {{trail: {{parameters: {{Cidr: \"${{{{ values.Days }}}}\"}}}}}}\n"
    );
    let desired = loaded(&locked(&[(ACCOUNT, &own)]));
    let account = &desired.accounts[&slug("one")];
    let policy = account.settings[&Setting::PasswordPolicy].value.to_value();
    assert_eq!((policy["minimumLength"].clone(), policy["maxAgeDays"].clone()), (json!(20), json!(30)));
    assert_eq!(account.stacks[&key("trail[eu-west-1]")].value.parameters["Cidr"], "365");
}

#[test]
fn a_lock_holds_only_where_its_entry_reaches() {
    let narrowed = "targets: {ous: [/**]}\nlocked: [settings.passwordPolicy]\n\
                    settings: {passwordPolicy: {targets: {ous: [/workloads/nonprod]}, minimumLength: 14}}\n";
    let own = format!("{ONE}settings: {{passwordPolicy: {{minimumLength: 8}}}}\n");
    let desired = loaded(&[("baselines/a/baseline.yaml", narrowed), (ACCOUNT, &own)]);
    let policy = |account: &str| {
        desired.accounts[&slug(account)].settings[&Setting::PasswordPolicy].value.to_value()["minimumLength"]
            .clone()
    };
    assert_eq!((policy("one"), policy("two")), (json!(8), json!(14)));
}

#[test]
fn what_the_lock_leaves_open_may_be_said_by_others() {
    let control = CONTROL.replace("values: {Days: 365}\n", "");
    let own = format!("{ONE}values: {{Days: 7}}\n");
    let two = format!("{TWO}values: {{Days: 30}}\n");
    let desired = loaded(&[
        ("baselines/control/baseline.yaml", &control),
        ("baselines/control/trail.template.yaml", TEMPLATE),
        (ACCOUNT, &own),
        ("accounts/two/account.yaml", &two),
    ]);
    let days = |account: &str| {
        desired.accounts[&slug(account)].stacks[&key("trail[eu-west-1]")].value.parameters["Cidr"].clone()
    };
    assert_eq!((days("one"), days("two")), ("7".to_owned(), "30".to_owned()));
}

/// What is said when one commit follows another.
fn departures(before: &[(&str, &str)], after: &[(&str, &str)]) -> String {
    let checked = |files: &[(&str, &str)]| {
        let mut all = small();
        all.extend(locked(files).into_iter().map(|(path, text)| (path.to_owned(), File::text(text))));
        check(&tree(all), None)
    };
    let (before, after) = (checked(before), checked(after));
    assert!(
        before.desired.is_some() && after.desired.is_some(),
        "{}{}",
        before.diagnostics,
        after.diagnostics
    );
    after.held.departures(&before.held, &CommitId::parse("1".repeat(40)).unwrap()).to_string()
}

const PROD_ONLY: &str =
    "targets: {ous: [/workloads/*], tags: {env: prod}}\nlocked: [values.Env]\nvalues: {Env: prod}\n";

#[test]
fn an_account_does_not_leave_a_lock_by_its_own_word() {
    let prod = format!("{ONE}tags: {{env: prod}}\n");
    let dev = format!("{ONE}tags: {{env: dev}}\n");
    let baseline = ("baselines/prod/baseline.yaml", PROD_ONLY);
    insta::assert_snapshot!(departures(&[baseline, (ACCOUNT, &prod)], &[baseline, (ACCOUNT, &dev)]), @r"
    error: accounts/one would leave the lock of `values.Env`
     --> accounts/one/account.yaml:3:5
      = see: baselines/prod/baseline.yaml:2:10: locked here
      = hint: put its ou and tags back, or leave it out by name there, with a reason
    ");
    let moved = prod.replace("/workloads/prod", "/security");
    let seen = departures(&[baseline, (ACCOUNT, &prod)], &[baseline, (ACCOUNT, &moved)]);
    assert!(seen.contains("accounts/one would leave the lock of `values.Env`"), "{seen}");
    let root = ONE.replace("/workloads/prod", "/");
    assert_eq!(
        departures(&[], &[(ACCOUNT, &root)]).matches("error: ").count(),
        2,
        "the root is out of reach of /**"
    );
}

#[test]
fn a_folder_that_is_renamed_takes_its_locks_along() {
    let id = |text: &str| format!("id: \"111122223333\"\n{text}");
    let other = ONE.replace("One", "Another").replace("one@", "another@");
    let baseline = ("baselines/prod/baseline.yaml", PROD_ONLY);
    let [prod, dev] = ["prod", "dev"].map(|env| id(&format!("{ONE}tags: {{env: {env}}}\n")));
    // Somebody else has the folder's name by now: it is the id that tells who left.
    let other = format!("{other}tags: {{env: prod}}\n");
    let renamed = |file| {
        departures(
            &[baseline, (ACCOUNT, &prod)],
            &[baseline, (ACCOUNT, &other), ("accounts/new/account.yaml", file)],
        )
    };
    assert_eq!(renamed(&prod), "");
    let seen = renamed(&dev);
    assert!(seen.contains("accounts/new would leave the lock of `values.Env`"), "{seen}");
}

#[test]
fn a_lock_on_a_part_keeps_the_whole_from_being_dropped() {
    let control = CONTROL.replace(
        "[settings.passwordPolicy, stacks.trail]",
        "[settings.passwordPolicy.minimumLength, stacks.trail.parameters]",
    );
    let own = format!("{ONE}settings: {{passwordPolicy: null}}\nstacks: {{trail: absent}}\n");
    let seen = faults(&locked(&[("baselines/control/baseline.yaml", &control), (ACCOUNT, &own)]));
    for path in ["settings.passwordPolicy", "stacks.trail"] {
        assert!(seen.contains(&format!("`{path}` is locked and cannot be dropped")), "{seen}");
    }
}

/// AWS makes no role there.
#[test]
fn the_management_account_names_its_own_role_whatever_is_locked() {
    let own = "id: \"999988887777\"\nname: Management\nemail: management@example.com\nou: /workloads/prod\n\
               access: {role: Mine}\n";
    let root = "targets: {accounts: [management]}\nlocked: [settings.accountAlias]\nsettings: {accountAlias: acme}\n";
    let files = [("accounts/management/account.yaml", own), ("baselines/root/baseline.yaml", root)];
    let desired = loaded(&files);
    assert_eq!(desired.accounts[&slug("management")].access.role.as_str(), "Mine");
}

#[test]
fn a_lock_lets_an_account_go_by_its_own_word() {
    let prod = format!("{ONE}tags: {{env: prod}}\n");
    let dev = format!("{ONE}tags: {{env: dev}}\n");
    let before = [("baselines/prod/baseline.yaml", PROD_ONLY), (ACCOUNT, prod.as_str())];
    for (from, to) in [
        ("{env: prod}}", "{env: prod}, exclude: {one: OPS-9}}"),
        ("{env: prod}}", "{env: stage}}"),
        ("locked: [values.Env]\n", ""),
    ] {
        let baseline = PROD_ONLY.replace(from, to);
        let after = [("baselines/prod/baseline.yaml", baseline.as_str()), (ACCOUNT, dev.as_str())];
        assert_eq!(departures(&before, &after), "", "{to}");
    }
    assert_eq!(departures(&before, &before), "");
}

/// Lines that try to get past the locks of `CONTROL`, and some that may pass.
fn attempts() -> impl Strategy<Value = String> {
    let field = prop_oneof![
        (6u32..=128).prop_map(|n| format!("minimumLength: {n}")),
        (1u32..=1095).prop_map(|n| format!("maxAgeDays: {n}")),
        any::<bool>().prop_map(|flag| format!("requireSymbols: {flag}")),
        any::<bool>().prop_map(|flag| format!("allowUsersToChange: {flag}")),
        any::<bool>().prop_map(|flag| format!("requireNumbers: {flag}")),
        prop_oneof!["minimumLength", "maxAgeDays", "requireSymbols"].prop_map(|key| format!("{key}: null")),
    ];
    let setting = prop_oneof![
        4 => field.prop_map(|field| format!("settings: {{passwordPolicy: {{{field}}}}}\n")),
        1 => Just("settings: {passwordPolicy: null}\n".to_owned()),
        1 => Just("settings: {passwordPolicy: {}}\n".to_owned()),
        1 => prop_oneof!["observe", "enforce", "null"]
            .prop_map(|mode| format!("settings: {{passwordPolicy: {{mode: {mode}}}}}\n")),
    ];
    let stack = prop_oneof![
        Just("stacks: {trail: null}\n".to_owned()),
        Just("stacks: {trail: {template: network.template.yaml}}\n".to_owned()),
        Just("stacks: {trail: {regions: [edge]}}\n".to_owned()),
        prop_oneof!["observe", "report", "enforce", "null"]
            .prop_map(|mode| format!("stacks: {{trail: {{mode: {mode}}}}}\n")),
        Just("stacks: {trail: {tags: {a: b}}}\n".to_owned()),
        Just("stacks: {trail: {parameters: null}}\n".to_owned()),
        Just("stacks: {trail: {parameters: {Cidr: null}}}\n".to_owned()),
        Just("stacks: {trail: {parameters: {Cidr: '1'}}}\n".to_owned()),
        Just("stacks: {trail: {parameters: {Size: large}}}\n".to_owned()),
    ];
    let value = prop_oneof![
        Just("values: {Days: 1}\n".to_owned()),
        Just("values: {Days: null}\n".to_owned()),
        Just("values: {Days: {Days: 1}}\n".to_owned()),
        Just("values: {Days: {}}\n".to_owned()),
        Just("values: {Days: 365, Other: 1}\n".to_owned()),
    ];
    let rest = prop_oneof![
        Just("mode: observe\n".to_owned()),
        Just("mode: report\n".to_owned()),
        Just("mode: enforce\n".to_owned()),
        Just("mode: null\n".to_owned()),
    ];
    let lines = (
        proptest::option::of(setting),
        proptest::option::of(stack),
        proptest::option::of(value),
        proptest::option::of(rest),
    );
    lines.prop_map(|(a, b, c, d)| [a, b, c, d].into_iter().flatten().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever a later layer says, either it is refused or what is locked is as strong as before.
    #[test]
    fn no_later_layer_gets_past_a_lock(said in attempts(), place in 0usize..3, access in any::<bool>()) {
        let own = format!("{ONE}{said}{}", if access { "access: {role: Mine}\n" } else { "" });
        let lax = ["after: [control]\n", ""].map(|after| format!("targets: {{ous: [/**]}}\n{after}{said}"));
        let files = match place {
            0 => locked(&[(ACCOUNT, own.as_str())]),
            place => locked(&[("baselines/lax/baseline.yaml", lax[place - 1].as_str()), ("baselines/lax/network.template.yaml", TEMPLATE)]),
        };
        let mut tree_files = small();
        tree_files.extend(files.iter().map(|(path, text)| ((*path).to_owned(), File::text(text))));
        let Ok(desired) = load(&tree(tree_files)) else { return Ok(()) };
        let before = loaded(&locked(&[]));
        let (after, before) = (&desired.accounts[&slug("one")], &before.accounts[&slug("one")]);
        let stack = |account: &landfast::model::Account| account.stacks[&key("trail[eu-west-1]")].value.clone();
        prop_assert_eq!(stack(after), stack(before));
        prop_assert_eq!(after.mode, before.mode);
        for item in [Item::Stack(key("trail[eu-west-1]")), Item::Setting(Setting::PasswordPolicy)] {
            prop_assert!(after.mode_of(&item) >= before.mode_of(&item), "{}", item);
        }
        prop_assert_eq!(&after.access, &before.access);
        let policy = |account: &landfast::model::Account| account.settings[&Setting::PasswordPolicy].value.to_value();
        let (new, old) = (policy(after), policy(before));
        prop_assert!(new["minimumLength"].as_u64() >= old["minimumLength"].as_u64());
        prop_assert!(new["maxAgeDays"].as_u64() <= old["maxAgeDays"].as_u64());
        prop_assert_eq!(&new["requireSymbols"], &old["requireSymbols"]);
        prop_assert_eq!(&new["allowUsersToChange"], &old["allowUsersToChange"]);
        prop_assert_eq!(new.as_object().map(serde_json::Map::len), old.as_object().map(serde_json::Map::len));
    }
}
