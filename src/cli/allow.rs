//! `sg-audit allow`: prints or runs the command that adds a rule with a hold.

use std::ffi::OsStr;
use std::fmt::Display;
use std::process;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

use super::args::AllowArgs;
use super::error::CliError;
use super::output::Answer;
use crate::baseline::{BaselinePeer, SSH_PORT, parse_peers, parse_ports};
use crate::ec2::command::Command;
use crate::ec2::hold::{Hold, VALUE_CHARS, says_why};
use crate::ec2::{Direction, GroupId, ListId, Peer, Protocol, Region, Rule};
use crate::evaluate::is_wide;
use crate::net::{Cells, Interval, Set};
use crate::settings::SettingsError;
use crate::text::{in_backticks, inert};

/// The longest description of a rule, and the characters besides letters and digits that EC2 accepts
/// in it (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html>).
const DESCRIPTION_CHARS: usize = 255;
const DESCRIPTION_MARKS: &str = " ._-:/()#,@[]+=&;{}!$*";

/// How `--for` is written.
const TIMES: &str = "write 30m, 8h, 1h30m or 2d";

/// Prints the command of a hold that begins now, or runs it with the program `aws`.
pub(super) fn run(args: &AllowArgs, aws: &OsStr, now: DateTime<Utc>) -> Result<Answer, CliError> {
    let held = HeldRule::new(args, now)?;
    let warning = match held.reach() {
        Reach::Everybody(what) if !args.yes_to_everybody => {
            let (peer, ports) = (args.from.clone(), args.port.clone());
            return Err(CliError::ToEverybody { peer, ports, what });
        }
        Reach::Everybody(what) => {
            Some(format!("warning: the Internet reaches {what} until the hold ends"))
        }
        Reach::List(list, what) => Some(format!(
            "warning: whoever is in {list} reaches {what} until the hold ends, and its addresses \
             are not known here: look at them with `aws ec2 \
             get-managed-prefix-list-entries --prefix-list-id {list}`"
        )),
        Reach::Others => None,
    };
    let command = held.command();
    let until = held.hold.until.format("%Y-%m-%d %H:%M:%S UTC");
    let condition = format!("if the function's HOLD_MAX_HOURS is {} or more", args.max_hours);
    if !args.apply {
        let note = format!("once you run the command: held until {until}, {condition}");
        let notes = warning.into_iter().chain([note]).collect();
        return Ok(Answer { out: format!("{command}\n"), notes, status: 0 });
    }
    // `aws` uses this terminal. Its pager would wait for a key.
    let status = process::Command::new(aws)
        .args(command.arguments())
        .env("AWS_PAGER", "")
        .status()
        .map_err(CliError::AwsNotStarted)?;
    if !status.success() {
        return Err(CliError::AwsFailed { status });
    }
    let note = format!("held until {until}, {condition}");
    Ok(Answer { notes: warning.into_iter().chain([note]).collect(), ..Answer::default() })
}

/// Who gets SSH, or every port.
enum Reach<'a> {
    /// The Internet. Holds what of the two it gets.
    Everybody(&'static str),
    /// Whoever is in a prefix list, which may be the Internet.
    List(&'a ListId, &'static str),
    /// Nobody, or few.
    Others,
}

/// A rule to add, and its hold.
struct HeldRule {
    region: Option<Region>,
    group: GroupId,
    rule: Rule,
    hold: Hold,
}

impl HeldRule {
    /// What the options ask for, or everything that is wrong with them.
    fn new(args: &AllowArgs, now: DateTime<Utc>) -> Result<Self, SettingsError> {
        let faults = &mut Vec::new();
        let group = or_fault(faults, "--group", args.group.parse::<GroupId>());
        let peer = or_fault(faults, "--from", peer(&args.from));
        let ports = or_fault(faults, "--port", ports(&args.port));
        let until = or_fault(faults, "--for", until(&args.duration, args.max_hours, now));
        let reason = or_fault(faults, "--reason", reason(&args.reason));
        let region = args.region.as_deref().map(str::parse::<Region>).transpose();
        let region = or_fault(faults, "--region", region);
        let description = args.description.as_deref().map(description).transpose();
        let description = or_fault(faults, "--description", description);
        let (
            Some(group),
            Some(peer),
            Some((from, to)),
            Some(until),
            Some(reason),
            Some(region),
            Some(description),
        ) = (group, peer, ports, until, reason, region, description)
        else {
            return Err(SettingsError { faults: std::mem::take(faults) });
        };
        let (from, to) = (Some(from.into()), Some(to.into()));
        let rule = Rule::new(Direction::Ingress, args.protocol.into(), from, to, peer)
            .map_err(|error| SettingsError { faults: vec![format!("--port: {error}")] })?
            .with_description(description);
        Ok(Self { region, group, rule, hold: Hold { until, reason } })
    }

