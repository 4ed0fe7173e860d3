//! Finding the files that matter in the tree, and reading each one on its own.

use std::ops::Bound;
use std::sync::Arc;

use super::diagnostic::{Faults, Spot};
use super::fields::Reader;
use super::layer::Layer;
use super::memory::{Content, Memory};
use super::names;
use super::pieces::has_expression;
use super::raw;
use super::rollout::Declared;
use super::rule::Rule;
use super::tree::{File, Tree};
use crate::model::Slug;
use crate::yaml::{self, Node};

/// How large a file may be, and what to do about a larger one.
pub(super) struct Limit {
    pub(super) bytes: u64,
    pub(super) hint: &'static str,
}

/// The largest sensible file of ours is far smaller.
const FILE: Limit = Limit { bytes: 1 << 20, hint: "split it: accounts and baselines have a folder each" };
const REPOSITORY: &str = "landfast.yaml";
const ORGANIZATION: &str = "organization/organization.yaml";

/// All files of the repository that could be read.
pub(super) struct Files {
    pub(super) repository: Arc<raw::Repository>,
    pub(super) organization: Arc<raw::Organization>,
    pub(super) baselines: Vec<Arc<raw::Baseline>>,
    pub(super) accounts: Vec<Arc<raw::Account>>,
    /// True when some folder of an account could not be read at all.
    pub(super) incomplete: bool,
}

/// Reads every file that matters, but for those that are as they were.
pub(super) fn read(tree: &Tree, memory: &mut Memory, faults: &mut Faults) -> Files {
    check_kinds(tree, faults);
    names::check(tree, faults);
    check_endings(tree, faults);
    let repository = read_repository(tree, memory, faults);
    let organization = read_organization(tree, memory, faults);
    let baselines = folders(tree, "baselines/", "baseline.yaml", faults);
    let baselines =
        baselines.iter().filter_map(|folder| read_baseline(tree, folder, memory, faults)).collect();
    let folders = folders(tree, "accounts/", "account.yaml", faults);
    if folders.is_empty() {
        let hint =
            "one folder per account: accounts/<name>/account.yaml; removing the last one closes nothing";
        faults.report(Rule::MissingFile, &Spot::file("accounts"), "there is no account folder", hint);
    }
    let accounts = read_accounts(tree, &folders, memory, faults);
    let incomplete = accounts.len() < folders.len();
    Files { repository, organization, baselines, accounts, incomplete }
}

/// Nothing but plain files: a link could point anywhere, and another repository is not at this commit.
fn check_kinds(tree: &Tree, faults: &mut Faults) {
    for (path, file) in &tree.files {
        let spot = Spot::file(path);
        match file {
            _ if !Tree::matters(path) => {}
            File::Symlink => {
                faults.report(Rule::FileKind, &spot, "a symbolic link", "put the file itself here");
            }
            File::Submodule => {
                faults.report(Rule::FileKind, &spot, "a submodule", "put the files themselves here");
            }
            File::TooLarge { .. } | File::Blob(_) => {}
        }
    }
}

/// Whoever reads the repository would think that such a file counts.
fn check_endings(tree: &Tree, faults: &mut Faults) {
    for (path, meant) in tree.files.keys().filter_map(|path| Some((path, meant(path)?))) {
        let hint = if tree.files.contains_key(&meant) {
            format!("{meant} is there too; keep one")
        } else {
            format!("rename it to {meant}")
        };
        faults.report(Rule::FileEnding, &Spot::file(path), "a file that is never read", hint);
    }
}

/// The file that is meant where a known one ends in `.yml`.
fn meant(path: &str) -> Option<String> {
    let stem = path.strip_suffix(".yml")?;
    let names: Vec<_> = stem.split('/').collect();
    let is_known = matches!(
        names.as_slice(),
        ["landfast"]
            | ["organization", "organization"]
            | ["accounts", _, "account"]
            | ["baselines", _, "baseline"]
    );
    is_known.then(|| format!("{stem}.yaml"))
}

