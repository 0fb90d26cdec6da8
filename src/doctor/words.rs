//! What was found, in sentences.

use chrono::{DateTime, Utc};

use super::check::{Check, Difference, Fact, State, Unknown};
use crate::event::trail::Unfit;
use crate::text::{count, first_of, in_backticks, inert};

/// How many things a sentence names.
const NAMED: usize = 6;
/// How much of what AWS said is shown.
const LONGEST: usize = 400;

/// What a check found, without what mends it.
pub(super) fn sentence(check: &Check) -> String {
    if let State::CannotTell(why) = &check.state {
        return unknown(why, &check.fact);
    }
    inert::plain(&of_fact(&check.fact))
}

fn unknown(why: &Unknown, fact: &Fact) -> String {
    let said = |text: &str| inert::clip(&inert::plain(text), LONGEST);
    if let Fact::TemplateUnresolved { properties } = fact {
        let named = first_of(properties.iter(), NAMED, ", ");
        return said(&format!("these cannot be worked out, so they were not compared: {named}"));
    }
    if let Fact::CanaryFailed { step, .. } = fact {
        return format!("{step} failed: {}", unknown(why, &Fact::NotSeen));
    }
    match why {
        Unknown::Right(right) => {
            let right = said(right);
            match fact {
                Fact::MemberNotReached { .. } => format!(
                    "you lack the right {right}, or the role does not exist; it should trust the \
                     function alone, so ask the function: an `unaudited-change` in its answer means \
                     that it cannot assume the role either"
                ),
                _ => format!("you lack the right {right}"),
            }
        }
        Unknown::Passing(message) => format!("no answer for now, so try again: {}", said(message)),
        Unknown::OldCli(command) => {
            format!("your AWS CLI does not know `aws {}`: update it", said(command))
        }
        Unknown::Other(message) => said(message),
    }
}

fn time(at: &DateTime<Utc>) -> String {
    crate::text::minute(*at)
}

