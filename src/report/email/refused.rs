//! A hold that was refused, and how to ask for one that is not.

use super::lines::{Lines, TEXT};
use crate::ec2::hold::{REASON, Refusal, says_why};
use crate::ec2::{Protocol, Rule};
use crate::evaluate::is_wide;
use crate::finding::Finding;
use crate::report::detail::{hold_refused, refused_hold};
use crate::settings::HOLD_MAX_HOURS;
use crate::text::escape::shell_word;

/// That a hold was refused, and why.
pub(super) fn tell_refused(mail: &mut Lines, finding: &Finding) {
    if let Some(refusal) = finding.found_rule().and_then(refused_hold) {
        mail.text(&hold_refused(refusal), TEXT);
    }
}

/// The line that asks for the same hold, for as long as one is allowed.
pub(super) fn ask_again(mail: &mut Lines, finding: &Finding) {
    let Some(found) = finding.found_rule() else { return };
    let Some(Refusal::TooLong { max_hours, .. }) = refused_hold(found) else { return };
    // A line that opens it again has a hold that is allowed.
    if found.presence.is_gone() && finding.undo.is_some() {
        return;
    }
    if let Some(line) = allow_line(finding, &found.rule, *max_hours) {
        mail.text(
            "To hold it open for as long as is allowed, close it first, then ask again:",
            TEXT,
        );
        mail.command(Some(&line));
    }
}

/// `sg-audit allow …`, where that can ask for this rule.
fn allow_line(finding: &Finding, rule: &Rule, max_hours: u32) -> Option<String> {
    let group = shell_word(finding.group.as_ref()?.id.as_str());
    let region = finding.place.region.as_ref();
    let region = region.map(|it| format!(" --region {}", shell_word(it.as_str())));
    let protocol = match rule.protocol() {
        Protocol::TCP => "",
        Protocol::UDP => " --protocol udp",
        _ => return None,
    };
    let (from, to) = (rule.selector().first(), rule.selector().last());
    let port = if from == to { from.to_string() } else { format!("{from}-{to}") };
    let peer = shell_word(&rule.peer().to_string());
    let everybody = if is_wide(&rule.traffic()) { " --yes-to-everybody" } else { "" };
    let longer = max_hours > HOLD_MAX_HOURS;
    let longer = if longer { format!(" --max-hours {max_hours}") } else { String::new() };
    // Whoever made the rule wrote the reason, so it is repeated only where it is plain.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " ,-_#".contains(c);
    let reason = rule.tags().get(REASON).map(String::as_str).unwrap_or_default();
    let reason = if reason.chars().all(is_plain) && says_why(reason) { reason } else { "" };
    Some(format!(
        "sg-audit allow{} --group {group} --from {peer} --port {port}{protocol} --for {max_hours}h{longer} \
         --reason {}{everybody}",
        region.unwrap_or_default(),
        shell_word(reason)
    ))
}
