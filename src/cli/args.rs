//! The options as they are typed. The doc comments are the help texts.

use std::path::PathBuf;
use std::time::Duration;

use chrono::NaiveDate;
use clap::builder::{NonEmptyStringValueParser, PossibleValue};
use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};

use crate::audit::run::Accounts;
use crate::ec2::{AccountId, Protocol, Region, UnitId};
use crate::evaluate::Severity;
use crate::settings::{HOLD_LONGEST_HOURS, HOLD_MAX_HOURS};

/// Checks EC2 security groups against what a TYPO3 server needs
#[derive(Debug, Parser)]
#[command(
    name = "sg-audit",
    version,
    arg_required_else_help = true,
    after_help = "\
Exit status:
  0  check and invoke: no finding, or none as severe as --fail-on says
  1  check and invoke: at least one such finding
  2  something could not be audited; the reason is on stderr
For the other commands, see the help of each.

Examples:
  sg-audit invoke events/authorize-open-ssh.json
  aws ec2 describe-security-groups | sg-audit check -
  sg-audit allow --group sg-0a1b2c3d4e5f67890 --from 198.51.100.7/32 --port 22 --for 2h \\
    --reason \"vendor support, ticket 4711\"
  sg-audit doctor --stack typo3-sg-auditor
  sg-audit baseline show standard"
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Invoke(InvokeArgs),
    Check(Box<CheckArgs>),
    History(HistoryArgs),
    Evidence(EvidenceArgs),
    Allow(AllowArgs),
    Doctor(DoctorArgs),
    Status(StatusArgs),
    /// Show or validate a baseline
    #[command(subcommand)]
    Baseline(BaselineCommand),
    Unpack(UnpackArgs),
    /// Print the JSON Schema of reports, histories or evidence, for programs that read them
    #[command(after_help = "\
Examples:
  sg-audit schema > report.schema.json
  sg-audit schema history > history.schema.json
  sg-audit schema | jq '.\"$defs\".finding.properties | keys'")]
    Schema {
        /// What is described
        #[arg(value_enum, default_value_t)]
        of: SchemaOf,
    },
    /// Print the script that completes commands and options in your shell
    #[command(after_help = "\
Examples:
  sg-audit completions bash > ~/.local/share/bash-completion/completions/sg-audit
  sg-audit completions zsh > ~/.zfunc/_sg-audit
  sg-audit completions fish > ~/.config/fish/completions/sg-audit.fish")]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the manual page of sg-audit or of one of its commands
    #[command(after_help = "\
