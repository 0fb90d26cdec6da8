//! What is left out of a finding so that a message can carry it.
//!
//! SNS takes 256 KiB and nothing more. Every finding gives up the tail of a long excess, because a
//! reader has no use for it; one that is too large all the same gives up what it must. What a
//! finding gives up is counted or ends in an ellipsis, and no finding is given up.

use super::json::{ExemptJson, ExpectedJson, FindingJson, OpenRuleJson, to_ascii_json};
use crate::text::inert;

/// So many peers of a finding's excess stay.
pub(super) const PEERS: usize = 100;
/// So many characters of the excess as text stay.
const EXCESS_TEXT: usize = 2000;

/// Bytes of each text of a finding that is too large. It has some twenty.
const TEXT: usize = 2048;
/// Bytes of each list of rules, of which it has three.
const RULES: usize = 8 * 1024;
/// Bytes of its list of who can reach what.
const EXPECTED: usize = 16 * 1024;
/// Bytes of each command, of which it has three.
const COMMAND: usize = 32 * 1024;

/// How long a text is inside a JSON string, as `serde_json` writes it.
pub(super) fn json_len(text: &str) -> usize {
    text.bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
            0..0x20 => 6,
            _ => 1,
        })
        .sum()
}

/// How many bytes of a message's body a finding takes: it is JSON inside a JSON string.
pub(super) fn cost(finding: &FindingJson) -> Result<usize, serde_json::Error> {
    to_ascii_json(finding).map(|json| json_len(&json))
}

/// The finding as every message has it.
pub(super) fn trimmed(mut finding: FindingJson) -> FindingJson {
    // Each box keeps a peer, so that what it says of ports is not lost with the peers.
    let dropped = finding.excess.split_off(finding.excess.len().min(PEERS));
    let mut omitted: usize = dropped.iter().map(|piece| piece.peers.len()).sum();
    let mut room = PEERS - finding.excess.len();
    for piece in &mut finding.excess {
        let kept = piece.peers.len().min(1 + room);
        room -= kept.saturating_sub(1);
        omitted += piece.peers.len() - kept;
        piece.peers.truncate(kept);
    }
    finding.excess_omitted += omitted;
    finding.excess_text = inert::clip(&finding.excess_text, EXCESS_TEXT);
    finding
}

/// The finding, trimmed, in at most `budget` bytes of a message's body: first the texts get
/// shorter, then boxes go. `budget` has to hold the texts.
pub(super) fn squeezed(
    mut finding: FindingJson,
    budget: usize,
) -> Result<FindingJson, serde_json::Error> {
    if cost(&finding)? <= budget {
        return Ok(finding);
    }
    shorten_texts(&mut finding);
    let boxes = std::mem::take(&mut finding.excess);
    let mut room = budget.saturating_sub(cost(&finding)?);
    for piece in boxes {
        // The comma between two boxes, and the digits of the count.
        let len = json_len(&to_ascii_json(&piece)?) + 32;
        if len <= room {
            room -= len;
            finding.excess.push(piece);
        } else {
            room = 0;
            finding.excess_omitted += piece.peers.len();
        }
    }
    Ok(finding)
}

fn shorten_texts(finding: &mut FindingJson) {
    let remediation = &mut finding.remediation;
    let texts = [&mut finding.title, &mut finding.excess_text, &mut remediation.detail];
    texts.into_iter().for_each(|text| shorten(text, TEXT));
    if let Some(hold) = &mut remediation.hold {
        shorten(&mut hold.reason, TEXT);
    }
    let mut optional = vec![&mut finding.undecided];
    if let Some(group) = &mut finding.group {
        optional.extend([&mut group.name, &mut group.vpc_id]);
    }
    if let Some(change) = &mut finding.change {
        optional.extend([
            &mut change.event_id,
            &mut change.event_name,
            &mut change.actor,
            &mut change.source_ip,
            &mut change.user_agent,
        ]);
    }
    optional.extend(finding.rule.as_mut().map(|rule| &mut rule.description));
    optional.into_iter().flatten().for_each(|text| shorten(text, TEXT));
    shorten_list(&mut remediation.kept, RULES);
    shorten_list(&mut remediation.missing, RULES);
    shorten_open(&mut finding.still_open, RULES);
    shorten_expected(&mut finding.expected, &mut finding.expected_omitted);
    // Half a command must not be pasted into a shell.
    for (name, command) in [
        ("fix", &mut remediation.fix),
        ("complete", &mut remediation.complete),
        ("undo", &mut remediation.undo),
    ] {
        if command.take_if(|command| may_leave_out(command)).is_some() {
            remediation.detail.push_str(&format!(" The {name} command is too long for a message."));
        }
    }
}

