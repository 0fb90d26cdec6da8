//! What a message says of a group is what the group admits, and its lines, run by a shell, mend it.

use serde_json::{Value, json};

use crate::reverts::{REVERT, finding};
use crate::support::baseline::Baseline;
use crate::support::endpoint::Answer;
use crate::support::permission::tcp;
use crate::support::world::{Direction::Ingress, Group, World};

const OFFICE: &str = "tcp 22 from 203.0.113.0/24";

/// The group's ingress rules in short, without descriptions: `tcp 80-80 0.0.0.0/0`.
async fn short(world: &World, group: &Group) -> Vec<String> {
    let rules = world.ingress(group).await;
    let short = |rule: &String| rule.split(' ').skip(1).take(3).collect::<Vec<_>>().join(" ");
    let mut rules: Vec<String> = rules.iter().map(short).collect();
    rules.sort();
    rules
}

/// A line that a finding offers.
fn line<'a>(finding: &'a Value, name: &str) -> Option<&'a str> {
    finding["remediation"][name].as_str()
}

/// Whether a shell carried out the whole line.
fn pasted(world: &World, line: &str) -> bool {
    assert!(!line.contains('\n'), "{line}");
    world.shell(line).status.success()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(|text| text.as_str().expect("a text")).collect()
}

#[tokio::test]
async fn the_fix_does_what_a_revert_would_and_nothing_else() {
    let world = World::new().await;
    let notify = [("REMEDIATION", "notify"), REVERT[1], REVERT[2]];
    let (mut notifying, mut reverting) = (world.function(&notify), world.function(&REVERT));
    let open = tcp(22, 443).from("0.0.0.0/0");
    let (one, other) = (world.group("typo3-shop").await, world.group("typo3-shop").await);
    let event = world.authorize(&one, Ingress, std::slice::from_ref(&open)).await;
    let report = world.report(&mut notifying, &event);
    let fix = line(&report["findings"][0], "fix").expect("a fix").to_owned();
    let event = world.authorize(&other, Ingress, std::slice::from_ref(&open)).await;
    world.report(&mut reverting, &event);
    assert!(pasted(&world, &fix), "{fix}");
    assert_eq!(short(&world, &one).await, short(&world, &other).await);
    // There is nothing to fix where a rule complies, or is gone.
    let web = world.authorize(&one, Ingress, &[tcp(443, 443).from("198.51.100.0/24")]).await;
    assert_eq!(world.report(&mut notifying, &web)["findings"], json!([]));
    let report = world.report(&mut notifying, &event);
    assert_eq!(line(&report["findings"][0], "fix"), None, "{report:#}");

    // Somebody changes the rule in place before the line is pasted, and keeps its id.
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(22, 22).from("198.51.100.0/24")]).await;
    let report = world.report(&mut notifying, &event);
    let fix = line(&report["findings"][0], "fix").expect("a fix").to_owned();
    let rules = world.rules(&group).await;
    let rule = rules.iter().find(|rule| rule.direction == Ingress).expect("the rule");
    world.modify(&group, &[(&rule.id, &tcp(22, 22).from("203.0.113.9/32"))]).await;
    assert!(!pasted(&world, &fix), "{fix}");
    assert_eq!(short(&world, &group).await, ["tcp 22-22 203.0.113.9/32"]);

    // Where the group cannot be read, the line closes the rule before it adds anything.
    for action in ["DescribeSecurityGroups", "DescribeSecurityGroupRules"] {
        let group = world.group("typo3-shop").await;
        let event = world.authorize(&group, Ingress, std::slice::from_ref(&open)).await;
        world.answer(move |call| match call.action == action {
            true => Answer::Error(403, "UnauthorizedOperation", "No."),
            false => Answer::Moto,
        });
        let report = world.report(&mut notifying, &event);
        world.answer(|_| Answer::Moto);
        let fix = line(&report["findings"][0], "fix").expect("a fix");
        assert!(fix.starts_with("aws ec2 revoke-"), "{fix}");
        assert!(pasted(&world, fix), "{fix}");
        assert_eq!(short(&world, &group).await, short(&world, &other).await);
    }
}

