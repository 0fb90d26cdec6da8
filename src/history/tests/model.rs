//! Random histories of two groups, with records shuffled, repeated and missing, held against a model
//! that knows what really happened.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::*;
use crate::ec2::{GroupKey, Place, Rule};

const CONTENTS: [(u16, &str); 5] = [
    (22, "0.0.0.0/0"),
    (22, "198.51.100.0/24"),
    (3306, "0.0.0.0/0"),
    // These comply.
    (443, "0.0.0.0/0"),
    (80, "0.0.0.0/0"),
];

/// The first of these contents that complies.
const COMPLIANT: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    Authorize(usize),
    RevokeContent(Index, bool),
    RevokeId(Index),
    Modify(Index, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let content = 0..CONTENTS.len();
    prop_oneof![
        3 => content.clone().prop_map(Step::Authorize),
        1 => (any::<Index>(), any::<bool>()).prop_map(|(rule, told)| Step::RevokeContent(rule, told)),
        1 => any::<Index>().prop_map(Step::RevokeId),
        1 => (any::<Index>(), content).prop_map(|(rule, content)| Step::Modify(rule, content)),
    ]
}

/// What really happened: a content was there from one minute to another, by these events.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Truth {
    content: usize,
    from: (i64, String),
    until: Option<(i64, String)>,
}

#[derive(Default)]
struct World {
    /// The rules that are there: their ids, and when and by which event they got their content.
    rules: BTreeMap<String, (usize, i64, String)>,
    truths: Vec<Truth>,
    /// Which rule each event removed or changed.
    touched: BTreeMap<String, String>,
    records: Vec<Value>,
}

impl World {
    fn ends(&mut self, rule: &str, minute: i64, event: &str) {
        self.touched.insert(event.to_owned(), rule.to_owned());
        if let Some((content, from, by)) = self.rules.remove(rule) {
            let until = Some((minute, event.to_owned()));
            self.truths.push(Truth { content, from: (from, by), until });
        }
    }

    fn run(steps: &[(Step, i64)]) -> Self {
        let mut world = Self::default();
        let mut minute = 0;
        for (number, (step, pause)) in steps.iter().enumerate() {
            minute += pause;
            let event = format!("event-{number:03}");
            let ids: Vec<String> = world.rules.keys().cloned().collect();
            let pick = |index: &Index| (!ids.is_empty()).then(|| index.get(&ids).clone());
            let is_there = |content| world.rules.values().any(|(other, ..)| *other == content);
            let record = match step {
                Step::Authorize(content) if !is_there(*content) => {
                    let (rule, (port, cidr)) = (format!("sgr-{number:03}"), CONTENTS[*content]);
                    world.rules.insert(rule.clone(), (*content, minute, event.clone()));
                    authorize(&event, minute, &rule, port, cidr)
                }
                Step::RevokeContent(index, told) => {
                    let Some(rule) = pick(index) else { continue };
                    let (port, cidr) = CONTENTS[world.rules[&rule].0];
                    world.ends(&rule, minute, &event);
                    let mut record = revoke(&event, minute, port, cidr);
                    if *told {
                        let told = answered(&rule, port, cidr)["securityGroupRuleSet"].clone();
                        record["responseElements"] = json!({"revokedSecurityGroupRuleSet": told});
                    }
                    record
                }
                Step::RevokeId(index) => {
                    let Some(rule) = pick(index) else { continue };
                    world.ends(&rule, minute, &event);
                    revoke_id(&event, minute, &rule)
                }
                Step::Modify(index, content) if !is_there(*content) => {
                    let Some(rule) = pick(index) else { continue };
                    let (port, cidr) = CONTENTS[*content];
                    world.ends(&rule, minute, &event);
                    world.rules.insert(rule.clone(), (*content, minute, event.clone()));
                    modify(&event, minute, &rule, port, cidr)
                }
                _ => continue,
            };
            world.records.push(record);
        }
        for (content, from, by) in world.rules.values().cloned() {
            world.truths.push(Truth { content, from: (from, by), until: None });
        }
        world.truths.retain(|truth| truth.content < COMPLIANT);
        world
    }

