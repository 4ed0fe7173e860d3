//! Folders: a new one for each account that has none, additions to those that are there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::organization::{self, ORGANIZATION};
use super::pieces::Piece;
use super::trial::{self, Trial};
use super::{Draft, Note, account, edit, policies, slug, text};
use crate::load::{self, Diagnostics, File, Loader, Tree};
use crate::model::{
    AccountId, AccountState, Declared, Desired, Item, Organization, OuPath, PolicyName, PolicyTarget, Scope,
    Slug,
};
use crate::observe::{Census, Counted, Inside, Shelved};

/// A draft in the making.
pub(super) struct Drafting<'t> {
    tree: &'t Tree,
    /// The tree with everything drafted so far.
    whole: Tree,
    /// What the tree says, if it has accounts.
    desired: Option<Desired>,
    organization: Organization,
    draft: Draft,
    /// Policies attached to accounts, by id.
    attached: BTreeMap<AccountId, BTreeSet<PolicyName>>,
    taken: BTreeSet<Slug>,
    /// What the file of each new folder declares by itself.
    own: BTreeMap<Slug, BTreeMap<Item, Value>>,
}

impl<'t> Drafting<'t> {
    pub(super) fn begin(tree: &'t Tree) -> Result<Self, Diagnostics> {
        let has_accounts = tree.files.keys().any(|path| path.starts_with("accounts/"));
        let desired = if has_accounts { Some(load::load(tree)?) } else { None };
        let organization = trial::organization(tree)?;
        let folders = tree.files.keys().filter_map(|path| path.strip_prefix("accounts/")?.split('/').next());
        let taken = folders.filter_map(|name| Slug::parse(name).ok()).collect();
        Ok(Self {
            tree,
            whole: tree.clone(),
            desired,
            organization,
            draft: Draft::default(),
            attached: BTreeMap::new(),
            taken,
            own: BTreeMap::new(),
        })
    }

    /// What was drafted, without what would keep the whole from loading.
    ///
    /// Errors with what is left then: nothing is to be written.
    pub(super) fn end(mut self) -> Result<Draft, Diagnostics> {
        self.without_faulty_files();
        if load::check(&self.whole, None).diagnostics.has_errors() {
            self.folder_by_folder();
        }
        if !self.whole.files.keys().any(|path| path.starts_with("accounts/")) {
            // Nobody was there before, and nobody fits: the organization's file is a beginning all the same.
            return Ok(self.draft);
        }
        let checked = load::check(&self.whole, None);
        let Some(desired) = checked.desired else { return Err(checked.diagnostics) };
        self.draft.notes.brought =
            self.own.iter().flat_map(|(slug, own)| brought(&desired, slug, own)).collect();
        Ok(self.draft)
    }

    fn without_faulty_files(&mut self) {
        loop {
            let diagnostics = load::check(&self.whole, None).diagnostics;
            let errors = diagnostics.iter().filter(|it| it.severity == load::Severity::Error);
            let blamed: BTreeSet<Slug> = errors.filter_map(|it| self.blamed(&it.path)).collect();
            if blamed.is_empty() {
                return;
            }
            for slug in blamed {
                let head = format!("accounts/{slug}/");
                let why = messages(&diagnostics, |path| path.starts_with(&head));
                self.take_back(&slug, &why);
            }
        }
    }

    /// A folder can be sound by itself and not load with what it shares with others, such as a baseline that reaches it:
    /// one after the other is put beside those that load.
    fn folder_by_folder(&mut self) {
        let drafted = std::mem::replace(&mut self.whole.files, self.tree.files.clone());
        let (folders, shared): (BTreeMap<_, _>, BTreeMap<_, _>) =
            drafted.into_iter().partition(|(path, _)| self.blamed(path).is_some());
        self.whole.files.extend(shared);
        let mut by_slug: BTreeMap<Slug, BTreeMap<String, File>> = BTreeMap::new();
        for (path, file) in folders {
            let Some(slug) = self.blamed(&path) else { continue };
            by_slug.entry(slug).or_default().insert(path, file);
        }
        let mut loader = Loader::default();
        for (slug, files) in by_slug {
            self.whole.files.extend(files);
            let diagnostics = loader.check(&self.whole, None).diagnostics;
            if diagnostics.has_errors() {
                self.take_back(&slug, &messages(&diagnostics, |_| true));
            }
        }
    }

    /// The account whose drafted files a path is among.
    fn blamed(&self, path: &str) -> Option<Slug> {
        let slug = Slug::parse(path.strip_prefix("accounts/")?.split('/').next()?).ok()?;
        let head = format!("accounts/{slug}/");
        let drafted = self.draft.new.keys().chain(self.draft.edited.keys());
        drafted.into_iter().any(|path| path.starts_with(&head)).then_some(slug)
    }

