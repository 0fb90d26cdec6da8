//! What the log says for `sg-audit doctor`, which looks for it.

use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span;

use super::*;

/// The tasks that the log says are done.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Visit for Log {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "task" {
            self.0.lock().unwrap().push(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

fn done(ec2: &impl SecurityGroups, event: &Event) -> Vec<String> {
    let log = Log::default();
    // If there were only one, a line that another thread reaches first would be logged nowhere.
    let _second = tracing::Dispatch::new(Log::default());
    tracing::subscriber::with_default(log.clone(), || {
        run_alone(ec2, &settings(Remediation::Notify), event, noon(), None)
    });
    let done = log.0.lock().unwrap();
    done.clone()
}

#[test]
fn a_sweep_and_a_check_of_holds_are_done_when_every_place_was_looked_at() {
    for (event, task) in [(sweep(), "sweep"), (check_of_holds(), "holds")] {
        let world = ec2(&[]);
        assert_eq!(done(&world, &event), [task]);
        let refusing = hooked(&world, |_| Some(denied()));
        assert_eq!(done(&refusing, &event), [] as [&str; 0], "{task}");
    }
}
