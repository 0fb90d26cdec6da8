//! What a report says about a group is what the group admits, and its lines do what they say, under
//! every fault at every call.

use std::task::{Context, Poll, Waker};

use super::*;
use crate::finding::Unchecked;

/// Runs a line that a finding offers, as a shell and EC2 would: a call is carried out as a whole or
/// refused, and after a refusal nothing more is called. Whether all of it was carried out.
pub(super) fn paste(ec2: &MemoryEc2, line: &str) -> bool {
    line.split(" && ").all(|call| carry_out(ec2, call))
}

/// What a call to the EC2 in memory comes to. It never waits.
pub(super) fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn carry_out(ec2: &MemoryEc2, call: &str) -> bool {
    let words: Vec<&str> = call.split(' ').collect();
    let ["aws", "ec2", verb, "--region", "'eu-central-1'", "--group-id", group, ..] = words[..]
    else {
        panic!("{call}")
    };
    let (verb, direction) = match verb.split_once("-security-group-").unwrap() {
        (verb, "ingress") => (verb, Direction::Ingress),
        (verb, _) => (verb, Direction::Egress),
    };
    let group: GroupId = id(group.trim_matches('\''));
    let (_, after) = call.split_once("--ip-permissions '").unwrap();
    let permissions = after.split_once("}]'").unwrap().0;
    let permissions: Value = serde_json::from_str(&format!("{permissions}}}]")).unwrap();
    let rules = permissions.as_array().unwrap().iter().map(|one| permitted(one, direction));
    let rules: Vec<Rule> = rules.collect();
    let before = ec2.rules_of(&group).unwrap();
    let is_there = |rule: &Rule| before.iter().any(|other| other.is_same_as(rule));
    let place = place();
    if verb == "revoke" {
        let all = rules.iter().all(is_there);
        for rule in rules.iter().filter(|_| all) {
            at_once(ec2.revoke(&place, &group, rule)).unwrap();
        }
        return all;
    }
    if rules.iter().any(is_there) {
        return false;
    }
    for (done, rule) in rules.iter().enumerate() {
        if at_once(ec2.authorize(&place, &group, rule)).is_err() {
            for rule in &rules[..done] {
                at_once(ec2.revoke(&place, &group, rule)).unwrap();
            }
            return false;
        }
    }
    true
}

/// The rule that an element of `--ip-permissions` stands for.
fn permitted(permission: &Value, direction: Direction) -> Rule {
    let port = |name: &str| permission[name].as_i64().map(|port| i32::try_from(port).unwrap());
    let peer = [
        ("IpRanges", "CidrIp"),
        ("Ipv6Ranges", "CidrIpv6"),
        ("PrefixListIds", "PrefixListId"),
        ("UserIdGroupPairs", "GroupId"),
    ]
    .into_iter()
    .find_map(|(list, name)| Some((permission[list].as_array()?.first()?, name)));
    let (peer, name) = peer.unwrap();
    let account = peer["UserId"].as_str().map(|account| format!("{account}/")).unwrap_or_default();
    let named = format!("{account}{}", peer[name].as_str().unwrap());
    let protocol = id(permission["IpProtocol"].as_str().unwrap());
    let rule =
        Rule::new(direction, protocol, port("FromPort"), port("ToPort"), id(&named)).unwrap();
    rule.with_description(peer["Description"].as_str().map(ToOwned::to_owned))
}