fn differences(all: &[Difference]) -> String {
    let value = |text: &str| match text {
        "" => "not set".to_owned(),
        text => in_backticks(text),
    };
    let one = |it: &Difference| {
        format!("{} is {} and should be {}", it.name, value(&it.is), value(&it.should))
    };
    all.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn because(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {}", inert::clip(reason, LONGEST)) }
}

#[allow(clippy::too_many_lines, reason = "one line for each fact")]
fn of_fact(fact: &Fact) -> String {
    let list = |all: &[String]| first_of(all.iter(), NAMED, ", ");
    match fact {
        Fact::NotSeen => "it could not be looked at".to_owned(),
        Fact::StackSettled { status } => status.clone(),
        Fact::StackBusy { status } => format!("{status}: a deployment is running, so look again when it is done"),
        Fact::StackFailed { status } => format!("{status}: the last deployment failed, and its events say why"),
        Fact::TemplateSame => "its rules are those of this version of sg-audit".to_owned(),
        Fact::TemplateDiffers { rules } => format!(
            "it was deployed from another version of the template than this sg-audit has; these rules differ: {}",
            list(rules)
        ),
        Fact::TemplateUnresolved { properties } => list(properties),
        Fact::TrailFeeds { trail, organization } => format!(
            "{trail}{} is logging and records management events here",
            if *organization { " (of the organisation)" } else { "" }
        ),
        Fact::TrailPartly { trail, field } => format!(
            "{trail} is logging, but records only some management events: it has a condition on {field}"
        ),
        Fact::TrailDelivery { trail, error } => format!(
            "{trail} is logging, but CloudTrail cannot write to its bucket{}",
            because(error)
        ),
        Fact::TrailNone => "no trail covers this region, so no change is reported to the auditor".to_owned(),
        Fact::TrailUnfit { trails } => {
            let one = |(trail, unfit): &(String, Unfit)| match unfit {
                Unfit::Stopped => format!("{trail} is not logging"),
                Unfit::LeavesOut => format!("{trail} leaves out management events that write"),
            };
            let all: Vec<String> = trails.iter().map(one).collect();
            format!("no change is reported to the auditor: {}", list(&all))
        }
        Fact::RuleFine { schedule: None } => "enabled, with the pattern and the target of the template".to_owned(),
        Fact::RuleFine { schedule: Some(schedule) } => format!("enabled, {schedule}, with the target of the template"),
        Fact::RuleGone => "it was deleted, so what it should report is not audited".to_owned(),
        Fact::RuleDisabled => "it is disabled, so what it should report is not audited".to_owned(),
        Fact::RulePattern => "its pattern is not that of the template, so it may miss what it should report".to_owned(),
        Fact::RuleSchedule { difference } => differences(std::slice::from_ref(difference)),
        Fact::TargetGone { target } => format!("its target {target} was removed, so nothing reaches the function"),
        Fact::TargetDiffers { target, members } => {
            format!("its target {target} is not that of the template: {} differs", list(members))
        }
        Fact::MayInvoke { rules } => format!("{} may call the function", count(*rules, "rule")),
        Fact::MayNotInvoke { rules } => format!("these rules may not call the function: {}", list(rules)),
        Fact::FunctionRuns { runtime, architecture } => format!("active, {runtime}, {architecture}"),
        Fact::FunctionGone => "it was deleted, so nothing is audited".to_owned(),
        Fact::FunctionState { state, reason } => format!("its state is {state}{}", because(reason)),
        Fact::FunctionUpdate { status, reason } => format!("its last update is {status}{}", because(reason)),
        Fact::FunctionDiffers { differences: all } => differences(all),
        Fact::LogLevel { level } => format!(
            "its log has only {level} and worse: without INFO there are no metrics, and alarms see nothing"
        ),
        Fact::SettingsFine { variables } => format!("{} as the stack's parameters say", count(*variables, "variable")),
        Fact::SettingsDiffer { differences: all } => differences(all),
        Fact::SettingsInvalid { faults } => format!("the function does not start with them: {}", faults.join("; ")),
        Fact::ConcurrencyFine { reserved: None } => "nothing reserved, and no limit of its own".to_owned(),
        Fact::ConcurrencyFine { reserved: Some(number) } => format!("{number} reserved"),
        Fact::ConcurrencyZero => "0 is reserved for it, so it never runs".to_owned(),
        Fact::ConcurrencyDiffers { difference } => differences(std::slice::from_ref(difference)),
        Fact::FailuresKept => "events that fail three times go to the queue".to_owned(),
        Fact::FailuresNotKept => "what becomes of events that fail is not as in the template, so they may be lost".to_owned(),
        Fact::NoErrors { hours } => format!("none in {hours} hours"),
        Fact::Errors { hours, errors, throttles, last } => {
            let mut text = format!("{} in {hours} hours", count(*errors as usize, "error"));
            if *throttles > 0 {
                text.push_str(&format!(", and throttled {}", count(*throttles as usize, "time")));
            }
            if let Some(last) = last {
                text.push_str(&format!("; the last one: {}", inert::clip(last, LONGEST)));
            }
            text
        }
        Fact::RoleFine { policies } => format!("{} as in the template", policies_text(*policies)),
        Fact::RoleGone => "it was deleted, so the function may do nothing".to_owned(),
        Fact::RoleTrust => "who may assume it is not as in the template".to_owned(),
        Fact::RolePolicyGone { policy } => format!("its policy {policy} was deleted"),
        Fact::RolePolicyDiffers { policy } => format!("its policy {policy} is not that of the template"),
        Fact::RoleMore { policies } => {
            format!("it has policies that the template does not give it, which may forbid or allow more: {}", list(policies))
        }
        Fact::RoleBoundary { arn } => format!("the permission boundary {arn}, which the template does not have, may forbid what it needs"),
        Fact::LogKept { days } if days.is_empty() => "kept for good".to_owned(),
        Fact::LogKept { days } => format!("kept for {days} days"),
        Fact::LogGone => "it was deleted".to_owned(),
        Fact::LogRetention { difference } => differences(std::slice::from_ref(difference)),
        Fact::TopicFine => "there, with the policy and the key of the template".to_owned(),
        Fact::TopicGone => "it was deleted, so nobody is told anything; its own subscribers have to confirm again, and others to subscribe again".to_owned(),
        Fact::TopicPolicy => "its policy is not that of the template: perhaps nobody can publish, or everybody".to_owned(),
        Fact::TopicKey { difference } => differences(std::slice::from_ref(difference)),
        Fact::Confirmed { endpoint } => format!("{endpoint} is confirmed"),
        Fact::Unconfirmed { endpoint } => format!(
            "{endpoint} gets nothing until somebody clicks the link in the mail from AWS; this sends it again"
        ),
        Fact::SubscriptionGone { endpoint } => format!(
            "{endpoint} is no longer subscribed; this subscribes it again, and AWS mails a link to click"
        ),
        Fact::FilterDiffers { endpoint } => format!("the filter of {endpoint} is not that of the template, so mails may be missing"),
        Fact::OtherUnconfirmed { endpoint } => format!("{endpoint}, which the template does not name, is not confirmed"),
        Fact::NobodySubscribed => "nobody is subscribed, so nobody is told anything; put your address in".to_owned(),
        Fact::KeyEnabled => "enabled, with the policy of the template".to_owned(),
        Fact::KeyGone => "it was deleted".to_owned(),
        Fact::KeyDisabled => "it is disabled, so nothing can be encrypted with it".to_owned(),
        Fact::KeyGoing => "it is scheduled for deletion, so nothing can be encrypted with it".to_owned(),
        Fact::KeyState { state } => format!("its state is {state}"),
        Fact::KeyPolicy => "its policy is not that of the template, so alarms or failed events may get lost".to_owned(),
        Fact::QueueEmpty => "empty".to_owned(),
        Fact::QueueWaits { messages } => {
            format!("{} failed and will be tried again for a day; the log says why", count(*messages as usize, "event"))
        }
        Fact::QueueParked { messages } => format!(
            "{} failed for a day and were not audited; mend what failed, then this tries them again",
            count(*messages as usize, "event")
        ),
        Fact::QueueGone => "it was deleted, so events that fail are lost".to_owned(),
        Fact::QueueDiffers { differences: all } => differences(all),
        Fact::MappingEnabled => "failed events are tried again".to_owned(),
        Fact::MappingGone => "it was deleted, so failed events are not tried again".to_owned(),
        Fact::MappingState { state, reason } => {
            format!("its state is {state}, so failed events are not tried again{}", because(reason))
        }
        Fact::MappingProblem { result } => inert::clip(result, LONGEST),
        Fact::TableFine => "there, and old entries are deleted".to_owned(),
        Fact::TableGone => "it was deleted, so everything is told and mailed as new; this makes it again, empty".to_owned(),
        Fact::TableState { state } => format!("its state is {state}, so everything is told and mailed as new"),
        Fact::TableKeeps => "its old entries are not deleted".to_owned(),
        Fact::AlarmsFine { alarms } => format!("{} as in the template, and off", count(*alarms, "alarm")),
        Fact::AlarmGone => "it was deleted".to_owned(),
        Fact::AlarmActionsOff => "its actions are disabled, so nobody is told".to_owned(),
        Fact::AlarmActions { missing } => format!("it no longer tells {}", list(missing)),
        Fact::AlarmDiffers { differences: all } => differences(all),
        Fact::AlarmOn { reason } => format!("it is on{}; docs/operations.md says what to do", because(reason)),
        Fact::AlarmMuted { rule } => format!("the rule {rule} mutes it, so nobody is told"),
        Fact::AlarmMutedLater { rule } => format!("the rule {rule} will mute it"),
        Fact::SweepDone { at } => format!("done at {}", time(at)),
        Fact::SweepLate { at: None, hours } => format!("none was done for {hours} hours"),
        Fact::SweepLate { at: Some(at), hours } => format!("none since {}, and there should be one every {hours} hours", time(at)),
        Fact::SweepNotDue { hours } => format!(
            "none yet; the stack is new or changed, and there has to be one within {hours} hours"
        ),
        Fact::HoldsDone { at } => format!("done at {}", time(at)),
        Fact::HoldsLate { minutes } => format!("none was done for {minutes} minutes, so holds do not end"),
        Fact::HoldsNotDue => "none yet; the stack is new or changed".to_owned(),
        Fact::EventSeen { at } => format!("the last one came within the hour after {}", time(at)),
        Fact::EventNone { days } => format!(
            "none in {days} days: perhaps nobody changed a group; this changes one, and sees whether it is reported"
        ),
        Fact::MemberReached { .. } => "the role can be assumed".to_owned(),
        Fact::MemberNotReached { account } => format!("the role in {account} cannot be assumed"),
        Fact::BusAdmits => "other accounts may send their events".to_owned(),
        Fact::BusDoesNotAdmit => "other accounts may not send their events as the template says".to_owned(),
        Fact::OrganizationIs { id } => format!("this account is in {id}"),
        Fact::OrganizationOther { difference } if difference.is.is_empty() => {
            format!("this account is in no organisation, so no account of {} is", difference.should)
        }
        Fact::MachineGone => "it was deleted, so other accounts are not swept; this prints the stack that has to be deployed again".to_owned(),
        Fact::MachineState { status } => format!("it is {status} and not ACTIVE; this prints the stack that it is in"),
        Fact::MachineUnscheduled => "nothing starts the sweep of the organisation: its schedule is disabled or gone".to_owned(),
        Fact::RunDone { at } => format!("the last sweep of the organisation began {} and succeeded", time(at)),
        Fact::RunGoing { at } => format!("a sweep of the organisation has been running since {}", time(at)),
        Fact::RunNone => "the organisation was never swept; this starts it".to_owned(),
        Fact::RunLate { at, hours } => format!(
            "the last sweep of the organisation began {}, and there should be one every {hours} hours; this starts one",
            time(at)
        ),
        Fact::RunFailed { run, at, status } => format!(
            "the last sweep of the organisation, {}, began {} and is {status}; this prints why",
            inert::clip(run, LONGEST),
            time(at)
        ),
        Fact::OrganizationOther { difference } => format!(
            "this account is in {}, so no account may send events as one of {}",
            difference.is, difference.should
        ),
        Fact::Came { seconds, group } => format!("the message about {group} came after {}", count(*seconds as usize, "second")),
        Fact::DidNotCome { seconds, group } => {
            format!("no message about {group} came in {}; run doctor without --canary to see why", count(*seconds as usize, "second"))
        }
        Fact::Interrupted => "stopped before the message came".to_owned(),
        Fact::CanaryFailed { step, reason } => format!("{step} failed: {}", inert::clip(reason, LONGEST)),
        Fact::LeftBehind { what } => format!("{what} is left behind: this removes it, or finds it"),
    }
}

fn policies_text(n: usize) -> String {
    if n == 1 { "1 policy".to_owned() } else { format!("{n} policies") }
}

#[cfg(test)]
mod tests;
