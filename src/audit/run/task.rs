use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::ec2::{AccountId, Arn, GroupId, IdError, Region, UnitId};
use crate::finding::{PlaceSwept, RunName};
use crate::text::in_backticks;

/// Step Functions hands over no more than this.
const MAX_BYTES: usize = 256 * 1024;

/// Something that the state machine asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Find the accounts and their regions.
    Discover(Discover),
    Sweep(Box<AccountSweep>),
    /// Count what was covered, and tell.
    Digest(RunDigest),
}

/// Why a task is not understood.
#[derive(Debug, Error)]
pub enum TaskError {
    /// Not what the state machine sends.
    #[error("the state machine's input is not understood")]
    Json(#[source] serde_json::Error),
    /// Nothing to sweep.
    #[error("the sweep of the account {0} names no region")]
    NoRegion(AccountId),
    /// A region that no account has.
    #[error("{0} regions are more than an account has")]
    TooManyRegions(usize),
}

/// More regions than AWS has.
const MOST_REGIONS: usize = 100;

/// Find the accounts and their regions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Discover {
    pub run: RunName,
    /// The bucket for its results.
    pub bucket: BucketName,
    /// What the stack's parameters say.
    #[serde(flatten)]
    pub defaults: Places,
    /// What the execution's input says. It replaces the parameters.
    #[serde(default)]
    pub input: Input,
}

/// Which accounts and regions are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// The accounts. Without any, the function's own.
    #[serde(default)]
    pub accounts: Accounts,
    /// The regions of each. Without any, the function's own.
    #[serde(default)]
    pub regions: RegionNames,
}

/// The input of an execution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Input {
    /// Other accounts.
    pub accounts: Option<Accounts>,
    /// Other regions.
    pub regions: Option<RegionNames>,
    /// Only what this run did not audit.
    pub again: Option<RunName>,
}

/// Accounts, as a list or with commas between them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Accounts(pub Vec<Which>);

/// One account, or those of an organisation or a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Which {
    Account(AccountId),
    /// Those of the organisation.
    Organization,
    /// Those of this unit, and of the units in it.
    Unit(UnitId),
}

/// Why a text names no accounts.
#[derive(Debug, Error)]
#[error(
    "{} names no accounts: write account numbers of 12 digits, ou-..., r-..., or organization",
    in_backticks(.0)
)]
pub struct NoAccounts(String);

impl TryFrom<String> for Which {
    type Error = NoAccounts;

    fn try_from(text: String) -> Result<Self, NoAccounts> {
        if text == "organization" {
            Ok(Self::Organization)
        } else if let Ok(account) = text.parse() {
            Ok(Self::Account(account))
        } else if let Ok(unit) = text.parse() {
            Ok(Self::Unit(unit))
        } else {
            Err(NoAccounts(text))
        }
    }
}

impl From<Which> for String {
    fn from(which: Which) -> Self {
        match which {
            Which::Account(account) => account.into(),
            Which::Organization => "organization".to_owned(),
            Which::Unit(unit) => unit.into(),
        }
    }
}

/// Regions, as a list or with commas between them. `enabled` stands for those that an account has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegionNames {
    /// Those that are enabled in each account.
    Enabled,
    Named(Vec<Region>),
}

impl Default for RegionNames {
    fn default() -> Self {
        Self::Named(Vec::new())
    }
}

/// A parameter of CloudFormation is one text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    Text(String),
    List(Vec<String>),
}

impl Words {
    fn each(self) -> Vec<String> {
        match self {
            Self::List(words) => words,
            Self::Text(text) => {
                let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
                words.map(str::to_owned).collect()
            }
        }
    }
}

impl FromStr for Accounts {
    type Err = NoAccounts;

    fn from_str(text: &str) -> Result<Self, NoAccounts> {
        let words = Words::Text(text.to_owned()).each().into_iter();
        words.map(Which::try_from).collect::<Result<_, _>>().map(Self)
    }
}

impl<'de> Deserialize<'de> for Accounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Words::deserialize(deserializer)?.each().into_iter();
        words.map(Which::try_from).collect::<Result<_, _>>().map(Self).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for RegionNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Words::deserialize(deserializer)?.each();
        if words == ["enabled"] {
            return Ok(Self::Enabled);
        }
        let regions = words.iter().map(|word| word.parse()).collect::<Result<_, IdError>>();
        regions.map(Self::Named).map_err(D::Error::custom)
    }
}

