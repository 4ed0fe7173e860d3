//! Load as its user meets it: the example loads, and every fault is shown with place and hint.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use landfast::load::{File, Tree, load};
use landfast::model::{CommitId, Desired, Item, Mode, Setting, Slug, StackKey};
use proptest::prelude::*;
use serde_json::json;

mod adopting;
mod checks;
mod departing;
mod example_repo;
mod faults_of_files;
mod faults_of_meaning;
mod first_ou;
mod ids_to_come;
mod layers;
mod leaving;
mod limits;
mod locks;
mod meaning;
mod modes;
mod policies;
mod reached;
mod references;
mod remembering;
mod rendering;
mod rollout;
mod saml;
mod secrets;

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
const ACCOUNT: &str = "accounts/one/account.yaml";
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

/// What is seen after these lines were added to the account `one`.
fn one(more: &str) -> String {
    faults(&[(ACCOUNT, &format!("{ONE}{more}"))])
}

fn loaded(changes: &[(&str, &str)]) -> Desired {
    let mut files = small();
    files.extend(changes.iter().map(|(path, text)| ((*path).to_owned(), File::text(text))));
    let tree = tree(files);
    let desired = load(&tree).unwrap_or_else(|faults| panic!("{faults}"));
    // No editor may call wrong what loads.
    crate::schema::assert_accepted(&tree);
    desired
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The order of keys in a file is nobody's business.
    #[test]
    fn the_order_of_keys_never_matters(seed in proptest::collection::vec(any::<u64>(), 8)) {
        let shuffled = |lines: &[&str]| {
            let mut lines: Vec<_> = lines.iter().zip(seed.iter().cycle()).collect();
            lines.sort_by_key(|(line, seed)| (**seed).wrapping_mul(line.len() as u64 | 1));
            lines.into_iter().flat_map(|(line, _)| [line, "\n"]).collect::<String>()
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
            for account in desired.accounts.values_mut().map(Arc::make_mut) {
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
