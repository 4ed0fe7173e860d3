//! `landfast import`: an organization that is there, as files. It is handed readers only.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal as _;
use std::process::ExitCode;

use futures_util::stream::{self, StreamExt as _};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::setup::{self, Failure};
use super::{ImportArgs, init, writing};
use crate::aws::Readers;
use crate::import::{self, Draft, Found, ORGANIZATION};
use crate::load::{File, Tree};
use crate::model::{Access, AccountState, Organization, Region};
use crate::observe::{self, Counted, Inside};
use crate::plan;
use crate::report;

/// Runs the command; what was written and what was not goes to standard output.
pub(super) async fn run(args: ImportArgs) -> Result<ExitCode, Failure> {
    std::fs::create_dir_all(&args.into)
        .map_err(|source| Failure::File { what: args.into.display().to_string(), source })?;
    let before = crate::git::read_directory(&args.into)?;
    let (readers, tree) = begin(&args, &before).await?;
    let organization = import::organization_of(&tree).map_err(|it| setup::unloadable(&it))?;
    readers.verify(&organization).await?;
    let regions = regions(&args, &tree);
    let found = look(&readers, &organization, &tree, &regions, args.concurrency).await?;
    let mut draft = import::draft(&tree, &found).map_err(|it| setup::unloadable(&it))?;
    if !before.files.contains_key(ORGANIZATION) {
        let text = draft.edited.remove(ORGANIZATION).unwrap_or_else(|| text(&tree, ORGANIZATION));
        draft.new.insert(ORGANIZATION.to_owned(), text);
    }
    write(&args, &before, &draft)?;
    super::out(&report::imported(&draft));
    let is_whole = draft.notes.unread.is_empty() && draft.notes.by_hand.is_empty();
    Ok(ExitCode::from(if is_whole { 0 } else { 2 }))
}

/// The files to add to: those that are there, or else an organization's file that says no more than AWS does.
async fn begin(args: &ImportArgs, before: &Tree) -> Result<(Readers, Tree), Failure> {
    if before.files.contains_key(ORGANIZATION) {
        let regions = import::regions(before);
        return Ok((init::connect(&regions).await?, before.clone()));
    }
    let readers = init::connect(&args.regions).await?;
    let (id, management) = init::discover(&readers).await?;
    let mut tree = init::begun(&init::start(id, management, &args.regions, &args.roles))?;
    tree.files.extend(before.files.clone());
    Ok((readers, tree))
}

/// Those that were named, or else those of the organization's file.
fn regions(args: &ImportArgs, tree: &Tree) -> Vec<Region> {
    let mut regions = import::regions(tree);
    regions.extend(args.regions.iter().cloned());
    let mut seen = BTreeSet::new();
    regions.retain(|region| seen.insert(region.clone()));
    regions
}

async fn look(
    readers: &Readers,
    organization: &Organization,
    tree: &Tree,
    regions: &[Region],
    concurrency: usize,
) -> Result<Found, Failure> {
    let census = observe::census(&readers.management(organization)).await;
    let census =
        census.map_err(|why| Failure::Option(format!("the organization could not be read: {why}")))?;
    let active = census.accounts.iter().filter(|account| account.state == AccountState::Active);
    let active: Vec<_> = active.cloned().collect();
    let bar = bar(active.len());
    let accesses = import::accesses(tree);
    let looks = stream::iter(active).map(|account| {
        let access = accesses.get(&account.id).unwrap_or(&organization.access).clone();
        let bar = bar.clone();
        async move {
            bar.set_message(account.name.clone());
            let seen = inside(readers, organization, &account, &access, regions).await;
            bar.inc(1);
            (account.id, seen)
        }
    });
    let inside = looks.buffer_unordered(concurrency.max(1)).collect::<Vec<_>>().await;
    bar.finish_and_clear();
    Ok(Found { census, inside: inside.into_iter().collect() })
}

async fn inside(
    readers: &Readers,
    organization: &Organization,
    account: &Counted,
    access: &Access,
    regions: &[Region],
) -> Result<Inside, String> {
    let reader = readers.account(&account.id, access);
    let is_left = |name: &_| plan::other_owner(name).is_some();
    let seen = observe::inside(&reader, regions, &organization.id, is_left).await;
    seen.map_err(|error| error.to_string())
}

fn bar(length: usize) -> ProgressBar {
    let bar = ProgressBar::new(length as u64);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("  {bar:30} {pos} of {len} accounts  {msg}") {
        bar.set_style(style);
    }
    bar
}

/// Policies first, then the organization's file, so that nothing speaks of a policy or an OU that is not there.
fn write(args: &ImportArgs, before: &Tree, draft: &Draft) -> Result<(), Failure> {
    let (policies, rest): (BTreeMap<_, _>, BTreeMap<_, _>) =
        draft.new.clone().into_iter().partition(|(path, _)| path.starts_with("organization/policies/"));
    let (first, rest): (BTreeMap<_, _>, BTreeMap<_, _>) =
        rest.into_iter().partition(|(path, _)| path == ORGANIZATION);
    writing::new_files(&args.into, &policies)?;
    writing::new_files(&args.into, &first)?;
    if let Some(after) = draft.edited.get(ORGANIZATION) {
        writing::replace(&args.into, ORGANIZATION, bytes(before, ORGANIZATION), after)?;
    }
    writing::new_files(&args.into, &rest)?;
    for (path, after) in draft.edited.iter().filter(|(path, _)| *path != ORGANIZATION) {
        writing::replace(&args.into, path, bytes(before, path), after)?;
    }
    Ok(())
}

fn bytes<'t>(tree: &'t Tree, path: &str) -> &'t [u8] {
    match tree.files.get(path) {
        Some(File::Blob(bytes)) => bytes,
        Some(File::Symlink | File::Submodule | File::TooLarge { .. }) | None => &[],
    }
}

fn text(tree: &Tree, path: &str) -> String {
    String::from_utf8_lossy(bytes(tree, path)).into_owned()
}
