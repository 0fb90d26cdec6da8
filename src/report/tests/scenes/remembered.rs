//! What is told differently because it is remembered: new, known, reopened, resolved, planned, and what
//! waits for a digest.

use serde_json::{Value, json};

use super::Scenes;
use crate::report::tests::events::{authorizing, revoking, sample, sweep};
use crate::report::tests::scene::{Happens, Scene};

const SSH: &str = "tcp 22 0.0.0.0/0";
const DATABASE: &str = "tcp 3306 0.0.0.0/0 sgr-0f9e8d7c6b5a49382";

fn swept(time: &str) -> (&str, Happens) {
    (time, Happens::Event(sweep()))
}

fn opened(time: &str) -> (&str, Happens) {
    (time, Happens::Event(authorizing(&[SSH])))
}

/// SSH is held open until 16:00.
fn held(time: &str) -> (&str, Happens) {
    (time, Happens::Event(sample("authorize-held")))
}

/// The AWS Load Balancer Controller opens SSH.
fn opened_by_controller(time: &str) -> (&str, Happens) {
    let mut event: Value = authorizing(&[SSH]);
    event["detail"]["userAgent"] = "elbv2.k8s.aws/v2.8.1 aws-sdk-go/1.51.21".into();
    (time, Happens::Event(event))
}

/// A change whose record was cut off, so that it does not tell what it opened.
fn cut_short(time: &str) -> (&str, Happens) {
    let mut event: Value = authorizing(&[SSH]);
    event["detail"]["requestParameters"] = json!({"omitted": true});
    event["detail"]["responseElements"] = json!({"omitted": true});
    (time, Happens::Event(event))
}

pub(super) fn all() -> Scenes {
    let check_of_holds = || Happens::Event(json!({"holds": {}}));
    vec![
        (
            "remembered-sweeps",
            Scene::new().and_rule(DATABASE).remembering(&[
                swept("2026-03-12T06:00:00Z"),
                ("2026-03-12T07:00:00Z", Happens::Added(SSH)),
                // Other events come.
                ("2026-03-12T08:00:00Z", Happens::Event(authorizing(&["tcp 443 0.0.0.0/0"]))),
                swept("2026-03-13T06:00:00Z"),
                swept("2026-03-14T06:00:00Z"),
                ("2026-03-14T07:00:00Z", Happens::Removed(DATABASE)),
                swept("2026-04-14T06:00:00Z"),
            ]),
        ),
        (
            "remembered-no-event",
            Scene::new().remembering(&[
                swept("2026-03-12T06:00:00Z"),
                ("2026-03-12T07:00:00Z", Happens::Added("tcp 8080 203.0.113.0/24")),
                swept("2026-03-13T06:00:00Z"),
                swept("2026-03-14T06:00:00Z"),
            ]),
        ),
        (
            "remembered-reopened",
            Scene::reverting()
                .remembering(&[opened("2026-03-12T08:00:00Z"), opened("2026-03-12T09:00:00Z")]),
        ),
        (
            "remembered-war",
            Scene::reverting().remembering(&[
                opened_by_controller("2026-03-12T08:00:00Z"),
                opened_by_controller("2026-03-12T08:05:00Z"),
                opened_by_controller("2026-03-12T08:10:00Z"),
                opened_by_controller("2026-03-12T08:15:00Z"),
                swept("2026-03-13T06:00:00Z"),
            ]),
        ),
        (
            "remembered-resolved-by-a-change",
            Scene::new().remembering(&[
                opened("2026-03-12T08:00:00Z"),
                ("2026-03-12T08:30:00Z", Happens::Event(revoking(&[SSH]))),
            ]),
        ),
        (
            "remembered-planned",
            Scene::reverting()
                .with("SWEEP_REMEDIATION", "revert-ingress")
                .and_rule(DATABASE)
                .remembering(&[swept("2026-03-12T06:00:00Z"), swept("2026-03-13T06:00:00Z")]),
        ),
        (
            "remembered-planned-by-a-change",
            Scene::reverting().remembering(&[
                ("2026-03-12T08:00:00Z", Happens::Added(SSH)),
                cut_short("2026-03-12T08:11:14Z"),
            ]),
        ),
        (
            "remembered-burst",
            Scene::new().remembering(&[
                ("2026-03-12T08:00:00Z", Happens::Event(authorizing(&["tcp 2201 0.0.0.0/0"]))),
                ("2026-03-12T08:00:01Z", Happens::Event(authorizing(&["tcp 2202 0.0.0.0/0"]))),
                ("2026-03-12T08:00:02Z", Happens::Event(authorizing(&["tcp 2203 0.0.0.0/0"]))),
                ("2026-03-12T08:00:03Z", Happens::Event(authorizing(&["tcp 2204 0.0.0.0/0"]))),
                ("2026-03-12T08:00:04Z", Happens::Event(authorizing(&["tcp 2205 0.0.0.0/0"]))),
                ("2026-03-12T08:00:05Z", Happens::Event(authorizing(&["tcp 2206 0.0.0.0/0"]))),
                ("2026-03-12T08:15:00Z", check_of_holds()),
            ]),
        ),
        (
            "remembered-hold-untagged",
            Scene::reverting().remembering(&[
                held("2026-03-12T08:11:14Z"),
                ("2026-03-12T09:00:00Z", Happens::Retagged(SSH, None)),
                ("2026-03-12T09:15:00Z", check_of_holds()),
            ]),
        ),
        (
            "remembered-hold-moved",
            Scene::reverting().remembering(&[
                held("2026-03-12T08:11:14Z"),
                ("2026-03-12T09:00:00Z", Happens::Retagged(SSH, Some("2026-03-13T06:00:00Z"))),
                swept("2026-03-12T12:00:00Z"),
                ("2026-03-12T16:01:00Z", check_of_holds()),
            ]),
        ),
        (
            "remembered-hold-unseen",
            Scene::reverting().remembering(&[
                ("2026-03-12T08:00:00Z", Happens::Added(SSH)),
                ("2026-03-12T08:00:00Z", Happens::Retagged(SSH, Some("2026-03-12T16:00:00Z"))),
                ("2026-03-12T08:05:00Z", check_of_holds()),
                swept("2026-03-12T08:10:00Z"),
                ("2026-03-12T08:20:00Z", check_of_holds()),
            ]),
        ),
        (
            "remembered-hold-not",
            Scene::reverting().remembering(&[
                ("2026-03-12T08:00:00Z", Happens::Forgets("hold")),
                held("2026-03-12T08:11:14Z"),
            ]),
        ),
    ]
}
