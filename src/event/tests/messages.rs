//! Messages of the function to itself: what is written is read back, in the same version.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::str::FromStr;

use chrono::DateTime;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::{option, sample};
use serde_json::{Value, json};

use super::super::{
    ActorType, Close, Event, FoundBy, HoldTags, Job, Kind, ListChange, ListResume, Lost, Note,
    Record, Resume, RuleToClose, Sweep, TagAction, TagChange, decode,
};
use super::schedules::scheduled;
use super::{event, lines_of};
use crate::ec2::hold::{Claim, Hold, Promise, Refusal};
use crate::ec2::{
    AccountId, Direction, GroupId, IdError, Peer, Place, Protocol, Region, Rule, RuleId,
};

const GROUP: &str = "sg-0a1b2c3d4e5f60718";

fn rule_json() -> Value {
    json!({
        "account": "123456789012", "region": "eu-central-1", "group": GROUP,
        "id": "sgr-0a1b2c3d4e5f60718", "protocol": "tcp", "from_port": 22, "to_port": 22,
        "peer": "0.0.0.0/0", "description": null, "tags": {"team": "web"}, "note": null,
        "found_by": "sweep",
    })
}

fn close_json(rule: Value) -> Value {
    json!({"close": {"change": null, "rules": [rule]}})
}

fn tags_json() -> Value {
    json!({"tags": {
        "change": {
            "event_name": "DeleteTags", "account": "123456789012", "actor_type": "person",
        },
        "groups": [GROUP], "tags": {"a": {"set": "1"}, "b": {"deleted": null}},
        "all_deleted": false,
    }})
}

#[test]
fn members_of_another_version_of_the_function_are_left_out() {
    let mut rule = rule_json();
    rule["of a later version"] = json!(true);
    for absent in ["description", "note"] {
        rule.as_object_mut().unwrap().remove(absent);
    }
    let payload = json!({"close": {
        "change": {
            "event_name": "ModifySecurityGroupRules",
            "event_id": "2a7d9e40-b6c3-4e18-8f5a-d90c1e7b3f68",
            "time": "2026-11-02T11:59:19+00:00",
            "actor": "arn:aws:iam::123456789012:user/deployer",
            "of a later version": {"more": [1]},
        },
        "rules": [rule],
    }});
    let Event { record, kind: Kind::Job(Job::Close(close)), .. } = event(&payload) else {
        panic!("a close")
    };
    assert_eq!(record.event_name.as_deref(), Some("ModifySecurityGroupRules"));
    assert_eq!(record.event_id.as_deref(), Some("2a7d9e40-b6c3-4e18-8f5a-d90c1e7b3f68"));
    assert_eq!(record.actor.as_deref(), Some("arn:aws:iam::123456789012:user/deployer"));
    assert_eq!(record.time, Some("2026-11-02T11:59:19Z".parse().unwrap()));
    assert_eq!(record.region, None);
    let [one] = &close.rules[..] else { panic!("one rule") };
    assert_eq!(one.rule.id().unwrap().as_str(), "sgr-0a1b2c3d4e5f60718");
    assert_eq!(one.rule.tags()["team"], "web");
    assert_eq!((one.rule.description(), one.note.as_ref()), (None, None));
    assert_eq!(one.found_by, FoundBy::Sweep);
}

#[test]
fn a_message_is_written_with_its_version() {
    let record = Record { event_id: Some("e-1".to_owned()), ..Record::default() };
    let sweep = Job::Sweep(Sweep::default()).to_payloads(&record, 1);
    assert_eq!(
        sweep,
        [(
            json!({"version": 1, "depth": 1, "sweep": {"accounts": [], "regions": [], "resume": {
                "places_done": 0, "page": null, "groups_done": [], "again": [],
            }}}),
            0
        )]
    );
    let Kind::Job(close) = event(&close_json(rule_json())).kind else { panic!("a close") };
    let [(payload, 1)] = &close.to_payloads(&record, 1)[..] else { panic!("one payload") };
    assert_eq!(payload["version"], 1);
    assert_eq!(payload["close"]["change"]["event_id"], "e-1");
    assert_eq!(payload["close"]["rules"], json!([rule_json()]));

    let Event { record, kind: Kind::Job(tags), .. } = event(&tags_json()) else { panic!("tags") };
    let [(payload, 1)] = &tags.to_payloads(&record, 1)[..] else { panic!("one payload") };
    assert_eq!(payload["version"], 1);
    let mut written = payload["tags"].clone();
    let change = written["change"].as_object_mut().unwrap();
    change.retain(|_, value| !value.is_null());
    assert_eq!(written, tags_json()["tags"]);
}

