//! Faults that show when files are put together, as the user sees them.

use super::*;

#[test]
fn nothing_at_all() {
    insta::assert_snapshot!(load(&tree([])).unwrap_err().to_string(), @r#"
    error: there is no account folder
     --> accounts
      = hint: one folder per account: accounts/<name>/account.yaml; removing the last one closes nothing

    error: the file is missing
     --> organization/organization.yaml
      = hint: it names the organization: id, managementAccount, homeRegion
    "#);
}

#[test]
fn an_emptied_accounts_folder() {
    let files = small().into_iter().filter(|(path, _)| !path.starts_with("accounts/"));
    insta::assert_snapshot!(load(&tree(files)).unwrap_err().to_string(), @r#"
    error: there is no account folder
     --> accounts
      = hint: one folder per account: accounts/<name>/account.yaml; removing the last one closes nothing
    "#);
}

#[test]
fn an_organization_with_everything_wrong() {
    insta::assert_snapshot!(
        faults(&[(
            "organization/organization.yaml",
            "id: exampleorgid\nmanagementAccount: 999988887777\nhomeRegion: Ireland\nregions: {home: [eu-west-1]}\n\
             access: {rol: X}\nous: {workloads: [prod]}\n",
        )]), @r#"
        error: `exampleorgid` is not an organization id (o-xxxxxxxxxx)
         --> organization/organization.yaml:1:5
          |
        1 | id: exampleorgid
          |     ^

        error: the account id 999988887777 is not in quotes
         --> organization/organization.yaml:2:20
          |
        2 | managementAccount: 999988887777
          |                    ^
          = hint: write "999988887777": without quotes, leading zeros get lost

        error: `Ireland` is not a region code such as eu-west-1
         --> organization/organization.yaml:3:13
          |
        3 | homeRegion: Ireland
          |             ^

        error: a group of regions cannot be called `home`
         --> organization/organization.yaml:4:11
          |
        4 | regions: {home: [eu-west-1]}
          |           ^
          = hint: `home` is always the home region; choose another name

        error: unknown key `rol`
         --> organization/organization.yaml:5:10
          |
        5 | access: {rol: X}
          |          ^
          = hint: did you mean `role`?

        error: expected a map, found a list
         --> organization/organization.yaml:6:18
          |
        6 | ous: {workloads: [prod]}
          |                  ^
        "#);
}

#[test]
fn a_broken_organization_hides_no_fault_of_the_accounts() {
    let mut files = small();
    files.remove("organization/organization.yaml");
    files.insert(
        ACCOUNT.to_owned(),
        File::text("name: Two\nemail: two@example\nou: /prd\nstacks: {a: {template: a.template.yaml}}\n"),
    );
    files.insert("accounts/three/account.yaml".to_owned(), File::text(TWO));
    insta::assert_snapshot!(load(&tree(files)).unwrap_err().to_string(), @r#"
    error: `two@example` is not an e-mail address of 6 to 64 plain ASCII characters
     --> accounts/one/account.yaml:2:8
      |
    2 | email: two@example
      |        ^

    error: there is no template accounts/one/a.template.yaml
     --> accounts/one/account.yaml:4:24
      |
    4 | stacks: {a: {template: a.template.yaml}}
      |                        ^
      = hint: did you mean `network.template.yaml`?

    error: the name `Two` belongs to accounts/three already
     --> accounts/two/account.yaml:1:7
      |
    1 | name: Two
      |       ^
      = see: accounts/three/account.yaml:1:7: the first one
      = hint: no two accounts can have the same name

    error: the e-mail `two@example.com` belongs to accounts/three already
     --> accounts/two/account.yaml:2:8
      |
    2 | email: two@example.com
      |        ^
      = see: accounts/three/account.yaml:2:8: the first one
      = hint: no two accounts can have the same e-mail

    error: the file is missing
     --> organization/organization.yaml
      = hint: it names the organization: id, managementAccount, homeRegion
    "#);
}

#[test]
fn what_could_repaint_a_terminal_is_not_printed() {
    let shown = one("\"\\e[31mred\\u202e\": x\n");
    assert!(shown.contains("unknown key ` [31mred `"), "{shown}");
    assert!(!shown.contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn a_broken_baseline_is_not_blamed_on_the_accounts_it_would_reach() {
    let account = format!(
        "{ONE}settings: {{accountAlias: 'a-${{{{ values.X }}}}'}}\nstacks: {{net: {{parameters: {{Cidr: x}}}}}}\n"
    );
    insta::assert_snapshot!(
        faults(&[("baselines/a/baseline.yaml", "targets: {ous: [/**]\n"), (ACCOUNT, &account)]), @r#"
        error: unclosed bracket '{'
         --> baselines/a/baseline.yaml:1:10
          |
        1 | targets: {ous: [/**]
          |          ^
          = hint: check indentation, quotes and brackets up to here
        "#);
}

#[test]
fn baselines_that_disagree() {
    insta::assert_snapshot!(
        faults(&[
            (
                "baselines/a/baseline.yaml",
                "targets: {ous: [/**]}\nsettings: {passwordPolicy: {minimumLength: 14}}\n",
            ),
            (
                "baselines/b/baseline.yaml",
                "targets: {ous: [/**]}\nsettings: {passwordPolicy: {minimumLength: 16}}\n",
            ),
        ]), @r#"
        error: the baselines `a` and `b` disagree on settings.passwordPolicy.minimumLength: 14 and 16
         --> baselines/b/baseline.yaml:2:44
          |
        2 | settings: {passwordPolicy: {minimumLength: 16}}
          |                                            ^
          = see: baselines/a/baseline.yaml:2:44: `a` says otherwise here
          = hint: let one come after the other: `after: [a]` in `b`
        "#);
}

#[test]
fn baselines_in_a_circle_or_after_nothing() {
    insta::assert_snapshot!(
        faults(&[
            ("baselines/a/baseline.yaml", "targets: {ous: [/**]}\nafter: [b]\n"),
            ("baselines/b/baseline.yaml", "targets: {ous: [/**]}\nafter: [a]\n"),
            ("baselines/c/baseline.yaml", "targets: {ous: [/**]}\nafter: [aa]\n"),
        ]), @r#"
        error: baselines come after each other in a circle: a after b after a
         --> baselines/a/baseline.yaml:2:9
          |
        2 | after: [b]
          |         ^
          = hint: take one `after` out

        error: there is no baseline `aa`
         --> baselines/c/baseline.yaml:2:9
          |
        2 | after: [aa]
          |         ^
          = hint: did you mean `a`?
        "#);
}

#[test]
fn targets_that_reach_nobody() {
    insta::assert_snapshot!(
        faults(&[
            ("baselines/a/baseline.yaml", "targets: {}\n"),
            (
                "baselines/b/baseline.yaml",
                "targets: {ous: [/workload/*], accounts: [won], exclude: {tow: OPS-1}}\n",
            ),
            ("baselines/c/baseline.yaml", "values: {}\n"),
        ]), @r#"
        error: targets that reach no account
         --> baselines/a/baseline.yaml:1:10
          |
        1 | targets: {}
          |          ^
          = hint: name some with ous, tags or accounts; {ous: ["/**"]} is every account below the root

        error: no OU matches `/workload/*`
         --> baselines/b/baseline.yaml:1:17
          |
        1 | targets: {ous: [/workload/*], accounts: [won], exclude: {tow: OPS-1}}
          |                 ^
          = hint: known here: /security, /workloads, /workloads/nonprod, /workloads/prod

        error: there is no account folder `won`
         --> baselines/b/baseline.yaml:1:42
          |
        1 | targets: {ous: [/workload/*], accounts: [won], exclude: {tow: OPS-1}}
          |                                          ^
          = hint: did you mean `one`?

        error: there is no account folder `tow`
         --> baselines/b/baseline.yaml:1:63
          |
        1 | targets: {ous: [/workload/*], accounts: [won], exclude: {tow: OPS-1}}
          |                                                               ^
          = hint: did you mean `two`?

        error: the key `targets` is missing
         --> baselines/c/baseline.yaml:1:1
          |
        1 | values: {}
          | ^
          = hint: which accounts it is for, such as {ous: ["/**"]}
        "#);
}

#[test]
fn parameters_that_do_not_fit_the_template() {
    insta::assert_snapshot!(
        one("stacks:\n  network:\n    template: network.template.yaml\n    parameters:\n      Cidrs: 10.0.0.0/16\n      Size: huge\n"),
        @r#"
        error: the stack `network` gives its template no `Cidr`
         --> accounts/one/account.yaml:5:3
          |
        5 |   network:
          |   ^
          = hint: the parameter has no default; name it under `parameters`

        error: the template has no parameter `Cidrs`
         --> accounts/one/account.yaml:8:14
          = hint: did you mean `Cidr`?

        error: the template does not allow `huge` for `Size`
         --> accounts/one/account.yaml:9:13
          |
        9 |       Size: huge
          |             ^
          = hint: allowed: small, large
        "#);
}

#[test]
fn needs_of_a_stranger_and_in_a_circle() {
    let stack = |name: &str, needs: &str| {
        format!(
            "  {name}:\n    template: network.template.yaml\n    needs: [{needs}]\n    parameters: {{Cidr: x}}\n"
        )
    };
    insta::assert_snapshot!(
        one(&format!("stacks:\n{}{}{}", stack("a", "b"), stack("b", "a"), stack("c", "aa"))), @r#"
        error: stacks wait for each other in a circle: a needs b needs a
         --> accounts/one/account.yaml:7:12
          |
        7 |     needs: [b]
          |            ^
          = see: accounts/one/account.yaml:11:12: b needs a
          = hint: take one of these out

        error: the stack `c` needs `aa`, which this account does not have
          --> accounts/one/account.yaml:15:12
           |
        15 |     needs: [aa]
           |            ^
           = hint: did you mean `a`?
        "#);
}

#[test]
fn an_expression_without_a_value() {
    insta::assert_snapshot!(
        one("values: {VpcCidr: 10.0.0.0/16}\nstacks:\n  network:\n    template: network.template.yaml\n    parameters:\n      \
             Cidr: ${{ values.VpcCdir }}\n    tags:\n      odd: ${{ 1 + }}\n"),
        @r#"
        error: `values.VpcCdir` has no value here
         --> accounts/one/account.yaml:9:13
          |
        9 |       Cidr: ${{ values.VpcCdir }}
          |             ^
          = hint: known here: values.VpcCidr

        error: the expression `1 +` does not work: unexpected end of input, expected expression
          --> accounts/one/account.yaml:11:12
           |
        11 |       odd: ${{ 1 + }}
           |            ^
        "#);
}

#[test]
fn a_fault_of_a_baseline_is_said_once_for_all_its_accounts() {
    insta::assert_snapshot!(
        faults(&[
            (
                "baselines/a/baseline.yaml",
                "targets: {ous: [/**]}\nsettings:\n  accountAlias: ${{ values.Alias }}\n",
            ),
        ]), @r#"
        error: `values.Alias` has no value here (in 2 accounts, such as `one`)
         --> baselines/a/baseline.yaml:3:17
          |
        3 |   accountAlias: ${{ values.Alias }}
          |                 ^
          = hint: no values reach this account
        "#);
}

#[test]
fn settings_out_of_range() {
    insta::assert_snapshot!(
        one("settings:\n  accountAlias: Acme\n  passwordPolicy:\n    minimumLength: 5\n    requireSymbols: yes\n    maxAgeDays: many\n    requireEmoji: true\n"),
        @r#"
        error: expected a number from 6 to 128, found `5`
         --> accounts/one/account.yaml:7:20
          |
        7 |     minimumLength: 5
          |                    ^

        error: expected `true` or `false`, found `yes`
         --> accounts/one/account.yaml:8:21
          |
        8 |     requireSymbols: yes
          |                     ^

        error: expected a number from 1 to 1095, found `many`
         --> accounts/one/account.yaml:9:17
          |
        9 |     maxAgeDays: many
          |                 ^

        error: unknown key `requireEmoji`
          --> accounts/one/account.yaml:10:5
           |
        10 |     requireEmoji: true
           |     ^
           = hint: did you mean `requireSymbols`?
        "#);
}

#[test]
fn iam_without_the_capability() {
    insta::assert_snapshot!(
        faults(&[
            (
                "accounts/one/role.template.yaml",
                "Resources:\n  Role: {Type: AWS::IAM::Role, Properties: {RoleName: X}}\n",
            ),
            (
                ACCOUNT,
                &format!("{ONE}stacks:\n  role: {{template: role.template.yaml, capabilities: [CAPABILITY_IAM]}}\n"),
            ),
        ]), @r#"
        error: the template of `role` makes IAM resources, which has to be granted
         --> accounts/one/account.yaml:5:3
          |
        5 |   role: {template: role.template.yaml, capabilities: [CAPABILITY_IAM]}
          |   ^
          = hint: add `capabilities: [CAPABILITY_NAMED_IAM]` to the stack
        "#);
}

#[test]
fn tags_aws_would_refuse() {
    insta::assert_snapshot!(one("tags: {\"aws:x\": y, landfast:owner: me, env: \"a;b\", empty: }\n"), @r#"
    error: the tag `aws:x` is reserved
     --> accounts/one/account.yaml:4:17
      |
    4 | tags: {"aws:x": y, landfast:owner: me, env: "a;b", empty: }
      |                 ^

    error: the tag `landfast:owner` is reserved
     --> accounts/one/account.yaml:4:36
      |
    4 | tags: {"aws:x": y, landfast:owner: me, env: "a;b", empty: }
      |                                    ^

    error: the tag `env` holds `;`, which AWS does not take
     --> accounts/one/account.yaml:4:45
      |
    4 | tags: {"aws:x": y, landfast:owner: me, env: "a;b", empty: }
      |                                             ^

    error: expected a text, found nothing
     --> accounts/one/account.yaml:4:57
      |
    4 | tags: {"aws:x": y, landfast:owner: me, env: "a;b", empty: }
      |                                                         ^
      = hint: give it a value, or remove the key
    "#);
}

#[test]
fn adopting_what_is_not_there() {
    insta::assert_snapshot!(
        one("adopt: [stacks.netwrok, settings.passwordPolcy, everything]\nstacks:\n  network: {template: network.template.yaml, parameters: {Cidr: x}}\n"),
        @r#"
        error: there is no stack `netwrok` to adopt
         --> accounts/one/account.yaml:4:9
          |
        4 | adopt: [stacks.netwrok, settings.passwordPolcy, everything]
          |         ^
          = hint: did you mean `network`?

        error: there is no setting `passwordPolcy`
         --> accounts/one/account.yaml:4:25
          |
        4 | adopt: [stacks.netwrok, settings.passwordPolcy, everything]
          |                         ^
          = hint: did you mean `passwordPolicy`?

        error: `everything` is nothing that can be adopted
         --> accounts/one/account.yaml:4:49
          |
        4 | adopt: [stacks.netwrok, settings.passwordPolcy, everything]
          |                                                 ^
          = hint: such as settings.passwordPolicy, stacks.network, stacks.network[eu-west-1], ou or tags.env
        "#);
}

#[test]
fn a_mode_and_a_region_that_do_not_exist() {
    insta::assert_snapshot!(
        faults(&[
            ("landfast.yaml", "mode: enforced\nwaves: 2\n"),
            (
                ACCOUNT,
                &format!("{ONE}stacks:\n  network: {{template: network.template.yaml, regions: [edges], parameters: {{Cidr: x}}}}\n"),
            ),
        ]), @r#"
        error: `edges` is neither a region code nor a group of regions
         --> accounts/one/account.yaml:5:55
          |
        5 |   network: {template: network.template.yaml, regions: [edges], parameters: {Cidr: x}}
          |                                                       ^
          = hint: did you mean `edge`?

        error: `enforced` is not a mode
         --> landfast.yaml:1:7
          |
        1 | mode: enforced
          |       ^
          = hint: did you mean `enforce`?

        error: unknown key `waves`
         --> landfast.yaml:2:1
          |
        2 | waves: 2
          | ^
          = hint: known here: mode, values, settings, onLeave, locked, rollout, freeze
        "#);
}