Examples:
  sg-audit man check | man -l -
  sg-audit man > ~/.local/share/man/man1/sg-audit.1")]
    Man {
        /// A command, such as `check` or `baseline show`
        command: Vec<String>,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaOf {
    /// The report of `check` and `invoke`
    #[default]
    Report,
    /// The history of `history`
    History,
    /// The file evidence.json of `evidence`
    Evidence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Run the function's handler on events, offline, and show the messages it would publish and the
/// calls it would make
///
/// Nothing reaches AWS. The groups that the function reads and changes are kept in memory while the
/// command runs. With --groups they come from your files, which must show the groups as they were
/// after all of the events had happened. Without --groups, a group has only the rules that the events
/// name, and the egress rules that EC2 gives a new group. If the event has a time, the function runs as
/// if it were that time. To see holds (see `sg-audit allow`), give the output of
/// `describe-security-group-rules` too: only that has the tags of rules.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sg-audit invoke events/authorize-open-ssh.json
  sg-audit invoke --remediation revert-ssh --scope all --ssh-source 203.0.113.0/24 event.json
  sg-audit invoke --groups groups.json --format json first.json second.json")]
pub(super) struct InvokeArgs {
    /// An event as EventBridge delivers it, an event wrapped by SNS, SQS or Lambda, a CloudTrail
    /// record, or a file of a trail, compressed or not; `-` reads standard input
    #[arg(required = true, value_name = "EVENT.json")]
    pub events: Vec<PathBuf>,

    /// The groups as they were after the last event: the output of `aws ec2
    /// describe-security-groups` or `describe-security-group-rules`, or of both; can be repeated; `-`
    /// reads standard input
    #[arg(long, value_name = "FILE")]
    pub groups: Vec<PathBuf>,

    /// The auditor's stack, or a function, role, alarm or other part of it; can be repeated.
    /// Changes to any trail or to a part named here are findings; changes to other functions, roles
    /// and so on are ignored
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub auditor: Vec<String>,

    /// How the function reacts to the findings of a sweep (the daily audit of all groups). It has the
    /// same values as --remediation [default: notify]
    #[arg(long, value_name = "WHAT", value_parser = NonEmptyStringValueParser::new())]
    pub sweep_remediation: Option<String>,

    #[command(flatten)]
    pub audit: AuditOptions,
}

/// Whether no account can be read in this build. The options for it are not listed then.
const NOT_LIVE: bool = !cfg!(feature = "live");

/// A parameter of a template.
fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// The examples of `check`.
const CHECK_EXAMPLES: &str = if cfg!(feature = "live") {
    "\
Examples:
  aws ec2 describe-security-groups | sg-audit check -
  sg-audit check groups.json rules.json.gz --ssh-source 203.0.113.0/24 --fail-on high
  terraform show -json tfplan | sg-audit check --plan -
  sg-audit check --template template.yaml --parameter Office=203.0.113.0/24
  sg-audit check --live --region eu-central-1 --region eu-west-1 --summary
  sg-audit check --live --organization --all-regions --profile management --resume done.jsonl"
} else {
    "\
Examples:
  aws ec2 describe-security-groups | sg-audit check -
  sg-audit check groups.json rules.json.gz --ssh-source 203.0.113.0/24 --fail-on high
  terraform show -json tfplan | sg-audit check --plan -
  sg-audit check --template template.yaml --parameter Office=203.0.113.0/24"
};

/// Audit groups as they are, or as a plan or a template will make them
///
/// Give the output of both `aws ec2 describe-security-groups` and `describe-security-group-rules` if
/// you can. The first has the names, VPCs and tags of groups, the second the ids and tags of rules. A
/// hold (see `sg-audit allow`) is recognised by the tags of its rule.
#[cfg_attr(
    feature = "live",
    doc = "",
    doc = "--live reads every group of the account instead, with your own credentials, as `aws` does: \
           from variables, a profile or SSO. It only makes calls that read. Without --live, nothing is \
           read from AWS."
)]
#[derive(Debug, Args)]
#[command(after_help = CHECK_EXAMPLES)]
pub(super) struct CheckArgs {
    /// The output of `aws ec2 describe-security-groups` or `describe-security-group-rules`,
    /// compressed with gzip or not; `-` reads standard input
    #[arg(value_name = "FILE", required_unless_present_any = ["groups", "live", "plan", "template"])]
    pub files: Vec<PathBuf>,

    /// The same as FILE; can be repeated
    #[arg(long, value_name = "FILE")]
    pub groups: Vec<PathBuf>,

    /// Audit groups before they are changed: what `terraform show -json PLAN` or `tofu show -json
    /// PLAN` prints, of a plan or a state; can be repeated; `-` reads standard input. If the .tf
    /// files are in the same folder as FILE, each finding names its line in them. `--format sarif`,
    /// which needs --plan, is for GitHub code scanning
    #[arg(long, value_name = "FILE", conflicts_with_all = ["files", "groups", "live"])]
    pub plan: Vec<PathBuf>,

    /// Judge every rule of a plan, not only those that it adds or changes
    #[arg(long, requires = "plan")]
    pub all: bool,

