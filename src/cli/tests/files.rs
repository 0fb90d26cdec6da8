//! Files that are events or groups, or something else.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::*;

/// A file with these bytes.
fn bytes(name: &str, content: &[u8]) -> File {
    let file = File::new(name, "");
    std::fs::write(&file.0, content).unwrap();
    file
}

fn compressed(content: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn text_of(name: &str) -> String {
    std::fs::read_to_string(event(name)).unwrap()
}

/// What `invoke` says about a file that is not an event.
fn refused(name: &str, content: &[u8]) -> String {
    let file = bytes(name, content);
    let command = Arguments::try_parse_from(["sg-audit", "invoke", file.path()]).unwrap().command;
    let error = super::super::answer(&command, "no-such-program".as_ref(), PLAIN, now());
    let answer = Answer::refused(&error.unwrap_err());
    assert_eq!((answer.out.as_str(), answer.status), ("", NOT_AUDITED), "{name}");
    assert!(answer.notes[0].starts_with(&format!("{}: ", file.path())), "{:?}", answer.notes);
    answer.notes.join("\n")
}

/// What S3 tells about a new file.
const S3: &str = r#"{"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3",
    "awsRegion": "eu-central-1", "eventTime": "2026-03-12T08:11:14.000Z",
    "eventName": "ObjectCreated:Put", "userIdentity": {"principalId": "AWS:AROAEXAMPLE"},
    "requestParameters": {"sourceIPAddress": "198.51.100.23"}, "responseElements": {},
    "s3": {"bucket": {"name": "trail"}, "object": {"key": "trail.json.gz"}}}]}"#;

/// What a stream of DynamoDB tells.
const STREAM: &str = r#"{"Records": [{"eventID": "1", "eventVersion": "1.1",
    "eventSource": "aws:dynamodb", "awsRegion": "eu-central-1", "eventName": "INSERT",
    "dynamodb": {}}]}"#;

fn in_sqs(text: &str) -> String {
    json!({"Records": [{"eventSource": "aws:sqs", "body": text}]}).to_string()
}

fn in_sns(text: &str) -> String {
    json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": text}}]}).to_string()
}

#[test]
fn a_record_without_its_source_is_an_event_where_the_rest_of_it_is_there() {
    let mut event: serde_json::Value =
        serde_json::from_str(&text_of("authorize-open-ssh")).unwrap();
    let mut record = event["detail"].take();
    record.as_object_mut().unwrap().remove("eventSource");
    let file = File::new("without-source", &record.to_string());
    let found = answer(&["invoke", file.path()]).unwrap();
    assert_eq!(found.status, 1, "{}", found.out);
}

/// What `check` says about a file without groups.
fn no_groups(name: &str, content: &str) -> String {
    let file = File::new(name, content);
    answer(&["check", "--groups", file.path()]).unwrap_err().join("\n")
}

