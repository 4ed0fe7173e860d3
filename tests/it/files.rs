//! `explain`, `render` and `new`, as their user meets them: the program itself is run on a folder of files.

use std::path::Path;
use std::process::{Command, Output};

fn landfast(folder: &Path, arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_landfast");
    Command::new(program).args(arguments).current_dir(folder).env_clear().output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// What was printed by a command that has to succeed.
fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = landfast(folder, arguments);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()), "{arguments:?}");
    text(&output.stdout)
}

/// What was said by a command that has to fail, and that prints no data then.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = landfast(folder, arguments);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()), "{arguments:?}");
    text(&output.stderr)
}

/// A copy of the example that looks like a work tree: what git has of it must not count.
fn work_tree() -> tempfile::TempDir {
    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let (from, name) = {
                let entry = entry.unwrap();
                (entry.path(), entry.file_name())
            };
            if from.is_dir() {
                copy(&from, &to.join(name));
            } else {
                _ = std::fs::copy(&from, to.join(name)).unwrap();
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("example-repo"), folder.path());
    std::fs::create_dir_all(folder.path().join(".git")).unwrap();
    folder
}

#[test]
fn explain_shows_what_decides_and_everybody_who_spoke() {
    let folder = work_tree();
    insta::assert_snapshot!(printed(folder.path(), &["explain", "accounts/payments-prod", "settings.passwordPolicy.minimumLength"]), @"
    accounts/payments-prod

    settings.passwordPolicy.minimumLength: 16
      > accounts/payments-prod/account.yaml:10  16
        baselines/security/baseline.yaml:16     14
    ");
    insta::assert_snapshot!(printed(folder.path(), &["explain", "scratch", "stacks.audit-trail"]), @"
    accounts/scratch
    left out of stacks.config-recorder by baselines/security/baseline.yaml:42: OPS-1231, recording what is thrown away costs more than it tells, until 2027-06-30

    stacks.audit-trail.parameters.KeepDays: 30
      > baselines/security/baseline.yaml:34  ${{ values.TrailDays }}

    stacks.audit-trail.template: baselines/security/audit-trail.template.yaml
      > baselines/security/baseline.yaml:32  baselines/security/audit-trail.template.yaml
        locked by baselines/security/baseline.yaml:7
    ");
    insta::assert_snapshot!(printed(folder.path(), &["explain", "scratch", "tags"]), @"
    accounts/scratch
    left out of stacks.config-recorder by baselines/security/baseline.yaml:42: OPS-1231, recording what is thrown away costs more than it tells, until 2027-06-30

    tags.company: acme
      > organization/organization.yaml:14  acme

    tags.costCenter: 1000
      > accounts/scratch/account.yaml:5  1000

    tags.env: scratch
      > accounts/scratch/account.yaml:5  scratch

    tags.owner: platform
      > accounts/scratch/account.yaml:5  platform
    ");
}

#[test]
fn explain_says_what_there_is_instead_of_what_is_not() {
    let folder = work_tree();
    let seen = refused(folder.path(), &["explain", "accounts/payment-prod"]);
    assert!(
        seen.contains("there is no folder accounts/payment-prod; there are log-archive, management"),
        "{seen}"
    );
    let seen = refused(folder.path(), &["explain", "scratch", "settings.pasword"]);
    assert!(
        seen.contains("nobody speaks of `settings.pasword` in accounts/scratch; there are name,"),
        "{seen}"
    );
}

#[test]
fn a_work_tree_is_read_as_it_lies_and_its_faults_are_shown() {
    let folder = work_tree();
    std::fs::write(folder.path().join("landfast.yaml"), "mod: report\n").unwrap();
    insta::assert_snapshot!(refused(folder.path(), &["explain", "scratch"]), @r"
    error: unknown key `mod`
     --> landfast.yaml:1:1
      |
    1 | mod: report
      | ^
      = hint: did you mean `mode`?

    error: the repository does not load
    ");
}

#[test]
fn a_rendered_repository_holds_an_account_with_those_it_takes_from_and_renders_the_same_again() {
    let (folder, into) = (work_tree(), tempfile::tempdir().unwrap());
    let into = into.path().join("one");
    let first = printed(folder.path(), &["render", "accounts/payments-prod"]);
    assert_eq!(printed(folder.path(), &["render", "payments-prod", "--into", into.to_str().unwrap()]), "");
    let again = printed(&into, &["render", "payments-prod"]);
    let paths = |text: &str| text.replace("baselines/security/", "");
    assert_eq!(paths(&again), paths(&first));
    let seen = refused(folder.path(), &["render", "payments-prod", "--into", into.to_str().unwrap()]);
    assert!(seen.contains("account.yaml: "), "nothing is overwritten: {seen}");
}

#[test]
fn new_account_writes_a_folder_that_loads_and_overwrites_nothing() {
    let folder = work_tree();
    let arguments = [
        "new",
        "account",
        "search-prod",
        "--ou",
        "/workloads/prod",
        "--tag",
        "owner=search",
        "--tag",
        "costCenter=3200",
    ];
    assert_eq!(printed(folder.path(), &arguments), "accounts/search-prod/account.yaml");
    let written = std::fs::read_to_string(folder.path().join("accounts/search-prod/account.yaml")).unwrap();
    insta::assert_snapshot!(written, @r#"
    # yaml-language-server: $schema=../../.landfast/schemas/account.yaml.json
    name: Search Prod
    ou: /workloads/prod
    tags:
      owner: search
      costCenter: "3200"
    "#);
    let email = printed(folder.path(), &["explain", "search-prod", "email"]);
    assert!(email.contains("email: aws+search-prod@example.com"), "{email}");
    let seen = refused(folder.path(), &arguments);
    assert!(seen.contains("accounts/search-prod is there already; nothing was written"), "{seen}");
}

#[test]
fn new_account_writes_nothing_that_would_not_load() {
    let folder = work_tree();
    insta::assert_snapshot!(refused(folder.path(), &["new", "account", "search-prod", "--ou", "/workload/prod", "--name", "Acme Scratch"]), @"
    error: the tag `costCenter` is missing
     --> accounts/search-prod/account.yaml
      = see: organization/organization.yaml:15:25: every account has to have it
      = hint: give the account one: `tags: {costCenter: …}`

    error: the tag `owner` is missing
     --> accounts/search-prod/account.yaml
      = see: organization/organization.yaml:15:18: every account has to have it
      = hint: give the account one: `tags: {owner: …}`

    error: the name `Acme Scratch` belongs to accounts/scratch already
     --> accounts/search-prod/account.yaml:2:7
      |
    2 | name: Acme Scratch
      |       ^
      = see: accounts/scratch/account.yaml:3:7: the first one
      = hint: no two accounts can have the same name

    error: there is no OU `/workload/prod`
     --> accounts/search-prod/account.yaml:3:5
      |
    3 | ou: /workload/prod
      |     ^
      = hint: did you mean `/workloads/prod`?

    error: accounts/search-prod/account.yaml was not written: it would not load
    ");
    assert!(!folder.path().join("accounts/search-prod").exists());
}
