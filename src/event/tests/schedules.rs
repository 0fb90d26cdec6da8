//! Schedules, in every form in which they arrive.

use serde_json::{Value, json};

use super::super::{Job, Kind, Record, Resume, Schedule, Sweep};
use super::{OPEN_SSH, event, lines_of, open_ssh};

const OWN_PLACE: &str = "sweep in ; ";

pub(super) fn scheduled(detail: Value) -> Value {
    json!({
        "version": "0", "detail-type": "Scheduled Event", "source": "aws.events",
        "account": "123456789012", "time": "2026-03-12T03:17:00Z", "region": "eu-central-1",
        "resources": ["arn:aws:events:eu-central-1:123456789012:rule/daily"], "detail": detail,
    })
}

#[test]
fn a_scheduled_event_asks_for_a_sweep_of_its_own_place() {
    for empty in [json!({}), json!("{}"), json!(""), Value::Null] {
        assert_eq!(lines_of(&scheduled(empty)), [OWN_PLACE]);
    }
    // EventBridge Scheduler's.
    let mut other = scheduled(json!("{}"));
    other["source"] = json!("aws.scheduler");
    assert_eq!(lines_of(&other), [OWN_PLACE]);
    other.as_object_mut().unwrap().remove("detail-type");
    assert_eq!(lines_of(&other), [OWN_PLACE]);
    let time = Some("2026-03-12T03:17:00Z".parse().unwrap());
    assert_eq!(event(&other).record, Record { time, ..Record::default() });

    let payload = json!({"holds": {"regions": ["eu-central-1"]}});
    assert_eq!(lines_of(&scheduled(payload.clone())), ["holds in ; eu-central-1"]);
    assert_eq!(lines_of(&scheduled(json!(payload.to_string()))), ["holds in ; eu-central-1"]);
}

/// A schedule's event that has lost its type, with the rule of this name.
fn without_type(rule: &str) -> Value {
    let mut event = scheduled(json!({}));
    event.as_object_mut().unwrap().remove("detail-type");
    event["resources"] = json!([format!("arn:aws:events:eu-central-1:123456789012:rule/{rule}")]);
    event
}

const SWEEP_RULE: &str = "typo3-sg-auditor-Sweep-1OZ5KX8QJ3T2M";
const HOLDS_RULE: &str = "typo3-sg-auditor-HoldsCheck-2PZ6LY9RK4U3N";

#[test]
fn both_spellings_of_the_type_count() {
    let mut event = without_type("my-rule");
    event["detailType"] = json!("Scheduled Event");
    assert_eq!(lines_of(&event), [OWN_PLACE]);
    event["detail-type"] = json!("");
    assert_eq!(lines_of(&event), [OWN_PLACE]);
    let mut record = json!({"detailType": "EC2 Instance State-change Notification",
        "source": "aws.ec2", "detail": {"instance-id": "i-1"}});
    let ignored = "ignored: `EC2 Instance State-change Notification`: not a security-group call";
    assert_eq!(lines_of(&record), [ignored]);
    record["detailType"] = json!("AWS API Call via CloudTrail");
    record["detail"] = open_ssh();
    assert_eq!(lines_of(&record), [OPEN_SSH]);
}

#[test]
fn a_schedule_that_lost_its_input_is_known_by_its_rule() {
    for (rule, expected) in
        [(SWEEP_RULE, OWN_PLACE), (HOLDS_RULE, "holds in ; "), ("my-rule", OWN_PLACE)]
    {
        let mut typed = without_type(rule);
        typed["detail-type"] = json!("Scheduled Event");
        for event in [typed, without_type(rule)] {
            for empty in [json!({}), json!(""), json!("{}"), Value::Null] {
                let mut event = event.clone();
                event["detail"] = empty;
                assert_eq!(lines_of(&event), [expected], "{event}");
            }
            // As it comes from the failure queue.
            let queued = json!({"Records": [{"body": event.to_string()}]});
            assert_eq!(lines_of(&queued), [expected]);
        }
    }
    let mut without_source = without_type(HOLDS_RULE);
    without_source.as_object_mut().unwrap().remove("source");
    assert_eq!(lines_of(&without_source), ["holds in ; "]);
    // What the event itself asks for counts more than its rule.
    let mut told = without_type(HOLDS_RULE);
    told["detail"] = json!({"sweep": {"regions": ["eu-west-1"]}});
    assert_eq!(lines_of(&told), ["sweep in ; eu-west-1"]);
    told["detail"] = json!({"sweep": {"regoins": []}});
    assert!(lines_of(&told)[0].starts_with("undecodable: the schedule is not understood"));
}

