//! The mail: plain text for somebody who reads it on a phone at three in the morning.
//!
//! What happened comes first, then what is needed to judge it, then what to do. A line that would
//! say nothing is left out. What several findings have in common is said once. Lines are not
//! wrapped: the reader's screen does that better.

use super::inert;
use super::wording::{self, Standing};
use crate::finding::{Code, Finding, FindingGroup, Report};

/// No mail is longer, in bytes as a JSON string has them.
pub const MAX_BYTES: usize = 64 * 1024;

/// Room in [`MAX_BYTES`] for everything but the findings told in full.
const REST: usize = 16 * 1024;
/// So many findings are told in full, where they fit.
const IN_FULL: usize = 3;
/// So many more have a line of their own.
const IN_BRIEF: usize = 20;
/// Characters of a value that is a name of something.
const NAME: usize = 160;
/// Characters of a sentence or a list.
const TEXT: usize = 600;
/// Characters of a line of its own.
const BRIEF: usize = 120;
/// Bytes of a command; forty pieces with IPv6 blocks are about half of it.
const COMMAND: usize = 16 * 1024;

const NO_COMMAND: &str = "The command is too long for a mail, or has characters that a mail would spoil; the JSON on the topic has it.";

/// The mail about a report with findings.
pub fn body(report: &Report) -> String {
    let findings = wording::by_urgency(&report.findings);
    let Some(&first) = findings.first() else {
        return "No findings.\n".to_owned();
    };
    let shared = Shared::of(&findings, first);
    let mut mail = Lines::default();

    if findings.len() > 1 {
        let (n, severities) = (findings.len(), wording::severities(&report.findings));
        mail.text(&format!("{n} findings, worst first: {severities}."), TEXT);
        shared.head(&mut mail, first);
    }
    let told = tell_in_full(&mut mail, &findings, &shared);
    tell_in_brief(&mut mail, &findings, told);
    advise(&mut mail, &findings, &shared);

    mail.gap();
    if shared.place {
        mail.link(first.console_url.as_deref());
    }
    if let Some(part) = wording::part(report) {
        mail.text(&format!("This is {part}."), TEXT);
    }
    if report.partial {
        mail.text("Not everything was audited.", TEXT);
    }
    let baseline = wording::baseline(&report.baseline);
    if let [only] = findings.as_slice() {
        mail.label(
            "Reference",
            &format!("{}, {baseline}, {}", code(only), fingerprint(only)),
            TEXT,
        );
    } else {
        mail.label("Reference", &baseline, TEXT);
    }
    mail.0
}

/// Tells the first findings in full, the very first always; how many.
fn tell_in_full(mail: &mut Lines, findings: &[&Finding], shared: &Shared) -> usize {
    let numbered = findings.len() > 1;
    let mut told = 0;
    for (finding, number) in findings.iter().take(IN_FULL).zip(1..) {
        let mut block = Lines::default();
        if numbered {
            block.text(&format!("{number}. {}", finding.title), TEXT);
        } else {
            block.text(&finding.title, TEXT);
        }
        tell(&mut block, finding, shared, numbered);
        if told > 0 && mail.json_len() + block.json_len() > MAX_BYTES - REST {
            break;
        }
        mail.gap();
        mail.0.push_str(&block.0);
        told = number;
    }
    told
}

fn tell_in_brief(mail: &mut Lines, findings: &[&Finding], told: usize) {
    mail.gap();
    for (finding, number) in findings.iter().zip(1..).skip(told).take(IN_BRIEF) {
        let standing = Standing::of(finding).as_str();
        let what = finding.rule.as_ref().map_or_else(|| finding.title.clone(), wording::rule);
        let place = wording::group(finding).map(|group| format!(" on {}", inert::clip(group, 40)));
        let place = place.unwrap_or_default();
        let what = inert::clip(&what, BRIEF - 40);
        mail.text(&format!("{number}. {standing}: {what}{place}, {}", code(finding)), BRIEF + 80);
    }
    let more = findings.len().saturating_sub(told + IN_BRIEF);
    if more > 0 {
        mail.text(&format!("and {more} more; sg-audit check lists them all."), TEXT);
    }
}

