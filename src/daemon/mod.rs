//! Triggers → queue of scopes → passes.

pub mod queue;
pub mod rhythm;