    /// Audit groups before they are made: templates of CloudFormation or SAM, or what `cdk synth`
    /// writes, as YAML or JSON; `-` reads standard input
    #[arg(
        long,
        value_name = "FILE",
        num_args = 1..,
        conflicts_with_all = ["files", "groups", "live", "plan"]
    )]
    pub template: Vec<PathBuf>,

    /// A parameter of the template; can be repeated
    #[arg(long, value_name = "KEY=VALUE", requires = "template", value_parser = key_and_value)]
    pub parameter: Vec<(String, String)>,

    /// Parameters of the template as a JSON file, as `aws cloudformation` and `sam deploy` take it
    #[arg(long, value_name = "FILE", requires = "template")]
    pub parameters_file: Option<PathBuf>,

    /// Read the groups of your account from AWS
    #[arg(long, hide = NOT_LIVE, conflicts_with_all = ["files", "groups", "prefix_lists"])]
    pub live: bool,

    #[command(flatten)]
    pub account: AccountOptions,

    /// Read every account of the organisation, with a profile of its management account or of a
    /// delegated administrator; or only these accounts and organisational units, with commas between
    /// them (210987654321,ou-abcd-12345678)
    #[arg(
        long,
        hide = NOT_LIVE,
        value_name = "ACCOUNTS",
        requires = "live",
        num_args = 0..=1,
        default_missing_value = "organization"
    )]
    pub organization: Option<Accounts>,

    /// The role to assume in the other accounts
    #[arg(
        long,
        hide = NOT_LIVE,
        value_name = "NAME",
        requires = "organization",
        default_value = "OrganizationAccountAccessRole"
    )]
    pub role: String,

    /// The external id that the role asks for
    #[arg(long, hide = NOT_LIVE, value_name = "ID", requires = "organization")]
    pub external_id: Option<String>,

    /// Record progress in this file. After an interruption, run the same command again: it goes on
    /// where it stopped
    #[arg(long, hide = NOT_LIVE, value_name = "FILE", requires = "organization")]
    pub resume: Option<PathBuf>,

    /// The account's id, for input that has none: plans and templates. Only a baseline file that binds
    /// rules to accounts needs it
    #[arg(long = "account", value_name = "ID", conflicts_with = "live")]
    pub owner: Option<AccountId>,

    /// The organisational unit of the account. Repeat the option for each unit above it, up to the root.
    /// Only a baseline file that binds rules to units needs it
    #[arg(long, value_name = "OU", conflicts_with = "organization")]
    pub ou: Vec<UnitId>,

    #[command(flatten)]
    pub audit: AuditOptions,
}

/// Which account and regions `--live` reads.
#[derive(Debug, Args)]
pub(super) struct AccountOptions {
    /// A region to read instead of the configured one; can be repeated
    #[arg(long, hide = NOT_LIVE, value_name = "REGION", requires = "live")]
    pub region: Vec<Region>,

    /// Read every region that is enabled for the account
    #[arg(long, hide = NOT_LIVE, requires = "live", conflicts_with = "region")]
    pub all_regions: bool,

    /// The profile to log in with, as in ~/.aws/config
    #[arg(
        long,
        hide = NOT_LIVE,
        value_name = "NAME",
        requires = "live",
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub profile: Option<String>,
}

/// How many days CloudTrail keeps what `--live` looks up.
pub(super) const LOOKED_UP_DAYS: u16 = 90;

/// What `history --help` ends with.
macro_rules! history_help {
    ($more:literal) => {
        concat!(
            "\
Exit status:
  0  no rule exceeds the baseline now
  1  at least one does, or may
  2  something could not be read; the reason is on stderr

Examples:
  sg-audit history AWSLogs/123456789012/CloudTrail --ssh-source 203.0.113.0/24
  aws cloudtrail lookup-events --lookup-attributes \\
    AttributeKey=EventName,AttributeValue=AuthorizeSecurityGroupIngress | sg-audit history -
  sg-audit history AWSLogs --groups groups.json --format csv > openings.csv",
            $more
        )
    };
}

/// The same, with what this build can do.
const HISTORY_HELP: &str = if cfg!(feature = "live") {
    history_help!(
        "\n  sg-audit history --live --days 30 --region eu-central-1 --format html > history.html"
    )
} else {
    history_help!("")
};

/// List every rule that exceeded the baseline: when it was opened and closed, and by whom
///
/// FILE holds CloudTrail records: a trail's files as they are in its bucket, or a folder of them; the
/// output of `aws cloudtrail lookup-events`; or events as EventBridge delivers them. The records may
/// be in any order, repeated or incomplete. What they don't show is given as unknown.
#[cfg_attr(
    feature = "live",
    doc = "",
    doc = "--live looks the calls up in CloudTrail, which keeps them for 90 days, and reads the groups \
           as they are now, with your own credentials, as `aws` does: from variables, a profile or \
           SSO. It only makes calls that read. Add files for what is older. Without --live, nothing is read \
           from AWS."
)]
#[derive(Debug, Args)]
#[command(after_help = HISTORY_HELP)]
pub(super) struct HistoryArgs {
    /// Records of CloudTrail, compressed with gzip or not; a folder is read with all its folders;
    /// `-` reads standard input
    #[arg(required_unless_present = "live", value_name = "FILE|DIR")]
    pub files: Vec<PathBuf>,

