//! Watches where commits come from: asks the remote in its rhythm, or waits for a directory to change.

use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::clock::Clock;
use crate::follow::{Follow, News, Origin};
use crate::git::Watch;
use crate::server::Health;

/// Starts watching; news come through the channel. The watch ends when nobody listens any more.
pub(super) fn watch(follow: Follow, poll: Duration, health: Health) -> UnboundedReceiver<News> {
    let (news, receiver) = unbounded_channel();
    tokio::spawn(look_again_and_again(follow, poll, health, news));
    receiver
}

async fn look_again_and_again(
    mut follow: Follow,
    poll: Duration,
    health: Health,
    news: UnboundedSender<News>,
) {
    let mut directory = directory(&follow);
    while !news.is_closed() {
        match follow.look().await {
            Ok(found) => {
                health.metrics.fetched(Clock.now().as_second());
                if !matches!(found, News::Same) && news.send(found).is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the repository could not be read; what was accepted stays in force");
            }
        }
        rest(poll, directory.as_mut()).await;
    }
}

/// Until the next look: the poll interval, or a change of the directory if that comes first.
async fn rest(poll: Duration, directory: Option<&mut Watch>) {
    match directory {
        None => tokio::time::sleep(poll).await,
        Some(directory) => {
            // A watch that broke leaves the poll to do its work.
            let _ = tokio::time::timeout(poll, directory.changed()).await;
        }
    }
}

fn directory(follow: &Follow) -> Option<Watch> {
    let Origin::Directory(path) = follow.origin() else { return None };
    Watch::start(path)
        .inspect_err(|error| tracing::warn!(%error, "the directory cannot be watched; it is polled instead"))
        .ok()
}
