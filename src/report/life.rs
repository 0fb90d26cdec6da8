//! What is remembered of a finding, in words.

use chrono::{DateTime, Utc};

use super::caller::name;
use crate::event::{ActorType, Record};
use crate::finding::{Finding, Life, Status};
use crate::text::{count, inert, quoted};

/// `new`, `known for 31 days`, `reopened, 3 times in 24 hours`.
pub(super) fn status(life: &Life, now: DateTime<Utc>) -> String {
    match life.status {
        Status::New => "new".to_owned(),
        Status::Known => format!("known for {}", age(life, now)),
        Status::Reopened if life.times > 1 => {
            format!("reopened, {} times in 24 hours", life.times)
        }
        Status::Reopened => "reopened".to_owned(),
        Status::Resolved => format!("resolved after {}", age(life, now)),
    }
}

/// How long a finding has been open this time.
pub(super) fn age(life: &Life, now: DateTime<Utc>) -> String {
    since(life.since, now)
}

/// `31 days`, `3 hours`, `5 minutes`.
pub(super) fn since(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let since = now - time;
    match (since.num_days(), since.num_hours()) {
        (1.., _) => count(usize::try_from(since.num_days()).unwrap_or_default(), "day"),
        (_, 1..) => count(usize::try_from(since.num_hours()).unwrap_or_default(), "hour"),
        _ => count(usize::try_from(since.num_minutes()).unwrap_or_default(), "minute"),
    }
}

/// What opens a rule again and again, and what to change there.
pub(super) fn war(finding: &Finding) -> Option<String> {
    let life = finding.life.filter(Life::is_war)?;
    let times = life.times;
    let Some(change) = finding.change.as_ref() else {
        return Some(format!("This was opened {times} times in 24 hours, each time again."));
    };
    let who = name(change).unwrap_or_else(|| "the caller".to_owned());
    let (what, advice) = source(change);
    let closed = if finding.is_rule_gone() { " The auditor closes it each time." } else { "" };
    Some(format!(
        "This was opened {times} times in 24 hours, the last time by {who} ({what}). {advice}{closed} \
         Further times are counted and told in a digest."
    ))
}

/// What kind of program made a change, and what to change there.
fn source(change: &Record) -> (String, &'static str) {
    let agent = change.user_agent.as_deref().unwrap_or_default().to_lowercase();
    // The name of a person tells no program.
    let is_person = matches!(change.actor_type, ActorType::Person | ActorType::Root);
    let actor = change.actor.as_deref().filter(|_| !is_person).unwrap_or_default().to_lowercase();
    let has =
        |words: &[&str]| words.iter().any(|word| agent.contains(word) || actor.contains(word));
    if has(&["load-balancer-controller", "elbv2.k8s.aws"]) {
        let advice = "Change the Ingress or Service in Kubernetes: its annotation for inbound CIDRs, \
                      or the security group that it names.";
        ("the AWS Load Balancer Controller".to_owned(), advice)
    } else if has(&["kubernetes", "kube-controller", "cloud-controller", "amazoneks"]) {
        let advice = "Change the Service in Kubernetes: loadBalancerSourceRanges decides whom it \
                      admits.";
        ("a controller of Kubernetes".to_owned(), advice)
    } else if has(&["terraform", "opentofu", "pulumi", "cdk"]) {
        let advice = "Change the rule in the code that it applies, and apply that.";
        ("a run of Terraform, Pulumi or CDK".to_owned(), advice)
    } else if has(&["cloudformation"]) {
        let advice = "Change the rule in the stack's template, and update the stack.";
        ("CloudFormation".to_owned(), advice)
    } else if has(&["codebuild", "github", "gitlab", "jenkins", "pipeline", "runner"]) {
        let advice = "Change the job that opens it, or have it open SSH for its own address only.";
        ("a pipeline".to_owned(), advice)
    } else if is_person {
        (
            "a person".to_owned(),
            "Ask them, and allow it in the baseline or with a hold if it is needed.",
        )
    } else {
        let agent = change.user_agent.as_deref().filter(|agent| !agent.trim().is_empty());
        let agent = agent
            .map_or_else(|| "an unknown program".to_owned(), |it| quoted(&inert::clip(it, 60)));
        (agent, "Find out what it is and why it opens this, and change it there.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_person_makes_no_program_of_them() {
        let source = |actor_type, actor: &str, agent: &str| {
            let (actor, user_agent) = (Some(actor.to_owned()), Some(agent.to_owned()));
            source(&Record { actor, actor_type, user_agent, ..Record::default() }).0
        };
        let user = "arn:aws:iam::123456789012:user/frontrunner";
        assert_eq!(source(ActorType::Person, user, "aws-cli/2.17"), "a person");
        let terraform = "a run of Terraform, Pulumi or CDK";
        assert_eq!(source(ActorType::Person, user, "HashiCorp Terraform/1.9"), terraform);
        let role = "arn:aws:sts::123456789012:assumed-role/deploy/github-runner";
        assert_eq!(source(ActorType::RoleSession, role, "aws-cli/2.17"), "a pipeline");
    }
}
