//! `sg-audit history --live`: past calls as CloudTrail tells them, held against the groups as they are now.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Person, only_read};
use crate::support::by_hand::{PagedCloudTrail, Request};
use crate::support::endpoint::Answer;
use crate::support::ministack;
use crate::support::permission::tcp;
use crate::support::sg_audit::Ran;
use crate::support::venv;
use crate::support::world::{ACCOUNT, Direction::Ingress, FAR, REGION, World};

const JSON: [&str; 4] = ["history", "--live", "--format", "json"];
const ALICE: &str = "arn:aws:iam::123456789012:user/alice";

fn before(days: i64) -> DateTime<Utc> {
    Utc::now() - TimeDelta::days(days)
}

/// A call on one port, for everybody.
fn record(region: &str, group: &str, name: &str, days: i64, port: u16) -> Value {
    json!({
        "eventVersion": "1.11", "eventSource": "ec2.amazonaws.com", "eventName": name,
        "eventID": format!("{name}-{group}-{port}-{days}"),
        "eventTime": before(days).to_rfc3339_opts(SecondsFormat::Secs, true),
        "awsRegion": region, "recipientAccountId": ACCOUNT, "sourceIPAddress": "198.51.100.7",
        "userIdentity": { "type": "IAMUser", "arn": ALICE, "accountId": ACCOUNT },
        "requestParameters": { "groupId": group, "ipProtocol": "tcp", "fromPort": port, "toPort": port,
            "cidrIp": "0.0.0.0/0" },
        "responseElements": { "_return": true },
    })
}

fn opened(region: &str, group: &str, days: i64, port: u16) -> Value {
    record(region, group, "AuthorizeSecurityGroupIngress", days, port)
}

fn closed(region: &str, group: &str, days: i64, port: u16) -> Value {
    record(region, group, "RevokeSecurityGroupIngress", days, port)
}

fn tells(person: &Person, trail: &PagedCloudTrail, arguments: &[&str]) -> Ran {
    person.runs("shop", arguments, &[("AWS_ENDPOINT_URL_CLOUDTRAIL", &trail.url)])
}

fn history(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran}"))
}

/// Of a group: port, status, who opened and who closed it.
fn lives(history: &Value, group: &str) -> BTreeSet<(u64, String, Option<String>, Option<String>)> {
    let openings = history["openings"].as_array().expect("openings").iter();
    let who = |moment: &Value| moment["change"]["actor"].as_str().map(str::to_owned);
    openings
        .filter(|it| it["group"]["id"] == group)
        .map(|it| {
            let port = it["rule"]["from_port"].as_u64().expect("a port");
            let status = it["status"].as_str().expect("a status").to_owned();
            (port, status, who(&it["opened"]), who(&it["closed"]))
        })
        .collect()
}

fn life(
    port: u64,
    status: &str,
    opener: Option<&str>,
    closer: Option<&str>,
) -> (u64, String, Option<String>, Option<String>) {
    (port, status.to_owned(), opener.map(str::to_owned), closer.map(str::to_owned))
}

/// That no region got more than two calls within a second, and each call asked for what it may.
fn kept_to_the_limit(requests: &[Request]) {
    let mut by_region: BTreeMap<&str, Vec<&Request>> = BTreeMap::new();
    for request in requests {
        by_region.entry(&request.region).or_default().push(request);
        assert_eq!(request.input["MaxResults"], 50);
    }
    for (region, requests) in by_region {
        for three in requests.windows(3) {
            let took = three[2].at.duration_since(three[0].at);
            assert!(took >= Duration::from_secs(1), "{region}: three calls in {took:?}");
        }
    }
}

