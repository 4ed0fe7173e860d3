//! `landfast render`: a whole account as one file.

use std::path::Path;
use std::process::ExitCode;

use super::RenderArgs;
use super::setup::{self, Failure};
use crate::load::{self, File, Rendered, Tree};

const ORGANIZATION: &str = "organization/organization.yaml";

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
    let account = format!("accounts/{}", args.account);
    setup::write_new(&folder.join(&account).join("account.yaml"), rendered.yaml.as_bytes())?;
    copy(&tree, ORGANIZATION, &folder.join(ORGANIZATION))?;
    let Rendered { files, .. } = &rendered;
    for (beside, path) in files {
        copy(&tree, path, &folder.join(&account).join(beside))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn copy(tree: &Tree, path: &str, to: &Path) -> Result<(), Failure> {
    match tree.files.get(path) {
        Some(File::Blob(bytes)) => setup::write_new(to, bytes),
        // What is named and is no file does not load.
        Some(File::Symlink | File::Submodule | File::TooLarge { .. }) | None => Ok(()),
    }
}
