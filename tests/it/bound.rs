//! One baseline file for several accounts: each is judged, closed and swept by its own binding.

use std::fs;

use serde_json::{Value, json};

use crate::reverts::REVERT;
use crate::support::built;
use crate::support::permission::tcp;
use crate::support::world::{ACCOUNT, Direction::Ingress, MEMBER, World};

const THIRD: &str = "111122223333";

const BINDINGS: &str = "bindings:
  - { name: agency, accounts: [\"210987654321\"], ssh_sources: [198.51.100.0/24] }
  - { name: quiet, accounts: [\"111122223333\"], remediation: notify }
  - { name: closed, tags: { exposure: none }, ssh_sources: [] }
";

/// A file that is removed when it is dropped.
struct File(std::path::PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn changes_and_sweeps_of_three_accounts_follow_their_bindings() {
    assert_eq!(MEMBER, "210987654321");
    const HERE: &str = "ap-south-1";
    let world = World::new().await;
    let file = File(built::scratch().join(format!("bindings-{}.yaml", world.own)));
    let standard = include_str!("../../baselines/standard.yaml");
    fs::write(&file.0, format!("{standard}{BINDINGS}")).expect("a baseline");
    let baseline = ("BASELINE", file.0.to_str().expect("UTF-8"));
    let role = ("MEMBER_ROLE_NAME", "security/typo3-sg-auditor");
    let sweeping = ("SWEEP_REMEDIATION", "revert-ssh");
    let mut function = world.function(&[&REVERT[..], &[baseline, role, sweeping]].concat());
    let open = || tcp(22, 22).from("0.0.0.0/0");
    for (account, binding, left) in [
        (ACCOUNT, Value::Null, "ingress tcp 22-22 203.0.113.0/24 "),
        (MEMBER, json!("agency"), "ingress tcp 22-22 198.51.100.0/24 "),
        (THIRD, json!("quiet"), "ingress tcp 22-22 0.0.0.0/0 "),
    ] {
        let site = world.site(account, HERE).await;
        let (changed, swept) = (site.group("typo3-shop").await, site.group("typo3-old").await);
        let event = site.authorize(&changed, Ingress, &[open()]).await;
        let report = world.report(&mut function, &event);
        assert_eq!(report["baseline"]["binding"], binding, "{report:#}");
        assert_eq!(report["findings"][0]["binding"], binding);
        site.authorize(&swept, Ingress, &[open()]).await;
        let sweep = json!({"sweep": {"accounts": [account], "regions": [HERE]}});
        let report = world.completed(&mut function, &sweep);
        let of_swept = |it: &&Value| it["group"]["id"] == swept.id.as_str();
        let found = report["findings"].as_array().expect("findings").iter().find(of_swept);
        assert_eq!(found.expect("a finding")["binding"], binding, "{report:#}");
        for group in [&changed, &swept] {
            let after = site.ingress(group).await;
            assert!(
                after.len() == 1 && format!("{} ", after[0]).starts_with(left),
                "{account}: {after:?}"
            );
        }
    }
}

/// A change that every binding agrees about costs no call.
#[tokio::test]
async fn a_compliant_change_in_a_file_with_bindings_costs_no_call() {
    let world = World::new().await;
    let file = File(built::scratch().join(format!("bindings-{}.yaml", world.own)));
    let standard = include_str!("../../baselines/standard.yaml");
    fs::write(&file.0, format!("{standard}{BINDINGS}")).expect("a baseline");
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(443, 443).from("0.0.0.0/0")]).await;
    let baseline = ("BASELINE", file.0.to_str().expect("UTF-8"));
    let report = world.report(&mut world.function(&[baseline]), &event);
    assert_eq!(report["outcome"], "compliant", "{report:#}");
    assert_eq!(world.calls(), []);
}
