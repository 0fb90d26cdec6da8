//! Egress rules are never changed.

use typo3_sg_auditor::ec2::{Direction, Ec2Error, Rule, SecurityGroups};

use super::{ec2, home};
use crate::support::world::World;

#[tokio::test]
async fn an_egress_rule_is_not_changed_and_no_call_is_made() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let before = world.rules(&group).await;
    let everything = Rule::new(
        Direction::Egress,
        "all".parse().unwrap(),
        None,
        None,
        "0.0.0.0/0".parse().unwrap(),
    );
    let everything = everything.expect("a rule");
    let ec2 = ec2(&world, &[]).await;
    let id = group.id.parse().unwrap();
    let revoked = ec2.revoke(&home(), &id, &everything).await.map(|_| ());
    let authorized = ec2.authorize(&home(), &id, &everything).await;
    for refused in [revoked, authorized] {
        assert!(matches!(refused, Err(Ec2Error::Refused { .. })), "{refused:?}");
    }
    assert_eq!(world.calls(), []);
    assert_eq!(world.rules(&group).await, before);
}
