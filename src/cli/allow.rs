//! `sg-audit allow`: a temporary opening that announces its own end.

use std::ffi::OsStr;
use std::process::Command;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use ipnet::IpNet;

use super::args::{Allow, AllowProtocol};
use super::{Answer, CliError};
use crate::baseline::{BaselinePeer, parse_peers, parse_ports, quote};
use crate::ec2::command::Call;
use crate::ec2::hold::{Hold, VALUE_CHARS, says_why};
use crate::ec2::ids::is_region;
use crate::ec2::{Direction, GroupRef, Peer, Protocol, Reference, Rule};
use crate::settings::SettingsError;
use crate::text::inert;

/// EC2 takes so many characters as the description of a rule, and only some of ASCII
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html>).
const DESCRIPTION_CHARS: usize = 255;
const DESCRIPTION_MARKS: &str = " ._-:/()#,@[]+=&;{}!$*";

/// Prints the command of a hold that begins now, or runs it with the program `aws`.
pub(super) fn run(
    args: &Allow,
    aws: impl AsRef<OsStr>,
    now: DateTime<Utc>,
) -> Result<Answer, CliError> {
    let opening = Opening::of(args, now)?;
    let call = opening.call();
    let notes = vec![opening.says(args)];
    if !args.apply {
        return Ok(Answer { out: format!("{call}\n"), notes, status: 0 });
    }
    // With its own output, its own questions, and no pager that would have to be left first.
    let status = Command::new(aws)
        .args(call.arguments())
        .env("AWS_PAGER", "")
        .status()
        .map_err(CliError::AwsNotStarted)?;
    if status.success() {
        Ok(Answer { notes, ..Answer::default() })
    } else {
        Err(CliError::AwsFailed { status })
    }
}

/// What is opened, and for how long.
struct Opening {
    region: Option<String>,
    group: String,
    rule: Rule,
    hold: Hold,
}

impl Opening {
    /// What the options ask for, or all that is wrong with them.
    fn of(args: &Allow, now: DateTime<Utc>) -> Result<Self, SettingsError> {
        let mut faults = Vec::new();
        let mut read = |option: &str, fault: String| faults.push(format!("{option}: {fault}"));
        let group = group(&args.group).map_err(|fault| read("--group", fault));
        let peer = peer(&args.from).map_err(|fault| read("--from", fault));
        let ports = ports(&args.port).map_err(|fault| read("--port", fault));
        let until =
            until(&args.duration, args.max_hours, now).map_err(|fault| read("--for", fault));
        let reason = reason(&args.reason).map_err(|fault| read("--reason", fault));
        let region = args.region.as_deref().map(region).transpose();
        let region = region.map_err(|fault| read("--region", fault));
        let description = args.description.as_deref().map(description).transpose();
        let description = description.map_err(|fault| read("--description", fault));
        let (
            Ok(group),
            Ok(peer),
            Ok((from, to)),
            Ok(until),
            Ok(reason),
            Ok(region),
            Ok(description),
        ) = (group, peer, ports, until, reason, region, description)
        else {
            return Err(SettingsError { faults });
        };
        let protocol = match args.protocol {
            AllowProtocol::Tcp => Protocol::TCP,
            AllowProtocol::Udp => Protocol::UDP,
        };
        let (from, to) = (Some(from.into()), Some(to.into()));
        let mut rule = Rule::new(Direction::Ingress, protocol, from, to, peer)
            .map_err(|error| SettingsError { faults: vec![format!("--port: {error}")] })?;
        rule.description = description;
        Ok(Self { region, group, rule, hold: Hold { until, reason } })
    }

    fn call(&self) -> Call {
        Call::authorize(self.region.as_deref(), &self.group, &[&self.rule], Some(&self.hold))
    }

