//! The settings of the Lambda function.

use chrono::NaiveDate;

use super::bound::{Bound, Settings};
use super::raw::{Names, RawSettings};
use super::resolved::{SettingsError, set};
use super::severity::Severity;
use crate::ec2::{AccountId, Arn, Scope};
use crate::text::in_backticks;

const TOPIC_ARN: &str = "TOPIC_ARN";
const HOOK: &str = "HOOK";
const MEMBER_ROLE_NAME: &str = "MEMBER_ROLE_NAME";
const MEMBER_EXTERNAL_ID: &str = "MEMBER_EXTERNAL_ID";
const STATE_TABLE: &str = "STATE_TABLE";
const MAIL_SEVERITY: &str = "MAIL_SEVERITY";
const STACK_NAME: &str = "STACK_NAME";

const WRITE: &str = "write the ARN of a standard SNS topic, such as \
                     arn:aws:sns:eu-central-1:123456789012:typo3-sg-auditor";

/// The settings of the function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionSettings {
    /// The SNS topic that findings are sent to.
    pub topic_arn: String,
    /// The account of the topic, which is also that of the function.
    pub account: AccountId,
    /// The role to audit groups of other accounts with.
    pub member_role: Option<MemberRole>,
    /// The name of the DynamoDB table of what is remembered. Without one nothing is.
    pub state_table: Option<String>,
    /// Findings below this severity are mailed with the daily digest.
    pub mail_severity: Severity,
    /// The stack that deployed the function, to name it in a command of `sg-audit doctor`.
    pub stack: Option<String>,
    /// What CloudFormation does with a refusal of the hook.
    pub hook: HookMode,
    /// Everything else.
    pub settings: Settings,
}

/// What CloudFormation does with a refusal of the hook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HookMode {
    /// There is no hook.
    #[default]
    Off,
    /// It warns, and goes on.
    Warn,
    /// It stops.
    Fail,
}

/// The role that the function assumes in other accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRole {
    /// The name with its path. It is the same in every account.
    pub name: String,
    /// The external id that the role's trust policy requires, so that no one else can make the
    /// function act in this account ("The confused deputy problem" in the IAM user guide).
    pub external_id: Option<String>,
}

impl FunctionSettings {
    /// Reads the environment through `lookup`. An exemption may end at most a year after `today`.
    ///
    /// # Errors
    ///
    /// When a required variable is missing or a value is not valid.
    pub fn from_env(
        lookup: impl Fn(&str) -> Option<String>,
        today: NaiveDate,
    ) -> Result<Self, SettingsError> {
        let mut faults = Vec::new();
        let topic = lookup(TOPIC_ARN);
        let account = match set(&topic) {
            Some(arn) => account(arn).or_else(|| {
                faults.push(format!("{TOPIC_ARN} is {}: {WRITE}", in_backticks(arn)));
                None
            }),
            None => {
                faults.push(format!("{TOPIC_ARN} is missing: {WRITE}"));
                None
            }
        };
        let raw = RawSettings::from_lookup(Names::ENVIRONMENT, &lookup);
        let settings = Settings::resolve(&raw, today, &mut faults);
        faults.extend(settings.iter().flat_map(unwatched_scopes));
        let member_role = member_role(&lookup, &mut faults);
        let state_table = state_table(&lookup, &mut faults);
        let mail_severity = mail_severity(&lookup, &mut faults);
        let stack = set(&lookup(STACK_NAME)).map(ToOwned::to_owned);
        let hook = hook(&lookup(HOOK), &mut faults);
        match (set(&topic), account, settings) {
            (Some(topic), Some(account), Some(settings)) => {
                if faults.is_empty() {
                    return Ok(Self {
                        topic_arn: topic.to_owned(),
                        account,
                        member_role,
                        state_table,
                        mail_severity,
                        stack,
                        hook,
                        settings,
                    });
                }
                Err(SettingsError { faults })
            }
            _ => Err(SettingsError { faults }),
        }
    }
}

