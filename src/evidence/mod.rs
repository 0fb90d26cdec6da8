//! What an audit of a period asks for: what is found now, what was open when, for how long it was
//! watched, and who tolerated what for which reason.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use strum::VariantArray;

use crate::baseline::{Baseline, Exemption};
use crate::ec2::Place;
use crate::evaluate::Control;
use crate::evaluate::controls::controls;
use crate::finding::Report;
use crate::history::{Gap, History, Opening, OpeningStatus};

/// The days of a period in UTC, the first and the last among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
}

impl Period {
    pub fn begin(self) -> DateTime<Utc> {
        self.from.and_time(NaiveTime::MIN).and_utc()
    }

    /// Its last second.
    pub fn end(self) -> DateTime<Utc> {
        self.to.and_time(NaiveTime::MIN).and_utc() + TimeDelta::seconds(24 * 60 * 60 - 1)
    }
}

/// Everything that is packed.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The days that it is about.
    pub period: Period,
    /// Until when what is open counts: the end of the period, or the time of the packing if that is
    /// earlier.
    pub as_of: DateTime<Utc>,
    /// What the groups were compared with.
    pub baseline: Baseline,
    /// What is wrong with the groups as they were given.
    pub report: Report,
    /// What was open in the period.
    pub history: History,
    /// What could not be read, in words.
    pub unread: Vec<String>,
}

/// How far an account and region was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceCovered {
    /// The account and region.
    pub place: Place,
    /// How many groups were audited.
    pub groups: usize,
    /// How many findings there are.
    pub findings: usize,
    /// How many records of CloudTrail were read, those outside of the period too.
    pub records: usize,
    /// The stretches of more than a day in the period without any record, the longest first.
    pub gaps: Vec<Gap>,
}

/// An exemption of the baseline, and what it was needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tolerated<'a> {
    pub exemption: &'a Exemption,
    /// Whether it still counted at the end.
    pub is_active: bool,
    /// How many rules it was needed for, of the groups as they were given.
    pub rules: usize,
}

/// What there is to say about a published control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlAnswer {
    /// The control, such as `CIS 5.0.0 5.3` or `EC2.13`.
    pub control: Control,
    /// How many findings fail it.
    pub findings: usize,
    /// How many openings of the period failed it.
    pub openings: usize,
    /// How many of these are open, or may be.
    pub open: usize,
    /// The groups behind all of them.
    pub groups: BTreeSet<String>,
}

impl Evidence {
    /// Every account and region of which something was read.
    pub fn covered(&self) -> Vec<PlaceCovered> {
        let mut places: BTreeMap<&Place, PlaceCovered> = BTreeMap::new();
        let (begin, end) = (self.period.begin(), self.as_of);
        let silent = |place: &Place| PlaceCovered {
            place: place.clone(),
            groups: 0,
            findings: 0,
            records: 0,
            gaps: vec![Gap { from: begin, until: end }],
        };
        for (place, _) in &self.report.audited {
            places.entry(place).or_insert_with(|| silent(place)).groups += 1;
        }
        for finding in self.report.findings.iter().filter(|finding| finding.group.is_some()) {
            let place = &finding.place;
            places.entry(place).or_insert_with(|| silent(place)).findings += 1;
        }
        for coverage in &self.history.coverage {
            let place = &coverage.place;
            let covered = places.entry(place).or_insert_with(|| silent(place));
            covered.records = coverage.records;
            covered.gaps = coverage.gaps_between(begin, end);
        }
        places.into_values().collect()
    }

    /// The exemptions of the baseline.
    pub fn tolerated(&self) -> Vec<Tolerated<'_>> {
        let of = |exemption: &'_ Exemption| {
            let used = self.report.exempt.iter().filter(|it| {
                (&it.group, &it.reason, it.until)
                    == (&exemption.group, &exemption.reason, exemption.until)
            });
            used.count()
        };
        let today = self.as_of.date_naive();
        let exemptions = self.baseline.exemptions.iter();
        exemptions
            .map(|exemption| Tolerated {
                exemption,
                is_active: exemption.is_active(today),
                rules: of(exemption),
            })
            .collect()
    }

    /// The openings that announced their own end.
    pub fn held(&self) -> impl Iterator<Item = &Opening> {
        self.history.openings.iter().filter(|opening| opening.hold.is_some())
    }

    /// The published controls, each with what there is to say about it.
    pub fn answers(&self) -> Vec<ControlAnswer> {
        let failed = |opening: &Opening| {
            let name = opening.group_name.as_deref();
            controls(&opening.rule, &opening.excess.cells(), name)
        };
        let openings: Vec<_> = self.history.openings.iter().map(|it| (it, failed(it))).collect();
        Control::VARIANTS
            .iter()
            .map(|&control| {
                let (mut groups, mut open) = (BTreeSet::new(), 0);
                let mut findings = 0;
                for finding in &self.report.findings {
                    if finding.controls.contains(&control) {
                        findings += 1;
                        groups.extend(finding.group.as_ref().map(|group| group.id.to_string()));
                    }
                }
                let mut of_period = 0;
                for (opening, failed) in &openings {
                    if failed.contains(&control) {
                        of_period += 1;
                        open += usize::from(opening.status() != OpeningStatus::Closed);
                        groups.insert(opening.group.as_str().to_owned());
                    }
                }
                ControlAnswer { control, findings, openings: of_period, open, groups }
            })
            .collect()
    }

    /// Whether something that was to be read could not be, or a place was not watched all the time.
    pub fn is_partial(&self) -> bool {
        !self.unread.is_empty() || self.history.counts.unread + self.history.counts.untimed > 0
    }
}
