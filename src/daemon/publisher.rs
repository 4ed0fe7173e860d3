//! Recording and publishing: what is true now goes to `landfast/observed`, to issues and to pull requests.
//!
//! Guarantees: every edition is the whole truth at its time, so that only the latest counts and none has to be kept;
//! a failure is tried again with whatever is true by then. Nothing is sent and forgotten. What cannot be proposed for
//! one account holds up no other, and what only a person can do is asked for once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch::Receiver;
use tokio::time::Instant;

use super::Notice;
use crate::clock::Clock;
use crate::git::{self, ObservedBranch, Repository, Update, blocking, record_id};
use crate::github;
use crate::load::File;
use crate::model::{AccountId, Base, Class, CommitId, Proofs, Scope, Slug};
use crate::reconcile::Edition;
use crate::report::{self, IssueKey, ScopeReport, Situation, Wanted, WantedIssue, wanted};

/// How long changes gather before they are published together.
const GATHER: Duration = Duration::from_millis(500);
/// How often GitHub is read although nothing changed here: somebody may have edited or closed an issue.
const REREAD: Duration = Duration::from_mins(10);
/// The first and the longest pause after a failure.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(2), Duration::from_mins(5));

/// Where issues and pull requests go.
pub enum Outlet {
    /// To standard output.
    Printed,
    /// To a repository at GitHub.
    GitHub {
        /// Reads there.
        reader: Box<github::Reader>,
        /// Writes there.
        writer: Box<github::Writer>,
    },
}

/// Where ids of new accounts are proposed: the repository and the branch that the pull request is for.
#[derive(Clone, Debug)]
pub struct Proposals {
    /// The repository of the desired state.
    pub repository: Repository,
    /// The branch that is followed.
    pub branch: String,
}

/// Records and publishes.
pub struct Publisher {
    ledger: Option<Arc<ObservedBranch>>,
    outlet: Outlet,
    proposals: Option<Proposals>,
    shown: Option<(Wanted, Instant)>,
    printed: BTreeMap<IssueKey, WantedIssue>,
    proposed: BTreeSet<Slug>,
    kept: Option<CommitId>,
    told: Option<UnboundedSender<BTreeMap<Scope, ScopeReport>>>,
    /// How long GitHub asked to wait, where nothing else went wrong.
    asked: Option<Duration>,
}

/// Why something was not published.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// Git: see its own error for what to do.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// GitHub: see its own error for what to do.
    #[error(transparent)]
    GitHub(#[from] github::Error),
}

impl Publisher {
    /// Publishes to `outlet`, records in `ledger`, and proposes ids by pull requests where `proposals` says.
    pub fn new(ledger: Option<Arc<ObservedBranch>>, outlet: Outlet, proposals: Option<Proposals>) -> Self {
        let (printed, proposed) = (BTreeMap::new(), BTreeSet::new());
        Self {
            ledger,
            outlet,
            proposals,
            shown: None,
            printed,
            proposed,
            kept: None,
            told: None,
            asked: None,
        }
    }

    /// Says to `told` what was put back and has been told of.
    #[must_use]
    pub fn telling(self, told: UnboundedSender<BTreeMap<Scope, ScopeReport>>) -> Self {
        Self { told: Some(told), ..self }
    }

