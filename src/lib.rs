//! Landfast keeps AWS accounts fastened to a git repository.
//!
//! ```text
//!  git ──load──▶ Desired ─┐
//!         base ───────────┼─plan──▶ Plan ──apply──▶ Outcomes ──report──▶ issues, pull requests, landfast/observed
//!  AWS ─observe▶ Observed ┘ (pure)
//! ```

pub mod aws;
pub mod model;
pub mod observe;
pub mod sandbox;
