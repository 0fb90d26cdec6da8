//! What every audit of a group begins with, whatever is done about it then.

use super::case::Case;
use super::summary::Tally;
use crate::ec2::Rule;
use crate::evaluate::{Judge, Judgement};
use crate::finding::Code;

/// What does not comply of some things that have a `rule`, in their order. What is exempt of any of
/// them is put into `tally`.
pub fn noncompliant<'r, T>(
    judge: &Judge<'_>,
    case: &Case<'_>,
    of_direction: impl Iterator<Item = &'r T>,
    rule: impl Fn(&T) -> &Rule,
    tally: &mut Tally,
) -> Vec<(Code, &'r T, Judgement)> {
    let mut noncompliant = Vec::new();
    for one in of_direction {
        let rule = rule(one);
        let judgement = judge.judge(rule);
        if judgement.is_compliant() {
            continue;
        }
        tally.exempt(case.exempted(judge, rule, &judgement));
        noncompliant.extend(judge.code(&judgement).map(|code| (code, one, judgement)));
    }
    noncompliant
}
