//! One binary for all stories: it links once.

mod issue_steps;
mod issues;
mod sandbox_github;