/// Nobody can hide a change by naming a rule beside it.
#[test]
fn a_change_with_the_rule_of_a_schedule_is_a_change() {
    let mut event = without_type(SWEEP_RULE);
    event["detail"] = open_ssh();
    assert_eq!(lines_of(&event), [OPEN_SSH]);
    event["detail"] = json!(open_ssh().to_string());
    assert_eq!(lines_of(&event), [OPEN_SSH]);
    let mut foreign = without_type(SWEEP_RULE);
    foreign["source"] = json!("aws.ec2");
    assert!(lines_of(&foreign)[0].starts_with("undecodable: "), "{:?}", lines_of(&foreign));
    for other in [
        "arn:aws:s3:::Sweep",
        "rule/typo3-sg-auditor-Sweep-1OZ5KX8QJ3T2M",
        "arn:aws:events:eu-central-1:123456789012:event-bus/Sweep",
    ] {
        let mut event = without_type(SWEEP_RULE);
        event["resources"] = json!([other]);
        assert!(lines_of(&event)[0].starts_with("undecodable: "), "{other}");
    }
}

/// The rule that hands on such an event as a sweep gives it an input. Without, it has been lost.
#[test]
fn a_deployment_that_lost_its_input_is_a_sweep() {
    let deployed = |status: &str| {
        let stack = "arn:aws:cloudformation:eu-central-1:123456789012:stack/typo3-sg-auditor/1";
        lines_of(&json!({
            "detail-type": "CloudFormation Stack Status Change", "source": "aws.cloudformation",
            "account": "123456789012", "region": "eu-central-1", "resources": [stack],
            "detail": {"stack-id": stack, "status-details": {"status": status}},
        }))
    };
    assert_eq!(deployed("UPDATE_COMPLETE"), [OWN_PLACE]);
    assert_eq!(deployed("CREATE_COMPLETE"), [OWN_PLACE]);
    assert!(deployed("UPDATE_IN_PROGRESS")[0].starts_with("ignored: "));
}

#[test]
fn several_accounts_are_swept_by_the_state_machine_alone() {
    let payload = json!({"sweep": {"accounts": ["123456789012", "010987654321"], "regions": []}});
    let read = event(&payload);
    let Kind::Undecodable { reason, .. } = &read.kind else { panic!("{read:?}") };
    assert!(
        reason.contains("sweeps 2 accounts") && reason.contains("organisation.yaml"),
        "{reason}"
    );
}

#[test]
fn a_schedule_names_accounts_and_regions() {
    let understood = [
        (json!({"sweep": {}}), OWN_PLACE),
        (json!({"holds": {}}), "holds in ; "),
        (json!({"version": 1, "sweep": {}}), OWN_PLACE),
        (json!({"sweep": {"accounts": null, "regions": [], "resume": null}}), OWN_PLACE),
        (json!({"sweep": {"resume": {"page": null}}}), OWN_PLACE),
        (
            json!({"sweep": {"accounts": ["010987654321"],
                             "regions": ["eu-central-1", "us-gov-west-1"]}}),
            "sweep in 010987654321; eu-central-1, us-gov-west-1",
        ),
        (
            json!({"holds": {"accounts": ["123456789012", "010987654321"],
                             "regions": ["eu-central-1", "us-gov-west-1"]}}),
            "holds in 123456789012, 010987654321; eu-central-1, us-gov-west-1",
        ),
    ];
    for (payload, expected) in understood {
        assert_eq!(lines_of(&payload), [expected]);
    }
    for (word, schedule) in [
        ("hourly", Schedule::Hourly),
        ("daily", Schedule::Daily),
        ("weekly", Schedule::Weekly),
        ("off", Schedule::Off),
    ] {
        let read = event(&json!({"sweep": {"schedule": word}}));
        let expected = Sweep { schedule: Some(schedule), ..Sweep::default() };
        assert_eq!(read.kind, Kind::Job(Job::Sweep(expected)));
    }
    let resume = json!({"places_done": 1, "page": "abc==", "groups_done": ["sg-1"]});
    let expected = Sweep {
        resume: Resume {
            places_done: 1,
            page: Some("abc==".to_owned()),
            groups_done: vec!["sg-1".parse().unwrap()],
            again: Vec::new(),
            missed: false,
            began: None,
            groups: 0,
            forgot: false,
            settings: None,
            sweep: None,
        },
        ..Sweep::default()
    };
    let read = event(&json!({"sweep": {"resume": resume}}));
    assert_eq!(read.kind, Kind::Job(Job::Sweep(expected)));
    assert_eq!(read.record, Record::default());
}

#[test]
fn null_is_as_good_as_nothing() {
    let sweep = json!({"accounts": null, "regions": null, "resume": null});
    assert_eq!(lines_of(&json!({"sweep": sweep, "version": null})), [OWN_PLACE]);
    let resume = json!({
        "places_done": null, "page": null, "groups_done": null, "again": null,
    });
    let read = event(&json!({"holds": {"resume": resume}}));
    assert_eq!(read.kind, Kind::Job(Job::Holds(Sweep::default())));
}

