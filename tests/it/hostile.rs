//! Input from an attacker: what the function logs and publishes, what the command line prints, and which calls are made.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ec2::config::Credentials;
use chrono::NaiveDate;
use serde_json::{Value, json};
use typo3_sg_auditor::aws::AwsEc2;
use typo3_sg_auditor::ec2::{Ec2Error, Place, SecurityGroups};
use typo3_sg_auditor::settings::FunctionSettings;
use typo3_sg_auditor::text::causes;

use crate::reverts::REVERT;
use crate::support::permission::tcp;
use crate::support::runtime_api::Process;
use crate::support::sg_audit::{repository, sg_audit_with};
use crate::support::world::{ACCOUNT, Direction::Ingress, MEMBER, REGION, World};
use seen::{assert_ascii, assert_inert};

/// Which characters are invisible, by Unicode's own tables.
#[path = "../../fuzz/laws/seen.rs"]
mod seen;

const HOSTILE: &str = "\u{1b}[2J\u{9b}31m\u{202e}\u{200b}\u{e0041}\r\n{\"level\":\"INFO\"}\u{85}\u{2028}Zzmark <b>`id`";
const KEY: &str = "AKIAIOSFODNN7EXAMPLE";

/// The event with hostile text in every member that a caller controls.
fn hostile(mut event: Value) -> Value {
    let detail = &mut event["detail"];
    for member in ["userAgent", "sourceIPAddress", "eventID"] {
        detail[member] = json!(format!("{HOSTILE}{KEY}"));
    }
    detail["userIdentity"] = json!({
        "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/x/{HOSTILE}{KEY}"),
        "accessKeyId": KEY,
        "sessionContext": { "sessionToken": "IQoJb3JpZ2luX2VjEXAMPLE" },
    });
    event
}

#[tokio::test]
async fn the_functions_log_and_messages_are_inert() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    let mut function = world.function(&REVERT);
    let answer = function.invoke(&hostile(event.clone()));
    assert_eq!(answer.error_type(), None, "{:#}", answer.body);
    let ingress = world.ingress(&group).await;
    let is_kept = |rule: &String| rule.starts_with("ingress tcp 22-22 203.0.113.0/24 ");
    assert!(ingress.iter().all(is_kept), "{ingress:?}");
    // A call with such a name is unknown. The error code of a failed call is logged.
    let mut unknown = hostile(event.clone());
    unknown["detail"]["eventName"] = json!(format!("x{HOSTILE}{KEY}"));
    function.invoke(&unknown);
    let mut failed = hostile(event);
    failed["detail"]["errorCode"] = json!(format!("Client.{HOSTILE}{KEY}"));
    function.invoke(&failed);
    function.log_line(|line| line.contains("the call failed"));

    let log: Vec<String> =
        function.log().into_iter().filter(|line| line.starts_with("{\"timestamp\"")).collect();
    assert!(
        log.iter().any(|line| line.contains("\\u202e") && line.contains("\\u009b")),
        "{log:#?}"
    );
    for line in &log {
        assert_ascii(line);
        serde_json::from_str::<Value>(line).expect("JSON");
    }
    let messages = world.messages().await;
    assert!(!messages.is_empty());
    let told = format!("{log:?}{messages:?}");
    for secret in [KEY, "IQoJb3JpZ2luX2VjEXAMPLE"] {
        assert!(!told.contains(secret), "{told}");
    }
    assert!(told.contains("AKIA...MPLE"));
}

#[test]
fn the_output_of_the_command_line_is_inert() {
    let sample = include_str!("../../events/authorize-open-ssh.json");
    let mut by_name: Value =
        serde_json::from_str(include_str!("../../events/by-group-name.json")).unwrap();
    by_name["detail"]["requestParameters"]["groupName"] = json!(HOSTILE);
    let mut odd: Value = serde_json::from_str(sample).unwrap();
    odd["detail"]["requestParameters"]["groupId"] = json!(HOSTILE);
    odd["detail"]["responseElements"] = json!(null);
    for event in [hostile(serde_json::from_str(sample).unwrap()), by_name, odd, json!(HOSTILE)] {
        for format in ["text", "json"] {
            let ran =
                sg_audit_with(&["invoke", "--format", format, "-"], event.to_string().as_bytes());
            assert_inert(&ran.out);
            assert_inert(&ran.err);
            assert!(!ran.out.is_empty() || ran.status == 2, "{}", ran.err);
            assert!(!ran.out.contains(KEY) && !ran.err.contains(KEY), "{}{}", ran.out, ran.err);
            let forged = |line: &str| line.trim_start().starts_with("Zzmark");
            assert!(!ran.out.lines().chain(ran.err.lines()).any(forged), "{}", ran.out);
        }
    }
}