    /// The bases that are on record and can be believed. A record that cannot be read is waited for: it is not an empty
    /// one.
    pub async fn bases(&self) -> BTreeMap<Scope, Arc<Base>> {
        let Some(ledger) = self.ledger.clone() else { return BTreeMap::new() };
        let mut pause = BACKOFF.0;
        loop {
            let ledger = Arc::clone(&ledger);
            match blocking(move || ledger.read()).await {
                Ok(bases) => return bases,
                Err(error) => {
                    tracing::error!(%error, "the record of what was agreed cannot be read; trying again");
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(BACKOFF.1);
        }
    }

    /// The commit that was last in force, as it was read with the bases.
    pub fn accepted(&self) -> Option<CommitId> {
        self.ledger.as_ref().and_then(|ledger| ledger.accepted())
    }

    /// Where it is recorded, if anywhere.
    pub fn ledger(&self) -> Option<Arc<ObservedBranch>> {
        self.ledger.clone()
    }

    /// The proofs on record that can be believed, as they were read with the bases.
    pub fn proofs(&self) -> BTreeMap<Scope, Proofs> {
        self.ledger.as_ref().map(|ledger| ledger.proofs()).unwrap_or_default()
    }

    /// Publishes the latest edition, again and again, until nobody makes any more.
    pub async fn run(mut self, mut latest: Receiver<Edition>, notices: Option<UnboundedSender<Notice>>) {
        let mut failures = 0_u32;
        loop {
            let is_last = self.news(&mut latest, failures).await;
            let edition = latest.borrow_and_update().clone();
            failures = if self.publish(&edition).await { 0 } else { failures.saturating_add(1) };
            if let Some(notices) = notices.as_ref().filter(|_| failures == 0) {
                let _ = notices.send(Notice::Published);
            }
            if is_last {
                return;
            }
        }
    }

    /// Waits for something to publish; true when it is the last.
    async fn news(&self, latest: &mut Receiver<Edition>, failures: u32) -> bool {
        if failures > 0 {
            let backoff = BACKOFF.0.saturating_mul(2_u32.saturating_pow(failures - 1)).min(BACKOFF.1);
            // A new edition may end it: what concerns git can be recorded, and to GitHub nothing is sent until then.
            let pause = self.asked.unwrap_or(backoff);
            // The first part is never cut short: many editions must not become as many tries.
            tokio::time::sleep(BACKOFF.0).await;
            let _ = tokio::time::timeout(pause.saturating_sub(BACKOFF.0), latest.changed()).await;
            return latest.has_changed().is_err();
        }
        match tokio::time::timeout(REREAD, latest.changed()).await {
            Err(_) => false,
            Ok(Err(_)) => true,
            Ok(Ok(())) => {
                tokio::time::sleep(GATHER).await;
                false
            }
        }
    }

    /// True when all of it is where it should be. Each part fails on its own.
    pub async fn publish(&mut self, edition: &Edition) -> bool {
        let recorded = self.record(edition).await;
        let shown = self.tell_and_show(edition).await;
        let proposed = self.propose(edition).await;
        let failed: Vec<_> = [recorded, shown].into_iter().filter_map(Result::err).chain(proposed).collect();
        for error in &failed {
            let retry = error.class() != Class::Bug;
            tracing::error!(%error, class = error.class().label(), retry, "not everything could be published");
        }
        self.asked =
            failed.iter().map(Error::retry_after).reduce(|one, other| one.zip(other).map(longer)).flatten();
        failed.is_empty()
    }

    async fn record(&mut self, edition: &Edition) -> Result<(), Error> {
        let accepted = edition.accepted.as_ref().map(|accepted| accepted.desired.revision.clone());
        let accepted = accepted.filter(CommitId::is_commit);
        let is_empty = edition.records.is_empty() && accepted.is_none();
        let Some(ledger) = self.ledger.clone().filter(|_| !is_empty) else { return Ok(()) };
        let revision = edition.situation.revision.as_ref().map_or("no commit", CommitId::short);
        let message = format!("Record what was seen while {revision} was in force");
        let update = Update { records: edition.records.clone(), accepted };
        let commit = blocking(move || ledger.write(update, &message, Clock.now())).await?;
        if let Some(commit) = commit {
            tracing::debug!(%commit, "recorded");
        }
        self.keep(edition).await;
        Ok(())
    }

    /// Keeps the commit in force reachable. Where that is not allowed, a restart after a force-push finds nothing to go
    /// back to and halts with nothing in force: said once, and no reason to try again and again.
    async fn keep(&mut self, edition: &Edition) {
        let (Some(accepted), Some(proposals)) = (&edition.accepted, &self.proposals) else { return };
        let revision = accepted.desired.revision.clone();
        if self.kept.as_ref() == Some(&revision) {
            return;
        }
        let (repository, of) = (proposals.repository.clone(), revision.clone());
        if let Err(error) = blocking(move || repository.keep(&of)).await {
            tracing::warn!(%error, "the commit in force could not be kept on {}", git::ACCEPTED_BRANCH);
        }
        self.kept = Some(revision);
    }

    /// What was put back is told first, as if it were the last that is known; then what is true now. So an issue
    /// is opened and closed again even where the drift was gone before anybody could look.
    async fn tell_and_show(&mut self, edition: &Edition) -> Result<(), Error> {
        if !edition.put_back.is_empty() {
            let told =
                |report: &Arc<ScopeReport>| edition.put_back.get(&report.scope).unwrap_or(report).clone();
            let reports: Vec<_> = edition.reports.iter().map(told).collect();
            self.show(&reports, &edition.situation).await?;
        }
        let reports: Vec<_> = edition.reports.iter().map(|report| ScopeReport::clone(report)).collect();
        self.show(&reports, &edition.situation).await?;
        if let Some(told) = &self.told {
            let _ = told.send(edition.put_back.clone());
        }
        Ok(())
    }

    async fn show(&mut self, reports: &[ScopeReport], situation: &Situation) -> Result<(), Error> {
        let wanted = wanted(reports, situation);
        let is_shown =
            self.shown.as_ref().is_some_and(|(shown, at)| *shown == wanted && at.elapsed() < REREAD);
        if is_shown {
            return Ok(());
        }
        match &self.outlet {
            Outlet::Printed => self.print(&wanted),
            Outlet::GitHub { reader, writer } => {
                let published = github::publish(reader, writer, &wanted, Clock.now()).await?;
                if !published.is_empty() {
                    tracing::info!(?published, "issues are up to date");
                }
            }
        }
        self.shown = Some((wanted, Instant::now()));
        Ok(())
    }

    /// Prints what would be an issue, once for each thing it says.
    #[expect(clippy::print_stdout, reason = "without GitHub this is where issues go")]
    fn print(&mut self, wanted: &Wanted) {
        for (key, issue) in &wanted.issues {
            if self.printed.get(key) != Some(issue) {
                println!("{}", report::printed(issue));
            }
        }
        for (_, issue) in self.printed.iter().filter(|(key, _)| wanted.settled.contains_key(*key)) {
            println!("over: {}\n", issue.title);
        }
        self.printed.clone_from(&wanted.issues);
    }

    /// Proposes to record the id of every account that was created and is known by its tag only; gives what has to
    /// be tried again.
    async fn propose(&mut self, edition: &Edition) -> Vec<Error> {
        let Some(accepted) = &edition.accepted else { return Vec::new() };
        let mut failed = Vec::new();
        for (slug, name, id) in self.unrecorded(edition) {
            match self.propose_id(&accepted.desired.revision, &slug, &name, &id).await {
                Ok(()) => {}
                // The file is as it is: trying again would say the same again.
                Err(Error::Git(error @ git::Error::Record { .. })) => {
                    let path = account_file(&slug);
                    tracing::warn!(%error, "account {id} was created; add `id: \"{id}\"` to {path} by hand");
                }
                Err(error) => {
                    failed.push(error);
                    continue;
                }
            }
            self.proposed.insert(slug);
        }
        failed
    }

    /// The accounts whose ids have yet to be proposed: slug, name and id.
    fn unrecorded(&self, edition: &Edition) -> Vec<(Slug, String, AccountId)> {
        let (Some(accepted), Some(organization)) = (&edition.accepted, &edition.organization) else {
            return Vec::new();
        };
        let accounts = accepted.desired.accounts.values();
        accounts
            .filter(|account| account.id.is_none() && !self.proposed.contains(&account.slug))
            .filter_map(|account| {
                let id = organization.claimed.get(&account.slug)?;
                Some((account.slug.clone(), account.name.clone(), id.clone()))
            })
            .collect()
    }

    async fn propose_id(
        &self,
        revision: &CommitId,
        slug: &Slug,
        name: &str,
        id: &AccountId,
    ) -> Result<(), Error> {
        let path = account_file(slug);
        let (Outlet::GitHub { reader, writer }, Some(proposals)) = (&self.outlet, &self.proposals) else {
            tracing::info!("account {id} was created; record it: add `id: \"{id}\"` to {path}");
            return Ok(());
        };
        let words = report::record_id(slug, name, id);
        let head = format!("landfast/record-{slug}");
        let pushed = {
            let (repository, revision, id) = (proposals.repository.clone(), revision.clone(), id.clone());
            let (head, title) = (head.clone(), words.title.clone());
            blocking(move || push_id(&repository, &revision, &path, &id, &head, &title)).await?
        };
        if pushed {
            github::propose(reader, writer, &words, &head, &proposals.branch).await?;
        }
        Ok(())
    }
}

fn account_file(slug: &Slug) -> String {
    format!("accounts/{slug}/account.yaml")
}

/// Pushes a branch whose account file has the id; false when the file has one by now.
fn push_id(
    repository: &Repository,
    revision: &CommitId,
    path: &str,
    id: &AccountId,
    head: &str,
    title: &str,
) -> Result<bool, git::Error> {
    let tree = repository.tree(revision)?;
    let Some(File::Blob(bytes)) = tree.files.get(path) else { return Ok(false) };
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(false) };
    let changes = BTreeMap::from([(path.to_owned(), record_id(text, id)?.into_bytes())]);
    git::propose(repository, revision, head, &changes, title, Clock.now())?;
    Ok(true)
}

fn longer((one, other): (Duration, Duration)) -> Duration {
    one.max(other)
}

impl Error {
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Git(_) => None,
            Self::GitHub(error) => error.retry_after(),
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Git(error) => error.class(),
            Self::GitHub(error) => error.class(),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::*;