#[tokio::test]
async fn every_page_of_every_region_is_read_within_the_limit() {
    let world = World::new().await;
    let far = world.site(ACCOUNT, FAR).await;
    let (shop, away) = (world.group("typo3-past").await, far.group("typo3-away").await);
    // The last one is open without any record.
    world.authorize(&shop, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    world.authorize(&shop, Ingress, &[tcp(8443, 8443).from("0.0.0.0/0")]).await;
    let (id, gone) = (shop.id.as_str(), "sg-0123456789abcdef0");
    let records = [
        (REGION, opened(REGION, id, 5, 22)),
        (REGION, opened(REGION, id, 4, 3306)),
        (REGION, closed(REGION, id, 3, 3306)),
        (REGION, opened(REGION, id, 2, 443)),
        // Nothing tells that this rule was closed, and it is not there any more.
        (REGION, opened(REGION, id, 2, 5432)),
        // Its group is not there any more.
        (REGION, opened(REGION, gone, 20, 22)),
        (FAR, opened(FAR, &away.id, 9, 6379)),
        (FAR, closed(FAR, &away.id, 8, 6379)),
        // Before the time that is asked for.
        (FAR, opened(FAR, &away.id, 60, 9200)),
    ];
    let trail = PagedCloudTrail::new(&records, |_, _| None);
    let person = Person::new(&world);
    let regions = ["--days", "30", "--region", REGION, "--region", FAR];
    let ran = tells(&person, &trail, &[&JSON[..], &regions].concat());
    assert_eq!((ran.err.as_str(), ran.status), ("", 1), "{ran}");
    let history = history(&ran);
    let expected = BTreeSet::from([
        life(22, "open", Some(ALICE), None),
        life(3306, "closed", Some(ALICE), Some(ALICE)),
        life(5432, "closed", Some(ALICE), None),
        life(8443, "open", None, None),
    ]);
    assert_eq!(lives(&history, id), expected);
    assert_eq!(lives(&history, gone), [life(22, "closed", Some(ALICE), None)].into());
    assert_eq!(lives(&history, &away.id), [life(6379, "closed", Some(ALICE), Some(ALICE))].into());
    assert_eq!(
        (&history["compared_with_groups"], &history["partial"]),
        (&json!(true), &json!(false))
    );
    // All of the time was asked for, so there are no gaps, though days pass between two records.
    for place in history["coverage"].as_array().expect("coverage") {
        assert_eq!(place["gaps"], json!([]), "{place}");
        let first = place["first"].as_str().expect("a time");
        let first = DateTime::parse_from_rfc3339(first).expect("RFC 3339");
        assert!((before(30) - first.to_utc()).abs() < TimeDelta::minutes(5), "{place}");
    }
    only_read(&world);
    let requests = trail.requests();
    kept_to_the_limit(&requests);
    let regions: BTreeSet<&str> = requests.iter().map(|it| it.region.as_str()).collect();
    assert_eq!(regions, [REGION, FAR].into());
}

#[tokio::test]
async fn what_was_throttled_is_asked_for_again() {
    const HERE: &str = "il-central-1";
    let world = World::new().await;
    let group = world.site(ACCOUNT, HERE).await.group("typo3-throttled").await;
    let records = [(HERE, opened(HERE, &group.id, 5, 22)), (HERE, closed(HERE, &group.id, 4, 22))];
    let person = Person::new(&world);
    // Somebody else looks up events too: every other call is one too many.
    let busy = PagedCloudTrail::new(&records, |_, before| {
        (before.len() % 2 == 0).then_some("ThrottlingException")
    });
    let ran = tells(&person, &busy, &[&JSON[..], &["--region", HERE]].concat());
    assert_eq!((ran.err.as_str(), ran.status), ("", 0), "{ran}");
    assert_eq!(
        lives(&history(&ran), &group.id),
        [life(22, "closed", Some(ALICE), Some(ALICE))].into()
    );
    kept_to_the_limit(&busy.requests());

    let never = PagedCloudTrail::new(&records, |_, _| Some("ThrottlingException"));
    let ran = tells(&person, &never, &["history", "--live", "--region", HERE]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.out.contains("exit 2: not everything could be read"), "{ran}");
    let place = format!("account {ACCOUNT} in {HERE} was not read to the end: try it again");
    assert!(ran.err.contains(&place) && ran.err.contains("ThrottlingException"), "{ran}");
    let tries = never.requests();
    assert_eq!(tries.len(), 5);
    kept_to_the_limit(&tries);
}

#[tokio::test]
async fn a_missing_right_is_named_and_the_rest_is_told() {
    let world = World::new().await;
    let group = world.group("typo3-denied").await;
    let records = [(REGION, opened(REGION, &group.id, 5, 22))];
    let person = Person::new(&world);
    let trail = PagedCloudTrail::new(&records, |request, _| {
        (request.region == FAR).then_some("AccessDeniedException")
    });
    let regions = ["--region", REGION, "--region", FAR];
    let ran = tells(&person, &trail, &[&JSON[..], &regions].concat());
    assert_eq!(ran.status, 2, "{ran}");
    let wanted = format!(
        "you have no right to read account {ACCOUNT} in {FAR}: ask for `cloudtrail:LookupEvents`"
    );
    assert!(ran.err.contains(&wanted), "{ran}");
    let told = history(&ran);
    assert_eq!(told["partial"], true);
    assert_eq!(lives(&told, &group.id), [life(22, "closed", Some(ALICE), None)].into());
    // A refusal is no reason to ask again.
    assert_eq!(trail.requests().iter().filter(|request| request.region == FAR).count(), 1);

    world.answer(|call| match call.action.as_str() {
        "DescribeSecurityGroups" => Answer::Error(403, "UnauthorizedOperation", "No."),
        _ => Answer::Moto,
    });
    let ran = tells(&person, &trail, &JSON);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.err.contains("ask for `ec2:DescribeSecurityGroups`"), "{ran}");
    // Groups that could not be read are not taken to be gone.
    assert_eq!(lives(&history(&ran), &group.id), [life(22, "open", Some(ALICE), None)].into());

    world.answer(|call| match call.action.as_str() {
        "DescribeRegions" => Answer::Error(403, "UnauthorizedOperation", "No."),
        _ => Answer::Moto,
    });
    let ran = tells(&person, &trail, &["history", "--live", "--all-regions"]);
    assert_eq!((ran.out.as_str(), ran.status), ("", 2), "{ran}");
    assert!(ran.err.contains("ask for `ec2:DescribeRegions`"), "{ran}");
}

