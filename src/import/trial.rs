//! What would become of a piece once it is committed: it is loaded, and planned against what was seen of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::organization::{ORGANIZATION, required_tags};
use super::pieces::Piece;
use crate::load::{self, Diagnostics, File, Tree};
use crate::model::{
    AccountFacts, AccountId, Base, Desired, Facts, Item, Mode, Observed, Organization, PolicyName, Scope,
    Sight, Slug, Verdict,
};
use crate::plan::{Guards, Rules, plan};

const ACCOUNT: &str = "account.yaml";

/// The organization of a tree, loaded with an account that stands for all.
pub(super) fn organization(tree: &Tree) -> Result<Organization, Diagnostics> {
    let text = super::text(tree, ORGANIZATION).unwrap_or_default();
    let tags: Value = required_tags(text).into_iter().map(|key| (key, json!("any"))).collect();
    let account = load::document(&[
        ("name", json!("Any")),
        ("email", json!("any@example.com")),
        ("ou", json!("/")),
        ("tags", tags),
    ]);
    let mut alone = shared(tree);
    alone.files.insert(format!("accounts/any/{ACCOUNT}"), File::text(account));
    load::load(&alone).map(|desired| desired.organization)
}

/// The pieces of an account that are in sync once they are committed, and why the others would not be.
///
/// Errors with why the account itself does not load.
pub(super) struct Trial<'a> {
    /// The organization's file.
    pub(super) organization: &'a Tree,
    pub(super) slug: &'a Slug,
    pub(super) id: &'a AccountId,
    /// The account's own keys.
    pub(super) head: &'a [(&'static str, Value)],
}

impl Trial<'_> {
    /// The account without any piece.
    pub(super) fn alone(&self) -> Result<Desired, String> {
        self.loaded(&[])
    }

    /// Keeps what is in sync, and says why the rest is not.
    pub(super) fn sift(&self, pieces: Vec<Piece>) -> (Vec<Piece>, Vec<(Piece, String)>) {
        if self.obstacle(&pieces).is_none() {
            return (pieces, Vec::new());
        }
        let (mut kept, mut left) = (Vec::new(), Vec::new());
        for piece in pieces {
            match self.obstacle(std::slice::from_ref(&piece)) {
                None => kept.push(piece),
                Some(why) => left.push((piece, why)),
            }
        }
        (kept, left)
    }

    /// What the account declares with these pieces and without any baseline.
    pub(super) fn items(&self, pieces: &[Piece]) -> BTreeMap<Item, Value> {
        let items = self.loaded(pieces).map(|desired| desired.items(&Scope::Account(self.slug.clone())));
        items.unwrap_or_default().into_iter().map(|(item, declared)| (item, declared.value)).collect()
    }

    fn obstacle(&self, pieces: &[Piece]) -> Option<String> {
        let desired = match self.loaded(pieces) {
            Ok(desired) => desired,
            Err(why) => return Some(why),
        };
        let observed = self.observed(pieces);
        let scope = Scope::Account(self.slug.clone());
        let plan = plan(&scope, &desired, &Base::default(), &observed, &rules());
        let odd = plan.findings.iter().find(|(_, finding)| finding.verdict != Verdict::InSync);
        odd.map(|(item, finding)| {
            let because = if finding.because.is_empty() { "it would differ" } else { &finding.because };
            format!("{item}: {because}")
        })
    }

    fn loaded(&self, pieces: &[Piece]) -> Result<Desired, String> {
        let mut tree = shared(self.organization);
        for (path, text) in files(self.slug, self.head, pieces).1 {
            tree.files.insert(path, File::text(text));
        }
        load::load(&tree).map_err(|diagnostics| words(&diagnostics))
    }

    fn observed(&self, pieces: &[Piece]) -> Observed {
        let items: BTreeMap<Item, Sight> = pieces.iter().flat_map(|piece| piece.sights.clone()).collect();
        let stacks = pieces.iter().flat_map(|piece| piece.facts.clone()).collect();
        let facts = AccountFacts { id: Some(self.id.clone()), stacks, ..AccountFacts::default() };
        let scope = Scope::Account(self.slug.clone());
        Observed { scope, items, facts: Facts::Account(facts), hold: None }
    }
}

/// The account's file and those it names, by path from the root; and the pieces, each with its file named.
pub(super) fn files(
    slug: &Slug,
    head: &[(&'static str, Value)],
    pieces: &[Piece],
) -> (Vec<Piece>, BTreeMap<String, String>) {
    let (mut pieces, mut files) = (pieces.to_vec(), BTreeMap::new());
    let mut taken = BTreeSet::from([ACCOUNT.to_owned()]);
    let mut body = json!({});
    for piece in &mut pieces {
        if let Some((name, text)) = piece.named(&mut taken) {
            files.insert(format!("accounts/{slug}/{name}"), text);
        }
        put(&mut body, &piece.path, piece.value.clone());
    }
    let mut keys = head.to_vec();
    for key in ["settings", "stacks"] {
        if let Some(value) = body.get(key) {
            keys.push((key, value.clone()));
        }
    }
    files.insert(format!("accounts/{slug}/{ACCOUNT}"), load::document(&keys));
    (pieces, files)
}

fn put(tree: &mut Value, path: &[String], value: Value) {
    match path {
        [] => *tree = value,
        [key, rest @ ..] => put(&mut tree[key.as_str()], rest, value),
    }
}

/// Why a file with this policy would not be in sync with `content`, which AWS has, if so.
pub(super) fn policy(
    tree: &Tree,
    path: &str,
    text: &str,
    name: &PolicyName,
    content: &str,
) -> Option<String> {
    let mut alone = shared(tree);
    alone.files.insert(path.to_owned(), File::text(text));
    match organization(&alone) {
        Err(diagnostics) => Some(words(&diagnostics)),
        Ok(organization) => {
            let policy = organization.policies.by_name.get(name);
            let is_same = policy.is_some_and(|it| it.value.kind.read(content) == it.value.content);
            (!is_same).then(|| "it would differ".to_owned())
        }
    }
}

/// What all accounts share, without any of them: the organization's file, and its policies.
fn shared(tree: &Tree) -> Tree {
    let is_shared = |path: &str| path == ORGANIZATION || path.starts_with("organization/policies/");
    let files = tree.files.iter().filter(|(path, _)| is_shared(path));
    let files = files.map(|(path, file)| (path.clone(), file.clone())).collect();
    Tree { revision: tree.revision.clone(), files }
}

/// The faults of a piece on one line.
pub(super) fn words(diagnostics: &Diagnostics) -> String {
    let faults: BTreeSet<_> = diagnostics.iter().map(|it| it.message.clone()).collect();
    format!("it does not load: {}", faults.into_iter().collect::<Vec<_>>().join("; "))
}

fn rules() -> Rules {
    Rules {
        ceiling: Mode::Observe,
        allow_management: false,
        max_creations: 0,
        committed: 0,
        now: 0,
        guards: Guards::default(),
        fights: BTreeSet::new(),
        closed: None,
    }
}