    /// The groups as they are now: the output of `aws ec2 describe-security-groups` or
    /// `describe-security-group-rules`, or of both; can be repeated. Only a rule that is in
    /// them counts as open now, and it is listed even if no record shows who opened it
    #[arg(long, value_name = "FILE")]
    pub groups: Vec<PathBuf>,

    /// Look up the calls in CloudTrail, and read the groups of your account from AWS
    #[arg(long, hide = NOT_LIVE, conflicts_with_all = ["groups", "prefix_lists"])]
    pub live: bool,

    /// How many days to look up
    #[arg(
        long,
        hide = NOT_LIVE,
        value_name = "N",
        requires = "live",
        default_value_t = LOOKED_UP_DAYS,
        value_parser = value_parser!(u16).range(1..=i64::from(LOOKED_UP_DAYS))
    )]
    pub days: u16,

    #[command(flatten)]
    pub past: PastOptions,

    /// The output format
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub format: HistoryFormat,

    /// Show only openings of this severity or worse; the others still count
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t = Severity::Informational)]
    pub min_severity: Severity,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum HistoryFormat {
    /// For people
    #[default]
    Text,
    /// The history as JSON, and nothing else
    Json,
    /// A line for each opening, for spreadsheets
    Csv,
    /// A page for a browser, in one file that needs nothing else
    Html,
}

/// What `history` and `evidence` need to know besides records and groups.
#[derive(Debug, Args)]
pub(super) struct PastOptions {
    #[command(flatten)]
    pub account: AccountOptions,

    /// The auditor's stack, function or role, to recognise what it closed; can be repeated
    /// [default: typo3-sg-auditor]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub auditor: Vec<String>,

    #[command(flatten)]
    pub baseline: BaselineOptions,

    /// A JSON file with the entries of prefix lists as they are now, {"pl-…": OUTPUT}, where OUTPUT is
    /// what `aws ec2 get-managed-prefix-list-entries` prints for that list
    #[arg(long, value_name = "FILE")]
    pub prefix_lists: Option<PathBuf>,
}

/// What `evidence --help` ends with.
macro_rules! evidence_help {
    ($more:literal) => {
        concat!(
            "\
Exit status:
  0  it was packed
  2  something could not be read (index.html says what), or nothing was packed

Examples:
  sg-audit evidence --from 2026-07-01 --to 2026-09-30 --groups groups.json AWSLogs
  sg-audit evidence --from 2026-07-01 --to 2026-09-30 --groups groups.json trail/ \\
    --baseline our-site.yaml --output q3.zip",
            $more
        )
    };
}

/// The same, with what this build can do.
const EVIDENCE_HELP: &str = if cfg!(feature = "live") {
    evidence_help!("\n  sg-audit evidence --from 2026-09-01 --to 2026-09-30 --live --all-regions")
} else {
    evidence_help!("")
};

/// Make a zip archive of evidence about a period, for the people who audit your company
///
/// It contains a start page (index.html), the report on the groups in your files, the history
/// of the period, coverage, exemptions and holds with their reasons, the CIS and Security Hub controls
/// that fail, the baseline, and the SHA-256 of each file. The archive's own SHA-256 is printed. If you
/// run it again with the same files after the period is over, the archive is identical.
#[derive(Debug, Args)]
#[command(after_help = EVIDENCE_HELP)]
pub(super) struct EvidenceArgs {
    /// Records of CloudTrail, compressed with gzip or not; a folder is read with all its folders.
    /// Give records from before the period too, so that it is known when something was opened
    #[arg(required_unless_present = "live", value_name = "FILE|DIR")]
    pub files: Vec<PathBuf>,

    /// The first day of the period, in UTC
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from: NaiveDate,

    /// The last day of the period
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub to: NaiveDate,

    /// Where to write it [default: evidence-FROM-TO.zip]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// The groups at the end of the period: the output of `aws ec2 describe-security-groups` or
    /// `describe-security-group-rules`, or of both; can be repeated
    #[arg(long, required_unless_present = "live", value_name = "FILE")]
    pub groups: Vec<PathBuf>,

    /// Look up the calls of the last 90 days in CloudTrail, and read the groups of your account from
    /// AWS
    #[arg(long, hide = NOT_LIVE, conflicts_with_all = ["groups", "prefix_lists"])]
    pub live: bool,

