//! A plan's verdict is the verdict on the group after the plan's resources are applied.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::SHOP;
use crate::audit::GroupCheck;
use crate::baseline::Lists;
use crate::declared::plan;
use crate::ec2::{Direction, Group, GroupId, Place, Rule, SecurityGroups};
use crate::evaluate::Code;
use crate::finding::Report;
use crate::memory::MemoryEc2;
use crate::settings::{Names, RawSettings, Settings};

/// A rule, where it is declared, and what the plan does with it.
#[derive(Clone, Debug)]
struct Slot {
    egress: bool,
    protocol: &'static str,
    ports: (i32, i32),
    cidr: &'static str,
    is_block: bool,
    before: bool,
    after: bool,
}

impl Slot {
    fn rule(&self) -> Rule {
        let direction = if self.egress { Direction::Egress } else { Direction::Ingress };
        let protocol = self.protocol.parse().unwrap();
        let (from, to) = self.ports;
        Rule::new(direction, protocol, Some(from), Some(to), self.cidr.parse().unwrap()).unwrap()
    }

    fn block(&self) -> Value {
        let family = if self.cidr.contains(':') { "ipv6_cidr_blocks" } else { "cidr_blocks" };
        json!({"protocol": self.protocol, "from_port": self.ports.0, "to_port": self.ports.1, family: [self.cidr]})
    }

    fn resource(&self, at: usize) -> Value {
        let family = if self.cidr.contains(':') { "cidr_ipv6" } else { "cidr_ipv4" };
        let values = json!({"ip_protocol": self.protocol, "from_port": self.ports.0,
            "to_port": self.ports.1, family: self.cidr, "security_group_id": SHOP});
        let kind = match self.egress {
            true => "aws_vpc_security_group_egress_rule",
            false => "aws_vpc_security_group_ingress_rule",
        };
        let action = match (self.before, self.after) {
            (true, true) => "no-op",
            (true, false) => "delete",
            (false, _) => "create",
        };
        let when = |is: bool| if is { values.clone() } else { Value::Null };
        json!({"address": format!("{kind}.x[{at}]"), "mode": "managed", "type": kind, "name": "x", "index": at,
            "change": {"actions": [action], "before": when(self.before), "after": when(self.after), "after_unknown": {}}})
    }
}

fn slot() -> impl Strategy<Value = Slot> {
    let ports =
        prop::sample::select(vec![(22, 22), (443, 443), (80, 443), (0, 65535), (3306, 3306)]);
    let cidr = prop::sample::select(vec![
        "0.0.0.0/0",
        "0.0.0.0/1",
        "203.0.113.0/24",
        "198.51.100.7/32",
        "10.0.0.0/8",
        "::/0",
        "2001:db8:1::/48",
    ]);
    let protocol = prop::sample::select(vec!["tcp", "udp", "-1", "6", "50"]);
    (any::<bool>(), protocol, ports, cidr, any::<(bool, bool, bool)>()).prop_map(
        |(egress, protocol, ports, cidr, (is_block, before, after))| Slot {
            egress,
            protocol,
            ports,
            cidr,
            is_block,
            before,
            after,
        },
    )
}

/// Slots of different contents: EC2 has no rule twice.
fn slots() -> impl Strategy<Value = Vec<Slot>> {
    prop::collection::vec(slot(), 0..7).prop_map(|slots| {
        let mut met = BTreeSet::new();
        slots.into_iter().filter(|slot| met.insert(slot.rule().content())).collect()
    })
}

fn plan_of(slots: &[Slot]) -> String {
    let blocks = |egress, when: fn(&Slot) -> bool| -> Vec<Value> {
        let of = |slot: &&Slot| slot.is_block && slot.egress == egress && when(slot);
        slots.iter().filter(of).map(Slot::block).collect()
    };
    let group = |when: fn(&Slot) -> bool| json!({"id": SHOP, "name": "web", "ingress": blocks(false, when), "egress": blocks(true, when)});
    let (before, after) = (group(|slot| slot.before), group(|slot| slot.after));
    let action = if before == after { "no-op" } else { "update" };
    let mut changes = vec![json!({"address": "aws_security_group.web", "mode": "managed",
        "type": "aws_security_group", "name": "web",
        "change": {"actions": [action], "before": before, "after": after, "after_unknown": {}}})];
    let resources = slots.iter().enumerate();
    let resources = resources.filter(|(_, slot)| !slot.is_block && (slot.before || slot.after));
    changes.extend(resources.map(|(at, slot)| slot.resource(at)));
    json!({"format_version": "1.2", "resource_changes": changes}).to_string()
}

/// Codes with the rules that they are about.
fn verdict(report: &Report) -> BTreeSet<(Code, String, String)> {
    let findings = report.findings.iter().filter_map(|finding| {
        let found = finding.found_rule()?;
        Some((finding.code, format!("{:?}", found.rule.content()), format!("{:?}", found.excess)))
    });
    findings.collect()
}

proptest! {
    #[test]
    fn a_plan_is_judged_as_the_group_after_it(slots in slots()) {
        let raw = RawSettings {
            ssh_sources: Some("203.0.113.0/24".to_owned()),
            baseline: Some("restricted-egress".to_owned()),
            ..RawSettings::new(Names::COMMAND_LINE)
        };
        let (now, lists, place) = (super::now(), Lists::new(), Place::default());
        let settings = Settings::from_raw(&raw, now.date_naive()).unwrap();
        let declared = plan(plan_of(&slots).as_bytes(), &|_| Vec::new()).unwrap();
        let before = |all| {
            let mut check = GroupCheck::new(&settings, &lists, now);
            for group in &declared.groups {
                check.declared(group, &declared.changed_lists, all);
            }
            check.report()
        };
        let id: GroupId = SHOP.parse().unwrap();
        let group = Group { name: Some("web".to_owned()), ..Group::known_by_id(id.clone()) };
        let had: Vec<Rule> = slots.iter().filter(|it| it.before).map(Slot::rule).collect();
        let ec2 = MemoryEc2::new([(place.clone(), group.clone(), had)], Lists::new());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for slot in &slots {
                match (slot.before, slot.after) {
                    (true, false) => {
                        ec2.revoke(&place, &id, &slot.rule()).await.unwrap();
                    }
                    (false, true) => ec2.authorize(&place, &id, &slot.rule()).await.unwrap(),
                    _ => {}
                }
            }
        });
        let mut after = GroupCheck::new(&settings, &lists, now);
        after.group(&place, &group, &ec2.rules_of(&id).unwrap());
        let after = verdict(&after.report());
        prop_assert_eq!(&verdict(&before(true)), &after);
        // Without --all, it is what of this the plan adds.
        let added: BTreeSet<String> = slots
            .iter()
            .filter(|it| it.after && !it.before)
            .map(|it| format!("{:?}", it.rule().content()))
            .collect();
        let expected = after.into_iter().filter(|(_, rule, _)| added.contains(rule)).collect();
        prop_assert_eq!(verdict(&before(false)), expected);
    }
}
