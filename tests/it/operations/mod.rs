//! docs/operations.md does what it says: each of its commands is taken from the page and run on a deployed stack.

mod operated;
mod page;

use std::collections::BTreeSet;
use std::fs;

use chrono::Utc;
use serde_json::{Value, json};

use self::operated::Operated;
use self::page::{Page, commands, is_left_out};
use crate::support::permission::tcp;
use crate::support::sg_audit::repository;
use crate::support::world::Direction::Ingress;
use crate::support::{by_hand, ministack};

/// As samconfig.toml names it, and the page.
const NAME: &str = "typo3-sg-auditor";
/// The commands that are not run here, by their first words. The page lists the same, with the reasons.
const NOT_RUN: [&str; 1] = ["sam build"];

#[tokio::test]
async fn each_command_is_run_and_does_what_the_page_says() {
    let mut page = Page::read();
    let operated = Operated::deployed().await;
    outputs_and_alarms(&mut page, &operated);
    numbers(&mut page, &operated);
    log(&mut page, &operated).await;
    parked(&mut page, &operated).await;
    mapping(&mut page, &operated);
    undo(&mut page, &operated);
    reverting(&mut page, &operated).await;
    versions(&mut page, &operated);
    key(&mut page, &operated);
    uninstall(&mut page, &operated);
    page.blocks.retain(|block| !commands(block).iter().all(|command| is_left_out(command)));
    assert_eq!(page.blocks, [""; 0], "neither run here nor listed as not run");
}

fn outputs_and_alarms(page: &mut Page, operated: &Operated) {
    let outputs = operated.run(&page.take("aws cloudformation describe-stacks"));
    for (name, value) in &operated.stack.outputs {
        assert!(outputs.contains(&format!("{name}\t{value}\n")), "{name} is not in {outputs}");
    }

    let topic = ["--topic-arn", &operated.stack.outputs["FindingsTopic"]];
    let mail = ["--protocol", "email", "--notification-endpoint", "you@example.com"];
    ministack::server().aws(&[&["sns", "subscribe"], &topic[..], &mail[..]].concat());
    let subscribed = operated.run(&page.take("aws sns list-subscriptions-by-topic"));
    assert!(subscribed.contains("email\tyou@example.com\t"), "{subscribed}");

    let alarms = operated.aws(&["cloudwatch", "describe-alarms", "--alarm-name-prefix", NAME]);
    let names = alarms["MetricAlarms"].as_array().expect("alarms").iter();
    let parked = names.filter_map(|alarm| alarm["AlarmName"].as_str());
    let parked = parked.into_iter().find(|name| name.contains("EventsParked")).expect("an alarm");
    let set = ["cloudwatch", "set-alarm-state", "--state-value", "ALARM", "--alarm-name", parked];
    ministack::server().aws(&[&set[..], &["--state-reason", "one is parked"]].concat());
    operated.run(&page.take("aws sns subscribe"));
    let listed = operated.aws(&[&["sns", "list-subscriptions-by-topic"], &topic[..]].concat());
    assert!(listed.to_string().contains("operator@example.com"), "{listed:#}");
    let told = operated.run(&page.take("aws cloudwatch describe-alarms"));
    assert!(told.contains(&format!("{parked}\tone is parked\n")), "{told}");
    // ministack may find that another is one; this one cannot be.
    assert!(!told.contains("ChangesLost"), "{told}");
}

/// ministack makes no metric of the log, so one number of a day is put there. It keeps two weeks of them, so the day is
/// yesterday and not the one that the page names.
fn numbers(page: &mut Page, operated: &Operated) {
    let dimension = format!("FunctionName={}", operated.stack.outputs["Function"]);
    let metric = ["--namespace", "typo3-sg-auditor", "--metric-name", "SecondsToRevert"];
    let today = Utc::now().date_naive();
    let yesterday = today.pred_opt().expect("a day");
    let noon = format!("{yesterday}T12:00:00Z");
    let number = ["--timestamp", &noon, "--value", "41.5", "--unit", "Seconds"];
    let put =
        [&["cloudwatch", "put-metric-data", "--dimensions", &dimension], &metric[..], &number];
    ministack::server().aws(&put.concat());
    let command = page.take("aws cloudwatch get-metric-statistics");
    let days = [("2026-11-25", today.to_string()), ("2026-11-24", yesterday.to_string())];
    let command = days.iter().fold(command, |command, (named, day)| command.replace(named, day));
    let printed = operated.run(&command);
    let printed: Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!(printed["Datapoints"][0]["Maximum"], 41.5, "{printed:#}");
}