#[test]
fn a_schedule_that_is_not_understood_says_what_to_write() {
    let write = r#"write {"sweep": {"accounts": ["123456789012"], "regions": ["eu-central-1"]}} or {"holds": {}}"#;
    let unknown =
        |name: &str| format!("the schedule contains `{name}`, which is not known: {write}");
    let not_an_object = |name: &str| format!("`{name}` of the schedule is not an object: {write}");
    let content = |why: &str| format!("the schedule is not understood, {write}: {why}");
    let account =
        |text: &str| content(&format!("`{text}` is not an account id: write its 12 digits"));
    let region = |text: &str| {
        content(&format!("`{text}` is not an AWS region: write one such as eu-central-1"))
    };
    let members = "expected one of `accounts`, `regions`, `resume`, `schedule`";
    let resume = |member: &str, value: Value| json!({"sweep": {"resume": {member: value}}});
    let refused = [
        (
            json!({"sweep": {}, "holds": {}}),
            "the schedule asks for `sweep` and for `holds`: write one schedule for each".to_owned(),
        ),
        (
            json!({"sweep": {"account": []}}),
            content(&format!("unknown field `account`, {members}")),
        ),
        (json!({"sweep": {}, "regions": ["eu-central-1"]}), unknown("regions")),
        (json!({"sweep": {}, "close": {}}), unknown("close")),
        (
            resume("Page", json!("x")),
            content(
                "unknown field `Page`, expected one of `places_done`, `page`, \
                 `groups_done`, `again`, `missed`, `began`, `groups`, `forgot`, `settings`, `sweep`",
            ),
        ),
        (json!({"sweep": {"accounts": ["1234"]}}), account("1234")),
        (json!({"sweep": {"accounts": ["12345678901x"]}}), account("12345678901x")),
        (
            json!({"sweep": {"accounts": [123_456_789_012_i64]}}),
            content("invalid type: integer `123456789012`, expected a string"),
        ),
        (
            json!({"sweep": {"accounts": "123456789012"}}),
            content("invalid type: string \"123456789012\", expected a sequence"),
        ),
        (json!({"sweep": {"regions": ["evil.example/"]}}), region("evil.example/")),
        (json!({"sweep": {"regions": [""]}}), region("")),
        (json!({"sweep": {"regions": ["EU-central-1"]}}), region("EU-central-1")),
        (json!({"sweep": {"regions": [{}]}}), content("invalid type: map, expected a string")),
        (json!({"sweep": null}), not_an_object("sweep")),
        (json!({"sweep": []}), not_an_object("sweep")),
        (json!({"holds": true}), not_an_object("holds")),
        (json!({"sweep": {"resume": [3]}}), content("invalid type: sequence, expected a map")),
        (resume("page", json!(7)), content("invalid type: integer `7`, expected a string")),
        (resume("places_done", json!(-1)), content("invalid value: integer `-1`, expected usize")),
        (
            resume("groups_done", json!(["--all"])),
            content("`--all` is not the id of a security group: write sg-…"),
        ),
        (
            json!({"version": 2, "sweep": {}, "new": 1}),
            "the message has version `2`, but this function reads version 1 only".to_owned(),
        ),
        (
            json!({"version": "1", "sweep": {}}),
            "the message has version `\"1\"`, but this function reads version 1 only".to_owned(),
        ),
    ];
    for (payload, reason) in refused {
        let line = format!("undecodable: {reason}");
        assert_eq!(lines_of(&payload), [&*line], "{payload}");
        assert_eq!(lines_of(&scheduled(payload)), [line]);
    }
    assert_eq!(
        lines_of(&scheduled(json!({"foo": 1}))),
        [format!("undecodable: {}", unknown("foo"))]
    );
    for detail in [json!("?"), json!("[]"), json!([{}]), json!(7)] {
        let line = format!("undecodable: {}", not_an_object("detail"));
        assert_eq!(lines_of(&scheduled(detail)), [line]);
    }
}

#[test]
fn the_reason_why_a_schedule_is_not_understood_is_short() {
    let long = "x".repeat(5000);
    for sweep in [json!({&long: 1}), json!({"accounts": [long]}), json!({"accounts": long})] {
        let lines = lines_of(&json!({ "sweep": sweep }));
        assert!(lines[0].chars().count() < 420, "{lines:?}");
        assert!(lines[0].contains(r#"write {"sweep": "#), "{lines:?}");
    }
}

/// The function passes nothing of this on to itself through a schedule.
#[test]
fn a_scheduled_event_cannot_ask_to_close_rules() {
    for task in ["close", "tags", "hold_tags", "lost"] {
        let lines = lines_of(&scheduled(json!({task: {"rules": [{"group": "sg-1"}]}})));
        assert!(lines[0].starts_with(&format!("undecodable: the schedule contains `{task}`")));
    }
}

#[test]
fn schedules_are_found_in_every_wrapper() {
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

/// Nobody can hide a change by adding a word to it.
#[test]
fn a_task_beside_something_else_is_not_a_schedule() {
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
