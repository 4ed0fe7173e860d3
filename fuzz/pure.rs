//! What is fuzzed: the modules that need neither AWS nor git, as they are in `src`.
#![allow(dead_code, reason = "the rest of the program uses what is left over here")]

#[path = "../src/load/mod.rs"]
pub mod load;
#[path = "../src/model/mod.rs"]
pub mod model;
#[path = "../src/yaml.rs"]
pub mod yaml;
