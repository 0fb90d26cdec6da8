//! What the doctor finds, as data.

use std::fmt::{self, Display, Formatter};

use chrono::{DateTime, Utc};

use super::aws::AwsError;
use crate::event::trail::Unfit;
use crate::text::causes;
use crate::text::escape::shell_word;

/// One line of the diagnosis.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// What was looked at.
    pub topic: Topic,
    /// Which one, where there are several: a name of the template, a trail, an account.
    pub of: Option<String>,
    /// What it means.
    pub state: State,
    /// What was found.
    pub fact: Fact,
    pub mend: Option<Remedy>,
}

/// What a check means.
#[derive(Clone, Debug, PartialEq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum State {
    /// It is as it has to be.
    Ok,
    /// Something to look at; changes are still audited.
    Warning,
    /// Changes are not audited, or nobody gets to know of it.
    Fault,
    /// It could not be looked at.
    CannotTell(Unknown),
}

/// Why something could not be looked at.
#[derive(Clone, Debug, PartialEq)]
pub enum Unknown {
    /// A right is missing.
    Right(String),
    /// AWS or the network does not answer for now.
    Passing(String),
    /// The AWS CLI is too old.
    OldCli(String),
    /// Anything else, as `aws` or the template has it.
    Other(String),
}

impl From<AwsError> for Unknown {
    fn from(error: AwsError) -> Self {
        match error {
            AwsError::Refused { right } => Self::Right(right),
            AwsError::MayPass { message } => Self::Passing(message),
            AwsError::UnknownCommand { command } => Self::OldCli(command),
            error => Self::Other(causes(&error)),
        }
    }
}

/// What is looked at, in the order of the output.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::IntoStaticStr, strum::Display,
)]
#[strum(serialize_all = "kebab-case")]
#[expect(clippy::enum_variant_names, reason = "an SNS topic is looked at too")]
pub enum Topic {
    /// The stack itself.
    Stack,
    Template,
    /// The trail that feeds it.
    Trail,
    /// An event rule.
    Rule,
    /// Whether the rules may call the function.
    Permission,
    Function,
    /// Its environment.
    Settings,
    /// How many instances it may have.
    Concurrency,
    /// Where Lambda puts events that failed.
    OnFailure,
    Errors,
    Role,
    Log,
    Topic,
    Subscription,
    /// An encryption key.
    Key,
    Queue,
    /// What feeds failed events to the function.
    Mapping,
    /// The table of what is remembered.
    Table,
    Alarm,
    /// The last sweep.
    Sweep,
    /// The last check of holds.
    Holds,
    /// The last event.
    Event,
    /// The role in another account.
    Member,
    /// The event bus, which other accounts send events to.
    Bus,
    /// The organisation.
    Organization,
    /// The state machine that sweeps it.
    Machine,
    /// A change made to see whether its message comes.
    Canary,
}