    fn take_back(&mut self, slug: &Slug, why: &str) {
        let head = format!("accounts/{slug}/");
        self.draft
            .notes
            .unfit
            .push(Note::new(format!("accounts/{slug}"), format!("it does not load: {why}")));
        self.own.remove(slug);
        self.draft.notes.folders.retain(|folder| folder != slug);
        self.draft.notes.added.retain(|added| !added.starts_with(&format!("accounts/{slug}: ")));
        self.draft.new.retain(|path, _| !path.starts_with(&head));
        self.draft.edited.retain(|path, _| !path.starts_with(&head));
        self.whole.files.retain(|path, _| !path.starts_with(&head));
        let before = self.tree.files.iter().filter(|(path, _)| path.starts_with(&head));
        self.whole.files.extend(before.map(|(path, file)| (path.clone(), file.clone())));
    }

    fn write(&mut self, path: String, text: String) {
        self.whole.files.insert(path.clone(), File::text(&text));
        let files =
            if self.tree.files.contains_key(&path) { &mut self.draft.edited } else { &mut self.draft.new };
        files.insert(path, text);
    }

    /// OUs that the organization's file lacks.
    pub(super) fn organization(&mut self, census: &Census) {
        let before = text(self.tree, ORGANIZATION).unwrap_or_default().to_owned();
        let known = self.organization.ous.keys().cloned().collect();
        let (after, by_hand) = organization::with_ous(&before, &known, &census.ous);
        let by_hand = by_hand.into_iter().map(|(_, lines)| Note::new(ORGANIZATION, lines));
        self.draft.notes.by_hand.extend(by_hand);
        if after != before {
            let new = census.ous.iter().filter(|path| !known.contains(*path));
            self.draft.notes.added.extend(new.map(|path| format!("{ORGANIZATION}: ous.{path}")));
            self.write(ORGANIZATION.to_owned(), after);
        }
    }

    /// Policies that have no file, and where they are attached.
    pub(super) fn policies(&mut self, census: &Census) {
        let mut chosen = policies::chosen(&census.policies, &mut self.draft.notes);
        chosen.retain(|name, policy| self.policy(name, policy));
        let mut at_ous = policies::by_ou(&chosen);
        for ((name, target), _) in self.organization.policies.attachments.clone() {
            if let PolicyTarget::Ou(path) = target {
                at_ous.entry(path).or_default().remove(&name);
            }
        }
        at_ous.retain(|_, names| !names.is_empty());
        let before = text(&self.whole, ORGANIZATION).unwrap_or_default().to_owned();
        let (after, added, by_hand) = organization::with_policies(&before, &at_ous);
        let added = added.into_iter().map(|what| format!("{ORGANIZATION}: policies: {what}"));
        self.draft.notes.added.extend(added);
        self.draft.notes.by_hand.extend(by_hand.into_iter().map(|lines| Note::new(ORGANIZATION, lines)));
        if after != before {
            self.write(ORGANIZATION.to_owned(), after);
        }
        for counted in &census.accounts {
            let names: BTreeSet<_> = policies::at(&chosen, &counted.id).cloned().collect();
            if !names.is_empty() {
                self.attached.insert(counted.id.clone(), names);
            }
        }
    }

    /// Writes a policy down, unless a file has it; false where it cannot be had in sync.
    fn policy(&mut self, name: &PolicyName, policy: &Shelved) -> bool {
        if let Some(declared) = self.organization.policies.by_name.get(name) {
            return declared.value.kind == policy.kind;
        }
        let (path, text) = (policies::path(name, policy), policies::laid_out(&policy.content));
        if let Some(why) = trial::policy(&self.whole, &path, &text, name, &policy.content) {
            let about = format!("policies.{name} ({})", policy.kind);
            self.draft.notes.unfit.push(Note::new(about, why));
            return false;
        }
        self.draft.notes.added.push(path.clone());
        self.write(path, text);
        true
    }

    /// The policies to be named in an account's file: those it does not name yet.
    fn names_at(&self, slug: &Slug, id: &AccountId) -> BTreeSet<PolicyName> {
        let mut names = self.attached.get(id).cloned().unwrap_or_default();
        let target = PolicyTarget::Account(slug.clone());
        let declared = self.desired.as_ref().map(|desired| &desired.organization.policies.attachments);
        names.retain(|name| {
            declared.is_none_or(|declared| !declared.contains_key(&(name.clone(), target.clone())))
        });
        names
    }

    /// Says which policies hang on an account that gets no folder.
    fn leave_policies(&mut self, id: &AccountId) {
        for name in self.attached.get(id).into_iter().flatten() {
            let about = format!("policies.{name}");
            let why = format!("it is attached to {id}, which gets no folder");
            self.draft.notes.unfit.push(Note::new(about, why));
        }
    }

