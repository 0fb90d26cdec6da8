//! A table that does not do its part: everything is judged, closed and published as without one.

use serde_json::Value;

use super::table;
use crate::reverts::REVERT;
use crate::support::endpoint::{Answer, Call};
use crate::support::moto;
use crate::support::permission::tcp;
use crate::support::world::{Direction::Ingress, Message, World};

/// What becomes of a call of the table.
const FAULTS: [(&str, Answer); 7] = [
    (
        "denied",
        Answer::Error(
            400,
            "AccessDeniedException",
            "not authorized to perform: dynamodb:UpdateItem",
        ),
    ),
    ("missing", Answer::Error(400, "ResourceNotFoundException", "Requested resource not found")),
    (
        "throttled",
        Answer::Error(400, "ThrottlingException", "Throughput exceeds the current capacity"),
    ),
    ("out of order", Answer::Error(500, "InternalServerError", "Internal server error")),
    ("slow", Answer::Hang),
    ("lost", Answer::Lost),
    ("not whole", Answer::Malformed),
];

/// A region of this test's own, with nothing to find.
const EMPTY: &str = "mx-central-1";

fn is_of_table(call: &Call) -> bool {
    call.fields.contains_key("Body")
}

#[tokio::test]
async fn without_an_answer_of_the_table_all_is_as_without_a_table() {
    for (name, fault) in FAULTS {
        let world = World::new().await;
        let table = table::made(&moto::server().url()).await;
        world.answer(move |call| if is_of_table(call) { fault.clone() } else { Answer::Moto });
        let mut function = world.function(&[&REVERT[..], &[("STATE_TABLE", &table)]].concat());
        let mut bare = world.function(&REVERT);
        let mut told = Vec::new();
        for function in [&mut function, &mut bare] {
            let group = world.group("typo3-shop").await;
            let event = world.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
            assert_eq!(function.report(&event)["outcome"], "noncompliant", "{name}");
            let left = world.ingress(&group).await;
            assert!(!left.iter().any(|rule| rule.contains("22-22 0.0.0.0/0")), "{name}: {left:?}");
            let [message] = world.messages().await.try_into().expect("one message");
            let report = message.report.to_string().replace(&group.id, "sg-0");
            let mut report: Value = serde_json::from_str(&report).expect("a report");
            for own in
                ["id", "fingerprint", "change", "group", "rule", "remediation", "console_url"]
            {
                report["findings"][0][own].take();
            }
            assert_eq!(report["findings"][0]["status"], Value::Null, "{name}");
            assert_eq!(message.attributes["mail"], "now", "{name}");
            told.push(report);
        }
        assert_eq!(told[0], told[1], "{name}");
        let line = function.log_line(|line| line.contains("without what is remembered"));
        assert!(line.contains("the table of what is remembered cannot be used"), "{name}: {line}");
        function.log_line(|line| line.contains(r#""MemoryFailures":1"#));
    }
}

/// What waits is in a digest of a later invocation, whatever becomes of the calls before.
#[tokio::test]
async fn what_waits_is_mailed_later_if_the_table_or_the_topic_fails_now() {
    let faulty = [("Query", None), ("DeleteItem", None), ("Publish", Some(Answer::Reset))];
    for (call, only) in faulty {
        for (name, fault) in FAULTS
            .iter()
            .filter(|_| only.is_none())
            .cloned()
            .chain(only.clone().map(|fault| ("not published", fault)))
        {
            let said = mailed_in_the_end(call, fault).await;
            assert!(said.iter().any(|kind| kind == "digest"), "{call} {name}: {said:?}");
        }
    }
}

/// What was mailed of a finding that had to wait, in the invocation in which the call fails and the next.
async fn mailed_in_the_end(call: &'static str, fault: Answer) -> Vec<String> {
    let world = World::new().await;
    let table = table::made(&moto::server().url()).await;
    // What is new and less severe than this waits for the digest.
    let settings = [("STATE_TABLE", table.as_str()), ("MAIL_SEVERITY", "critical")];
    let mut function = world.function(&[&REVERT[..], &settings].concat());
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(8080, 8080).from("0.0.0.0/0")]).await;
    function.report(&event);
    let [later] = world.messages().await.try_into().expect("one message");
    assert_eq!(later.attributes["mail"], "later");
    let sweep = serde_json::json!({"sweep": {"regions": [EMPTY]}});
    world.answer(move |asked| if asked.action == call { fault.clone() } else { Answer::Moto });
    // It may fail, and is tried again then.
    function.invoke(&sweep);
    world.answer(|_| Answer::Moto);
    function.report(&sweep);
    let messages = world.messages().await;
    let kind = |message: &Message| match message.report["digest"].is_null() {
        true => "finding".to_owned(),
        false => "digest".to_owned(),
    };
    messages.iter().filter(|it| it.attributes["mail"] == "now").map(kind).collect()
}