#[test]
fn a_message_without_a_version_is_of_the_first() {
    for mut payload in [close_json(rule_json()), tags_json()] {
        let before = event(&payload);
        assert!(matches!(before.kind, Kind::Job(_)));
        for version in [json!(1), Value::Null] {
            payload["version"] = version;
            assert_eq!(event(&payload), before);
        }
    }
}

#[test]
fn a_message_of_another_version_has_its_groups_audited() {
    let reason = "the message has version `2`, but this function reads version 1 only";
    for (mut payload, kind) in [(close_json(rule_json()), "unknown"), (tags_json(), "retagged")] {
        payload["version"] = json!(2);
        assert_eq!(lines_of(&payload), [format!("{GROUP}: {kind}: {reason}")]);
    }
    for task in ["close", "tags", "hold_tags", "list", "lost", "sweep", "holds"] {
        let payload = json!({"version": 2, task: {"new": true}});
        assert_eq!(lines_of(&payload), [format!("undecodable: {reason}")]);
    }
}

#[test]
fn a_message_that_is_not_understood_has_its_groups_audited() {
    let with = |name: &str, value: Value| {
        let mut rule = rule_json();
        rule[name] = value;
        close_json(rule)
    };
    let start = "the message of an earlier invocation is not understood: ";
    for (payload, reason) in [
        (with("peer", json!("everybody")), "`everybody` is not a peer: "),
        (with("protocol", json!("tpc")), "`tpc` is not a protocol: "),
        (with("from_port", json!(90_000)), "tcp has no ports 90000 to 22"),
        (with("found_by", json!("x")), "unknown variant `x`, expected one of "),
        (with("id", json!("sgr-x y")), "`sgr-x y` is not the id of a security group rule: "),
        (with("account", json!("1")), "`1` is not an account id: "),
        (with("region", json!("Frankfurt")), "`Frankfurt` is not an AWS region: "),
        (with("note", json!("It is older.")), "unknown variant `It is older.`"),
    ] {
        let lines = lines_of(&payload);
        let expected = format!("{GROUP}: unknown: {start}{reason}");
        assert!(lines.len() == 1 && lines[0].starts_with(&expected), "{lines:?}");
    }
    let mut tags = tags_json();
    tags["tags"]["tags"]["a"] = json!({"kept": "1"});
    assert!(lines_of(&tags)[0].starts_with(&format!("{GROUP}: retagged: {start}")));

    for payload in [
        json!({"close": {}}),
        json!({"close": []}),
        json!({"close": {"rules": []}}),
        with("group", json!("--all")),
        json!({"tags": {"groups": [], "tags": {}, "all_deleted": true}}),
    ] {
        let lines = lines_of(&payload);
        let start = "undecodable: the message of an earlier invocation ";
        assert!(lines.len() == 1 && lines[0].starts_with(start), "{lines:?}");
    }
}

/// Nobody can make a part of a CloudTrail record a message by adding a word to it.
#[test]
fn a_close_beside_something_else_is_not_one() {
    for task in ["close", "tags", "hold_tags", "list", "lost"] {
        for beside in ["groupId", "sweep", "x"] {
            let payload = json!({task: {"groups": [GROUP]}, beside: {}});
            let expected = format!("{GROUP}: unknown: the event does not say which call it is");
            assert_eq!(lines_of(&payload), [expected], "{payload}");
        }
    }
}

#[test]
fn the_rules_of_a_close_are_sorted_by_group_and_read_once() {
    let rule = |group: &str, port: u16, found_by: &str| {
        let mut rule = rule_json();
        rule["group"] = json!(group);
        (rule["from_port"], rule["to_port"]) = (json!(port), json!(port));
        rule["found_by"] = json!(found_by);
        rule
    };
    let rules = [
        rule("sg-2", 22, "sweep"),
        rule("sg-1", 22, "holds"),
        rule("sg-2", 23, "sweep"),
        rule("sg-1", 23, "sweep"),
        rule("sg-2", 22, "sweep"),
        rule("sg-1", 22, "sweep"),
    ];
    let payload = json!({"close": {"rules": rules}});
    let Kind::Job(Job::Close(close)) = event(&payload).kind else { panic!("a close") };
    let groups = close.by_group().map(|rules| {
        let ports = rules.iter().map(|one| one.rule.from_port().unwrap());
        (rules[0].group.to_string(), ports.collect::<Vec<_>>())
    });
    let expected = [("sg-1", vec![23, 22]), ("sg-2", vec![22, 23])];
    let expected = expected.map(|(group, ports)| (group.to_owned(), ports));
    assert_eq!(groups.collect::<Vec<_>>(), expected);
}