    pub(super) fn account(&mut self, counted: &Counted, inside: Option<&Result<Inside, String>>) {
        let about = format!("account {} ({})", counted.id, counted.name);
        match &counted.state {
            AccountState::Active => {}
            AccountState::PendingActivation => {
                return self.draft.notes.unread.push(Note::new(about, "AWS is still activating it"));
            }
            AccountState::Unusable(state) => {
                let why = format!("it is {state}; it gets no folder");
                self.leave_policies(&counted.id);
                return self.draft.notes.unfit.push(Note::new(about, why));
            }
        }
        let Some(slug) = self.slug(counted) else { return };
        let ou = match &counted.place {
            Ok(ou) => ou.clone(),
            Err(why) => return self.draft.notes.unread.push(Note::new(about, format!("its place: {why}"))),
        };
        let folder = format!("accounts/{slug}");
        if let Err(why) = &counted.tags {
            self.draft.notes.unread.push(Note::new(&folder, format!("its tags: {why}")));
        }
        let pieces = match inside {
            Some(Ok(inside)) => {
                let (home, owner) = (&self.organization.home_region, &self.organization.id);
                account::pieces(&slug, inside, home, owner, &mut self.draft.notes)
            }
            Some(Err(why)) => {
                self.draft.notes.unread.push(Note::new(&folder, format!("what is in it: {why}")));
                Vec::new()
            }
            None => Vec::new(),
        };
        if self.taken.contains(&slug) {
            self.add_to(&slug, counted, &ou, pieces);
        } else {
            self.begin_folder(&slug, counted, &ou, pieces);
        }
    }

    /// The account's folder, by recorded id or by our tags, or a name for a new one.
    fn slug(&mut self, counted: &Counted) -> Option<Slug> {
        let accounts = || self.desired.iter().flat_map(|desired| desired.accounts.values());
        let recorded = accounts().find(|account| account.id.as_ref() == Some(&counted.id));
        if let Some(account) = recorded {
            return Some(account.slug.clone());
        }
        if let Some(slug) = account::tagged(counted, &self.organization.id) {
            let is_another = accounts().any(|account| account.slug == slug && account.id.is_some());
            if !is_another {
                return Some(slug);
            }
        }
        let is_same = |email: &str| email.eq_ignore_ascii_case(&counted.email);
        if let Some(account) = accounts().find(|it| it.id.is_none() && is_same(it.email.as_str())) {
            let path = format!("accounts/{}/account.yaml", account.slug);
            let lines = format!("id: {}\n", json!(counted.id));
            self.draft.notes.by_hand.push(Note::new(path, lines));
            return None;
        }
        slug::free(&counted.name, &counted.id, &self.taken)
    }

    fn begin_folder(&mut self, slug: &Slug, counted: &Counted, ou: &OuPath, pieces: Vec<Piece>) {
        let defaults = self.default_tags();
        let mut head = account::head(counted, ou, &defaults);
        let names = self.names_at(slug, &counted.id);
        if !names.is_empty() {
            head.push(("policies", json!(names)));
        }
        let pieces = match self.sifted(slug, counted, &head, pieces) {
            Ok(pieces) => pieces,
            Err(why) => {
                let about = format!("account {} ({})", counted.id, counted.name);
                return self.draft.notes.unfit.push(Note::new(about, why));
            }
        };
        let trial = Trial { organization: &self.whole, slug, id: &counted.id, head: &head };
        self.own.insert(slug.clone(), trial.items(&pieces));
        for (path, text) in trial::files(slug, &head, &pieces).1 {
            self.write(path, text);
        }
        self.taken.insert(slug.clone());
        self.draft.notes.folders.push(slug.clone());
    }

    fn default_tags(&self) -> Vec<String> {
        organization::default_tags(text(self.tree, ORGANIZATION).unwrap_or_default())
    }

