//! One binary for all stories: it links once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should end there")]

mod aws;
mod calls;
mod classes;
mod cli;
mod contract;
mod creation;
mod files;
mod fleet;
mod git;
mod github_noise;
mod github_trouble;
mod harmless;
mod hostile;
mod importing;
mod issue_steps;
mod issues;
mod kill_matrix;
mod leaving;
mod load;
mod moved;
mod observe;
mod oracle;
mod ownership;
mod paper;
mod program;
mod saml;
mod sandbox_aws;
mod sandbox_github;
mod schema;
mod stories;
mod stub;
mod tidy;
mod truth_table;
mod validate;
mod waves;
