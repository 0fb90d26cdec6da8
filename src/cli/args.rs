//! Options as they are typed. The doc comments are the help texts.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};

use crate::settings::{HOLD_LONGEST_HOURS, HOLD_MAX_HOURS};

/// Holds EC2 security groups against what a TYPO3 server needs
#[derive(Debug, Parser)]
#[command(
    name = "sg-audit",
    version,
    arg_required_else_help = true,
    after_help = "\
Exit status:
  0  compliant
  1  findings
  2  something could not be audited; the reason is on stderr

Examples:
  sg-audit invoke events/authorize-open-ssh.json
  aws ec2 describe-security-groups | sg-audit check --groups -
  sg-audit allow --group sg-0a1b2c3d4e5f67890 --from 198.51.100.7/32 --port 22 --for 2h \\
    --reason \"vendor support, ticket 4711\"
  sg-audit baseline show standard"
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    Invoke(Invoke),
    Check(Check),
    Allow(Allow),
    /// Show or validate a baseline
    #[command(subcommand)]
    Baseline(BaselineCommand),
}

/// Run the function's own handler on events, offline, and show what it would publish and which
/// calls it would make
///
/// Nothing reaches AWS: the calls go to an EC2 in memory, which all the events share. It holds the
/// groups in --groups, as they are now, that is, after the events. Without --groups each group
/// holds what the events so far tell of it, and the egress that EC2 gives a new group. The clock
/// stands at the time of the event.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sg-audit invoke events/authorize-open-ssh.json
  sg-audit invoke --remediation revert-ssh --scope all --ssh-source 203.0.113.0/24 event.json
  sg-audit invoke --groups groups.json --format json first.json second.json")]
pub struct Invoke {
    /// An event as EventBridge delivers it, or as SNS, SQS or Lambda wrap it, or a CloudTrail
    /// record; `-` reads standard input
    #[arg(required = true, value_name = "EVENT.json")]
    pub events: Vec<PathBuf>,

    /// The groups as they are now: the output of `aws ec2 describe-security-groups` or
    /// `describe-security-group-rules`; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub groups: Option<PathBuf>,

    /// What becomes of what a sweep finds, in the words of --remediation [default: notify]
    #[arg(long, value_name = "WHAT", value_parser = NonEmptyStringValueParser::new())]
    pub sweep_remediation: Option<String>,

    /// How to audit.
    #[command(flatten)]
    pub common: Common,
}

/// Audit groups as they are, from a file or in the account itself
///
/// With --live every group of the account is read with your own credentials, as `aws` has them:
/// variables, a profile, SSO. Nothing is changed, and the calls are those that read. With --groups
/// nothing is connected to. There, rule ids are known only from the output of
/// `describe-security-group-rules`; names, VPCs and tags only from `describe-security-groups`. Both
/// in one file are read as one.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  aws ec2 describe-security-groups | sg-audit check --groups -
  aws ec2 describe-security-groups > groups.json
  sg-audit check --groups groups.json --ssh-source 203.0.113.0/24 --ssh-source 2001:db8:1::/48
  sg-audit check --live --region eu-central-1 --region eu-west-1")]
pub struct Check {
    /// The output of `aws ec2 describe-security-groups` or `describe-security-group-rules`; `-`
    /// reads standard input
    #[arg(long, value_name = "FILE", required_unless_present = "live")]
    pub groups: Option<PathBuf>,

    /// Read the groups of your account from AWS
    #[arg(long, conflicts_with_all = ["groups", "prefix_lists"])]
    pub live: bool,

    /// A region to look at, in the place of the configured one; repeat it for more
    #[arg(
        long,
        value_name = "REGION",
        requires = "live",
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub region: Vec<String>,

    /// Look at every region that is enabled for the account
    #[arg(long, requires = "live", conflicts_with = "region")]
    pub all_regions: bool,

    /// The profile to log in with, as in ~/.aws/config
    #[arg(
        long,
        value_name = "NAME",
        requires = "live",
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub profile: Option<String>,

    /// How to audit.
    #[command(flatten)]
    pub common: Common,
}

/// Open something for a while: print the command of a hold, or run it
///
/// A hold is a rule that says in its tags until when it is needed and why. The function publishes it
/// and leaves it alone until then; after that it does with it what it does with any other rule. A
/// rule that is in the group already has to be removed first.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit status:
  0  the command is printed, or it was run and AWS did it
  2  it is not; the reason is on stderr