#[test]
fn rules_found_in_different_ways_are_apart() {
    let mut other = rule_json();
    other["peer"] = json!("::/0");
    other["found_by"] = json!("leaving");
    let payload = json!({"close": {"rules": [other, rule_json()]}});
    let Kind::Job(Job::Close(close)) = event(&payload).kind else { panic!("a close") };
    let found_by: Vec<FoundBy> = close.by_group().map(|rules| rules[0].found_by).collect();
    assert_eq!(found_by, [FoundBy::Sweep, FoundBy::Leaving]);
}

#[test]
fn a_large_message_becomes_several_payloads() {
    let long = |letter: &str| letter.repeat(255);
    let record = Record { user_agent: Some("\u{1}".repeat(1024)), ..Record::default() };
    let rule = |n: u32| RuleToClose {
        place: Place::default(),
        group: GROUP.parse().unwrap(),
        rule: Rule::new(
            Direction::Ingress,
            Protocol::TCP,
            Some(22),
            Some(22),
            format!("10.{}.{}.0/24", n / 250, n % 250).parse().unwrap(),
        )
        .unwrap()
        .with_description(Some(long("x"))),
        note: None,
        found_by: FoundBy::Sweep,
        promise: None,
        claim: None,
    };
    let rules: Vec<_> = (0..1_000).map(rule).collect();
    let close = Job::Close(Close { rules: rules.clone(), occasion: None });
    let payloads = close.to_payloads(&record, 1);
    assert!(payloads.len() > 1);
    let mut read = Vec::new();
    for (payload, count) in &payloads {
        assert!(payload.to_string().len() <= 200 * 1024);
        let part = event(payload);
        assert_eq!(part.record, record);
        let Kind::Job(Job::Close(part)) = part.kind else { panic!("a close") };
        assert_eq!(part.rules.len(), *count);
        read.extend(part.rules);
    }
    assert_eq!(read, rules);

    let groups: Vec<GroupId> = (0..1_000).map(|n| format!("sg-{n:017}").parse().unwrap()).collect();
    let tags = (0..500).map(|n| (format!("{n}"), TagAction::Set(long("\u{fc}"))));
    let change = TagChange { groups: groups.clone(), tags: tags.collect(), all_deleted: false };
    let payloads = Job::Tags(change.clone()).to_payloads(&record, 1);
    assert!(payloads.len() > 1);
    let mut read = BTreeSet::new();
    for (payload, count) in &payloads {
        assert!(payload.to_string().len() <= 200 * 1024);
        let Kind::Job(Job::Tags(part)) = event(payload).kind else { panic!("tags") };
        assert_eq!(part.groups.len(), *count);
        for key in part.tags.keys() {
            read.extend(part.groups.iter().map(|group| (group.clone(), key.clone())));
        }
    }
    assert_eq!(read.len(), groups.len() * change.tags.len());
}

#[test]
fn a_message_without_rules_or_groups_is_no_payload() {
    let record = Record::default();
    assert!(Job::Close(Close::default()).to_payloads(&record, 1).is_empty());
    let tags = TagChange { groups: Vec::new(), tags: BTreeMap::new(), all_deleted: true };
    assert!(Job::Tags(tags).to_payloads(&record, 1).is_empty());
}

fn any_id<T: FromStr<Err = IdError> + Debug>(form: &'static str) -> impl Strategy<Value = T> {
    form.prop_map(|id: String| id.parse::<T>().unwrap())
}

fn any_account() -> impl Strategy<Value = AccountId> {
    any_id("[0-9]{12}")
}

fn any_region() -> impl Strategy<Value = Region> {
    any_id("[a-z]{2}-[a-z]{4,9}-[1-9]")
}

fn any_group() -> impl Strategy<Value = GroupId> {
    any_id("sg-[0-9a-f]{8,17}")
}

