//! The sweep of an organisation: stacks/organisation.yaml with its state machine, and the real function as its task. What
//! the function reads of EC2, STS and Organizations comes from a stand-in, since emulators neither page accounts nor
//! throttle a place.

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Mutex, MutexGuard, OnceLock};

use serde_json::{Value, json};

use crate::support::ministack;
use crate::support::organisation::{REGIONS, StandIn, account, plan, plan_of};
use crate::support::stack::Stack;
use crate::support::world::ACCOUNT;

/// What Step Functions takes as the output of a state. ministack takes any.
const STATE: usize = 256 * 1024;
/// The deployed organisation, which one test at a time has to itself.
struct Organisation {
    stand_in: StandIn,
    stack: Stack,
    machine: String,
    runs: usize,
}

/// How an execution ended.
#[derive(Debug)]
struct Ended {
    name: String,
    status: String,
    output: Value,
    error: Option<String>,
    cause: Option<String>,
}

impl Organisation {
    fn deployed() -> MutexGuard<'static, Self> {
        static DEPLOYED: OnceLock<Mutex<Organisation>> = OnceLock::new();
        let deployed = DEPLOYED.get_or_init(|| Mutex::new(Self::deploy()));
        // Another test may have failed meanwhile; that is no reason for this one to fail.
        deployed.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn deploy() -> Self {
        const VARIABLES: &str = "        Variables:\n";
        const TIMEOUT: &str = "\n      Timeout: 120\n";
        let stand_in = StandIn::new();
        let server = ministack::server();
        let built = server.build("organisation", |template| {
            assert_eq!(
                (template.matches(VARIABLES).count(), template.matches(TIMEOUT).count()),
                (1, 1)
            );
            let endpoints = ["EC2", "STS", "ORGANIZATIONS", "SNS"]
                .map(|service| format!("          AWS_ENDPOINT_URL_{service}: {}\n", stand_in.url));
            template
                .replace(VARIABLES, &format!("{VARIABLES}{}", endpoints.concat()))
                // Two seconds of sweeping: what is later than 35 seconds before the end goes on in another invocation.
                .replace(TIMEOUT, "\n      Timeout: 37\n")
        });
        built.deploy("org", &[("Organisation", "typo3-sg-auditor-member"), ("Schedule", "off")]);
        let core = server.stack("org");
        // Nobody waits so long in a test.
        let definition = built.folder.join("stacks/organisation.asl.json");
        let text = fs::read_to_string(&definition).expect("the definition");
        let quick = text
            .replace("\"IntervalSeconds\": 10", "\"IntervalSeconds\": 1")
            .replace("\"MaxDelaySeconds\": 300", "\"MaxDelaySeconds\": 1")
            .replace("\"Seconds\": 60", "\"Seconds\": 1");
        fs::write(&definition, quick).expect("its copy");
        let part = built.without("organisation", "MembersSendEvents");
        let own = [
            ("MemberRoleName", "typo3-sg-auditor-member"),
            ("Accounts", "organization"),
            ("OrganizationId", "o-a1b2c3d4e5"),
            ("Regions", "enabled"),
        ];
        built.deploy_transformed(&core, &part, "org-organisation", &own);
        let stack = server.stack("org-organisation");
        let machine = stack.outputs["SweepMachine"].clone();
        Self { stand_in, stack, machine, runs: 0 }
    }

    fn execute(&mut self, input: &Value) -> Ended {
        let server = ministack::server();
        self.runs += 1;
        let name = format!("run-{}", self.runs);
        let started = server.aws(&[
            "stepfunctions",
            "start-execution",
            "--state-machine-arn",
            &self.machine,
            "--name",
            &name,
            "--input",
            &input.to_string(),
            "--query",
            "executionArn",
            "--output",
            "text",
        ]);
        for _ in 0..400 {
            let told =
                server.aws(&["stepfunctions", "describe-execution", "--execution-arn", &started]);
            let told: Value = serde_json::from_str(&told).expect("JSON");
            let text = |member: &str| told[member].as_str().map(str::to_owned);
            let status = text("status").expect("a status");
            if status != "RUNNING" {
                let history = server.aws(&[
                    "stepfunctions",
                    "get-execution-history",
                    "--execution-arn",
                    &started,
                    "--max-items",
                    "1000",
                ]);
                let history: Value = serde_json::from_str(&history).expect("JSON");
                for event in history["events"].as_array().expect("events") {
                    assert!(event.to_string().len() < STATE, "a state's output is too large");
                }
                let output = text("output")
                    .map_or(Value::Null, |it| serde_json::from_str(&it).expect("JSON"));
                return Ended { name, status, output, error: text("error"), cause: text("cause") };
            }
        }
        panic!("the execution does not end:\n{}", server.log());
    }