impl Serialize for RegionNames {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Enabled => serializer.serialize_str("enabled"),
            Self::Named(regions) => regions.serialize(serializer),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountSweep {
    pub run: RunName,
    /// The bucket for its results.
    pub bucket: BucketName,
    pub account: AccountId,
    pub regions: Vec<Region>,
    /// What became of those that are done.
    #[serde(default)]
    pub done: Vec<PlaceSwept>,
    /// Where one of them goes on.
    #[serde(default)]
    pub resume: Option<PlaceResume>,
    /// How often each of the others did not answer.
    #[serde(default)]
    pub tried: BTreeMap<Region, u32>,
}

/// Where a region goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceResume {
    /// What was audited of it.
    pub place: PlaceSwept,
    /// EC2's token for the page that is to be read.
    pub page: Option<String>,
    /// The groups of that page that are done.
    pub groups_done: Vec<GroupId>,
    /// When the audit of the region began.
    #[serde(default)]
    pub began: Option<DateTime<Utc>>,
    /// Whether something that was found in it could not be remembered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forgot: bool,
    /// A hash of the settings that it was audited with so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<String>,
}

/// Count what was covered, and tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunDigest {
    pub run: RunName,
    /// The bucket with its results.
    pub bucket: BucketName,
    /// The state machine.
    #[serde(default)]
    pub machine: Option<MachineArn>,
}

/// The ARN of a state machine. It becomes a part of a line for a shell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MachineArn(String);

/// Why a text is not the ARN of a state machine.
#[derive(Debug, Error)]
#[error("{} is not the ARN of a state machine", in_backticks(.0))]
pub struct MachineArnError(String);

impl MachineArn {
    /// The shell line that audits what a run did not audit.
    pub fn again(&self, run: &RunName) -> Option<String> {
        let (arn, region) = (&self.0, Arn::parse(&self.0)?.region);
        let input = format!("'{{\"again\":\"{run}\"}}'");
        Some(format!(
            "aws stepfunctions start-execution --region {region} --state-machine-arn {arn} --input {input}"
        ))
    }
}

impl TryFrom<String> for MachineArn {
    type Error = MachineArnError;

    fn try_from(text: String) -> Result<Self, MachineArnError> {
        let is_letter = |b: u8| b.is_ascii_alphanumeric() || b"-_:".contains(&b);
        let is_machine = Arn::parse(&text)
            .is_some_and(|arn| arn.partition.starts_with("aws") && arn.service == "states");
        if is_machine && text.len() <= 256 && text.bytes().all(is_letter) {
            Ok(Self(text))
        } else {
            Err(MachineArnError(text))
        }
    }
}

impl From<MachineArn> for String {
    fn from(arn: MachineArn) -> Self {
        arn.0
    }
}

/// The name of a bucket. It becomes part of the host name that signed requests go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BucketName(String);

/// Why a text is not the name of a bucket.
#[derive(Debug, Error)]
#[error("{} is not the name of a bucket", in_backticks(.0))]
pub struct BucketNameError(String);

impl BucketName {
    /// The name as AWS writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for BucketName {
    type Error = BucketNameError;

    fn try_from(text: String) -> Result<Self, BucketNameError> {
        // Dots are allowed, but then the host has no certificate.
        let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let is_name = (3..=63).contains(&text.len())
            && text.bytes().all(is_letter)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if is_name { Ok(Self(text)) } else { Err(BucketNameError(text)) }
    }
}

impl FromStr for BucketName {
    type Err = BucketNameError;

    fn from_str(text: &str) -> Result<Self, BucketNameError> {
        text.to_owned().try_into()
    }
}

impl From<BucketName> for String {
    fn from(name: BucketName) -> Self {
        name.0
    }
}

impl Task {
    /// The task that an invocation asks for; `None` where it is something else, such as an event.
    pub fn of(payload: &[u8]) -> Option<Result<Self, TaskError>> {
        if payload.len() > MAX_BYTES || !payload.windows(5).any(|bytes| bytes == b"\"run\"") {
            return None;
        }
        let members: Map<String, Value> = serde_json::from_slice(payload).ok()?;
        let (name, asked) = members.iter().next().filter(|_| members.len() == 1)?;
        let is_task = matches!(name.as_str(), "discover" | "sweep" | "digest");
        if !is_task || asked.get("run").is_none() {
            return None;
        }
        let task = Self::deserialize(Value::Object(members)).map_err(TaskError::Json);
        Some(task.and_then(Self::checked))
    }

    fn checked(self) -> Result<Self, TaskError> {
        match &self {
            Self::Sweep(sweep) if sweep.regions.is_empty() => {
                Err(TaskError::NoRegion(sweep.account.clone()))
            }
            Self::Sweep(sweep) if sweep.regions.len() > MOST_REGIONS => {
                Err(TaskError::TooManyRegions(sweep.regions.len()))
            }
            _ => Ok(self),
        }
    }
}
