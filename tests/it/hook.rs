//! The questions of a CloudFormation hook, answered by the function as Lambda runs it.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::reverts::finding;
use crate::support::rie::Function;
use crate::support::sg_audit::repository;
use crate::support::world::World;

const SETTINGS: [(&str, &str); 2] = [("SSH_SOURCES", "203.0.113.0/24"), ("HOOK", "fail")];

/// A request of `tests/hook/`.
pub fn request(name: &str) -> Value {
    let path = repository().join(format!("tests/hook/{name}.json"));
    serde_json::from_slice(&fs::read(path).expect("a request")).expect("JSON")
}

/// What the answer says in a word: `SUCCESS`, `NonCompliant` or `InternalFailure`.
fn word(function: &mut Function, request: &Value) -> String {
    let answer = function.invoke(request);
    assert_eq!((answer.status, answer.error_type()), (200, None), "{:#}", answer.body);
    assert_eq!(answer.body["clientRequestToken"], request["clientRequestToken"]);
    assert!(answer.body["message"].as_str().expect("a message").len() <= 1000);
    let code = answer.body["errorCode"].as_str();
    let status = answer.body["hookStatus"].as_str();
    code.or(status).expect("an answer").to_owned()
}

#[tokio::test]
async fn stacks_and_cloud_control_are_answered_and_refusals_published() {
    let world = World::new().await;
    let mut function = world.function(&SETTINGS);
    for (name, expected) in [
        ("create-group", "NonCompliant"),
        ("create-web", "SUCCESS"),
        ("create-rule", "NonCompliant"),
        ("create-egress", "SUCCESS"),
        ("update-group", "NonCompliant"),
        ("update-unrelated", "SUCCESS"),
        ("delete-group", "SUCCESS"),
        ("cloud-control-create", "NonCompliant"),
        ("cloud-control-update", "NonCompliant"),
        ("cloud-control-delete", "SUCCESS"),
        ("other-type", "InternalFailure"),
    ] {
        assert_eq!(word(&mut function, &request(name)), expected, "{name}");
        let messages = world.messages().await;
        assert_eq!(messages.len(), usize::from(expected == "NonCompliant"), "{name}");
        for message in &messages {
            assert_eq!(finding(message, 0)["remediation"]["outcome"], "prevented", "{name}");
        }
    }
    // Every file is in the list above.
    let files = fs::read_dir(repository().join("tests/hook")).expect("requests");
    let files =
        files.filter(|file| file.as_ref().unwrap().path().extension() == Some("json".as_ref()));
    assert_eq!(files.count(), 11);
    assert!(world.calls().iter().all(|call| call.action == "Publish"), "EC2 was called");
}

#[tokio::test]
async fn a_prefix_list_that_decides_is_read_and_nothing_else_is() {
    let world = World::new().await;
    let (office, wide) = (
        world.prefix_list("office", &["203.0.113.0/25"]).await,
        world.prefix_list("all", &["0.0.0.0/0"]).await,
    );
    let mut function = world.function(&SETTINGS);
    let mut asked = request("create-rule");
    for (list, expected) in [(&office, "SUCCESS"), (&wide, "NonCompliant")] {
        asked["requestData"]["targetModel"]["resourceProperties"] = json!({
            "GroupId": "sg-0a1b2c3d4e5f67890", "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
            "SourcePrefixListId": list,
        });
        assert_eq!(word(&mut function, &asked), expected);
    }
    let calls: Vec<String> = world.calls().into_iter().map(|call| call.action).collect();
    let read = ["DescribeManagedPrefixLists", "GetManagedPrefixListEntries"];
    assert_eq!(calls, [&read[..], &read[..], &["Publish"]].concat());
}

#[tokio::test]
async fn a_hook_that_warns_is_answered_the_same_and_publishes_nothing() {
    let world = World::new().await;
    let mut function = world.function(&[SETTINGS[0], ("HOOK", "warn")]);
    assert_eq!(word(&mut function, &request("create-group")), "NonCompliant");
    assert_eq!(world.messages().await, []);
}

#[tokio::test]
async fn the_answer_comes_within_a_second() {
    let world = World::new().await;
    let mut function = world.function(&SETTINGS);
    for name in ["create-web", "create-group", "update-unrelated"] {
        let start = Instant::now();
        word(&mut function, &request(name));
        // On an idle machine it takes a few milliseconds, and the cold start some more.
        assert!(start.elapsed() < Duration::from_secs(1), "{name}: {:?}", start.elapsed());
    }
}