fn any_sweep() -> impl Strategy<Value = Sweep> {
    let page = option::of(any::<String>());
    let done = vec(any_group(), 0..3);
    let again = vec(any::<usize>(), 0..3);
    let began =
        option::of((0..4_000_000_000_i64).prop_map(|at| DateTime::from_timestamp(at, 0).unwrap()));
    let counts = (any::<usize>(), any::<usize>());
    let names = (option::of(any::<String>()), option::of(any::<String>()));
    let resume = (counts, page, done, again, any::<[bool; 2]>(), began, names).prop_map(
        |((places_done, groups), page, groups_done, again, [missed, forgot], began, names)| {
            let (sweep, settings) = names;
            Resume {
                began,
                groups,
                missed,
                forgot,
                places_done,
                page,
                groups_done,
                again,
                settings,
                sweep,
            }
        },
    );
    (vec(any_account(), 0..4), vec(any_region(), 0..4), resume)
        .prop_map(|(accounts, regions, resume)| Sweep { accounts, regions, resume, schedule: None })
}

fn any_record() -> impl Strategy<Value = Record> {
    let text = || option::of("[^A]{0,9}");
    let time = option::of(0..4_000_000_000_i64);
    let texts = (text(), text(), text(), text(), text(), text());
    (texts, time, option::of(any_account()), option::of(any_region())).prop_map(
        |(texts, time, account, region)| {
            let (event_name, event_id, shared_event_id, actor, source_ip, user_agent) = texts;
            let actor_type = actor.as_ref().map_or(ActorType::Unknown, |_| ActorType::Person);
            Record {
                event_name,
                event_id,
                shared_event_id,
                time: time.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
                account,
                region,
                actor,
                source_ip,
                user_agent,
                actor_type,
            }
        },
    )
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let peers = vec!["0.0.0.0/0", "2001:db8::/32", "sg-1", "010987654321/sg-1", "pl-1"];
    let peer = sample::select(peers).prop_map(|peer| peer.parse::<Peer>().unwrap());
    let ports = prop_oneof![
        (0..=22_i32, 22..=65_535_i32).prop_map(|(from, to)| (Protocol::TCP, Some(from), Some(to))),
        (0..=255_i32, -1..=255_i32).prop_map(|(kind, code)| (
            Protocol::ICMP,
            Some(kind),
            Some(code)
        )),
        Just((Protocol::All, None, None)),
        (59..=255_u8, option::of(any::<i32>())).prop_map(|(number, port)| (
            Protocol::Number(number),
            port,
            None
        )),
    ];
    let tags = btree_map(any::<String>(), any::<String>(), 0..3);
    let id = option::of(any_id::<RuleId>("sgr-[0-9a-f]{17}"));
    (peer, ports, id, option::of(any::<String>()), tags).prop_map(
        |(peer, (protocol, from, to), id, description, tags)| {
            let rule = Rule::new(Direction::Ingress, protocol, from, to, peer).unwrap();
            rule.with_id(id).with_description(description).with_tags(tags)
        },
    )
}

fn any_rule_to_close() -> impl Strategy<Value = RuleToClose> {
    let note = prop_oneof![
        "[^A]{0,9}".prop_map(Note::NotUnderstood),
        Just(Note::EnteredScope),
        Just(Note::LeftScope),
        Just(Note::DirectionAssumed),
        "[^A]{0,9}".prop_map(Note::Lost),
        "[^A]{0,9}".prop_map(Note::TagsNotUnderstood),
        any_id("pl-[0-9a-f]{17}").prop_map(Note::ListChanged),
    ];
    let found_by = sample::select(vec![
        FoundBy::Sweep,
        FoundBy::Change,
        FoundBy::Holds,
        FoundBy::Leaving,
        FoundBy::Tagging,
        FoundBy::Lost,
    ]);
    let place = (option::of(any_account()), option::of(any_region()))
        .prop_map(|(account, region)| Place { account, region });
    let hold = ("[^A]{0,9}").prop_map(|reason| Hold { until: DateTime::UNIX_EPOCH, reason });
    let promise = (option::of(hold), option::of("[^A]{0,9}")).prop_map(|(hold, actor)| Promise {
        hold,
        actor,
        since: DateTime::UNIX_EPOCH,
    });
    let claim = sample::select(vec![
        Claim::None,
        Claim::Over(Hold { until: DateTime::UNIX_EPOCH, reason: "vendor".to_owned() }),
        Claim::Refused(Refusal::TooLong { until: DateTime::UNIX_EPOCH, max_hours: 8 }),
        Claim::Refused(Refusal::NotATime("soon".to_owned())),
        Claim::Refused(Refusal::Modified),
    ]);
    let kept = (option::of(promise), option::of(claim));
    (place, any_group(), any_rule(), option::of(note), found_by, kept).prop_map(
        |(place, group, rule, note, found_by, (promise, claim))| RuleToClose {
            place,
            group,
            rule,
            note,
            found_by,
            promise,
            claim,
        },
    )
}