    fn present(&self) -> Vec<Present> {
        let group = crate::ec2::Group::known_by_id(GROUP.parse().unwrap());
        let rule = |(id, (content, ..)): (&String, &(usize, i64, String))| {
            let (port, cidr) = CONTENTS[*content];
            rule_of(port, cidr).with_id(Some(id.parse().unwrap()))
        };
        let rules = self.rules.iter().map(rule).collect();
        vec![Present { place: Place::default(), group, rules }]
    }
}

fn rule_of(port: u16, cidr: &str) -> Rule {
    let (port, direction) = (Some(i32::from(port)), crate::ec2::Direction::Ingress);
    Rule::new(direction, crate::ec2::Protocol::TCP, port, port, cidr.parse().unwrap()).unwrap()
}

fn content_of(opening: &Opening) -> usize {
    let same = |(port, cidr): &(u16, &str)| opening.rule.is_same_as(&rule_of(*port, cidr));
    CONTENTS.iter().position(same).unwrap()
}

fn minute_of(time: DateTime<Utc>) -> i64 {
    time.signed_duration_since(at(0)).num_minutes()
}

fn deed_of(deed: &Deed) -> (i64, String) {
    assert_eq!(deed.record.actor.as_deref(), Some(ALICE));
    (minute_of(deed.time), deed.record.event_id.clone().unwrap())
}

/// Shuffled and repeated, without those that `missing` names.
fn fed(records: &[Value], order: &[u32], repeated: &[bool], missing: &[bool]) -> Vec<Value> {
    let mut fed: Vec<(u32, Value)> = Vec::new();
    for (at, record) in records.iter().enumerate() {
        if missing.get(at).copied().unwrap_or(false) {
            continue;
        }
        fed.push((order.get(at).copied().unwrap_or_default(), record.clone()));
        if repeated.get(at).copied().unwrap_or(false) {
            let order = order.iter().rev().nth(at).copied().unwrap_or_default();
            // The second copy comes through EventBridge.
            fed.push((
                order,
                json!({"detail-type": "AWS API Call via CloudTrail",
                "source": "aws.ec2", "account": "123456789012", "region": "eu-central-1",
                "detail": record}),
            ));
        }
    }
    fed.sort_by_key(|(order, _)| *order);
    fed.into_iter().map(|(_, record)| record).collect()
}

const MOST: usize = 40;

fn noise() -> impl Strategy<Value = (Vec<u32>, Vec<bool>)> {
    (
        prop::collection::vec(any::<u32>(), MOST),
        prop::collection::vec(prop::bool::weighted(0.2), MOST),
    )
}

