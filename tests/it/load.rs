//! Load as its user meets it: the example loads, and every fault is shown with place and hint.

use std::collections::BTreeMap;
use std::path::Path;

use landfast::load::{File, Tree, load};
use landfast::model::{CommitId, Desired, Item, Mode, Setting, Slug, StackKey};
use proptest::prelude::*;
use serde_json::json;

fn tree(files: impl IntoIterator<Item = (String, File)>) -> Tree {
    Tree { revision: CommitId::parse("0".repeat(40)).unwrap(), files: files.into_iter().collect() }
}

/// The files of `example-repo` as they are on disk.
fn example() -> Tree {
    fn walk(folder: &Path, root: &Path, files: &mut BTreeMap<String, File>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, files);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.insert(name, File::Blob(std::fs::read(&path).unwrap().into()));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("example-repo");
    let mut files = BTreeMap::new();
    walk(&root, &root, &mut files);
    tree(files)
}

const ORGANIZATION: &str = "id: o-exampleorgid
managementAccount: \"999988887777\"
homeRegion: eu-west-1
regions: {edge: [us-east-1]}
ous: {workloads: {ous: {prod: {}, nonprod: {}}}, security: {}}
";
const ONE: &str = "name: One\nemail: one@example.com\nou: /workloads/prod\n";
const TWO: &str = "name: Two\nemail: two@example.com\nou: /workloads/nonprod\n";
const TEMPLATE: &str = "Parameters:
  Cidr: {Type: String}
  Size: {Type: String, Default: small, AllowedValues: [small, large]}
  Secret: {Type: String, NoEcho: true, Default: none}
Resources:
  Topic: {Type: AWS::SNS::Topic}
";

/// A small repository without a fault.
fn small() -> BTreeMap<String, File> {
    [
        ("organization/organization.yaml", ORGANIZATION),
        ("accounts/one/account.yaml", ONE),
        ("accounts/one/network.template.yaml", TEMPLATE),
        ("accounts/two/account.yaml", TWO),
    ]
    .map(|(path, text)| (path.to_owned(), File::text(text)))
    .into()
}

/// What is seen after these files were put into the small repository.
fn faults(changes: &[(&str, &str)]) -> String {
    let mut files = small();
    files.extend(changes.iter().map(|(path, text)| ((*path).to_owned(), File::text(text))));
    load(&tree(files)).expect_err("a fault").to_string()
}

fn loaded(changes: &[(&str, &str)]) -> Desired {
    let mut files = small();
    files.extend(changes.iter().map(|(path, text)| ((*path).to_owned(), File::text(text))));
    load(&tree(files)).unwrap_or_else(|faults| panic!("{faults}"))
}

fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

/// `name[region]` for every stack of an account.
fn stacks(desired: &Desired, account: &str) -> Vec<String> {
    let keys = desired.accounts[&slug(account)].stacks.keys();
    keys.map(|key| format!("{}[{}]", key.name, key.region)).collect()
}

fn key(text: &str) -> StackKey {
    match format!("stacks.{text}").parse() {
        Ok(Item::Stack(key)) => key,
        other => panic!("{other:?}"),
    }
}

mod example_repo {
    use super::*;

    #[test]
    fn loads_and_every_account_gets_what_is_meant_for_it() {
        let desired = load(&example()).unwrap_or_else(|faults| panic!("{faults}"));
        let slugs: Vec<_> = desired.accounts.keys().map(Slug::as_str).collect();
        assert_eq!(
            slugs,
            ["log-archive", "management", "payments-dev", "payments-prod", "scratch", "security"]
        );
        assert_eq!(stacks(&desired, "management"), Vec::<String>::new());
        assert_eq!(
            stacks(&desired, "payments-prod"),
            [
                "audit-trail[eu-west-1]",
                "config-recorder[eu-west-1]",
                "directory[eu-west-1]",
                "edge-logs[us-east-1]",
                "network[eu-west-1]",
                "role-auditors[eu-west-1]",
                "role-netops[eu-west-1]",
                "service[eu-west-1]",
            ]
        );
        let with = |name: &str| {
            let has = |slug: &&str| stacks(&desired, slug).contains(&format!("{name}[eu-west-1]"));
            slugs.iter().copied().filter(has).collect::<Vec<_>>()
        };
        assert_eq!(with("alerts"), ["security"]);
        assert_eq!(with("role-netops"), ["log-archive", "payments-prod", "security"]);
        assert_eq!(with("role-developers"), ["payments-dev", "scratch"]);
    }