/// What one finding says for itself.
fn tell(mail: &mut Lines, finding: &Finding, shared: &Shared, numbered: bool) {
    mail.text(&outcome(finding), 2 * TEXT);
    if !numbered {
        mail.gap();
    }
    if !shared.change || !numbered {
        tell_change(mail, finding);
    }
    if !shared.place || !numbered {
        tell_place(mail, finding);
    }
    if let Some(rule) = &finding.rule {
        let id = rule.id.as_ref().map_or_else(String::new, |id| format!("{id}, "));
        mail.label("Rule", &format!("{id}{}", wording::rule(rule)), 2 * NAME);
    }
    mail.label("Too much", &finding.excess_text, TEXT);
    mail.label("Undecided", finding.undecided.as_deref().unwrap_or_default(), TEXT);
    if let Some((label, kept)) = wording::kept(finding) {
        mail.label(label, &kept, TEXT);
    }
    mail.text(finding.remediation.connections.as_deref().unwrap_or_default(), TEXT);
    if numbered {
        if finding.remediation.undo.is_some() {
            mail.text("To undo:", TEXT);
            mail.command(finding.remediation.undo.as_deref());
        }
        if !shared.place {
            mail.link(finding.console_url.as_deref());
        }
        mail.label("Reference", &format!("{}, {}", code(finding), fingerprint(finding)), NAME);
    }
}

/// What became of it, in the words of whoever did it.
fn outcome(finding: &Finding) -> String {
    let detail = &finding.remediation.detail;
    match (Standing::of(finding), wording::delay(finding)) {
        (Standing::Closed, Some(delay)) => format!("Closed after {delay}. {detail}"),
        (Standing::Closed, None) => format!("Closed. {detail}"),
        (Standing::ClosedTooFar, _) => {
            format!("Closed, but something that should have stayed is gone too. {detail}")
        }
        (Standing::NotClosed, _) => format!("Still open. {detail}"),
        _ => detail.clone(),
    }
}

fn tell_change(mail: &mut Lines, finding: &Finding) {
    let change = finding.change.as_ref();
    let (label, time) = match change.and_then(|change| change.time) {
        Some(time) => ("When", time),
        None => ("Seen", finding.remediation.time),
    };
    let time = time.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    let call = change.and_then(|change| change.event_name.as_deref());
    mail.label(label, &joined([Some(&time), call]), NAME);
    let Some(change) = change else { return };
    mail.label("Who", change.actor.as_deref().unwrap_or_default(), 2 * NAME);
    let agent = change.user_agent.as_deref().map(short_agent);
    mail.label("From", &joined([change.source_ip.as_deref(), agent.as_deref()]), NAME);
}

fn tell_place(mail: &mut Lines, finding: &Finding) {
    let group = finding.group.as_ref();
    let account = finding.account.as_ref().map(|account| format!("account {account}"));
    let place =
        joined([group.map(named).as_deref(), finding.region.as_deref(), account.as_deref()]);
    mail.label(if group.is_some() { "Group" } else { "Where" }, &place, 2 * NAME);
}

/// The id first: a name could look like one.
fn named(group: &FindingGroup) -> String {
    match group.name.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => format!("{} {}", group.id, wording::quoted(name)),
        None => group.id.clone(),
    }
}

/// What to do now, if it was needed, and if it was not you; each advice once.
fn advise(mail: &mut Lines, findings: &[&Finding], shared: &Shared) {
    mail.gap();
    for advice in distinct(findings.iter().filter_map(|it| act_now(it))) {
        mail.text(advice, TEXT);
    }
    // Of several findings each has its undo where it is told.
    let undo = match findings {
        [only] => only.remediation.undo.as_deref(),
        _ => None,
    };
    let needed = distinct(findings.iter().filter_map(|it| if_needed(it)));
    if !needed.is_empty() {
        let needed = needed.join("; ");
        let back = if undo.is_some() { " Then put it back:" } else { "" };
        mail.text(&format!("If it was needed: {needed}.{back}"), 2 * TEXT);
    }
    mail.command(undo);
    if let (true, [first, ..]) = (shared.change, findings) {
        mail.if_not_you(first);
    }
}

fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut distinct = Vec::new();
    for text in texts {
        if !distinct.contains(&text) {
            distinct.push(text);
        }
    }
    distinct
}

