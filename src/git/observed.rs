//! The branch `landfast/observed`: what the daemon must remember, and a mirror of AWS for people.
//!
//! `base/organization.yaml` and `base/accounts/<slug>.yaml` hold the base of each scope, `live/…` what was seen. Drift
//! is the diff of the two folders. `tie/…` says what becomes of what is in base once git no longer declares it; without it
//! everything is kept. `proof/…` says which templates need not be read again; without it they are.
//! `accepted` names the commit that was last put in force.
//!
//! Guarantees:
//! - Only what our key signed is believed. On top of somebody else's commit, an item is believed where it still has
//!   the value it has in the newest commit we signed; anything else has no base, which only ever means less writing.
//! - Nothing is forced. What somebody else wrote is superseded by a commit on top of theirs.
//! - The same content makes no commit. A failed fetch is an error; only a branch that is not there is empty.
//!
//! Assumes: `live/` is for people and is never read back. That the branch was set back to an older commit of ours is
//! noticed by the process that saw the newer one, not after a restart; what it believes then is older, but ours.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use git2::{Oid, Sort};
use jiff::Timestamp;

use super::record;
use super::remote::Pushed;
use super::signing::Signer;
use super::turn::Turn;
use super::writing::{Changes, write_commit, write_tree};
use super::{Error, Repository, commit_id, history};
use crate::model::{Base, CommitId, Item, Proofs, Scope, SharedValue, Slug};

/// The branch.
pub const OBSERVED_BRANCH: &str = "landfast/observed";
/// How often a push is tried again on top of what somebody else pushed meanwhile.
const N_TRIES: u32 = 8;
/// How far back a commit of ours is looked for; whoever piles up more makes us forget, not hang.
const MAX_WALK: usize = 10_000;

/// What to keep of one scope.
#[derive(Clone, Debug, PartialEq)]
pub struct ScopeRecord {
    /// The scope.
    pub scope: Scope,
    /// Its base, whole: items that are not in it have none from now on.
    pub base: Arc<Base>,
    /// What was seen, by item, for people to read.
    pub live: BTreeMap<Item, SharedValue>,
    /// Which templates its stacks were seen to have.
    pub proofs: Proofs,
}

/// What one commit records; what it does not speak of stays as it was.
#[derive(Clone, Debug, Default)]
pub struct Update {
    /// Some scopes, each one whole. What this process has already put at the head of the branch is not printed again.
    pub records: Vec<Arc<ScopeRecord>>,
    /// The commit that is in force now.
    pub accepted: Option<CommitId>,
}

impl From<&[ScopeRecord]> for Update {
    fn from(records: &[ScopeRecord]) -> Self {
        Self { records: records.iter().cloned().map(Arc::new).collect(), accepted: None }
    }
}

impl<const N: usize> From<&[ScopeRecord; N]> for Update {
    fn from(records: &[ScopeRecord; N]) -> Self {
        records.as_slice().into()
    }
}

/// The branch in one repository, with the key that signs it.
pub struct ObservedBranch {
    repository: Repository,
    signer: Option<Signer>,
    // Held for a moment only, never while the remote is asked.
    memory: Mutex<Option<Arc<Known>>>,
    writing: Turn,
}

/// The branch as it was read.
#[derive(Clone, Debug, Default)]
struct Known {
    /// Where the branch is.
    head: Option<Oid>,
    /// The newest commit we signed; all is well when it is the head.
    seal: Option<Oid>,
    /// What is believed.
    base: Bases,
    /// Which templates need not be read again, by scope.
    proofs: BTreeMap<Scope, Proofs>,
    /// The commit that was last put in force, by the newest commit we signed.
    accepted: Option<CommitId>,
    /// What this process put there and nobody has touched since, by scope.
    written: BTreeMap<Scope, Arc<ScopeRecord>>,
}

/// What is believed, by scope; shared, since it is handed out often and seldom changes.
type Bases = BTreeMap<Scope, Arc<Base>>;

