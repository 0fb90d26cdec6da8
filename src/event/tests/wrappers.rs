//! Every way in which an event is known to arrive.

use serde_json::{Value, json};

use super::{AUTHORIZE, OPEN_SSH, lines, lines_of, open_ssh};

#[test]
fn wrappers() {
    let text = |value: &Value| json!(value.to_string());
    let envelope = json!({
        "detail-type": "AWS API Call via CloudTrail", "source": "aws.ec2", "detail": open_ssh(),
    });
    let sns = |message: Value| {
        let record = json!({"EventSource": "aws:sns", "Sns": {"Message": message}});
        json!({"Records": [record]})
    };
    let sqs = |body: Value| {
        let message = json!({"messageId": "1", "eventSource": "aws:sqs", "body": body});
        json!({"Records": [message]})
    };
    let notification =
        json!({"Type": "Notification", "MessageId": "1", "Message": text(&envelope)});
    let failed = json!({
        "version": "1.0", "requestContext": {}, "requestPayload": envelope, "responsePayload": {},
    });
    let failed_on_a_bus = json!({
        "detail-type": "Lambda Function Invocation Result - Failure",
        "source": "lambda", "detail": failed,
    });
    let item = json!({
        "EventName": AUTHORIZE,
        "EventTime": 1_773_303_074,
        "CloudTrailEvent": text(&open_ssh()),
    });
    let wrapped = [
        open_ssh(),
        envelope.clone(),
        json!({"detail": open_ssh()}),
        json!({"detail-type": "AWS API Call via CloudTrail", "detail": text(&open_ssh())}),
        json!({
            "detail-type": "x", "account": 12345, "time": "...", "region": "", "detail": open_ssh(),
        }),
        json!({"eventName": AUTHORIZE, "detail": open_ssh()}),
        json!([envelope]),
        text(&envelope),
        json!({"Records": [open_ssh()]}),
        json!({"Records": open_ssh()}),
        sns(text(&envelope)),
        sns(envelope.clone()),
        sqs(text(&envelope)),
        sqs(envelope.clone()),
        json!([{"messageId": "1", "body": text(&envelope)}]),
        sqs(text(&notification)),
        sqs(text(&sns(text(&envelope)))),
        failed.clone(),
        sqs(text(&failed)),
        sns(text(&failed)),
        failed_on_a_bus,
        json!({"requestPayload": sqs(text(&notification)), "responsePayload": null}),
        json!({"requestPayload": text(&envelope)}),
        item.clone(),
        json!({"Events": [item], "NextToken": "x"}),
    ];
    for event in wrapped {
        assert_eq!(lines_of(&event), [OPEN_SSH], "{event}");
    }
    let two =
        json!({"Records": [{"body": text(&envelope)}, {"body": "?"}, {"body": text(&envelope)}]});
    let error = "undecodable: the SQS message is not JSON: expected value at line 1 column 1";
    assert_eq!(lines_of(&two), [OPEN_SSH, error, OPEN_SSH]);
}

#[test]
fn bytes() {
    let mut marked = b"\xef\xbb\xbf ".to_vec();
    marked.extend(open_ssh().to_string().bytes());
    assert_eq!(lines(&marked), [OPEN_SSH]);

    let text = open_ssh().to_string();
    let (before, after) = text.split_once("aws-cli").unwrap();
    let latin1 = [before.as_bytes(), b"\xfc", after.as_bytes()].concat();
    assert_eq!(lines(&latin1), [OPEN_SSH]);

    let broken = [
        ("", "the event is not JSON: EOF while parsing a value at line 1 column 0"),
        ("null", "the event is empty"),
        ("7", "the event is not an object"),
        ("[]", "the event is an empty list"),
        (r#"{"Records": []}"#, "the event is an empty list"),
        ("{}", "the event is no CloudTrail record, and names no group"),
        (r#"{"detail": 7}"#, "the `detail` of the event is not an object"),
        (r#"{"detail": "x"}"#, "the `detail` of the event is not an object"),
        (
            r#"{"detail-type": "Scheduled Event", "detail": {}}"#,
            "a scheduled event asks for a sweep, which this version does not have",
        ),
    ];
    for (text, reason) in broken {
        assert_eq!(lines(text.as_bytes()), [format!("undecodable: {reason}")], "{text}");
    }
    assert!(lines("[".repeat(100).as_bytes())[0].contains("not JSON"));
    let lists = format!("{}{}", "[".repeat(100), "]".repeat(100));
    assert_eq!(lines(lists.as_bytes()), ["undecodable: the event is wrapped more than 16 times"]);
}