#[tokio::test]
async fn what_is_kept_is_there_and_a_command_adds_what_is_missing() {
    let world = World::new().await;
    let mut function = world.function(&REVERT);
    let all_ports = tcp(0, 65535).from("0.0.0.0/0");
    // With room for all of it, nothing is missing.
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, std::slice::from_ref(&all_ports)).await;
    let report = world.report(&mut function, &event);
    let remediation = &report["findings"][0]["remediation"];
    assert_eq!(
        texts(&remediation["kept"]),
        ["tcp 443 from 0.0.0.0/0", "tcp 80 from 0.0.0.0/0", OFFICE]
    );
    assert_eq!((&remediation["missing"], &remediation["complete"]), (&json!([]), &Value::Null));
    assert_eq!(short(&world, &group).await.len(), 3);

    // In a full group HTTPS comes first, and what is missing has a command. Somebody keeps port 80
    // open in a rule that has to go too.
    let group = world.group("typo3-shop").await;
    let filler = (0..58).fold(tcp(443, 443), |it, n| it.from(&format!("198.51.100.{n}/32")));
    let rest = [filler, tcp(80, 90).from("0.0.0.0/0")];
    world.authorize(&group, Ingress, &rest).await;
    let event = world.authorize(&group, Ingress, &[all_ports]).await;
    let report = world.report(&mut function, &event);
    let found = &report["findings"][0];
    let remediation = &found["remediation"];
    assert_eq!(remediation["outcome"], "failed");
    assert_eq!(texts(&remediation["kept"]), ["tcp 443 from 0.0.0.0/0"]);
    assert_eq!(texts(&remediation["missing"]), ["tcp 80 from 0.0.0.0/0", OFFICE]);
    let detail = remediation["detail"].as_str().expect("a detail");
    assert!(detail.contains("rules that do not comply admit tcp 80 from 0.0.0.0/0"), "{detail}");
    let messages = world.messages().await;
    let subject = &messages.last().expect("a message").subject;
    assert!(subject.starts_with("FIX NOW: TCP 22 from 203.0.113.0/24 closed on "), "{subject}");
    let complete = line(found, "complete").expect("a command");
    // Nothing fits before there is room, and with room for one the first one does.
    assert!(!pasted(&world, complete));
    for (n, there) in [(0, "tcp 80-80 0.0.0.0/0"), (1, "tcp 22-22 203.0.113.0/24")] {
        let no_longer = [tcp(443, 443).from(&format!("198.51.100.{n}/32"))];
        world.revoke(&group, Ingress, &no_longer).await;
        let missing: Vec<&str> = complete.split(" && ").skip(n).collect();
        pasted(&world, &missing.join(" && "));
        assert!(short(&world, &group).await.contains(&there.to_owned()), "{there}");
    }

    // Where nobody may look again, what this invocation added is kept, and the rest is not known.
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(22, 80).from("0.0.0.0/0")]).await;
    let mut revoked = false;
    world.answer(move |call| {
        revoked |= call.action == "RevokeSecurityGroupIngress";
        match revoked && call.action == "DescribeSecurityGroupRules" {
            true => Answer::Error(403, "UnauthorizedOperation", "No."),
            false => Answer::Moto,
        }
    });
    let report = world.report(&mut function, &event);
    let found = &report["findings"][0];
    assert_eq!(texts(&found["remediation"]["kept"]), ["tcp 80 from 0.0.0.0/0", OFFICE]);
    assert_eq!(found["still_open_unknown"], true);
    world.answer(|_| Answer::Moto);
    assert_eq!(short(&world, &group).await.len(), 2);
}

#[tokio::test]
async fn each_open_rule_is_closed_by_one_line() {
    let world = World::new().await;
    let mut function = world.function(&REVERT);
    let group = world.group("typo3-shop").await;
    world.authorize(&group, Ingress, &[tcp(22, 22).from("::/0")]).await;
    let opened = [tcp(22, 22).from("198.51.100.0/24"), tcp(22, 22).from("192.0.2.0/24")];
    let event = world.authorize(&group, Ingress, &opened).await;
    let report = world.report(&mut function, &event);
    let findings = report["findings"].as_array().expect("findings");
    let open = |finding: &Value| finding["still_open"][0]["text"].clone();
    assert_eq!(findings.iter().map(open).collect::<Vec<_>>(), ["tcp 22 from ::/0"; 2]);
    let lines: Vec<&str> = findings.iter().filter_map(|it| line(it, "fix")).collect();
    let [fix] = lines[..] else { panic!("{report:#}") };
    let [message] = world.messages().await.try_into().expect("one message");
    assert!(message.subject.starts_with("STILL OPEN via sgr-"), "{}", message.subject);
    assert!(pasted(&world, fix), "{fix}");
    assert_eq!(short(&world, &group).await, ["tcp 22-22 2001:db8:1::/48"]);
}

