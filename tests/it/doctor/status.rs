//! `sg-audit status`: what is in the table of a deployed stack.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::Value;
use typo3_sg_auditor::audit::Ledger;
use typo3_sg_auditor::aws::AwsLedger;
use typo3_sg_auditor::ec2::hold::Hold;
use typo3_sg_auditor::ec2::{Direction, Place, Rule};
use typo3_sg_auditor::evaluate::{Code, Severity};
use typo3_sg_auditor::finding::{Brief, DigestEntry, FoundGroup, Outcome};
use typo3_sg_auditor::ledger::{HeldRule, Opened, PlaceAudit, Sighting, Waiting};

use super::{ALONE, NAME, shell, stack};
use crate::memory::table;
use crate::support::ministack;

fn status(more: &str) -> String {
    let ran = shell(&format!("sg-audit status --stack {NAME} {more}"), &BTreeMap::new());
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{ran}");
    ran.out
}

#[tokio::test]
async fn the_status_has_what_is_open_held_audited_and_not_mailed_yet() {
    let _alone = ALONE.lock().await;
    let name = stack().resources().remove("Memory").expect("the table").1;
    let config = table::config_in(&ministack::server().url, ministack::REGION);
    let ledger = AwsLedger::new(&config, &name, Duration::from_secs(60));
    let now = Utc::now();
    let place = Place {
        account: Some("210987654321".parse().expect("an account")),
        region: Some("eu-west-1".parse().expect("a region")),
    };
    let group: typo3_sg_auditor::ec2::GroupId = "sg-0a1b2c3d4e5f67890".parse().expect("a group");
    let peer = "0.0.0.0/0".parse().expect("a peer");
    let rule = Rule::new(Direction::Ingress, "tcp".parse().expect("tcp"), Some(22), Some(22), peer);
    let rule = rule.expect("a rule");
    let brief = Brief {
        fingerprint: "of-status".to_owned(),
        code: Code::OpenSsh,
        severity: Severity::Critical,
        place: place.clone(),
        group: Some(FoundGroup {
            id: group.clone(),
            name: Some("typo3-shop".to_owned()),
            vpc_id: None,
        }),
        rule: Some(rule.clone()),
        outcome: Outcome::None,
        is_open: true,
        seen: now - TimeDelta::days(31),
        held_until: None,
        actor: None,
        user_agent: None,
    };
    let opening = Opened { at: brief.seen, occasion: "event".to_owned() };
    let sighting = Sighting { brief: brief.clone(), opening, is_introduced: true };
    ledger.see(&[sighting]).await.expect("seen");
    let hold = Hold {
        until: now + TimeDelta::hours(2),
        reason: "vendor\u{202e} \u{1b}[31m4711".to_owned(),
    };
    let held =
        HeldRule { place: place.clone(), group, rule, hold: Some(hold), actor: None, since: now };
    ledger.hold(&[held]).await.expect("held");
    let at = now - TimeDelta::hours(3);
    let (settings, first) = ("hash".to_owned(), "sweep".to_owned());
    let covered = PlaceAudit { place, at, groups: 40, settings, first };
    ledger.cover(&covered).await.expect("covered");
    let entry = DigestEntry { brief, life: None };
    let (key, stored) = ("of-status".to_owned(), String::new());
    let waiting = Waiting { key, entry, is_urgent: true, stored };
    ledger.wait(&[waiting]).await.expect("waiting");

    let text = status("");
    for line in [
        "  critical, for 31 days: tcp 22 from 0.0.0.0/0 of sg-0a1b2c3d4e5f67890 \"typo3-shop\", account 210987654321 in eu-west-1\n",
        "tcp 22 from 0.0.0.0/0 of sg-0a1b2c3d4e5f67890, account 210987654321 in eu-west-1: vendor\\u{202e} \\u{1b}[31m4711\n",
        "  account 210987654321 in eu-west-1: 3 hours ago, 40 groups\n",
        "Waiting to be mailed: 1 finding, 1 of them within 15 minutes\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let json: Value = serde_json::from_str(&status("--format json")).expect("JSON");
    let open = json["open"].as_array().expect("a list");
    assert!(open.iter().any(|it| it["fingerprint"] == "of-status" && it["severity"] == "critical"));
    assert_eq!(json["held"][0]["account"], "210987654321");
    assert_eq!(json["not_understood"], 0);

    for (line, said) in [
        (format!("sg-audit status --stack none-{NAME}"), "the stack none-doctor cannot be read"),
        ("sg-audit status --stack aws-sam-cli-managed-default".to_owned(), "has no table"),
    ] {
        let ran = shell(&line, &BTreeMap::new());
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{ran}");
        assert!(ran.err.contains(said), "{ran}");
    }
}