async fn log(page: &mut Page, operated: &Operated) {
    const LOG: &str =
        "aws logs filter-log-events --log-group-name LOG_GROUP --filter-pattern '{ $.";
    operated.run(&page.take("aws logs put-retention-policy"));
    let group = operated.stack.outputs["LogGroup"].as_str();
    let group = operated.aws(&["logs", "describe-log-groups", "--log-group-name-prefix", group]);
    assert_eq!(group["logGroups"][0]["retentionInDays"], 90, "{group:#}");
    // ministack shows every line, whatever the pattern.
    operated
        .shows(&page.take(&format!("{LOG}message = \"revert\"")), r#""message":"revert""#)
        .await;
    let stack = &operated.stack;
    let topic = stack.outputs["FindingsTopic"].as_str();
    stack.sns.delete_topic().topic_arn(topic).send().await.expect("the topic goes");
    operated.shows(&page.take(&format!("{LOG}level = \"ERROR\"")), "NotPublished").await;
    let name = topic.rsplit(':').next().expect("a name");
    stack.sns.create_topic().name(name).send().await.expect("a topic");
}

async fn parked(page: &mut Page, operated: &Operated) {
    let stack = &operated.stack;
    let queue = &stack.outputs["ParkedQueue"];
    let (group, event) = operated.opened().await;
    let context = json!({ "condition": "RetriesExhausted", "approximateInvokeCount": 3 });
    let body = json!({ "version": "1.0", "requestContext": context, "requestPayload": event });
    stack.send(queue, &body.to_string()).await;

    let looked = page.take("aws sqs receive-message --queue-url PARKED_QUEUE --max-number");
    assert_eq!(operated.run(&looked).trim_end(), body.to_string());
    let printed =
        operated.run(&page.take("aws sqs receive-message --queue-url PARKED_QUEUE --vis"));
    assert!(printed.contains(&group.id) && printed.contains("\"reverted\""), "{printed}");
    assert_eq!(operated.site.ingress(&group).await, [""; 0]);
    assert_eq!(stack.length(queue).await, 1);

    // The emulator's SQS moves nothing, so the message is put where SQS would put it.
    let sqs = by_hand::moves_messages_of(&stack.outputs["ParkedQueueArn"]);
    let moving = page.take("aws sqs start-message-move-task");
    let (printed, status) = operated.run_with(&moving, &[("AWS_ENDPOINT_URL_SQS", &sqs)]);
    assert!(status == Some(0) && printed.contains("COMPLETED"), "{printed}");
    let rules = [tcp(22, 22).from("198.51.100.0/24")];
    operated.site.authorize(&group, Ingress, &rules).await;
    stack.send(&stack.outputs["FailureQueue"], &body.to_string()).await;
    stack.emptied(&stack.outputs["FailureQueue"]).await;
    assert_eq!(operated.site.ingress(&group).await, [""; 0]);

    operated.run(&page.take("aws sqs purge-queue"));
    stack.emptied(queue).await;
}

fn mapping(page: &mut Page, operated: &Operated) {
    let state = page.take("aws lambda list-event-source-mappings");
    let enable = page.take("aws lambda update-event-source-mapping");
    let shown = operated.run(&state);
    let (mapping, _) = shown.split_once('\t').expect("an id");
    let disable = ["lambda", "update-event-source-mapping", "--no-enabled", "--uuid", mapping];
    ministack::server().aws(&disable);
    assert!(operated.run(&state).contains("Disabl"), "{shown}");
    operated.run(&enable.replace("MAPPING", mapping));
    assert!(operated.run(&state).contains("Enabl"), "{shown}");
}

fn undo(page: &mut Page, operated: &Operated) {
    let record = |file: &str| -> Value {
        let text = fs::read(repository().join("events").join(file)).expect("an event");
        serde_json::from_slice::<Value>(&text).expect("JSON")["detail"].clone()
    };
    let mut of_another = record("authorize-office-ssh.json");
    let group = of_another["requestParameters"]["groupId"].as_str().expect("a group").to_owned();
    let text = of_another.to_string().replace(&group, "sg-0f9e8d7c6b5a43210");
    of_another = serde_json::from_str(&text).expect("JSON");
    let modified = record("modify-widened.json");
    let records = [&record("authorize-open-ssh.json"), &of_another, &modified];
    let cloudtrail = by_hand::cloudtrail(&records);
    let (printed, status) = operated
        .run_with(&page.take("for call in"), &[("AWS_ENDPOINT_URL_CLOUDTRAIL", &cloudtrail)]);
    // There is a finding.
    assert_eq!(status, Some(1), "{printed}");
    let undone = |line: &&str| line.contains(" undo ") && line.contains("aws ec2 authorize-");
    assert_eq!(printed.lines().filter(undone).count(), 2, "{printed}");
    assert!(!printed.contains("sg-0f9e8d7c6b5a43210"), "{printed}");
}

async fn reverting(page: &mut Page, operated: &Operated) {
    let stopped = [("Remediation", "notify")];
    let started = [("Remediation", "revert-ssh")];
    let stop = page.take("sam deploy --no-confirm-changeset --parameter-overrides Remediation");
    operated.changes(&stop, &stopped);
    assert!(!operated.reverts().await);
    let stop = page.take("aws cloudformation update-stack");
    operated.changes(&stop.replace("=notify", "=revert-ssh"), &started);
    assert!(operated.reverts().await);
    operated.changes(&stop, &stopped);
    assert!(!operated.reverts().await);
    operated.run(&page.take("aws lambda put-function-concurrency"));
}

/// The sources are a clone, as they are where somebody deploys. Another version is one with another description.
fn versions(page: &mut Page, operated: &Operated) {
    const BEGIN: &str = "git init --quiet --initial-branch=main
git add template.yaml stacks samconfig.toml
$COMMIT --message 'this version'
git clone --quiet --bare . ../sources.git
git remote add origin ../sources.git
git fetch --quiet
git branch --quiet --set-upstream-to=origin/main
git clone --quiet ../sources.git ../next
cd ../next
sed -i 's/Description: Audits security groups against/Description: Holds/' template.yaml
$COMMIT --all --message 'the next version'
git push --quiet";
    let description = operated.description();
    let commit = "git -c user.name=tests -c user.email=tests@example.com commit --quiet";
    operated.run(&BEGIN.replace("$COMMIT", commit));
    let before = operated.run("git rev-parse HEAD");

    operated.changes(&page.take("git pull"), &[]);
    assert_eq!(operated.description(), "Holds the TYPO3 baseline.");
    let back = page.take("git checkout COMMIT").replace("COMMIT", before.trim());
    operated.changes(&back, &[]);
    assert_eq!(operated.description(), description);
}

fn key(page: &mut Page, operated: &Operated) {
    let key = operated.resource("TopicKey");
    let state = || {
        let key = operated.aws(&["kms", "describe-key", "--key-id", &key]);
        key["KeyMetadata"]["KeyState"].clone()
    };
    ministack::server().aws(&["kms", "schedule-key-deletion", "--key-id", &key]);
    assert_eq!(state(), "PendingDeletion");
    operated.run(&page.take("key=$(aws cloudformation describe-stack-resource"));
    assert_eq!(state(), "Enabled");

    let without = page.take("sam deploy --parameter-overrides Encryption=none");
    operated.changes(&without, &[("Encryption", "none")]);
    let topic = operated.stack.outputs["FindingsTopic"].as_str();
    let topic = operated.aws(&["sns", "get-topic-attributes", "--topic-arn", topic]);
    assert_eq!(topic["Attributes"]["KmsMasterKeyId"], Value::Null, "{topic:#}");

    let with = page.take("sam deploy --parameter-overrides Encryption=queues");
    operated.changes(&with, &[("Encryption", "queues")]);
    let key = operated.resource("QueueKey");
    let queue = operated.stack.outputs["FailureQueue"].as_str();
    let queue = operated.aws(&[
        "sqs",
        "get-queue-attributes",
        "--queue-url",
        queue,
        "--attribute-names",
        "KmsMasterKeyId",
    ]);
    let set = queue["Attributes"]["KmsMasterKeyId"].as_str().expect("a key");
    assert!(set.ends_with(&key), "{set} is not {key}");
}

fn uninstall(page: &mut Page, operated: &Operated) {
    operated.run(&page.take("sam delete"));
    let stacks = operated.aws(&[
        "cloudformation",
        "list-stacks",
        "--stack-status-filter",
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
    ]);
    let stacks = stacks["StackSummaries"].as_array().expect("stacks").clone();
    assert!(stacks.iter().all(|stack| stack["StackName"] != NAME), "{stacks:#?}");
    // As the page says, it stays until somebody deletes it by hand.
    let group = operated.stack.outputs["LogGroup"].as_str();
    let groups = ["logs", "describe-log-groups", "--log-group-name-prefix", group];
    assert_eq!(operated.aws(&groups)["logGroups"][0]["logGroupName"], group);
}

#[test]
fn commands_that_are_not_run_are_listed_with_the_reason() {
    let page = Page::read();
    let (_, section) = page.text.split_once("\n## What was run\n").expect("the section");
    let listed = section.lines().filter_map(|line| line.strip_prefix("- `")?.split_once("`: "));
    let listed: BTreeSet<&str> = listed.map(|(command, _)| command).collect();
    assert_eq!(listed, NOT_RUN.into());
    let commands: Vec<String> = page.blocks.iter().flat_map(|block| commands(block)).collect();
    for words in NOT_RUN {
        assert!(commands.iter().any(|command| command.starts_with(words)), "{words}");
    }
}

#[test]
fn commands_to_type_are_in_code_blocks() {
    let page = Page::read();
    let spans =
        page.text.split("```").step_by(2).flat_map(|text| text.split('`').skip(1).step_by(2));
    for span in spans {
        let program = span.split(' ').next().unwrap_or_default();
        let typed = ["aws", "git", "sam", "sg-audit"].contains(&program) && span.contains(" --");
        assert!(!typed, "`{span}` is not run");
    }
}
