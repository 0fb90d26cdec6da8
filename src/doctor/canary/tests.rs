use std::collections::BTreeSet;
use std::sync::Mutex;

use super::*;
use crate::doctor::aws::error;

const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:auditor-Findings-1A";
const GROUP: &str = "sg-0a1b2c3d4e5f67890";

/// What happens to the call of a number, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fails {
    Never,
    /// It does nothing.
    Before(usize),
    /// It does its work, and the answer is lost.
    After(usize),
    /// This one and all others.
    From(usize),
}

struct Sky {
    fails: Fails,
    scope: &'static str,
    sources: &'static str,
    /// Whether the message comes.
    tells: bool,
    stops: bool,
    state: Mutex<Made>,
    stop: Stop,
}

#[derive(Default)]
struct Made {
    calls: usize,
    exist: BTreeSet<&'static str>,
    made: Vec<String>,
}

impl Sky {
    fn new(fails: Fails) -> Self {
        let (state, stop) = (Mutex::default(), Stop::new(false));
        Self {
            fails,
            scope: "all",
            sources: "203.0.113.0/24",
            tells: true,
            stops: false,
            state,
            stop,
        }
    }

    fn fly(&self) -> Diagnosis {
        let canary = Canary { vpc: None, timeout: Duration::ZERO, id: 7 };
        release(self, "auditor", Some("eu-central-1"), canary, &self.stop).unwrap()
    }

    fn left(&self) -> BTreeSet<&'static str> {
        self.state.lock().unwrap().exist.clone()
    }

    fn work(&self, arguments: &[&str]) -> Result<Value, AwsError> {
        let mut state = self.state.lock().unwrap();
        let [service, call, ..] = arguments else { panic!("{arguments:?}") };
        let gone =
            || error(arguments, "An error occurred (NotFound) when calling the X operation: gone");
        Ok(match *call {
            "describe-vpcs" => json!({"Vpcs": [{"VpcId": "vpc-1"}]}),
            "create-queue" => {
                state.exist.insert("queue");
                json!({"QueueUrl": "https://queue"})
            }
            "subscribe" => {
                state.exist.insert("subscription");
                json!({"SubscriptionArn": "arn:subscription"})
            }
            "create-security-group" => {
                state.exist.insert("group");
                state.made = arguments.iter().map(|&it| it.to_owned()).collect();
                json!({"GroupId": GROUP})
            }
            "authorize-security-group-ingress" => {
                state.made.extend(arguments.iter().map(|&it| it.to_owned()));
                if self.stops {
                    self.stop.store(true, Ordering::Relaxed);
                }
                Value::Null
            }
            "receive-message" if self.tells => {
                let report = json!({"findings": [{"group": {"id": GROUP}}]}).to_string();
                json!({"Messages": [{"Body": json!({"Message": report}).to_string()}]})
            }
            // About another group.
            "receive-message" => {
                let report = json!({"findings": [{"group": {"id": "sg-0123"}}]}).to_string();
                json!({"Messages": [{"Body": json!({"Message": report}).to_string()}]})
            }
            "delete-security-group" => {
                state.exist.remove("group").then_some(Value::Null).ok_or_else(gone)?
            }
            "unsubscribe" => {
                state.exist.remove("subscription").then_some(Value::Null).ok_or_else(gone)?
            }
            "delete-queue" => {
                state.exist.remove("queue").then_some(Value::Null).ok_or_else(gone)?
            }
            "describe-security-groups" if state.exist.contains("group") => {
                json!({"SecurityGroups": [{"GroupId": GROUP}]})
            }
            "describe-security-groups" => json!({"SecurityGroups": []}),
            "get-queue-url" if state.exist.contains("queue") => {
                json!({"QueueUrl": "https://queue"})
            }
            "get-queue-url" => return Err(gone()),
            "list-subscriptions-by-topic" if state.exist.contains("subscription") => {
                json!({"Subscriptions": [{
                "SubscriptionArn": "arn:subscription",
                "Endpoint": "arn:aws:sqs:eu-central-1:123456789012:audit-canary-0000000000000007"}]})
            }
            "list-subscriptions-by-topic" => json!({"Subscriptions": []}),
            _ => panic!("{service} {call}"),
        })
    }
}

