//! For programs: versioned, as every JSON of ours.
//!
//! The shape, version 1. Fields may be added without a new version.
//!
//! ```text
//! version        1
//! errors         how many; with none the repository loads
//! warnings       how many
//! accounts       folders that were looked at
//! baselines      the same
//! diagnostics[]  path      the file, or the folder, from the root of the repository that was looked at
//!                line      counted from 1; 0 when it is the file as a whole
//!                column    counted from 1, in characters; 0 when it is the file as a whole
//!                severity  "error" or "warning"
//!                rule      "unknown-key", …: names are never changed and never used again
//!                message   what is wrong
//!                hint      what to do about it, or null
//!                excerpt   the line, or null where there is none or it may hold a secret
//!                related[] path, line, column, message: other places that have to do with it
//! ```

use serde_json::json;

use super::Checkup;
use crate::load::Severity;

const VERSION: u32 = 1;

/// The document, ending with a line end.
pub fn json(checkup: &Checkup<'_>) -> String {
    let document = json!({
        "version": VERSION,
        "errors": checkup.count(Severity::Error),
        "warnings": checkup.count(Severity::Warning),
        "accounts": checkup.accounts,
        "baselines": checkup.baselines,
        "diagnostics": checkup.diagnostics,
    });
    format!("{document:#}\n")
}
