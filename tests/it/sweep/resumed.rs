//! A sweep that takes more time than an invocation has, and what was reverted when nobody could be told.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{findings, ids, of_code, open, reverting, sweep_of};
use crate::reverts::{REVERT, undo_all};
use crate::support::endpoint::Answer;
use crate::support::permission::tcp;
use crate::support::world::{ACCOUNT, Direction::Ingress, Message, World};

/// So little time that after each page there is none for another: the function keeps half a minute for what it has to
/// publish and to hand on.
const SHORT: (&str, &str) = ("AWS_LAMBDA_FUNCTION_TIMEOUT", "30");

#[tokio::test]
async fn later_invocations_sweep_what_the_first_has_no_time_for() {
    let regions = ["eu-west-2", "ap-northeast-3"];
    let world = World::new().await;
    let mut made = BTreeSet::new();
    for (region, count) in regions.into_iter().zip([130, 3]) {
        let site = world.site(ACCOUNT, region).await;
        let groups = site.groups(count, &[open()]).await;
        made.extend(groups.into_iter().map(|group| group.id));
    }
    let mut function = world.function(&[SHORT]);
    let reports = world.delivered(&mut function, &sweep_of(&regions));
    assert!(reports.len() >= 3, "{} invocations", reports.len());
    let (last, others) = reports.split_last().expect("reports");
    assert!(others.iter().all(|report| report["partial"] == true));
    assert_eq!(last["partial"], false);
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for report in &reports {
        for finding in of_code(report, "open-ssh") {
            *times.entry(finding["group"]["id"].as_str().expect("an id")).or_default() += 1;
        }
    }
    assert!(times.values().all(|times| *times == 1), "each group once");
    assert!(made.iter().all(|id| times.contains_key(id.as_str())), "every group");
    let messages = world.messages().await;
    let partial: Vec<&Message> =
        messages.iter().filter(|message| message.report["partial"] == true).collect();
    assert!(partial.len() >= others.len());

    // Lambda may deliver a payload twice: then the same is told with the same ids.
    let payload = &world.handed_on()[0];
    let again = world.report(&mut function, payload);
    assert_eq!(ids(&again), ids(&reports[1]));
    assert!(!ids(&again).is_empty());
}

#[tokio::test]
async fn with_time_enough_nothing_is_handed_on() {
    let world = World::new().await;
    let report = world.report(&mut world.function(&[]), &sweep_of(&["eu-central-2"]));
    assert_eq!(report["partial"], false);
    assert_eq!(world.handed_on(), [] as [Value; 0]);
}

#[tokio::test]
async fn a_sweep_stops_after_so_many_invocations_and_says_what_is_left() {
    let world = World::new().await;
    let regions = ["eu-central-2", "eu-south-2"];
    let event = json!({"depth": 11, "sweep": {"regions": regions}});
    let report = world.report(&mut world.function(&[SHORT]), &event);
    assert_eq!(world.handed_on(), [] as [Value; 0]);
    let [finding] = of_code(&report, "unaudited-change")[..] else { panic!("{report:#}") };
    assert_eq!(finding["region"], "eu-south-2");
    let title = finding["title"].as_str().expect("a title");
    assert!(title.contains("12 invocations were not enough"), "{title}");
    assert_eq!(report["partial"], true);
}

#[tokio::test]
async fn a_rest_that_lambda_does_not_take_for_now_is_tried_again_and_one_that_it_refuses_is_told() {
    let world = World::new().await;
    let mut function = world.function(&[SHORT]);
    let event = sweep_of(&["eu-central-2", "eu-south-2"]);
    for (status, code, error) in [
        (429, "TooManyRequestsException", Some("NotHandedOn")),
        (403, "AccessDeniedException", None),
    ] {
        world.answer(move |call| match call.action.as_str() {
            "Invoke" => Answer::Error(status, code, "not now, or never"),
            _ => Answer::Moto,
        });
        let answer = function.invoke(&event);
        assert_eq!(answer.error_type(), error, "{:#}", answer.body);
        let told = world.messages().await;
        let unaudited: Vec<&Value> =
            told.iter().flat_map(|it| of_code(&it.report, "unaudited-change")).collect();
        let [finding] = unaudited[..] else { panic!("{told:#?}") };
        assert_eq!(finding["region"], "eu-south-2");
    }
    world.answer(|_| Answer::Moto);
    assert_eq!(world.report(&mut function, &event)["partial"], true);
}

