//! What a revert does with each answer of EC2.

use super::truth::at_once;
use super::*;
use crate::audit::revert::{Done, Order, revert};
use crate::ec2::{GroupPage, GroupRef, ListId, PrefixList, Revoked, RuleId, Selection};

const OPEN: &str = "tcp 22-80 0.0.0.0/0 sgr-1";
const HTTP: &str = "tcp 80 from 0.0.0.0/0";
const OFFICE: &str = "tcp 22 from 203.0.113.0/24";

/// An audit of the change that added [`OPEN`].
fn audited(ec2: &impl SecurityGroups) -> Ran {
    run_alone(ec2, &settings(Remediation::RevertSsh), &authorized(&[OPEN]), noon(), None)
}

#[test]
fn a_piece_that_ec2_does_not_answer_for_is_tried_again_and_the_rule_stays_till_then() {
    let world = ec2(&rules(&[OPEN]));
    let throttling = hooked(&world, |call| matches!(call, Call::Authorize(..)).then(throttled));
    let ran = audited(&throttling);
    assert_eq!((ran.error_kind(), ran.messages.len()), ("Ec2Unavailable", 0));
    assert_eq!(ingress(&world), ["tcp 22-80 from 0.0.0.0/0"]);
    assert_eq!(brief(audited(&world).report()), ["open-ssh narrowed tcp 22-80 from 0.0.0.0/0"]);
}

#[test]
fn a_duplicate_that_is_not_read_for_now_is_tried_again() {
    let world = ec2(&rules(&[OPEN]));
    let mut duplicate = false;
    let throttling = hooked(&world, |call| match call {
        Call::Authorize(..) => {
            duplicate = true;
            Some(Ec2Error::Duplicate)
        }
        Call::Rules(_) if duplicate => Some(throttled()),
        _ => None,
    });
    let ran = audited(&throttling);
    assert_eq!((ran.error_kind(), ran.messages.len()), ("Ec2Unavailable", 0));
    assert_eq!(ingress(&world), ["tcp 22-80 from 0.0.0.0/0"]);
}

#[test]
fn a_piece_that_ec2_refuses_keeps_a_rule_without_ssh() {
    let open = "tcp 80-90 0.0.0.0/0 sgr-1";
    let world = ec2(&rules(&[open]));
    let refusing = hooked(&world, |call| {
        matches!(call, Call::Authorize(..)).then(|| refused("InvalidParameterValue"))
    });
    let settings = settings(Remediation::RevertIngress);
    let report = run(&refusing, &settings, &authorized(&[open])).unwrap();
    let Action::NotReverted { reason: NotReverted::Ec2(Ec2Error::Refused { .. }), added } =
        &found(&report).action
    else {
        panic!("{report:#?}")
    };
    assert_eq!(texts(added), [] as [&str; 0]);
    assert_eq!(ingress(&world), ["tcp 80-90 from 0.0.0.0/0"]);
}

#[test]
fn a_rule_that_the_read_did_not_show_and_that_may_not_be_revoked_is_published_as_failed() {
    let world = ec2(&[]);
    let refusing = hooked(&world, |call| is_revoke(call).then(denied));
    let ran = audited(&refusing);
    assert_eq!(brief(ran.report()), ["open-ssh failed tcp 22-80 from 0.0.0.0/0"]);
    assert_eq!(ran.messages.len(), 1);
    assert_eq!(ingress(&world), [] as [&str; 0]);
}

#[test]
fn what_somebody_else_removed_while_ec2_refused_is_not_called_a_revert() {
    let world = ec2(&rules(&[OPEN]));
    let refusing = hooked(&world, |call| {
        is_revoke(call).then(|| {
            removed(&world, OPEN);
            denied()
        })
    });
    let ran = audited(&refusing);
    let Action::NotReverted { reason: NotReverted::Ec2(Ec2Error::Denied { .. }), .. } =
        &found(ran.report()).action
    else {
        panic!("{:#?}", ran.report())
    };
}

#[test]
fn the_undo_in_a_full_group_makes_room_first() {
    // There is room for one piece only once the rule is gone, whatever the limit is.
    let world = ec2(&rules(&[OPEN, "tcp 443 203.0.113.1/32 sgr-2"])).with_rule_limit(2);
    let ran = audited(&world);
    assert_eq!(ingress(&world), ["tcp 443 from 203.0.113.1/32", HTTP]);
    assert!(paste(&world, only(ran.report()).undo.as_deref().unwrap()));
    assert_eq!(ingress(&world), ["tcp 22-80 from 0.0.0.0/0", "tcp 443 from 203.0.113.1/32"]);
}

/// Says yes to a revocation without naming what it removed. Reads after it answer `read`, or what
/// is there.
struct SaysYes<'a> {
    ec2: &'a MemoryEc2,
    removes: bool,
    read: Option<Ec2Error>,
    asked: Cell<bool>,
}