/// Payloads as large as Lambda takes, of the kinds that need the most memory when parsed.
#[tokio::test]
async fn the_largest_payloads_leave_memory_to_spare() {
    const MOST: usize = 6_000_000;
    let template = std::fs::read_to_string(repository().join("template.yaml")).expect("UTF-8");
    let (_, size) = template.split_once("\n      MemorySize: ").expect("the function's memory");
    let size: u64 = size.lines().next().and_then(|size| size.parse().ok()).expect("megabytes");
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    let url = world.endpoint_url();
    let mut function = Process::start(&world.variables(&url, &REVERT));
    function.asks();
    let at_start = function.most_memory();

    let many = |text: &str| text.repeat(MOST / text.len());
    let mut record =
        world.authorize(&group, Ingress, &[tcp(443, 443).from("0.0.0.0/0")]).await["detail"].take();
    let records = (0..MOST / record.to_string().len()).map(|number| {
        record["eventID"] = json!(format!("change {number}"));
        record.clone()
    });
    let records = json!({ "Records": records.collect::<Vec<_>>() }).to_string();
    let payloads = [
        ("maps", format!("[{}0]", many("{\"a\":0},"))),
        ("lists", format!("[{}0]", many("[0],"))),
        ("texts", format!("[{}0]", many("\"a\","))),
        ("numbers", format!("[{}0]", many("0,"))),
        ("a text in a text", json!(format!("[{}0]", "{\"a\":0},".repeat(150_000))).to_string()),
        ("a long text", json!("x".repeat(MOST)).to_string()),
        ("not JSON", many("sg-0a1b2c3d4e5f67890 ")),
        ("records", records),
    ];
    for (name, payload) in payloads {
        let answer = function.invoke_bytes(payload.as_bytes());
        assert!(answer["outcome"].is_string() || answer["errorType"].is_string(), "{answer:#}");
        let most = function.most_memory();
        // How much Lambda itself needs is not known, so a quarter is left.
        assert!(
            most < size * (1 << 20) / 4 * 3,
            "{name}: {most} bytes, and {at_start} at the start"
        );
    }
    let answer = function.invoke(&event);
    assert_eq!(answer["outcome"], "noncompliant", "it still audits: {answer:#}");
}

/// The URL of a server that answers every request with `body`.
fn server(body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut reader = BufReader::new(client.try_clone().expect("the connection"));
            let mut length = 0;
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a length");
                }
                line.clear();
            }
            let mut request = vec![0; length];
            reader.read_exact(&mut request).expect("the request");
            write!(
                client,
                "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            )
            .expect("the answer");
        }
    });
    url
}

async fn ec2(url: &str) -> AwsEc2 {
    let config: SdkConfig = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(url)
        .region(Region::from_static(REGION))
        .credentials_provider(Credentials::new(
            "AKIAEXAMPLEEXAMPLE02",
            "own-secret",
            None,
            None,
            "tests",
        ))
        .retry_config(RetryConfig::disabled())
        .load()
        .await;
    let lookup = |name: &str| match name {
        "TOPIC_ARN" => Some(format!("arn:aws:sns:{REGION}:{ACCOUNT}:findings")),
        "MEMBER_ROLE_NAME" => Some("auditor".to_owned()),
        "MEMBER_EXTERNAL_ID" => Some("external-secret".to_owned()),
        _ => None,
    };
    let today = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
    AwsEc2::of_function(config, &FunctionSettings::from_env(lookup, today).expect("settings"))
}

fn place(account: &str, region: &str) -> Place {
    Place { account: Some(account.parse().unwrap()), region: Some(region.parse().unwrap()) }
}

/// STS answers with credentials. If the answer cannot be read, the error must not contain them.
#[tokio::test]
async fn an_error_contains_no_credentials() {
    let ends = [
        "</Sess",
        "</SessionToken><Expiration>never</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
    ];
    for end in ends {
        let url = server(format!(
            "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId>\
             <SecretAccessKey>member-secret</SecretAccessKey><SessionToken>member-token{end}"
        ));
        let ec2 = ec2(&url).await;
        for account in [ACCOUNT, MEMBER] {
            let error = ec2.held_rules(&place(account, REGION)).await.expect_err("no answer");
            assert!(matches!(error, Ec2Error::Passing { .. }), "{error:?}");
            let message = format!("{} {error:?}", causes(&error));
            assert!(message.len() > 8, "{message}");
            for secret in [
                "member-secret",
                "member-token",
                "ASIAIOSFODNN7EXAMPLE",
                "own-secret",
                "external-secret",
            ] {
                assert!(!message.contains(secret), "{message}");
            }
        }
    }
}

/// Requests are signed with the function's credentials, so an event cannot choose the host or the role.
#[tokio::test]
async fn no_call_is_made_for_a_made_up_region_or_account() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    let regions = [
        "x.evil.example",
        "evil.example/",
        "evil.example#",
        "u@evil.example",
        "eu-central-1.evil.example",
        "s3-us-west-2",
        "eu-central-1:443",
        "EU-CENTRAL-1",
    ];
    let accounts = ["210987654321/../x", "*", "21098765432", "arn:aws:iam::1:role/x"];
    let mut payloads = Vec::new();
    for region in regions {
        let mut change = event.clone();
        change["detail"]["awsRegion"] = region.into();
        payloads.push(change);
        payloads.push(json!({"sweep": {"regions": [region]}}));
    }
    for account in accounts {
        payloads.push(json!({"sweep": {"accounts": [account]}}));
    }
    let mut function = world.function(&[&REVERT[..], &[("MEMBER_ROLE_NAME", "auditor")]].concat());
    for payload in payloads {
        let report = world.report(&mut function, &payload);
        assert_eq!(report["findings"][0]["code"], "unaudited-change", "{report:#}");
    }
    let calls = world.calls();
    assert!(calls.iter().all(|call| call.action == "Publish"), "{calls:#?}");
}
