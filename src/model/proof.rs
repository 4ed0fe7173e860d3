//! Proof: which template a stack was last seen to have.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::item::Item;

/// That a stack had this template when it was last read. While neither the stack nor its state nor the time of its last
/// update moved, it has it still and need not be read again. Losing it costs one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// The stack's ARN, which changes when it is deleted and made again.
    pub stack: String,
    /// `StackStatus` as AWS spells it.
    pub status: String,
    /// Milliseconds since 1970 of the last update, or of creation.
    pub updated: i64,
    /// The digest of the template in canonical form.
    pub template: String,
}

/// Proofs of one account, by item.
pub type Proofs = BTreeMap<Item, Proof>;

impl Proof {
    /// The digest of a template in canonical form.
    pub fn digest(template: &str) -> String {
        hex::encode(Sha256::digest(template.as_bytes()))
    }
}