/// Files by path; nothing for one that is to go.
type Files = BTreeMap<String, Option<String>>;

impl std::fmt::Debug for ObservedBranch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { repository, signer, memory: _, writing: _ } = self;
        f.debug_struct("ObservedBranch")
            .field("repository", repository)
            .field("signer", signer)
            .finish_non_exhaustive()
    }
}

impl ObservedBranch {
    /// Names the branch in `repository`. Without a key nothing is believed and no base is kept; `live/` is written
    /// all the same.
    pub fn new(repository: Repository, signer: Option<Signer>) -> Self {
        Self { repository, signer, memory: Mutex::default(), writing: Turn::default() }
    }

    /// Fetches the branch and returns what can be believed of it, by scope.
    pub fn read(&self) -> Result<BTreeMap<Scope, Arc<Base>>, Error> {
        self.repository.healing(|| Ok(self.look()?.base.clone()))
    }

    /// The proofs that can be believed of the branch as it was last read, by scope.
    pub fn proofs(&self) -> BTreeMap<Scope, Proofs> {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.as_ref().map(|known| known.proofs.clone()).unwrap_or_default()
    }

    /// The commit that was last put in force, as the newest commit of ours said when the branch was last read.
    ///
    /// What others wrote since then does not count, so that nobody without the key can move it.
    pub fn accepted(&self) -> Option<CommitId> {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.as_ref().and_then(|known| known.accepted.clone())
    }

    /// When what is agreed in each account last changed, in seconds since 1970; 0 for what changed before `from`, and
    /// nothing for what cannot be told.
    pub fn changes(&self, from: i64) -> Result<BTreeMap<Slug, i64>, Error> {
        self.repository.healing(|| {
            let (Some(seal), Some(signer)) = (self.look()?.seal, &self.signer) else {
                return Ok(BTreeMap::new());
            };
            let cache = self.repository.cache()?;
            history::changes(&cache, seal, |commit| signer.signed(&cache, commit), from)
        })
    }

    /// Every commit that was put in force, the newest first, as far back as the branch is searched.
    pub fn were_accepted(&self) -> Result<Vec<CommitId>, Error> {
        self.repository.healing(|| {
            let (Some(seal), Some(signer)) = (self.look()?.seal, &self.signer) else { return Ok(Vec::new()) };
            let cache = self.repository.cache()?;
            history::accepted(&cache, seal, |commit| signer.signed(&cache, commit))
        })
    }

    /// Records an update in one commit and pushes it. Nothing is committed, and nothing returned, when all of it is
    /// there already.
    pub fn write(
        &self,
        update: impl Into<Update>,
        message: &str,
        time: Timestamp,
    ) -> Result<Option<CommitId>, Error> {
        let update = update.into();
        let push = |expected, commit| self.repository.push(OBSERVED_BRANCH, expected, commit);
        self.repository.healing(|| self.write_by(&update, message, time, push))
    }

    /// [`Self::write`], given how to move the branch from where it was read to a commit.
    fn write_by(
        &self,
        update: &Update,
        message: &str,
        time: Timestamp,
        mut push: impl FnMut(Option<Oid>, Oid) -> Result<Pushed, Error>,
    ) -> Result<Option<CommitId>, Error> {
        let _turn = self.writing.take()?;
        let mut refused_at = None;
        for _ in 0..N_TRIES {
            let known = self.look()?;
            let Some(commit) = self.commit(&known, update, message, time)? else {
                self.remember(Known { written: known.with(update), ..Known::clone(&known) });
                return Ok(None);
            };
            match push(known.head, commit)? {
                Pushed::Done => {
                    self.remember(self.after(&known, commit, update));
                    return commit_id(commit).map(Some);
                }
                // Twice on the same head: that is no race.
                Pushed::Rejected(reason) if refused_at == Some(known.head) => {
                    return Err(self.refused(reason));
                }
                Pushed::Rejected(_) => refused_at = Some(known.head),
            }
        }
        Err(Error::Raced { branch: OBSERVED_BRANCH.to_owned(), n_tries: N_TRIES })
    }

