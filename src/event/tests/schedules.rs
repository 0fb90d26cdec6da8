//! Schedules, in every way in which they arrive.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Event, Resume, Schedule, Task, decode};
use super::{OPEN_SSH, lines_of, open_ssh};

const OWN_PLACE: &str = "sweep in ; ";

fn scheduled(detail: Value) -> Value {
    json!({
        "version": "0", "detail-type": "Scheduled Event", "source": "aws.events",
        "account": "123456789012", "time": "2026-03-12T03:17:00Z", "region": "eu-central-1",
        "resources": ["arn:aws:events:eu-central-1:123456789012:rule/daily"], "detail": detail,
    })
}

#[test]
fn scheduled_events_ask_for_a_sweep_of_their_own_place() {
    for empty in [json!({}), json!("{}"), json!(""), Value::Null] {
        assert_eq!(lines_of(&scheduled(empty)), [OWN_PLACE]);
    }
    // EventBridge Scheduler's.
    let mut other = scheduled(json!("{}"));
    other["source"] = json!("aws.scheduler");
    assert_eq!(lines_of(&other), [OWN_PLACE]);
    other.as_object_mut().unwrap().remove("detail-type");
    assert_eq!(lines_of(&other), [OWN_PLACE]);

    let payload = json!({"holds": {"regions": ["eu-central-1"]}});
    assert_eq!(lines_of(&scheduled(payload.clone())), ["holds in ; eu-central-1"]);
    assert_eq!(lines_of(&scheduled(json!(payload.to_string()))), ["holds in ; eu-central-1"]);
}

#[test]
fn payloads() {
    let understood = [
        (json!({"sweep": {}}), OWN_PLACE),
        (json!({"holds": {}}), "holds in ; "),
        (json!({"sweep": {"accounts": null, "regions": [], "resume": null}}), OWN_PLACE),
        (json!({"sweep": {"resume": {"page": null}}}), OWN_PLACE),
        (
            json!({"sweep": {"accounts": ["123456789012", "010987654321"],
                             "regions": ["eu-central-1", "us-gov-west-1"]}}),
            "sweep in 123456789012, 010987654321; eu-central-1, us-gov-west-1",
        ),
    ];
    for (payload, expected) in understood {
        assert_eq!(lines_of(&payload), [expected]);
    }
    let payload = json!({"sweep": {"resume": {"depth": 2, "places_done": 1, "page": "abc=="}}});
    let resume =
        Resume { depth: 2, places_done: 1, page: Some("abc==".to_owned()), ..Resume::default() };
    let expected = Schedule { resume, ..Schedule::default() };
    assert_eq!(decode(payload.to_string().as_bytes()), [Event::Schedule(Box::new(expected))]);
}

#[test]
fn payloads_that_are_not_understood_say_what_to_write() {
    let names = "write `sweep` or `holds`, and in it `accounts`, `regions`, \
                 and `resume` with `depth`, `places_done`, `page`, `groups_done`, `again`";
    let account = "in the schedule is no account; write its 12 digits in quotes";
    let region = "in the schedule is no region; write it as in eu-central-1";
    let shape =
        |member: &str, expected: &str| format!("`{member}` of the schedule is not {expected}");
    let texts = "a list of texts";
    let number = "a whole number from 0";
    let resume = |member: &str, value: Value| json!({"sweep": {"resume": {member: value}}});
    let refused = [
        (
            json!({"sweep": {}, "holds": {}}),
            "the schedule asks for `sweep` and for `holds`; write each in a schedule of its own"
                .to_owned(),
        ),
        (json!({"sweep": {"account": []}}), format!("the schedule has `account` in it; {names}")),
        (
            json!({"sweep": {}, "regions": ["eu-central-1"]}),
            format!("the schedule has `regions` in it; {names}"),
        ),
        (resume("Page", json!("x")), format!("the schedule has `Page` in it; {names}")),
        (json!({"sweep": {"accounts": ["1234"]}}), format!("`1234` {account}")),
        (json!({"sweep": {"accounts": ["12345678901x"]}}), format!("`12345678901x` {account}")),
        (json!({"sweep": {"accounts": [123_456_789_012_i64]}}), shape("accounts", texts)),
        (json!({"sweep": {"accounts": "123456789012"}}), shape("accounts", texts)),
        (json!({"sweep": {"regions": ["evil.example/"]}}), format!("`evil.example/` {region}")),
        (json!({"sweep": {"regions": [""]}}), format!("`` {region}")),
        (json!({"sweep": {"regions": ["EU-central-1"]}}), format!("`EU-central-1` {region}")),
        (json!({"sweep": {"regions": [{}]}}), shape("regions", texts)),
        (json!({"sweep": null}), shape("sweep", "an object")),
        (json!({"sweep": []}), shape("sweep", "an object")),
        (json!({"holds": true}), shape("holds", "an object")),
        (json!({"sweep": {"resume": [3]}}), shape("resume", "an object")),
        (resume("page", json!(7)), shape("page", "a text")),
        (resume("depth", json!(-1)), shape("depth", number)),
        (resume("depth", json!(1.5)), shape("depth", number)),
        (resume("depth", json!("1")), shape("depth", number)),
        (resume("depth", json!(4_294_967_296_u64)), shape("depth", number)),
        (resume("places_done", json!(-1)), shape("places_done", number)),
    ];
    for (payload, reason) in refused {
        let line = format!("undecodable: {reason}");
        assert_eq!(lines_of(&payload), [&*line], "{payload}");
        assert_eq!(lines_of(&scheduled(payload)), [line]);
    }
    let long = json!({"sweep": {"x".repeat(5000): 1}});
    assert!(lines_of(&long)[0].len() < 300);

    let neither = "undecodable: the schedule has `foo` in it; ";
    assert!(lines_of(&scheduled(json!({"foo": 1})))[0].starts_with(neither));
    for detail in [json!("?"), json!("[]"), json!([{}]), json!(7)] {
        let line = "undecodable: `detail` of the schedule is not an object";
        assert_eq!(lines_of(&scheduled(detail)), [line]);
    }
}

