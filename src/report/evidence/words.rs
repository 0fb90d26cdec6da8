//! How evidence is said.

use super::super::history::words::{open_for, place, status};
use crate::evaluate::Control;
use crate::evidence::{ControlAnswer, Evidence, Period, PlaceCovered, Tolerated};
use crate::history::{Gap, Opening};
use crate::text::minute;
use crate::words::excess_text;

/// `2026-07-01 to 2026-09-30`
pub(in crate::report) fn period(period: Period) -> String {
    format!("{} to {}", period.from, period.to)
}

/// What a control asks for.
pub(in crate::report) fn asks(control: Control) -> &'static str {
    match control {
        Control::Cis3Ipv4 | Control::Cis5Ipv4 | Control::Cis7Ipv4 => {
            "no SSH (22) or RDP (3389) from 0.0.0.0/0"
        }
        Control::Cis3Ipv6 | Control::Cis5Ipv6 | Control::Cis7Ipv6 => {
            "no SSH (22) or RDP (3389) from ::/0"
        }
        Control::Cis3DefaultGroup
        | Control::Cis5DefaultGroup
        | Control::Cis7DefaultGroup
        | Control::DefaultGroup => "no rules in the default group of a VPC",
        Control::Ssh => "no SSH (22) from 0.0.0.0/0 or ::/0",
        Control::Rdp => "no RDP (3389) from 0.0.0.0/0 or ::/0",
        Control::PublicPorts => {
            "from 0.0.0.0/0 and ::/0 only the ports that are meant to be public"
        }
        Control::HighRiskPorts => "no high-risk ports from 0.0.0.0/0 or ::/0",
        Control::AdministrationIpv4 => "no remote administration ports from 0.0.0.0/0",
        Control::AdministrationIpv6 => "no remote administration ports from ::/0",
    }
}

/// Whose control it is.
pub(in crate::report) fn standard(control: Control) -> &'static str {
    match control {
        Control::Cis3Ipv4
        | Control::Cis3Ipv6
        | Control::Cis3DefaultGroup
        | Control::Cis5Ipv4
        | Control::Cis5Ipv6
        | Control::Cis5DefaultGroup
        | Control::Cis7Ipv4
        | Control::Cis7Ipv6
        | Control::Cis7DefaultGroup => "CIS AWS Foundations Benchmark",
        Control::DefaultGroup
        | Control::Ssh
        | Control::Rdp
        | Control::PublicPorts
        | Control::HighRiskPorts
        | Control::AdministrationIpv4
        | Control::AdministrationIpv6 => "AWS Security Hub",
    }
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
