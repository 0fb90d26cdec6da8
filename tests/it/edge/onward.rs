//! The function's invocation of itself.

use typo3_sg_auditor::audit::Onward;
use typo3_sg_auditor::aws::AwsOnward;
use typo3_sg_auditor::event::{Resume, Schedule};

use super::config;
use crate::support::endpoint::Answer;
use crate::support::world::{MEMBER, World};

fn rest() -> Schedule {
    let page = Some("a \"token\"".to_owned());
    let resume = Resume { depth: 2, places_done: 1, page, ..Resume::default() };
    Schedule { accounts: vec![MEMBER.to_owned()], resume, ..Schedule::default() }
}

#[tokio::test]
async fn the_rest_goes_to_the_function_itself_and_is_not_waited_for() {
    let world = World::new().await;
    let onward = AwsOnward::new(&config(&world).await, "typo3-sg-auditor");
    onward.go_on(&rest().to_payload()).await.expect("handed on");
    let calls = world.calls();
    let [call] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!(call.action, "Invoke");
    assert_eq!(call.fields["FunctionName"], "typo3-sg-auditor");
    assert_eq!(call.fields["InvocationType"], "Event");
    let payload: serde_json::Value = serde_json::from_str(&call.fields["Payload"]).expect("JSON");
    assert_eq!(payload, rest().to_payload());
}

#[tokio::test]
async fn what_cannot_be_handed_on_is_said() {
    let world = World::new().await;
    let onward = AwsOnward::new(&config(&world).await, "typo3-sg-auditor");
    world.answer(|_| Answer::Error(403, "AccessDeniedException", "not authorized to perform"));
    let error = onward.go_on(&rest().to_payload()).await.expect_err("refused").to_string();
    assert!(error.contains("AccessDeniedException"), "{error}");
}