    /// What the doctor says of the state machine: each line with the command that it prints.
    fn diagnosed() -> Vec<(String, String)> {
        let server = ministack::server();
        let output = server.shell("sg-audit doctor --stack org --format json").output();
        let output = output.expect("a shell").stdout;
        let told: Value = serde_json::from_slice(&output).expect("JSON");
        let checks = told["checks"].as_array().expect("checks").iter();
        let word = |it: &Value| it.as_str().unwrap_or("-").to_owned();
        let line = |it: &Value| ["state", "fact"].map(|key| word(&it[key])).join(" ");
        let checks = checks.filter(|it| it["check"] == "machine");
        checks.map(|it| (line(it), word(&it["mend"]))).collect()
    }

    /// An object of a run.
    fn object(&self, run: &str, name: &str) -> String {
        let server = ministack::server();
        let from = format!("s3://{}/runs/{run}/{name}", self.stack.outputs["Results"]);
        server.aws(&["s3", "cp", "--quiet", &from, "-"])
    }
}

/// Expected, audited, unread and missing places.
fn places(totals: &Value) -> [u64; 4] {
    ["expected", "audited", "unread", "missing"]
        .map(|name| totals[name].as_u64().expect("a number"))
}

/// What was published, without what another test had opened before and is told as resolved.
fn news(seen: &Value) -> Vec<&Value> {
    let published = seen["published"].as_array().expect("messages").iter();
    let is_news = |it: &&Value| !it["subject"].as_str().expect("a Subject").contains("resolved");
    published.filter(is_news).collect()
}

#[test]
fn all_accounts_of_all_pages_are_swept_and_what_is_not_active_is_not() {
    let mut organisation = Organisation::deployed();
    let mut well = plan(45);
    well["accounts"][account(7)] = json!("SUSPENDED");
    organisation.stand_in.plan(&well);
    let ended = organisation.execute(&json!({}));
    assert_eq!(ended.status, "SUCCEEDED", "{ended:?}\n{}", ministack::server().log());
    assert_eq!(places(&ended.output["totals"]), [90, 90, 0, 0]);
    let seen = organisation.stand_in.plan(&well);
    assert_eq!(seen["calls"]["ListAccounts"], 3, "46 accounts on pages of 20");
    assert_eq!(news(&seen).len(), 0, "nothing is wrong, so nobody is told: {seen}");
    let table = organisation.object(&ended.name, "coverage.csv");
    assert_eq!(table.lines().count(), 91);
    assert!(!table.contains(&account(7)));

    // Emulators and older answers have `Status` in place of `State`. And an account is new.
    let mut grown = plan(46);
    grown["accounts"][account(7)] = json!("SUSPENDED");
    grown["status"] = true.into();
    organisation.stand_in.plan(&grown);
    let ended = organisation.execute(&json!({}));
    assert_eq!(places(&ended.output["totals"]), [92, 92, 0, 0], "{ended:?}");

    // Units, and the units in them.
    organisation.stand_in.plan(&plan(4));
    let ended =
        organisation.execute(&json!({"accounts": ["ou-abcd-11111111"], "regions": ["us-east-1"]}));
    assert_eq!(places(&ended.output["totals"]), [5, 5, 0, 0], "{ended:?}");
}

#[test]
fn what_cannot_be_read_is_unread_and_what_takes_long_is_audited_whole() {
    let mut organisation = Organisation::deployed();
    let mut faulty = plan_of([0, 1, 60, 3]);
    faulty["bad"] = 1000.into();
    // For good, for a while, without the role, not allowed, and long.
    faulty["places"][format!("{}/eu-west-1", account(0))] =
        json!({"fails": ["RequestLimitExceeded", 503]});
    faulty["places"][format!("{}/eu-west-1", account(1))] =
        json!({"fails": ["RequestLimitExceeded", 503], "times": 5});
    faulty["roles"][account(60)] = "AccessDenied".into();
    faulty["places"][format!("{}/eu-west-1", account(3))] = json!({"groups": 12_000});
    organisation.stand_in.plan(&faulty);
    let ended = organisation.execute(&json!({}));
    assert_eq!(ended.status, "SUCCEEDED", "{ended:?}\n{}", ministack::server().log());
    assert_eq!(places(&ended.output["totals"]), [10, 7, 3, 0]);
    assert_eq!(ended.output["totals"]["groups"], 12_000 + 6 * 3);
    let seen = organisation.stand_in.plan(&faulty);
    // One in a thousand groups is bad, and the first is one of them: 12 of the long place, and one of each other.
    assert_eq!(ended.output["totals"]["findings"], 12 + 6);
    assert!(seen["calls"]["DescribeRegions"].as_u64() >= Some(4), "{seen:#}");
    let published = news(&seen);
    let run = |message: &&Value| message["run"]["name"] == ended.name.as_str();
    assert!(published.iter().all(run), "{published:#?}");
    let digests: Vec<_> = published.iter().filter(|it| !it["run"]["coverage"].is_null()).collect();
    let [digest] = &digests[..] else { panic!("{digests:#?}") };
    assert_eq!(
        digest["subject"],
        "NOT AUDITED: 3 of 10 places; 18 findings (critical, organisation sweep)"
    );
    let coverage: Value =
        serde_json::from_str(&organisation.object(&ended.name, "coverage.json")).unwrap();
    let reasons: BTreeSet<_> = coverage["places"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|place| {
            Some((place["account"].as_str()?, place["reason"].as_str()?.split('`').next()?))
        })
        .collect();
    assert_eq!(reasons.len(), 2, "{reasons:#?}");
}

