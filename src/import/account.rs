//! One account: its own keys, and its pieces.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::pieces::Piece;
use super::stacks::{self, Left};
use super::{Note, Notes};
use crate::load;
use crate::model::{Desired, OWNER_TAG, OrganizationId, OuPath, Region, SLUG_TAG, Slug};
use crate::observe::{Counted, Inside};

/// The keys that an account has whatever is in it.
pub(super) fn head(counted: &Counted, ou: &OuPath, defaults: &[String]) -> Vec<(&'static str, Value)> {
    let mut keys = vec![
        ("id", json!(counted.id)),
        ("name", load::escaped(&json!(counted.name))),
        ("email", load::escaped(&json!(counted.email))),
        ("ou", json!(ou)),
    ];
    let tags = own_tags(counted);
    let mut written: Map<_, _> =
        tags.iter().map(|(key, tag)| (key.clone(), load::escaped(&json!(tag)))).collect();
    // What every account is given, this one does without.
    for key in defaults {
        written.entry(key.clone()).or_insert(Value::Null);
    }
    if !written.is_empty() {
        keys.push(("tags", Value::Object(written)));
    }
    keys
}

/// The account's tags without ours and AWS's.
pub(super) fn own_tags(counted: &Counted) -> BTreeMap<String, String> {
    let mut tags = counted.tags.clone().unwrap_or_default();
    tags.retain(|key, _| {
        !["landfast:", "aws:"].iter().any(|head| key.to_ascii_lowercase().starts_with(head))
    });
    tags
}

/// The folder that an account's tags name, if they are ours.
pub(super) fn tagged(counted: &Counted, owner: &OrganizationId) -> Option<Slug> {
    let tags = counted.tags.as_ref().ok()?;
    tags.get(OWNER_TAG).filter(|tag| *tag == owner.as_str())?;
    Slug::parse(tags.get(SLUG_TAG)?.clone()).ok()
}

/// The pieces of what was read in an account; what makes none is noted.
pub(super) fn pieces(
    slug: &Slug,
    inside: &Inside,
    home: &Region,
    owner: &OrganizationId,
    notes: &mut Notes,
) -> Vec<Piece> {
    let about = |item: &str| format!("accounts/{slug}: {item}");
    notes.unread.extend(inside.unread.iter().map(|why| match why.split_once(": ") {
        Some((item, why)) => Note::new(about(item), why),
        None => Note::new(about(""), why.clone()),
    }));
    let mut pieces: Vec<_> =
        inside.settings.iter().map(|(setting, value)| Piece::setting(setting, value)).collect();
    let (stacks, left) = stacks::pieces(&inside.stacks, home, owner);
    pieces.extend(stacks);
    for (key, why) in left {
        let about = about(&format!("stacks.{}[{}]", key.name, key.region));
        match why {
            Left::To(owner) => notes.left.push(Note::new(about, owner)),
            Left::Unfit(why) => notes.unfit.push(Note::new(about, why)),
        }
    }
    pieces
}

/// True when the folder, or a layer that reaches it, says anything of a piece already.
pub(super) fn is_declared(piece: &Piece, slug: &Slug, desired: &Desired) -> bool {
    let Some(account) = desired.accounts.get(slug) else { return false };
    let is_stack = |name: &str| account.stacks.keys().any(|key| key.name.as_str() == name);
    match piece.keys().as_slice() {
        ["stacks", name] => is_stack(name),
        ["settings", rest @ ..] => {
            rest.join(".").parse().is_ok_and(|setting| account.settings.contains_key(&setting))
        }
        _ => false,
    }
}
