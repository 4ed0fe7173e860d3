//! One binary for all stories: it links once.

mod sandbox_aws;
