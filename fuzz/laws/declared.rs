//! What a file declares is judged rule by rule, and what is said about it is inert.

use std::fmt::Display;

use chrono::DateTime;
use typo3_sg_auditor::audit::GroupCheck;
use typo3_sg_auditor::declared::Declarations;
use typo3_sg_auditor::report::terminal::{View, groups_compliant, render};
use typo3_sg_auditor::report::{sarif, to_json_pretty};
use typo3_sg_auditor::settings::{Names, RawSettings, Settings};

use super::seen::assert_inert;

/// What was read of a file, or why it was refused.
pub fn judged(read: Result<Declarations, impl Display>) {
    match read {
        Ok(declared) => judge(&declared),
        Err(error) => assert!(!error.to_string().is_empty(), "refused without a reason"),
    }
}

fn judge(declared: &Declarations) {
    let now = DateTime::UNIX_EPOCH;
    let raw = RawSettings::new(Names::COMMAND_LINE);
    let settings = match Settings::from_raw(&raw, now.date_naive()) {
        Ok(settings) => settings,
        Err(error) => panic!("{error}"),
    };
    let mut check = GroupCheck::new(&settings, &declared.lists, now);
    for group in &declared.groups {
        check.declared(group, &declared.changed_lists, true);
    }
    let report = check.report();
    let rules: usize = declared.groups.iter().map(|group| group.rules.len()).sum();
    assert_eq!(report.rules, rules, "each rule is judged");
    for finding in &report.findings {
        assert!(finding.fix.is_none() && finding.undo.is_none(), "a command for what is not there");
    }
    assert_inert(&render(&report, View::plain(80), groups_compliant(&report)));
    for text in [to_json_pretty(&report).ok(), sarif::render(&report).ok().and_then(Result::ok)] {
        text.iter().for_each(|text| assert_inert(text));
    }
}
