//! Secrets in an event, which must not be in any output.

use serde_json::{Value, json};

use super::laws::seen::assert_inert;
use super::output::{Output, settings};
use super::{ec2_with, group, open_ssh, samples};

const SECRET: &str = "IQoJb3JpZ2luX2VjEXAMPLE";
const KEY: &str = "AKIAIOSFODNN7EXAMPLE";

/// Names that AWS gives to members with secrets in them.
const NAMES: [&str; 10] = [
    "sessionToken",
    "secretAccessKey",
    "password",
    "masterUserPassword",
    "externalId",
    "environment",
    "authorization",
    "x-amz-security-token",
    "userData",
    "SecretString",
];

fn plant(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(plant);
            for name in NAMES {
                let secret = match name {
                    "environment" => json!({ "variables": { "DB_PASSWORD": SECRET } }),
                    _ => json!(SECRET),
                };
                members.entry(name).or_insert(secret);
            }
            if let Some(key) = members.get_mut("accessKeyId") {
                *key = json!(KEY);
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(plant),
        _ => {}
    }
}

fn output(payload: &[u8]) -> Output {
    Output::of(&ec2_with(group(), Vec::new()), &settings(), payload)
}

fn assert_no_secret(text: &str) {
    for secret in [SECRET, KEY, "ASIATYPO3ADM7EXAMPLE"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

#[test]
fn secrets_of_an_event_are_in_no_output() {
    for (name, mut sample) in samples() {
        plant(&mut sample);
        let text = output(sample.to_string().as_bytes()).all();
        assert!(!text.is_empty(), "{name}");
        assert_no_secret(&text);
    }
}

/// The finding says that the event cannot be read, and does not quote it.
#[test]
fn secrets_of_an_unreadable_event_are_in_no_output() {
    let mut sample = open_ssh();
    plant(&mut sample);
    let whole = sample.to_string();
    let breaks = [
        whole[..whole.len() - 1].to_owned(),
        whole.replace(':', "="),
        whole.replace("\"eventName\"", "\"eventname?\""),
        format!("\"{SECRET}\" {whole}"),
        format!("[{SECRET}]"),
        json!({ "sweep": { SECRET: SECRET } }).to_string().replace(SECRET, KEY),
        json!({ "sweep": { "accounts": [KEY] } }).to_string(),
        json!({ "detail": SECRET }).to_string(),
        json!({ "body": whole[..1000] }).to_string(),
    ];
    for payload in breaks {
        let text = output(payload.as_bytes()).all();
        assert!(text.contains("\"findings\""), "{payload}");
        assert_no_secret(&text);
    }
}

/// A caller can write the id of its key into many members.
#[test]
fn access_key_ids_are_shortened_in_every_output() {
    let of_call = ["/detail/userAgent", "/detail/sourceIPAddress", "/detail/userIdentity/arn"];
    let of_code = ["/detail/eventName", "/detail/errorCode", "/detail/eventID"];
    let of_rule = [
        "/detail/requestParameters/ipPermissions/items/0/ipProtocol",
        "/detail/requestParameters/ipPermissions/items/0/ipRanges/items/0/cidrIp",
        "/detail/responseElements/securityGroupRuleSet/items/0/groupId",
        "/detail/awsRegion",
        "/detail/recipientAccountId",
    ];
    for place in of_call.iter().chain(&of_code).chain(&of_rule) {
        let mut event = open_ssh();
        event["detail"]["errorCode"] = json!(null);
        *event.pointer_mut(place).unwrap() = json!(format!("x/{KEY}"));
        let text = output(event.to_string().as_bytes()).all();
        assert_no_secret(&text);
        if of_call.contains(place) {
            assert!(text.contains("x/AKIA...MPLE"), "{place}: {text}");
        }
    }
    let mut other = open_ssh();
    other["detail"]["requestParameters"]["ipPermissions"]["items"][0][KEY] = json!(1);
    assert_no_secret(&output(other.to_string().as_bytes()).all());
}

/// A person gets enough of it to find the event, and no more.
#[test]
fn an_unreadable_text_is_cut_short() {
    let long = "<b>\u{202e}".repeat(500_000);
    for payload in [
        json!({ "detail": { "eventName": long, "requestParameters": { "groupId": long } } }),
        json!({ "detail-type": long, "source": "aws.x", "detail": { "x": 1 } }),
        json!({ "sweep": { "accounts": [long] } }),
        json!({ "sweep": { long.as_str(): 1 } }),
        json!(long),
    ] {
        let output = output(payload.to_string().as_bytes());
        assert!(output.all().len() < 256 * 1024, "{} bytes of output", output.all().len());
        for mail in output.mails() {
            assert_inert(&mail);
            assert!(mail.len() < 24 * 1024, "a mail of {} bytes", mail.len());
        }
    }
}
