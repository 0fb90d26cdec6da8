//! The settings of the Lambda function.

use chrono::NaiveDate;

use super::raw::{Names, RawSettings};
use super::resolved::{Settings, SettingsError, set};
use crate::ec2::AccountId;
use crate::text::in_backticks;

const TOPIC_ARN: &str = "TOPIC_ARN";
const MEMBER_ROLE_NAME: &str = "MEMBER_ROLE_NAME";
const MEMBER_EXTERNAL_ID: &str = "MEMBER_EXTERNAL_ID";

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
    /// Everything else.
    pub settings: Settings,
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
        let member_role = member_role(&lookup, &mut faults);
        match (set(&topic), account, settings) {
            (Some(topic), Some(account), Some(settings)) => {
                if faults.is_empty() {
                    return Ok(Self {
                        topic_arn: topic.to_owned(),
                        account,
                        member_role,
                        settings,
                    });
                }
                Err(SettingsError { faults })
            }
            _ => Err(SettingsError { faults }),
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

/// The account in the ARN of a standard topic: `arn:PARTITION:sns:REGION:ACCOUNT:NAME`. A FIFO topic
/// (`….fifo`) cannot send mail and has different rules for publishing. See
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html> and
/// <https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html>.
fn account(arn: &str) -> Option<AccountId> {
    let parts: Vec<_> = arn.split(':').collect();
    let ["arn", partition, "sns", region, account, name] = *parts else { return None };
    let word = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let is_topic = partition.starts_with("aws") && word(region) && word(name) && name.len() <= 256;
    account.parse().ok().filter(|_| is_topic)
}
