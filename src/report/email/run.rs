//! The mail that ends the sweep of an organisation.

use super::lines::{Lines, TEXT};
use crate::finding::{Covered, PlaceSwept, Run};
use crate::report::run::{noncompliant, not_audited, summary};

/// Characters of a place's line.
const PLACE: usize = 300;

/// What was covered, what to do about the rest, and where there are findings.
pub fn run_body(run: &Run, covered: &Covered) -> String {
    let mut mail = Lines::default();
    mail.text(&summary(covered), TEXT);
    if let Some(again) = &covered.again {
        mail.gap();
        mail.text("Audit what was not audited:", TEXT);
        mail.command(Some(again));
    }
    let totals = covered.totals;
    let gaps = totals.expected.saturating_sub(totals.audited);
    list(&mut mail, "Not audited:", &covered.not_audited, gaps, not_audited);
    // Those of places that were given up are told above.
    let more = covered.noncompliant.len();
    list(
        &mut mail,
        "Findings. To get lines to paste, run sg-audit check in these accounts and regions:",
        &covered.noncompliant,
        more,
        noncompliant,
    );
    mail.rule();
    mail.object("The table of all places", &covered.table);
    mail.label("Run", run.name.as_str(), TEXT);
    mail.0
}

fn list(
    mail: &mut Lines,
    title: &str,
    places: &[PlaceSwept],
    all: usize,
    line: impl Fn(&PlaceSwept) -> String,
) {
    if places.is_empty() {
        return;
    }
    mail.gap();
    mail.text(title, TEXT);
    for place in places {
        mail.text(&line(place), PLACE);
    }
    let more = all.saturating_sub(places.len());
    if more > 0 {
        mail.text(&format!("and {more} more: see the table of all places"), TEXT);
    }
}
