//! `doctor --canary`, with EventBridge's part done by the test: the emulator tells nobody of a change.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};

use super::{ALONE, NAME, shell, stack};
use crate::support::ministack;
use crate::support::moto;
use crate::support::sg_audit::{Ran, ran};
use crate::support::world::{ACCOUNT, Direction, Group, Site, World};

/// How often to look for the group, which is there after a second or two.
const LOOKS: usize = 3_000;

fn canary() -> Child {
    let line = format!("exec sg-audit doctor --stack {NAME} --canary --timeout 2m");
    let mut shell = ministack::server().shell(&line);
    // The function has its groups there, too.
    shell.env("AWS_ENDPOINT_URL_EC2", moto::server().url());
    shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a shell")
}

async fn site() -> Site {
    World::new().await.site(ACCOUNT, ministack::REGION).await
}

/// The group of a canary, once SSH is open in it.
async fn opened(site: &Site) -> Group {
    for _ in 0..LOOKS {
        let found = site.ec2.describe_security_groups().send().await.expect("groups");
        for group in found.security_groups.unwrap_or_default() {
            let name = group.group_name.unwrap_or_default();
            if name.starts_with("audit-canary-")
                && !group.ip_permissions.unwrap_or_default().is_empty()
            {
                let (id, vpc_id) = (group.group_id.expect("an id"), group.vpc_id.expect("a VPC"));
                return Group { id, name, vpc_id };
            }
        }
    }
    panic!("no group was made");
}

/// What a canary may have left.
fn left() -> String {
    let group = format!(
        "AWS_ENDPOINT_URL={} aws ec2 describe-security-groups --query SecurityGroups[].GroupName",
        moto::server().url()
    );
    let queue = "aws sqs list-queues --queue-name-prefix audit-canary";
    let topic = stack().outputs["FindingsTopic"].clone();
    let subscription = format!("aws sns list-subscriptions-by-topic --topic-arn {topic}");
    let ran = shell(&format!("{group}; {queue}; {subscription}"), &BTreeMap::new());
    ran.out.lines().filter(|line| line.contains("audit-canary")).collect()
}

fn ended(child: Child) -> Ran {
    ran(&child.wait_with_output().expect("it ends"))
}

#[tokio::test]
async fn the_message_about_a_throwaway_group_comes_and_everything_is_removed() {
    let _alone = ALONE.lock().await;
    let (stack, site) = (stack(), site().await);
    let running = canary();
    let group = opened(&site).await;
    let rules = site.rules(&group).await;
    let opened = rules.iter().find(|rule| rule.direction == Direction::Ingress).expect("the rule");
    assert_eq!(opened.to_string(), "ingress tcp 22-22 192.0.2.0/24");
    stack.deliver(&site.authorized(&group, opened)).await;
    let ran = ended(running);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{ran}");
    assert!(ran.out.contains(&format!("the message about {} came after ", group.id)), "{ran}");
    assert_eq!(left(), "");

    // Ctrl-C while it waits.
    let running = canary();
    self::opened(&site).await;
    let killed = Command::new("kill").args(["-INT", &running.id().to_string()]).status();
    assert!(killed.expect("kill runs").success());
    let ran = ended(running);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.out.contains("stopped before the message came"), "{ran}");
    assert_eq!(left(), "");
}