#[tokio::test]
async fn files_tell_what_is_older_and_what_is_in_both_counts_once() {
    let world = World::new().await;
    let group = world.group("typo3-files").await;
    world.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    let (old, new) = (opened(REGION, &group.id, 200, 3306), opened(REGION, &group.id, 5, 22));
    let closing = closed(REGION, &group.id, 6, 3306);
    let trail = PagedCloudTrail::new(&[(REGION, new.clone()), (REGION, closing)], |_, _| None);
    let person = Person::new(&world);
    let file = person.home.join("trail.json");
    fs::write(&file, json!({ "Records": [old, new] }).to_string()).expect("a file");
    let file = file.to_str().expect("UTF-8");
    let ran = tells(&person, &trail, &[&JSON[..], &[file]].concat());
    assert_eq!((ran.err.as_str(), ran.status), ("", 1), "{ran}");
    let history = history(&ran);
    let expected =
        [life(22, "open", Some(ALICE), None), life(3306, "closed", Some(ALICE), Some(ALICE))];
    assert_eq!(lives(&history, &group.id), expected.into());
    assert_eq!(history["records"]["repeated"], 1);
}

#[tokio::test]
async fn a_prefix_list_is_judged_by_what_it_holds() {
    const HERE: &str = "ca-west-1";
    let world = World::new().await;
    let site = world.site(ACCOUNT, HERE).await;
    let group = site.group("typo3-list").await;
    let office = site.prefix_list("office", &["203.0.113.0/24"]).await;
    let wide = site.prefix_list("wide", &["0.0.0.0/0"]).await;
    site.authorize(&group, Ingress, &[tcp(22, 22).from(&office)]).await;
    let mut past = opened(HERE, &group.id, 5, 22);
    past["requestParameters"] = json!({ "groupId": group.id, "ipPermissions": { "items": [{
        "ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
        "prefixListIds": { "items": [{ "prefixListId": wide }] },
    }] } });
    let trail = PagedCloudTrail::new(&[(HERE, past)], |_, _| None);
    let person = Person::new(&world);
    // The office is admitted because the baseline names its list, or because of what the list holds.
    for source in [office.as_str(), "203.0.113.0/24"] {
        let ran = tells(
            &person,
            &trail,
            &[&JSON[..], &["--region", HERE, "--ssh-source", source]].concat(),
        );
        assert_eq!((ran.err.as_str(), ran.status), ("", 0), "{ran}");
        let history = history(&ran);
        let told = &history["openings"].as_array().expect("openings")[..];
        let [only] = told else { panic!("{history:#}") };
        assert_eq!((&only["rule"]["peer"], &only["code"]), (&json!(wide), &json!("open-ssh")));
        assert_eq!(only["status"], "closed");
    }
}

