//! What is true after every story.

use landfast::apply::Progress;
use landfast::follow::News;
use landfast::observe::DriftLook;
use landfast::reconcile::sweep;

use super::Play;

/// The same bytes twice: once at rest, further passes write nothing to AWS, to GitHub or to the record.
pub(super) async fn stays_at_rest(play: &Play) {
    let before = play.trace();
    play.looks(3).await;
    assert_eq!(play.trace(), before, "it was at rest\n{}", play.scene());
}

/// A plan that somebody without any memory draws of the world as it is now is empty.
pub(super) async fn nothing_is_left_to_do(play: &Play) {
    let daemon = play.stage.daemon(Progress::default(), None).await.unwrap();
    let bases = daemon.publisher.bases().await;
    let mut follow = daemon.follow;
    let News::Accepted(accepted) = follow.look().await.unwrap() else { return };
    for report in sweep::look(&daemon.world, &accepted, &bases, DriftLook::Detect, 8).await {
        assert!(report.plan.is_empty(), "{:?}\n{}", report.plan.steps, play.scene());
    }
}

/// Landfast wrote in accounts of the folders only, and settings and stacks never in the management account.
pub(super) fn wrote_only_where_it_may(play: &Play) {
    let management = play.stage.management().unwrap();
    let ours: Vec<String> = play
        .stage
        .aws
        .accounts()
        .into_iter()
        .filter(|account| account.tags.contains_key("landfast:owner"))
        .map(|account| account.id)
        .collect();
    for entry in play.writes() {
        let is_for_the_organization =
            entry.account == management.as_str() && entry.service == "organizations";
        assert!(is_for_the_organization || ours.contains(&entry.account), "{entry:?}");
    }
}
