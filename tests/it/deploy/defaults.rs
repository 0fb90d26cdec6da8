//! The stack as it is where nobody sets anything.

use std::sync::OnceLock;

use super::built;
use crate::support::ministack;
use crate::support::permission::tcp;
use crate::support::stack::Stack;
use crate::support::world::{ACCOUNT, Direction::Ingress, World};

/// No parameter but the one without a default.
pub fn defaults() -> Stack {
    static DEPLOYED: OnceLock<()> = OnceLock::new();
    DEPLOYED.get_or_init(|| built().deploy("defaults", &[]));
    ministack::server().stack("defaults")
}

#[tokio::test]
async fn open_ssh_is_told_once_and_left() {
    let stack = defaults();
    let queue = stack.subscriber("told-by-defaults").await;
    let site = World::new().await.site(ACCOUNT, ministack::REGION).await;
    let group = site.group("typo3-shop").await;
    let event = site.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    let opened = site.rules(&group).await;

    stack.deliver(&event).await;

    let message = stack.message(&queue).await;
    let findings = message.report["findings"].as_array().expect("findings");
    let [finding] = &findings[..] else { panic!("one finding: {:#}", message.report) };
    assert_eq!(finding["code"], "open-ssh", "{finding:#}");
    assert_eq!(finding["group"]["id"], group.id, "{finding:#}");
    assert_eq!(finding["change"]["event_id"], event["detail"]["eventID"], "{finding:#}");
    assert_eq!(finding["remediation"]["outcome"], "none", "{finding:#}");
    assert_eq!(message.report["baseline"]["name"], "standard");

    // What comes after it has been through the function as well, and is compliant.
    let complies = site.authorize(&group, Ingress, &[tcp(443, 443).from("0.0.0.0/0")]).await;
    assert_eq!(stack.report(&complies).await["outcome"], "compliant");
    assert_eq!(stack.length(&queue).await, 1);
    for queue in ["FailureQueue", "ParkedQueue"] {
        assert_eq!(stack.length(&stack.outputs[queue]).await, 0, "{queue}");
    }
    let left = site.rules(&group).await;
    assert!(opened.iter().all(|rule| left.contains(rule)), "{left:#?}");
}
