//! Faults one file has on its own, as the user sees them.

use std::fmt::Write;

use super::*;

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
fn a_bom_takes_no_column() {
    insta::assert_snapshot!(faults(&[(ACCOUNT, &format!("\u{feff}nmae: One\n{ONE}"))]), @"
    error: unknown key `nmae`
     --> accounts/one/account.yaml:1:1
      |
    1 | nmae: One
      | ^
      = hint: did you mean `name`?
    ");
}

#[test]
fn roles_an_account_may_not_name_and_one_that_is_none() {
    insta::assert_snapshot!(one("access: {newAccountRole: Mine, stackRole: a/b}\n"), @r"
    error: unknown key `newAccountRole`
     --> accounts/one/account.yaml:4:10
      |
    4 | access: {newAccountRole: Mine, stackRole: a/b}
      |          ^
      = hint: known here: role, readRole, stackRole, externalId

    error: `a/b` is not an IAM role name
     --> accounts/one/account.yaml:4:43
      |
    4 | access: {newAccountRole: Mine, stackRole: a/b}
      |                                           ^
    ");
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
fn two_accounts_that_are_there_may_have_one_name_and_one_that_is_not_may_not() {
    const TWO: &str = "accounts/two/account.yaml";
    let two = |id: &str| format!("{id}name: One\nemail: two@example.com\nou: /security\n");
    let one = format!("{ONE}id: \"111122223333\"\n");
    let made = two("id: \"444455556666\"\n");
    assert_eq!(loaded(&[(ACCOUNT, &one), (TWO, &made)]).accounts.len(), 2);
    let said = faults(&[(ACCOUNT, &one), (TWO, &two(""))]);
    assert!(said.contains("the name `One` belongs to accounts/one already"), "{said}");
}

#[test]
fn two_folders_with_one_email_or_id() {
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
          = see: accounts/one/account.yaml:4:5: the first one
          = hint: no two accounts can have the same id

        error: the e-mail `one@example.com` belongs to accounts/one already
         --> accounts/two/account.yaml:3:8
          |
        3 | email: ONE@example.com
          |        ^
          = see: accounts/one/account.yaml:2:8: the first one
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
        writeln!(bomb, "  a{level}: &a{level} [{below}]").unwrap();
    }
    let deep = format!("{TWO}values: {{deep: {}{}}}\n", "[".repeat(70), "]".repeat(70));
    insta::assert_snapshot!(faults(&[(ACCOUNT, &bomb), ("accounts/two/account.yaml", &deep)]), @r#"
    error: more than 100000 values in one file, 64 bytes of text counted as one
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
fn an_expression_without_quotes_inside_braces() {
    insta::assert_snapshot!(one("settings: {accountAlias: ${{ account.slug }}}\n"), @r#"
    error: while parsing a flow mapping, did not find expected ',' or '}'
     --> accounts/one/account.yaml:4:27
      |
    4 | settings: {accountAlias: ${{ account.slug }}}
      |                           ^
      = hint: inside { } and [ ] an expression needs quotes: "${{ … }}"
    "#);
}

#[test]
fn folders_that_are_none() {
    insta::assert_snapshot!(
        faults(&[
            ("accounts/Pay_ments/account.yaml", TWO),
            ("accounts/lost/notes.md", TWO),
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
fn a_known_file_that_ends_in_yml_is_never_passed_over() {
    let mut files = small();
    let organization = files.remove("organization/organization.yaml").unwrap();
    files.insert("organization/organization.yml".to_owned(), organization);
    for path in ["landfast.yml", "accounts/three/account.yml", "accounts/two/account.yml"] {
        files.insert(path.to_owned(), File::text("mode: enforce\n"));
    }
    files.insert("baselines/a/baseline.yml".to_owned(), File::text("targets: {ous: [/**]}\n"));
    // What is none of them may be called as it likes.
    files.insert("accounts/one/notes.yml".to_owned(), File::text("x"));
    insta::assert_snapshot!(load(&tree(files)).unwrap_err().to_string(), @"
    error: a file that is never read
     --> accounts/three/account.yml
      = hint: rename it to accounts/three/account.yaml

    error: a file that is never read
     --> accounts/two/account.yml
      = hint: accounts/two/account.yaml is there too; keep one

    error: a file that is never read
     --> baselines/a/baseline.yml
      = hint: rename it to baselines/a/baseline.yaml

    error: a file that is never read
     --> landfast.yml
      = hint: rename it to landfast.yaml

    error: the file is missing
     --> organization/organization.yaml
      = hint: rename organization/organization.yml

    error: a file that is never read
     --> organization/organization.yml
      = hint: rename it to organization/organization.yaml
    ");
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
