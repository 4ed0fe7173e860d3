//! One binary for all stories: it links once.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end there")]

mod creation;
mod paper;
mod tidy;
mod truth_table;