#[tokio::test]
async fn a_denied_revoke_tells_what_was_added_and_not_what_ec2_encoded() {
    let world = World::new().await;
    let mut function = world.function(&REVERT);
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(22, 80).from("0.0.0.0/0")]).await;
    let encoded = "8Hs2kd9".repeat(400);
    let why = format!(
        "You are not authorized to perform this operation. Encoded authorization failure message: \
         {encoded}"
    );
    world.answer(move |call| match call.action.as_str() {
        "RevokeSecurityGroupIngress" => {
            Answer::Error(403, "UnauthorizedOperation", Box::leak(why.clone().into_boxed_str()))
        }
        _ => Answer::Moto,
    });
    let report = world.report(&mut function, &event);
    world.answer(|_| Answer::Moto);
    let [mail] = world.mails().try_into().expect("one mail");
    assert!(!mail.contains("8Hs2kd9") && !report.to_string().contains("8Hs2kd9"), "{mail}");
    assert!(mail.contains("You are not authorized to perform this operation"), "{mail}");
    let remediation = &report["findings"][0]["remediation"];
    let detail = remediation["detail"].as_str().expect("a detail");
    let added = format!("tcp 80 from 0.0.0.0/0; {OFFICE}");
    assert!(detail.contains(&added), "{detail}");
    // The line only removes, and nothing calls that putting something back.
    assert!(mail.contains("To remove what the auditor added:"), "{mail}");
    assert!(!mail.contains("put back") && !mail.contains("opens it again"), "{mail}");
    let undo = line(&report["findings"][0], "undo").expect("an undo");
    assert!(pasted(&world, undo), "{undo}");
    assert_eq!(short(&world, &group).await, ["tcp 22-80 0.0.0.0/0"]);
}

/// So little time that an invocation closes one rule.
const SHORT: (&str, &str) = ("AWS_LAMBDA_FUNCTION_TIMEOUT", "30");

#[tokio::test]
async fn rules_of_one_call_are_all_closed_in_time_and_each_is_published_once() {
    let world = World::new().await;
    let mut function = world.function(&[REVERT[0], REVERT[1], REVERT[2], SHORT]);
    let group = world.group("typo3-shop").await;
    // Most of the call complies, and what does not comes last.
    let wide = (0..6).fold(tcp(22, 22), |it, n| it.from(&format!("198.51.{n}.0/24")));
    let call = [tcp(443, 443).from("0.0.0.0/0"), tcp(22, 22).from("203.0.113.7/32"), wide];
    let event = world.authorize(&group, Ingress, &call).await;
    let reports = world.delivered(&mut function, &event);
    assert_eq!(reports.len(), 6, "a rule an invocation");
    assert_eq!(short(&world, &group).await, ["tcp 22-22 203.0.113.7/32", "tcp 443-443 0.0.0.0/0"]);
    let findings = reports.iter().flat_map(|it| it["findings"].as_array().expect("findings"));
    let mut peers: Vec<&str> =
        findings.map(|it| it["rule"]["peer"].as_str().expect("a peer")).collect();
    peers.sort_unstable();
    peers.dedup();
    assert_eq!(peers.len(), 6);
    assert_eq!(world.messages().await.len(), 6);
    // A call that complies needs no time.
    let event = world.authorize(&group, Ingress, &[tcp(80, 80).from("0.0.0.0/0")]).await;
    assert_eq!(world.delivered(&mut function, &event).len(), 1);

    // While Lambda takes nothing, each try closes one more, and nothing is published twice.
    let group = world.group("typo3-shop").await;
    let distinct = [tcp(22, 22).from("192.0.2.0/25").from("192.0.2.128/25").from("9.0.0.0/8")];
    let event = world.authorize(&group, Ingress, &distinct).await;
    world.answer(|call| match call.action.as_str() {
        "Invoke" => Answer::Error(429, "TooManyRequestsException", "Rate Exceeded."),
        _ => Answer::Moto,
    });
    let failed = function.invoke(&event);
    assert_eq!(failed.error_type(), Some("NotHandedOn"), "{:#}", failed.body);
    assert_eq!(world.messages().await, []);
    assert_eq!(short(&world, &group).await.len(), 2);
    world.answer(|_| Answer::Moto);
    let reports = world.delivered(&mut function, &event);
    assert_eq!(short(&world, &group).await, [] as [&str; 0]);
    let findings = reports.iter().flat_map(|it| it["findings"].as_array().expect("findings"));
    assert_eq!(findings.count(), 3);
}

