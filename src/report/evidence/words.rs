//! How evidence is said.

use super::super::history::words::{open_for, place, status};
use crate::evidence::{ControlAnswer, Evidence, Period, PlaceCovered, Tolerated};
use crate::history::{Gap, Opening};
use crate::text::minute;
use crate::words::excess_text;

/// `2026-07-01 to 2026-09-30`
pub(in crate::report) fn period(period: Period) -> String {
    format!("{} to {}", period.from, period.to)
}

/// What a control asks for.
pub(in crate::report) fn asks(control: &str) -> &'static str {
    match control {
        "CIS 3.0.0 5.2" | "CIS 5.0.0 5.3" | "CIS 7.0.0 6.3" => {
            "no SSH (22) or RDP (3389) from 0.0.0.0/0"
        }
        "CIS 3.0.0 5.3" | "CIS 5.0.0 5.4" | "CIS 7.0.0 6.4" => {
            "no SSH (22) or RDP (3389) from ::/0"
        }
        "CIS 3.0.0 5.4" | "CIS 5.0.0 5.5" | "CIS 7.0.0 6.5" | "EC2.2" => {
            "no rules in the default group of a VPC"
        }
        "EC2.13" => "no SSH (22) from 0.0.0.0/0 or ::/0",
        "EC2.14" => "no RDP (3389) from 0.0.0.0/0 or ::/0",
        "EC2.18" => "from 0.0.0.0/0 and ::/0 only the ports that are meant to be public",
        "EC2.19" => "no high-risk ports from 0.0.0.0/0 or ::/0",
        "EC2.53" => "no remote administration ports from 0.0.0.0/0",
        "EC2.54" => "no remote administration ports from ::/0",
        _ => "",
    }
}

/// Whose control it is.
pub(in crate::report) fn standard(control: &str) -> &'static str {
    if control.starts_with("CIS ") { "CIS AWS Foundations Benchmark" } else { "AWS Security Hub" }
}

/// Whether an account and region was watched all the time.
pub(in crate::report) fn watched(covered: &PlaceCovered) -> &'static str {
    match (covered.records, covered.gaps.is_empty()) {
        (_, true) => "all the time",
        (0, false) => "no record",
        (_, false) => "not all the time",
    }
}

/// `2026-07-03 04:00 UTC to 2026-07-08 11:00 UTC`
pub(in crate::report) fn gap(gap: &Gap) -> String {
    format!("{} to {}", minute(gap.from), minute(gap.until))
}

/// What an exemption tolerates: the traffic of the rules that needed it, or its line.
pub(in crate::report) fn tolerates(evidence: &Evidence, tolerated: &Tolerated<'_>) -> String {
    let exemption = tolerated.exemption;
    let of = evidence.report.exempt.iter().filter(|it| {
        (&it.group, &it.reason, it.until) == (&exemption.group, &exemption.reason, exemption.until)
    });
    let mut texts: Vec<String> = of.map(|it| excess_text(&it.rule, &it.traffic)).collect();
    texts.sort();
    texts.dedup();
    match texts.is_empty() {
        true => exemption.to_line(),
        false => texts.join("; "),
    }
}

/// `1 finding now, 3 openings in the period`
pub(in crate::report) fn answer(answer: &ControlAnswer) -> String {
    use crate::text::count;
    match (answer.findings, answer.openings) {
        (0, 0) => "nothing found".to_owned(),
        (findings, openings) => format!(
            "{} now, {} in the period",
            count(findings, "finding"),
            count(openings, "opening")
        ),
    }
}

/// `closed after 3 h`
pub(in crate::report) fn life(evidence: &Evidence, opening: &Opening) -> String {
    format!("{} after {}", status(opening), open_for(opening, evidence.history.now))
}

/// `123456789012 eu-central-1`
pub(in crate::report) fn at(covered: &PlaceCovered) -> String {
    place(&covered.place)
}
