//! The mail of a digest.

use super::lines::{HELP, Lines, TEXT};
use super::others::check_groups;
use crate::finding::{Digest, Report};
use crate::report::{digest, wording};

/// Bytes of all lines, as a JSON string has them.
const MAX: usize = 48 * 1024;

/// Lists the findings of a digest, as many as fit. Returns how many do.
fn list(mail: &mut Lines, digest: &Digest) -> usize {
    let mut told = 0;
    for (entry, number) in digest.entries.iter().zip(1..) {
        if mail.json_len() > MAX {
            break;
        }
        mail.text(&digest::line(number, entry, digest), TEXT);
        told += 1;
    }
    told
}

/// How many findings of a digest its mail lists.
pub fn listed(digest: &Digest) -> usize {
    let mut mail = Lines::default();
    mail.text(&digest::summary(digest), TEXT);
    tell_open(&mut mail, digest);
    list(&mut mail, digest)
}

/// The mail about what waited.
pub(super) fn body(report: &Report, digest: &Digest) -> String {
    let mut mail = Lines::default();
    mail.text(&digest::summary(digest), TEXT);
    tell_open(&mut mail, digest);
    mail.gap();
    let told = list(&mut mail, digest);
    let more = digest.entries.len().saturating_sub(told);
    if more > 0 {
        mail.text(&format!("and {more} more: sg-audit status lists all that are open."), TEXT);
    }
    mail.rule();
    mail.label("Baseline", &wording::baseline(&report.baseline), TEXT);
    mail.text(HELP, TEXT);
    mail.0
}

/// How many are open, and how to close them.
fn tell_open(mail: &mut Lines, digest: &Digest) {
    let open = digest::open(digest);
    let line = check_groups(open.clone().map(|it| (&it.brief.place, it.brief.group.as_ref())));
    let (are, them) = match open.count() {
        0 => return mail.text("None of them is open. You need to do nothing.", TEXT),
        1 => ("1 of them is open".to_owned(), "it"),
        open => (format!("{open} of them are open"), "them"),
    };
    let open = are + &digest::open_for(digest);
    match &line {
        Some(line) => {
            mail.text(
                &format!(
                    "{open}. This command changes nothing, and prints the lines that close {them}:"
                ),
                TEXT,
            );
            mail.command(Some(line));
        }
        None => {
            mail.text(&format!("{open}. sg-audit check prints the lines that close {them}."), TEXT)
        }
    }
}
