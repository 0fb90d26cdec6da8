//! The trial in the README, with moto as AWS.

use std::fs;

use crate::page::blocks;
use crate::support::sg_audit::repository;
use crate::support::world::World;

#[tokio::test]
async fn the_trial_opens_ssh_in_a_group_of_its_own_and_deletes_it() {
    let readme = fs::read_to_string(repository().join("README.md")).expect("the README");
    let blocks = blocks(&readme, "sh");
    let trial = blocks.iter().find(|block| block.starts_with("group=$(aws ")).expect("the trial");
    let (_, name) = trial.split_once("--group-name ").expect("a name");
    let name = name.split(' ').next().expect("a name");
    assert!(readme.contains(&format!("`OPEN: SSH to the Internet on {name}`")), "{name}");
    // EC2 refuses such names, and moto takes them.
    assert!(!name.starts_with("sg-"), "{name}");

    let world = World::new().await;
    let region = "export AWS_DEFAULT_REGION=eu-west-3";
    let left =
        "aws ec2 describe-security-groups --query 'SecurityGroups[].GroupName' --output text";
    let ran = world.shell(&format!("set -eu\n{region}\n{trial}\necho left:\n{left}\n"));
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{out}{err}");
    let (opened, left) = out.split_once("left:\n").expect("both");
    assert!(opened.contains("\"CidrIpv4\": \"0.0.0.0/0\""), "{out}");
    assert!(left.contains("default") && !left.contains(name), "{out}");
}
