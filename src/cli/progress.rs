//! What is being done, on standard error.

use std::cell::Cell;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::text::count;

/// What takes no longer than this is not worth a word.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the spinner moves.
const TICK: Duration = Duration::from_millis(120);

/// A spinner with a count, where standard error is a terminal. It is gone when it is dropped.
pub(super) struct Progress {
    bar: ProgressBar,
    what: &'static str,
    done: &'static str,
    began: Instant,
    is_shown: Cell<bool>,
}

impl Progress {
    /// Counts `what`, such as `group`. It is shown when that takes a while.
    pub fn of(what: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}, {elapsed}") {
            bar.set_style(style);
        }
        Self { bar, what, done: "audited", began: Instant::now(), is_shown: Cell::new(false) }
    }

    /// The same for what is only read.
    pub fn reading(what: &'static str) -> Self {
        let mut progress = Self::of(what);
        progress.done = "read";
        progress
    }

    /// The same, shown at once: nobody knows how long the first answer takes.
    #[cfg(feature = "live")]
    pub fn at_once(self) -> Self {
        self.show(0);
        self
    }

    /// So many are done.
    pub fn done(&self, n: usize) {
        if self.is_shown.get() || self.began.elapsed() >= PATIENCE {
            self.show(n);
        }
    }

    fn show(&self, n: usize) {
        if !self.is_shown.replace(true) {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.bar.enable_steady_tick(TICK);
        }
        self.bar.set_message(format!("{} {}", count(n, self.what), self.done));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_shown_only_when_it_takes_a_while() {
        let progress = Progress::of("group");
        progress.done(1);
        assert!(!progress.is_shown.get());
        let mut slow = Progress::of("group");
        slow.began = Instant::now().checked_sub(PATIENCE).unwrap();
        slow.done(1);
        assert!(slow.is_shown.get());
        assert_eq!(slow.bar.message(), "1 group audited");
    }
}