    /// The branch now; it is parsed again only when it moved.
    fn look(&self) -> Result<Arc<Known>, Error> {
        // Remembered before the fetch: what another thread writes meanwhile must not look like a branch set back.
        let before = self.memory.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let head = self.repository.try_fetch(OBSERVED_BRANCH)?;
        match before {
            Some(known) if known.head == head => Ok(known),
            before => Ok(self.remember(self.judge(head, before.and_then(|before| before.seal))?)),
        }
    }

    fn remember(&self, known: Known) -> Arc<Known> {
        let known = Arc::new(known);
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&known));
        known
    }

    /// Decides what of `head` to believe; `before` is the newest commit of ours that this process knows.
    fn judge(&self, head: Option<Oid>, before: Option<Oid>) -> Result<Known, Error> {
        let nothing = Known { head, ..Known::default() };
        let Some(head) = head else { return Ok(nothing) };
        let cache = self.repository.cache()?;
        let Some(seal) = self.seal(&cache, head, before)? else {
            tracing::warn!(%head, "nothing on {OBSERVED_BRANCH} is signed by this daemon; no base is believed");
            return Ok(nothing);
        };
        let (mut base, mut proofs) = (bases(&cache, seal)?, proofs(&cache, seal)?);
        if seal != head {
            tracing::warn!(%head, %seal, "somebody else wrote to {OBSERVED_BRANCH}; only what they left alone is believed");
            keep_equal(&mut base, &bases(&cache, head)?);
            keep_equal_proofs(&mut proofs, &self::proofs(&cache, head)?);
        }
        let accepted = record::accepted(&cache, &cache.find_commit(seal)?.tree()?)?;
        Ok(Known { head: Some(head), seal: Some(seal), base, proofs, accepted, written: BTreeMap::new() })
    }

    /// The newest commit of ours, from `head` or, when the branch was set back, the one we remember.
    fn seal(&self, cache: &git2::Repository, head: Oid, before: Option<Oid>) -> Result<Option<Oid>, Error> {
        let Some(signer) = &self.signer else { return Ok(None) };
        if let Some(before) = before.filter(|before| cache.find_commit(*before).is_ok())
            && before != head
            && !cache.graph_descendant_of(head, before)?
        {
            return Ok(Some(before));
        }
        let mut walk = cache.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL)?;
        walk.push(head)?;
        for commit in walk.take(MAX_WALK) {
            let commit = commit?;
            if signer.signed(cache, commit) {
                return Ok(Some(commit));
            }
        }
        Ok(None)
    }

    /// A commit on top of the head with what is believed and the updates; nothing when that is there already.
    fn commit(
        &self,
        known: &Known,
        update: &Update,
        message: &str,
        time: Timestamp,
    ) -> Result<Option<Oid>, Error> {
        let cache = self.repository.cache()?;
        let tree = self.tree(&cache, known, update)?;
        let head = known.head.map(|head| cache.find_commit(head)).transpose()?;
        let is_ours = self.signer.is_none() || known.seal == known.head;
        if is_ours && head.is_some_and(|head| head.tree_id() == tree) {
            return Ok(None);
        }
        let parents: Vec<Oid> = known.head.into_iter().collect();
        let message = format!("{}\n", message.trim_end());
        write_commit(&cache, tree, &parents, &message, time, self.signer.as_ref()).map(Some)
    }

    fn tree(&self, cache: &git2::Repository, known: &Known, update: &Update) -> Result<Oid, Error> {
        // Without a key nothing of ours can be told from the rest: what is there stays.
        let before = if self.signer.is_some() { known.seal } else { known.head };
        let before = before.map(|commit| cache.find_commit(commit)?.tree()).transpose()?;
        let files = self.files(known, update)?;
        let changes: Changes<'_> =
            files.iter().map(|(path, text)| (path.as_str(), text.as_ref().map(String::as_bytes))).collect();
        write_tree(cache, before.as_ref(), &changes)
    }

    /// The files to write over those of the newest commit of ours, and those of them to remove.
    fn files(&self, known: &Known, update: &Update) -> Result<Files, Error> {
        let mut files = Files::new();
        if known.seal != known.head {
            for (scope, base) in &known.base {
                files.insert(record::path("base", scope), Some(record::print(&base.items)?));
                files.insert(record::path("tie", scope), record::print_ties(&base.ties)?);
            }
            for (scope, proofs) in &known.proofs {
                files.insert(record::path("proof", scope), record::print_proofs(proofs)?);
            }
        }
        if let Some(accepted) = update.accepted.as_ref().filter(|_| self.signer.is_some()) {
            files.insert(record::ACCEPTED.to_owned(), Some(format!("{accepted}\n")));
        }
        for record in update.records.iter().filter(|record| !known.has(record)) {
            let ScopeRecord { scope, base, live, proofs } = record.as_ref();
            files.insert(record::path("live", scope), Some(record::print(live)?));
            if self.signer.is_some() {
                files.insert(record::path("base", scope), Some(record::print(&base.items)?));
                files.insert(record::path("tie", scope), record::print_ties(&base.ties)?);
                files.insert(record::path("proof", scope), record::print_proofs(proofs)?);
            }
        }
        Ok(files)
    }

    /// What is known once `commit` is the head.
    fn after(&self, known: &Known, commit: Oid, update: &Update) -> Known {
        let (mut base, mut proofs) = (known.base.clone(), known.proofs.clone());
        let (head, written) = (Some(commit), known.with(update));
        if self.signer.is_none() {
            return Known { head, seal: None, base, proofs, accepted: None, written };
        }
        for record in update.records.iter().filter(|record| !known.has(record)) {
            proofs.insert(record.scope.clone(), record.proofs.clone());
            base.insert(record.scope.clone(), Arc::clone(&record.base));
        }
        let accepted = update.accepted.clone().or_else(|| known.accepted.clone());
        Known { head, seal: Some(commit), base, proofs, accepted, written }
    }

    fn refused(&self, reason: String) -> Error {
        Error::Refused { url: self.repository.url().to_owned(), branch: OBSERVED_BRANCH.to_owned(), reason }
    }
}

