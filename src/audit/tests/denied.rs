//! Reverts that EC2 forbids after something was added.

use super::*;

const WHO: &str = "User: arn:aws:sts::123456789012:assumed-role/auditor/run is not authorized to perform: ec2:RevokeSecurityGroupIngress because no identity-based policy allows the ec2:RevokeSecurityGroupIngress action";

fn forbidden() -> Ec2Error {
    let cause = cause(format!("UnauthorizedOperation: {WHO}"));
    Ec2Error::Denied { action: "RevokeSecurityGroupIngress", cause }
}

fn mail(message: &crate::report::Message) -> String {
    let body: Value = serde_json::from_str(&message.body).unwrap();
    body["email"].as_str().unwrap().to_owned()
}

/// What came of an event where nothing may be revoked.
fn where_nothing_is_revoked(settings: &Settings, texts: &[&str]) -> Ran {
    let world = ec2(&rules(texts));
    let ec2 = hooked(&world, |call| is_revoke(call).then(forbidden));
    run_at(&ec2, settings, &authorized(texts), noon(), None)
}

#[test]
fn what_was_added_is_told_with_the_reason() {
    let settings = settings(Remediation::RevertSsh);
    let ran = where_nothing_is_revoked(&settings, &["tcp 0-65535 0.0.0.0/0"]);
    let detail = ran.detail();
    let added = "tcp 443 from 0.0.0.0/0; tcp 80 from 0.0.0.0/0; tcp 22 from 203.0.113.0/24";
    assert!(
        detail.contains(&format!(
            "The auditor added what the baseline allows of the rule: {added}. The rule was not revoked: "
        )),
        "{detail}"
    );
    assert!(detail.ends_with(&format!("{WHO}.")), "{detail}");

    let mail = mail(&ran.messages[0]);
    assert!(mail.contains(added), "{mail}");
    assert!(!mail.to_lowercase().contains("put it back"), "{mail}");
    let (_, undo) = mail.split_once("To remove what the auditor added:\n").unwrap();
    let undo = undo.lines().next().unwrap();
    assert!(undo.starts_with("aws ec2 revoke-") && !undo.contains("authorize"), "{undo}");
    // What was added is there: to add it again would fail, and the rule would stay.
    let (_, fix) = mail.split_once("Close it now:\n").unwrap();
    let fix = fix.lines().next().unwrap();
    assert!(fix.starts_with("aws ec2 revoke-") && !fix.contains("authorize"), "{fix}");
}

#[test]
fn what_was_added_is_told_in_the_longest_mail_too() {
    // Every other address, so that they do not become blocks.
    let hosts: Vec<u8> = (1..=18).map(|n| n * 2).collect();
    let ipv6 = |n: &u8| format!("2001:db8:1234:5678:9abc:def0:ffff:{n}/128");
    let sources: Vec<String> =
        hosts.iter().map(|n| format!("203.0.113.{n}/32,{}", ipv6(n))).collect();
    let settings = with_sources(settings(Remediation::RevertSsh), &sources.join(","));
    let texts = ["tcp 0-65535 0.0.0.0/0", "tcp 0-65535 ::/0"];
    let ran = where_nothing_is_revoked(&settings, &texts);
    let mail = mail(&ran.messages[0]);
    for n in &hosts {
        assert!(mail.contains(&format!("tcp 22 from 203.0.113.{n}/32")), "{n}\n{mail}");
        assert!(mail.contains(&format!("tcp 22 from {}", ipv6(n))), "{n}\n{mail}");
    }
    assert!(mail.contains("no identity-based policy allows"), "{mail}");
}

#[test]
fn a_finding_that_has_only_a_line_tells_it_too() {
    let settings = settings(Remediation::RevertSsh);
    let texts: Vec<String> =
        (0..6).map(|n| format!("tcp {}-{} 0.0.0.0/0", 20 - n, 500 + n)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let ran = where_nothing_is_revoked(&settings, &texts);
    let mail = mail(&ran.messages[0]);
    let brief: Vec<&str> = mail.lines().filter(|line| line.contains(", NOT CLOSED, ")).collect();
    assert_eq!(brief.len(), 3, "{mail}");
    // The first rule's pieces cover those of the others.
    assert!(mail.contains("The auditor added what the baseline allows"), "{mail}");
}

#[test]
fn what_a_revert_removed_is_put_back() {
    let settings = settings(Remediation::RevertSsh);
    let world = ec2(&rules(&["tcp 22 0.0.0.0/0"]));
    let ran = run_at(&world, &settings, &authorized(&["tcp 22 0.0.0.0/0"]), noon(), None);
    let mail = mail(&ran.messages[0]);
    assert!(
        mail.contains(
            "Only if somebody needs the rule that was removed: this line opens it again, and the auditor \
             closes it after "
        ),
        "{mail}"
    );
    assert!(!mail.contains("remove what the auditor"), "{mail}");
}
