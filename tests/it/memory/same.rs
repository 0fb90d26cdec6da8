//! The table answers as the ledger in memory does, whatever is asked of it and in whatever order.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use typo3_sg_auditor::audit::Ledger;
use typo3_sg_auditor::aws::AwsLedger;
use typo3_sg_auditor::ec2::hold::Hold;
use typo3_sg_auditor::ec2::{Direction, Place, Rule};
use typo3_sg_auditor::evaluate::{Code, Severity};
use typo3_sg_auditor::finding::{Brief, DigestEntry, FoundGroup, Outcome, Planner, Unheard};
use typo3_sg_auditor::ledger::{
    Contents, HeldRule, Opened, PlaceAudit, PlanTold, Resolution, Sighting, Waiting,
};
use typo3_sg_auditor::memory::MemoryLedger;

use super::table;
use crate::support::{ministack, moto};

/// Numbers that are the same in each run (xorshift).
pub struct Chance(pub u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn is(&mut self) -> bool {
        self.below(2) == 0
    }

    /// A time of one in a few, so that times are equal, earlier and later.
    fn time(&mut self) -> DateTime<Utc> {
        let minutes = i64::try_from(self.below(40)).expect("a few");
        DateTime::from_timestamp(1_780_000_000, 0).expect("a time") + TimeDelta::minutes(minutes)
    }

    fn place(&mut self) -> Place {
        let region = if self.is() { "eu-central-1" } else { "us-east-1" };
        Place {
            account: Some("123456789012".parse().expect("an account")),
            region: self.is().then(|| region.parse().expect("a region")),
        }
    }

    fn rule(&mut self) -> Rule {
        let peer = if self.is() { "0.0.0.0/0" } else { "2001:db8::/32" };
        let (protocol, peer) = ("tcp".parse().expect("tcp"), peer.parse().expect("a peer"));
        Rule::new(Direction::Ingress, protocol, Some(22), Some(22), peer).expect("a rule")
    }

    pub fn brief(&mut self) -> Brief {
        let outcomes = [Outcome::None, Outcome::Reverted, Outcome::Held, Outcome::Failed];
        Brief {
            fingerprint: format!("fingerprint-{}", self.below(3)),
            code: Code::OpenSsh,
            severity: if self.is() { Severity::Critical } else { Severity::Low },
            place: self.place(),
            group: self.is().then(|| FoundGroup {
                id: "sg-0a1b2c3d4e5f67890".parse().expect("a group"),
                name: self.is().then(|| "typo3-shop".to_owned()),
                vpc_id: None,
            }),
            rule: self.is().then(|| self.rule()),
            outcome: outcomes[usize::try_from(self.below(4)).expect("few")],
            is_open: self.is(),
            seen: self.time(),
            held_until: self.is().then(|| self.time()),
            actor: self.is().then(|| "arn:aws:iam::123456789012:user/deploy".to_owned()),
            user_agent: None,
        }
    }

    fn sightings(&mut self) -> Vec<Sighting> {
        let one = |chance: &mut Self| Sighting {
            brief: chance.brief(),
            opening: Opened { at: chance.time(), occasion: format!("event {}", chance.below(5)) },
            is_introduced: chance.is(),
        };
        // Several calls about one finding at once have no order.
        let mut sightings: Vec<Sighting> = (0..self.below(4)).map(|_| one(self)).collect();
        sightings.sort_by_key(|sighting| key(&sighting.brief));
        sightings.dedup_by_key(|sighting| key(&sighting.brief));
        sightings
    }

    fn resolution(&mut self) -> Resolution {
        let Brief { place, fingerprint, .. } = self.brief();
        Resolution { place, fingerprint, at: self.time() }
    }

    fn held(&mut self) -> HeldRule {
        let hold = Hold { until: self.time(), reason: "vendor".to_owned() };
        HeldRule {
            place: self.place(),
            group: "sg-0a1b2c3d4e5f67890".parse().expect("a group"),
            rule: self.rule(),
            hold: self.is().then_some(hold),
            actor: None,
            since: self.time(),
        }
    }

    fn contents(&mut self) -> Contents {
        let groups = (0..self.below(4)).map(|group| (u64::MAX - group, u32::MAX));
        let unheard = Unheard {
            since: self.time(),
            seen: self.time(),
            groups: vec!["sg-0a1b2c3d4e5f67890".parse().expect("a group")],
            more: 1,
        };
        Contents {
            place: self.place(),
            at: self.time(),
            version: "0.1.0".to_owned(),
            groups: groups.collect(),
            unheard: self.is().then_some(unheard),
        }
    }

    pub fn waiting(&mut self) -> Waiting {
        let entry = DigestEntry { brief: self.brief(), life: None };
        let (key, stored) = (format!("key {}", self.below(4)), String::new());
        Waiting { key, entry, is_urgent: self.is(), stored }
    }
}