fn act_now(finding: &Finding) -> Option<&'static str> {
    match Standing::of(finding) {
        Standing::NotClosed => Some("What is still open has to be closed by hand."),
        Standing::ClosedTooFar => {
            Some("Put back by hand what should have been kept: a website may be down.")
        }
        Standing::NotAudited => {
            Some("Look yourself at what changed: it was not judged, and nothing was closed.")
        }
        Standing::Open => {
            Some("If it was not needed: remove the rule, or narrow it to what the baseline admits.")
        }
        Standing::Note => {
            Some("Unless that is meant: name the SSH sources, or use the baseline standard.")
        }
        Standing::Down => Some("If the website is meant to be reached: put back what is gone."),
        Standing::LeftScope => Some("If the group still has to be audited: give it its tag back."),
        Standing::Undecided
        | Standing::Held
        | Standing::Closed
        | Standing::AlreadyGone
        | Standing::NoLongerThere => None,
    }
}

fn if_needed(finding: &Finding) -> Option<&'static str> {
    match finding.code {
        Code::OpenSsh | Code::SshFromUnlistedHost => {
            Some("add the addresses that need SSH to the SSH sources")
        }
        Code::IngressNotInBaseline | Code::EgressNotInBaseline => {
            Some("add the traffic to the baseline")
        }
        Code::UnresolvedPeer => Some("let the auditor read the prefix list"),
        Code::ExpectedTrafficClosed
        | Code::LeftScope
        | Code::OpenSshInBaseline
        | Code::UnauditedChange => None,
    }
}

fn code(finding: &Finding) -> String {
    format!("{}, {}", finding.code.as_str(), finding.severity.as_str())
}

fn fingerprint(finding: &Finding) -> String {
    format!("fingerprint {}", finding.fingerprint)
}

fn joined<const N: usize>(parts: [Option<&str>; N]) -> String {
    let parts: Vec<_> =
        parts.into_iter().flatten().filter(|part| !part.trim().is_empty()).collect();
    parts.join(", ")
}

/// The products of a user agent without its comments: those are long, and mostly about the caller's
/// machine.
fn short_agent(agent: &str) -> String {
    let mut depth = 0_usize;
    let mut products = String::new();
    for c in agent.trim_matches(['[', ']']).chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => products.push(c),
            _ => {}
        }
    }
    let products: Vec<_> = products.split(' ').filter(|product| !product.is_empty()).collect();
    inert::clip(&products.join(" "), 48)
}

/// What all findings have in common and is said once.
struct Shared {
    change: bool,
    place: bool,
}

impl Shared {
    fn of(findings: &[&Finding], first: &Finding) -> Self {
        let place = |it: &Finding| (it.account.clone(), it.region.clone(), it.group.clone());
        Self {
            change: findings.iter().all(|it| it.change == first.change),
            place: findings.iter().all(|it| place(it) == place(first)),
        }
    }

    fn head(&self, mail: &mut Lines, first: &Finding) {
        mail.gap();
        if self.change {
            tell_change(mail, first);
        }
        if self.place {
            tell_place(mail, first);
        }
    }
}

/// Lines of a mail. Nothing gets in but through a method that makes it inert.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn text(&mut self, text: &str, max: usize) {
        let text = inert::for_mail(text.trim());
        if !text.is_empty() {
            self.0.push_str(&inert::clip(&text, max));
            self.0.push('\n');
        }
    }

    fn label(&mut self, label: &str, value: &str, max: usize) {
        if !value.trim().is_empty() {
            self.text(&format!("{label}: {value}"), max);
        }
    }

    /// A command has to be right to the letter or it must not be there at all.
    fn command(&mut self, command: Option<&str>) {
        match command {
            Some(line) if line.len() <= COMMAND && inert::plain(line) == line => {
                self.0.push_str(line);
                self.0.push('\n');
            }
            Some(_) => self.text(NO_COMMAND, TEXT),
            None => {}
        }
    }

    fn link(&mut self, url: Option<&str>) {
        let safe = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | '`');
        if let Some(url) = url
            && url.starts_with("https://")
            && url.len() <= TEXT
            && url.chars().all(safe)
        {
            self.0.push_str(&format!("Console: {url}\n"));
        }
    }

    fn if_not_you(&mut self, finding: &Finding) {
        let Some(change) = &finding.change else { return };
        let event = change.event_id.as_deref().filter(|id| !id.is_empty());
        let event = event.map_or_else(String::new, |id| format!(", from event {id} on"));
        self.text(
            &format!("If it was not you or a colleague: these credentials may be stolen. See in CloudTrail what else they did{event}."),
            TEXT,
        );
    }

    /// An empty line between what is there and what follows.
    fn gap(&mut self) {
        if !self.0.is_empty() && !self.0.ends_with("\n\n") {
            self.0.push('\n');
        }
    }

    fn json_len(&self) -> usize {
        super::fit::json_len(&self.0)
    }
}
