//! One binary for all stories: it links once.

mod issues;
mod sandbox_github;
