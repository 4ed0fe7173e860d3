//! Load, the first of the five verbs: a tree at one commit becomes what should be, or every reason why not.
//!
//! Guarantees: pure, no IO, clock or logging; the same tree gives the same value; nothing in the repository is
//! executed. A tree with any fault gives no value at all, and all its faults at once.
//!
//! ```text
//! files → raw (each file alone) → identity (who is who) → merge (baselines in order, account last)
//!       → expressions → stacks and settings → Desired
//! ```

mod account;
mod adopt;
mod diagnostic;
mod documents;
mod expression;
mod fields;
mod files;
mod identity;
mod layer;
mod merge;
mod order;
mod raw;
mod settings;
mod stacks;
mod tags;
mod targets;
mod templates;
mod tree;

pub use diagnostic::{Diagnostic, Diagnostics};
pub use tree::{File, Tree};

use account::Accounts;
use diagnostic::Faults;
use files::Files;

use crate::model::{Desired, Organization};

/// What the tree says should be.
///
/// Errors with every fault of the repository, in order of path and line. The management account's role falls back
/// to the daemon's own credentials; member accounts to `OrganizationAccountAccessRole`, which AWS itself makes.
pub fn load(tree: &Tree) -> Result<Desired, Diagnostics> {
    let mut faults = Faults::default();
    let desired = read(tree, &mut faults);
    match desired {
        Some(desired) if faults.is_empty() => Ok(desired),
        _ => Err(faults.into_diagnostics(tree)),
    }
}

fn read(tree: &Tree, faults: &mut Faults) -> Option<Desired> {
    let Files { mode, organization, baselines, accounts, incomplete } = files::read(tree, faults);
    let accounts = Accounts::new(tree, &organization, baselines, &accounts, incomplete, faults);
    let accounts = accounts.build(mode, faults);
    let known = organization.known?;
    Some(Desired {
        revision: tree.revision.clone(),
        accounts,
        organization: Organization {
            access: account::access(&organization.access, &raw::Access::default()),
            source: organization.spot.source(),
            ous: organization.ous.iter().map(|(path, spot)| (path.clone(), spot.source())).collect(),
            id: known.id,
            management_account: known.management_account,
            home_region: known.home_region,
        },
    })
}
