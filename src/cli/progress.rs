//! Progress on a terminal as bars, elsewhere as plain lines. All of it goes to standard error.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::apply::{Event, News};
use crate::model::{Outcome, Scope, StepId};

/// Shows events until there are no more.
pub async fn show(mut events: UnboundedReceiver<Event>) {
    let mut screen = Screen::default();
    while let Some(event) = events.recv().await {
        screen.take(&event);
    }
}

/// What is on the screen.
pub struct Screen {
    bars: MultiProgress,
    running: BTreeMap<(Scope, StepId), ProgressBar>,
    is_terminal: bool,
}

impl Default for Screen {
    fn default() -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self { bars: MultiProgress::new(), running: BTreeMap::new(), is_terminal }
    }
}

impl Screen {
    /// Shows one event.
    pub fn take(&mut self, event: &Event) {
        let key = (event.scope.clone(), event.step.clone());
        let what = format!("{}: {}", event.scope, event.step);
        match &event.news {
            News::Begun if self.is_terminal => drop(self.running.insert(key, self.bar(what))),
            News::Moved(status) => {
                if let Some(bar) = self.running.get(&key) {
                    bar.set_message(format!("{what} ({status})"));
                }
            }
            News::Begun => {}
            News::Ended(outcome) => {
                if let Some(bar) = self.running.remove(&key) {
                    bar.finish_and_clear();
                }
                self.line(&format!("  {} {what}{}", sign(outcome), words(outcome)));
            }
        }
    }

    /// Writes a line above the bars.
    #[expect(clippy::print_stderr, reason = "progress is talk, and talk goes to standard error")]
    pub fn line(&self, line: &str) {
        if self.is_terminal {
            self.bars.suspend(|| eprintln!("{line}"));
        } else {
            eprintln!("{line}");
        }
    }

    fn bar(&self, what: String) -> ProgressBar {
        let bar = self.bars.add(ProgressBar::new_spinner().with_message(what));
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }
}

fn sign(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "+",
        Outcome::Waiting { .. } => "~",
        Outcome::Stale(_) | Outcome::Skipped { .. } => "-",
        Outcome::Failed { .. } => "!",
    }
}

fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done => String::new(),
        Outcome::Waiting { because, .. } => format!(": {because}"),
        Outcome::Stale(because) => format!(": not done, {because}"),
        Outcome::Skipped { because } => format!(": skipped, because `{because}` did not come off"),
        Outcome::Failed { message, .. } => format!(": {message}"),
    }
}
