//! Ministack with AUTH on: STS with real checks, the life cycle of stacks, drift property by property.
//!
//! It forgets no request for an account (there is no list of them), so accounts are made by hand and recorded in their
//! folders. It does not say which change set made a stack, and takes a `REVERT_DRIFT` change set for an ordinary one.

mod company;
mod wire;
mod witness;
mod world;

mod drift;
mod sessions;
mod stacks;
