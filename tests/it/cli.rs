//! The command line as its user meets it: the program itself is run, in an empty environment.

use std::path::Path;
use std::process::{Command, Output};

fn landfast(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_landfast");
    Command::new(program).args(arguments).env_clear().output().unwrap()
}

fn stdout(arguments: &[&str]) -> String {
    let output = landfast(arguments);
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{arguments:?}: help is data");
    text(&output.stdout)
}

fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_first_page_says_what_it_is_and_how_to_begin() {
    insta::assert_snapshot!(stdout(&["--help"]), @"
    Fastens AWS accounts to a git repository.

    A repository holds one folder for each AWS account. Landfast creates the accounts, configures them,
    keeps them as the repository says, and opens a GitHub issue, with the diff and who did it, when
    anything changes out of band.

    Usage: landfast <COMMAND>

    Commands:
      sandbox   Try everything on this machine, without credentials
      run       Keep the organization as the repository says, for good
      plan      Show what would change and what has drifted, and change nothing
      apply     Bring everything in line once, then end
      validate  Check the files of the desired state, and ask nobody else
      explain   Say why an account is as it is
      render    Print a whole account as one file
      new       Write a new folder
      schema    Print the JSON Schema of a file, for editors
      init      Write a minimal repository
      import    Write down an organization that is there
      help      Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    First steps:
      landfast sandbox                              see it work, with nothing but this machine
      landfast import --region eu-west-1            write down what you have; it cannot write to AWS
      landfast plan --repo https://git…/accounts    see what it would do to yours; it cannot write
      landfast run --repo … --mode observe          the safe first day: look and record, write nothing

    AWS credentials come from the default chain; AWS_ENDPOINT_URL, GITHUB_TOKEN and RUST_LOG are read
    too.
    ");
}

#[test]
fn plan_says_what_its_exit_status_means() {
    insta::assert_snapshot!(stdout(&["plan", "-h"]), @r#"
    Show what would change and what has drifted, and change nothing

    Usage: landfast plan [OPTIONS] --repo <URL|DIR>

    Options:
          --repo <URL|DIR>           Git remote (https, ssh or a path), or a plain directory, that holds
                                     the desired state [env: LANDFAST_REPO]
          --branch <NAME>            Branch to follow [env: LANDFAST_BRANCH] [default: main]
          --observed-repo <URL|DIR>  Where the branch `landfast/observed` is kept, if not in the same
                                     repository [env: LANDFAST_OBSERVED_REPO]
          --signing-key <FILE>       OpenSSH ed25519 private key that signs what is recorded; without
                                     one, no record is believed [env: LANDFAST_SIGNING_KEY]
          --token-file <FILE>        File with the token for GitHub and for git over https, in place of
                                     GITHUB_TOKEN [env: GITHUB_TOKEN_FILE]
          --account <SLUG>           Only this account, by the name of its folder
          --mode <MODE>              How far to go at the most, whatever the repository says [env:
                                     LANDFAST_MODE] [default: enforce] [possible values: observe,
                                     report, enforce]
          --concurrency <N>          How many accounts to work on at once [default: 32]
          --allow-management         Let the management account be written too, from inside and outside
          --config <FILE>            The operator's own limits (landfast.toml): new accounts a day,
                                     protected stacks and so on [env: LANDFAST_CONFIG]
          --approve <COMMIT>         Let this commit (its full id) pass the guards and the history
                                     check; may be given more than once
          --format <FORMAT>          How to print the plan [default: text] [possible values: text, json]
          --detect-drift             Ask CloudFormation to look for resource drift first, instead of
                                     taking its last answer
      -h, --help                     Print help (see more with '--help')
      -V, --version                  Print version

    Exit status: 0 nothing to do, 2 something to do or drifted, 1 an error or something unreadable.
    "#);
}

#[test]
fn the_other_commands_fit_on_a_screen() {
    insta::assert_snapshot!(stdout(&["sandbox", "-h"]), @r"
    Try everything on this machine, without credentials

    Usage: landfast sandbox [OPTIONS]

    Options:
          --once           End after the story: status 0 when it came out as it should, 1 and a reason
                           otherwise
          --state <DIR>    Keep what the sandbox makes in this folder instead of a temporary one
          --example <DIR>  Folder to make the git remote from [default: example-repo]
      -h, --help           Print help (see more with '--help')
      -V, --version        Print version

    Exit status with --once: 0 the story came out as it should, 1 it did not, and why.
    ");
    insta::assert_snapshot!(stdout(&["apply", "-h"]), @r#"
    Bring everything in line once, then end

    Usage: landfast apply [OPTIONS] --repo <URL|DIR>

    Options:
          --repo <URL|DIR>           Git remote (https, ssh or a path), or a plain directory, that holds
                                     the desired state [env: LANDFAST_REPO]
          --branch <NAME>            Branch to follow [env: LANDFAST_BRANCH] [default: main]
          --observed-repo <URL|DIR>  Where the branch `landfast/observed` is kept, if not in the same
                                     repository [env: LANDFAST_OBSERVED_REPO]
          --signing-key <FILE>       OpenSSH ed25519 private key that signs what is recorded; without
                                     one, no record is believed [env: LANDFAST_SIGNING_KEY]
          --token-file <FILE>        File with the token for GitHub and for git over https, in place of
                                     GITHUB_TOKEN [env: GITHUB_TOKEN_FILE]
          --account <SLUG>           Only this account, by the name of its folder
          --mode <MODE>              How far to go at the most, whatever the repository says [env:
                                     LANDFAST_MODE] [default: enforce] [possible values: observe,
                                     report, enforce]
          --concurrency <N>          How many accounts to work on at once [default: 32]
          --allow-management         Let the management account be written too, from inside and outside
          --config <FILE>            The operator's own limits (landfast.toml): new accounts a day,
                                     protected stacks and so on [env: LANDFAST_CONFIG]
          --approve <COMMIT>         Let this commit (its full id) pass the guards and the history
                                     check; may be given more than once
          --timeout <DURATION>       Give up waiting for AWS after this long [default: 60m]
      -h, --help                     Print help (see more with '--help')
      -V, --version                  Print version

    GitHub:
          --github <OWNER/NAME>   Repository for issues and pull requests, with the token in
                                  GITHUB_TOKEN; without it they are printed [env: LANDFAST_GITHUB]
          --github-api-url <URL>  GitHub's API [env: GITHUB_API_URL] [default: https://api.github.com]

    Exit status: 0 all in line, 2 something is left for a person, 1 an error or something unreadable.
    "#);
    insta::assert_snapshot!(stdout(&["run", "-h"]), @r#"
    Keep the organization as the repository says, for good

    Usage: landfast run [OPTIONS] --repo <URL|DIR>

    Options:
          --repo <URL|DIR>                 Git remote (https, ssh or a path), or a plain directory, that
                                           holds the desired state [env: LANDFAST_REPO]
          --branch <NAME>                  Branch to follow [env: LANDFAST_BRANCH] [default: main]
          --observed-repo <URL|DIR>        Where the branch `landfast/observed` is kept, if not in the
                                           same repository [env: LANDFAST_OBSERVED_REPO]
          --signing-key <FILE>             OpenSSH ed25519 private key that signs what is recorded;
                                           without one, no record is believed [env:
                                           LANDFAST_SIGNING_KEY]
          --token-file <FILE>              File with the token for GitHub and for git over https, in
                                           place of GITHUB_TOKEN [env: GITHUB_TOKEN_FILE]
          --account <SLUG>                 Only this account, by the name of its folder
          --mode <MODE>                    How far to go at the most, whatever the repository says [env:
                                           LANDFAST_MODE] [default: enforce] [possible values: observe,
                                           report, enforce]
          --concurrency <N>                How many accounts to work on at once [default: 32]
          --allow-management               Let the management account be written too, from inside and
                                           outside
          --config <FILE>                  The operator's own limits (landfast.toml): new accounts a
                                           day, protected stacks and so on [env: LANDFAST_CONFIG]
          --approve <COMMIT>               Let this commit (its full id) pass the guards and the history
                                           check; may be given more than once
          --poll <DURATION>                How often the remote is asked for new commits [default: 60s]
          --resync <DURATION>              How often every account is looked at although nothing asked
                                           for it [default: 10m]
          --detect-drift-every <DURATION>  How often CloudFormation is asked to look for resource drift
                                           [default: 1h]
          --listen <ADDRESS>               Address of /healthz, /readyz and /metrics [default:
                                           127.0.0.1:8080]
          --log-format <FORMAT>            How logs are written [default: text] [possible values: text,
                                           json]
      -h, --help                           Print help (see more with '--help')
      -V, --version                        Print version

    GitHub:
          --github <OWNER/NAME>   Repository for issues and pull requests, with the token in
                                  GITHUB_TOKEN; without it they are printed [env: LANDFAST_GITHUB]
          --github-api-url <URL>  GitHub's API [env: GITHUB_API_URL] [default: https://api.github.com]

    Durations are written 90s, 10m or 1h30m. The mode is a ceiling: the repository can ask for less,
    never for more.
    SIGTERM and Ctrl-C end it within 10 seconds; killed at any moment, it goes on from git and AWS
    alone.
    "#);
}

#[test]
fn no_help_is_wider_than_a_hundred_columns_and_none_shows_a_token() {
    for page in [
        &["--help"][..],
        &["sandbox", "--help"],
        &["run", "--help"],
        &["plan", "--help"],
        &["apply", "--help"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_landfast"))
            .args(page)
            .env_clear()
            .env("GITHUB_TOKEN", "ghp_a-secret-word")
            .env("LANDFAST_REPO", "https://me:a-secret-word@git.example/accounts")
            .output()
            .unwrap();
        let page = text(&output.stdout);
        assert!(page.lines().all(|line| line.chars().count() <= 100), "{page}");
        assert!(!page.contains("a-secret-word"), "{page}");
    }
}

#[test]
fn a_token_file_holds_the_token_and_nothing_else_and_no_complaint_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        write(folder.path(), name, text);
        folder.path().join(name).display().to_string()
    };
    let (empty, two) = (file("empty", "\n"), file("two", "a-secret-word and more"));
    let (good, missing) =
        (file("good", "a-secret-word\n"), folder.path().join("missing").display().to_string());
    for (path, variable, complaint) in [
        (&missing, "", format!("the token file {missing}: ")),
        (&empty, "", format!("the token file {empty} must hold the token and nothing else")),
        (&two, "", format!("the token file {two} must hold the token and nothing else")),
        (&good, "a-secret-word", "keep one of them".to_owned()),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_landfast"));
        let repo = folder.path().to_str().unwrap();
        command.args(["run", "--listen", "127.0.0.1:0", "--repo", repo, "--github", "acme/accounts"]);
        command.env_clear().env("GITHUB_TOKEN_FILE", path);
        if !variable.is_empty() {
            command.env("GITHUB_TOKEN", variable);
        }
        let output = command.output().unwrap();
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(&complaint), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
}

#[test]
fn bad_usage_exits_1_since_2_means_that_something_was_found() {
    for (arguments, complaint) in [
        (&["plan"][..], "--repo <URL|DIR>"),
        (&["plan", "--repo", ".", "--nonsense"], "--nonsense"),
        (&["plan", "--repo", ".", "--format", "xml"], "[possible values: text, json]"),
        (&["apply", "--repo", ".", "--timeout", "never"], "such as 90s, 10m or 1h"),
        (&["run", "--repo", ".", "--account", "Not A Slug"], "Not A Slug"),
        (
            &["run", "--repo", "example-repo", "--listen", "127.0.0.1:0", "--simulated-speed", "9"],
            "set AWS_ENDPOINT_URL",
        ),
        (&["frobnicate"], "frobnicate"),
        (&[], "Usage: landfast <COMMAND>"),
    ] {
        let output = landfast(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert_eq!(text(&output.stdout), "", "{arguments:?}: complaints are no data");
        assert!(text(&output.stderr).contains(complaint), "{arguments:?}: {}", text(&output.stderr));
    }
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn a_repository_that_does_not_load_is_told_with_all_its_faults_and_exits_1() {
    let folder = tempfile::tempdir().unwrap();
    let organization = "id: o-exampleorgid\nmanagementAccount: \"999988887777\"\nhomeRegion: eu-west-1\nous: {security: {}}\n";
    write(folder.path(), "organization/organization.yaml", organization);
    write(folder.path(), "accounts/one/account.yaml", "name: One\nemail: one@example.com\nou: /nowhere\n");
    write(
        folder.path(),
        "accounts/two/account.yaml",
        "name: Two\nemail: one@example.com\nou: /security\nnmae: x\n",
    );
    let output = landfast(&["plan", "--repo", folder.path().to_str().unwrap()]);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(1), ""));
    insta::assert_snapshot!(text(&output.stderr), @r"
    error: there is no OU `/nowhere`
     --> accounts/one/account.yaml:3:5
      |
    3 | ou: /nowhere
      |     ^
      = hint: known here: /security

    error: the e-mail `one@example.com` belongs to accounts/one already
     --> accounts/two/account.yaml:2:8
      |
    2 | email: one@example.com
      |        ^
      = see: accounts/one/account.yaml:2:8: the first one
      = hint: no two accounts can have the same e-mail

    error: unknown key `nmae`
     --> accounts/two/account.yaml:4:1
      |
    4 | nmae: x
      | ^
      = hint: did you mean `name`?

    error: the repository does not load, so nothing was looked at and nothing was changed
    ");
}

#[test]
fn a_repository_that_is_not_there_is_one_line_and_exits_1() {
    let output = landfast(&["plan", "--repo", "/nowhere/to/be/found"]);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(1), ""));
    insta::assert_snapshot!(text(&output.stderr), @"error: `/nowhere/to/be/found` is not a repository these credentials can see: unsupported URL protocol");
}
