//! Tests that the EC2 in memory behaves like EC2.

use std::fmt::Debug;
use std::str::FromStr;

use super::*;
use crate::baseline::Lists;
use crate::ec2::{
    Direction, Ec2Error, Group, GroupId, GroupKey, Peer, Place, Protocol, Revoked, Rule,
    SecurityGroups,
};
use crate::event::{ChangeKind, GroupChange, ModifiedRule, Removed, RevokedRules};

fn id<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// The result of a future that never waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("an EC2 in memory never waits"),
    }
}

fn place() -> Place {
    Place { account: Some(id("123456789012")), region: Some(id("eu-central-1")) }
}

/// The id of the group of most tests.
fn sg() -> GroupId {
    id("sg-0123456789abcdef0")
}

fn group(id: GroupId, name: &str) -> Group {
    Group { name: Some(name.to_owned()), ..Group::known_by_id(id) }
}

fn tcp(port: i32, peer: &str) -> Rule {
    let peer = peer.parse().unwrap();
    Rule::new(Direction::Ingress, Protocol::TCP, Some(port), Some(port), peer).unwrap()
}

fn ec2_with(rules: Vec<Rule>) -> MemoryEc2 {
    MemoryEc2::new([(place(), group(sg(), "typo3"), rules)], Lists::new())
}

fn authorize(ec2: &MemoryEc2, rule: &Rule) -> Result<(), Ec2Error> {
    now(ec2.authorize(&place(), &sg(), rule))
}

/// Has the group follow a change.
fn follow(ec2: &MemoryEc2, kind: ChangeKind) {
    ec2.follow(&place(), &GroupChange { group: GroupKey::Id(sg()), owner: None, kind });
}

/// The rule of this id, modified to tcp 22 from anywhere.
fn modified(rule: &str) -> ModifiedRule {
    ModifiedRule::new(id(rule), tcp(22, "0.0.0.0/0"))
}

fn ingress(ec2: &MemoryEc2) -> Vec<Rule> {
    let mut rules = ec2.rules_of(&sg()).unwrap();
    rules.retain(|rule| rule.direction() == Direction::Ingress);
    rules
}

#[test]
fn a_rule_of_the_same_content_is_a_duplicate_whatever_its_description() {
    let ec2 = ec2_with(vec![tcp(22, "203.0.113.0/24")]);
    let same = tcp(22, "203.0.113.0/24").with_description(Some("office".to_owned()));
    assert!(matches!(authorize(&ec2, &same), Err(Ec2Error::Duplicate)));
    authorize(&ec2, &tcp(22, "203.0.113.0/25")).unwrap();
    assert_eq!(
        ec2.take_calls(),
        [
            "AuthorizeSecurityGroupIngress sg-0123456789abcdef0 tcp 22 from 203.0.113.0/24 \
             (InvalidPermission.Duplicate)",
            "AuthorizeSecurityGroupIngress sg-0123456789abcdef0 tcp 22 from 203.0.113.0/25",
        ]
    );
    assert!(ec2.take_calls().is_empty());
}

#[test]
fn a_new_rule_gets_an_id_of_its_own() {
    let ec2 = ec2_with(Vec::new());
    authorize(&ec2, &tcp(80, "0.0.0.0/0")).unwrap();
    authorize(&ec2, &tcp(80, "::/0")).unwrap();
    let [one, other] = &ec2.rules_of(&sg()).unwrap()[..] else { panic!("two rules") };
    assert!(one.id().is_some() && other.id().is_some());
    assert_ne!(one.id(), other.id());
}