impl Known {
    /// True when this very record is what is there.
    fn has(&self, record: &Arc<ScopeRecord>) -> bool {
        let there = self.written.get(&record.scope);
        there.is_some_and(|there| Arc::ptr_eq(there, record) || there == record)
    }

    /// What is there once an update is.
    fn with(&self, update: &Update) -> BTreeMap<Scope, Arc<ScopeRecord>> {
        let new = update.records.iter().map(|record| (record.scope.clone(), Arc::clone(record)));
        self.written.clone().into_iter().chain(new).collect()
    }
}

fn bases(cache: &git2::Repository, commit: Oid) -> Result<Bases, Error> {
    let tree = cache.find_commit(commit)?.tree()?;
    let mut ties = record::read(cache, &tree, "tie")?;
    let base = |(scope, items)| {
        let ties = record::ties(ties.remove(&scope).unwrap_or_default());
        (scope, Arc::new(Base { ties, ..Base::of(items) }))
    };
    Ok(record::read(cache, &tree, "base")?.into_iter().map(base).collect())
}

fn proofs(cache: &git2::Repository, commit: Oid) -> Result<BTreeMap<Scope, Proofs>, Error> {
    let scopes = record::read(cache, &cache.find_commit(commit)?.tree()?, "proof")?;
    Ok(scopes.into_iter().map(|(scope, items)| (scope, record::proofs(items))).collect())
}

