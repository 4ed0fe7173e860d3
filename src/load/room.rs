//! How large what expressions come to may be.

use minijinja::value::ValueKind;

use super::expression::ExpressionFault;

/// What the expressions of one value may come to, in bytes.
const MAX_RESULT: usize = 65_536;

/// Bytes that what is evaluated may still take.
pub(super) struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(MAX_RESULT)
    }
}

impl Room {
    /// Takes what a value will need. The library repeats lists lazily, so one of them may stand for gigabytes:
    /// it is walked, not built, and only as far as there is room.
    pub(super) fn hold(&mut self, value: &minijinja::Value) -> Result<(), ExpressionFault> {
        if let Some(text) = value.as_bytes() {
            return self.take(text.len());
        }
        // A text of which something is still to come.
        if value.kind() == ValueKind::Plain {
            return self.take(value.to_string().len());
        }
        let map = value.kind() == ValueKind::Map;
        // What cannot be walked is a number, a flag, or no data at all.
        for item in value.try_iter().into_iter().flatten() {
            self.take(1)?;
            self.hold(&item)?;
            if map && let Ok(value) = value.get_item(&item) {
                self.hold(&value)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, bytes: usize) -> Result<(), ExpressionFault> {
        self.0 = self.0.checked_sub(bytes).ok_or_else(|| ExpressionFault {
            message: format!("expressions come to more than {MAX_RESULT} bytes in one value"),
            hint: "AWS takes no text that is this long".to_owned(),
        })?;
        Ok(())
    }
}