#[test]
fn a_rule_is_revoked_by_its_content() {
    let described = tcp(22, "0.0.0.0/0").with_description(Some("temporary".to_owned()));
    let ec2 = ec2_with(vec![described, tcp(443, "0.0.0.0/0")]);
    let anywhere = "0.0.0.0/0".parse().unwrap();
    let all = Rule::new(Direction::Ingress, Protocol::TCP, Some(0), Some(65535), anywhere).unwrap();
    let revoke = |rule: &Rule| now(ec2.revoke(&place(), &sg(), rule)).unwrap();
    assert_eq!(revoke(&all), Revoked::NothingThere);
    assert_eq!(revoke(&tcp(22, "0.0.0.0/0")), Revoked::Proven);
    assert_eq!(revoke(&tcp(22, "0.0.0.0/0")), Revoked::NothingThere);
    assert_eq!(ec2.rules_of(&sg()).unwrap(), [tcp(443, "0.0.0.0/0")]);
}

#[test]
fn a_group_of_the_same_account_is_the_same_with_and_without_the_account() {
    let peer = "sg-0fedcba9876543210";
    let own = tcp(22, &format!("123456789012/{peer}"));
    let ec2 = ec2_with(vec![own]);
    assert_eq!(ec2.rules_of(&sg()).unwrap(), [tcp(22, peer)]);
    assert!(matches!(authorize(&ec2, &tcp(22, peer)), Err(Ec2Error::Duplicate)));
    authorize(&ec2, &tcp(22, &format!("210987654321/{peer}"))).unwrap();
}

#[test]
fn a_group_that_does_not_exist_is_not_found() {
    let ec2 = ec2_with(Vec::new());
    let elsewhere = Place { region: Some(id("us-east-1")), ..place() };
    let (key, other) = (GroupKey::Id(sg()), id("sg-1"));
    assert_eq!(now(ec2.group(&elsewhere, &key)).unwrap(), None);
    assert!(now(ec2.group(&Place::default(), &key)).unwrap().is_some());
    assert_eq!(now(ec2.rules(&place(), &id("sg-1"))).unwrap(), []);
    let rule = tcp(22, "0.0.0.0/0");
    let authorized = now(ec2.authorize(&place(), &other, &rule));
    assert!(matches!(authorized, Err(Ec2Error::NotFound { .. })));
    let revoked = now(ec2.revoke(&place(), &other, &rule));
    assert!(matches!(revoked, Err(Ec2Error::NotFound { .. })));
}

fn named(name: &str, vpc_id: Option<&str>) -> GroupKey {
    GroupKey::Name { name: name.to_owned(), vpc_id: vpc_id.map(ToOwned::to_owned) }
}

#[test]
fn a_name_with_a_vpc_finds_the_group_of_that_vpc_only() {
    let groups = [("sg-1", "vpc-0a"), ("sg-2", "vpc-0b")].map(|(of, vpc)| {
        let vpc_id = Some(vpc.to_owned());
        (place(), Group { vpc_id, ..group(id(of), "typo3") }, Vec::new())
    });
    let ec2 = MemoryEc2::new(groups, Lists::new());
    let find = |vpc: Option<&str>| now(ec2.group(&place(), &named("typo3", vpc)));
    assert_eq!(find(Some("vpc-0a")).unwrap().unwrap().id, id::<GroupId>("sg-1"));
    assert_eq!(find(Some("vpc-0b")).unwrap().unwrap().id, id::<GroupId>("sg-2"));
    assert_eq!(find(Some("vpc-0c")).unwrap(), None);
    assert!(matches!(find(None), Err(Ec2Error::Refused { .. })));
}

#[test]
fn rules_are_found_by_their_ids_and_those_that_do_not_exist_are_left_out() {
    let rule = tcp(22, "0.0.0.0/0").with_id(Some(id("sgr-1")));
    let ec2 = ec2_with(vec![rule.clone(), tcp(443, "0.0.0.0/0")]);
    let found = now(ec2.rules_by_id(&place(), &[id("sgr-1"), id("sgr-2")])).unwrap();
    assert_eq!(found, [(sg(), rule)]);
    assert_eq!(now(ec2.rules_by_id(&place(), &[id("sgr-2")])).unwrap(), []);
}

