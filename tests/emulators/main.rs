//! Stories against simulations of AWS that nobody here wrote, one binary for all of them: it links once.
//!
//! `tests/moto.sh` and `tests/ministack.sh` each start one and run its stories. Each story runs the real program and is
//! judged by the simulation's own state, read with the SDK, and by the requests it was sent; nothing rests on what a
//! simulation gets wrong, which the header of its folder names.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should end there")]

mod ministack;
mod moto;
mod place;
mod ran;