impl SecurityGroups for SaysYes<'_> {
    async fn rules(&self, place: &Place, group: &GroupId) -> Result<Vec<Rule>, Ec2Error> {
        match self.read.clone().filter(|_| self.asked.get()) {
            Some(error) => Err(error),
            None => self.ec2.rules(place, group).await,
        }
    }

    async fn authorize(&self, place: &Place, group: &GroupId, rule: &Rule) -> Result<(), Ec2Error> {
        self.ec2.authorize(place, group, rule).await
    }

    async fn revoke(&self, place: &Place, id: &GroupId, rule: &Rule) -> Result<Revoked, Ec2Error> {
        self.asked.set(true);
        if self.removes {
            self.ec2.revoke(place, id, rule).await?;
        }
        Ok(Revoked::Unproven)
    }

    async fn group(&self, _: &Place, _: &GroupKey) -> Result<Option<Group>, Ec2Error> {
        unreachable!()
    }

    async fn groups(
        &self,
        _: &Place,
        _: Selection<'_>,
        _: Option<&str>,
    ) -> Result<GroupPage, Ec2Error> {
        unreachable!()
    }

    async fn page_rules(&self, _: &Place, _: &[Group]) -> Result<Vec<(GroupId, Rule)>, Ec2Error> {
        unreachable!()
    }

    async fn held_rules(&self, _: &Place) -> Result<Vec<(GroupId, Rule)>, Ec2Error> {
        unreachable!()
    }

    async fn rules_by_id(&self, _: &Place, _: &[RuleId]) -> Result<Vec<(GroupId, Rule)>, Ec2Error> {
        unreachable!()
    }

    async fn prefix_list(&self, _: &Place, _: &ListId) -> Result<PrefixList, Ec2Error> {
        unreachable!()
    }

    async fn is_stale(&self, _: &Place, _: &GroupRef) -> Result<bool, Ec2Error> {
        unreachable!()
    }
}

/// A revert of [`OPEN`] that leaves HTTP, where EC2 says yes and no more.
fn said_yes(world: &MemoryEc2, removes: bool, read: Option<Ec2Error>) -> Result<Done, Ec2Error> {
    let ec2 = SaysYes { ec2: world, removes, read, asked: Cell::new(false) };
    reverted(&ec2, &["tcp 80 0.0.0.0/0", "tcp 22 203.0.113.0/24"])
}

/// A revert of [`OPEN`] that leaves these pieces.
fn reverted(ec2: &impl SecurityGroups, pieces: &[&str]) -> Result<Done, Ec2Error> {
    let order = Order {
        place: &place(),
        group: &group(),
        rule: &rule(OPEN),
        seen: true,
        open_ssh: true,
        pieces: &rules(pieces),
    };
    block_on(revert(ec2, &order))
}

#[test]
fn a_yes_that_names_no_rule_is_believed_once_the_rule_is_no_longer_read() {
    let world = ec2(&rules(&[OPEN]));
    let done = said_yes(&world, true, None).unwrap();
    assert!(matches!(done.action, Action::Reverted(_)), "{done:#?}");
    assert_eq!(ingress(&world), [OFFICE, HTTP]);
}

#[test]
fn a_yes_after_which_the_rule_is_still_read_is_tried_again() {
    let world = ec2(&rules(&[OPEN]));
    assert!(said_yes(&world, false, None).unwrap_err().is_transient());
}

#[test]
fn a_yes_after_which_nothing_can_be_read_for_now_is_tried_again() {
    let world = ec2(&rules(&[OPEN]));
    assert!(said_yes(&world, true, Some(throttled())).unwrap_err().is_transient());
}

#[test]
fn a_yes_after_which_nothing_may_be_read_is_believed() {
    let world = ec2(&rules(&[OPEN]));
    let done = said_yes(&world, true, Some(denied())).unwrap();
    assert!(matches!(done.action, Action::Reverted(_)), "{done:#?}");
}

/// Somebody removes a rule.
fn removed(world: &MemoryEc2, text: &str) {
    at_once(world.revoke(&place(), &id(SG), &rule(text))).unwrap();
}

#[test]
fn a_refusal_is_no_revert_even_if_somebody_else_removes_the_rule_meanwhile() {
    let world = ec2(&rules(&[OPEN]));
    let refusing = hooked(&world, |call| {
        is_revoke(call).then(|| {
            removed(&world, OPEN);
            denied()
        })
    });
    let done = reverted(&refusing, &[]).unwrap();
    assert!(matches!(done.action, Action::NotReverted { .. }), "{done:#?}");
}

#[test]
fn a_group_that_may_not_be_read_counts_as_there() {
    for is_removed in [false, true] {
        let world = ec2(&rules(&[OPEN]));
        let refusing = hooked(&world, |call| match call {
            Call::Revoke(..) => {
                if is_removed {
                    removed(&world, OPEN);
                }
                Some(no_group())
            }
            Call::Group(..) => Some(denied()),
            _ => None,
        });
        let done = reverted(&refusing, &[]).unwrap();
        match done.action {
            Action::AlreadyGone { seen: true, .. } => assert!(is_removed),
            Action::NotReverted { reason: NotReverted::Ec2(error), .. } => {
                assert!(error.is_no_group() && !is_removed, "{error}");
            }
            other => panic!("{other:#?}"),
        }
    }
}

#[test]
fn a_piece_that_a_stale_read_does_not_show_is_not_added_again_by_the_fix() {
    let world = ec2(&rules(&[OPEN]));
    let was_refused = Cell::new(false);
    let stale = hooked(&world, |call| match call {
        Call::Revoke(..) => {
            was_refused.set(true);
            Some(denied())
        }
        Call::Rules(_) if was_refused.get() => {
            removed(&world, "tcp 22 203.0.113.0/24");
            None
        }
        _ => None,
    });
    let settings = with_sources(settings(Remediation::RevertSsh), "203.0.113.0/24");
    let ran = run_at(&stale, &settings, &authorized(&[OPEN]), noon(), None);
    let finding = only(ran.report());
    assert_eq!(finding.outcome(), Outcome::Failed);
    let fix = finding.fix.as_deref().unwrap();
    assert!(fix.starts_with("aws ec2 revoke-security-group-ingress"), "{fix}");
}