/// True where a file is there but for its ending, which is said.
fn is_misspelt(tree: &Tree, path: &str) -> bool {
    path.strip_suffix(".yaml").is_some_and(|stem| tree.files.contains_key(&format!("{stem}.yml")))
}

/// The repository's own file, or else one that says nothing: it may be left out.
fn read_repository(tree: &Tree, memory: &mut Memory, faults: &mut Faults) -> Arc<raw::Repository> {
    let file = tree.files.get(REPOSITORY);
    let read = memory.repository.read(REPOSITORY, file, faults, |faults| {
        let node = document(tree, REPOSITORY, faults);
        let read = node.and_then(|node| raw::repository(&mut reader(REPOSITORY, faults), &node));
        let is_read = file.is_none();
        let silent = || raw::Repository {
            spot: Spot::file(REPOSITORY),
            layer: Layer::default(),
            rollout: Declared::default(),
            is_read,
        };
        Some(Arc::new(read.unwrap_or_else(silent)))
    });
    read.expect("there always is one, if need be a silent one")
}

/// The organization's file, or else one that says nothing, so that the other files are still looked at.
fn read_organization(tree: &Tree, memory: &mut Memory, faults: &mut Faults) -> Arc<raw::Organization> {
    let file = tree.files.get(ORGANIZATION);
    let read = memory.organization.read(ORGANIZATION, file, faults, |faults| {
        if file.is_none() {
            let hint = if is_misspelt(tree, ORGANIZATION) {
                "rename organization/organization.yml"
            } else {
                "it names the organization: id, managementAccount, homeRegion"
            };
            faults.report(Rule::MissingFile, &Spot::file(ORGANIZATION), "the file is missing", hint);
        }
        let node = document(tree, ORGANIZATION, faults);
        let read = node.and_then(|node| raw::organization(&mut reader(ORGANIZATION, faults), &node));
        let unreadable = || raw::Organization::unreadable(Spot::file(ORGANIZATION));
        Some(Arc::new(read.unwrap_or_else(unreadable)))
    });
    read.expect("there always is one, if need be an unreadable one")
}

fn read_baseline(
    tree: &Tree,
    folder: &Folder<'_>,
    memory: &mut Memory,
    faults: &mut Faults,
) -> Option<Arc<raw::Baseline>> {
    let Folder { name, path, file } = *folder;
    memory.baselines.read(path, Some(file), faults, |faults| {
        let node = document(tree, path, faults)?;
        raw::baseline(&mut reader(path, faults), &node, name).map(Arc::new)
    })
}

fn read_accounts(
    tree: &Tree,
    folders: &[Folder<'_>],
    memory: &mut Memory,
    faults: &mut Faults,
) -> Vec<Arc<raw::Account>> {
    let asked = folders.iter().map(|folder| (folder.path, Some(Content(folder.file.clone()))));
    let read = memory.accounts.find_all(asked.collect(), faults, |nth, _, faults| {
        let Folder { name, path, .. } = folders[nth];
        account(tree, name, path, faults).map(Arc::new)
    });
    read.into_iter().flatten().collect()
}

fn account(tree: &Tree, name: &str, path: &str, faults: &mut Faults) -> Option<raw::Account> {
    let slug = match Slug::parse(name) {
        Ok(slug) => Some(slug),
        Err(invalid) => {
            faults.report(
                Rule::Identifier,
                &Spot::file(&format!("accounts/{name}")),
                invalid.to_string(),
                "rename the folder",
            );
            None
        }
    };
    let node = document(tree, path, faults)?;
    raw::account(&mut reader(path, faults), &node, &slug?)
}

/// A folder of an account or a baseline, with its own file.
struct Folder<'t> {
    name: &'t str,
    path: &'t str,
    file: &'t File,
}

