//! Rules of the house that the compiler does not know.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use landfast::model::SettingKind;
use strum::VariantArray;

fn files(dir: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(dir)];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// The code of a file: neither its comments nor what comes after its unit tests begin.
fn code(path: &Path) -> String {
    let text = text(path);
    let code = text.split("#[cfg(test)]").next().unwrap();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn is_under(path: &Path, folder: &str) -> bool {
    path.starts_with(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
}

/// Files of `src` outside `folder` whose code has one of `words`.
fn offenders(words: &[&str], allowed: &[&str]) -> Vec<PathBuf> {
    files("src", "rs")
        .into_iter()
        .filter(|path| !allowed.iter().any(|folder| is_under(path, folder)))
        .filter(|path| words.iter().any(|word| code(path).contains(word)))
        .collect()
}

#[test]
fn only_src_aws_names_an_aws_sdk() {
    assert_eq!(
        offenders(&["aws_sdk_", "aws_config", "aws_smithy", "aws_types"], &["src/aws"]),
        Vec::<PathBuf>::new()
    );
}

#[test]
fn only_src_git_names_git2() {
    assert_eq!(offenders(&["git2::", "git2;"], &["src/git"]), Vec::<PathBuf>::new());
}

#[test]
fn only_src_github_names_octocrab() {
    assert_eq!(offenders(&["octocrab"], &["src/github"]), Vec::<PathBuf>::new());
}

#[test]
fn load_plan_and_model_have_no_io_clock_or_async() {
    let impure = [
        "async ",
        ".await",
        "tokio::",
        "std::fs",
        "std::net",
        "std::env",
        "SystemTime",
        "Instant",
        "Timestamp::now",
        "tracing::",
        "rand::",
        "println!",
    ];
    for folder in ["src/load", "src/plan", "src/model", "src/import"] {
        for path in files(folder, "rs") {
            let code = code(&path);
            let found: Vec<_> = impure.iter().filter(|word| code.contains(**word)).collect();
            assert!(found.is_empty(), "{} has {found:?}", path.display());
        }
    }
}

#[test]
fn plan_and_import_are_given_no_writer() {
    let offenders: Vec<_> = files("src/observe", "rs")
        .into_iter()
        .chain(files("src/plan", "rs"))
        .chain(
            ["plan", "import", "init"]
                .map(|command| Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/cli/{command}.rs"))),
        )
        .filter(|path| code(path).contains("Writer"))
        .collect();
    assert_eq!(offenders, Vec::<PathBuf>::new());
}

#[test]
fn no_file_is_longer_than_six_hundred_lines() {
    for path in files("src", "rs").into_iter().chain(files("tests", "rs")) {
        let lines = text(&path).lines().count();
        assert!(lines <= 600, "{} has {lines} lines", path.display());
    }
}

#[test]
fn every_module_opens_with_what_it_is() {
    for path in files("src", "rs") {
        assert!(text(&path).starts_with("//!"), "{} has no module header", path.display());
    }
}

/// Documents name paths in backticks; each one that looks like a path of this repository has to be there.
#[test]
fn every_path_named_in_the_documents_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = text(&root.join(document));
        for name in text.split('`').skip(1).step_by(2) {
            let is_path = ["src/", "tests/", "example-repo/", "deploy/", ".ci/"]
                .iter()
                .any(|top| name.starts_with(top));
            if is_path && !name.contains(['<', '*', ' ']) {
                assert!(root.join(name).exists(), "{document} names {name}");
            }
        }
    }
}

/// The operations that Landfast calls in accounts: `send` and `pages` are told their names, for errors and logs.
fn operations() -> BTreeSet<String> {
    let sides = ["src/aws/read", "src/aws/write"];
    let code: String = sides.iter().flat_map(|side| files(side, "rs")).map(|path| code(&path)).collect();
    let heads = [".send(", ".pages(", "let operation ="];
    let named = heads.iter().flat_map(|head| code.split(head).skip(1)).filter_map(|rest| {
        let name = rest.trim_start().strip_prefix('"')?.split_once('"')?.0;
        name.starts_with(char::is_uppercase).then(|| name.to_owned())
    });
    named.collect()
}

#[test]
fn the_readme_lists_every_permission_that_is_used() {
    let operations = operations();
    assert!(operations.len() > 20, "{operations:?}");
    let readme = text(&Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"));
    let missing: Vec<_> = operations.iter().filter(|name| !readme.contains(&format!("{name}`"))).collect();
    assert_eq!(missing, Vec::<&String>::new());
}

/// A kind of setting nobody can look at is one nobody will use.
#[test]
fn the_example_has_a_setting_of_every_kind() {
    let example: String = files("example-repo", "yaml").iter().map(|path| text(path)).collect();
    for kind in SettingKind::VARIANTS {
        assert!(example.contains(&format!("  {}:", kind.key())), "{}", kind.key());
    }
}
