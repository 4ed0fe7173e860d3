//! `landfast schema`: what editors want to know of a file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::setup::Failure;
use crate::schema::WrittenFile;

/// `landfast schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// The file the schema is for
    #[arg(value_enum, conflicts_with = "into")]
    pub file: Option<WrittenFile>,
    /// Write all schemas into this repository, under .landfast/schemas
    #[arg(long, value_name = "DIR")]
    pub into: Option<PathBuf>,
}

/// Runs the command; one schema goes to standard output, or all of them into the repository.
pub(super) fn run(args: &SchemaArgs) -> Result<ExitCode, Failure> {
    match (&args.file, &args.into) {
        (Some(file), _) => super::out(&file.schema()),
        (None, Some(repository)) => write_all(repository)?,
        (None, None) => return Err(Failure::Option("name a file, or a repository by --into".to_owned())),
    }
    Ok(ExitCode::SUCCESS)
}

/// These files are ours, so the ones that are there are written anew.
fn write_all(repository: &Path) -> Result<(), Failure> {
    for file in WrittenFile::ALL {
        let path = repository.join(file.path());
        let failed = |source| Failure::File { what: path.display().to_string(), source };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        std::fs::write(&path, file.schema()).map_err(failed)?;
        super::out(&format!("{}\n", file.path()));
    }
    Ok(())
}