#[tokio::test]
async fn groups_of_a_page_are_not_repeated_unless_ec2_no_longer_has_the_page() {
    const HERE: &str = "af-south-1";
    let world = World::new().await;
    let site = world.site(ACCOUNT, HERE).await;
    let made = site.groups(3, &[open()]).await;
    let mut function = world.function(&[]);
    for (page, expected) in [(Value::Null, &made[1..]), ("no token of EC2's".into(), &made[..])] {
        let done = [&made[0].id];
        let resume = json!({"places_done": 0, "page": page, "groups_done": done});
        let report =
            world.report(&mut function, &json!({"sweep": {"regions": [HERE], "resume": resume}}));
        assert_eq!(of_code(&report, "unaudited-change").len(), 0, "{report:#}");
        let found: BTreeSet<&str> = of_code(&report, "open-ssh")
            .iter()
            .map(|finding| finding["group"]["id"].as_str().expect("an id"))
            .collect();
        assert_eq!(found, expected.iter().map(|group| group.id.as_str()).collect());
    }
}

#[tokio::test]
async fn findings_of_a_sweep_are_reported_whatever_happens_when_they_are_closed() {
    const HERE: &str = "eu-west-3";
    let world = World::new().await;
    let site = world.site(ACCOUNT, HERE).await;
    let group = site.group("typo3-unheard").await;
    let tagged = [tcp(20, 25).described("0.0.0.0/0", "the editor's $HOME")];
    site.authorize_tagged(&group, Ingress, &tagged, &[("ticket", "4711")]).await;
    site.tag(&group.id, "Application", "unheard").await;
    let opened = site.ingress(&group).await;
    let scope = ("SCOPE", "tag:Application=unheard");
    let settings = [REVERT[0], REVERT[1], scope, reverting("revert-ssh")[3]];
    let mut function = world.function(&settings);
    let swept = world.report(&mut function, &sweep_of(&[HERE]));
    assert_eq!((&swept["outcome"], findings(&swept).len()), (&json!("noncompliant"), 0));
    assert_eq!(site.ingress(&group).await, opened, "a sweep changes nothing");
    assert_eq!(world.messages().await, []);
    let [payload] = world.handed_on().try_into().expect("what is to be closed");

    world.answer(|call| match call.action.as_str() {
        "Publish" => Answer::Error(500, "InternalError", "SNS is having a bad day"),
        _ => Answer::Moto,
    });
    let failed = function.invoke(&payload);
    assert_eq!(failed.error_type(), Some("NotPublished"), "{:#}", failed.body);
    assert_eq!(site.ingress(&group).await.len(), 1, "it is closed all the same");
    world.answer(|_| Answer::Moto);
    // A sweep finds nothing any more.
    assert_eq!(world.report(&mut function, &sweep_of(&[HERE]))["outcome"], "compliant");
    assert_eq!(world.messages().await, []);
    let report = world.report(&mut function, &payload);
    assert_eq!(findings(&report).len(), 1, "{report:#}");
    assert_eq!(findings(&report)[0]["remediation"]["outcome"], "already-gone");
    let [message] = world.messages().await.try_into().expect("one message");
    undo_all(&world, &message);
    assert_eq!(site.ingress_unheld(&group).await, opened);
}

#[tokio::test]
async fn rules_that_cannot_be_handed_on_are_reported_as_open_once_or_tried_again() {
    const HERE: &str = "ap-southeast-6";
    let world = World::new().await;
    let site = world.site(ACCOUNT, HERE).await;
    let group = site.group("typo3-alone").await;
    site.authorize(&group, Ingress, &[open()]).await;
    let opened = site.ingress(&group).await;
    let mut function = world.function(&reverting("revert-ssh"));
    world.answer(|call| match call.action.as_str() {
        "Invoke" => Answer::Error(429, "TooManyRequestsException", "Rate Exceeded."),
        _ => Answer::Moto,
    });
    let failed = function.invoke(&sweep_of(&[HERE]));
    assert_eq!(failed.error_type(), Some("NotHandedOn"), "{:#}", failed.body);
    assert_eq!(world.messages().await, [], "the next try finds it again");
    world.answer(|call| match call.action.as_str() {
        "Invoke" => Answer::Error(403, "AccessDeniedException", "not authorized to perform"),
        _ => Answer::Moto,
    });
    let answer = function.invoke(&sweep_of(&[HERE]));
    assert_eq!(answer.error_type(), None, "{:#}", answer.body);
    assert_eq!(site.ingress(&group).await, opened);
    let [message] = world.messages().await.try_into().expect("one message");
    let [finding] = of_code(&message.report, "open-ssh")[..] else { panic!("{message:#?}") };
    assert_eq!(finding["remediation"]["outcome"], "failed");
    let detail = finding["remediation"]["detail"].as_str().expect("a detail");
    assert!(detail.contains("not authorized to perform"), "{detail}");
}
