//! One binary for all stories: it links once.

mod aws;
mod observe;
mod sandbox_aws;
mod stub;
