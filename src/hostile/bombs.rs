//! Payloads that are small to write and large to read. Lambda takes six megabytes
//! (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).

use serde_json::{Value, json};

use super::told::{Told, home, settings};
use super::{laws, open_ssh};
use crate::baseline::Lists;
use crate::event::{ChangeKind, Event, decode};
use crate::memory::MemoryEc2;

const MOST: usize = 6_000_000;

/// A text as often as there is room for it.
fn many(text: &str) -> String {
    text.repeat(MOST / text.len())
}

/// How much is made of a payload, in bytes of what a person who debugs would see.
fn bytes(events: &[Event]) -> usize {
    events.iter().map(|event| format!("{event:?}").len()).sum()
}

/// What comes of a payload is bounded whatever it is, by its own size at most.
#[test]
fn what_is_made_of_a_bomb_is_bounded() {
    let nested =
        |times: usize| (0..times).fold("[]".to_owned(), |text, _| Value::from(text).to_string());
    let bombs = [
        ("lists in lists", many("[")),
        ("objects in objects", many("{\"detail\":")),
        ("records in records", many("{\"Records\":[")),
        ("details in details", format!("{{\"detail\":{}", many("["))),
        ("texts in texts", nested(20)),
        ("nothing, many times", format!("[{}{{}}]", many("{},"))),
        ("lists, many times", format!("[{}[]]", many("[],"))),
        ("maps, many times", format!("[{}{{}}]", many("{\"a\":0},"))),
        ("numbers, many times", format!("{{\"detail\":[{}0]}}", many("0,"))),
        ("documents, many times", many("{} ")),
        ("a long text", format!("\"{}\"", many("x"))),
        ("a long number", many("9")),
        ("a great number", "{\"eventName\":1e999999999}".to_owned()),
        ("one name, many times", format!("{{{}\"eventName\":1}}", many("\"eventName\":1,"))),
        ("a long name", format!("{{\"{}\":1}}", many("y"))),
        ("escapes", format!("\"{}\"", many("\\u0000"))),
        ("groups", many("sg-0a1b2c3d4e5f67890 ")),
    ];
    for (name, payload) in bombs {
        let events = decode(payload.as_bytes());
        assert!((1..=2).contains(&events.len()), "{name}: {} events", events.len());
        assert!(bytes(&events) < 16 * 1024, "{name}: {} bytes", bytes(&events));
        let told = Told::of(&MemoryEc2::new([], Lists::new()), &settings(), payload.as_bytes());
        assert!(told.all().len() < 64 * 1024, "{name}: {} bytes are told", told.all().len());
    }
}

/// Other groups each time: no more of them are audited than for a text that names some.
#[test]
fn a_text_that_names_many_groups_names_twenty() {
    let text: Vec<String> = (0..250_000).map(|n| format!("sg-{n:017x}")).collect();
    let events = decode(text.join(" ").as_bytes());
    assert_eq!(events.len(), 21);
    assert!(bytes(&events) < 64 * 1024);
}

/// As many of CloudTrail's records as Lambda hands over: what bounds the memory does not keep them from being read.
#[test]
fn six_megabytes_of_records_are_read() {
    let mut record = open_ssh()["detail"].take();
    let mut records = Vec::new();
    for number in 0..MOST / record.to_string().len() {
        record["eventID"] = json!(format!("record {number}"));
        records.push(record.clone());
    }
    let events = decode(json!({ "Records": records }).to_string().as_bytes());
    assert!(records.len() > 2_000 && events.len() == records.len());
    let is_read = |event: &Event| matches!(event, Event::Change(change) if matches!(change.kind, ChangeKind::Authorized(_)));
    assert!(events.iter().all(is_read));
}

/// Each of them is another event, and no more are audited than an invocation can bring.
#[test]
fn ten_thousand_records_are_ten_thousand() {
    let record = |n: usize| json!({ "eventName": "DeleteTrail", "eventSource": "cloudtrail.amazonaws.com", "userAgent": n });
    let records: Vec<Value> = (0..50_000).map(record).collect();
    let events = decode(json!({ "Records": records }).to_string().as_bytes());
    assert_eq!(events.len(), 10_001);
    let Some(Event::Undecodable { reason, .. }) = events.last() else { panic!("{events:?}") };
    assert_eq!(reason, "40000 more records are in the event than can be read at once");
}

