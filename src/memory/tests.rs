//! The in-memory EC2 held against what EC2 does.

use super::*;
use crate::audit::{Revoked, SecurityGroups};
use crate::ec2::{Direction, Protocol, rules_of_new_group};
use crate::event::{ChangeKind, ModifiedRule, Record, RevokedRules, SgChange};
use crate::net::GroupRef;

const GROUP: &str = "sg-0123456789abcdef0";

/// Polls a future that never waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("the memory never waits"),
    }
}

fn place() -> Place {
    Place { account: Some("123456789012".to_owned()), region: Some("eu-central-1".to_owned()) }
}

fn group(id: &str, name: &str) -> Group {
    Group { id: id.to_owned(), name: Some(name.to_owned()), ..Group::default() }
}

fn tcp(port: i32, peer: &str) -> Rule {
    let peer = peer.parse().unwrap();
    Rule::new(Direction::Ingress, Protocol::TCP, Some(port), Some(port), peer).unwrap()
}

fn ec2_with(rules: Vec<Rule>) -> MemoryEc2 {
    MemoryEc2::new([(place(), group(GROUP, "typo3"), rules)], Lists::new())
}

fn change(kind: ChangeKind) -> SgChange {
    let record = Record { account: place().account, region: place().region, ..Record::default() };
    SgChange { record, group: GroupKey::Id(GROUP.to_owned()), kind }
}

/// The rule of this id, made tcp 22 from anywhere.
fn modified(id: &str) -> ModifiedRule {
    ModifiedRule {
        id: id.to_owned(),
        protocol: Protocol::TCP,
        from_port: Some(22),
        to_port: Some(22),
        peer: "0.0.0.0/0".parse().unwrap(),
        description: None,
    }
}

fn ingress(ec2: &MemoryEc2) -> Vec<Rule> {
    let mut rules = ec2.rules_of(GROUP).unwrap();
    rules.retain(|rule| rule.direction == Direction::Ingress);
    rules
}

#[test]
fn a_rule_that_is_there_already_is_a_duplicate_whatever_its_description() {
    let ec2 = ec2_with(vec![tcp(22, "203.0.113.0/24")]);
    let mut same = tcp(22, "203.0.113.0/24");
    same.description = Some("office".to_owned());
    assert_eq!(now(ec2.authorize(&place(), GROUP, &same)), Err(Ec2Error::Duplicate));
    assert_eq!(now(ec2.authorize(&place(), GROUP, &tcp(22, "203.0.113.0/25"))), Ok(()));
    assert_eq!(
        ec2.take_calls(),
        [
            format!(
                "AuthorizeSecurityGroupIngress {GROUP} tcp 22 from 203.0.113.0/24 \
                 (InvalidPermission.Duplicate)"
            ),
            format!("AuthorizeSecurityGroupIngress {GROUP} tcp 22 from 203.0.113.0/25"),
        ]
    );
    assert!(ec2.take_calls().is_empty());
}

