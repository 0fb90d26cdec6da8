//! Rules of egress are never changed.

use typo3_sg_auditor::audit::{Ec2Error, SecurityGroups};
use typo3_sg_auditor::ec2::{Direction, Rule};

use super::{ec2, home};
use crate::support::world::World;

#[tokio::test]
async fn nobody_is_asked_to_change_a_rule_of_egress() {
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
    let revoked = ec2.revoke(&home(), &group.id, &everything).await.map(|_| ());
    let authorized = ec2.authorize(&home(), &group.id, &everything).await;
    for refused in [revoked, authorized] {
        assert!(matches!(refused, Err(Ec2Error::Refused { .. })), "{refused:?}");
    }
    assert_eq!(world.calls(), []);
    assert_eq!(world.rules(&group).await, before);
}