    #[test]
    fn an_account_says_the_last_word_and_keeps_the_rest_of_the_baseline() {
        let desired = load(&example()).unwrap();
        let policy = |slug_text: &str| {
            desired.accounts[&slug(slug_text)].settings[&Setting::PasswordPolicy].value.clone()
        };
        assert_eq!(policy("payments-prod")["minimumLength"], json!(16));
        assert_eq!(policy("payments-prod")["reusePrevention"], json!(24));
        assert_eq!(policy("payments-dev")["minimumLength"], json!(14));
        let trail = &desired.accounts[&slug("scratch")].stacks[&key("audit-trail[eu-west-1]")];
        assert_eq!(trail.value.parameters["KeepDays"], "30");
        assert_eq!(desired.accounts[&slug("scratch")].email.as_str(), "aws+scratch@example.com");
        assert_eq!(
            desired.accounts[&slug("scratch")].settings[&Setting::AccountAlias].value,
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
}

mod meaning {
    use super::*;

    const NETWORK: &str =
        "stacks:\n  network:\n    template: network.template.yaml\n    parameters: {Cidr: 10.0.0.0/16}\n";

    #[test]
    fn defaults_of_the_template_are_filled_in_and_secrets_are_hidden() {
        let desired = loaded(&[("accounts/one/account.yaml", &format!("{ONE}{NETWORK}"))]);
        let stack = &desired.accounts[&slug("one")].stacks[&key("network[eu-west-1]")];
        let parameters = &stack.value.parameters;
        assert_eq!(
            parameters.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>(),
            ["Cidr=10.0.0.0/16", "Secret=none", "Size=small"]
        );
        assert_eq!(stack.value.hidden.iter().collect::<Vec<_>>(), ["Secret"]);
        assert_eq!((stack.source.path.as_str(), stack.source.line), ("accounts/one/account.yaml", 5));
    }

    #[test]
    fn numbers_and_yaml_flags_given_as_parameters_keep_their_spelling() {
        for spelling in ["012345678901", "no", "1.10", "8080"] {
            let text = format!("{ONE}{}", NETWORK.replace("10.0.0.0/16", spelling));
            let desired = loaded(&[("accounts/one/account.yaml", &text)]);
            let stack = &desired.accounts[&slug("one")].stacks[&key("network[eu-west-1]")].value;
            assert_eq!(stack.parameters["Cidr"], spelling);
        }
    }

    #[test]
    fn expressions_see_values_facts_and_the_region() {
        let account = format!(
            "{ONE}tags: {{env: prod}}\nvalues:\n  Net: {{Cidrs: [10.0.0.0/16, 10.1.0.0/16]}}\nstacks:\n  network:\n    \
             template: network.template.yaml\n    regions: [all]\n    parameters:\n      \
             Cidr: ${{{{ values.Net.Cidrs }}}}\n    tags:\n      \
             where: ${{{{ account.slug }}}}/${{{{ region }}}}/${{{{ accounts['two'].name }}}}/${{{{ account.tags.env }}}}\n"
        );
        let desired = loaded(&[("accounts/one/account.yaml", &account)]);
        let account = &desired.accounts[&slug("one")];
        assert_eq!(stacks(&desired, "one"), ["network[eu-west-1]", "network[us-east-1]"]);
        let stack = &account.stacks[&key("network[us-east-1]")].value;
        assert_eq!(stack.parameters["Cidr"], "10.0.0.0/16,10.1.0.0/16");
        assert_eq!(stack.tags["where"], "one/us-east-1/Two/prod");
    }

    #[test]
    fn a_need_means_the_same_region_or_else_all_of_its_regions() {
        let stack = |regions: &str, needs: &str| {
            format!(
                "{{template: network.template.yaml, regions: [{regions}], needs: [{needs}], parameters: {{Cidr: x}}}}"
            )
        };
        let account = format!(
            "{ONE}stacks:\n  base: {}\n  same: {}\n  other: {}\n",
            stack("all", ""),
            stack("home", "base"),
            stack("eu-north-1", "base")
        );
        let desired = loaded(&[("accounts/one/account.yaml", &account)]);
        let needs = |text: &str| {
            let needs = &desired.accounts[&slug("one")].stacks[&key(text)].value.needs;
            needs.iter().map(|key| format!("{}[{}]", key.name, key.region)).collect::<Vec<_>>()
        };
        assert_eq!(needs("same[eu-west-1]"), ["base[eu-west-1]"]);
        assert_eq!(needs("other[eu-north-1]"), ["base[eu-west-1]", "base[us-east-1]"]);
    }

    #[test]
    fn a_later_baseline_overrules_an_earlier_one_and_lists_are_replaced() {
        let desired = loaded(&[
            (
                "baselines/a/baseline.yaml",
                "targets: {ous: [/**]}\nafter: [b]\nvalues: {X: 2, M: {p: 1}, L: [3]}\n",
            ),
            (
                "baselines/b/baseline.yaml",
                "targets: {ous: [/**]}\nvalues: {X: 1, M: {p: 0, q: 9}, L: [1, 2]}\nmode: enforce\n",
            ),
            (
                "accounts/one/account.yaml",
                &format!(
                    "{ONE}settings:\n  accountAlias: x-${{{{ values.X }}}}-${{{{ values.M.p }}}}-${{{{ values.M.q }}}}-${{{{ values.L | join('') }}}}\n"
                ),
            ),
        ]);
        let account = &desired.accounts[&slug("one")];
        assert_eq!(account.settings[&Setting::AccountAlias].value, json!("x-2-1-9-3"));
        assert_eq!(account.mode, Mode::Enforce);
    }

    #[test]
    fn adopt_names_items_and_a_stack_without_a_region_means_all_of_them() {
        let account = format!(
            "{ONE}adopt: [settings.passwordPolicy, ou, tags.env, name, stacks.network]\n{}    regions: [all]\n",
            NETWORK
        );
        let desired = loaded(&[("accounts/one/account.yaml", &account)]);
        let adopted = desired.accounts[&slug("one")].adopt.iter().map(ToString::to_string);
        assert_eq!(
            adopted.collect::<Vec<_>>(),
            [
                "accounts.one.name",
                "accounts.one.ou",
                "accounts.one.tags.env",
                "settings.passwordPolicy",
                "stacks.network[eu-west-1]",
                "stacks.network[us-east-1]"
            ]
        );
    }

    #[test]
    fn the_nearest_mode_wins() {
        let desired = loaded(&[
            ("landfast.yaml", "mode: observe\n"),
            ("accounts/one/account.yaml", &format!("{ONE}mode: enforce\n")),
        ]);
        assert_eq!(desired.accounts[&slug("one")].mode, Mode::Enforce);
        assert_eq!(desired.accounts[&slug("two")].mode, Mode::Observe);
    }
}

mod as_the_user_sees_it {
    use super::*;

    const ACCOUNT: &str = "accounts/one/account.yaml";

    fn one(more: &str) -> String {
        faults(&[(ACCOUNT, &format!("{ONE}{more}"))])
    }

    #[test]
    fn unknown_key() {
        insta::assert_snapshot!(one("stacks:\n  network: {template: network.template.yaml, regoins: [home]}\n"), @r#"
        error: unknown key `regoins`
         --> accounts/one/account.yaml:5:46
          |
        5 |   network: {template: network.template.yaml, regoins: [home]}
          |                                              ^
          = hint: did you mean `regions`?
        "#);
    }

    #[test]
    fn duplicate_key() {
        insta::assert_snapshot!(one("tags: {env: prod}\nname: Uno\n"), @r#"
        error: duplicate key `name`
         --> accounts/one/account.yaml:5:1
          |
        5 | name: Uno
          | ^
          = hint: it is already there in line 1; keep one
        "#);
    }

    #[test]
    fn account_id_without_quotes() {
        insta::assert_snapshot!(one("id: 012345678901\n"), @r#"
        error: the account id 012345678901 is not in quotes
         --> accounts/one/account.yaml:4:5
          |
        4 | id: 012345678901
          |     ^
          = hint: write "012345678901": without quotes, leading zeros get lost
        "#);
    }

    #[test]
    fn account_id_of_eleven_digits() {
        insta::assert_snapshot!(one("id: \"12345678901\"\n"), @r#"
        error: `12345678901` is not an account id (12 digits in quotes)
         --> accounts/one/account.yaml:4:5
          |
        4 | id: "12345678901"
          |     ^
        "#);
    }

    #[test]
    fn bad_and_long_email() {
        let long = format!("email: {}@example.com", "x".repeat(60));
        insta::assert_snapshot!(
            faults(&[
                (ACCOUNT, &ONE.replace("one@example.com", "one at example.com")),
                ("accounts/two/account.yaml", &TWO.replace("email: two@example.com", &long)),
            ]), @r#"
            error: `one at example.com` is not an e-mail address of 6 to 64 plain ASCII characters
             --> accounts/one/account.yaml:2:8
              |
            2 | email: one at example.com
              |        ^

            error: `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx@example.com` is not an e-mail address of 6 to 64 plain ASCII characters
             --> accounts/two/account.yaml:2:8
              |
            2 | email: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx@example.com
              |        ^
            "#);
    }

    #[test]
    fn two_folders_with_one_email_name_or_id() {
        insta::assert_snapshot!(
            faults(&[
                (ACCOUNT, &format!("{ONE}id: \"111122223333\"\n")),
                (
                    "accounts/two/account.yaml",
                    "id: \"111122223333\"\nname: One\nemail: ONE@example.com\nou: /security\n",
                ),
            ]), @r#"
            error: the id `111122223333` belongs to accounts/one already
             --> accounts/two/account.yaml:1:5
              |
            1 | id: "111122223333"
              |     ^
              = hint: no two accounts can have the same id

            error: the name `One` belongs to accounts/one already
             --> accounts/two/account.yaml:2:7
              |
            2 | name: One
              |       ^
              = hint: no two accounts can have the same name

            error: the e-mail `one@example.com` belongs to accounts/one already
             --> accounts/two/account.yaml:3:8
              |
            3 | email: ONE@example.com
              |        ^
              = hint: no two accounts can have the same e-mail
            "#);
    }

    #[test]
    fn unknown_ou() {
        insta::assert_snapshot!(faults(&[(ACCOUNT, &ONE.replace("/prod", "/prd"))]), @r#"
        error: there is no OU `/workloads/prd`
         --> accounts/one/account.yaml:3:5
          |
        3 | ou: /workloads/prd
          |     ^
          = hint: did you mean `/workloads/prod`?
        "#);
    }

    #[test]
    fn missing_template() {
        insta::assert_snapshot!(one("stacks:\n  network: {template: netwrok.template.yaml}\n"), @r#"
        error: there is no template accounts/one/netwrok.template.yaml
         --> accounts/one/account.yaml:5:23
          |
        5 |   network: {template: netwrok.template.yaml}
          |                       ^
          = hint: did you mean `network.template.yaml`?
        "#);
    }

    #[test]
    fn a_template_outside_the_folder() {
        insta::assert_snapshot!(
            one("stacks:\n  a: {template: ../two/x.template.yaml}\n  b: {template: /etc/passwd}\n"), @r#"
            error: the template `../two/x.template.yaml` is not in this folder
             --> accounts/one/account.yaml:5:17
              |
            5 |   a: {template: ../two/x.template.yaml}
              |                 ^
              = hint: a plain path below the folder of this file, without `..`

            error: the template `/etc/passwd` is not in this folder
             --> accounts/one/account.yaml:6:17
              |
            6 |   b: {template: /etc/passwd}
              |                 ^
              = hint: a plain path below the folder of this file, without `..`
            "#);
    }

    #[test]
    fn a_template_too_large() {
        let large = format!("{TEMPLATE}# {}\n", "x".repeat(51_200));
        insta::assert_snapshot!(
            faults(&[
                ("accounts/one/network.template.yaml", &large),
                (ACCOUNT, &format!("{ONE}stacks: {{network: {{template: network.template.yaml}}}}\n")),
            ]), @r#"
            error: the file has 51406 bytes, and 51200 are allowed
             --> accounts/one/network.template.yaml
              = hint: split the stack in two; larger templates come with a later version
            "#);
    }

    #[test]
    fn a_template_that_is_none() {
        insta::assert_snapshot!(
            faults(&[
                ("accounts/one/network.template.yaml", "Resources:\n  A:\n    Type: !Reff x\n"),
                (ACCOUNT, &format!("{ONE}stacks: {{network: {{template: network.template.yaml}}}}\n")),
            ]), @r#"
            error: `!Reff` is not a CloudFormation function
             --> accounts/one/network.template.yaml:3:11
              |
            3 |     Type: !Reff x
              |           ^
              = hint: cfn-lint explains templates
            "#);
    }

    #[test]
    fn symlink_submodule_and_oversized_file() {
        let mut files = small();
        files.insert("accounts/one/link.yaml".to_owned(), File::Symlink);
        files.insert("baselines/shared".to_owned(), File::Submodule);
        files.insert("accounts/three/account.yaml".to_owned(), File::TooLarge { size: 2_000_000 });
        insta::assert_snapshot!(load(&tree(files)).unwrap_err().to_string(), @r#"
        error: a symbolic link
         --> accounts/one/link.yaml
          = hint: put the file itself here

        error: the file has 2000000 bytes, and 1048576 are allowed
         --> accounts/three/account.yaml
          = hint: split it: accounts and baselines have a folder each

        error: a submodule
         --> baselines/shared
          = hint: put the files themselves here
        "#);
    }

    #[test]
    fn alias_bomb_and_deep_nesting() {
        let mut bomb = format!("{ONE}values:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..=6 {
            let below = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("  a{level}: &a{level} [{below}]\n"));
        }
        let deep = format!("{TWO}values: {{deep: {}{}}}\n", "[".repeat(70), "]".repeat(70));
        insta::assert_snapshot!(faults(&[(ACCOUNT, &bomb), ("accounts/two/account.yaml", &deep)]), @r#"
        error: more than 100000 values in one file
         --> accounts/one/account.yaml:9:47
          |
        9 |   a4: &a4 [*a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3]
          |                                               ^
          = hint: aliases multiply what they stand for; write the values out, or split the file

        error: nested more than 64 deep
         --> accounts/two/account.yaml:4:78
          |
        4 | values: {deep: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}
          |                                                                              ^
          = hint: flatten it
        "#);
    }

    #[test]
    fn not_utf8_and_not_yaml() {
        let mut files = small();
        files.insert(ACCOUNT.to_owned(), File::Blob([b'n', b'a', 0xff, 0xfe].as_slice().into()));
        files.insert("accounts/two/account.yaml".to_owned(), File::text("name: \"Two\nou: /\n"));
        insta::assert_snapshot!(load(&tree(files)).unwrap_err().to_string(), @r#"
        error: not UTF-8 from byte 2 on
         --> accounts/one/account.yaml
          = hint: save it as UTF-8 text

        error: unclosed quote
         --> accounts/two/account.yaml:1:7
          |
        1 | name: "Two
          |       ^
          = hint: check indentation, quotes and brackets up to here
        "#);
    }

    #[test]
    fn folders_that_are_none() {
        insta::assert_snapshot!(
            faults(&[
                ("accounts/Pay_ments/account.yaml", TWO),
                ("accounts/lost/account.yml", TWO),
                ("accounts/stray.yaml", TWO),
            ]), @r#"
            error: `Pay_ments` is not a folder name (lower-case letters, digits and hyphens, starting with a letter or digit, at most 63)
             --> accounts/Pay_ments
              = hint: rename the folder

            error: there is no account.yaml in it
             --> accounts/lost
              = hint: every folder in accounts/ needs one; remove the folder if it is not one of them

            error: a file outside any folder
             --> accounts/stray.yaml
              = hint: move it to accounts/<name>/account.yaml
            "#);
    }

    #[test]
    fn missing_keys_and_a_long_name() {
        let long = TWO.replace("Two", &"x".repeat(51));
        insta::assert_snapshot!(
            faults(&[(ACCOUNT, "email: one@example.com\n"), ("accounts/two/account.yaml", &long)]), @r#"
            error: the key `name` is missing
             --> accounts/one/account.yaml:1:1
              |
            1 | email: one@example.com
              | ^
              = hint: the name people see in the console

            error: the key `ou` is missing
             --> accounts/one/account.yaml:1:1
              |
            1 | email: one@example.com
              | ^
              = hint: the OU it belongs in, such as /workloads/prod; `/` is the root

            error: the name has 51 characters
             --> accounts/two/account.yaml:1:7
              |
            1 | name: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
              |       ^
              = hint: Organizations takes 1 to 50
            "#);
    }

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
          = hint: no two accounts can have the same name

        error: the e-mail `two@example.com` belongs to accounts/three already
         --> accounts/two/account.yaml:2:8
          |
        2 | email: two@example.com
          |        ^
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
              |
            8 |       Cidrs: 10.0.0.0/16
              |              ^
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
            error: stacks need each other in a circle: a needs b needs a
             --> accounts/one/account.yaml:7:12
              |
            7 |     needs: [b]
              |            ^
              = hint: take one `needs` out

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
                 Cidr: ${{ values.VpcCdir }}\n    tags:\n      archive: ${{ accounts['two'].id }}\n      odd: ${{ 1 + }}\n"),
            @r#"
            error: `values.VpcCdir` has no value here
             --> accounts/one/account.yaml:9:13
              |
            9 |       Cidr: ${{ values.VpcCdir }}
              |             ^
              = hint: known here: values.VpcCidr

            error: `accounts['two'].id` has no value here
              --> accounts/one/account.yaml:11:16
               |
            11 |       archive: ${{ accounts['two'].id }}
               |                ^
               = hint: an account's id is known once it was created and recorded: merge its folder first; a template can say !Ref AWS::AccountId for its own account

            error: the expression `1 +` does not work: unexpected end of input, expected expression
              --> accounts/one/account.yaml:12:12
               |
            12 |       odd: ${{ 1 + }}
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
              = hint: known here: mode
            "#);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The order of keys in a file is nobody's business.
    #[test]
    fn the_order_of_keys_never_matters(seed in proptest::collection::vec(any::<u64>(), 8)) {
        let shuffled = |lines: &[&str]| {
            let mut lines: Vec<_> = lines.iter().zip(seed.iter().cycle()).collect();
            lines.sort_by_key(|(line, seed)| (**seed).wrapping_mul(line.len() as u64 | 1));
            lines.into_iter().map(|(line, _)| format!("{line}\n")).collect::<String>()
        };
        let a = ["targets: {ous: [/**]}", "after: [b]", "values: {X: 1, Y: 2}"];
        let b = ["targets: {ous: [/workloads/**]}", "values: {Y: 3, X: 4}", "mode: enforce"];
        let one = [
            "name: One", "email: one@example.com", "ou: /workloads/prod", "tags: {b: x, a: y}",
            "settings: {accountAlias: 'one-${{ values.X }}-${{ values.Y }}'}",
        ];
        let build = |lines: &dyn Fn(&[&str]) -> String| {
            let mut files: Vec<_> = small().into_iter().collect();
            files.push(("baselines/a/baseline.yaml".to_owned(), File::text(lines(&a))));
            files.push(("baselines/b/baseline.yaml".to_owned(), File::text(lines(&b))));
            files.push(("accounts/one/account.yaml".to_owned(), File::text(lines(&one))));
            files
        };
        let (mut left, mut right) = (
            load(&tree(build(&shuffled))).unwrap(),
            load(&tree(build(&|lines: &[&str]| lines.join("\n")))).unwrap(),
        );
        // Lines differ, of course; nothing else may.
        for desired in [&mut left, &mut right] {
            for account in desired.accounts.values_mut() {
                account.sources.clear();
                account.settings.values_mut().for_each(|setting| setting.source.line = 0);
            }
        }
        prop_assert_eq!(left, right);
    }

    /// Whatever a file says, load answers.
    #[test]
    fn no_file_makes_load_panic(text in "\\PC{0,80}|([a-z]{1,9}: ?[\\[\\]{}*&!'\"a-z0-9/$ -]{0,12}\n){0,8}") {
        for path in ["organization/organization.yaml", "accounts/one/account.yaml", "baselines/a/baseline.yaml",
            "landfast.yaml", "accounts/one/network.template.yaml"] {
            let mut files = small();
            files.insert(path.to_owned(), File::text(&text));
            let _ = load(&tree(files));
        }
    }
}
