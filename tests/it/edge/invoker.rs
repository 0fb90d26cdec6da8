//! The function's invocation of itself.

use serde_json::Value;
use typo3_sg_auditor::audit::Invoker;
use typo3_sg_auditor::aws::LambdaInvoker;
use typo3_sg_auditor::event::{Job, Record, Resume, Sweep};
use typo3_sg_auditor::text::causes;

use super::config;
use crate::support::endpoint::Answer;
use crate::support::world::{MEMBER, World};

/// The payload for the rest of a sweep.
fn rest() -> Value {
    let page = Some("a \"token\"".to_owned());
    let resume = Resume { places_done: 1, page, ..Resume::default() };
    let accounts = vec![MEMBER.parse().unwrap()];
    let message = Job::Sweep(Sweep { accounts, resume, ..Sweep::default() });
    let payloads = message.to_payloads(&Record::default(), 2);
    let [(payload, 0)] = &payloads[..] else { panic!("{payloads:?}") };
    payload.clone()
}

#[tokio::test]
async fn the_function_invokes_itself_for_the_rest_and_does_not_wait() {
    let world = World::new().await;
    let invoker = LambdaInvoker::new(&config(&world).await, "typo3-sg-auditor");
    invoker.invoke(&rest()).await.expect("handed on");
    let calls = world.calls();
    let [call] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!(call.action, "Invoke");
    assert_eq!(call.fields["FunctionName"], "typo3-sg-auditor");
    assert_eq!(call.fields["InvocationType"], "Event");
    let payload: Value = serde_json::from_str(&call.fields["Payload"]).expect("JSON");
    assert_eq!(payload, rest());
}

#[tokio::test]
async fn an_invocation_that_is_refused_is_an_error_with_its_cause() {
    let world = World::new().await;
    let invoker = LambdaInvoker::new(&config(&world).await, "typo3-sg-auditor");
    for (status, code, is_transient) in [
        (403, "AccessDeniedException", false),
        (400, "RecursiveInvocationException", false),
        (413, "RequestTooLargeException", false),
        (403, "ExpiredTokenException", true),
        (429, "TooManyRequestsException", true),
        (500, "ServiceException", true),
    ] {
        world.answer(move |_| Answer::Error(status, code, "not authorized to perform"));
        let error = invoker.invoke(&rest()).await.expect_err("refused");
        assert_eq!(error.is_transient, is_transient, "{code}");
        let error = causes(&error);
        assert!(error.contains(code), "{error}");
    }
    // What gave no answer may give one.
    world.answer(|_| Answer::Reset);
    assert!(invoker.invoke(&rest()).await.expect_err("no answer").is_transient);
}