/// The folders below `parent`, each of which has to hold `own`, in the order of their names.
fn folders<'t>(tree: &'t Tree, parent: &str, own: &str, faults: &mut Faults) -> Vec<Folder<'t>> {
    let mut folders: Vec<Folder<'t>> = Vec::new();
    let mut lacking = None;
    let from = (Bound::Included(parent), Bound::Unbounded);
    for (path, file) in tree.files.range::<str, _>(from).take_while(|(path, _)| path.starts_with(parent)) {
        let Some((name, rest)) = path[parent.len()..].split_once('/') else {
            report_stray(path, parent, own, faults);
            continue;
        };
        // What is in one folder stands together.
        if lacking.is_some_and(|lacking| lacking != name) {
            report_lacking(tree, &mut lacking, parent, own, faults);
        }
        if rest == own {
            folders.push(Folder { name, path, file });
            lacking = None;
        } else if folders.last().is_none_or(|folder| folder.name != name) {
            lacking = Some(name);
        }
    }
    report_lacking(tree, &mut lacking, parent, own, faults);
    // Of paths `a-b/…` comes before `a/…`.
    folders.sort_by_key(|folder| folder.name);
    folders
}

fn report_stray(path: &str, parent: &str, own: &str, faults: &mut Faults) {
    if is_yaml(path) {
        let hint = format!("move it to {parent}<name>/{own}");
        faults.report(Rule::StrayFile, &Spot::file(path), "a file outside any folder", hint);
    }
}

fn report_lacking(tree: &Tree, lacking: &mut Option<&str>, parent: &str, own: &str, faults: &mut Faults) {
    let Some(name) = lacking.take() else { return };
    if is_misspelt(tree, &format!("{parent}{name}/{own}")) {
        return;
    }
    let hint = format!("every folder in {parent} needs one; remove the folder if it is not one of them");
    let message = format!("there is no {own} in it");
    faults.report(Rule::MissingFile, &Spot::file(&format!("{parent}{name}")), message, hint);
}

fn is_yaml(path: &str) -> bool {
    [".yaml", ".yml"].iter().any(|end| path.ends_with(end))
}

fn reader<'a>(path: &str, faults: &'a mut Faults) -> Reader<'a> {
    Reader { path: path.into(), faults }
}

/// The tree of one file, its faults reported; nothing when it is missing or cannot be read.
fn document(tree: &Tree, path: &str, faults: &mut Faults) -> Option<Node> {
    let text = text(tree, path, &FILE, faults)?;
    let (node, found) = yaml::parse(text);
    let mut reader = reader(path, faults);
    // Only the last one can have ended the reading.
    let last = found.len().saturating_sub(1);
    for (nth, fault) in found.into_iter().enumerate() {
        let hint = match fault.hint {
            _ if node.is_none() && nth == last && line_has_expression(text, fault.place.line) => {
                "inside { } and [ ] an expression needs quotes: \"${{ … }}\"".to_owned()
            }
            hint => hint.unwrap_or_default(),
        };
        reader.fault(Rule::Yaml, fault.place, fault.message, hint);
    }
    node
}

/// The braces of an expression end a `{…}` they stand in.
fn line_has_expression(text: &str, line: u32) -> bool {
    text.lines().nth(line.saturating_sub(1) as usize).is_some_and(has_expression)
}

/// The text of a file within the limit. A missing one is not reported here.
pub(super) fn text<'t>(tree: &'t Tree, path: &str, limit: &Limit, faults: &mut Faults) -> Option<&'t str> {
    let spot = Spot::file(path);
    let size = match tree.files.get(path)? {
        File::Blob(bytes) => bytes.len() as u64,
        File::TooLarge { size } => *size,
        File::Symlink | File::Submodule => return None,
    };
    if size > limit.bytes {
        let message = format!("the file has {size} bytes, and {} are allowed", limit.bytes);
        faults.report(Rule::FileSize, &spot, message, limit.hint);
        return None;
    }
    let File::Blob(bytes) = tree.files.get(path)? else { return None };
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let message = format!("not UTF-8 from byte {} on", error.valid_up_to());
            faults.report(Rule::Encoding, &spot, message, "save it as UTF-8 text");
            None
        }
    }
}