/// Cuts the list of who can reach what to what fits, and counts what is left out.
fn shorten_expected(list: &mut Vec<ExpectedJson>, omitted: &mut usize) {
    /// What an entry takes beside its name, at most.
    const REST: usize = 160;
    let fitting = fitting(list.iter().map(|one| ascii_json_len(&one.entry) + REST), EXPECTED);
    *omitted += list.len() - fitting;
    list.truncate(fitting);
}

/// Whether a finding that is too large gives up this command.
pub(super) fn may_leave_out(command: &str) -> bool {
    ascii_json_len(command) > COMMAND
}

/// As [`shorten_list`].
fn shorten_open(rules: &mut Vec<OpenRuleJson>, max: usize) {
    /// The names of the members, and the id.
    const REST: usize = 80;
    let all = rules.len();
    let fitting = fitting(rules.iter().map(|rule| ascii_json_len(&rule.text) + REST), max);
    if fitting < all {
        rules.truncate(fitting);
        rules.push(OpenRuleJson { id: None, text: format!("and {} more", all - fitting) });
    }
}

/// Cuts the list of what is exempt to what fits; how many there are, the totals say.
pub(super) fn shorten_exempt(
    list: &mut Vec<ExemptJson>,
    max: usize,
) -> Result<(), serde_json::Error> {
    let mut room = max;
    let mut fitting = 0;
    for exempt in list.iter_mut() {
        shorten(&mut exempt.reason, TEXT);
        let len = json_len(&to_ascii_json(exempt)?) + ",".len();
        if len > room {
            break;
        }
        room -= len;
        fitting += 1;
    }
    list.truncate(fitting);
    Ok(())
}

/// Cuts a list to what fits; its last entry then says how many are missing.
pub(super) fn shorten_list(list: &mut Vec<String>, max: usize) {
    let all = list.len();
    let fitting = fitting(list.iter().map(|entry| ascii_json_len(entry) + "\\\"\\\",".len()), max);
    if fitting < all {
        list.truncate(fitting);
        list.push(format!("and {} more", all - fitting));
    }
}

/// How many entries of these lengths fit, from the first on.
fn fitting(lengths: impl Iterator<Item = usize>, max: usize) -> usize {
    let ends = lengths.scan(0, |end: &mut usize, length| {
        *end += length;
        Some(*end)
    });
    ends.take_while(|&end| end <= max).count()
}

/// Cuts a text to `max` bytes of a message's body.
pub(super) fn shorten(text: &mut String, max: usize) {
    if ascii_json_len(text) <= max {
        return;
    }
    let ellipsis = '…';
    let mut room = max.saturating_sub(char_len(ellipsis));
    let end = text.char_indices().find_map(|(at, c)| {
        let len = char_len(c);
        let full = len > room;
        room = room.saturating_sub(len);
        full.then_some(at)
    });
    text.truncate(end.unwrap_or(text.len()));
    text.push(ellipsis);
}

/// How long a text is in ASCII-only JSON inside a JSON string.
fn ascii_json_len(text: &str) -> usize {
    text.chars().map(char_len).sum()
}

fn char_len(c: char) -> usize {
    match c {
        // An escaped backslash, and an escaped backslash or quotation mark.
        '"' | '\\' => 4,
        // An escaped backslash and a letter.
        '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 3,
        ' '..='~' => 1,
        _ => c.len_utf16() * "\\\\u0000".len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_list_fits_and_the_rest_is_counted() {
        let text = "tcp 22 from 2001:db8::/48";
        let rule = || OpenRuleJson { id: None, text: text.to_owned() };
        let (one, all) = (text.len() + 80, 5);
        for (max, fitting) in [(5 * one, 5), (5 * one - 1, 4), (4 * one - 1, 3), (one - 1, 0)] {
            let mut rules: Vec<OpenRuleJson> = (0..all).map(|_| rule()).collect();
            shorten_open(&mut rules, max);
            let left = rules.iter().filter(|rule| rule.text == text).count();
            let more = rules.last().map(|rule| rule.text.clone());
            let expected = if fitting == all {
                text.to_owned()
            } else {
                format!("and {} more", all - fitting)
            };
            assert_eq!((left, more), (fitting, Some(expected)), "{max}");
        }
    }
}
