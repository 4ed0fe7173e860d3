//! `landfast run`: the daemon, for good.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use super::setup::{self, Failure};
use super::{LogFormat, RunArgs, config};
use crate::apply::Progress;
use crate::aws::Cloud;
use crate::daemon::{Daemon, Settings, asked_to_stop};
use crate::follow::Follow;
use crate::model::Mode;
use crate::reconcile::Hands;
use crate::server::{self, Health};

/// How long a stack is waited for before its pass ends; a later pass finds it where it is by then.
const PATIENCE: Duration = Duration::from_hours(1);

/// Runs the command until it is asked to stop.
pub(super) async fn run(args: RunArgs) -> Result<ExitCode, Failure> {
    super::logs::to_standard_error(args.log_format == LogFormat::Json);
    let health = Health::default();
    let listening = server::serve(args.listen, health.clone()).await?;
    tracing::info!(%listening, "health and metrics are served");
    let cache = setup::cache_folder()?;
    let daemon = daemon(&args, health, cache.path()).await?;
    daemon.run(asked_to_stop()).await?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Puts the daemon together.
async fn daemon(args: &RunArgs, health: Health, cache: &std::path::Path) -> Result<Daemon, Failure> {
    let source = &args.source;
    let signer = setup::signer(source)?;
    let guards = config::guards(source)?;
    if signer.is_none() {
        tracing::warn!(
            "without --signing-key nothing recorded is believed: what is found is reported and never overwritten"
        );
    }
    let origin = setup::origin(source, cache)?;
    let ledger = setup::ledger(source, &origin, signer.clone(), cache)?;
    let publisher = setup::publisher_of(source, &args.forge, ledger, &origin)?;
    let (readers, writers) = Cloud::connect(setup::early_settings(args.simulated_speed)?).await.sides();
    let hands = Hands { writers, progress: Progress::default(), patience: PATIENCE };
    Ok(Daemon {
        world: Arc::new(setup::world(source, guards.clone(), readers)),
        hands: (Mode::from(source.mode) > Mode::Observe).then_some(hands),
        follow: Follow::new(origin, signer, guards),
        publisher,
        settings: Settings {
            poll: args.poll,
            resync: args.resync,
            detect_drift_every: args.detect_drift_every,
            concurrency: source.concurrency.max(1),
        },
        health,
        notices: None,
    })
}
