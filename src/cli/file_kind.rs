//! What people have in files: told apart, so that a wrong file gets the right advice.

use std::fmt;

use serde_json::{Map, Value};

use crate::event::{is_job, is_record};
use crate::text::{in_backticks, lossy};

/// What a file is, as far as a few words in it tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    /// Events, or CloudTrail records.
    Events,
    /// Groups or rules, as `aws` prints them.
    Groups,
    /// The entries of one prefix list, as `aws` prints them.
    PrefixList,
    /// Rows of an Athena query.
    Athena,
    /// Rows of a CloudTrail Lake query.
    Lake,
    /// A message that only names a file in S3.
    FileInS3,
    /// A record of another service, with its `eventSource`.
    OtherRecord(String),
    /// A plan or a state of Terraform or OpenTofu.
    TerraformJson,
    /// Terraform's language.
    TerraformCode,
    /// A CloudFormation template.
    Template,
    Baseline,
    /// A format of `aws` other than JSON.
    AwsOutput(&'static str),
    /// Comma-separated values.
    Csv,
    /// A zip archive.
    Zip,
}

/// The members that tell what a JSON object is.
const OF_JSON: [(&str, FileKind); 14] = [
    ("QueryResultRows", FileKind::Lake),
    ("eventJson", FileKind::Lake),
    ("ResultSet", FileKind::Athena),
    ("eventname", FileKind::Athena),
    ("SecurityGroups", FileKind::Groups),
    ("SecurityGroupRules", FileKind::Groups),
    ("IpPermissions", FileKind::Groups),
    ("Entries", FileKind::PrefixList),
    ("s3ObjectKey", FileKind::FileInS3),
    ("s3", FileKind::FileInS3),
    ("resource_changes", FileKind::TerraformJson),
    ("terraform_version", FileKind::TerraformJson),
    ("AWSTemplateFormatVersion", FileKind::Template),
    ("Resources", FileKind::Template),
];

/// Lists of events, and what stands in an event and nowhere else.
const OF_EVENTS: [&str; 7] =
    ["Records", "Events", "CloudTrailEvent", "Sns", "detail-type", "detailType", "requestPayload"];

/// How a line begins that tells what a text is.
const OF_LINES: [(&str, FileKind); 15] = [
    ("AWSTemplateFormatVersion:", FileKind::Template),
    ("Resources:", FileKind::Template),
    ("Transform:", FileKind::Template),
    ("resource \"", FileKind::TerraformCode),
    ("module \"", FileKind::TerraformCode),
    ("variable \"", FileKind::TerraformCode),
    ("provider \"", FileKind::TerraformCode),
    ("Terraform ", FileKind::TerraformCode),
    ("PK\u{3}\u{4}", FileKind::Zip),
    ("ingress:", FileKind::Baseline),
    ("- SecurityGroups:", FileKind::AwsOutput("yaml-stream")),
    ("SecurityGroups:", FileKind::AwsOutput("yaml")),
    ("SecurityGroupRules:", FileKind::AwsOutput("yaml")),
    ("SECURITYGROUP", FileKind::AwsOutput("text")),
    ("|", FileKind::AwsOutput("table")),
];

impl FileKind {
    /// The kind of a JSON object.
    pub fn of_json(members: &Map<String, Value>) -> Option<Self> {
        let has = |name: &str| members.contains_key(name);
        if let Some((_, kind)) = OF_JSON.iter().find(|(name, _)| has(name)) {
            return Some(kind.clone());
        }
        match members.get("eventSource").and_then(Value::as_str) {
            Some(source) if source.starts_with("aws:") && has("eventName") => {
                Some(Self::OtherRecord(source.to_owned()))
            }
            _ => None,
        }
    }

    /// The kind of a text that is not JSON.
    pub fn of_text(text: &str) -> Option<Self> {
        /// A title, a comment or a licence may come first.
        const LINES: usize = 200;
        let of_line = |line: &str| {
            let named = OF_LINES.iter().find(|(start, _)| line.starts_with(start));
            named.map(|(_, kind)| kind.clone())
        };
        let first = text.lines().find(|line| !line.trim().is_empty())?;
        let of_first = || {
            let words = |c: char| c.is_alphanumeric() || " _\"',;-".contains(c);
            let is_header = first.matches([',', ';']).count() > 1 && first.chars().all(words);
            let is_list = first.starts_with("- GroupId:") || first.starts_with("- Description:");
            match () {
                () if is_header => Some(Self::Csv),
                () if is_list => Some(Self::AwsOutput("yaml")),
                () => None,
            }
        };
        text.lines().take(LINES).find_map(of_line).or_else(of_first)
    }

