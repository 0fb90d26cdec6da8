use super::*;
use crate::doctor::check::Topic;

fn said(state: State, fact: Fact) -> String {
    sentence(&Check { topic: Topic::Function, of: None, state, fact, mend: None })
}

#[test]
fn differences_name_what_is_and_what_should_be() {
    let difference = |is: &str| Difference {
        name: "REMEDIATION".to_owned(),
        is: is.to_owned(),
        should: "revert-ssh".to_owned(),
    };
    let one = said(State::Fault, Fact::SettingsDiffer { differences: vec![difference("notify")] });
    assert_eq!(one, "REMEDIATION is `notify` and should be `revert-ssh`");
    let gone = said(State::Fault, Fact::SettingsDiffer { differences: vec![difference("")] });
    assert_eq!(gone, "REMEDIATION is not set and should be `revert-ssh`");
}

#[test]
fn a_step_of_the_canary_that_failed_says_why() {
    let fact = || Fact::CanaryFailed { step: "making a group".to_owned(), reason: String::new() };
    let refused = State::CannotTell(Unknown::Right("ec2:CreateSecurityGroup".to_owned()));
    assert_eq!(
        said(refused, fact()),
        "making a group failed: you lack the right ec2:CreateSecurityGroup"
    );
}