#[test]
fn a_name_finds_the_only_group_that_has_it() {
    let groups = [("sg-1", "default"), ("sg-2", "default"), ("sg-3", "typo3")]
        .map(|(of, name)| (place(), group(id(of), name), Vec::new()));
    let ec2 = MemoryEc2::new(groups, Lists::new());
    let find = |name: &str| now(ec2.group(&place(), &named(name, None)));
    assert_eq!(find("typo3").unwrap().unwrap().id, id::<GroupId>("sg-3"));
    assert_eq!(find("none").unwrap(), None);
    assert!(matches!(find("default"), Err(Ec2Error::Refused { .. })));
}

#[test]
fn the_limit_counts_each_direction_and_address_family_separately() {
    let egress = tcp(25, "0.0.0.0/0").with_direction(Direction::Egress);
    let rules = vec![tcp(1, "0.0.0.0/0"), tcp(2, "sg-0fedcba9876543210"), egress];
    let ec2 = ec2_with(rules).with_rule_limit(2);
    for (rule, is_exceeded) in [
        (tcp(3, "0.0.0.0/0"), true),
        (tcp(3, "sg-00000000000000001"), true),
        (tcp(3, "::/0"), false),
        (tcp(4, "::/0"), true),
    ] {
        let authorized = authorize(&ec2, &rule);
        assert_eq!(matches!(authorized, Err(Ec2Error::LimitExceeded)), is_exceeded, "{rule:?}");
        assert_eq!(authorized.is_ok(), !is_exceeded, "{rule:?}");
    }
}

#[test]
fn a_prefix_list_counts_as_many_times_as_it_has_entries() {
    let entries = ["198.51.100.0/24", "192.0.2.0/24", "203.0.113.0/24"].map(id);
    let lists = Lists::from([(id("pl-1"), Ok(entries.to_vec()))]);
    let groups = [(place(), group(sg(), "typo3"), Vec::new())];
    let ec2 = MemoryEc2::new(groups, lists).with_rule_limit(3);
    authorize(&ec2, &tcp(22, "pl-1")).unwrap();
    let full = authorize(&ec2, &tcp(23, "0.0.0.0/0"));
    assert!(matches!(full, Err(Ec2Error::LimitExceeded)));
    authorize(&ec2, &tcp(23, "::/0")).unwrap();
    assert_eq!(now(ec2.prefix_list(&place(), &id("pl-1"))).unwrap().entries, entries);
    let unknown = now(ec2.prefix_list(&place(), &id("pl-2")));
    assert!(matches!(unknown, Err(Ec2Error::NotFound { .. })));
}

#[test]
fn an_event_makes_the_group_that_it_is_about() {
    let ec2 = MemoryEc2::default();
    follow(&ec2, ChangeKind::Unknown("no ports".to_owned()));
    assert_eq!(ec2.rules_of(&sg()), None);
    follow(&ec2, ChangeKind::Authorized(vec![tcp(22, "0.0.0.0/0")]));
    follow(&ec2, ChangeKind::Authorized(vec![tcp(22, "0.0.0.0/0"), tcp(80, "::/0")]));
    assert_eq!(ingress(&ec2), [tcp(22, "0.0.0.0/0"), tcp(80, "::/0")]);
    follow(&ec2, ChangeKind::Created);
    assert_eq!(ec2.rules_of(&sg()).unwrap().len(), 4);
}