proptest! {
    #[test]
    fn with_every_record_the_history_is_the_truth(
        steps in prop::collection::vec((step(), 1..3i64), 1..MOST),
        at_once in prop::collection::vec(any::<bool>(), MOST),
        (order, repeated) in noise(),
        is_shown in any::<bool>(),
    ) {
        // Two calls may have the same time: CloudTrail knows no more than the second.
        let mut steps = steps;
        for (pair, at_once) in steps.chunks_mut(2).zip(at_once) {
            if let [_, (_, pause)] = pair && at_once {
                *pause = 0;
            }
        }
        let world = World::run(&steps);
        let present = is_shown.then(|| world.present());
        let records = fed(&world.records, &order, &repeated, &[]);
        let history = history(&records, &Lists::new(), present.as_deref());
        let mut found: Vec<Truth> = history.openings.iter().map(|opening| Truth {
            content: content_of(opening),
            from: opening.opener().map(deed_of).unwrap_or_else(|| panic!("{opening:?}")),
            until: match &opening.end {
                End::Known(deed) => Some(deed_of(deed)),
                End::Open if is_shown => None,
                End::NotSeen if !is_shown => None,
                other => panic!("{other:?}"),
            },
        }).collect();
        let mut truths = world.truths.clone();
        let key = |truth: &Truth| (truth.from.clone(), truth.content);
        found.sort_by_key(key);
        truths.sort_by_key(key);
        prop_assert_eq!(found, truths);
    }

    #[test]
    fn where_records_are_missing_nothing_wrong_is_said(
        steps in prop::collection::vec((step(), 1..3i64), 1..MOST),
        (order, repeated) in noise(),
        missing in prop::collection::vec(prop::bool::weighted(0.3), MOST),
        is_shown in any::<bool>(),
    ) {
        let world = World::run(&steps);
        let present = is_shown.then(|| world.present());
        let records = fed(&world.records, &order, &repeated, &missing);
        let history = history(&records, &Lists::new(), present.as_deref());
        for opening in &history.openings {
            let content = content_of(opening);
            let of_content = || world.truths.iter().filter(|truth| truth.content == content);
            let was_open = |minute: i64| of_content().any(|truth| {
                truth.from.0 <= minute && truth.until.as_ref().is_none_or(|(until, _)| *until >= minute)
            });
            match &opening.start {
                Start::Known(deed) => {
                    let deed = deed_of(deed);
                    prop_assert!(of_content().any(|truth| truth.from == deed), "{opening:?}");
                }
                Start::Unknown { by, .. } => {
                    prop_assert!(is_shown && minute_of(*by) == 1000 || was_open(minute_of(*by)));
                }
            }
            match &opening.end {
                End::Known(deed) => {
                    let deed = deed_of(deed);
                    let ended = |truth: &Truth| truth.until.as_ref() == Some(&deed);
                    // A call names the rule by its id alone: nobody can see that a Modify of it is
                    // missing.
                    let rule = opening.rule.id().map(|id| id.to_string());
                    let is_of_rule = rule.as_ref() == world.touched.get(&deed.1);
                    prop_assert!(of_content().any(ended) || is_of_rule, "{opening:?}");
                }
                End::Open => {
                    prop_assert!(is_shown && of_content().any(|truth| truth.until.is_none()));
                }
                End::NotSeen => prop_assert!(!is_shown),
                End::Unknown { after, by } => {
                    let (after, by) = (minute_of(*after), minute_of(*by));
                    prop_assert!(was_open(after), "{opening:?}");
                    let ended = |truth: &Truth| {
                        truth.until.as_ref().is_some_and(|(until, _)| after <= *until && *until <= by)
                    };
                    prop_assert!(of_content().any(ended), "{opening:?}");
                }
                End::Perhaps(_) => prop_assert!(!is_shown),
            }
        }
        // Nothing that the records show is left out, and what is open now is never left out.
        let is_there = |event: &str| records.iter().any(|record| {
            record["eventID"] == event || record["detail"]["eventID"] == event
        });
        for truth in &world.truths {
            let starts = history.openings.iter().filter_map(Opening::opener).map(deed_of);
            let starts = starts.filter(|start| *start == truth.from).count();
            if world.touched.contains_key(&truth.from.1) {
                // A Modify to what the rule was before looks like a change of its description.
                prop_assert!(starts <= usize::from(is_there(&truth.from.1)));
            } else {
                prop_assert_eq!(starts, usize::from(is_there(&truth.from.1)));
            }
            let open = |opening: &Opening| {
                content_of(opening) == truth.content && opening.end == End::Open
            };
            if is_shown && truth.until.is_none() {
                prop_assert_eq!(history.openings.iter().filter(|it| open(it)).count(), 1);
            }
        }
    }
}

#[test]
fn the_group_of_the_model_is_the_one_of_the_openings() {
    let world = World::run(&[(Step::Authorize(0), 1)]);
    let history = history(&world.records, &Lists::new(), None);
    assert_eq!(history.openings[0].group, GroupKey::Id(GROUP.parse().unwrap()));
    assert_eq!(history.counts.changes, 1);
}