#[tokio::test]
async fn open_ssh_goes_even_where_more_would_have_to_stay_than_a_revert_adds() {
    let world = World::new().await;
    let peers: Vec<String> = (0..43).map(|n| format!("203.0.113.{}/32", 2 * n)).collect();
    let entry = |ports: &str| {
        format!(
            "{{ name: Partners, protocol: tcp, ports: [{ports}], peers: [{}] }}",
            peers.join(", ")
        )
    };
    let (ssh, database) = (
        Baseline::new("more-than-forty-ssh", &[entry("22")], &[]),
        Baseline::new("more-than-forty-database", &[entry("3306")], &[]),
    );
    let under = |baseline: &Baseline, mode| {
        world.function(&[
            ("BASELINE", baseline.path()),
            ("REMEDIATION", mode),
            ("SSH_SOURCES", "none"),
            REVERT[2],
        ])
    };
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    let report = world.report(&mut under(&ssh, "revert-ssh"), &event);
    let found = &report["findings"][0];
    assert_eq!(found["remediation"]["outcome"], "failed", "{report:#}");
    assert_eq!(texts(&found["remediation"]["kept"]).len(), 40);
    assert_eq!(texts(&found["remediation"]["missing"]).len(), 3);
    let after = short(&world, &group).await;
    assert_eq!(after.len(), 40);
    assert!(pasted(&world, line(found, "complete").expect("a command")));
    assert_eq!(short(&world, &group).await.len(), 43);
    // What is not SSH stays as it is.
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(3306, 3306).from("0.0.0.0/0")]).await;
    let report = world.report(&mut under(&database, "revert-ingress"), &event);
    assert_eq!(report["findings"][0]["remediation"]["outcome"], "failed", "{report:#}");
    assert_eq!(short(&world, &group).await, ["tcp 3306-3306 0.0.0.0/0"]);
    // As SSH sources they are refused before anything is reverted.
    let sources = peers.join(",");
    let mut function = world.function(&[REVERT[0], ("SSH_SOURCES", &sources), REVERT[2]]);
    function.invoke(&Value::Null);
    let told = function.log_line(|line| line.contains("does not start"));
    assert!(told.contains("SSH_SOURCES"), "{told}");
}

/// The event as a caller of this kind has made it.
fn by(event: &Value, identity: Value, user_agent: &str) -> Value {
    let mut event = event.clone();
    event["detail"]["userIdentity"] = identity;
    event["detail"]["userAgent"] = user_agent.into();
    event
}

#[tokio::test]
async fn stolen_credentials_are_a_warning_about_a_person_only() {
    let world = World::new().await;
    let mut function = world.function(&REVERT);
    let group = world.group("typo3-shop").await;
    let list = world.prefix_list("vendors", &["198.51.100.0/24"]).await;
    // moto forgets the name of a list with its first entries.
    let named = world.ec2.modify_managed_prefix_list().prefix_list_id(&list);
    named.prefix_list_name("vendors").send().await.expect("named");
    let event = world.authorize(&group, Ingress, &[tcp(22, 22).from(&list)]).await;
    let role = |session: &str| {
        json!({
            "type": "AssumedRole",
            "arn": format!("arn:aws:sts::123456789012:assumed-role/deploy/{session}"),
            "sessionContext": {"sessionIssuer": {"type": "Role", "userName": "deploy"}},
        })
    };
    let root = json!({"type": "Root", "arn": "arn:aws:iam::123456789012:root"});
    let mut formation = role("AWSCloudFormation");
    formation["invokedBy"] = "cloudformation.amazonaws.com".into();
    let person = event["detail"]["userIdentity"].clone();
    for (identity, agent, actor, warned) in [
        (person, "aws-cli/2.31.0", "person", true),
        (root, "console.amazonaws.com", "root", true),
        (role("i-0123456789abcdef0"), "aws-cli/2.31.0", "role-session", false),
        (formation, "cloudformation.amazonaws.com", "infrastructure-tool", false),
        (role("run-1"), "APN/1.0 HashiCorp/1.0 Terraform/1.9.0", "infrastructure-tool", false),
    ] {
        let report = world.report(&mut function, &by(&event, identity, agent));
        let found = &report["findings"][0];
        assert_eq!(found["change"]["actor_type"], actor, "{report:#}");
        let mails = world.mails();
        let mail = mails.last().expect("a mail");
        assert_eq!(mail.contains("look in CloudTrail for what else they did"), warned, "{mail}");
        // A list is known by its name as well.
        assert!(found["title"].as_str().is_some_and(|it| it.contains("vendors")), "{found:#}");
    }
    // A list that may not be read has no name to tell.
    let other = world.group("typo3-shop").await;
    let event = world.authorize(&other, Ingress, &[tcp(22, 22).from(&list)]).await;
    world.answer(|call| match call.action.contains("PrefixList") {
        true => Answer::Error(403, "UnauthorizedOperation", "No."),
        false => Answer::Moto,
    });
    let mut fresh = world.function(&REVERT);
    let report = world.report(&mut fresh, &event);
    assert!(!report.to_string().contains("vendors"), "{report:#}");
    let messages = world.messages().await;
    assert_eq!(finding(messages.last().expect("a message"), 0)["code"], "unresolved-peer");
}
