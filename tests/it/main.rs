//! One binary for all stories: it links once.

mod harmless;
mod issue_steps;
mod issues;
mod sandbox_github;