/// The same as [`keep_equal`].
fn keep_equal_proofs(proofs: &mut BTreeMap<Scope, Proofs>, other: &BTreeMap<Scope, Proofs>) {
    for (scope, proofs) in proofs {
        let other = other.get(scope);
        proofs.retain(|item, proof| other.and_then(|other| other.get(item)) == Some(proof));
    }
}

/// Takes out of `base` every item that has another value in `other`, or none, and every tie likewise. The scopes stay,
/// if need be empty.
fn keep_equal(base: &mut Bases, other: &Bases) {
    let none = Base::default();
    for (scope, base) in base {
        let other = other.get(scope).map_or(&none, Arc::as_ref);
        let base = Arc::make_mut(base);
        base.items.retain(|item, value| other.items.get(item) == Some(value));
        base.ties.retain(|item, tie| other.ties.get(item) == Some(tie));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::git::Credentials;

    fn branch(folder: &Path, cache: &str, signer: &Signer) -> ObservedBranch {
        let url = folder.join("remote.git").display().to_string();
        let repository = Repository::open(&folder.join(cache), &url, Credentials::default()).unwrap();
        ObservedBranch::new(repository, Some(signer.clone()))
    }

    fn record(slug: &str, alias: &str) -> ScopeRecord {
        let items = BTreeMap::from([("settings.accountAlias".parse().unwrap(), json!(alias))]);
        let scope = Scope::Account(crate::model::Slug::parse(slug).unwrap());
        let base = Arc::new(Base::of(items));
        ScopeRecord { scope, live: base.items.clone(), base, proofs: Proofs::new() }
    }

    #[test]
    fn a_push_that_lost_the_race_is_made_again_on_top_of_the_winner() {
        let folder = tempfile::tempdir().unwrap();
        git2::Repository::init_bare(folder.path().join("remote.git")).unwrap();
        let signer = Signer::generate();
        let (ours, theirs) = (branch(folder.path(), "a", &signer), branch(folder.path(), "b", &signer));
        ours.write(&[record("one", "1")], "first", Timestamp::UNIX_EPOCH).unwrap();

        let mut rivals = vec![record("two", "2"), record("three", "3")];
        let push = |expected, commit| {
            // Between our look and our push somebody else pushes, twice in a row.
            if let Some(rival) = rivals.pop() {
                theirs.write(&[rival], "rival", Timestamp::UNIX_EPOCH).unwrap();
            }
            ours.repository.push(OBSERVED_BRANCH, expected, commit)
        };
        ours.write_by(&(&[record("one", "changed")]).into(), "second", Timestamp::UNIX_EPOCH, push)
            .unwrap()
            .unwrap();

        let expected = [record("one", "changed"), record("three", "3"), record("two", "2")];
        let expected: BTreeMap<_, _> =
            expected.into_iter().map(|record| (record.scope, record.base)).collect();
        assert_eq!(branch(folder.path(), "c", &signer).read().unwrap(), expected);
        assert_eq!(ours.read().unwrap(), expected);
    }

    #[test]
    fn a_race_that_is_always_lost_ends() {
        let folder = tempfile::tempdir().unwrap();
        git2::Repository::init_bare(folder.path().join("remote.git")).unwrap();
        let signer = Signer::generate();
        let (ours, theirs) = (branch(folder.path(), "a", &signer), branch(folder.path(), "b", &signer));
        let mut n_pushes = 0;
        let push = |expected, commit| {
            n_pushes += 1;
            theirs.write(&[record("two", &n_pushes.to_string())], "rival", Timestamp::UNIX_EPOCH).unwrap();
            ours.repository.push(OBSERVED_BRANCH, expected, commit)
        };
        let error =
            ours.write_by(&(&[record("one", "1")]).into(), "never", Timestamp::UNIX_EPOCH, push).unwrap_err();
        assert!(matches!(error, Error::Raced { .. }), "{error:?}");
        assert_eq!(n_pushes, N_TRIES);
    }
}
