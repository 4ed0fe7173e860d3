//! Landfast keeps AWS accounts fastened to a git repository.
//!
//! ```text
//!  git ──load──▶ Desired ─┐
//!         base ───────────┼─plan──▶ Plan ──apply──▶ Outcomes ──report──▶ issues, pull requests, landfast/observed
//!  AWS ─observe▶ Observed ┘ (pure)
//! ```
//!
//! The modules stand in the order in which data moves. [`reconcile`] runs one pass through all of them and is the place
//! to start reading.

pub mod cli;
pub mod daemon;
pub mod follow;
pub mod reconcile;

pub mod model;

pub mod load;
pub mod schema;
pub mod yaml;

pub mod observe;

pub mod import;

pub mod plan;

pub mod apply;

pub mod report;

pub mod aws;
pub mod clock;
pub mod git;
pub mod github;
pub mod server;

pub mod sandbox;