/// Something that is one thing and should be another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is called.
    pub name: String,
    /// What it is; empty for nothing.
    pub is: String,
    /// What it should be; empty for nothing.
    pub should: String,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Fact {
    NotSeen,
    StackSettled { status: String },
    StackBusy { status: String },
    StackFailed { status: String },
    TemplateSame,
    TemplateDiffers { rules: Vec<String> },
    TemplateUnresolved { properties: Vec<String> },
    TrailFeeds { trail: String, organization: bool },
    TrailPartly { trail: String, field: String },
    TrailDelivery { trail: String, error: String },
    TrailNone,
    TrailUnfit { trails: Vec<(String, Unfit)> },
    RuleFine { schedule: Option<String> },
    RuleGone,
    RuleDisabled,
    RulePattern,
    RuleSchedule { difference: Difference },
    TargetGone { target: String },
    TargetDiffers { target: String, members: Vec<String> },
    MayInvoke { rules: usize },
    MayNotInvoke { rules: Vec<String> },
    FunctionRuns { runtime: String, architecture: String },
    FunctionGone,
    FunctionState { state: String, reason: String },
    FunctionUpdate { status: String, reason: String },
    FunctionDiffers { differences: Vec<Difference> },
    LogLevel { level: String },
    SettingsFine { variables: usize },
    SettingsDiffer { differences: Vec<Difference> },
    SettingsInvalid { faults: Vec<String> },
    ConcurrencyFine { reserved: Option<u64> },
    ConcurrencyZero,
    ConcurrencyDiffers { difference: Difference },
    FailuresKept,
    FailuresNotKept,
    NoErrors { hours: i64 },
    Errors { hours: i64, errors: u64, throttles: u64, last: Option<String> },
    RoleFine { policies: usize },
    RoleGone,
    RoleTrust,
    RolePolicyGone { policy: String },
    RolePolicyDiffers { policy: String },
    RoleMore { policies: Vec<String> },
    RoleBoundary { arn: String },
    LogKept { days: String },
    LogGone,
    LogRetention { difference: Difference },
    TopicFine,
    TopicGone,
    TopicPolicy,
    TopicKey { difference: Difference },
    Confirmed { endpoint: String },
    Unconfirmed { endpoint: String },
    SubscriptionGone { endpoint: String },
    FilterDiffers { endpoint: String },
    OtherUnconfirmed { endpoint: String },
    NobodySubscribed,
    KeyEnabled,
    KeyGone,
    KeyDisabled,
    KeyGoing,
    KeyState { state: String },
    KeyPolicy,
    QueueEmpty,
    QueueWaits { messages: u64 },
    QueueParked { messages: u64 },
    QueueGone,
    QueueDiffers { differences: Vec<Difference> },
    MappingEnabled,
    MappingGone,
    MappingState { state: String, reason: String },
    MappingProblem { result: String },
    TableFine,
    TableGone,
    TableState { state: String },
    TableKeeps,
    AlarmsFine { alarms: usize },
    AlarmGone,
    AlarmActionsOff,
    AlarmActions { missing: Vec<String> },
    AlarmDiffers { differences: Vec<Difference> },
    AlarmOn { reason: String },
    AlarmMuted { rule: String },
    AlarmMutedLater { rule: String },
    SweepDone { at: DateTime<Utc> },
    SweepLate { at: Option<DateTime<Utc>>, hours: i64 },
    SweepNotDue { hours: i64 },
    HoldsDone { at: DateTime<Utc> },
    HoldsLate { minutes: i64 },
    HoldsNotDue,
    EventSeen { at: DateTime<Utc> },
    EventNone { days: i64 },
    MemberReached { account: String },
    MemberNotReached { account: String },
    BusAdmits,
    BusDoesNotAdmit,
    OrganizationIs { id: String },
    OrganizationOther { difference: Difference },
    MachineGone,
    MachineState { status: String },
    MachineUnscheduled,
    RunDone { at: DateTime<Utc> },
    RunGoing { at: DateTime<Utc> },
    RunNone,
    RunLate { at: DateTime<Utc>, hours: i64 },
    RunFailed { run: String, at: DateTime<Utc>, status: String },
    Came { seconds: u64, group: String },
    DidNotCome { seconds: u64, group: String },
    Interrupted,
    CanaryFailed { step: String, reason: String },
    LeftBehind { what: String },
}

/// One line for a shell that mends something, or shows what is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remedy(Vec<Step>);

/// A command, and how it is joined to the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    joint: &'static str,
    words: Vec<String>,
}

impl Remedy {
    /// One command.
    pub fn command(words: &[&str]) -> Self {
        let words = words.iter().map(|&word| word.to_owned()).collect();
        Self(vec![Step { joint: " && ", words }])
    }

    /// Then another, if this one succeeds.
    #[must_use]
    pub fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Another, which reads what this one prints.
    #[must_use]
    pub fn piped_into(mut self, mut other: Self) -> Self {
        if let Some(first) = other.0.first_mut() {
            first.joint = " | ";
        }
        self.0.extend(other.0);
        self
    }
}

impl Display for Remedy {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(step.joint)?;
            }
            let words: Vec<String> = step.words.iter().map(|word| quoted(word)).collect();
            f.write_str(&words.join(" "))?;
        }
        Ok(())
    }
}

/// A word of a shell, in quotes where it needs them.
fn quoted(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:=@,+%".contains(&b);
    match !word.is_empty() && word.bytes().all(plain) {
        true => word.to_owned(),
        false => shell_word(word),
    }
}
