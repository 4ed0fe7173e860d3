//! One binary for all stories: it links once.

mod paper;
mod truth_table;