#[test]
fn an_account_of_which_nobody_hears_fails_the_sweep_which_says_how_to_audit_only_that() {
    let mut organisation = Organisation::deployed();
    let mut faulty = plan(3);
    faulty["bad"] = 2.into();
    faulty["unpublished"] = json!([account(1)]);
    organisation.stand_in.plan(&faulty);
    let ended = organisation.execute(&json!({}));
    assert_eq!(
        (ended.status.as_str(), ended.error.as_deref()),
        ("FAILED", Some("PlacesMissing")),
        "{ended:?}"
    );
    let cause = ended.cause.expect("a cause");
    assert!(cause.starts_with("2 of 8 places are missing."), "{cause}");
    let (_, again) = cause.split_once("with the input ").expect("an input");
    let again: Value = serde_json::from_str(again.trim_end_matches('.')).expect("JSON");
    organisation.stand_in.plan(&plan(3));
    let ended = organisation.execute(&again);
    assert_eq!(ended.status, "SUCCEEDED", "{ended:?}");
    assert_eq!(places(&ended.output["totals"]), [2, 2, 0, 0]);
    let table = organisation.object(&ended.name, "coverage.csv");
    assert_eq!(table.matches(&account(1)).count(), 2, "{table}");
}

#[test]
fn where_everything_fails_everything_is_unread() {
    let mut organisation = Organisation::deployed();
    let mut faulty = plan_of(70..73);
    for number in 70..73 {
        faulty["roles"][account(number)] = "AccessDenied".into();
    }
    for region in REGIONS {
        faulty["places"][format!("{ACCOUNT}/{region}")] =
            json!({"fails": ["UnauthorizedOperation", 403]});
    }
    organisation.stand_in.plan(&faulty);
    let ended = organisation.execute(&json!({}));
    assert_eq!(places(&ended.output["totals"]), [8, 0, 8, 0], "{ended:?}");
    let seen = organisation.stand_in.plan(&faulty);
    // One for each account without the role, one for each region of the other, and the digest.
    assert_eq!(news(&seen).len(), 3 + 1 + 1, "{seen:#}");
}

#[test]
fn the_doctor_looks_at_the_schedule_and_at_how_the_last_execution_ended() {
    let mut organisation = Organisation::deployed();
    let server = ministack::server();
    organisation.stand_in.plan(&plan(1));
    let ended = organisation.execute(&json!({}));
    assert_eq!(ended.status, "SUCCEEDED", "{ended:?}");
    let lines = |all: &[(String, String)]| -> Vec<String> {
        all.iter().map(|(line, _)| line.clone()).collect()
    };
    let well = ["ok run-done"];
    assert_eq!(lines(&Organisation::diagnosed()), well);

    let rules = ["events", "list-rules", "--query", "Rules[?ends_with(Name,`-MemberSweep`)].Name"];
    let rules = server.aws(&[&rules[..], &["--output", "text"]].concat());
    let machine = organisation.machine.rsplit(':').next().expect("a name");
    let own = machine.strip_suffix("-sweep").expect("how names begin");
    let rule = rules.split_whitespace().find(|rule| rule.starts_with(own)).expect("its schedule");
    server.aws(&["events", "disable-rule", "--name", rule]);
    let told = Organisation::diagnosed();
    assert_eq!(lines(&told), ["fault machine-unscheduled", "ok run-done"]);
    assert!(server.shell(&told[0].1).status().expect("a shell").success(), "{told:?}");
    assert_eq!(lines(&Organisation::diagnosed()), well);

    organisation.execute(&json!({"again": "no-such-run"}));
    let told = Organisation::diagnosed();
    assert_eq!(lines(&told), ["fault run-failed"]);
    let why = server.shell(&told[0].1).output().expect("a shell").stdout;
    assert!(String::from_utf8_lossy(&why).contains("RunRefused"), "{told:?}");
}

#[test]
fn an_input_that_is_not_understood_fails_and_says_so() {
    let mut organisation = Organisation::deployed();
    organisation.stand_in.plan(&plan(1));
    for (input, wrong) in [
        (json!({"accounts": "everything"}), "write account numbers"),
        (json!({"account": "210987654321"}), "unknown field"),
        (json!({"again": "no-such-run"}), "there was no such run"),
    ] {
        let ended = organisation.execute(&input);
        assert_eq!(
            (ended.status.as_str(), ended.error.as_deref()),
            ("FAILED", Some("RunRefused")),
            "{ended:?}"
        );
        assert!(ended.cause.as_deref().is_some_and(|it| it.contains(wrong)), "{ended:?}");
    }
}
