//! AWS → Observed.