fn key(brief: &Brief) -> (Place, String) {
    (brief.place.clone(), brief.fingerprint.clone())
}

/// Asks both the same, and wants the same answer.
macro_rules! both {
    ($table:expr, $memory:expr, $step:expr, $call:ident($($argument:expr)?)) => {{
        $(let argument = $argument;)?
        assert_eq!(
            $table.$call($(both!(@ argument $argument))?).await.expect("the table answers"),
            $memory.$call($(both!(@ argument $argument))?).await.expect("so does the other"),
            "step {}: {}", $step, stringify!($call),
        )
    }};
    (@ $name:ident $argument:expr) => {
        &$name
    };
}

async fn are_the_same(url: &str) {
    let name = table::made(url).await;
    let table = AwsLedger::new(&table::config(url), &name, Duration::from_secs(60));
    let memory = MemoryLedger::default();
    let mut chance = Chance(20_260_101);
    for step in 0..600 {
        match chance.below(15) {
            0..=2 => both!(table, memory, step, see(chance.sightings())),
            3 | 4 => both!(table, memory, step, resolve([chance.resolution()])),
            5 => {
                let entries = memory.entries();
                let some: Vec<_> = entries.into_iter().take(1).collect();
                both!(table, memory, step, told(some));
            }
            6 => {
                let place = chance.place();
                let (mut ours, mut theirs) = (
                    table.place(&place).await.expect("the table answers"),
                    memory.place(&place).await.expect("so does the ledger in memory"),
                );
                for entries in [&mut ours, &mut theirs] {
                    entries.findings.sort_by_key(|entry| entry.brief.fingerprint.clone());
                    entries.holds.sort_by_key(|held| held.rule.content());
                }
                assert_eq!(ours, theirs, "step {step}");
            }
            7 => {
                let held = chance.held();
                both!(table, memory, step, hold([held.clone()]));
                if chance.below(4) == 0 {
                    both!(table, memory, step, release([held]));
                }
            }
            13 => both!(table, memory, step, keep(chance.contents())),
            14 => {
                let now = chance.time();
                let (ours, theirs) = (table.held_places(now).await, memory.held_places(now).await);
                assert_eq!(ours.expect("the table answers"), theirs.expect("so does the other"));
            }
            12 => {
                let (place, at) = (chance.place(), chance.time());
                let settings = if chance.is() { "one" } else { "other" };
                let planner = if chance.is() { Planner::Sweep } else { Planner::Change };
                if chance.is() {
                    let told = PlanTold { at, by: format!("sweep {step}") };
                    let (ours, theirs) = (
                        table.plan_told(&place, planner, settings, &told).await,
                        memory.plan_told(&place, planner, settings, &told).await,
                    );
                    assert!(ours.is_ok() && theirs.is_ok(), "step {step}");
                }
                let (ours, theirs) = (
                    table.planned(&place, planner, settings).await.expect("the table answers"),
                    memory.planned(&place, planner, settings).await.expect("so does the other"),
                );
                assert_eq!(ours, theirs, "step {step}");
            }
            8 => {
                for second in 0..chance.below(9) {
                    let second = i64::try_from(second).expect("a few");
                    let now = DateTime::UNIX_EPOCH + TimeDelta::seconds(step * 20 + second);
                    let (ours, theirs) = (table.may_mail(now).await, memory.may_mail(now).await);
                    assert_eq!(
                        ours.expect("the table answers"),
                        theirs.expect("so does the other")
                    );
                }
            }
            9 => both!(table, memory, step, wait([chance.waiting()])),
            10 => {
                let some = chance.waiting();
                let waits = memory.waits();
                let known = waits.first().filter(|_| chance.is());
                let one = [known.unwrap_or(&some).clone()];
                let daily = chance.is().then(|| chance.time());
                let (ours, theirs) =
                    (table.digested(&one, daily).await, memory.digested(&one, daily).await);
                assert!(ours.is_ok() && theirs.is_ok());
                both!(table, memory, step, waiting());
            }
            _ => {
                let (place, at) = (chance.place(), DateTime::UNIX_EPOCH + TimeDelta::minutes(step));
                let (settings, first) = ("hash".to_owned(), format!("sweep {step}"));
                let coverage = PlaceAudit { place, at, groups: 3, settings, first };
                both!(table, memory, step, cover(coverage));
            }
        }
    }
}

#[tokio::test]
async fn a_table_of_moto_answers_as_the_ledger_in_memory_does() {
    are_the_same(&moto::server().url()).await;
}

#[tokio::test]
async fn a_table_of_ministack_answers_as_the_ledger_in_memory_does() {
    are_the_same(&ministack::server().url).await;
}
