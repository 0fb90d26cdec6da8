//! How many calls an audit makes, since EC2 counts them all and each takes its time.

use super::*;

/// The calls of EC2 and the messages that an audit of these new rules makes, beside rules that were there.
fn cost(keeps: RevertKeeps, there: &[&str], new: &[&str]) -> (usize, Vec<Outcome>) {
    let all = there.iter().chain(new).map(|text| rule(text)).collect::<Vec<_>>();
    let world = ec2(&all);
    let settings = Settings { revert_keeps: keeps, ..settings(Remediation::RevertSsh) };
    let authorized = new.iter().map(|text| rule(text)).collect();
    let event = event(ChangeKind::Authorized(authorized));
    let ran = run_at(&world, &settings, &event, noon(), None);
    let outcomes = ran.report().findings.iter().map(|found| found.remediation.outcome);
    (world.take_calls().len() + ran.messages.len(), outcomes.collect())
}

#[test]
fn a_compliant_change_costs_nothing() {
    let new = ["tcp 443 0.0.0.0/0", "tcp 22 203.0.113.64/26", "tcp 443 ::/0"];
    assert_eq!(cost(RevertKeeps::Baseline, &[], &new), (0, vec![]));
}

#[test]
fn one_rule_reverted_costs_four_calls() {
    // The group, its rules, the revoke, the message.
    let reverted = (4, vec![Outcome::Reverted]);
    assert_eq!(cost(RevertKeeps::Nothing, &[], &["tcp 22 0.0.0.0/0 sgr-1"]), reverted);
    let there = ["tcp 22 203.0.113.0/24 sgr-2"];
    assert_eq!(cost(RevertKeeps::Baseline, &there, &["tcp 22 0.0.0.0/0 sgr-1"]), reverted);
}

#[test]
fn each_piece_that_is_kept_costs_one_more() {
    let narrowed = |calls| (calls, vec![Outcome::Narrowed]);
    let office = "tcp 22 203.0.113.0/24 sgr-2";
    for (pieces, there, new) in [
        (1, vec![], "tcp 22 0.0.0.0/0 sgr-1"),
        (2, vec![], "tcp 22-80 0.0.0.0/0 sgr-1"),
        (3, vec![], "tcp 0-65535 0.0.0.0/0 sgr-1"),
        (2, vec![office], "tcp 0-65535 0.0.0.0/0 sgr-1"),
    ] {
        assert_eq!(cost(RevertKeeps::Baseline, &there, &[new]), narrowed(4 + pieces), "{new}");
    }
}

#[test]
fn each_further_rule_costs_its_pieces_and_one_more() {
    let first = "tcp 22 0.0.0.0/0 sgr-1";
    let (one, _) = cost(RevertKeeps::Baseline, &[], &[first]);
    for (pieces, further) in
        [(0, "tcp 22 8.0.0.0/7 sgr-2"), (1, "tcp 22 ::/0 sgr-2"), (3, "tcp 0-65535 ::/0 sgr-2")]
    {
        let (both, outcomes) = cost(RevertKeeps::Baseline, &[], &[first, further]);
        assert_eq!((both - one, outcomes.len()), (1 + pieces, 2), "{further}");
    }
}
