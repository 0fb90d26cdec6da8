//! The table of faults, one after the other at one stack.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{ALONE, diagnosis, shell, stack};

/// What ministack cannot answer, whatever is wrong: it has no rules that mute alarms.
const NOT_SEEN: &str = "cannot-tell alarm - not-seen";

/// Waits until the function is not being updated.
const IS_UPDATED: &str = "aws lambda wait function-active-v2 --function-name \"$Auditor\" && \
                          aws lambda wait function-updated-v2 --function-name \"$Auditor\"";

struct Fault {
    title: &'static str,
    commands: Vec<&'static str>,
    said: &'static str,
    undo: Option<&'static str>,
}

fn faults() -> Vec<Fault> {
    let blocks = include_str!("faults.txt").split("\n\n").skip(1);
    let of = |block: &'static str| {
        let (title, rest) = block.trim().split_once('\n').expect("a title");
        let (commands, said) = rest.split_once("=> ").expect("what the doctor says");
        let (said, undo) =
            said.split_once("\nundo: ").map_or((said, None), |(it, undo)| (it, Some(undo)));
        Fault { title, commands: commands.lines().collect(), said: said.trim(), undo }
    };
    blocks.map(of).collect()
}

/// The checks that are not ok, with the commands that mend them.
fn wrong(diagnosis: &Value) -> Vec<(String, Option<String>)> {
    let checks = diagnosis["checks"].as_array().expect("checks").iter();
    let word = |it: &Value| it.as_str().unwrap_or("-").to_owned();
    let line = |it: &Value| ["state", "check", "of", "fact"].map(|key| word(&it[key])).join(" ");
    let wrong = checks.filter(|it| it["state"] != "ok");
    let wrong = wrong.map(|it| (line(it), it["mend"].as_str().map(str::to_owned)));
    wrong.filter(|(line, _)| line != NOT_SEEN).collect()
}

/// The physical name of each resource, by its name in the template.
fn names() -> BTreeMap<String, String> {
    stack().resources().into_iter().map(|(name, (_, id))| (name, id)).collect()
}

#[tokio::test]
async fn each_fault_alone_is_named_alone_and_mended_by_the_command_that_is_printed() {
    let _alone = ALONE.lock().await;
    let names = names();
    // What ministack leaves out: EventBridge counts what it invokes, and CloudFormation gives topics their key and has
    // entries of tables end. The stack is new, so no sweep is due.
    for line in [
        "aws cloudwatch put-metric-data --namespace AWS/Events --metric-name Invocations --value 1 \
         --dimensions RuleName=\"$Changes\"",
        "aws dynamodb update-time-to-live --table-name \"$Memory\" \
         --time-to-live-specification Enabled=true,AttributeName=expires",
        "aws sns set-topic-attributes --topic-arn \"$Findings\" --attribute-name KmsMasterKeyId \
         --attribute-value \"$TopicKey\"",
    ] {
        let ran = shell(line, &names);
        assert_eq!(ran.status, 0, "{ran}");
    }
    let faults = faults();
    assert!(faults.len() > 25, "{}", faults.len());
    for fault in &faults {
        for command in &fault.commands {
            let ran = shell(command, &names);
            assert_eq!(ran.status, 0, "{}: {command}\n{ran}", fault.title);
        }
        // A function that is being updated is worth a warning of its own. It may be gone now.
        shell(IS_UPDATED, &names);
        // What the one before it left wrong would be named too.
        let (diagnosis, status) = diagnosis("");
        let wrong = wrong(&diagnosis);
        let lines: Vec<&str> = wrong.iter().map(|(line, _)| line.as_str()).collect();
        assert_eq!(lines, [fault.said], "{}\n{diagnosis:#}", fault.title);
        let is_fault = fault.said.starts_with("fault");
        assert_eq!(status, if is_fault { 1 } else { 2 }, "{}", fault.title);
        let printed =
            wrong[0].1.as_deref().unwrap_or_else(|| panic!("{}: no command", fault.title));
        let mended = shell(fault.undo.unwrap_or(printed), &names);
        assert_eq!(mended.status, 0, "{}: {printed}\n{mended}", fault.title);
    }
    shell(IS_UPDATED, &names);
    let (diagnosis, status) = diagnosis("");
    assert_eq!(wrong(&diagnosis), [], "{diagnosis:#}");
    // Because of what ministack does not know.
    assert_eq!(status, 2);
}