    #[tokio::test]
    async fn what_github_asks_for_is_waited_for_and_no_longer() {
        let asked = Some(Duration::from_secs(3));
        let publisher = Publisher { asked, ..Publisher::new(None, Outlet::Printed, None) };
        let (_editions, mut latest) = watch::channel(Edition::default());
        let began = Instant::now();
        let news = tokio::time::timeout(Duration::from_secs(20), publisher.news(&mut latest, 9));
        assert!(!news.await.expect("it does not wait for the minutes of a ninth failure"));
        assert!(began.elapsed() >= Duration::from_secs(3));
    }

    #[tokio::test]
    async fn a_new_edition_ends_the_pause_after_failures_but_not_its_first_part() {
        let publisher = Publisher::new(None, Outlet::Printed, None);
        let (editions, mut latest) = watch::channel(Edition::default());
        let began = Instant::now();
        editions.send_replace(Edition::default());
        let news = tokio::time::timeout(Duration::from_secs(20), publisher.news(&mut latest, 9));
        assert!(!news.await.expect("it does not wait for minutes"), "more may come");
        assert!(began.elapsed() >= BACKOFF.0);
        drop(editions);
        let news = tokio::time::timeout(Duration::from_secs(20), publisher.news(&mut latest, 9));
        assert!(news.await.expect("it does not wait for minutes"), "no more can come");
    }
}
