//! What people see of a text that somebody wrote who means harm: in a mail, its Subject, a terminal.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

use super::laws::seen::{assert_ascii, assert_inert, is_hidden};
use super::told::{Told, home, now, settings};
use super::{MARK, any_text, places_of_texts, samples};
use crate::audit::Group;
use crate::baseline::{Exemption, Lists};
use crate::ec2::Rule;
use crate::event::{ChangeKind, Event, decode};
use crate::memory::MemoryEc2;
use crate::report::log::AsciiLog;
use crate::settings::Settings;
use crate::text::inert;

/// Lines of a mail that are right to the letter or not there.
fn is_verbatim(line: &str) -> bool {
    ["aws ec2 ", "- { group: ", "Console: https://"].iter().any(|start| line.starts_with(start))
}

fn assert_mail(mail: &str) {
    assert_inert(mail);
    for line in mail.lines() {
        assert!(!line.trim_start().starts_with(MARK), "a line is forged: {line:?}\n{mail}");
        if is_verbatim(line) {
            assert_ascii(line);
            continue;
        }
        for active in ["<", ">", "`", "://", "]("] {
            assert!(!line.contains(active), "{active} is in {line:?}");
        }
    }
}

fn assert_told(told: &Told) {
    for message in &told.messages {
        assert_ascii(&message.subject);
        assert!((1..=99).contains(&message.subject.len()), "{:?}", message.subject);
        assert!(!message.subject.starts_with(MARK));
        // JSON on one line; in it the report is ASCII, and the mail has the letters that it has.
        assert!(!message.body.contains(is_hidden), "{}", message.body);
        message.attributes.iter().for_each(|attribute| assert_ascii(&attribute.value));
    }
    told.mails().iter().for_each(|mail| assert_mail(mail));
    for text in told.terminals() {
        assert_inert(&text);
        assert!(text.lines().all(|line| !line.starts_with(MARK)), "a line is forged:\n{text}");
    }
}

/// The groups that the events tell of, as they tell of them, with names, descriptions and tags of
/// somebody else.
fn world(payload: &[u8], text: &str) -> MemoryEc2 {
    let groups = decode(payload).into_iter().filter_map(|event| {
        let Event::Change(change) = event else { return None };
        let group = Group {
            id: change.group.as_str().to_owned(),
            name: Some(text.to_owned()),
            vpc_id: Some(text.to_owned()),
            owner: None,
            tags: [(text.to_owned(), text.to_owned())].into(),
        };
        let rules: Vec<Rule> = match &change.kind {
            ChangeKind::Authorized(rules) => rules.clone(),
            _ => Vec::new(),
        };
        let rules = rules.into_iter().map(|mut rule| {
            rule.description = Some(text.to_owned());
            rule.tags = [(text.to_owned(), text.to_owned())].into();
            rule
        });
        Some((home(), group, rules.collect()))
    });
    MemoryEc2::new(groups, Lists::new())
}

/// A baseline whose own texts are hostile, too: a layer may come from anywhere.
fn with_texts(mut settings: Settings, text: &str) -> Settings {
    settings.baseline.name = text.to_owned();
    let open = &settings.baseline.ingress[0];
    settings.baseline.exemptions.push(Exemption {
        group: "sg-0a1b2c3d4e5f67890".to_owned(),
        direction: crate::ec2::Direction::Ingress,
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

    /// Any text of an event may be anything, and so may the names of what it is about.
    #[test]
    fn nothing_that_is_shown_acts(
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
        assert_told(&Told::of(&ec2, &settings, payload.as_bytes()));
    }

    /// The log is JSON; whatever is in it stays what it is, and acts no more.
    #[test]
    fn a_line_of_the_log_does_not_act(text in any_text()) {
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
    fn what_is_made_inert_is_inert(text in any_text()) {
        prop_assert!(!inert::plain(&text).contains(is_hidden));
        prop_assert!(!inert::for_mail(&text).contains(is_hidden));
        assert_ascii(&inert::ascii(&text));
    }
}

/// In each place of each sample at once, so that no place is left to chance.
#[test]
fn every_text_of_every_sample() {
    for (_, sample) in samples() {
        for text in super::HOSTILE {
            let mut event = sample.clone();
            for place in places_of_texts(&sample) {
                // With another name it would be another call, and with other rules other rules.
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
            assert_told(&Told::of(
                &world(payload.as_bytes(), text),
                &settings(),
                payload.as_bytes(),
            ));
        }
    }
}
