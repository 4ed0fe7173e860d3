//! One binary for all stories: it links once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should end there")]

mod aws;
mod cli;
mod creation;
mod files;
mod git;
mod harmless;
mod issue_steps;
mod issues;
mod load;
mod observe;
mod paper;
mod program;
mod sandbox_aws;
mod sandbox_github;
mod stories;
mod stub;
mod tidy;
mod truth_table;