    #[command(flatten)]
    pub past: PastOptions,
}

/// Open a port for a while, and tell the function to leave it open: print the `aws` command, or run it
///
/// The rule gets tags that say until when it is needed and why. That is called a hold. Until then the
/// function reports the rule and leaves it alone. After that the rule is like any other: it stays open
/// unless the setting Remediation closes it. If the rule is already in the group, remove it first.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit status:
  0  the command was printed, or it was run and succeeded
  2  it was not; the reason is on stderr

Examples:
  sg-audit allow --group sg-0a1b2c3d4e5f67890 --from 198.51.100.7/32 --port 22 --for 8h \\
    --reason \"vendor support, ticket 4711\"
  sg-audit allow --group sg-0a1b2c3d4e5f67890 --from 198.51.100.0/24 --port 8000-8010 --for 1h30m \\
    --reason \"load test\" --region eu-central-1 --apply")]
pub(super) struct AllowArgs {
    /// The security group
    #[arg(long, value_name = "SG")]
    pub group: String,

    /// Who gets access: a CIDR block, sg-…, account/sg-… or pl-…
    #[arg(long, value_name = "PEER")]
    pub from: String,

    /// The port, or a range such as 8000-8010
    #[arg(long, value_name = "N")]
    pub port: String,

    /// How long from now: 30m, 8h, 1h30m, 2d
    #[arg(long = "for", value_name = "TIME")]
    pub duration: String,

    /// Why; everybody who gets the findings can read it
    #[arg(long, value_name = "TEXT")]
    pub reason: String,

    /// The protocol
    #[arg(long, value_name = "PROTOCOL", value_enum, default_value_t)]
    pub protocol: HoldProtocol,

    /// The group's region [default: the one that `aws` is configured with]
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,

    /// The longest hold that the function accepts, in hours. If you changed its setting HoldMaxHours,
    /// write the same number here. This does not change the setting
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

    /// Without this, a rule that opens SSH, or all ports at once, to the whole Internet is refused
    #[arg(long)]
    pub yes_to_everybody: bool,

    /// Run the command with `aws` and its credentials
    #[arg(long)]
    pub apply: bool,
}

/// Check whether the deployed auditor works, and print the command that fixes what is wrong
///
/// It looks at the stack with `aws` and its credentials: at the trail that feeds it, its rules, its
/// function, its topics and their subscriptions, keys, queues, alarms, and what it did lately. It
/// changes nothing. docs/doctor.md says what each line means, and which rights it needs.
///
/// --canary tries it out: it makes a security group that no server uses, opens SSH in it to
/// addresses that nobody has, waits for the message, and removes everything again. Whoever gets the
/// findings gets this one too.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit status:
  0  no faults; there may be warnings
  1  something is wrong
  2  something could not be looked at; with --canary, the change could not be made

Examples:
  sg-audit doctor --stack typo3-sg-auditor --region eu-central-1
  sg-audit doctor --stack typo3-sg-auditor --canary --timeout 10m")]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    pub stack: StackOptions,

    /// Change a throwaway group, and see whether the message about it comes
    #[arg(long)]
    pub canary: bool,

    /// The VPC of the throwaway group [default: the default VPC]
    #[arg(long, value_name = "VPC", requires = "canary", value_parser = NonEmptyStringValueParser::new())]
    pub vpc: Option<String>,

    /// How long to wait for the message: 90s, 5m
    #[arg(long, value_name = "TIME", requires = "canary", default_value = "5m", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
}

/// Print what the deployed auditor remembers: which rules are open or held, what was audited, and
/// which findings have not been mailed yet
///
/// It reads the stack's table with `aws` and its credentials, and changes nothing. It needs the rights
/// `cloudformation:DescribeStacks` and `dynamodb:Scan`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sg-audit status --stack typo3-sg-auditor --region eu-central-1
  sg-audit status --format json | jq '.open[] | select(.severity == \"critical\")'")]
pub(super) struct StatusArgs {
    #[command(flatten)]
    pub stack: StackOptions,
}

/// Which stack is looked at, and how that is printed.
#[derive(Debug, Args)]
pub(super) struct StackOptions {
    /// The name of the auditor's stack
    #[arg(long = "stack", value_name = "NAME", default_value = "typo3-sg-auditor", value_parser = NonEmptyStringValueParser::new())]
    pub name: String,

