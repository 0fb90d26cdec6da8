//! Groups that an event names by their name.

use serde_json::json;

use super::*;

const OPEN: &str = "tcp 22 0.0.0.0/0";

/// A new group whose id is not in the event.
fn created() -> Event {
    decoded(&json!({
        "eventSource": "ec2.amazonaws.com", "eventName": "CreateSecurityGroup",
        "awsRegion": "eu-central-1", "recipientAccountId": "123456789012",
        "requestParameters": {
            "groupName": "web", "groupDescription": "d", "vpcId": "vpc-0123456789abcdef0",
        },
        "responseElements": null,
    }))
}

/// A rule opened in a group of that name of the default VPC.
fn opened() -> Event {
    decoded(&json!({
        "eventSource": "ec2.amazonaws.com", "eventName": "AuthorizeSecurityGroupIngress",
        "awsRegion": "eu-central-1", "recipientAccountId": "123456789012",
        "requestParameters": {
            "groupName": "web", "cidrIp": "0.0.0.0/0", "ipProtocol": "tcp", "fromPort": 22,
            "toPort": 22,
        },
    }))
}

/// Groups named `web`, each of its VPC.
fn webs(groups: &[(&str, Option<&str>, &str)]) -> MemoryEc2 {
    let groups = groups.iter().map(|(of, vpc, text)| {
        let (name, vpc_id) = (Some("web".to_owned()), vpc.map(ToOwned::to_owned));
        (place(), Group { id: id(of), name, vpc_id, ..group() }, vec![rule(text)])
    });
    MemoryEc2::new(groups, Lists::new())
}

const OTHER: (&str, Option<&str>, &str) =
    ("sg-0aaaaaaaaaaaaaaaa", Some("vpc-0fedcba9876543210"), "tcp 443 0.0.0.0/0");
const THIS: (&str, Option<&str>, &str) =
    ("sg-0bbbbbbbbbbbbbbbb", Some("vpc-0123456789abcdef0"), OPEN);

#[test]
fn of_two_groups_with_one_name_the_one_of_the_events_vpc_is_audited() {
    let settings = settings(Remediation::Notify);
    for groups in [[OTHER, THIS], [THIS, OTHER]] {
        let report = run(&webs(&groups), &settings, &created()).unwrap();
        let open = with_code(&report, Code::OpenSsh);
        assert_eq!(open.group.as_ref().unwrap().id, id::<GroupId>(THIS.0));
        assert_eq!(report.groups, 1);
    }
}

#[test]
fn a_group_of_that_name_in_another_vpc_is_not_the_one() {
    let world = webs(&[OTHER]);
    let ran = run_at(&world, &settings(Remediation::Notify), &created(), noon(), None);
    assert_eq!(brief(ran.report()), ["unaudited-change none"]);
    assert_eq!(
        to_title(only(ran.report())),
        "A change to web in vpc-0123456789abcdef0 could not be audited: the id of the new group is \
         not in the event, and the group is not there"
    );
}

#[test]
fn without_a_vpc_one_group_is_the_one_and_of_two_nobody_knows() {
    let settings = settings(Remediation::RevertSsh);
    let world = webs(&[THIS]);
    let report = run(&world, &settings, &opened()).unwrap();
    assert_eq!(brief(&report), ["open-ssh narrowed tcp 22 from 0.0.0.0/0"]);
    let world = webs(&[THIS, OTHER]);
    let report = run(&world, &settings, &opened()).unwrap();
    assert_eq!(brief(&report), ["unaudited-change none"]);
    assert_eq!(world.rules_of(&id(THIS.0)).unwrap(), [rule(OPEN)]);
}

#[test]
fn a_group_whose_vpc_is_not_known_may_be_the_one() {
    let settings = settings(Remediation::Notify);
    let unknown = (THIS.0, None, OPEN);
    let report = run(&webs(&[unknown, OTHER]), &settings, &created()).unwrap();
    let open = with_code(&report, Code::OpenSsh);
    assert_eq!(open.group.as_ref().unwrap().id, id::<GroupId>(THIS.0));
    let report = run(&webs(&[unknown, THIS]), &settings, &created()).unwrap();
    assert_eq!(brief(&report), ["unaudited-change none"]);
}
