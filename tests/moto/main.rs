//! The core stories against moto, a simulation of AWS that nobody here wrote. `tests/moto.sh` starts it.
//!
//! Each story runs the real program and is judged by moto's own state, read with the SDK; by the requests moto
//! recorded; and by the branches in git. Nothing rests on what moto gets wrong: it takes a used e-mail, makes an
//! account at once, lets anybody assume any role, and knows no drift of resources.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should end there")]

mod company;
mod ran;
mod recorder;
mod witness;
mod world;

mod baseline;
mod claims;
mod creation;
mod drift;
mod federation;
mod limits;
mod memory;
