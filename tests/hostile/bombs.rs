//! Payloads that are cheap to write and expensive to read. Lambda takes six megabytes
//! (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).

use serde_json::{Value, json};
use typo3_sg_auditor::event::{ChangeKind, Event, Kind, decode};
use typo3_sg_auditor::memory::MemoryEc2;

use super::output::{Output, settings};
use super::{ec2_with, group, laws, open_ssh};

const MOST: usize = 6_000_000;

/// A text, repeated until the payload is full.
fn many(text: &str) -> String {
    text.repeat(MOST / text.len())
}

/// The size of the events, in bytes of their debug output.
fn bytes(events: &[Event]) -> usize {
    events.iter().map(|event| format!("{event:?}").len()).sum()
}

#[test]
fn a_bomb_becomes_at_most_two_small_events() {
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
        let output = Output::of(&MemoryEc2::default(), &settings(), payload.as_bytes()).all();
        assert!(output.len() < 64 * 1024, "{name}: {} bytes of output", output.len());
    }
}

/// One more event tells how many there are besides.
#[test]
fn of_the_many_groups_that_a_text_names_twenty_are_audited() {
    let text: Vec<String> = (0..250_000).map(|n| format!("sg-{n:017x}")).collect();
    let events = decode(text.join(" ").as_bytes());
    assert_eq!(events.len(), 21);
    assert!(bytes(&events) < 64 * 1024);
}

/// The limit on memory lets through as many CloudTrail records as Lambda accepts.
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
    let is_read = |event: &Event| matches!(&event.kind, Kind::Change(change) if matches!(change.kind, ChangeKind::Authorized(_)));
    assert!(events.iter().all(is_read));
}

/// One more event tells how many there are besides.
#[test]
fn of_many_records_ten_thousand_are_read() {
    let record = |n: usize| json!({ "eventName": "DeleteTrail", "eventSource": "cloudtrail.amazonaws.com", "userAgent": n });
    let records: Vec<Value> = (0..50_000).map(record).collect();
    let events = decode(json!({ "Records": records }).to_string().as_bytes());
    assert_eq!(events.len(), 10_001);
    let Kind::Undecodable { reason, .. } = &events.last().unwrap().kind else {
        panic!("{events:?}")
    };
    assert_eq!(reason, "40000 more records are in the event than can be read at once");
}

/// A group has at most two thousand rules, a thousand of each address family, so no call adds more.
/// What the group really has is audited instead.
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
        let [Event { kind: Kind::Change(change), .. }] = &events[..] else { panic!("{events:?}") };
        match &change.kind {
            ChangeKind::Authorized(rules) => assert!(is_believed && rules.len() == many),
            ChangeKind::Unknown(reason) => {
                assert!(!is_believed && reason.contains("more than 2000"), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Every text of a record is as long as it can be.
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
    let ec2 = ec2_with(group(), Vec::new());
    let output = Output::of(&ec2, &settings(), payload.as_bytes());
    assert!(output.messages.len() == 1 && output.mails()[0].len() < 16 * 1024);
}

/// They only spoil the text that they are in.
#[test]
fn bytes_that_are_not_utf_8() {
    let sample = open_ssh().to_string();
    for bad in [&b"\xff"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"] {
        let at = sample.find("aws-cli/").unwrap();
        let payload = [&sample.as_bytes()[..at], bad, &sample.as_bytes()[at..]].concat();
        let events = decode(&payload);
        let [Event { record, kind: Kind::Change(change), .. }] = &events[..] else {
            panic!("{events:?}")
        };
        assert!(matches!(&change.kind, ChangeKind::Authorized(rules) if rules.len() == 1));
        assert!(record.user_agent.as_ref().unwrap().starts_with('\u{fffd}'));
        laws::event::check(&payload);
    }
    laws::event::check(&vec![0xff; 100_000]);
}

/// JSON may contain a key twice, and readers differ in which value they take. Whichever this one takes,
/// it does no harm.
#[test]
fn a_key_that_occurs_twice() {
    let sample = open_ssh().to_string();
    for (once, again) in [
        ("\"cidrIp\":\"0.0.0.0/0\"", "\"cidrIp\":\"10.0.0.0/8\""),
        ("\"groupId\":\"sg-0a1b2c3d4e5f67890\"", "\"groupId\":\"sg-0b7c8d9e0f1a2b3c4\""),
    ] {
        for twice in [format!("{once},{again}"), format!("{again},{once}")] {
            laws::event::check(sample.replacen(once, &twice, 1).as_bytes());
        }
    }
}
