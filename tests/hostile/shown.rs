//! How hostile texts are shown in a mail, its Subject, a terminal and the log.

use linkify::LinkFinder;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;
use typo3_sg_auditor::baseline::{Exemption, Lists};
use typo3_sg_auditor::ec2::{Direction, Group, GroupKey};
use typo3_sg_auditor::event::{ChangeKind, Kind, decode};
use typo3_sg_auditor::memory::MemoryEc2;
use typo3_sg_auditor::report::log::AsciiLog;
use typo3_sg_auditor::settings::Settings;
use typo3_sg_auditor::text::inert;

use super::laws::seen::{assert_ascii, assert_inert, is_hidden};
use super::output::{Output, home, now, settings};
use super::{GROUP, MARK, any_text, places_of_texts, samples};

/// Whether a line of a mail is a command, an exemption or a link, which must not be changed.
fn is_verbatim(line: &str) -> bool {
    ["aws ec2 ", "sg-audit allow ", "- { group: ", "Console: https://"]
        .iter()
        .any(|start| line.starts_with(start))
}

/// The pages that mails name.
const PAGES: [&str; 4] =
    ["docs/accounts.md", "docs/findings.md", "docs/settings.md", "docs/sweep.md"];

/// Panics if a mail client would make a link of a part of the line. Names of files and numbers
/// are left as they are.
fn assert_no_link(line: &str) {
    let mut finder = LinkFinder::new();
    finder.url_must_have_scheme(false);
    let is_file = |text: &str| [".yaml", ".yml", ".json"].iter().any(|end| text.ends_with(end));
    let is_number = |text: &str| {
        let host = text.split(['/', ':', '?', '#']).next().unwrap();
        host.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.'))
    };
    let line = PAGES.iter().fold(line.to_owned(), |line, page| line.replace(page, "a page"));
    for link in finder.links(&line).map(|link| link.as_str().to_owned()) {
        assert!(is_file(&link) || is_number(&link), "{link:?} is a link in {line:?}");
    }
    let line = line.to_lowercase();
    for link in ["www.", "ftp.e", "mailto:", "tel:0", "\\\\\\\\"] {
        assert!(!line.contains(link), "{link:?} is in {line:?}");
    }
}

fn assert_mail(mail: &str) {
    assert_inert(mail);
    for line in mail.lines() {
        assert!(!line.trim_start().starts_with(MARK), "a line is forged: {line:?}\n{mail}");
        if !line.starts_with("Console: https://") {
            assert_no_link(line);
        }
        if is_verbatim(line) {
            assert_ascii(line);
            continue;
        }
        for active in ["<", ">", "`", "://", "]("] {
            assert!(!line.contains(active), "{active} is in {line:?}");
        }
    }
}

fn assert_output(output: &Output) {
    for message in &output.messages {
        assert_ascii(&message.subject);
        assert!((1..=99).contains(&message.subject.len()), "{:?}", message.subject);
        assert!(!message.subject.starts_with(MARK));
        assert_no_link(&message.subject);
        // The body is JSON on one line. The report in it is ASCII, and the mail may have other letters.
        assert!(!message.body.contains(is_hidden), "{}", message.body);
        message.attributes.iter().for_each(|attribute| assert_ascii(&attribute.value));
    }
    output.mails().iter().for_each(|mail| assert_mail(mail));
    for text in output.terminals() {
        assert_inert(&text);
        assert!(text.lines().all(|line| !line.starts_with(MARK)), "a line is forged:\n{text}");
    }
}

/// The groups and rules that the events tell of, with this text as names, descriptions and tags.
fn world(payload: &[u8], text: &str) -> MemoryEc2 {
    let groups = decode(payload).into_iter().filter_map(|event| {
        let Kind::Change(change) = event.kind else { return None };
        // The name of the group is the hostile text, so no event finds it by another one.
        let GroupKey::Id(id) = change.group else { return None };
        let group = Group {
            id,
            name: Some(text.to_owned()),
            vpc_id: Some(text.to_owned()),
            owner: None,
            tags: Some([(text.to_owned(), text.to_owned())].into()),
        };
        let rules = match change.kind {
            ChangeKind::Authorized(rules) => rules,
            _ => Vec::new(),
        };
        let rules = rules.into_iter().map(|rule| {
            rule.with_description(Some(text.to_owned()))
                .with_tags([(text.to_owned(), text.to_owned())].into())
        });
        Some((home(), group, rules.collect()))
    });
    MemoryEc2::new(groups, Lists::new())
}

