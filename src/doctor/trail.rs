//! Whether a trail feeds the auditor: EventBridge gets a call only where a trail records it.

use serde::Deserialize;
use serde_json::{Value, json};

use super::aws::AwsError;
use super::check::{Check, Fact, Remedy, State, Topic};
use super::stack::{array, text};
use super::view::{View, each};
use crate::event::trail::{Records, Selectors, Unfit};

/// A trail that could record this region.
struct Candidate {
    arn: String,
    home: String,
    name: String,
    organization: bool,
    seen: Result<Seen, AwsError>,
}

struct Seen {
    logging: bool,
    delivery: Option<String>,
    records: Records,
    selectors: Value,
}

pub(super) fn checks(view: &View<'_>) -> Vec<Check> {
    let one = |state, fact, mend| Check { topic: Topic::Trail, of: None, state, fact, mend };
    let trails = match view.call(&["cloudtrail", "describe-trails"]) {
        Ok(trails) => trails,
        Err(error) => return vec![one(State::CannotTell(error.into()), Fact::NotSeen, None)],
    };
    let here = |trail: &&Value| {
        text(trail, "HomeRegion") == view.stack.region
            || trail.get("IsMultiRegionTrail").and_then(Value::as_bool) == Some(true)
    };
    let trails: Vec<&Value> = array(&trails, "trailList").iter().filter(here).collect();
    let mut candidates = each(&trails, |trail| candidate(view, trail));
    // Those that feed it first.
    candidates.sort_by_key(|it| match &it.seen {
        Ok(seen) if seen.logging && seen.records == Records::All => 0,
        Ok(seen) if seen.logging && seen.records != Records::None => 1,
        Err(_) => 2,
        Ok(_) => 3,
    });
    let Some(first) = candidates.first_mut() else {
        return vec![one(State::Fault, Fact::TrailNone, Some(new_trail(view)))];
    };
    let (trail, organization) = (first.name.clone(), first.organization);
    match std::mem::replace(&mut first.seen, Err(AwsError::NoRegion)) {
        Ok(Seen { logging: true, records: Records::All, delivery, .. }) => vec![match delivery {
            Some(error) => one(State::Warning, Fact::TrailDelivery { trail, error }, None),
            None => one(State::Ok, Fact::TrailFeeds { trail, organization }, None),
        }],
        Ok(Seen { logging: true, records: Records::Partly(field), selectors, .. }) => {
            let mend = everything(first, &selectors);
            vec![one(State::Warning, Fact::TrailPartly { trail, field }, Some(mend))]
        }
        Err(error) => vec![one(State::CannotTell(error.into()), Fact::NotSeen, None)],
        Ok(seen) => {
            let mut unfit = vec![(trail, reason(&seen))];
            let others = candidates.iter().skip(1);
            unfit.extend(
                others.filter_map(|it| Some((it.name.clone(), reason(it.seen.as_ref().ok()?)))),
            );
            let mut mend = Remedy::default();
            if let Some(first) = candidates.first() {
                if seen.records == Records::None {
                    mend = mend.then(everything(first, &seen.selectors));
                }
                if !seen.logging {
                    let start = ["aws", "cloudtrail", "start-logging", "--name", &first.arn];
                    mend = mend
                        .then(Remedy::command(&[&start[..], &["--region", &first.home]].concat()));
                }
            }
            vec![one(State::Fault, Fact::TrailUnfit { trails: unfit }, Some(mend))]
        }
    }
}

fn reason(seen: &Seen) -> Unfit {
    if seen.records == Records::None { Unfit::LeavesOut } else { Unfit::Stopped }
}

