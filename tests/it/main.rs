//! One binary for all stories: it links once.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

mod load;