#[test]
fn a_group_made_by_an_event_has_the_egress_of_a_new_group() {
    for kind in [
        ChangeKind::Created,
        ChangeKind::Authorized(vec![tcp(22, "0.0.0.0/0")]),
        ChangeKind::Revoked(RevokedRules {
            direction: Direction::Ingress,
            removed: Removed::Rules(vec![tcp(22, "0.0.0.0/0")]),
            ids: Vec::new(),
        }),
    ] {
        let ec2 = MemoryEc2::default();
        follow(&ec2, kind.clone());
        let mut rules = ec2.rules_of(&sg()).unwrap();
        rules.retain(|rule| rule.direction() == Direction::Egress);
        assert_eq!(rules, Rule::of_new_group(), "{kind:?}");
    }
    // The rule of an event replaces one that was assumed.
    let egress = Rule::of_new_group().swap_remove(0).with_id(Some(id("sgr-1")));
    let ec2 = MemoryEc2::default();
    follow(&ec2, ChangeKind::Authorized(vec![egress.clone()]));
    let rules = ec2.rules_of(&sg()).unwrap();
    assert!(rules.len() == 2 && rules.contains(&egress), "{rules:?}");
    // Nothing is assumed of a group that was given.
    let given = ec2_with(Vec::new());
    follow(&given, ChangeKind::Authorized(vec![tcp(22, "0.0.0.0/0")]));
    assert_eq!(given.rules_of(&sg()).unwrap().len(), 1);
}

#[test]
fn a_group_made_by_events_is_forgotten_after_an_event_that_is_not_understood() {
    let made = || {
        let ec2 = MemoryEc2::default();
        let rule = tcp(443, "0.0.0.0/0").with_id(Some(id("sgr-1")));
        follow(&ec2, ChangeKind::Authorized(vec![rule]));
        ec2
    };
    let key = GroupKey::Id(sg());
    let reason = || "cut short".to_owned();
    for kind in [ChangeKind::Unknown(reason()), ChangeKind::Retagged(reason())] {
        let ec2 = made();
        follow(&ec2, kind.clone());
        assert_eq!(ec2.rules_of(&sg()), None, "{kind:?}");
        assert_eq!(ec2.rule_count(&place(), &key), None);
        // A later event makes it again.
        follow(&ec2, ChangeKind::Authorized(vec![tcp(22, "::/0")]));
        assert_eq!(ingress(&ec2), [tcp(22, "::/0")]);
    }
    let ec2 = made();
    follow(&ec2, ChangeKind::Modified(vec![modified("sgr-1")]));
    assert!(ingress(&ec2)[0].is_same_as(&tcp(22, "0.0.0.0/0")));
    assert_eq!(ec2.rule_count(&place(), &key), Some(3));
}

#[test]
fn a_group_that_was_given_stays_after_an_event_that_is_not_understood() {
    let ec2 = ec2_with(vec![tcp(443, "0.0.0.0/0")]);
    follow(&ec2, ChangeKind::Unknown("cut short".to_owned()));
    assert_eq!(ec2.rules_of(&sg()).unwrap(), [tcp(443, "0.0.0.0/0")]);
}

#[test]
fn a_group_that_an_event_names_by_its_name_is_found_by_it() {
    let ec2 = MemoryEc2::default();
    let key = named("typo3", Some("vpc-0a"));
    let kind = ChangeKind::Authorized(vec![tcp(22, "0.0.0.0/0")]);
    ec2.follow(&place(), &GroupChange { group: key.clone(), owner: None, kind });
    let found = now(ec2.group(&place(), &key)).unwrap().unwrap();
    assert!(ec2.rules_of(&found.id).unwrap().contains(&tcp(22, "0.0.0.0/0")));
}

#[test]
fn a_modified_rule_keeps_its_id_and_direction_and_tags() {
    let before = tcp(443, "203.0.113.0/24")
        .with_direction(Direction::Egress)
        .with_id(Some(id("sgr-1")))
        .with_tags([("Name".to_owned(), "updates".to_owned())].into());
    let ec2 = ec2_with(vec![before.clone()]);
    follow(&ec2, ChangeKind::Modified(vec![modified("sgr-1")]));
    let [after] = &ec2.rules_of(&sg()).unwrap()[..] else { panic!("one rule") };
    assert_eq!((after.id(), after.tags()), (before.id(), before.tags()));
    assert!(after.is_same_as(&tcp(22, "0.0.0.0/0").with_direction(Direction::Egress)));
    assert_eq!(*after.peer(), id::<Peer>("0.0.0.0/0"));
}
