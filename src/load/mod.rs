//! Load, the first of the five verbs: a tree at one commit becomes what should be, or every reason why not.
//!
//! Guarantees: pure, no IO, clock or logging; the same tree gives the same value; nothing in the repository is
//! executed. A tree with any fault gives no value at all, and all its faults at once.
//!
//! ```text
//! files → raw (each file alone) → identity (who is who) → merge (repository, baselines in order, account)
//!       → expressions → stacks and settings → Desired
//! ```

mod account;
mod adopt;
mod diagnostic;
mod exclusion;
mod expression;
mod fields;
mod files;
mod identity;
mod layer;
mod lock;
mod merge;
mod order;
mod raw;
mod rule;
mod settings;
mod stacks;
mod tags;
mod targets;
mod templates;
mod tree;
mod words;

pub use diagnostic::{Diagnostic, Diagnostics, Related};
pub use rule::{Rule, Severity};
pub use tree::{File, Tree};

use account::Accounts;
use diagnostic::Faults;
use files::Files;

use jiff::civil::Date;

use crate::model::{Desired, Organization};

/// What a tree came to.
#[derive(Clone, Debug)]
pub struct Checked {
    /// What should be; nothing when there is an error anywhere.
    pub desired: Option<Desired>,
    /// Errors, or else the warnings.
    pub diagnostics: Diagnostics,
}

/// What the tree says should be.
///
/// Errors with everything there is to say of the repository, in order of path and line. The management account's
/// role falls back to the daemon's own credentials; member accounts to `OrganizationAccountAccessRole`, which AWS
/// itself makes.
pub fn load(tree: &Tree) -> Result<Desired, Diagnostics> {
    let Checked { desired, diagnostics } = check(tree, None);
    desired.ok_or(diagnostics)
}

/// The same with the warnings that a sound tree comes with. Without `today` nothing is said of what has ended.
pub fn check(tree: &Tree, today: Option<Date>) -> Checked {
    let mut faults = Faults::default();
    let desired = read(tree, today, &mut faults).filter(|_| faults.is_sound());
    Checked { desired, diagnostics: faults.into_diagnostics(tree) }
}

fn read(tree: &Tree, today: Option<Date>, faults: &mut Faults) -> Option<Desired> {
    let Files { repository, organization, baselines, accounts, incomplete } = files::read(tree, faults);
    let accounts = Accounts::new(tree, &organization, repository, baselines, &accounts, incomplete, faults);
    if let Some(today) = today {
        accounts.warn_of_the_past(today, faults);
    }
    let accounts = accounts.build(faults);
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
