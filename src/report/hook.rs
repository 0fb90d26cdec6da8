//! What a CloudFormation hook is answered: a word for CloudFormation, and for whoever wanted the change
//! what is too much and what would pass.

use serde::Serialize;

use super::declared::{place, repair};
use super::detail::lines;
use super::wording;
use crate::finding::{Finding, HookAnswer, HookVerdict, Report, ReportOutcome};
use crate::text::{count, inert, minute, quoted};

/// CloudFormation shows 1,024 characters.
const MOST: usize = 1000;
/// Characters of what is too much, and of what would pass.
const PART: usize = 340;

/// What a hook is answered.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HookJson {
    hook_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_request_token: Option<String>,
}

impl HookJson {
    /// The answer, where a hook asked.
    pub fn of(report: &Report) -> Option<Self> {
        let answer = report.hook.as_ref()?;
        let (hook_status, error_code, message) = match &answer.verdict {
            HookVerdict::Passed => ("SUCCESS", None, passed(report, answer)),
            HookVerdict::Refused => ("FAILED", Some("NonCompliant"), refused(report)),
            HookVerdict::NotJudged(why) => {
                let reason = wording::not_judged(why);
                ("FAILED", Some("InternalFailure"), format!("This could not be judged: {reason}."))
            }
        };
        let message = inert::clip_ascii(&inert::plain(&message), MOST);
        let client_request_token = answer.token.clone();
        Some(Self { hook_status, error_code, message, client_request_token })
    }
}

fn passed(report: &Report, answer: &HookAnswer) -> String {
    let baseline = &report.baseline.name;
    let mut sentences = vec![match report.outcome {
        ReportOutcome::Ignored => "What is deleted opens nothing.".to_owned(),
        ReportOutcome::OutOfScope => "This group is not in the scope of the audit.".to_owned(),
        _ if answer.held.is_empty() && report.exempt.is_empty() => {
            format!("What this adds complies with the baseline {baseline}.")
        }
        _ => {
            format!("This may be made, though not all of it complies with the baseline {baseline}.")
        }
    }];
    let exempt = wording::exempt(&report.exempt);
    sentences.extend(exempt.iter().map(|(line, _)| format!("Exempt: {line}.")));
    let held = |finding: &Finding| {
        let hold = wording::hold(finding)?;
        let rule = wording::rule(finding, finding.rule()?);
        let (until, reason) = (minute(hold.until), quoted(&hold.reason));
        Some(format!("Held open until {until}: {rule}, {reason}."))
    };
    sentences.extend(answer.held.iter().filter_map(held));
    sentences.join(" ")
}

fn refused(report: &Report) -> String {
    let mut message = format!("Not allowed by the baseline {}.", report.baseline.name);
    for (told, finding) in report.findings.iter().enumerate() {
        let block = block(finding);
        let left = report.findings.len().saturating_sub(told);
        let more = format!(" And {}.", count(left, "more finding"));
        let room = MOST.saturating_sub(message.len());
        // The first has to be there, and the others only whole.
        let is_last = left == 1;
        let needed = block.len() + 1 + if is_last { 0 } else { more.len() };
        if told > 0 && needed > room {
            return message + &more;
        }
        message.push(' ');
        message.push_str(&block);
    }
    message
}

/// What is too much, and what would pass.
fn block(finding: &Finding) -> String {
    let at = finding.location.as_ref().map(|location| format!("{}: ", place(location)));
    let too_much = inert::clip_ascii(&lines(finding).join("; "), PART);
    let pass = repair(finding).map(|repair| inert::clip_ascii(&repair, PART));
    let pass = pass.map_or_else(String::new, |pass| format!(" What would pass: {pass}."));
    format!("{}{too_much}.{pass}", inert::clip_ascii(&at.unwrap_or_default(), PART / 2))
}