/// A group holds no more than two thousand rules, a thousand of each family, so a call that added more is none. What the group
/// holds is audited instead.
#[test]
fn more_rules_than_a_group_can_hold_are_not_believed() {
    let mut event = open_ssh();
    event["detail"]["responseElements"] = json!(null);
    let permissions = &mut event["detail"]["requestParameters"]["ipPermissions"]["items"];
    let ranges = |many: usize| -> Vec<Value> {
        (0..many)
            .map(|n| json!({ "cidrIp": format!("198.51.{}.{}/32", n / 256, n % 256) }))
            .collect()
    };
    for (many, is_believed) in [(2000, true), (2001, false), (60_000, false)] {
        permissions[0]["ipRanges"]["items"] = json!(ranges(many));
        let events = decode(json!({ "detail": { "eventName": "AuthorizeSecurityGroupIngress",
            "requestParameters": { "groupId": "sg-1", "ipPermissions": { "items": permissions } } } })
        .to_string().as_bytes());
        let [Event::Change(change)] = events.as_slice() else { panic!("{events:?}") };
        match &change.kind {
            ChangeKind::Authorized(rules) => assert!(is_believed && rules.len() == many),
            ChangeKind::Unknown(reason) => {
                assert!(!is_believed && reason.contains("more than 2000"), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Each text of a record as long as it can be.
#[test]
fn long_texts_are_cut() {
    let mut event = open_ssh();
    let places = super::places_of_texts(&event);
    for place in places {
        let kept = ["eventName", "eventSource", "ipProtocol", "cidr", "detail-type", "roupId"];
        if !kept.iter().any(|name| place.contains(name)) {
            *event.pointer_mut(&place).unwrap() = Value::from("\u{fc}".repeat(100_000));
        }
    }
    let payload = event.to_string();
    assert!(payload.len() > MOST / 2);
    let events = decode(payload.as_bytes());
    assert!(bytes(&events) < 32 * 1024, "{}", bytes(&events));
    let group = crate::audit::Group { id: "sg-0a1b2c3d4e5f67890".to_owned(), ..Default::default() };
    let ec2 = MemoryEc2::new([(home(), group, Vec::new())], Lists::new());
    let told = Told::of(&ec2, &settings(), payload.as_bytes());
    assert!(told.messages.len() == 1 && told.mails()[0].len() < 16 * 1024);
}

/// What is no UTF-8, wherever it is, is in the text where it is, and nowhere else.
#[test]
fn bytes_that_are_no_text() {
    let sample = open_ssh().to_string();
    for bad in [&b"\xff"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"] {
        let at = sample.find("aws-cli/").unwrap();
        let payload = [&sample.as_bytes()[..at], bad, &sample.as_bytes()[at..]].concat();
        let events = decode(&payload);
        let [Event::Change(change)] = events.as_slice() else { panic!("{events:?}") };
        assert!(matches!(&change.kind, ChangeKind::Authorized(rules) if rules.len() == 1));
        assert!(change.record.user_agent.as_ref().unwrap().starts_with('\u{fffd}'));
        laws::event::hold(&payload);
    }
    laws::event::hold(&vec![0xff; 100_000]);
}

/// JSON may say a name twice, and readers differ in which they believe. A record that says two things
/// is believed in one of them or in none; no third thing is made of it.
#[test]
fn a_name_that_is_there_twice() {
    let sample = open_ssh().to_string();
    for (once, again) in [
        ("\"cidrIp\":\"0.0.0.0/0\"", "\"cidrIp\":\"10.0.0.0/8\""),
        ("\"groupId\":\"sg-0a1b2c3d4e5f67890\"", "\"groupId\":\"sg-0b7c8d9e0f1a2b3c4\""),
    ] {
        for twice in [format!("{once},{again}"), format!("{again},{once}")] {
            laws::event::hold(sample.replacen(once, &twice, 1).as_bytes());
        }
    }
}
