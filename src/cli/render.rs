//! `landfast render`: a whole account as one file.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use super::RenderArgs;
use super::setup::{self, Failure};
use crate::load::{self, File, Rendered, Tree};
use crate::model::Slug;

const ORGANIZATION: &str = "organization/organization.yaml";
const POLICIES: &str = "organization/policies/";

/// Runs the command; the file goes to standard output, or with all it needs into a folder.
pub(super) async fn run(args: RenderArgs) -> Result<ExitCode, Failure> {
    let tree = setup::tree(&args.files).await?;
    let rendered =
        load::render(&tree, &args.account, args.with_secrets).map_err(|faults| setup::unloadable(&faults))?;
    let rendered = rendered.ok_or_else(|| setup::no_folder(&tree, &args.account))?;
    let Some(folder) = &args.into else {
        super::out(&rendered.yaml);
        return Ok(ExitCode::SUCCESS);
    };
    write(&tree, &args.account, &rendered, folder)?;
    copy(&tree, ORGANIZATION, &folder.join(ORGANIZATION))?;
    // The organization's file names them.
    let policies = tree.files.keys().filter(|path| path.starts_with(POLICIES));
    policies.into_iter().try_for_each(|path| copy(&tree, path, &folder.join(path)))?;
    for slug in producers(&tree, &args.account)? {
        let rendered =
            load::render(&tree, &slug, args.with_secrets).map_err(|faults| setup::unloadable(&faults))?;
        rendered.map_or(Ok(()), |rendered| write(&tree, &slug, &rendered, folder))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The accounts whose outputs an account takes, however long the way: without them it would not load.
fn producers(tree: &Tree, slug: &Slug) -> Result<BTreeSet<Slug>, Failure> {
    let desired = load::load(tree).map_err(|faults| setup::unloadable(&faults))?;
    let (mut found, mut open) = (BTreeSet::new(), vec![slug]);
    while let Some(next) = open.pop() {
        open.extend(
            desired.producers(next).into_iter().filter(|it| *it != slug && found.insert((*it).clone())),
        );
    }
    Ok(found)
}

fn write(tree: &Tree, slug: &Slug, rendered: &Rendered, folder: &Path) -> Result<(), Failure> {
    let account = folder.join(format!("accounts/{slug}"));
    setup::write_new(&account.join("account.yaml"), rendered.yaml.as_bytes())?;
    rendered.files.iter().try_for_each(|(beside, path)| copy(tree, path, &account.join(beside)))
}

fn copy(tree: &Tree, path: &str, to: &Path) -> Result<(), Failure> {
    match tree.files.get(path) {
        Some(File::Blob(bytes)) => setup::write_new(to, bytes),
        // What is named and is no file does not load.
        Some(File::Symlink | File::Submodule | File::TooLarge { .. }) | None => Ok(()),
    }
}