    fn reach(&self) -> Reach<'_> {
        let ssh = Cells::of_protocol(Protocol::TCP, &Interval::new(SSH_PORT, SSH_PORT).into());
        let traffic = self.rule.traffic();
        let has_every_port = Interval::from(self.rule.selector()) == Interval::new(0, u16::MAX);
        let (what, traffic) = match has_every_port {
            true => ("every port", traffic),
            false => ("SSH", traffic.within(&ssh)),
        };
        match self.rule.peer().list() {
            Some(list) if !traffic.is_empty() => Reach::List(list, what),
            _ if is_wide(&traffic) => Reach::Everybody(what),
            _ => Reach::Others,
        }
    }

    fn command(&self) -> Command {
        Command::authorize(self.region.as_ref(), &self.group, &[&self.rule], Some(&self.hold))
    }
}

/// The value of an option. A fault gets the name of the option.
fn or_fault<T>(
    faults: &mut Vec<String>,
    option: &str,
    value: Result<T, impl Display>,
) -> Option<T> {
    value.map_err(|fault| faults.push(format!("{option}: {fault}"))).ok()
}

fn peer(text: &str) -> Result<Peer, String> {
    let peers = parse_peers(text).map_err(|faults| faults.join("; "))?;
    match peers.as_slice() {
        [BaselinePeer::Cidr(block)] => Ok((*block).into()),
        [BaselinePeer::Reference(reference)] => Ok(Peer::Reference(reference.clone())),
        _ => Err(format!(
            "{} is not one peer; write a CIDR block, sg-…, account/sg-… or pl-…, and run the \
             command once for each",
            in_backticks(text)
        )),
    }
}

fn ports(text: &str) -> Result<(u16, u16), String> {
    let ports = parse_ports(text).map_err(|faults| faults.join("; "))?;
    match ports.intervals() {
        [ports] if !text.contains(',') => Ok((ports.first(), ports.last())),
        _ => Err(format!(
            "{} is not one port or range; write one, and run the command once for each",
            in_backticks(text)
        )),
    }
}

fn until(text: &str, max_hours: u32, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    if max_hours == 0 {
        return Err("if HOLD_MAX_HOURS is 0, holds are not allowed".to_owned());
    }
    let given = in_backticks(text);
    // The parser's own error only adds a list of units that nobody needs here.
    let duration = humantime::parse_duration(text.trim())
        .map_err(|_| format!("{given} is not a length of time; {TIMES}"))?;
    let limit = TimeDelta::hours(max_hours.into());
    let duration = TimeDelta::from_std(duration).ok().filter(|duration| *duration <= limit);
    match duration.and_then(|duration| now.checked_add_signed(duration)) {
        Some(until) if until < now + TimeDelta::minutes(1) => {
            Err(format!("{given} is less than a minute; {TIMES}"))
        }
        Some(until) => Ok(until.trunc_subsecs(0)),
        None => Err(format!(
            "{given} is longer than a hold may last; write {max_hours}h or less, or set \
             --max-hours to the function's HOLD_MAX_HOURS"
        )),
    }
}

fn reason(text: &str) -> Result<String, String> {
    let reason = text.trim();
    if !says_why(reason) {
        return Err(format!(
            "{} does not say why; write who needs it for what",
            in_backticks(text)
        ));
    }
    if inert::plain(reason) != reason {
        return Err(format!(
            "{} has invisible characters; write it on one line, without them",
            in_backticks(&inert::plain(text))
        ));
    }
    if reason.chars().count() > VALUE_CHARS {
        return Err(format!("it is too long; write at most {VALUE_CHARS} characters"));
    }
    Ok(reason.to_owned())
}

fn description(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || DESCRIPTION_MARKS.contains(c);
    if let Some(other) = text.chars().find(|c| !allowed(*c)) {
        return Err(format!(
            "EC2 does not accept {} in it; write letters without accents, digits, spaces and {}",
            in_backticks(&inert::plain(&other.to_string())),
            DESCRIPTION_MARKS.trim()
        ));
    }
    if text.len() > DESCRIPTION_CHARS {
        return Err(format!("it is too long; write at most {DESCRIPTION_CHARS} characters"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
