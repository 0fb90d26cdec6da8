//! The finding that a change closed traffic that the site lives on.

use chrono::{DateTime, Utc};

use super::{Case, finding_group};
use crate::audit::ports::Group;
use crate::ec2::Rule;
use crate::ec2::command::authorize_line;
use crate::evaluate::expected::Closed;
use crate::finding::identity::{finding_id, fingerprint_of};
use crate::finding::{Code, Finding, FindingRemediation};
use crate::text::rule_text;

impl Case<'_> {
    /// The finding about traffic that is closed. It is one for each entry of the baseline: its
    /// fingerprint goes by the entry's name, since one rule may have let several through.
    pub fn expected_closed(&self, closed: &Closed<'_>, time: DateTime<Utc>) -> Finding {
        let code = Code::ExpectedTrafficClosed;
        let called = self.group.map_or_else(|| "a security group".to_owned(), Group::called);
        let group = self.group.map(|group| group.id.as_str());
        let fingerprint =
            fingerprint_of(self.place, group, code, Some(closed.direction), &closed.name);
        let finding = self.without_rule(
            code,
            closed.severity,
            closed.title(&called),
            self.group.map(finding_group),
            &detail(closed),
            time,
        );
        Finding {
            id: finding_id(&fingerprint, self.record),
            fingerprint,
            rule: closed.gone.first().map(|rule| (*rule).clone()),
            console_url: self.console_url(),
            remediation: FindingRemediation {
                undo: self.undo_closed(closed),
                ..finding.remediation
            },
            ..finding
        }
    }

    /// The shell line that authorises the rules that went.
    fn undo_closed(&self, closed: &Closed<'_>) -> Option<String> {
        let region = self.place.region.as_deref()?;
        let gone: Vec<Rule> = closed.gone.iter().map(|rule| (*rule).clone()).collect();
        authorize_line(Some(region), &self.group?.id, &gone, None)
    }
}

fn detail(closed: &Closed<'_>) -> String {
    let gone: Vec<String> = closed.gone.iter().map(|rule| rule_text(rule)).collect();
    if gone.is_empty() {
        "Nothing was changed. What the group admitted before this change is not known; see whether \
         the site needs it here."
            .to_owned()
    } else {
        format!(
            "Nothing was changed, and nothing is opened by itself. The rules that let it through \
             are gone: {}.",
            gone.join("; ")
        )
    }
}
