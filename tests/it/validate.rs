//! `landfast validate` as hooks, editors and workflows meet it: the program itself is run.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn validate(directory: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_landfast"));
    command.args(["validate", "--repo"]).arg(directory).args(more).env_clear();
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

const ORGANIZATION: &str = "id: o-exampleorgid
managementAccount: \"999988887777\"
homeRegion: eu-west-1
ous: {prod: {}}
";

/// A repository without a fault in which one account is reached by no baseline.
fn small(root: &Path) {
    write(root, "organization/organization.yaml", ORGANIZATION);
    write(root, "accounts/one/account.yaml", "name: One\nemail: one@example.com\nou: /prod\n");
    write(root, "accounts/two/account.yaml", "name: Two\nemail: two@example.com\nou: /prod\n");
    write(root, "baselines/a/baseline.yaml", "targets: {accounts: [one]}\n");
}

fn git(directory: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.arg("-C").arg(directory).args(["-c", "user.name=t", "-c", "user.email=t@example.com"]);
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

/// A commit in which an account is under a lock, below a folder of the work tree; then it is not.
fn fleeing(root: &Path) -> PathBuf {
    let directory = root.join("infra");
    small(&directory);
    write(
        &directory,
        "baselines/a/baseline.yaml",
        "targets: {ous: [/**], tags: {env: prod}}\nlocked: [values.Env]\nvalues: {Env: prod}\n",
    );
    let account = |name: &str, env: &str| {
        format!("name: {name}\nemail: {name}@example.com\nou: /prod\ntags: {{env: {env}}}\n")
    };
    write(&directory, "accounts/one/account.yaml", &account("one", "prod"));
    write(&directory, "accounts/two/account.yaml", &account("two", "prod"));
    git(root, &["init", "--quiet", "--initial-branch", "main"]);
    git(root, &["add", "."]);
    git(root, &["commit", "--quiet", "--message", "First"]);
    write(&directory, "accounts/one/account.yaml", &account("one", "dev"));
    directory
}

#[test]
fn an_account_that_would_leave_a_lock_is_said_against_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    let directory = fleeing(folder.path());
    assert_eq!(validate(&directory, &[]).status.code(), Some(0), "one commit alone cannot tell");
    let output = validate(&directory, &["--against", "main"]);
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(1), ""));
    insta::assert_snapshot!(text(&output.stdout), @"
    warning: no baseline reaches accounts/one
     --> accounts/one/account.yaml:3:5
      |
    3 | ou: /prod
      |     ^
      = hint: if that is meant, let a baseline say so: `exclude`, with a reason

    error: accounts/one would leave the lock of `values.Env`
     --> accounts/one/account.yaml:3:5
      |
    3 | ou: /prod
      |     ^
      = see: baselines/a/baseline.yaml:2:10: locked here
      = hint: put its ou and tags back, or leave it out by name there, with a reason

    1 error and 1 warning of 2 accounts and 1 baseline
    ");
    git(&directory, &["commit", "--quiet", "--all", "--message", "Flee"]);
    assert_eq!(validate(&directory, &["--against", "HEAD"]).status.code(), Some(0));
    assert_eq!(validate(&directory, &["--against", "HEAD~1"]).status.code(), Some(1));
}

#[test]
fn what_cannot_be_compared_with_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let directory = fleeing(folder.path());
    let seen = |directory: &Path, commit: &str| {
        let output = validate(directory, &["--against", commit]);
        (output.status.code(), text(&output.stderr))
    };
    let (code, told) = seen(&directory, "origin/main");
    assert!(
        code == Some(1) && told.contains("`origin/main` leads to no commit in the repository of"),
        "{told}"
    );
    let alone = tempfile::tempdir().unwrap();
    small(alone.path());
    let (code, told) = seen(alone.path(), "main");
    assert!(code == Some(1) && told.contains("is in no work tree of git"), "{told}");
    // Whoever mends a branch that does not load is not held up by it.
    write(&directory, "landfast.yaml", "mod: report\n");
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "--quiet", "--message", "Break"]);
    std::fs::remove_file(directory.join("landfast.yaml")).unwrap();
    let (code, told) = seen(&directory, "main");
    assert!(code == Some(0) && told.starts_with("note: `main` does not load"), "{told}");
}

#[test]
fn the_example_is_valid_and_there_is_nothing_to_say() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("example-repo");
    let output = validate(&example, &["--deny-warnings"]);
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
    assert_eq!(text(&output.stdout), "nothing to say of 6 accounts and 2 baselines\n");
}

