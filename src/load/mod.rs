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
mod agreement;
mod diagnostic;
mod documents;
mod exclusion;
mod explain;
mod expression;
mod fields;
mod files;
#[doc(hidden)]
pub mod fuzzing;
mod held;
mod identity;
mod later;
mod layer;
mod leaving;
mod links;
mod lock;
mod memory;
mod merge;
mod names;
mod order;
mod paths;
mod pieces;
mod policies;
mod producers;
mod raw;
mod reach;
mod reads;
mod render;
mod rollout;
mod room;
mod rule;
mod settings;
mod spread;
mod stacks;
mod tags;
mod targets;
mod templates;
mod tree;
mod whole;
mod words;

pub use diagnostic::{Diagnostic, Diagnostics, Related};
pub use explain::{ExplainedExclusion, ExplainedPath, ExplainedWord, Explanation, Shown};
pub use held::{Held, Newcomers, recorded_id};
pub use render::{Rendered, by_region, document, escaped, scalar};
pub use rule::{Rule, Severity};
pub use templates::capability;
pub use tree::{File, Tree};

use account::Accounts;
use diagnostic::Faults;
use files::Files;
use memory::Memory;
use policies::Shelf;

use jiff::civil::Date;

use crate::model::{Desired, Organization, Policies, Slug};

/// What a tree came to.
#[derive(Clone, Debug)]
pub struct Checked {
    /// What should be; nothing when there is an error anywhere.
    pub desired: Option<Desired>,
    /// Errors, or else the warnings.
    pub diagnostics: Diagnostics,
    /// Who is under which lock.
    pub held: Held,
}

/// What the tree says should be.
///
/// Errors with everything there is to say of the repository, in order of path and line. The management account's
/// role falls back to the daemon's own credentials; member accounts to `OrganizationAccountAccessRole`, which AWS
/// itself makes.
pub fn load(tree: &Tree) -> Result<Desired, Diagnostics> {
    let Checked { desired, diagnostics, .. } = check(tree, None);
    desired.ok_or(diagnostics)
}

/// The same with the warnings that a sound tree comes with. Without `today` there are none: nothing is said of what has
/// ended, nor of who is reached by nothing.
pub fn check(tree: &Tree, today: Option<Date>) -> Checked {
    Loader::default().check(tree, today)
}

/// Loads one commit after the other and works out anew only what is not as it was in the last one.
///
/// What it comes to never hangs on what it was given before: only the time it takes does. Accounts that are as they
/// were are the same memory.
#[derive(Debug, Default)]
pub struct Loader(Memory);

impl Loader {
    /// See [`check`].
    pub fn check(&mut self, tree: &Tree, today: Option<Date>) -> Checked {
        look(tree, today, &mut self.0, |_| ()).0
    }
}

/// Why an account is as it is; nothing when there is no such folder.
///
/// Errors with everything there is to say of the repository when it does not load.
pub fn explain(tree: &Tree, slug: &Slug) -> Result<Option<Explanation>, Diagnostics> {
    let (checked, explanation) = look(tree, None, &mut Memory::default(), |accounts| accounts.explain(slug));
    checked.desired.map(|_| explanation.flatten()).ok_or(checked.diagnostics)
}

/// An account as one file, every layer laid over the others; nothing when there is no such folder.
///
/// `NoEcho` parameters and the values they are made from are only in it `with_secrets`. Errors as [`explain`].
pub fn render(tree: &Tree, slug: &Slug, with_secrets: bool) -> Result<Option<Rendered>, Diagnostics> {
    let (checked, rendered) =
        look(tree, None, &mut Memory::default(), |accounts| accounts.render(slug, with_secrets));
    checked.desired.map(|_| rendered.flatten()).ok_or(checked.diagnostics)
}

/// Loads, and takes `more` from the accounts if they could be built without a fault.
fn look<T>(
    tree: &Tree,
    today: Option<Date>,
    memory: &mut Memory,
    more: impl FnOnce(&Accounts<'_>) -> T,
) -> (Checked, Option<T>) {
    let mut faults = Faults::default();
    memory.turn();
    let Files { repository, organization, baselines, accounts, incomplete } =
        files::read(tree, memory, &mut faults);
    let shelf = Shelf::read(tree, memory, &mut faults);
    let policies = shelf.declared(&organization, &accounts, repository.layer.mode(), &mut faults);
    if !incomplete && faults.is_sound() {
        shelf.warn_of_the_idle(&policies, &mut faults);
    }
    let accounts =
        Accounts::new(tree, &organization, repository, baselines, &accounts, incomplete, memory, &mut faults);
    if let Some(today) = today {
        accounts.warn_of_the_past(today, &mut faults);
        accounts.warn_of_reach(&mut faults);
    }
    let (built, links, held) = accounts.build(memory, &mut faults);
    let rollout = accounts.rollout(&mut faults);
    memory.was_bad = !faults.is_sound();
    let more = faults.is_sound().then(|| more(&accounts));
    let desired = organization.known.as_ref().filter(|_| faults.is_sound()).map(|known| Desired {
        revision: tree.revision.clone(),
        accounts: built,
        rollout,
        organization: desired_organization(&organization, known, policies),
    });
    if let Some(desired) = &desired {
        accounts.warn_of_backward_references(desired, &links, &mut faults);
    }
    (Checked { desired, diagnostics: faults.into_diagnostics(tree), held }, more)
}

fn desired_organization(
    organization: &raw::Organization,
    known: &raw::Known,
    policies: Policies,
) -> Organization {
    Organization {
        access: account::access(&organization.access, &raw::Access::default()),
        source: organization.spot.source(),
        policies,
        ous: organization.ous.iter().map(|(path, spot)| (path.clone(), spot.source())).collect(),
        id: known.id.clone(),
        management_account: known.management_account.clone(),
        home_region: known.home_region.clone(),
    }
}