/// Sorted as they are when they are read.
fn any_close() -> impl Strategy<Value = Close> {
    vec(any_rule_to_close(), 1..5).prop_map(|mut rules| {
        rules.sort_by(|one, other| one.key().cmp(&other.key()));
        let mut distinct = BTreeSet::new();
        rules.retain(|one| distinct.insert((one.group.clone(), one.rule.content())));
        Close { rules, occasion: None }
    })
}

fn any_tag_change() -> impl Strategy<Value = TagChange> {
    let action = prop_oneof![
        any::<String>().prop_map(TagAction::Set),
        option::of(any::<String>()).prop_map(TagAction::Deleted),
    ];
    (vec(any_group(), 1..4), btree_map(any::<String>(), action, 0..4))
        .prop_map(|(groups, tags)| TagChange { groups, all_deleted: tags.is_empty(), tags })
}

fn any_hold_tags() -> impl Strategy<Value = HoldTags> {
    (vec(any_id::<RuleId>("sgr-[0-9a-f]{17}"), 1..4), option::of("[^A]{0,9}"))
        .prop_map(|(rules, unread)| HoldTags { rules, unread })
}

fn any_lost() -> impl Strategy<Value = Lost> {
    ("[^A]{0,9}", any::<bool>(), any_sweep()).prop_map(|(reason, is_of_tags, sweep)| Lost {
        reason,
        is_of_tags,
        resume: sweep.resume,
    })
}

fn any_list_change() -> impl Strategy<Value = (ListChange, ListResume)> {
    let net = any::<([u8; 4], u8)>().prop_map(|(address, length)| {
        ipnet::IpNet::new(address.into(), length % 33).unwrap().trunc()
    });
    let name = option::of(any::<String>());
    let nets = (vec(net.clone(), 0..4), option::of(vec(net, 0..4)));
    let change = (any_id("pl-[0-9a-f]{17}"), name, option::of(any::<i64>()), nets);
    (change, any::<bool>(), option::of(any::<String>())).prop_map(
        |((list, name, version_before, (added, removed)), ingress_done, page)| {
            let restored = version_before;
            let change = ListChange { list, name, version_before, added, removed, restored };
            (change, ListResume { ingress_done, page })
        },
    )
}

fn any_message() -> impl Strategy<Value = Job> {
    prop_oneof![
        any_hold_tags().prop_map(Job::HoldTags),
        any_lost().prop_map(Job::Lost),
        any_sweep().prop_map(|mut sweep| {
            // A sweep of several accounts is refused.
            sweep.accounts.truncate(1);
            Job::Sweep(sweep)
        }),
        any_sweep().prop_map(Job::Holds),
        any_close().prop_map(Job::Close),
        any_tag_change().prop_map(Job::Tags),
        any_list_change().prop_map(|(change, resume)| Job::List(change, resume)),
    ]
}

proptest! {
    #[test]
    fn a_message_that_is_written_is_read_back(
        message in any_message(),
        record in any_record(),
        depth in any::<u32>(),
    ) {
        let payloads = message.to_payloads(&record, depth);
        let is_schedule = matches!(message, Job::Sweep(_) | Job::Holds(_));
        let record = if is_schedule { Record::default() } else { record };
        let expected = [Event { depth, ..Event::new(record, Kind::Job(message)) }];
        prop_assert_eq!(payloads.len(), 1);
        let payload = payloads[0].0.to_string();
        prop_assert_eq!(&decode(payload.as_bytes())[..], &expected);
        let queued = json!({"Records": [{"messageId": "1", "body": payload}]});
        let mut read = decode(queued.to_string().as_bytes());
        // The queue's message names a schedule, which has no id of its own.
        let delivery = if is_schedule { read[0].record.event_id.take() } else { None };
        prop_assert_eq!(delivery.as_deref(), is_schedule.then_some("1"));
        prop_assert_eq!(&read[..], &expected);
        if is_schedule {
            let scheduled = scheduled(json!(payload)).to_string();
            let [Event { record, kind, .. }] = &decode(scheduled.as_bytes())[..] else { panic!() };
            prop_assert_eq!(kind, &expected[0].kind);
            // The envelope is no change, and tells when.
            prop_assert_eq!(record, &Record { time: record.time, ..Record::default() });
        }
    }
}
