//! What must not be told to anybody, wherever it is in an event.

use serde_json::{Value, json};

use super::laws::seen::assert_inert;
use super::told::{Told, home, settings};
use super::{open_ssh, samples};
use crate::audit::Group;
use crate::baseline::Lists;
use crate::memory::MemoryEc2;

const SECRET: &str = "IQoJb3JpZ2luX2VjEXAMPLE";
const KEY: &str = "AKIAIOSFODNN7EXAMPLE";

/// Members with secrets in them, by the names that AWS gives them.
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

fn told(payload: &[u8]) -> String {
    let group = Group { id: "sg-0a1b2c3d4e5f67890".to_owned(), ..Group::default() };
    let ec2 = MemoryEc2::new([(home(), group, Vec::new())], Lists::new());
    Told::of(&ec2, &settings(), payload).all()
}

fn assert_secret(told: &str) {
    for secret in [SECRET, KEY, "ASIATYPO3ADM7EXAMPLE"] {
        assert!(!told.contains(secret), "{secret} is in {told}");
    }
}

#[test]
fn secrets_of_an_event_are_told_to_nobody() {
    for (name, mut sample) in samples() {
        plant(&mut sample);
        let told = told(sample.to_string().as_bytes());
        assert!(!told.is_empty(), "{name}");
        assert_secret(&told);
    }
}

/// What cannot be read is told of, and not told.
#[test]
fn secrets_of_what_cannot_be_read_are_told_to_nobody() {
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
        let told = told(payload.as_bytes());
        assert!(told.contains("\"findings\""), "{payload}");
        assert_secret(&told);
    }
}

/// A caller writes its key's id where it likes.
#[test]
fn ids_of_keys_are_shortened_in_whatever_is_told() {
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
        let told = told(event.to_string().as_bytes());
        assert_secret(&told);
        if of_call.contains(place) {
            assert!(told.contains("x/AKIA...MPLE"), "{place}: {told}");
        }
    }
    let mut other = open_ssh();
    other["detail"]["requestParameters"]["ipPermissions"]["items"][0][KEY] = json!(1);
    assert_secret(&told(other.to_string().as_bytes()));
}

/// As much of it as a person needs to find it, and no more.
#[test]
fn what_cannot_be_read_is_quoted_shortly() {
    let long = "<b>\u{202e}".repeat(500_000);
    for payload in [
        json!({ "detail": { "eventName": long, "requestParameters": { "groupId": long } } }),
        json!({ "detail-type": long, "source": "aws.x", "detail": { "x": 1 } }),
        json!({ "sweep": { "accounts": [long] } }),
        json!({ "sweep": { long.as_str(): 1 } }),
        json!(long),
    ] {
        let group = Group { id: "sg-0a1b2c3d4e5f67890".to_owned(), ..Group::default() };
        let ec2 = MemoryEc2::new([(home(), group, Vec::new())], Lists::new());
        let told = Told::of(&ec2, &settings(), payload.to_string().as_bytes());
        assert!(told.all().len() < 256 * 1024, "{} bytes are told", told.all().len());
        told.mails().iter().for_each(|mail| assert_inert(mail));
        for mail in told.mails() {
            assert!(mail.len() < 24 * 1024, "a mail of {} bytes", mail.len());
        }
    }
}