    /// The pieces that are in sync as they are; the others are noted. Errors where the account itself is not.
    fn sifted(
        &mut self,
        slug: &Slug,
        counted: &Counted,
        head: &[(&'static str, Value)],
        pieces: Vec<Piece>,
    ) -> Result<Vec<Piece>, String> {
        let trial = Trial { organization: &self.whole, slug, id: &counted.id, head };
        let desired = trial.alone()?;
        let is_so = |email: &str| email == counted.email;
        if desired.accounts.get(slug).is_none_or(|it| it.name != counted.name || !is_so(it.email.as_str())) {
            return Err("its name or e-mail cannot be written down as AWS spells it".to_owned());
        }
        let (kept, left) = trial.sift(pieces);
        for (piece, why) in left {
            let about = format!("accounts/{slug}: {}", piece.name());
            self.draft.notes.unfit.push(Note::new(about, why));
        }
        Ok(kept)
    }

    /// Adds what a folder that is there does not speak of.
    fn add_to(&mut self, slug: &Slug, counted: &Counted, ou: &OuPath, pieces: Vec<Piece>) {
        let path = format!("accounts/{slug}/account.yaml");
        let Some(before) = text(self.tree, &path).map(str::to_owned) else { return };
        let is_new = |piece: &Piece| {
            let is_declared = |desired: &Desired| account::is_declared(piece, slug, desired);
            !self.desired.as_ref().is_some_and(is_declared) && !edit::has(&before, &piece.keys())
        };
        let new: Vec<_> = pieces.into_iter().filter(is_new).collect();
        let defaults = self.default_tags();
        let head = account::head(counted, ou, &defaults);
        let new = self.sifted(slug, counted, &head, new).unwrap_or_else(|why| {
            self.draft.notes.unfit.push(Note::new(format!("accounts/{slug}"), why));
            Vec::new()
        });
        let mut after = before.clone();
        self.add_tags(slug, counted, &mut after);
        self.add_policies(slug, &counted.id, &mut after);
        let mut taken = self.names_in(slug);
        for mut piece in new {
            let file = piece.named(&mut taken);
            match edit::insert(&after, &piece.keys(), &piece.value) {
                Some(more) => {
                    after = more;
                    self.draft.notes.added.push(format!("accounts/{slug}: {}", piece.name()));
                    if let Some((name, text)) = file {
                        self.write(format!("accounts/{slug}/{name}"), text);
                    }
                }
                None => self.by_hand(&path, &piece, file.map(|(name, _)| name)),
            }
        }
        if after != before {
            self.write(path, after);
        }
    }

    fn by_hand(&mut self, path: &str, piece: &Piece, file: Option<String>) {
        let mut lines = edit::snippet(&piece.keys(), &piece.value);
        if let Some(file) = file {
            lines = format!("# with the {file} that AWS shows\n{lines}");
        }
        self.draft.notes.by_hand.push(Note::new(path, lines));
    }

    fn add_tags(&mut self, slug: &Slug, counted: &Counted, text: &mut String) {
        let declared = self.desired.as_ref().and_then(|desired| desired.accounts.get(slug));
        let declared: BTreeMap<_, _> = declared.map(|account| account.tags.clone()).unwrap_or_default();
        for (key, tag) in account::own_tags(counted) {
            let keys = ["tags", key.as_str()];
            if declared.contains_key(&key) || edit::has(text, &keys) {
                continue;
            }
            let value = load::escaped(&json!(tag));
            if let Some(more) = edit::insert(text, &keys, &value) {
                *text = more;
                self.draft.notes.added.push(format!("accounts/{slug}: tags.{key}"));
            } else {
                let path = format!("accounts/{slug}/account.yaml");
                self.draft.notes.by_hand.push(Note::new(path, edit::snippet(&keys, &value)));
            }
        }
    }

    fn add_policies(&mut self, slug: &Slug, id: &AccountId, text: &mut String) {
        let names = self.names_at(slug, id);
        if names.is_empty() {
            return;
        }
        if let Some(more) = edit::insert(text, &["policies"], &json!(names)) {
            *text = more;
            let added = names.iter().map(|name| format!("accounts/{slug}: policies: {name}"));
            self.draft.notes.added.extend(added);
        } else {
            let path = format!("accounts/{slug}/account.yaml");
            let lines = edit::snippet(&["policies"], &json!(names));
            self.draft.notes.by_hand.push(Note::new(path, lines));
        }
    }

    /// The names of the files in a folder, in small letters.
    fn names_in(&self, slug: &Slug) -> BTreeSet<String> {
        let head = format!("accounts/{slug}/");
        let names = self.whole.files.keys().filter_map(|path| path.strip_prefix(&head));
        names.map(str::to_ascii_lowercase).collect()
    }
}

/// The errors of files that count, in one line.
fn messages(diagnostics: &Diagnostics, counts: impl Fn(&str) -> bool) -> String {
    let errors = diagnostics.iter().filter(|it| it.severity == load::Severity::Error && counts(&it.path));
    let messages: BTreeSet<_> = errors.map(|it| it.message.clone()).collect();
    messages.into_iter().collect::<Vec<_>>().join("; ")
}

/// What baselines make of a new folder beyond what its own file says.
fn brought(desired: &Desired, slug: &Slug, own: &BTreeMap<Item, Value>) -> Vec<Note> {
    let items = desired.items(&Scope::Account(slug.clone()));
    let others = items.into_iter().filter(|(item, declared)| own.get(item) != Some(&declared.value));
    let note = |(item, declared): (Item, Declared<Value>)| {
        Note::new(format!("accounts/{slug}"), format!("{item}, declared in {}", declared.source.path))
    };
    others.map(note).collect()
}