#[test]
fn in_their_wrappers() {
    let payload = json!({"sweep": {"regions": ["eu-central-1"]}});
    let text = || json!(payload.to_string());
    let failed = json!({
        "version": "1.0", "requestContext": {}, "requestPayload": payload, "responsePayload": {},
    });
    let wrapped = [
        text(),
        json!([payload]),
        json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": text()}}]}),
        json!({"Records": [{"messageId": "1", "eventSource": "aws:sqs", "body": text()}]}),
        json!({"Records": [{"messageId": "1", "body": failed.to_string()}]}),
        json!({"Type": "Notification", "Message": text()}),
        failed,
    ];
    for event in wrapped {
        assert_eq!(lines_of(&event), ["sweep in ; eu-central-1"], "{event}");
    }
    let twice = json!({"Records": [{"body": text()}, {"body": text()}]});
    assert_eq!(lines_of(&twice), ["sweep in ; eu-central-1"]);
}

/// Nobody hides a change by a word beside it.
#[test]
fn a_sweep_beside_something_else_is_not_one() {
    for task in ["sweep", "holds"] {
        let beside = |event: Value| {
            let mut event = event;
            event[task] = json!({});
            lines_of(&event)
        };
        assert_eq!(beside(open_ssh()), [OPEN_SSH]);
        assert_eq!(beside(json!({"detail": open_ssh()})), [OPEN_SSH]);
        assert_eq!(beside(json!({"detail": open_ssh().to_string()})), [OPEN_SSH]);
        assert_eq!(beside(json!({"Records": [open_ssh()]})), [OPEN_SSH]);
        assert_eq!(beside(json!({"requestPayload": open_ssh()})), [OPEN_SSH]);
        assert_eq!(beside(json!({"body": open_ssh().to_string()})), [OPEN_SSH]);
        assert_eq!(
            beside(json!({"groupId": "sg-1"})),
            ["sg-1: unknown: the event does not say which call it is"]
        );
        let mut inside = json!({"detail": open_ssh()});
        inside["detail"][task] = json!({});
        assert_eq!(lines_of(&inside), [OPEN_SSH]);
    }
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let task = prop_oneof![Just(Task::Sweep), Just(Task::Holds)];
    let page = option::of(any::<String>());
    let done = vec("sg-[0-9a-f]{8,17}", 0..3);
    let resume = (any::<u32>(), any::<usize>(), page, done, vec(any::<usize>(), 0..3)).prop_map(
        |(depth, places_done, page, groups_done, again)| Resume {
            depth,
            places_done,
            page,
            groups_done,
            again,
        },
    );
    (task, vec("[0-9]{12}", 0..4), vec("[a-z]{2}-[a-z]{4,9}-[1-9]", 0..4), resume)
        .prop_map(|(task, accounts, regions, resume)| Schedule { task, accounts, regions, resume })
}

proptest! {
    #[test]
    fn what_is_written_is_read(schedule in any_schedule()) {
        let payload = schedule.to_payload().to_string();
        let expected = [Event::Schedule(Box::new(schedule))];
        prop_assert_eq!(decode(payload.as_bytes()), &expected);
        prop_assert_eq!(decode(scheduled(json!(payload)).to_string().as_bytes()), &expected);
    }
}