#[test]
fn the_usual_wrong_files_are_recognised() {
    const JSON: &str = "--output json";
    const TEMPLATE: &str = "`sg-audit check --template FILE`";
    const PLAN: &str = "`sg-audit check --plan FILE`";
    const SHOW: &str = "terraform show -json tfplan | sg-audit check --plan -";
    for (name, content, kind, advice) in [
        ("hcl.tf", "# ours\nresource \"aws_security_group\" \"web\" {}\n", "Terraform's", SHOW),
        ("plan.json", r#"{"format_version": "1.2", "resource_changes": []}"#, "a plan", PLAN),
        ("state.json", r#"{"version": 4, "terraform_version": "1.9"}"#, "a state", PLAN),
        (
            "cfn.json",
            r#"{"Resources": {"G": {"Type": "AWS::EC2::SecurityGroup"}}}"#,
            "CloudF",
            TEMPLATE,
        ),
        ("cfn.yaml", "Parameters:\n  A: {}\nResources:\n  G: {}\n", "a CloudFormation", TEMPLATE),
        ("csv.csv", "GroupId,GroupName,VpcId\nsg-1,web,vpc-1\n", "a table as CSV", JSON),
        ("aws.yaml", "SecurityGroups:\n- GroupId: sg-1\n", "`--output yaml`", JSON),
        ("tfplan", "PK\u{3}\u{4}\u{14}\u{0}", "a plan that Terraform saved", SHOW),
        ("plan.txt", "\nTerraform used the selected providers\n", "what Terraform prints", SHOW),
        ("stream.yaml", "- SecurityGroups:\n  - GroupId: sg-1\n", "`--output yaml-stream`", JSON),
        ("aws.text", "SECURITYGROUPS\tweb\tsg-1\n", "`--output text`", JSON),
        ("aws.table", "-----\n|  DescribeSecurityGroups  |\n", "`--output table`", JSON),
    ] {
        let said = no_groups(name, content);
        assert!(said.contains(kind) && said.contains(advice), "{name}: {said}");
        let said = refused(&format!("event-{name}"), content.as_bytes());
        assert!(said.contains(kind) && said.contains("not an event"), "{name}: {said}");
    }
    let said = no_groups("event.json", &text_of("authorize-open-ssh"));
    assert!(said.contains("this is an event, not security groups"), "{said}");
    assert!(said.contains("`sg-audit invoke FILE`"), "{said}");
    let baseline = no_groups("ours.yaml", "version: 1\nname: ours\ningress: []\negress: []\n");
    assert!(baseline.contains("give it with --baseline"), "{baseline}");
    // What is none of these keeps its own error, and so does JSON that was cut short.
    let said = no_groups("prose.txt", "An error occurred (AccessDenied), again, and again");
    assert!(said.contains("not JSON at line 1"), "{said}");
    let groups = group(SHOP, 22, ANYWHERE);
    let said = no_groups("cut.json", &groups[..groups.len() / 2]);
    assert!(said.contains("not JSON at line"), "{said}");
}

#[test]
fn a_file_without_an_event_is_an_error_that_says_what_to_do() {
    let groups = group(SHOP, 22, ANYWHERE);
    let list = r#"{"Entries": [{"Cidr": "203.0.113.0/24"}]}"#;
    for (name, content, says) in [
        ("empty", "", "the file is empty"),
        ("white", "\u{feff} \n\t", "the file is empty"),
        ("text", "An error occurred (AccessDenied)", "the file is not JSON"),
        ("cut", r#"{"Version": "2012-10-17", "State"#, "the file is not JSON"),
        ("athena", r#"{"ResultSet": {"Rows": [{"Data": []}]}}"#, "rows of an Athena query"),
        ("athena-row", r#"[{"eventname": "StopLogging"}]"#, "rows of an Athena query"),
        ("lake", r#"{"QueryResultRows": [[{"eventJson": "{}"}]]}"#, "| fromjson'"),
        ("lake-row", r#"[{"eventJson": "{\"eventName\": \"StopLogging\"}"}]"#, "| fromjson'"),
        ("groups", r#"{"SecurityGroups": []}"#, "`sg-audit check FILE`"),
        ("rules", &groups, "`sg-audit check FILE`"),
        ("list", list, "give it with --prefix-lists"),
        ("other", r#"{"Buckets": []}"#, "there is no event in the file"),
        ("none", "[]", "there is no event in the file"),
        ("number", "1", "there is no event in the file"),
        ("string", r#""hello""#, "the file is not JSON"),
        ("s3", S3, "`aws s3 cp s3://BUCKET/KEY .`"),
        ("s3-in-sqs", &in_sqs(S3), "`aws s3 cp s3://BUCKET/KEY .`"),
        ("s3-cut", &S3[..S3.len() / 2], "the file is not JSON"),
        ("trail-in-sns", &in_sns(r#"{"s3Bucket": "b", "s3ObjectKey": ["k"]}"#), "aws s3 cp"),
        ("stream", STREAM, "a record of `aws:dynamodb`, not an event"),
        ("clicks", r#"{"eventName": "click", "userId": 7}"#, "there is no event in the file"),
    ] {
        let said = refused(&format!("not-{name}"), content.as_bytes());
        assert!(said.contains(says), "{name}: {said}");
        let packed = refused(&format!("not-{name}.gz"), &compressed(content));
        assert!(packed.contains(says), "{name}: {packed}");
    }
}

#[test]
fn a_compressed_file_that_is_cut_short_is_an_error_that_says_so() {
    let packed = compressed(&text_of("authorize-open-ssh"));
    // Of two that were joined, the first one may be whole.
    let joined = [&packed[..], &packed[..]].concat();
    for length in [2, 9, packed.len() / 2, packed.len() - 1, packed.len() + 9, joined.len() - 1] {
        let cut = bytes("cut-short.json.gz", &joined[..length]);
        let error = answer(&["invoke", cut.path()]).unwrap_err().join("\n");
        assert!(error.contains("the compressed file is cut short"), "{length}: {error}");
    }
}

#[test]
fn a_file_without_an_event_stops_the_others_too() {
    let empty = File::new("empty-of-two", "");
    let error = answer(&["invoke", &event("authorize-open-ssh"), empty.path()]).unwrap_err();
    assert!(error[0].contains("the file is empty"), "{error:?}");
}

#[test]
fn a_broken_event_is_a_finding() {
    let whole = text_of("authorize-open-ssh");
    let cut = &whole[..whole.len() / 2];
    let in_string = serde_json::to_string(cut).unwrap();
    for (name, content) in [
        ("cut", cut),
        ("cut-in-a-string", in_string.as_str()),
        ("no-detail", r#"{"detail-type": "AWS API Call via CloudTrail", "detail": null}"#),
        ("text-as-detail", r#"{"source": "aws.ec2", "detail": "x"}"#),
        ("text-in-sqs", r#"{"Records": [{"eventSource": "aws:sqs", "body": "not JSON"}]}"#),
    ] {
        let file = File::new(&format!("broken-{name}"), content);
        let found = answer(&["invoke", file.path(), "--format", "json"]).unwrap();
        assert_eq!(found.status, NOT_AUDITED, "{name}: {}", found.out);
        let report: serde_json::Value = serde_json::from_str(&found.out).unwrap();
        assert_eq!(report["findings"][0]["code"], "unaudited-change", "{name}");
        assert!(found.notes[0].contains("could not be audited"), "{name}: {:?}", found.notes);
    }
}

#[test]
fn an_event_beside_something_else_is_audited() {
    let both = format!("{}\n{}", r#"{"Buckets": []}"#, text_of("authorize-open-ssh"));
    let both = File::new("both", &both);
    let found = answer(&["invoke", both.path()]).unwrap();
    assert!(found.out.contains("open-ssh"), "{}", found.out);
}

#[test]
fn every_sample_is_an_event() {
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/events")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            answer(&["invoke", path.to_str().unwrap()]).unwrap();
        }
    }
}

#[test]
fn compressed_files_are_read_as_they_are_in_a_bucket() {
    let record: serde_json::Value = serde_json::from_str(&text_of("authorize-open-ssh")).unwrap();
    let trail = serde_json::json!({"Records": [record["detail"]]}).to_string();
    let plain = File::new("trail.json", &trail);
    let packed = bytes("trail.json.gz", &compressed(&trail));
    let joined = [compressed(&trail), compressed("\n")].concat();
    let joined = bytes("joined.json.gz", &joined);
    let groups = group(SHOP, 22, ANYWHERE);
    let given = File::new("given.json", &groups);
    let given_packed = bytes("given.json.gz", &compressed(&groups));
    let expected = answer(&["invoke", plain.path(), "--groups", given.path()]).unwrap();
    assert_eq!(expected.status, 1, "{}", expected.out);
    for file in [&packed, &joined] {
        let found = answer(&["invoke", file.path(), "--groups", given_packed.path()]).unwrap();
        assert_eq!(found, expected);
    }
    let checked = answer(&["check", "--groups", given_packed.path()]).unwrap();
    assert_eq!(checked, answer(&["check", "--groups", given.path()]).unwrap());
    let lists = compressed(r#"{"pl-1": {"Entries": [{"Cidr": "203.0.113.0/24"}]}}"#);
    let lists = bytes("lists.json.gz", &lists);
    let by_list = File::new("by-list.json", &group("sg-1", 22, r#""PrefixListId": "pl-1""#));
    let office = ["--ssh-source", "203.0.113.0/24", "--prefix-lists", lists.path()];
    let found = answer(&[&["check", "--groups", by_list.path()], &office[..]].concat()).unwrap();
    assert_eq!((found.status, found.notes), (0, vec![]), "{}", found.out);
    let closed = "version: 1\nname: closed\ningress: []\negress: []\n";
    let closed = bytes("closed.yaml.gz", &compressed(closed));
    let shown = answer(&["baseline", "show", closed.path()]).unwrap();
    assert!(shown.out.contains("name: closed"), "{}", shown.out);
}

#[test]
fn a_compressed_file_that_is_cut_off_is_an_error() {
    let packed = compressed(&text_of("authorize-open-ssh"));
    let cut = bytes("cut.json.gz", &packed[..packed.len() / 2]);
    for arguments in [["invoke", cut.path()].as_slice(), &["check", "--groups", cut.path()]] {
        let error = answer(arguments).unwrap_err();
        assert!(error[0].contains("cannot be read"), "{error:?}");
        assert!(error[1].starts_with("  cause: "), "{error:?}");
    }
}

/// `call` of `service`, as in a trail.
fn watched(service: &str, call: &str, request: serde_json::Value) -> String {
    let mut event: serde_json::Value = serde_json::from_str(&text_of("stop-logging")).unwrap();
    event["source"] = format!("aws.{service}").into();
    event["detail"]["eventSource"] = format!("{service}.amazonaws.com").into();
    event["detail"]["eventName"] = call.into();
    event["detail"]["requestParameters"] = request;
    event.to_string()
}

#[test]
fn changes_of_the_auditor_are_told_only_of_the_one_that_is_named() {
    let role = |name: &str| watched("iam", "PutRolePolicy", serde_json::json!({"roleName": name}));
    let log =
        |name: &str| watched("logs", "DeleteLogGroup", serde_json::json!({"logGroupName": name}));
    let ours = ["--auditor", "typo3-sg-auditor"];
    let two = ["--auditor", "another", "--auditor", "typo3-sg-auditor"];
    for (n, (event, auditors, is_told)) in [
        (role("typo3-sg-auditor"), &ours[..], true),
        (role("typo3-sg-auditor-Role-1ABC"), &ours, true),
        (role("typo3-sg-auditor-Role-1ABC"), &two, true),
        (role("typo3-sg-auditor"), &[], false),
        (role("typo3-sg-auditors"), &ours, false),
        (role("our-typo3-sg-auditor"), &ours, false),
        (role("deploy"), &ours, false),
        (log("/aws/lambda/typo3-sg-auditor-Auditor-1ABC"), &ours, true),
        (log("/aws/lambda/shop"), &ours, false),
        (text_of("update-function"), &ours, true),
        (text_of("update-function"), &[], false),
        (text_of("disable-rule"), &["--auditor", "other"], false),
        // All events come from trails, whatever their names.
        (text_of("stop-logging"), &[], true),
        (text_of("stop-logging"), &ours, true),
    ]
    .into_iter()
    .enumerate()
    {
        let file = File::new(&format!("watched-{n}"), &event);
        let found = answer(&[&["invoke", file.path()], auditors].concat()).unwrap();
        assert_eq!(found.status, u8::from(is_told), "{n}: {}", found.out);
        assert_eq!(found.out.contains("auditor-changed"), is_told, "{n}: {}", found.out);
        let notes: Vec<_> =
            found.notes.iter().filter(|note| note.contains("are left out")).collect();
        assert_eq!(notes.len(), usize::from(!is_told), "{n}: {notes:?}");
        assert!(notes.iter().all(|note| note.contains("--auditor NAME")), "{n}: {notes:?}");
    }
}

#[test]
fn other_findings_do_not_depend_on_the_auditor() {
    let role = watched("iam", "PutRolePolicy", serde_json::json!({"roleName": "deploy"}));
    let role = File::new("other-role", &role);
    let found = answer(&["invoke", role.path(), &event("authorize-open-ssh")]).unwrap();
    assert_eq!(found.status, 1);
    let [note] = &found.notes[..] else { panic!("{:?}", found.notes) };
    assert!(note.starts_with("note: changes of `deploy` are left out"), "{note}");
}

#[test]
fn a_list_without_an_event_is_no_event() {
    for text in [
        r#"{"Records": []}"#,
        r#"{"Events": []}"#,
        r#"{"Records": [{}]}"#,
        r#"{"Events": [{"SourceType": "db-instance", "Message": "Backing up"}]}"#,
        r#"{"Message": "User is not authorized"}"#,
        r#"<html>"Message"</html>"#,
    ] {
        let file = File::new("no-event", text);
        let lines = answer(&["invoke", file.path()]).unwrap_err();
        assert!(lines[0].contains("give an event"), "{text}: {lines:?}");
    }
}
