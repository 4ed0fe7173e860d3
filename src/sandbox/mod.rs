//! The sandbox: what stands in for the outside world, over its real wire protocols.

pub mod github;
