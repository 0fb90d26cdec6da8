//! Every wrapper in which an event is known to arrive.

use serde_json::{Value, json};

use super::{AUTHORIZE, OPEN_SSH, event, lines, lines_of, open_ssh, record};

#[test]
fn events_are_found_in_every_wrapper() {
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
        json!({"detail": [open_ssh()]}),
        json!({"detail": [text(&open_ssh())]}),
        json!({"detail": open_ssh(), "Records": [], "body": "x", "Message": "x", "Type": "x"}),
        json!({"detail": {}, "Records": [open_ssh()]}),
        json!({"detail-type": "AWS API Call via CloudTrail", "detail": text(&open_ssh())}),
        json!({
            "detail-type": "x", "account": 123_456_789_012_i64, "time": "...", "region": "", "detail": open_ssh(),
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
    let mut other = open_ssh();
    other["eventID"] = json!("another");
    let two =
        json!({"Records": [{"body": text(&envelope)}, {"body": "?"}, {"body": text(&other)}]});
    let error = "undecodable: the SQS message is not JSON: expected value at line 1 column 1";
    assert_eq!(lines_of(&two), [OPEN_SSH, error, OPEN_SSH]);
}

/// In base64, as binary data is put into messages; whole or cut short.
#[test]
fn compressed_messages_say_what_they_are_and_take_no_others_with_them() {
    let whole = "H4sIAAAAAAACA6tWSkksSVSyUqiuBQCJ2mL/DQAAAA==";
    for packed in [whole, &whole[..20], "H4sI"] {
        let both = json!({"Records": [{"body": packed}, {"body": open_ssh().to_string()}]});
        let error = "undecodable: the SQS message is compressed with gzip: send it as plain JSON";
        assert_eq!(lines_of(&both), [error, OPEN_SSH]);
        let notified = json!({"Records": [{"Sns": {"Message": packed}}]});
        let error = "undecodable: the SNS message is compressed with gzip: send it as plain JSON";
        assert_eq!(lines_of(&notified), [error]);
    }
}

#[test]
fn payloads_that_are_not_events() {
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
        ("{}", "the event is not a CloudTrail record and names no group"),
        (r#"{"detail": 7}"#, "the `detail` of the event is not an object"),
        (r#"{"detail": []}"#, "the `detail` of the event is not an object"),
        (
            r#"{"detail": "x"}"#,
            "the `detail` of the event is not JSON: expected value at line 1 column 1",
        ),
    ];
    for (text, reason) in broken {
        assert_eq!(lines(text.as_bytes()), [format!("undecodable: {reason}")], "{text}");
    }
    assert!(lines("[".repeat(100).as_bytes())[0].contains("not JSON"));
    let lists = format!("{}{}", "[".repeat(100), "]".repeat(100));
    assert_eq!(lines(lists.as_bytes()), ["undecodable: the event is wrapped more than 16 times"]);
}

/// A call whose group has an id of full length, and what the call did.
fn revoke() -> (Value, &'static str) {
    let request = json!({"groupId": "sg-0123456789abcdef0"});
    let event = record("RevokeSecurityGroupIngress", request, Value::Null);
    (event, "sg-0123456789abcdef0: ingress revoked")
}

/// The line for the group of [`revoke`] in something that is not JSON.
fn unknown(error: &str) -> String {
    format!("sg-0123456789abcdef0: unknown: the event is not JSON: {error}")
}

#[test]
fn several_documents_one_after_another_are_read() {
    let (revoke, revoked) = revoke();
    let lines_of_json = format!("{}\n{revoke}\r\n\n", open_ssh());
    assert_eq!(lines(lines_of_json.as_bytes()), [OPEN_SSH, revoked]);
    assert_eq!(lines(format!("{}{revoke}", open_ssh()).as_bytes()), [OPEN_SSH, revoked]);
    let body = json!({"Records": [{"body": lines_of_json}]});
    assert_eq!(lines_of(&body), [OPEN_SSH, revoked]);
}

#[test]
fn groups_are_found_in_a_text_that_is_not_json() {
    let (event, revoked) = revoke();
    let whole = event.to_string();
    // The rest after a record that could be read does not name its group again.
    assert_eq!(
        lines(format!("{whole}}}").as_bytes()),
        [
            revoked.to_owned(),
            format!(
                "undecodable: the event is not JSON: expected value at line 1 column {}",
                whole.len() + 1
            ),
        ]
    );
    assert_eq!(
        lines(format!("{}\n{{{whole}", open_ssh()).as_bytes()),
        [OPEN_SSH.to_owned(), unknown("key must be a string at line 2 column 2")]
    );
    let cut = &whole[..whole.len() - 1];
    let error = format!("EOF while parsing an object at line 1 column {}", cut.len());
    assert_eq!(lines(cut.as_bytes()), [unknown(&error)]);
    let deep = format!("{}{whole}{}", "[".repeat(200), "]".repeat(200));
    let error = "recursion limit exceeded at line 1 column 128";
    assert_eq!(lines(deep.as_bytes()), [unknown(error)]);
    let surrogate = whole.replace("aws-cli", "\\ud800");
    assert!(lines(surrogate.as_bytes())[0].starts_with(&unknown("")), "{surrogate}");
}

#[test]
fn groups_are_found_in_a_detail_that_is_not_json() {
    let payload = json!({
        "account": "123456789012", "region": "eu-central-1", "detail": "{sg-0123456789abcdef0}",
    });
    assert!(lines_of(&payload)[0].starts_with("sg-0123456789abcdef0: unknown: "));
    let record = event(&payload).record;
    assert_eq!(record.account.unwrap().as_str(), "123456789012");
    assert_eq!(record.region.unwrap().as_str(), "eu-central-1");
}

#[test]
fn only_whole_ids_count_in_a_text_that_is_not_json() {
    let named = |text: &str| {
        let ids = lines(text.as_bytes())
            .into_iter()
            .filter_map(|line| line.split_once(": unknown").map(|(id, _)| id.to_owned()));
        ids.collect::<Vec<_>>()
    };
    assert_eq!(named("sg-01234567, sg-0123456789abcdef0"), ["sg-01234567", "sg-0123456789abcdef0"]);
    assert_eq!(named("'sg-01234567' and 'sg-01234567'"), ["sg-01234567"]);
    // The first half of a longer word would be another group.
    assert_eq!(named("{sg-0123456789abcEXAMPLE, sg-0123456789abcdef01}"), [""; 0]);
    for none in ["sg-0123456!", "sgr-0123456789abcdef0", "sg-ABCDEF01!", "sg-ü", "sg-"] {
        assert_eq!(named(none), [""; 0], "{none}");
    }
    // It may be the first half of an id.
    assert_eq!(named("{sg-0123456789abc"), [""; 0]);

    let many: Vec<String> = (0..25).map(|number| format!("sg-{number:017}")).collect();
    let many = lines(many.join(" ").as_bytes());
    assert_eq!(many.len(), 21);
    assert_eq!(
        many[20],
        "undecodable: the event is not JSON: expected value at line 1 column 1; it names 5 more \
         groups than are audited for it"
    );
}

#[test]
fn utf_16_is_read() {
    let units = |unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("\u{feff}{}", open_ssh()).encode_utf16().flat_map(unit).collect()
    };
    assert_eq!(lines(&units(u16::to_le_bytes)), [OPEN_SSH]);
    assert_eq!(lines(&units(u16::to_be_bytes)), [OPEN_SSH]);
}

#[test]
fn equal_events_are_reported_once() {
    let (revoke, revoked) = revoke();
    let unreadable = vec![json!({"body": "?"}); 5000];
    let mut records = unreadable.clone();
    records.extend([revoke.clone(), json!(7), revoke.clone()]);
    records.extend(unreadable);
    let error = "undecodable: the SQS message is not JSON: expected value at line 1 column 1";
    let other = "undecodable: 3 more records are in the event than can be read at once";
    assert_eq!(
        lines_of(&json!({"Records": records})),
        [
            &format!("{error} (9997 times)"),
            revoked,
            "undecodable: the event is not an object",
            other,
        ]
    );

    // Another record of the same call is another event.
    let mut again = revoke.clone();
    again["eventID"] = json!("another");
    assert_eq!(lines_of(&json!([revoke, again])), [revoked, revoked]);
    let rule = |id: &str| json!({"groupId": "sg-1", "securityGroupRuleId": id});
    let unknown = "sg-1: unknown: the event does not say which call it is";
    assert_eq!(lines_of(&json!([rule("sgr-1"), rule("sgr-2")])), [unknown]);
}