/// What a report says about a group is what the group admits: the rules that are called gone are
/// gone, those that are said to keep SSH open are all that do, what is kept is there, and what is
/// missing is not there though the baseline admits it. Where nobody could look, that is said.
pub(super) fn assert_true_of(report: &Report, settings: &Settings, group: &GroupId, now: &[Rule]) {
    let lists = Lists::new();
    let judge = Judge::new(&settings.baseline, Direction::Ingress, Some(group), &lists, today());
    let is_open = |rule: &&Rule| {
        rule.direction() == Direction::Ingress
            && judge.code(&judge.judge(rule)) == Some(Code::OpenSsh)
    };
    let is_there = |rule: &Rule| now.iter().any(|other| other.is_same_as(rule));
    let sorted = |rules: &mut dyn Iterator<Item = &Rule>| {
        let mut texts: Vec<String> = rules.map(rule_text).collect();
        texts.sort();
        texts
    };
    let comply = now.iter().filter(|rule| rule.direction() == Direction::Ingress);
    let comply = comply.filter(|rule| judge.judge(rule).is_compliant());
    let covered = Traffic::union_of(comply.map(Rule::traffic).collect());
    let of_group = |it: &&Finding| it.group.as_ref().is_some_and(|it| it.id == *group);
    for finding in report.findings.iter().filter(of_group) {
        let Some(found) = finding.found_rule() else { continue };
        let rule = &found.rule;
        let told = format!("{} {:#?}", rule_text(rule), found);
        assert_eq!(is_there(rule), !found.presence.is_gone(), "{told}");
        if matches!(finding.code, Code::OpenSsh | Code::SshFromUnlistedHost) {
            let others = now.iter().filter(|other| !other.is_same_as(rule)).filter(is_open);
            let open = sorted(&mut others.into_iter());
            let named = sorted(&mut found.still_open.iter());
            match &found.unchecked {
                None => assert_eq!(named, open, "{told}"),
                // What it names was read before, and nothing was opened since.
                Some(_) => assert!(named.iter().all(|one| open.contains(one)), "{told}"),
            }
        }
        assert!(found.kept.iter().all(is_there), "{told}");
        for missing in &found.missing {
            assert!(!is_there(missing), "{told}");
            assert!(!missing.traffic().is_subset_of(&covered), "{told}");
            assert_eq!(judge.code(&judge.judge(missing)), None, "{told}");
            assert!(missing.cells().is_subset_of(&rule.cells()), "{told}");
        }
        let ingress = now.iter().filter(|rule| rule.direction() == Direction::Ingress);
        let admitted = Traffic::union_of(ingress.map(Rule::traffic).collect());
        for missing in &found.missing {
            let is_admitted = missing.traffic().is_subset_of(&admitted);
            let is_named = found.admitted.iter().any(|rule| rule.is_same_as(missing));
            assert!(found.unchecked.is_some() || is_admitted == is_named, "{told}");
        }
        // The outcome and the sentences agree with the lists.
        if let Action::Reverted(reverted) = &found.action {
            let untold = |rule: &&Rule| !reverted.refused.iter().any(|it| it.is_same_as(rule));
            let untold = sorted(&mut found.missing.iter().filter(untold));
            let tried = sorted(&mut reverted.missing.iter().map(|(rule, _)| rule));
            assert_eq!(tried, untold, "{told}");
        }
        // Every piece is accounted for.
        let pieces = found.would_keep.iter().flatten().filter(|_| found.presence.is_gone());
        for piece in pieces {
            let is_named = found.missing.iter().any(|missing| missing.is_same_as(piece));
            let is_covered = piece.traffic().is_subset_of(&covered);
            let was_acted_on =
                matches!(found.action, Action::Reverted(_) | Action::AlreadyGone { .. });
            assert!(!was_acted_on || is_there(piece) || is_named || is_covered, "{told}");
        }
        let is_offered = |rule: &Rule| found.offered.iter().any(|other| other.is_same_as(rule));
        let is_complete = found.missing.iter().all(is_offered);
        assert_eq!(finding.complete.is_none(), is_complete, "{told}");
        let is_closed_here = found.still_open.len() > found.closed_elsewhere.len();
        assert_eq!(finding.fix.is_some(), !found.presence.is_gone() || is_closed_here, "{told}");
    }
    assert_lines_mend(report, settings, group, now);
}

/// Pasted one after the other, the lines of a report close what it calls open and add what it calls
/// missing. None of them is refused, which it would be if it added what is there or removed what is
/// not, and nobody is let in who was not before.
fn assert_lines_mend(report: &Report, settings: &Settings, group: &GroupId, now: &[Rule]) {
    let of_group = |it: &&Finding| it.group.as_ref().is_some_and(|it| it.id == *group);
    let findings = || report.findings.iter().filter(of_group);
    let found = || findings().filter_map(Finding::found_rule);
    let is_blind = |found: &FoundRule| {
        found.unchecked == Some(Unchecked::Group)
            || matches!(found.action, Action::Unreadable { .. })
    };
    if found().any(is_blind) {
        // The lines are for what was read before, or for a group that nobody could read.
        return;
    }
    let known = Group { id: group.clone(), ..super::group() };
    let world = MemoryEc2::new([(place(), known, now.to_vec())], Lists::new());
    let world = world.with_rule_limit(1_000);
    for finding in findings() {
        for line in [&finding.fix, &finding.complete].into_iter().flatten() {
            assert!(paste(&world, line), "{line}\n{report:#?}");
        }
    }
    let after = world.rules_of(group).unwrap();
    let is_there = |rule: &Rule| after.iter().any(|other| other.is_same_as(rule));
    let lists = Lists::new();
    let judge = Judge::new(&settings.baseline, Direction::Ingress, Some(group), &lists, today());
    let ingress = |rules: &[Rule]| {
        let rules = rules.iter().filter(|rule| rule.direction() == Direction::Ingress);
        Traffic::union_of(rules.map(Rule::traffic).collect())
    };
    // Rules that comply or are exempt stay.
    let stay = after.iter().filter(|rule| rule.direction() == Direction::Ingress);
    let stay = stay.filter(|rule| judge.code(&judge.judge(rule)).is_none());
    let stays = Traffic::union_of(stay.map(Rule::traffic).collect());
    let mut allowed = vec![ingress(now)];
    for found in found() {
        assert!(!is_there(&found.rule) || found.presence.is_gone(), "{found:#?}");
        let is_left = found.presence.is_gone() && found.still_open.iter().any(is_there);
        assert!(!is_left, "{found:#?}");
        for missing in &found.missing {
            let is_mended = is_there(missing) || missing.traffic().is_subset_of(&stays);
            assert!(is_mended, "{}: {found:#?}", rule_text(missing));
        }
        allowed.push(found.rule.traffic());
    }
    let beyond = ingress(&after).difference(&Traffic::union_of(allowed));
    assert!(beyond.ipv4.is_empty() && beyond.ipv6.is_empty(), "{report:#?}");
}