Examples:
  sg-audit allow --group sg-0a1b2c3d4e5f67890 --from 198.51.100.7/32 --port 22 --for 8h \\
    --reason \"vendor support, ticket 4711\"
  sg-audit allow --group sg-0a1b2c3d4e5f67890 --from 198.51.100.0/24 --port 8000-8010 --for 1h30m \\
    --reason \"load test\" --region eu-central-1 --apply")]
pub struct Allow {
    /// The security group
    #[arg(long, value_name = "SG")]
    pub group: String,

    /// Who is let in: a CIDR block, sg-…, account/sg-… or pl-…
    #[arg(long, value_name = "PEER")]
    pub from: String,

    /// The port, or from-to
    #[arg(long, value_name = "N")]
    pub port: String,

    /// How long from now: 30m, 8h, 1h30m, 2d
    #[arg(long = "for", value_name = "TIME")]
    pub duration: String,

    /// Why; everybody who gets the findings reads it
    #[arg(long, value_name = "TEXT")]
    pub reason: String,

    /// The protocol
    #[arg(long, value_name = "PROTOCOL", value_enum, default_value_t)]
    pub protocol: AllowProtocol,

    /// The group's region [default: the one that `aws` is set to]
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,

    /// The longest hold that the function takes, in hours: its setting HOLD_MAX_HOURS
    #[arg(
        long,
        value_name = "HOURS",
        default_value_t = HOLD_MAX_HOURS,
        value_parser = value_parser!(u32).range(..=i64::from(HOLD_LONGEST_HOURS))
    )]
    pub max_hours: u32,

    /// The description of the rule
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,

    /// Run the command, with `aws` and what it is logged in as
    #[arg(long)]
    pub apply: bool,
}

/// What can be opened for a while.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum AllowProtocol {
    #[default]
    Tcp,
    Udp,
}

/// What to do with a baseline.
#[derive(Debug, Subcommand)]
pub enum BaselineCommand {
    /// Print the baseline in effect: with its peer sets, SSH sources and web ports
    Show(BaselineArgs),
    /// Say whether a baseline is valid, or everything that is wrong with it
    Validate(BaselineArgs),
}

/// Which baseline.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sg-audit baseline show standard --ssh-source 203.0.113.0/24
  sg-audit baseline validate our-site.yaml")]
pub struct BaselineArgs {
    /// `standard`, `restricted-egress`, `as-documented`, or the path of a YAML file
    /// [default: standard]
    #[arg(value_name = "NAME|FILE", conflicts_with = "baseline")]
    pub name: Option<String>,

    /// What to hold groups against.
    #[command(flatten)]
    pub policy: Policy,
}

/// What to hold groups against.
#[derive(Debug, Args)]
pub struct Policy {
    /// What to hold groups against: `standard`, `restricted-egress`, `as-documented`, or the path
    /// of a YAML file [default: standard]
    #[arg(long, value_name = "NAME|FILE", value_parser = NonEmptyStringValueParser::new())]
    pub baseline: Option<String>,

    /// Who may use SSH: a CIDR block, sg-…, account/sg-…, pl-…, or `none`; repeat it for more
    #[arg(long, value_name = "PEER", value_parser = NonEmptyStringValueParser::new())]
    pub ssh_source: Vec<String>,

    /// Where the website listens, in the place of 80 and 443; repeat it for more
    #[arg(long, value_name = "N", value_parser = NonEmptyStringValueParser::new())]
    pub web_port: Vec<String>,
}

/// How to audit.
#[derive(Debug, Args)]
pub struct Common {
    /// What to hold groups against.
    #[command(flatten)]
    pub policy: Policy,

    /// What becomes of findings: notify, revert-ssh or revert-ingress; a revert needs --ssh-source
    /// and --scope as well [default: notify]
    #[arg(long, value_name = "WHAT", value_parser = NonEmptyStringValueParser::new())]
    pub remediation: Option<String>,

    /// What a revert leaves of a rule: baseline, for what the baseline admits of it, or nothing
    /// [default: baseline]
    #[arg(long, value_name = "WHAT", value_parser = NonEmptyStringValueParser::new())]
    pub revert_keeps: Option<String>,

    /// Which groups to audit: all, or tag:KEY=VALUE [default: all]
    #[arg(long, value_name = "SCOPE", value_parser = NonEmptyStringValueParser::new())]
    pub scope: Option<String>,

    /// The entries of prefix lists: a JSON object with the output of `aws ec2
    /// get-managed-prefix-list-entries` under the id of each list
    #[arg(long, value_name = "FILE")]
    pub prefix_lists: Option<PathBuf>,

    /// How to print: text for people, or the report as JSON and nothing else
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub format: Format,
}

/// How to print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    #[default]
    Text,
    Json,
}
