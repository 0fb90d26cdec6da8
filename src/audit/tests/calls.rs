//! How many calls an audit makes: EC2 limits them, and each takes time.

use super::*;

/// How many calls to EC2 and messages an audit of `new` rules takes, in a group that also has
/// `others`.
fn cost(keeps: RevertKeeps, others: &[&str], new: &[&str]) -> (usize, Vec<Outcome>) {
    let world = ec2(&rules(&[others, new].concat()));
    let settings = Settings { revert_keeps: keeps, ..settings(Remediation::RevertSsh) };
    let ran = run_at(&world, &settings, &authorized(new), noon(), None);
    let outcomes = ran.report().findings.iter().map(Finding::outcome);
    (world.take_calls().len() + ran.messages.len(), outcomes.collect())
}

#[test]
fn a_compliant_change_costs_nothing() {
    let new = ["tcp 443 0.0.0.0/0", "tcp 22 203.0.113.64/26", "tcp 443 ::/0"];
    assert_eq!(cost(RevertKeeps::Baseline, &[], &new), (0, vec![]));
}

#[test]
fn reverting_one_rule_costs_five_calls() {
    // The group, its rules, the revoke, its rules again, the message.
    let reverted = |calls| (calls, vec![Outcome::Reverted]);
    let (open, others) = (["tcp 22 0.0.0.0/0 sgr-1"], ["tcp 22 203.0.113.0/24 sgr-2"]);
    assert_eq!(cost(RevertKeeps::Nothing, &others, &open), reverted(5));
    assert_eq!(cost(RevertKeeps::Baseline, &others, &open), reverted(5));
    // Whether a group without any rule is still there has to be asked.
    assert_eq!(cost(RevertKeeps::Nothing, &[], &open), reverted(6));
}

#[test]
fn each_piece_that_is_kept_costs_one_more_call() {
    let narrowed = |calls| (calls, vec![Outcome::Narrowed]);
    let office = "tcp 22 203.0.113.0/24 sgr-2";
    for (pieces, others, new) in [
        (1, vec![], "tcp 22 0.0.0.0/0 sgr-1"),
        (2, vec![], "tcp 22-80 0.0.0.0/0 sgr-1"),
        (3, vec![], "tcp 0-65535 0.0.0.0/0 sgr-1"),
        (2, vec![office], "tcp 0-65535 0.0.0.0/0 sgr-1"),
    ] {
        assert_eq!(cost(RevertKeeps::Baseline, &others, &[new]), narrowed(5 + pieces), "{new}");
    }
}

#[test]
fn each_further_rule_costs_its_pieces_and_one_more_call() {
    let first = "tcp 22 0.0.0.0/0 sgr-1";
    let (one, _) = cost(RevertKeeps::Baseline, &[], &[first]);
    for (pieces, further) in
        [(0, "tcp 22 8.0.0.0/7 sgr-2"), (1, "tcp 22 ::/0 sgr-2"), (3, "tcp 0-65535 ::/0 sgr-2")]
    {
        let (both, outcomes) = cost(RevertKeeps::Baseline, &[], &[first, further]);
        assert_eq!((both - one, outcomes.len()), (1 + pieces, 2), "{further}");
    }
}
