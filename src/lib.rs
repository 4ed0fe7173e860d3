//! Landfast keeps AWS accounts fastened to a git repository.
//!
//! ```text
//!  git ──load──▶ Desired ─┐
//!         base ───────────┼─plan──▶ Plan ──apply──▶ Outcomes ──report──▶ issues, pull requests, landfast/observed
//!  AWS ─observe▶ Observed ┘ (pure)
//! ```

pub mod cli;
pub mod daemon;

pub mod model;

pub mod load;

pub mod plan;

pub mod apply;

pub mod aws;
pub mod clock;
pub mod git;
pub mod server;
