//! The templates accept the regions that the code accepts.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use typo3_sg_auditor::ec2::Region;

use crate::support::resolved::{AUDITOR, MEMBER, ORGANISATION, run};

/// Regions of every partition, and what is none.
const NAMES: [&str; 24] = [
    "eu-central-1",
    "us-east-1",
    "ap-southeast-14",
    "cn-northwest-1",
    "us-gov-west-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "eu-isoe-west-1",
    "us-isof-south-1",
    "eusc-de-east-1",
    "x-y-1",
    "",
    "eu",
    "eu-1",
    "eu-central",
    "eu-central-100",
    "eu-central-1a",
    "eu--central-1",
    "-central-1",
    "EU-CENTRAL-1",
    "eu-central-1 ",
    "eu_central_1",
    "eu-central-1,us-east-1",
    "eu-central-1-",
];

/// Which of these values a parameter of a template accepts, and the regions that are known.
fn accepted(template: &str, parameter: &str, values: &[String]) -> (BTreeSet<String>, Vec<String>) {
    let asked = json!({"template": template, "parameter": parameter, "values": values});
    let answer = run("allowed_values.py", &asked);
    let answer: Value = serde_json::from_slice(&answer).expect("JSON");
    let texts = |member: &str| -> Vec<String> {
        serde_json::from_value(answer[member].clone()).expect("texts")
    };
    (texts("accepted").into_iter().collect(), texts("regions"))
}

fn is_region(name: &str) -> bool {
    name.parse::<Region>().is_ok()
}

#[test]
fn the_templates_accept_the_regions_that_the_code_accepts() {
    let (_, known) = accepted(MEMBER, "HomeRegion", &[]);
    assert!(known.len() > 40 && known.iter().all(|name| is_region(name)), "{known:?}");
    let too_long = format!("{}-east-1", "x".repeat(32));
    let names: Vec<String> =
        NAMES.map(str::to_owned).into_iter().chain(known).chain([too_long]).collect();
    let regions: BTreeSet<String> = names.iter().filter(|name| is_region(name)).cloned().collect();
    assert!(regions.contains("eusc-de-east-1") && regions.contains("us-isob-east-1"));
    assert_eq!(accepted(MEMBER, "HomeRegion", &names).0, regions);
    let none = ["none".to_owned()];
    assert_eq!(accepted(MEMBER, "HomeRegion", &none).0, none.into());

    // Several, or none. A pattern cannot limit the length of each.
    let several: Vec<String> = names.iter().map(|name| format!("eu-west-1,{name}")).collect();
    let mut expected: BTreeSet<String> =
        regions.iter().map(|name| format!("eu-west-1,{name}")).collect();
    expected
        .extend(several.iter().filter(|it| it.len() > 40 || it.matches(',').count() == 2).cloned());
    assert_eq!(accepted(ORGANISATION, "Regions", &several).0, expected);
    assert_eq!(accepted(ORGANISATION, "Regions", &[String::new()]).0.len(), 1);
}

#[test]
fn the_arns_of_every_partition_are_accepted() {
    for (partition, region) in [
        ("aws", "eu-central-1"),
        ("aws-cn", "cn-north-1"),
        ("aws-us-gov", "us-gov-east-1"),
        ("aws-iso-b", "us-isob-east-1"),
        ("aws-eusc", "eusc-de-east-1"),
    ] {
        let bus = format!("arn:{partition}:events:{region}:123456789012:event-bus/default");
        let role = format!("arn:{partition}:iam::123456789012:role/auditor");
        let layer =
            format!("arn:{partition}:lambda:{region}:123456789012:layer:baseline:1/our-site.yaml");
        for (template, parameter, arn) in [
            (MEMBER, "AuditorEventBus", bus),
            (MEMBER, "AuditorRole", role),
            (AUDITOR, "Baseline", layer),
        ] {
            let arns = [arn];
            assert_eq!(accepted(template, parameter, &arns).0, arns.into(), "{parameter}");
        }
    }
}
