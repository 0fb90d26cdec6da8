//! What the function needs beyond what the command line has.

use chrono::NaiveDate;

use super::{Names, RawSettings, Settings, SettingsError, set};
use crate::baseline::quote;

/// The name of the variable.
const TOPIC_ARN: &str = "TOPIC_ARN";

const WRITE: &str = "write the ARN of a standard SNS topic, such as \
                     arn:aws:sns:eu-central-1:123456789012:typo3-sg-auditor";

/// The settings of the function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionSettings {
    /// The SNS topic to which findings go.
    pub topic_arn: String,
    /// The account of the topic, which is the function's own.
    pub account: String,
    /// Everything else.
    pub settings: Settings,
}

impl FunctionSettings {
    /// Reads the environment through `lookup`. `today` decides how far ahead an exemption may end.
    pub fn from_env(
        lookup: impl Fn(&str) -> Option<String>,
        today: NaiveDate,
    ) -> Result<Self, SettingsError> {
        let mut faults = Vec::new();
        let topic = lookup(TOPIC_ARN);
        let account = match set(&topic) {
            Some(arn) => account(arn).or_else(|| {
                faults.push(format!("{TOPIC_ARN} is {}: {WRITE}", quote(arn)));
                None
            }),
            None => {
                faults.push(format!("{TOPIC_ARN} is missing: {WRITE}"));
                None
            }
        };
        let raw = RawSettings::from_lookup(Names::ENVIRONMENT, lookup);
        let settings = Settings::resolve(&raw, today, &mut faults);
        match (set(&topic), account, settings) {
            (Some(topic), Some(account), Some(settings)) => {
                Ok(Self { topic_arn: topic.to_owned(), account: account.to_owned(), settings })
            }
            _ => Err(SettingsError { faults }),
        }
    }
}

/// The account in the ARN of a standard topic: `arn:PARTITION:sns:REGION:ACCOUNT:NAME`. A FIFO topic
/// (`….fifo`) cannot send mail and has rules of its own for publishing. See
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html> and
/// <https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html>.
fn account(arn: &str) -> Option<&str> {
    let mut parts = arn.split(':');
    let (Some("arn"), Some(partition), Some("sns"), Some(region), Some(account), Some(name), None) = (
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
    ) else {
        return None;
    };
    let word = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let topic = word(name) && name.len() <= 256;
    (partition.starts_with("aws") && word(region) && digits && topic).then_some(account)
}
