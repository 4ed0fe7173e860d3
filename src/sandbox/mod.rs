//! The world outside, simulated over its real wire protocols.
//!
//! What is in here is a double for every test and the embedded default behind `landfast sandbox`. It names no
//! vendor's client library: whatever talks to it does so over a socket, as it would to the real thing.

pub mod aws;
mod fault;
pub mod github;
mod remote;
pub mod stage;
pub mod watch;

pub use fault::When;
pub use remote::BareRemote;
