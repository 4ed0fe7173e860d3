//! `landfast sandbox`: the whole product on this machine, without credentials. It tells a story, then stays up.

mod story;
mod telling;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::SandboxArgs;
use super::setup::{self, Failure};
use crate::apply::Progress;
use crate::daemon::{asked_to_stop, notices};
use crate::sandbox::stage::{Scenery, Stage};
use story::Story;
use telling::Telling;

/// How much faster than AWS the sandbox goes: an account takes three seconds instead of a minute.
const SPEED: f64 = 20.0;

/// Runs the command.
pub(super) async fn run(args: SandboxArgs) -> Result<ExitCode, Failure> {
    super::logs::off();
    let folder = Folder::new(args.state.as_deref())?;
    let example = example(&args.example)?;
    let stage = Stage::set(folder.path(), &example, Scenery::fast(SPEED)).await?;
    if let Folder::Kept(path) = &folder {
        stage.clone_to(&path.join("my-accounts"))?;
    }
    let (notices, heard) = notices();
    let (progress, steps) = Progress::heard();
    let daemon = stage.daemon(progress, Some(notices)).await?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(daemon.run(async move { drop(stopped.await) }));
    let mut telling = Telling::new(heard, steps);
    let told = tokio::select! {
        told = tell(&stage, &mut telling, args.once) => told,
        () = asked_to_stop() => { telling.say("\nStopping."); Ok(()) }
    };
    drop(stop);
    if let Ok(ended) = running.await {
        ended?;
    }
    folder.farewell(&telling);
    told.map(|()| ExitCode::SUCCESS)
}

async fn tell(stage: &Stage, telling: &mut Telling, once: bool) -> Result<(), Failure> {
    Story { stage, telling }.tell().await?;
    if !once {
        telling.how_to_play(stage);
        telling.keep_talking().await;
    }
    Ok(())
}

/// The example beside the working directory, or the one this program was built with.
fn example(named: &Path) -> Result<PathBuf, Failure> {
    let built_with = Path::new(env!("CARGO_MANIFEST_DIR")).join(named);
    let found = [named.to_owned(), built_with].into_iter().find(|path| path.join("organization").is_dir());
    found.ok_or_else(|| {
        Failure::Option(format!(
            "{} holds no organization/: name the example with --example",
            named.display()
        ))
    })
}

/// Where the sandbox keeps what it makes.
enum Folder {
    Temporary(tempfile::TempDir),
    Kept(PathBuf),
}

impl Folder {
    fn new(kept: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = kept else { return Ok(Self::Temporary(setup::cache_folder()?)) };
        let what = format!("the folder {}", path.display());
        std::fs::create_dir_all(path)
            .and_then(|()| path.canonicalize())
            .map(Self::Kept)
            .map_err(|source| Failure::File { what, source })
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }

    fn farewell(&self, telling: &Telling) {
        if let Self::Kept(path) = self {
            telling.say(&format!(
                "The git remote, a clone of it and the signing key stay in {}.",
                path.display()
            ));
        }
    }
}