#[tokio::test]
async fn evidence_is_packed_from_an_account_too() {
    const HERE: &str = "ap-south-2";
    let world = World::new().await;
    let site = world.site(ACCOUNT, HERE).await;
    let group = site.group("typo3-evidence").await;
    site.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    let trail = PagedCloudTrail::new(&[(HERE, opened(HERE, &group.id, 5, 22))], |_, _| None);
    let person = Person::new(&world);
    let day = |days| before(days).format("%Y-%m-%d").to_string();
    let (from, to) = (day(10), day(0));
    let packs = |name: &str, trail: &PagedCloudTrail| {
        let output = person.home.join(name);
        let output = output.to_str().expect("UTF-8").to_owned();
        let period = ["evidence", "--live", "--region", HERE, "--from", &from, "--to", &to];
        (tells(&person, trail, &[&period[..], &["--output", &output]].concat()), output)
    };
    let (ran, archive) = packs("whole.zip", &trail);
    assert_eq!((ran.err.as_str(), ran.status), ("", 0), "{ran}");
    let script = "import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    print(json.dumps({name: archive.read(name).decode() for name in archive.namelist()}))";
    let read = |archive: &str| -> BTreeMap<String, String> {
        let mut python = std::process::Command::new(venv::program("python"));
        let files = ministack::succeeded(python.args(["-c", script, archive]));
        serde_json::from_str(&files).expect("JSON")
    };
    let files = read(&archive);
    let told: Value = serde_json::from_str(&files["history.json"]).expect("JSON");
    assert_eq!(lives(&told, &group.id), [life(22, "open", Some(ALICE), None)].into());
    let told: Value = serde_json::from_str(&files["evidence.json"]).expect("JSON");
    assert_eq!(told["coverage"][0]["watched_all_the_time"], true, "{told:#}");
    only_read(&world);

    let denied = PagedCloudTrail::new(&[], |_, _| Some("AccessDeniedException"));
    let (ran, archive) = packs("denied.zip", &denied);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.err.contains("ask for `cloudtrail:LookupEvents`"), "{ran}");
    let told: Value = serde_json::from_str(&read(&archive)["evidence.json"]).expect("JSON");
    assert_eq!(told["partial"], true);
    assert!(told["unread"][0].as_str().expect("words").contains("cloudtrail:LookupEvents"));
}

/// Has ministack note a call as CloudTrail does. It notes the parameters as they came, which is CloudTrail's form only if
/// they came as JSON, so these are sent so; ministack's EC2 does not take them.
const NOTE: &str = "
import json, sys, urllib.error, urllib.request
url, region, group = sys.argv[1:]

def post(path, body, headers):
    request = urllib.request.Request(url + path, json.dumps(body).encode(), headers)
    try:
        urllib.request.urlopen(request).close()
    except urllib.error.HTTPError as refused:
        refused.close()

def record(on):
    post('/_ministack/config', {'cloudtrail._recording_enabled': on}, {'Content-Type': 'application/json'})

credential = f'AKIAEXAMPLEEXAMPLE04/20260312/{region}/ec2/aws4_request'
record('true')
for name, port in [('Authorize', 22), ('Authorize', 3306), ('Revoke', 3306)]:
    rule = {'groupId': group, 'ipProtocol': 'tcp', 'fromPort': port, 'toPort': port, 'cidrIp': '0.0.0.0/0'}
    post('/', rule, {'Content-Type': 'application/x-amz-json-1.1', 'X-Amz-Target': f'EC2.{name}SecurityGroupIngress',
                     'Authorization': f'AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0'})
record('false')
";

#[tokio::test]
async fn ministack_answers_the_same_call() {
    let world = World::new().await;
    let server = ministack::server();
    let site = world.site(ACCOUNT, ministack::REGION).await;
    let group = site.group("typo3-noted").await;
    site.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    let arguments = ["-c", NOTE, &server.url, ministack::REGION, &group.id];
    ministack::succeeded(server.command("python").args(arguments));
    let person = Person::new(&world);
    let environment = [("AWS_ENDPOINT_URL_CLOUDTRAIL", server.url.as_str())];
    let arguments = [&JSON[..], &["--region", ministack::REGION]].concat();
    let ran = person.runs("shop", &arguments, &environment);
    assert_eq!((ran.err.as_str(), ran.status), ("", 1), "{ran}");
    let who = Some("arn:aws:iam::123456789012:user/AKIA...LE04");
    let expected = [life(22, "open", who, None), life(3306, "closed", who, who)];
    assert_eq!(lives(&history(&ran), &group.id), expected.into());
}

#[tokio::test]
async fn the_progress_is_for_a_terminal() {
    const HERE: &str = "ap-northeast-3";
    let world = World::new().await;
    let group = world.site(ACCOUNT, HERE).await.group("typo3-progress").await;
    let trail = PagedCloudTrail::new(&[(HERE, opened(HERE, &group.id, 5, 22))], |_, _| None);
    let person = Person::new(&world);
    let line = format!("history --live --region {HERE}");
    let more = [("AWS_ENDPOINT_URL_CLOUDTRAIL", trail.url.as_str())];
    let ran = person.on_a_terminal(&line, &more);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(ran.out.contains("groups read") && ran.out.contains("1 record read"), "{ran:?}");
}