/// A baseline may come from somebody else, so its texts are hostile too.
fn with_texts(mut settings: Settings, text: &str) -> Settings {
    settings.baseline.name = text.to_owned();
    let open = &settings.baseline.ingress[0];
    settings.baseline.exemptions.push(Exemption {
        group: GROUP.parse().unwrap(),
        direction: Direction::Ingress,
        protocol: open.protocol,
        ports: open.ports.clone(),
        peers: open.peers.clone(),
        reason: text.to_owned(),
        until: now().date_naive(),
    });
    settings
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any text of an event may be hostile, and so may the names of the group and its rules.
    #[test]
    fn a_hostile_text_is_shown_and_does_nothing(
        sample in any::<Index>(),
        texts in prop::collection::vec((any::<Index>(), any_text()), 1..5),
        text in any_text(),
    ) {
        let samples = samples();
        let mut event = sample.get(&samples).1.clone();
        let places = places_of_texts(&event);
        for (place, text) in texts {
            *event.pointer_mut(place.get(&places).as_str()).unwrap() = Value::from(text);
        }
        let payload = event.to_string();
        let ec2 = world(payload.as_bytes(), &text);
        let settings = with_texts(settings(), &text);
        assert_output(&Output::of(&ec2, &settings, payload.as_bytes()));
    }

    /// The log is JSON, and a reader gets the text back unchanged.
    #[test]
    fn a_hostile_text_in_the_log_does_nothing(text in any_text()) {
        let line = serde_json::json!({ "message": text }).to_string();
        let mut log = AsciiLog(Vec::new());
        std::io::Write::write_all(&mut log, format!("{line}\n").as_bytes()).unwrap();
        let written = String::from_utf8(log.0).unwrap();
        prop_assert_eq!(written.matches('\n').count(), 1);
        assert_ascii(written.trim_end_matches('\n'));
        let read: Value = serde_json::from_str(&written).unwrap();
        prop_assert_eq!(read["message"].as_str(), Some(text.as_str()));
    }

    #[test]
    fn inert_text_has_no_hidden_character(text in any_text()) {
        prop_assert!(!inert::plain(&text).contains(is_hidden));
        prop_assert!(!inert::for_mail(&text).contains(is_hidden));
        assert_ascii(&inert::ascii(&text));
    }
}

/// Tests every character. Unicode's tables tell which ones are hidden.
#[test]
fn every_hidden_character_is_escaped() {
    let is_shown = |c: &char| inert::plain(&c.to_string()) == c.to_string();
    let shown: Vec<char> = ('\0'..=char::MAX).filter(|c| is_hidden(*c)).filter(is_shown).collect();
    assert!(shown.is_empty(), "{shown:?}");
}

/// Replaces all texts of a sample at once, so that no place is left to chance.
#[test]
fn hostile_texts_in_every_place_of_every_sample() {
    for (_, sample) in samples() {
        for text in super::HOSTILE {
            let mut event = sample.clone();
            for place in places_of_texts(&sample) {
                // Without these it would be another call, or be about other rules.
                let meant =
                    ["/eventName", "/eventSource", "ipProtocol", "cidr", "Cidr", "detail-type"];
                let is_kept = meant.iter().any(|name| place.contains(name))
                    || place.ends_with("roupId")
                    || place.ends_with("RuleId");
                if !is_kept {
                    *event.pointer_mut(&place).unwrap() = Value::from(text);
                }
            }
            let payload = event.to_string();
            let ec2 = world(payload.as_bytes(), text);
            assert_output(&Output::of(&ec2, &settings(), payload.as_bytes()));
        }
    }
}
