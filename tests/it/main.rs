//! One binary for all stories: it links once.

mod aws;
mod sandbox_aws;