/// Somebody whom each report is compared with the group for, at the moment it is published.
struct Reader<'a> {
    world: &'a MemoryEc2,
    settings: &'a Settings,
    told: Cell<usize>,
}

impl Notifier for Reader<'_> {
    async fn publish(&self, report: &Report) -> Result<(), NotifyError> {
        let group = id(SG);
        assert_true_of(report, self.settings, &group, &self.world.rules_of(&group).unwrap());
        self.told.set(self.told.get() + report.findings.len());
        Ok(())
    }
}

/// One call fails before it is carried out, or its answer is lost.
struct OneFault {
    calls: Cell<usize>,
    at: usize,
    fault: Fault,
}

#[derive(Clone, Debug)]
enum Fault {
    Before(Ec2Error),
    AnswerLost,
}

impl Hook for OneFault {
    async fn before(&self, call: Call<'_>) -> Result<(), Ec2Error> {
        self.calls.set(self.calls.get() + 1);
        match &self.fault {
            // EC2 says that a rule is not there and shows it all the same. No EC2 does.
            Fault::Before(Ec2Error::NotFound { missing: Missing::Rule, .. }) if is_revoke(call) => {
                Ok(())
            }
            Fault::Before(error) if self.calls.get() == self.at => Err(error.clone()),
            _ => Ok(()),
        }
    }

    async fn after(&self, _: Call<'_>, _: bool) -> Result<(), Ec2Error> {
        match self.fault {
            Fault::AnswerLost if self.calls.get() == self.at => Err(throttled()),
            _ => Ok(()),
        }
    }
}

/// Runs an event and what comes of it to its end, as Lambda does: what fails is tried again. Returns
/// how many calls there were.
fn play(world: &MemoryEc2, settings: &Settings, event: Event, at: usize, fault: Fault) -> usize {
    let hook = OneFault { calls: Cell::new(0), at, fault };
    let faulty = Hooked { ec2: world, hook };
    let reader = Reader { world, settings, told: Cell::new(0) };
    let (invoker, home) = (MemoryNotifier::default(), place());
    let auditor = Auditor::new(&faulty, &reader, &invoker, settings, &home);
    let mut waiting = vec![event];
    for _ in 0..20 {
        let Some(event) = waiting.pop() else {
            assert!(reader.told.get() > 0, "nobody was told");
            return faulty.hook.calls.get();
        };
        if block_on(auditor.audit(&event, &noon, None)).is_err() {
            waiting.push(event);
        }
        waiting.extend(invoker.take_handed_on().iter().map(decoded));
    }
    panic!("it goes on forever");
}

#[test]
fn under_each_fault_at_each_call_what_is_said_is_true_and_the_lines_mend_it() {
    let faults = [
        Fault::Before(throttled()),
        Fault::Before(denied()),
        Fault::Before(Ec2Error::LimitExceeded),
        Fault::Before(not_found()),
        Fault::Before(refused("InvalidParameterValue")),
        Fault::AnswerLost,
    ];
    let web_and_ssh = "tcp 0-65535 0.0.0.0/0 sgr-1";
    let groups: [&[&str]; 5] = [
        &[web_and_ssh],
        &[web_and_ssh, "tcp 22-443 ::/0 sgr-2", "tcp 22 198.51.100.0/24 sgr-3"],
        &[web_and_ssh, "tcp 80-90 0.0.0.0/0 sgr-2", "tcp 443 0.0.0.0/0 sgr-3"],
        &["tcp 22 0.0.0.0/0 sgr-1", "tcp 22-80 0.0.0.0/1 sgr-2", "tcp 22-80 128.0.0.0/1 sgr-3"],
        &["tcp 22-3306 0.0.0.0/0 sgr-1", "tcp 443-3306 0.0.0.0/0 sgr-2", "tcp 22 8.8.8.8/32 sgr-3"],
    ];
    for texts in groups {
        // Of the first rules the event tells, the others were there before.
        let events = [authorized(&texts[..1]), authorized(texts), sweep(), cut_short()];
        for event in events {
            for mode in [Remediation::RevertSsh, Remediation::RevertIngress] {
                let settings = Settings { sweep_remediation: mode, ..settings(mode) };
                for limit in [60, texts.len()] {
                    for fault in &faults {
                        for at in 1.. {
                            let world = ec2(&rules(texts)).with_rule_limit(limit);
                            let calls = play(&world, &settings, event.clone(), at, fault.clone());
                            if at >= calls {
                                break;
                            }
                        }
                    }
                }
            }
        }
    }
}
