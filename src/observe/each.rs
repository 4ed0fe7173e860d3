//! Many reads at once, but not too many.

use std::collections::BTreeMap;
use std::future::Future;

use tokio::task::JoinSet;

/// How many calls to Organizations there are at once: it throttles per organization.
pub(super) const ORGANIZATIONS_AT_ONCE: usize = 8;

/// Does `work` for every item, at most `limit` at a time; the results are in the order of the items.
pub(super) async fn each<T, R, F>(items: Vec<T>, limit: usize, mut work: impl FnMut(T) -> F) -> Vec<R>
where
    R: Send + 'static,
    F: Future<Output = R> + Send + 'static,
{
    let (mut running, mut done) = (JoinSet::new(), BTreeMap::new());
    let mut items = items.into_iter().enumerate();
    loop {
        while running.len() < limit
            && let Some((index, item)) = items.next()
        {
            let work = work(item);
            running.spawn(async move { (index, work.await) });
        }
        match running.join_next().await {
            None => return done.into_values().collect(),
            Some(Ok((index, result))) => {
                done.insert(index, result);
            }
            // Nobody cancels these tasks, so what remains is a panic of theirs, which goes on here.
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}
