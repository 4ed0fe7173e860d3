//! Parse, wire, dispatch, exit code.

fn main() {}
