//! `history` with the files that people have.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::*;

fn record(id: &str, name: &str, time: &str, port: u16) -> Value {
    json!({
        "eventVersion": "1.11", "eventSource": "ec2.amazonaws.com", "eventName": name,
        "eventID": id, "eventTime": time, "awsRegion": "eu-central-1",
        "recipientAccountId": "123456789012", "sourceIPAddress": "198.51.100.7",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/alice"},
        "requestParameters": {"groupId": SHOP, "ipProtocol": "tcp", "fromPort": port,
            "toPort": port, "cidrIp": "0.0.0.0/0"},
        "responseElements": {"_return": true},
    })
}

fn opened() -> Value {
    record("a", "AuthorizeSecurityGroupIngress", "2026-03-01T08:00:00Z", 22)
}

fn closed() -> Value {
    record("b", "RevokeSecurityGroupIngress", "2026-03-01T10:00:00Z", 22)
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// A folder that is removed at the end of the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &[u8])]) -> Self {
        let path = std::env::temp_dir().join(format!("sg-audit-{}-{name}", std::process::id()));
        for (name, bytes) in files {
            let file = path.join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, bytes).unwrap();
        }
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn records(records: &[Value]) -> String {
    json!({"Records": records}).to_string()
}

#[test]
fn a_folder_of_a_trail_is_read_whole_and_in_any_order() {
    let digest = json!({"awsAccountId": "123456789012", "digestEndTime": "x"}).to_string();
    let folder = Folder::new(
        "trail",
        &[
            ("CloudTrail/eu-central-1/2026/03/02/a.json.gz", &gzip(&records(&[closed()]))),
            (
                "CloudTrail/eu-central-1/2026/03/01/b.json.gz",
                &gzip(&records(&[opened(), opened()])),
            ),
            ("CloudTrail-Digest/c.json.gz", &gzip(&digest)),
            ("notes.txt", b"nothing of CloudTrail"),
            ("CloudTrail/empty.json", br#"{"Records": []}"#),
        ],
    );
    let answer = answer(&["history", folder.path()]).unwrap();
    assert_eq!(answer.status, 0, "{answer:?}");
    assert!(answer.out.contains("closed 2 h"), "{}", answer.out);
    assert!(answer.out.contains("1 opening  0 open  1 closed"), "{}", answer.out);
    assert_eq!(answer.notes, ["note: 2 files without CloudTrail records left out"]);
}

#[test]
fn what_lookup_events_prints_and_what_eventbridge_delivers_is_read_too() {
    let item = |record: Value| {
        json!({
            "EventId": record["eventID"], "EventName": record["eventName"],
            "EventTime": 1772352000, "EventSource": "ec2.amazonaws.com",
            "CloudTrailEvent": record.to_string(),
        })
    };
    let event = |record: Value| {
        json!({"detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ec2", "account": "123456789012", "region": "eu-central-1", "detail": record})
    };
    for text in [
        json!({"Events": [item(closed()), item(opened())], "NextToken": "x"}).to_string(),
        json!([item(opened()), item(closed())]).to_string(),
        format!("{}\n{}\n", event(opened()), event(closed())),
        format!("{}{}", opened(), closed()),
    ] {
        let file = File::new("lookup.json", &text);
        let answer = answer(&["history", file.path()]).unwrap();
        assert_eq!(answer.status, 0, "{text}\n{answer:?}");
        assert!(answer.out.contains("closed 2 h"), "{}", answer.out);
    }
}

#[test]
fn the_sweep_has_a_page_too() {
    let groups = File::new("swept.json", &super::group(SHOP, 22, ANYWHERE));
    let sweep = event("scheduled-sweep");
    let swept = answer(&["invoke", "--groups", groups.path(), "--format", "html", &sweep]).unwrap();
    assert!(swept.out.starts_with("<!DOCTYPE html>"), "{}", swept.out);
    assert!(swept.out.contains("SSH is open to the Internet"), "{}", swept.out);
}

#[test]
fn what_is_open_ends_with_1_and_can_be_held_against_the_groups() {
    let file = File::new("opened.json", &records(&[opened()]));
    let seen = answer(&["history", file.path()]).unwrap();
    assert_eq!((seen.status, seen.notes.len()), (1, 1), "{seen:?}");
    assert!(seen.out.starts_with("not seen closed "), "{}", seen.out);
    let groups = File::new("groups-open.json", &group(SHOP, 22, ANYWHERE));
    let open = answer(&["history", file.path(), "--groups", groups.path()]).unwrap();
    assert_eq!((open.status, open.notes.len()), (1, 0), "{open:?}");
    assert!(open.out.starts_with("open "), "{}", open.out);
    let groups = File::new("groups-closed.json", &group(SHOP, 443, ANYWHERE));
    let closed = answer(&["history", file.path(), "--groups", groups.path()]).unwrap();
    assert_eq!(closed.status, 0, "{closed:?}");
    assert!(closed.out.contains("no record tells who closed it"), "{}", closed.out);
    // SSH from this source is what the baseline admits, so nothing exceeds it.
    let all = ["--ssh-source", "0.0.0.0/1", "--ssh-source", "128.0.0.0/1"];
    let none = answer(&[&["history", file.path()], &all[..]].concat()).unwrap();
    assert_eq!(none.status, 0, "{none:?}");
}

#[test]
fn what_cannot_be_read_ends_with_2_and_the_rest_is_told() {
    let whole = records(&[opened(), closed()]);
    let cut = File::new("cut.json", whole.get(..whole.len() - 30).unwrap());
    let answered = answer(&["history", cut.path()]).unwrap();
    assert_eq!(answered.status, NOT_AUDITED, "{answered:?}");
    assert!(answered.out.starts_with("not seen closed"), "{}", answered.out);
    assert!(answered.notes.join("\n").contains("cut short after 1 record"), "{answered:?}");
    let mut gz = gzip(&whole);
    gz.truncate(gz.len() - 12);
    let folder = Folder::new("damaged", &[("a.json.gz", &gz), ("b.json", whole.as_bytes())]);
    let answered = answer(&["history", folder.path()]).unwrap();
    assert_eq!(answered.status, NOT_AUDITED, "{answered:?}");
    assert!(answered.out.contains("closed 2 h"), "{}", answered.out);
}

#[test]
fn a_change_that_cannot_be_read_is_never_compliant() {
    let mut untimed = opened();
    untimed["eventTime"] = Value::Null;
    let mut lost = closed();
    lost["requestParameters"] = json!({"omitted": true});
    for record in [untimed, lost] {
        let file = File::new("unread.json", &records(&[record]));
        let answer = answer(&["history", file.path()]).unwrap();
        assert_eq!(answer.status, NOT_AUDITED, "{answer:?}");
        assert!(answer.out.contains("exit 2: not every change could be read"), "{}", answer.out);
    }
}

#[test]
fn a_file_of_another_kind_is_refused_with_advice() {
    let groups = File::new("no-records.json", &group(SHOP, 22, ANYWHERE));
    let empty = File::new("no-records-2.json", r#"{"Records": []}"#);
    let html = File::new("no-records-3.json", "<html>");
    for (path, says) in [
        (groups.path(), "this is the output of `aws ec2 describe-security-groups`"),
        (empty.path(), "there is no CloudTrail record in it"),
        (html.path(), "the file is not JSON"),
        ("/no/such/file", "cannot be read"),
    ] {
        let lines = answer(&["history", path]).unwrap_err().join("\n");
        assert!(lines.contains(says), "{lines}");
    }
    let twice = answer(&["history", "-", "--groups", "-"]).unwrap_err().join("\n");
    assert!(twice.contains("standard input can be read only once"), "{twice}");
}

#[test]
fn every_format_tells_the_same_openings() {
    let file = File::new("formats.json", &records(&[opened(), closed()]));
    let json = answer(&["history", file.path(), "--format", "json"]).unwrap();
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["openings"][0]["seconds"], 7200);
    let csv = answer(&["history", file.path(), "--format", "csv"]).unwrap();
    assert!(csv.out.contains("\"closed\",\"7200\",\"true\",\"critical\""), "{}", csv.out);
    let schema = answer(&["schema", "history"]).unwrap();
    assert!(schema.out.contains("urn:typo3-sg-auditor:history:1"));
}