    fn says(&self, args: &Allow) -> String {
        format!(
            "{}held until {}, if the function runs with HOLD_MAX_HOURS of {} or more",
            if args.apply { "" } else { "once the command is run, " },
            self.hold.until.format("%Y-%m-%d %H:%M:%S UTC"),
            args.max_hours
        )
    }
}

fn group(text: &str) -> Result<String, String> {
    match parse_peers(text).ok().as_deref() {
        Some([BaselinePeer::Reference(Reference::Group(GroupRef { account: None, id }))]) => {
            Ok(id.clone())
        }
        _ => Err(format!("{} is no security group; write its id, sg-…", quote(text))),
    }
}

fn peer(text: &str) -> Result<Peer, String> {
    let peers = parse_peers(text).map_err(|faults| faults.join("; "))?;
    match peers.as_slice() {
        [BaselinePeer::Cidr(IpNet::V4(block))] => Ok(Peer::Ipv4(*block)),
        [BaselinePeer::Cidr(IpNet::V6(block))] => Ok(Peer::Ipv6(*block)),
        [BaselinePeer::Reference(reference)] => Ok(Peer::Reference(reference.clone())),
        _ => Err(format!(
            "{} is not one peer; write a CIDR block, sg-…, account/sg-… or pl-…, and run the \
             command once for each",
            quote(text)
        )),
    }
}

fn ports(text: &str) -> Result<(u16, u16), String> {
    let ports = parse_ports(text).map_err(|faults| faults.join("; "))?;
    match ports.intervals() {
        [ports] if !text.contains(',') => Ok((ports.first(), ports.last())),
        _ => Err(format!(
            "{} is not one port or range; write one, and run the command once for each",
            quote(text)
        )),
    }
}

fn until(text: &str, max_hours: u32, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    if max_hours == 0 {
        return Err("there are no holds where HOLD_MAX_HOURS is 0".to_owned());
    }
    // What its error adds is a list of units that nobody needs here.
    let duration = humantime::parse_duration(text.trim())
        .map_err(|_| format!("{} is no length of time; write 30m, 8h, 1h30m or 2d", quote(text)))?;
    let limit = TimeDelta::hours(max_hours.into());
    let duration = TimeDelta::from_std(duration).ok().filter(|duration| *duration <= limit);
    let until = duration.and_then(|duration| now.checked_add_signed(duration));
    match until {
        Some(until) if until < now + TimeDelta::minutes(1) => {
            Err(format!("{} is less than a minute; write 30m, 8h, 1h30m or 2d", quote(text)))
        }
        Some(until) => Ok(until.trunc_subsecs(0)),
        None => Err(format!(
            "{} is longer than a hold may last; write {max_hours}h or less, or give --max-hours \
             what the function has as HOLD_MAX_HOURS",
            quote(text)
        )),
    }
}

fn reason(text: &str) -> Result<String, String> {
    let reason = text.trim();
    if !says_why(reason) {
        return Err(format!("{} does not say why; write who needs it for what", quote(text)));
    }
    if inert::plain(reason) != reason {
        return Err(format!(
            "{} has characters that cannot be seen; write it on one line, without them",
            quote(&inert::plain(text))
        ));
    }
    if reason.chars().count() > VALUE_CHARS {
        return Err(format!("it is too long; write no more than {VALUE_CHARS} characters"));
    }
    Ok(reason.to_owned())
}

fn region(text: &str) -> Result<String, String> {
    if is_region(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("{} is no region; write one such as eu-central-1", quote(text)))
    }
}

fn description(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || DESCRIPTION_MARKS.contains(c);
    if let Some(other) = text.chars().find(|c| !allowed(*c)) {
        return Err(format!(
            "EC2 takes no {} in it; write letters without accents, digits, spaces and {}",
            quote(&inert::plain(&other.to_string())),
            DESCRIPTION_MARKS.trim()
        ));
    }
    if text.len() > DESCRIPTION_CHARS {
        return Err(format!("it is too long; write no more than {DESCRIPTION_CHARS} characters"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