#[test]
fn a_new_rule_gets_an_id_of_its_own() {
    let ec2 = ec2_with(Vec::new());
    now(ec2.authorize(&place(), GROUP, &tcp(80, "0.0.0.0/0"))).unwrap();
    now(ec2.authorize(&place(), GROUP, &tcp(80, "::/0"))).unwrap();
    let ids: Vec<_> = ec2.rules_of(GROUP).unwrap().into_iter().map(|rule| rule.id).collect();
    assert!(ids.iter().all(|id| id.as_deref().unwrap().starts_with("sgr-")));
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn a_rule_is_revoked_by_its_content() {
    let mut described = tcp(22, "0.0.0.0/0");
    described.description = Some("temporary".to_owned());
    let ec2 = ec2_with(vec![described, tcp(443, "0.0.0.0/0")]);
    let all = Rule::new(
        Direction::Ingress,
        Protocol::TCP,
        Some(0),
        Some(65535),
        "0.0.0.0/0".parse().unwrap(),
    )
    .unwrap();
    assert_eq!(now(ec2.revoke(&place(), GROUP, &all)), Ok(Revoked::NothingThere));
    assert_eq!(now(ec2.revoke(&place(), GROUP, &tcp(22, "0.0.0.0/0"))), Ok(Revoked::Proven));
    assert_eq!(now(ec2.revoke(&place(), GROUP, &tcp(22, "0.0.0.0/0"))), Ok(Revoked::NothingThere));
    assert_eq!(ec2.rules_of(GROUP).unwrap(), [tcp(443, "0.0.0.0/0")]);
}

#[test]
fn a_group_of_the_same_account_is_the_same_with_and_without_the_account() {
    let peer = |account: Option<&str>| {
        Peer::Reference(Reference::Group(GroupRef {
            account: account.map(str::to_owned),
            id: "sg-0fedcba9876543210".to_owned(),
        }))
    };
    let rule = |account| {
        Rule::new(Direction::Ingress, Protocol::TCP, Some(22), Some(22), peer(account)).unwrap()
    };
    let ec2 = ec2_with(vec![rule(Some("123456789012"))]);
    assert_eq!(ec2.rules_of(GROUP).unwrap(), [rule(None)]);
    assert_eq!(now(ec2.authorize(&place(), GROUP, &rule(None))), Err(Ec2Error::Duplicate));
    assert_eq!(now(ec2.authorize(&place(), GROUP, &rule(Some("210987654321")))), Ok(()));
}

#[test]
fn a_group_that_is_not_there_is_not_found() {
    let ec2 = ec2_with(Vec::new());
    let elsewhere = Place { region: Some("us-east-1".to_owned()), ..place() };
    let key = GroupKey::Id(GROUP.to_owned());
    assert_eq!(now(ec2.group(&elsewhere, &key)), Ok(None));
    assert!(now(ec2.group(&Place::default(), &key)).unwrap().is_some());
    assert_eq!(now(ec2.rules(&place(), &group("sg-1", "x"))), Ok(Vec::new()));
    let rule = tcp(22, "0.0.0.0/0");
    let not_found = |result: Result<_, Ec2Error>| matches!(result, Err(Ec2Error::NotFound { .. }));
    assert!(not_found(now(ec2.authorize(&place(), "sg-1", &rule))));
    assert!(not_found(now(ec2.revoke(&place(), "sg-1", &rule)).map(|_| ())));
}

#[test]
fn a_name_finds_the_only_group_that_has_it() {
    let held = [("sg-1", "default"), ("sg-2", "default"), ("sg-3", "typo3")]
        .map(|(id, name)| (place(), group(id, name), Vec::new()));
    let ec2 = MemoryEc2::new(held, Lists::new());
    let find = |name: &str| now(ec2.group(&place(), &GroupKey::Name(name.to_owned())));
    assert_eq!(find("typo3").unwrap().unwrap().id, "sg-3");
    assert_eq!(find("none").unwrap(), None);
    assert!(matches!(find("default"), Err(Ec2Error::Refused { .. })));
}

#[test]
fn the_limit_counts_each_direction_and_family_by_itself() {
    let mut egress = tcp(25, "0.0.0.0/0");
    egress.direction = Direction::Egress;
    let rules = vec![tcp(1, "0.0.0.0/0"), tcp(2, "sg-0fedcba9876543210"), egress];
    let ec2 = ec2_with(rules).with_rule_limit(2);
    let authorize = |rule| now(ec2.authorize(&place(), GROUP, &rule));
    assert_eq!(authorize(tcp(3, "0.0.0.0/0")), Err(Ec2Error::LimitExceeded));
    assert_eq!(authorize(tcp(3, "sg-00000000000000001")), Err(Ec2Error::LimitExceeded));
    assert_eq!(authorize(tcp(3, "::/0")), Ok(()));
    assert_eq!(authorize(tcp(4, "::/0")), Err(Ec2Error::LimitExceeded));
}

#[test]
fn a_prefix_list_counts_as_often_as_it_has_entries() {
    let list = ["198.51.100.0/24", "192.0.2.0/24", "203.0.113.0/24"].map(|e| e.parse().unwrap());
    let lists = Lists::from([("pl-1".to_owned(), Ok(list.to_vec()))]);
    let ec2 =
        MemoryEc2::new([(place(), group(GROUP, "typo3"), Vec::new())], lists).with_rule_limit(3);
    let authorize = |rule| now(ec2.authorize(&place(), GROUP, &rule));
    assert_eq!(authorize(tcp(22, "pl-1")), Ok(()));
    assert_eq!(authorize(tcp(23, "0.0.0.0/0")), Err(Ec2Error::LimitExceeded));
    assert_eq!(authorize(tcp(23, "::/0")), Ok(()));
    assert_eq!(now(ec2.prefix_list(&place(), "pl-1")).unwrap().entries, list);
    assert!(matches!(now(ec2.prefix_list(&place(), "pl-2")), Err(Ec2Error::NotFound { .. })));
}

#[test]
fn an_event_makes_the_group_that_it_tells_of() {
    let ec2 = MemoryEc2::new([], Lists::new());
    ec2.apply(&change(ChangeKind::Unknown("no ports".to_owned())));
    assert_eq!(ec2.rules_of(GROUP), None);
    ec2.apply(&change(ChangeKind::Authorized(vec![tcp(22, "0.0.0.0/0")])));
    ec2.apply(&change(ChangeKind::Authorized(vec![tcp(22, "0.0.0.0/0"), tcp(80, "::/0")])));
    assert_eq!(ingress(&ec2), [tcp(22, "0.0.0.0/0"), tcp(80, "::/0")]);
    ec2.apply(&change(ChangeKind::Created));
    assert_eq!(ec2.rules_of(GROUP).unwrap().len(), 4);
}

#[test]
fn a_group_that_only_an_event_tells_of_has_the_egress_of_a_new_one() {
    for kind in [
        ChangeKind::Created,
        ChangeKind::Authorized(vec![tcp(22, "0.0.0.0/0")]),
        ChangeKind::Revoked(RevokedRules { direction: Direction::Ingress, rules: None }),
    ] {
        let ec2 = MemoryEc2::new([], Lists::new());
        ec2.apply(&change(kind.clone()));
        let mut rules = ec2.rules_of(GROUP).unwrap();
        rules.retain(|rule| rule.direction == Direction::Egress);
        assert_eq!(rules, rules_of_new_group(), "{kind:?}");
    }
    let mut told = rules_of_new_group().swap_remove(0);
    told.id = Some("sgr-1".to_owned());
    let ec2 = MemoryEc2::new([], Lists::new());
    ec2.apply(&change(ChangeKind::Authorized(vec![told.clone()])));
    let rules = ec2.rules_of(GROUP).unwrap();
    assert!(rules.len() == 2 && rules.contains(&told), "{rules:?}");
    let given = ec2_with(Vec::new());
    given.apply(&change(ChangeKind::Authorized(vec![tcp(22, "0.0.0.0/0")])));
    assert_eq!(given.rules_of(GROUP).unwrap().len(), 1);
}

#[test]
fn of_a_group_that_only_events_tell_of_nothing_is_known_after_one_that_is_not_understood() {
    let told = || {
        let ec2 = MemoryEc2::new([], Lists::new());
        let mut rule = tcp(443, "0.0.0.0/0");
        rule.id = Some("sgr-1".to_owned());
        ec2.apply(&change(ChangeKind::Authorized(vec![rule])));
        ec2
    };
    let known = modified("sgr-1");
    let portless = ModifiedRule { from_port: Some(23), ..modified("sgr-1") };
    for kind in [
        ChangeKind::Unknown("cut short".to_owned()),
        ChangeKind::Modified(vec![portless, known.clone()]),
    ] {
        let ec2 = told();
        ec2.apply(&change(kind.clone()));
        assert_eq!(ec2.rules_of(GROUP), None, "{kind:?}");
        assert_eq!(ec2.rule_count(&change(kind)), None);
        // A later event tells of it again.
        ec2.apply(&change(ChangeKind::Authorized(vec![tcp(22, "::/0")])));
        assert_eq!(ingress(&ec2), [tcp(22, "::/0")]);
    }
    let ec2 = told();
    let kind = ChangeKind::Modified(vec![known]);
    ec2.apply(&change(kind.clone()));
    assert_eq!(ingress(&ec2)[0].selector(), tcp(22, "0.0.0.0/0").selector());
    assert_eq!(ec2.rule_count(&change(kind)), Some(3));
}

#[test]
fn a_group_that_was_given_stays_whatever_an_event_says() {
    let ec2 = ec2_with(vec![tcp(443, "0.0.0.0/0")]);
    ec2.apply(&change(ChangeKind::Unknown("cut short".to_owned())));
    assert_eq!(ec2.rules_of(GROUP).unwrap(), [tcp(443, "0.0.0.0/0")]);
}

#[test]
fn a_group_known_by_its_name_only_is_found_by_it() {
    let ec2 = MemoryEc2::new([], Lists::new());
    let key = GroupKey::Name("typo3".to_owned());
    let kind = ChangeKind::Authorized(vec![tcp(22, "0.0.0.0/0")]);
    ec2.apply(&SgChange { group: key.clone(), ..change(kind) });
    let found = now(ec2.group(&place(), &key)).unwrap().unwrap();
    assert!(found.id.starts_with("sg-"));
    assert!(ec2.rules_of(&found.id).unwrap().contains(&tcp(22, "0.0.0.0/0")));
}

#[test]
fn a_modified_rule_keeps_its_id_and_direction_and_tags() {
    let mut before = tcp(443, "203.0.113.0/24");
    before.direction = Direction::Egress;
    before.id = Some("sgr-1".to_owned());
    before.tags.insert("Name".to_owned(), "updates".to_owned());
    let ec2 = ec2_with(vec![before.clone()]);
    ec2.apply(&change(ChangeKind::Modified(vec![modified("sgr-1")])));
    let rules = ec2.rules_of(GROUP).unwrap();
    assert_eq!(rules[0].id, before.id);
    assert_eq!(rules[0].direction, Direction::Egress);
    assert_eq!(rules[0].tags, before.tags);
    assert_eq!(rules[0].selector(), tcp(22, "0.0.0.0/0").selector());
    assert_eq!(rules.len(), 1);
}