fn candidate(view: &View<'_>, trail: &Value) -> Candidate {
    let arn = text(trail, "TrailARN").to_owned();
    let look = || {
        // A trail of another region or account is known by its ARN only.
        let status = view.call(&["cloudtrail", "get-trail-status", "--name", &arn])?;
        let selectors = view.call(&["cloudtrail", "get-event-selectors", "--trail-name", &arn])?;
        let delivery = text(&status, "LatestDeliveryError");
        Ok(Seen {
            logging: status.get("IsLogging").and_then(Value::as_bool).unwrap_or_default(),
            delivery: Some(delivery.to_owned()).filter(|error| !error.is_empty()),
            // What cannot be read records nothing.
            records: Selectors::deserialize(&selectors).unwrap_or_default().records(),
            selectors,
        })
    };
    let seen = look();
    Candidate {
        home: text(trail, "HomeRegion").to_owned(),
        name: text(trail, "Name").to_owned(),
        organization: trail.get("IsOrganizationTrail").and_then(Value::as_bool).unwrap_or_default(),
        seen,
        arn,
    }
}

/// Adds management events to what a trail records.
fn everything(trail: &Candidate, selectors: &Value) -> Remedy {
    let advanced = array(selectors, "AdvancedEventSelectors");
    let (option, all) = if advanced.is_empty() {
        let mut all = array(selectors, "EventSelectors").to_vec();
        // Only one selector of a trail may have management events.
        match all.first_mut().and_then(Value::as_object_mut) {
            Some(first) => {
                first.insert("ReadWriteType".to_owned(), "All".into());
                first.insert("IncludeManagementEvents".to_owned(), true.into());
                first.remove("ExcludeManagementEventSources");
            }
            None => all.push(json!({"ReadWriteType": "All", "IncludeManagementEvents": true})),
        }
        ("--event-selectors", all)
    } else {
        let mut all = advanced.to_vec();
        all.push(json!({
            "Name": "Management events that write",
            "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Management"]},
                {"Field": "readOnly", "Equals": ["false"]},
            ],
        }));
        ("--advanced-event-selectors", all)
    };
    let selectors = Value::from(all).to_string();
    let put = ["aws", "cloudtrail", "put-event-selectors", "--trail-name", &trail.arn];
    Remedy::command(&[&put[..], &[option, &selectors, "--region", &trail.home]].concat())
}

/// A trail of all regions, with a bucket of its own.
fn new_trail(view: &View<'_>) -> Remedy {
    let stack = view.stack;
    let (account, region, partition) = (&stack.account, &stack.region, &stack.partition);
    let bucket = format!("sg-audit-trail-{account}-{region}");
    let trail = stack.arn("cloudtrail", "trail/sg-audit");
    let service = json!({"Service": "cloudtrail.amazonaws.com"});
    let own = json!({"StringEquals": {"aws:SourceArn": trail}});
    // "Amazon S3 bucket policy for CloudTrail" in the CloudTrail user guide.
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": service, "Action": "s3:GetBucketAcl",
         "Resource": format!("arn:{partition}:s3:::{bucket}"), "Condition": own},
        {"Effect": "Allow", "Principal": service, "Action": "s3:PutObject",
         "Resource": format!("arn:{partition}:s3:::{bucket}/AWSLogs/{account}/*"),
         "Condition": {"StringEquals": {"aws:SourceArn": trail, "s3:x-amz-acl": "bucket-owner-full-control"}}},
    ]})
    .to_string();
    let place = format!("LocationConstraint={region}");
    let mut create = vec!["s3api", "create-bucket", "--bucket", &bucket];
    // In this region S3 refuses to be told the place.
    if region != "us-east-1" {
        create.extend(["--create-bucket-configuration", &place]);
    }
    view.mend(&create)
        .then(view.mend(&["s3api", "put-bucket-policy", "--bucket", &bucket, "--policy", &policy]))
        .then(view.mend(&[
            "cloudtrail",
            "create-trail",
            "--name",
            "sg-audit",
            "--s3-bucket-name",
            &bucket,
            "--is-multi-region-trail",
        ]))
        .then(view.mend(&["cloudtrail", "start-logging", "--name", "sg-audit"]))
}