impl Aws for Sky {
    fn call(&self, arguments: &[&str]) -> Result<Value, AwsError> {
        let template = json!({"Resources": {"Auditor": {"Type": "AWS::Lambda::Function", "Properties": {
            "Environment": {"Variables": {"TOPIC_ARN": TOPIC, "SSH_SOURCES": self.sources, "SCOPE": self.scope}}}}}});
        match arguments {
            ["cloudformation", "describe-stacks", ..] => {
                return Ok(
                    json!({"Stacks": [{"StackName": "auditor", "StackStatus": "CREATE_COMPLETE",
                    "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/auditor/0a1b"}]}),
                );
            }
            ["cloudformation", "list-stack-resources", ..] => return Ok(json!({})),
            ["cloudformation", "get-template", ..] => return Ok(json!({"TemplateBody": template})),
            _ => {}
        }
        let mut state = self.state.lock().unwrap();
        let now = state.calls;
        state.calls += 1;
        drop(state);
        let lost = || {
            error(arguments, "An error occurred (AccessDenied) when calling the X operation: no")
        };
        match self.fails {
            Fails::Before(at) if at == now => Err(lost()),
            Fails::From(at) if at <= now => Err(lost()),
            Fails::After(at) if at == now => {
                drop(self.work(arguments));
                Err(lost())
            }
            _ => self.work(arguments),
        }
    }
}

fn has(diagnosis: &Diagnosis, is: impl Fn(&Fact) -> bool) -> bool {
    diagnosis.checks.iter().any(|check| is(&check.fact))
}

#[test]
fn the_message_comes_and_everything_is_removed() {
    let sky = Sky::new(Fails::Never);
    let diagnosis = sky.fly();
    assert!(has(&diagnosis, |it| matches!(it, Fact::Came { .. })), "{diagnosis:?}");
    assert_eq!((diagnosis.checks.len(), diagnosis.exit_status()), (1, 0));
    assert_eq!(sky.left(), BTreeSet::new());
}

#[test]
fn a_message_about_another_group_does_not_count() {
    let sky = Sky { tells: false, ..Sky::new(Fails::Never) };
    let diagnosis = sky.fly();
    assert!(has(&diagnosis, |it| matches!(it, Fact::DidNotCome { .. })), "{diagnosis:?}");
    assert_eq!(diagnosis.exit_status(), 1);
    assert_eq!(sky.left(), BTreeSet::new());
}

#[test]
fn whichever_call_fails_nothing_is_left_behind_untold() {
    let sky = Sky::new(Fails::Never);
    sky.fly();
    let calls = sky.state.lock().unwrap().calls;
    assert!(calls >= 9, "{calls}");
    for at in 0..calls {
        for fails in [Fails::Before(at), Fails::After(at), Fails::From(at)] {
            let sky = Sky::new(fails);
            let diagnosis = sky.fly();
            assert_ne!(diagnosis.exit_status(), 0, "{fails:?}");
            let told = |what: &str| {
                has(
                    &diagnosis,
                    |it| matches!(it, Fact::LeftBehind { what: it } if it.contains(what)),
                )
            };
            for left in sky.left() {
                assert!(told(left), "{fails:?} leaves the {left} behind: {diagnosis:?}");
            }
            for check in
                diagnosis.checks.iter().filter(|it| matches!(it.fact, Fact::LeftBehind { .. }))
            {
                assert!(check.mend.is_some(), "{fails:?}");
            }
        }
    }
}

#[test]
fn ctrl_c_ends_the_wait_and_everything_is_removed() {
    let sky = Sky { stops: true, tells: false, ..Sky::new(Fails::Never) };
    let diagnosis = sky.fly();
    assert!(has(&diagnosis, |it| matches!(it, Fact::Interrupted)), "{diagnosis:?}");
    assert_eq!(diagnosis.exit_status(), 2);
    assert_eq!(sky.left(), BTreeSet::new());
}

#[test]
fn the_group_is_in_scope_and_its_rule_is_not_in_the_baseline() {
    let sources = "203.0.113.0/25,192.0.2.0/23,sg-0a1b2c3d4e5f67890";
    let sky = Sky { scope: "tag:team=web=1", sources, ..Sky::new(Fails::Never) };
    sky.fly();
    let made = sky.state.lock().unwrap().made.join(" ");
    assert!(made.contains(r#"{"Key":"team","Value":"web=1"}"#), "{made}");
    assert!(made.contains("--cidr 198.51.100.0/24"), "{made}");
}
