//! A group that is gone: nothing is said of its rules but that, and no command is offered.

use super::*;

const OPENED: &str = "tcp 22-80 0.0.0.0/0 sgr-1";
const OTHER: &str = "tcp 22 ::/0 sgr-2";
const GONE: &str = "The group itself is gone";

/// Audits the change that made both rules, in a group that is deleted before this call.
fn deleted_at(call: usize) -> (MemoryEc2, Ran) {
    let world = ec2(&rules(&[OPENED, OTHER]));
    let calls = Cell::new(0);
    let deleting = hooked(&world, |_| {
        calls.set(calls.get() + 1);
        if calls.get() == call {
            world.delete_group(&id(SG));
        }
        None
    });
    let settings = settings(Remediation::RevertSsh);
    let ran = run_at(&deleting, &settings, &authorized(&[OPENED, OTHER]), noon(), None);
    (world, ran)
}

fn assert_says_gone(ran: &Ran) {
    let published = ran.published();
    let published = published["findings"].as_array().unwrap();
    for (finding, published) in ran.report().findings.iter().zip(published) {
        assert_eq!(finding.found_rule().unwrap().presence, Presence::WithGroup);
        let remediation = &published["remediation"];
        for name in ["fix", "complete", "undo", "connections"] {
            assert!(remediation[name].is_null(), "{name}: {published}");
        }
        for list in [&remediation["kept"], &remediation["missing"], &published["still_open"]] {
            assert_eq!(list.as_array().unwrap().len(), 0, "{published}");
        }
        let detail = remediation["detail"].as_str().unwrap();
        assert!(detail.contains(GONE), "{detail}");
        for untrue in ["nothing to revoke", "omebody else", "could not be", "; what the baseline"] {
            assert!(!detail.contains(untrue), "{detail}");
        }
    }
    let subject = &ran.messages[0].subject;
    assert!(!subject.contains("OPEN") && !subject.contains("NOT CLOSED"), "{subject}");
    let body: Value = serde_json::from_str(&ran.messages[0].body).unwrap();
    assert!(body["email"].as_str().unwrap().contains(GONE));
}

#[test]
fn a_group_that_is_deleted_before_any_of_the_calls_is_said_to_be_gone() {
    let (mut at, mut outcomes) = (1, Vec::new());
    loop {
        let (world, ran) = deleted_at(at);
        if world.rules_of(&id(SG)).is_some() {
            break;
        }
        assert_says_gone(&ran);
        outcomes.extend(ran.report().findings.iter().map(Finding::outcome));
        at += 1;
    }
    assert_eq!(at, 9, "the audit makes so many calls");
    outcomes.sort();
    outcomes.dedup();
    assert_eq!(outcomes, [Outcome::Reverted, Outcome::AlreadyGone]);
}

#[test]
fn a_group_that_is_gone_is_said_to_be_gone_where_findings_are_only_reported() {
    let nowhere = MemoryEc2::default();
    let settings = settings(Remediation::Notify);
    let ran = run_at(&nowhere, &settings, &authorized(&[OPENED]), noon(), None);
    assert_says_gone(&ran);
    assert_eq!(only(ran.report()).outcome(), Outcome::None);
}

#[test]
fn a_rule_that_is_gone_from_a_group_that_is_there_is_not_gone_with_its_group() {
    // A group without rules is read like one that is gone.
    for others in [&["tcp 443 0.0.0.0/0 sgr-3"][..], &[]] {
        let world = ec2(&rules(others));
        let settings = settings(Remediation::RevertSsh);
        let ran = run_at(&world, &settings, &authorized(&[OPENED]), noon(), None);
        assert!(ran.detail().contains("EC2 had nothing to revoke"), "{}", ran.detail());
        assert!(!ran.detail().contains(GONE), "{}", ran.detail());
        assert!(only(ran.report()).undo.is_some() && only(ran.report()).complete.is_some());
    }
}

/// Audits a change while EC2 says at a revocation that a group does not exist, and then answers this
/// about the group of the rule.
fn missing_peer(world: &MemoryEc2, looked_up: Option<Ec2Error>) -> Ran {
    let revoking = Cell::new(false);
    let refusing = hooked(world, |call| {
        revoking.set(revoking.get() || is_revoke(call));
        match call {
            Call::Revoke(..) => Some(no_group()),
            Call::Group(_) if revoking.get() => looked_up.clone(),
            _ => None,
        }
    });
    run_at(&refusing, &settings(Remediation::RevertSsh), &authorized(&[OPENED]), noon(), None)
}

#[test]
fn where_ec2_means_another_group_the_rule_is_not_called_gone() {
    for looked_up in [None, Some(denied())] {
        let world = ec2(&rules(&[OPENED]));
        let ran = missing_peer(&world, looked_up);
        assert_eq!(only(ran.report()).outcome(), Outcome::Failed);
        assert!(ran.detail().contains("The rule was not revoked"), "{}", ran.detail());
        assert!(ran.messages[0].subject.starts_with("NOT CLOSED"), "{}", ran.messages[0].subject);
        assert!(ingress(&world).contains(&"tcp 22-80 from 0.0.0.0/0".to_owned()));
    }
    // What may pass is tried again.
    let world = ec2(&rules(&[OPENED]));
    assert_eq!(missing_peer(&world, Some(throttled())).error_kind(), "Ec2Unavailable");
}