#[test]
fn warnings_end_with_0_unless_they_are_denied_and_errors_with_1() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let warned = validate(folder.path(), &[]);
    assert_eq!(warned.status.code(), Some(0));
    insta::assert_snapshot!(text(&warned.stdout), @"
    warning: no baseline reaches accounts/two
     --> accounts/two/account.yaml:3:5
      |
    3 | ou: /prod
      |     ^
      = hint: if that is meant, let a baseline say so: `exclude`, with a reason

    1 warning of 2 accounts and 1 baseline
    ");
    assert_eq!(validate(folder.path(), &["--deny-warnings"]).status.code(), Some(1));
    write(folder.path(), "accounts/two/account.yaml", "name: Two\nemail: two@example.com\nou: /prd\n");
    let refused = validate(folder.path(), &[]);
    assert_eq!((refused.status.code(), text(&refused.stderr).as_str()), (Some(1), ""));
    insta::assert_snapshot!(text(&refused.stdout), @"
    warning: no baseline reaches accounts/two
     --> accounts/two/account.yaml:3:5
      |
    3 | ou: /prd
      |     ^
      = hint: if that is meant, let a baseline say so: `exclude`, with a reason

    error: there is no OU `/prd`
     --> accounts/two/account.yaml:3:5
      |
    3 | ou: /prd
      |     ^
      = hint: did you mean `/prod`?

    1 error and 1 warning of 2 accounts and 1 baseline
    ");
}

#[test]
fn a_work_tree_is_read_as_it_lies_and_a_remote_as_it_is_committed() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    git(folder.path(), &["init", "--quiet", "--initial-branch", "trunk"]);
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "--quiet", "-m", "all"]);
    write(folder.path(), "accounts/two/account.yaml", "name: Two\n");
    assert_eq!(validate(folder.path(), &[]).status.code(), Some(1));
    let remote = format!("file://{}", folder.path().display());
    let output = validate(Path::new(&remote), &["--branch", "trunk"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn annotations_are_placed_by_paths_from_the_root_of_the_work_tree() {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "--quiet"]);
    let below = folder.path().join("infra/aws");
    small(&below);
    insta::assert_snapshot!(text(&validate(&below, &["--format", "github"]).stdout), @"::warning file=infra/aws/accounts/two/account.yaml,line=3,col=5,title=Landfast%3A unreached::no baseline reaches accounts/two%0Ahint: if that is meant, let a baseline say so: `exclude`, with a reason");
    let page: Value = serde_json::from_slice(&validate(&below, &["--format", "sarif"]).stdout).unwrap();
    let place = &page["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "infra/aws/accounts/two/account.yaml");
}

#[test]
fn a_file_of_the_repository_that_ends_in_yml_is_seen_in_a_directory_and_in_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    write(folder.path(), "landfast.yml", "mode: enforce\n");
    git(folder.path(), &["init", "--quiet", "--initial-branch", "main"]);
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "--quiet", "-m", "all"]);
    let remote = format!("file://{}", folder.path().display());
    for place in [folder.path(), Path::new(&remote)] {
        let output = validate(place, &[]);
        let seen = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1));
        assert!(seen.contains("landfast.yml\n  = hint: rename it to landfast.yaml\n"), "{seen}");
    }
}

#[test]
fn what_is_printed_for_programs_is_json_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    for (format, key) in [("json", "diagnostics"), ("sarif", "runs")] {
        let output = validate(folder.path(), &["--format", format]);
        let page: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(page[key].as_array().is_some_and(|list| !list.is_empty()), "{page}");
    }
}

#[test]
fn an_exclusion_that_has_ended_is_said_with_the_days_of_today() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let baseline = "targets: {ous: [/prod], exclude: {two: \"OPS-1, until 2020-01-01\"}}\n";
    write(folder.path(), "baselines/a/baseline.yaml", baseline);
    let output = text(&validate(folder.path(), &[]).stdout);
    assert!(
        output.contains("warning: the exclusion of `two` has ended: OPS-1, until 2020-01-01"),
        "{output}"
    );
}

#[test]
fn a_folder_that_is_not_there_is_a_complaint_and_no_data() {
    let output = validate(Path::new("/nowhere/to/be/found"), &["--format", "json"]);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(1), ""));
    assert!(text(&output.stderr).starts_with("error: "));
}