    /// The kind of a file that should hold groups or lists.
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let text = lossy(bytes);
        let text = text.trim();
        let mut documents = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        let first = match documents.next() {
            Some(Ok(Value::Array(elements))) => elements.into_iter().next(),
            Some(Ok(document)) => Some(document),
            Some(Err(_)) if !text.starts_with(['{', '[']) => return Self::of_text(text),
            _ => None,
        };
        let Some(Value::Object(members)) = first else { return None };
        let is_event = is_record(&members)
            || is_job(&members)
            || OF_EVENTS.iter().any(|name| members.contains_key(*name));
        if is_event { Some(Self::Events) } else { Self::of_json(&members) }
    }

    /// What to do with it, where an event is wanted.
    pub fn instead_of_an_event(&self) -> &'static str {
        match self {
            Self::Groups => {
                "audit it with `sg-audit check FILE`, or give it to `invoke` with --groups, next to \
                 an event"
            }
            Self::PrefixList => "give it with --prefix-lists, under the id of its list",
            Self::Athena => {
                "their columns have other names than the members of a CloudTrail record; give the \
                 trail's own file from its bucket (it may be compressed with gzip)"
            }
            Self::Lake => {
                "take the records out of them with `jq '.QueryResultRows[][].eventJson // empty | \
                 fromjson'`, and give `invoke` its output"
            }
            Self::FileInS3 => {
                "it only names a file; download that with `aws s3 cp s3://BUCKET/KEY .` and give it \
                 instead"
            }
            Self::Baseline => "give it with --baseline, next to an event",
            Self::TerraformJson => "audit it with `sg-audit check --plan FILE`",
            Self::TerraformCode | Self::Zip => SHOW_PLAN,
            Self::Template => "audit it with `sg-audit check --template FILE`",
            Self::OtherRecord(_) | Self::Events | Self::AwsOutput(_) | Self::Csv => {
                "give an event as EventBridge delivers it, or a file of CloudTrail records as it is \
                 in the trail's bucket (it may be compressed with gzip)"
            }
        }
    }

    /// What to do with it, where a plan is wanted.
    pub fn instead_of_a_plan(&self) -> &'static str {
        match self {
            Self::Groups => "audit it with `sg-audit check FILE`",
            Self::TerraformCode | Self::Zip => SHOW_PLAN,
            Self::TerraformJson => "give what `terraform show -json` prints, not the state file",
            other => other.instead_of_groups(),
        }
    }

    /// What to do with it, where groups are wanted.
    pub fn instead_of_groups(&self) -> &'static str {
        match self {
            Self::Events => "audit it with `sg-audit invoke FILE`",
            Self::PrefixList => {
                "give it with --prefix-lists, under the id of its list, next to the groups"
            }
            Self::Baseline => "give it with --baseline, next to the groups",
            Self::TerraformJson => "audit it with `sg-audit check --plan FILE`",
            Self::TerraformCode | Self::Zip => SHOW_PLAN,
            Self::Template => "audit it with `sg-audit check --template FILE`",
            Self::AwsOutput(_) | Self::Csv => {
                "run the AWS command again with `--output json`, and save its output unchanged"
            }
            Self::Groups | Self::Athena | Self::Lake | Self::FileInS3 | Self::OtherRecord(_) => {
                "give the output of `aws ec2 describe-security-groups` or `aws ec2 \
                 describe-security-group-rules`"
            }
        }
    }
}

/// How to make a plan that can be read.
const SHOW_PLAN: &str = "run `terraform plan -out tfplan && terraform show -json tfplan | sg-audit check \
                         --plan -`";

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Events => "an event",
            Self::Groups => {
                "the output of `aws ec2 describe-security-groups` or `describe-security-group-rules`"
            }
            Self::PrefixList => "the output of `aws ec2 get-managed-prefix-list-entries`",
            Self::Athena => "rows of an Athena query",
            Self::Lake => "rows of a CloudTrail Lake query",
            Self::FileInS3 => "a notification about a file in S3",
            Self::OtherRecord(source) => {
                return write!(f, "a record of {}", in_backticks(source));
            }
            Self::TerraformJson => "a plan or a state of Terraform",
            Self::TerraformCode => "Terraform's language, or what Terraform prints",
            Self::Template => "a CloudFormation template",
            Self::Baseline => "a baseline",
            Self::AwsOutput(format) => return write!(f, "what `aws` prints with `--output {format}`"),
            Self::Csv => "a table as CSV",
            Self::Zip => "a zip archive, such as a plan that Terraform saved",
        })
    }
}
