//! The sweep tells that no trail of CloudTrail feeds the auditor.

use serde_json::{Value, json};

use crate::support::endpoint::Answer;
use crate::support::rie::Function;
use crate::support::world::{ACCOUNT, World};

/// A region of this test's own, in which its function is. Trails of all regions are seen everywhere.
const HERE: &str = "sa-east-1";
const ELSEWHERE: &str = "ca-central-1";
const STACK: &str = "typo3-sg-auditor";

fn run(world: &World, line: &str) {
    let ran = world.shell(line);
    assert!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
}

/// A trail with a bucket, which logs.
fn make(world: &World, name: &str, region: &str, options: &str) {
    run(
        world,
        &format!(
            "aws cloudtrail create-trail --region {region} --name {name} --s3-bucket-name trails-{own} {options} && \
             aws cloudtrail start-logging --region {region} --name {name}",
            own = world.own
        ),
    );
}

fn select(world: &World, name: &str, region: &str, selectors: &Value) {
    run(
        world,
        &format!(
            "aws cloudtrail put-event-selectors --region {region} --trail-name {name} --event-selectors '{selectors}'"
        ),
    );
}

fn delete(world: &World, name: &str, region: &str) {
    run(world, &format!("aws cloudtrail delete-trail --region {region} --name {name}"));
}

/// The finding of a sweep about trails: its severity, its title and its fix.
fn told(world: &World, function: &mut Function) -> Option<[String; 3]> {
    let report = world.report(function, &json!({"sweep": {"schedule": "daily"}}));
    assert_eq!(report["partial"], false, "{report:#}");
    let findings = report["findings"].as_array().expect("findings");
    let finding = findings.iter().find(|it| it["code"] == "unaudited-change")?;
    assert_eq!((&finding["account"], &finding["region"]), (&json!(ACCOUNT), &json!(HERE)));
    let page =
        format!("https://{HERE}.console.aws.amazon.com/cloudtrailv2/home?region={HERE}#/trails");
    assert_eq!(finding["console_url"], page);
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let fix = text(&finding["remediation"]["fix"]);
    Some([text(&finding["severity"]), text(&finding["title"]), fix])
}

#[tokio::test]
async fn each_sweep_by_day_tells_whether_a_trail_records_what_is_changed_here() {
    let world = World::new().await;
    run(
        &world,
        &format!(
            "aws s3api create-bucket --region us-east-1 --bucket trails-{own} && \
             aws sns create-topic --region {HERE} --name trails",
            own = world.own
        ),
    );
    let topic = format!("arn:aws:sns:{HERE}:{ACCOUNT}:trails");
    let mut function = world.function(&[
        ("AWS_REGION", HERE),
        ("AWS_DEFAULT_REGION", HERE),
        ("TOPIC_ARN", &topic),
        ("STACK_NAME", STACK),
    ]);
    let doctor = format!("sg-audit doctor --stack '{STACK}' --region '{HERE}'");
    let none = |why: &str| {
        let title = format!(
            "Changes of security groups in account {ACCOUNT} in {HERE} are not audited: {why}"
        );
        Some(["high".to_owned(), title, doctor.clone()])
    };
    assert_eq!(told(&world, &mut function), none("no CloudTrail trail records them"));

    // One of another region.
    make(&world, "far", ELSEWHERE, "");
    assert_eq!(told(&world, &mut function), none("no CloudTrail trail records them"));
    delete(&world, "far", ELSEWHERE);

    // One of all regions, and one of the organisation.
    for options in ["--is-multi-region-trail", "--is-multi-region-trail --is-organization-trail"] {
        make(&world, "all", ELSEWHERE, options);
        assert_eq!(told(&world, &mut function), None, "{options}");
        delete(&world, "all", ELSEWHERE);
    }

    // One that records what happens to objects, and no management events.
    make(&world, "here", HERE, "");
    assert_eq!(told(&world, &mut function), None);
    let data = json!([{
        "ReadWriteType": "All", "IncludeManagementEvents": false,
        "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}],
    }]);
    select(&world, "here", HERE, &data);
    assert_eq!(told(&world, &mut function), none("the trail here records no management events"));
    let management = json!([{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": true}]);
    select(&world, "here", HERE, &management);
    assert_eq!(told(&world, &mut function), None);

    // One that is stopped, and the line that starts it.
    run(&world, &format!("aws cloudtrail stop-logging --region {HERE} --name here"));
    let [severity, title, fix] = told(&world, &mut function).expect("a finding");
    assert_eq!(severity, "high");
    assert!(title.ends_with(": the trail here is stopped"), "{title}");
    run(&world, &fix);
    assert_eq!(told(&world, &mut function), None);

    // What may not be looked up is told with the right that is missing, and stops nothing.
    for (call, status, code) in [
        ("DescribeTrails", 400, "AccessDeniedException"),
        ("GetTrailStatus", 400, "AccessDeniedException"),
        ("GetEventSelectors", 400, "AccessDeniedException"),
        ("DescribeTrails", 400, "ThrottlingException"),
    ] {
        world.answer(move |asked| match asked.action == call {
            true => Answer::Error(status, code, "no"),
            false => Answer::Moto,
        });
        let [severity, title, _] = told(&world, &mut function).expect("a finding");
        assert_eq!(severity, "low", "{call} {code}");
        assert!(title.contains(&format!("cloudtrail:{call} ")), "{title}");
    }
    world.answer(|_| Answer::Moto);

    // A sweep of another region looks at no trail.
    let before = world.calls().len();
    world.report(&mut function, &json!({"sweep": {"regions": [ELSEWHERE]}}));
    let calls = &world.calls()[before..];
    assert!(calls.iter().all(|call| call.action != "DescribeTrails"), "{calls:?}");
    delete(&world, "here", HERE);
}
