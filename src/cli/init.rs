//! `landfast init`: a repository that loads and holds nothing but the organization and its management account.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::setup::{self, Failure};
use super::{InitArgs, Roles, writing};
use crate::aws::{Cloud, Readers, Settings};
use crate::import::{self, ORGANIZATION, Start};
use crate::load::{self, File, Tree};
use crate::model::{AccountId, OrganizationId, Region};

const MANAGEMENT: &str = "accounts/management/account.yaml";

/// Runs the command; the paths of the new files go to standard output.
pub(super) async fn run(args: InitArgs) -> Result<ExitCode, Failure> {
    std::fs::create_dir_all(&args.directory)
        .map_err(|source| Failure::File { what: args.directory.display().to_string(), source })?;
    let tree = crate::git::read_directory(&args.directory)?;
    if tree.files.contains_key(ORGANIZATION) {
        return Err(Failure::Option(format!("{ORGANIZATION} is there already; nothing was written")));
    }
    let (start, name, email) = match known(&args) {
        Some(known) => known,
        None => asked(&args).await?,
    };
    let management = load::document(&[
        ("id", json!(start.management)),
        ("name", load::escaped(&json!(name))),
        ("email", load::escaped(&json!(email))),
        ("ou", json!("/")),
    ]);
    let organization = import::start(&start);
    let files =
        BTreeMap::from([(ORGANIZATION.to_owned(), organization), (MANAGEMENT.to_owned(), management)]);
    write(&args.directory, tree, &files)?;
    for path in files.keys() {
        super::out(&format!("{path}\n"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Nothing that does not load is written.
fn write(directory: &Path, mut tree: Tree, files: &BTreeMap<String, String>) -> Result<(), Failure> {
    for (path, text) in files {
        tree.files.insert(path.clone(), File::text(text));
    }
    load::load(&tree).map_err(|diagnostics| setup::unloadable(&diagnostics))?;
    writing::new_files(directory, files)
}

/// What the options say, if that is all there is to know.
fn known(args: &InitArgs) -> Option<(Start, String, String)> {
    let (id, management) = (args.organization_id.clone()?, args.management_account.clone()?);
    let (name, email) = (args.management_name.clone()?, args.management_email.clone()?);
    Some((start(id, management, &args.regions, &args.roles), name, email))
}

/// The rest is asked of AWS.
async fn asked(args: &InitArgs) -> Result<(Start, String, String), Failure> {
    let readers = connect(&args.regions).await?;
    let (id, management) = discover(&readers).await?;
    let start = start(id, management, &args.regions, &args.roles);
    let organization = import::organization_of(&begun(&start)?).map_err(|it| setup::unloadable(&it))?;
    readers.verify(&organization).await?;
    let accounts = readers.management(&organization).accounts().await?;
    let account = accounts.into_iter().find(|account| account.id == start.management);
    let (name, email) = account.map(|account| (account.name, account.email)).unwrap_or_default();
    let name = args.management_name.clone().unwrap_or(name);
    Ok((start, name, args.management_email.clone().unwrap_or(email)))
}

/// A connection that reads.
pub(super) async fn connect(regions: &[Region]) -> Result<Readers, Failure> {
    let home = regions.first().cloned().ok_or_else(no_region)?;
    let (readers, _) = Cloud::connect(Settings::new(home)).await.sides();
    Ok(readers)
}

/// Which organization the credentials belong to.
pub(super) async fn discover(readers: &Readers) -> Result<(OrganizationId, AccountId), Failure> {
    let (id, management) = readers.own().await?.organization().await?;
    let invalid = |invalid: crate::model::Invalid| Failure::Option(invalid.to_string());
    Ok((OrganizationId::parse(id).map_err(invalid)?, AccountId::parse(management).map_err(invalid)?))
}

pub(super) fn start(id: OrganizationId, management: AccountId, regions: &[Region], roles: &Roles) -> Start {
    let Roles { role, read_role, management_role, external_id } = roles.clone();
    Start { id, management, regions: regions.to_vec(), role, read_role, management_role, external_id }
}

/// A tree of nothing but the organization's file.
pub(super) fn begun(start: &Start) -> Result<Tree, Failure> {
    let revision = crate::model::CommitId::parse("0".repeat(40));
    let revision = revision.map_err(|invalid| Failure::Option(invalid.to_string()))?;
    let files = BTreeMap::from([(ORGANIZATION.to_owned(), File::text(import::start(start)))]);
    Ok(Tree { revision, files })
}

pub(super) fn no_region() -> Failure {
    Failure::Option("name the home region: --region eu-west-1, or AWS_REGION".to_owned())
}