    /// The stack's region [default: the one that `aws` is configured with]
    #[arg(long, value_name = "REGION")]
    pub region: Option<Region>,

    /// The output format
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub format: PlainFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum PlainFormat {
    /// Lines for people
    #[default]
    Text,
    /// The same content as JSON only
    Json,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum HoldProtocol {
    #[default]
    Tcp,
    Udp,
}

impl From<HoldProtocol> for Protocol {
    fn from(protocol: HoldProtocol) -> Self {
        match protocol {
            HoldProtocol::Tcp => Self::TCP,
            HoldProtocol::Udp => Self::UDP,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum BaselineCommand {
    /// Print the baseline in effect: with its peer sets, SSH sources and web ports
    #[command(after_help = "\
Examples:
  sg-audit baseline show standard --ssh-source 203.0.113.0/24
  sg-audit baseline show restricted-egress > our-site.yaml")]
    Show(ShowArgs),
    /// Say that a baseline is valid, or everything that is wrong with it
    #[command(after_help = "\
Examples:
  sg-audit baseline validate our-site.yaml
  sg-audit baseline validate our-site.yaml --web-port 8443")]
    Validate(BaselineArgs),
    Explain(ExplainArgs),
}

/// Print which settings of a baseline file apply to a group, and why
///
/// A file can have different settings for some accounts, units or tags, each in a section called a
/// binding. The first binding that fits the group applies. If the answer depends on an option that you
/// left out, the command names it. Without --tag, the group is taken to have no tags.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit status:
  0  the settings were printed
  2  an option is missing, or the file is not valid; the reason is on stderr

Examples:
  sg-audit baseline explain our-organisation.yaml --account 123456789012 --ou ou-ab12-11111111
  sg-audit baseline explain our-organisation.yaml --account 123456789012 --tag stage=dev --format json")]
pub(super) struct ExplainArgs {
    #[command(flatten)]
    pub baseline: BaselineArgs,

    /// The account that owns the group
    #[arg(long, value_name = "ID")]
    pub account: Option<AccountId>,

    /// The organisational unit of the account. Repeat the option for each unit above it, up to the root
    #[arg(long, value_name = "OU")]
    pub ou: Vec<UnitId>,

    /// A tag of the group; can be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub tag: Vec<(String, String)>,

    /// What the function does about findings: notify, revert-ssh or revert-ingress
    /// [default: notify]
    #[arg(long, value_name = "WHAT", value_parser = NonEmptyStringValueParser::new())]
    pub remediation: Option<String>,

    /// How the function reacts to the findings of a sweep (the daily audit of all groups). It has the
    /// same values as --remediation [default: notify]
    #[arg(long, value_name = "WHAT", value_parser = NonEmptyStringValueParser::new())]
    pub sweep_remediation: Option<String>,

    /// Which groups it audits: all, or tag:KEY=VALUE [default: all]
    #[arg(long, value_name = "SCOPE", value_parser = NonEmptyStringValueParser::new())]
    pub scope: Option<String>,

    /// The output format
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub format: PlainFormat,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    pub baseline: BaselineArgs,

    /// Print the baseline of this binding of the file
    #[arg(long, value_name = "NAME")]
    pub binding: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct BaselineArgs {
    /// `standard`, `restricted-egress`, `as-documented`, or the path of a YAML file
    /// [default: standard]
    #[arg(value_name = "NAME|FILE", conflicts_with = "baseline")]
    pub name: Option<String>,

    #[command(flatten)]
    pub options: BaselineOptions,
}

#[derive(Debug, Args)]
pub(super) struct BaselineOptions {
    /// The allowed traffic: `standard` (HTTP and HTTPS from anywhere, SSH from --ssh-source, everything
    /// outbound), `restricted-egress` (only HTTP and HTTPS outbound), `as-documented` (SSH from
    /// anywhere, as in the guide "TYPO3 on AWS"), or the path of a YAML file [default: standard]
    #[arg(long, value_name = "NAME|FILE", value_parser = NonEmptyStringValueParser::new())]
    pub baseline: Option<String>,

    /// Who may use SSH: a CIDR block, a security group (sg-…, or account/sg-… of another account), a
    /// prefix list (pl-…), or `none` for nobody; can be repeated
    #[arg(long, value_name = "PEER", value_parser = NonEmptyStringValueParser::new())]
    pub ssh_source: Vec<String>,

    /// A port of the website, instead of 80 and 443; can be repeated
    #[arg(long, value_name = "N", value_parser = NonEmptyStringValueParser::new())]
    pub web_port: Vec<String>,
}

/// Whether this build has no function to unpack. The command is not listed then.
const NOT_BUNDLED: bool = !cfg!(feature = "bundle");

/// Write the templates and the built function into a folder, ready to deploy
///
/// Neither Rust nor the sources are needed after that: `sam deploy`, or `aws cloudformation package`
/// and `deploy`, take the folder as it is. To upgrade, unpack a newer version into the same folder.
/// Files that you changed are not replaced unless you say --overwrite. Your settings, in
/// samconfig.toml, are never replaced.
#[derive(Debug, Args)]
#[command(
    hide = NOT_BUNDLED,
    after_help = "\
Exit status:
  0  everything was written
  2  it was not; the reason is on stderr

Examples:
  sg-audit unpack auditor
  sg-audit unpack auditor --arch x86_64"
)]
pub(super) struct UnpackArgs {
    /// The folder; it is created if it does not exist
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,

    /// The processor that the function is to run on; arm64 costs less
    #[arg(long, value_name = "ARCH", value_enum, default_value_t)]
    pub arch: Arch,

    /// Also replace templates that somebody changed in that folder
    #[arg(long)]
    pub overwrite: bool,
}

/// A processor architecture as Lambda names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Arch {
    #[default]
    Arm64,
    #[value(name = "x86_64")]
    X86_64,
}

impl Arch {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct AuditOptions {
    #[command(flatten)]
    pub baseline: BaselineOptions,

    /// What the function would do about a change that exceeds the baseline: notify only reports it,
    /// revert-ssh also closes SSH that is open to more than one public host, revert-ingress closes
    /// every inbound rule that exceeds the baseline and has a public source. The last two need
    /// --ssh-source and an explicit --scope, such as `--scope all` [default: notify]
    #[arg(long, value_name = "WHAT", value_parser = NonEmptyStringValueParser::new())]
    pub remediation: Option<String>,

    /// What stays of a rule that is closed: `baseline` keeps the part that the baseline allows, such as
    /// SSH from your SSH sources; `nothing` removes the whole rule [default: baseline]
    #[arg(long, value_name = "WHAT", value_parser = NonEmptyStringValueParser::new())]
    pub revert_keeps: Option<String>,

    /// Which groups to audit: all, or tag:KEY=VALUE [default: all]
    #[arg(long, value_name = "SCOPE", value_parser = NonEmptyStringValueParser::new())]
    pub scope: Option<String>,

    /// A JSON file with the entries of prefix lists, {"pl-…": OUTPUT}, where OUTPUT is what `aws ec2
    /// get-managed-prefix-list-entries` prints for that list
    #[arg(long, value_name = "FILE")]
    pub prefix_lists: Option<PathBuf>,

    /// The output format
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub format: Format,

    /// The exit status is 1 if there is a finding of this severity or worse
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t = Severity::Low)]
    pub fail_on: Severity,

    /// Show only findings of this severity or worse; the others still count
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t = Severity::Informational)]
    pub min_severity: Severity,

    /// Print only how many findings there are of each severity
    #[arg(long)]
    pub summary: bool,

    /// List the rules that an exemption in the baseline file allows, and print for each finding the
    /// exemption that would allow it, to paste into that file
    #[arg(long)]
    pub show_exemptions: bool,
}

impl ValueEnum for Severity {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Critical, Self::High, Self::Medium, Self::Low, Self::Informational]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()))
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    #[default]
    Text,
    /// The report as JSON, and nothing else
    Json,
    /// A table for a comment on a pull request, or for $GITHUB_STEP_SUMMARY
    Markdown,
    /// JUnit XML, with a test case for each group
    Junit,
    /// Annotations of a GitHub Actions job
    Github,
    /// A line for each finding, for spreadsheets
    Csv,
    /// A page for a browser, in one file that needs nothing else
    Html,
    /// SARIF 2.1.0, with --plan only; refused elsewhere, with the reason
    #[value(hide = true)]
    Sarif,
}