/// The stack's rules send events of tag calls for the key of `SCOPE` alone. If a binding left groups out by
/// another tag, whoever takes it off a group would leave the audit, and nobody would be told.
fn unwatched_scopes(settings: &Settings) -> Vec<String> {
    let key = |scope: &Scope| match scope {
        Scope::All => None,
        Scope::Tag { key, .. } => Some(key.clone()),
    };
    let watched = key(&settings.scope);
    let unwatched = |bound: &&Bound| {
        let scope = key(&bound.settings.scope);
        scope.is_some() && scope != watched
    };
    let fault = |bound: &Bound| {
        let (at, scope) = (&bound.at, &bound.settings.scope);
        format!(
            "{}: {at}: nobody would notice if a group loses the tag of `scope: \"{scope}\"`, because only \
             the tag of {} is watched; set {} to {scope}, and write scope: all in the bindings for other groups",
            Names::ENVIRONMENT.baseline,
            Names::ENVIRONMENT.scope,
            Names::ENVIRONMENT.scope,
        )
    };
    settings.bound.iter().filter(unwatched).map(fault).collect()
}

fn hook(value: &Option<String>, faults: &mut Vec<String>) -> HookMode {
    match set(value) {
        None | Some("off") => HookMode::Off,
        Some("warn") => HookMode::Warn,
        Some("fail") => HookMode::Fail,
        Some(other) => {
            faults.push(format!("{HOOK} is {}: write off, warn or fail", in_backticks(other)));
            HookMode::Off
        }
    }
}

/// The role for other accounts, if one is set.
fn member_role(
    lookup: &impl Fn(&str) -> Option<String>,
    faults: &mut Vec<String>,
) -> Option<MemberRole> {
    let (role, external) = (lookup(MEMBER_ROLE_NAME), lookup(MEMBER_EXTERNAL_ID));
    let (role, external) = (set(&role), set(&external));
    // "Names and paths" in the IAM user guide; the ExternalId parameter of AssumeRole.
    let in_name = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-/".contains(&b);
    let in_id = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@:/_-\\".contains(&b);
    if let Some(role) = role
        && !(role.bytes().all(in_name) && role.len() <= 576 && !role.starts_with('/'))
    {
        faults.push(format!(
            "{MEMBER_ROLE_NAME} is {}: write the name of a role, not its ARN",
            in_backticks(role)
        ));
    }
    if let Some(external) = external {
        if role.is_none() {
            faults.push(format!(
                "{MEMBER_EXTERNAL_ID} is set but {MEMBER_ROLE_NAME} is not: write the name of the \
                 role, or leave both out"
            ));
        }
        if !(external.bytes().all(in_id) && (2..=1224).contains(&external.len())) {
            faults.push(format!(
                "{MEMBER_EXTERNAL_ID} is {}: write 2 to 1,224 letters, digits and +=,.@:/_-",
                in_backticks(external)
            ));
        }
    }
    role.map(|name| MemberRole {
        name: name.to_owned(),
        external_id: external.map(ToOwned::to_owned),
    })
}

/// The table of what is remembered, if one is set. "Naming rules" in the DynamoDB developer guide.
fn state_table(
    lookup: &impl Fn(&str) -> Option<String>,
    faults: &mut Vec<String>,
) -> Option<String> {
    let table = lookup(STATE_TABLE);
    let name = set(&table)?;
    let in_name = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    if !(name.bytes().all(in_name) && (3..=255).contains(&name.len())) {
        let name = in_backticks(name);
        faults.push(format!("{STATE_TABLE} is {name}: write the name of a DynamoDB table"));
    }
    Some(name.to_owned())
}

/// From which severity on findings are mailed at once.
fn mail_severity(lookup: &impl Fn(&str) -> Option<String>, faults: &mut Vec<String>) -> Severity {
    let severity = lookup(MAIL_SEVERITY);
    let Some(word) = set(&severity) else { return Severity::Medium };
    word.parse().unwrap_or_else(|_| {
        faults.push(format!(
            "{MAIL_SEVERITY} is {}: write informational, low, medium, high or critical",
            in_backticks(word)
        ));
        Severity::Medium
    })
}

/// The account in the ARN of a standard topic: `arn:PARTITION:sns:REGION:ACCOUNT:NAME`. A FIFO topic
/// (`….fifo`) cannot send mail and has different rules for publishing. See
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html> and
/// <https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html>.
fn account(arn: &str) -> Option<AccountId> {
    let Arn { partition, service: "sns", region, account, resource: name } = Arn::parse(arn)?
    else {
        return None;
    };
    let word = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let is_topic = partition.starts_with("aws") && word(region) && word(name) && name.len() <= 256;
    account.parse().ok().filter(|_| is_topic)
}
