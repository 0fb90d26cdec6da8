//! Why an input cannot be read, and what to do.

use serde_json::Value;
use thiserror::Error;

use crate::ec2::RuleError;

/// How many keys of an object are named before the rest is left out.
const KEYS_NAMED: usize = 4;

/// Why an input is not what it should be. The input's name is for the caller to say.
#[derive(Debug, Error)]
pub enum DescribeError {
    /// Nothing in it.
    #[error(
        "nothing in it: the AWS command that should have written it probably failed; run that command by itself and see what it says"
    )]
    Empty,
    /// Not UTF-8, and not UTF-16 with its mark.
    #[error("not UTF-8 text: save the output of the AWS command as it is")]
    NotText,
    /// Not JSON.
    #[error(
        "not JSON at line {line}, column {column}: run the AWS command with `--output json` and save the whole output"
    )]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1; 0 where a line ends before anything came.
        column: usize,
        /// What the JSON reader says.
        #[source]
        source: serde_json::Error,
    },
    /// A key that an object has twice.
    #[error(
        "an object has the same key twice, and what it says would hang on which of them is believed: save the output of the AWS command line unchanged"
    )]
    Twice {
        /// Which, and where the second one is.
        #[source]
        source: serde_json::Error,
    },
    /// JSON of another kind.
    #[error(
        "expected the output of `aws ec2 describe-security-groups` or `aws ec2 describe-security-group-rules`, without `--query`, and found {found}"
    )]
    NotGroups {
        /// What there is.
        found: String,
    },
    /// JSON of another kind, where prefix lists should be.
    #[error(
        "expected a JSON object with an output of `aws ec2 get-managed-prefix-list-entries` under the id of each list, like {{\"pl-…\": {{\"Entries\": […]}}}}, and found {found}"
    )]
    NotLists {
        /// What there is.
        found: String,
    },
    /// An error in the place of an answer.
    #[error("an error from AWS and no answer: {0}; correct the AWS command and run it again")]
    AwsError(String),
    /// The last page announces another one.
    #[error(
        "only a part: the last page ends in a `NextToken`; run the AWS command without `--max-items` and `--no-paginate`, or add the pages that follow"
    )]
    Partial,
    /// A group that cannot be read.
    #[error(
        "the group `{group}` is not as `describe-security-groups` prints it: run the AWS command without `--query` and save its output unchanged"
    )]
    Group {
        /// Its id.
        group: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A rule of the wrong shape.
    #[error(
        "{rule} of the group `{group}` is not as the AWS command line prints it: save its output unchanged"
    )]
    RuleShape {
        /// The group's id.
        group: String,
        /// The rule's id, or which one it is.
        rule: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A rule that is none.
    #[error(
        "{rule} of the group `{group}` is no rule that EC2 has: save the output of the AWS command line unchanged"
    )]
    Rule {
        /// The group's id.
        group: String,
        /// The rule's id, or which one it is.
        rule: String,
        /// What is wrong with it.
        #[source]
        source: RuleError,
    },
    /// A rule with no peer that is known.
    #[error(
        "{rule} of the group `{group}` names no address block, group or prefix list: it would be left out, and may be of a kind that is newer than this version of sg-audit"
    )]
    NoPeer {
        /// The group's id.
        group: String,
        /// The rule's id, or which one it is.
        rule: String,
    },
    /// A permission with lists that are not known.
    #[error(
        "{rule} of the group `{group}` has {unknown} in it, which this version of sg-audit does not know: what it admits would be left out; save the output of the AWS command line unchanged, or use a newer version of sg-audit"
    )]
    Unknown {
        /// The group's id.
        group: String,
        /// Which permission it is.
        rule: String,
        /// The names of the lists.
        unknown: String,
    },
    /// A rule with more peers than one.
    #[error(
        "{rule} of the group `{group}` names {count} peers, where EC2 has one a rule: save the output of the AWS command line unchanged"
    )]
    Peers {
        /// The group's id.
        group: String,
        /// The rule's id.
        rule: String,
        /// How many.
        count: usize,
    },
    /// A prefix list that cannot be read.
    #[error(
        "the list `{list}` is not as `get-managed-prefix-list-entries` prints it: save the output of the AWS command unchanged"
    )]
    List {
        /// Its id.
        list: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// An entry that is no address block.
    #[error("`{entry}` in the list `{list}` is no CIDR block like 198.51.100.0/24")]
    Entry {
        /// The list's id.
        list: String,
        /// The entry.
        entry: String,
    },
    /// A prefix list with other entries than it had before.
    #[error(
        "the list `{list}` is there twice, with different entries: keep the output that is newer"
    )]
    ListTwice {
        /// Its id.
        list: String,
    },
    /// A prefix list of which there is more.
    #[error(
        "only a part of the list `{list}`: it ends in a `NextToken`; run `aws ec2 get-managed-prefix-list-entries` without `--max-items` and `--no-paginate`"
    )]
    PartialList {
        /// Its id.
        list: String,
    },
}

/// What a JSON value is, for a person who expected something else.
pub(super) fn found(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "true or false".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(object) if object.is_empty() => "an empty object".to_owned(),
        Value::Object(object) => {
            format!("an object with {}", keys_named(object.keys()))
        }
    }
}

/// The first of the keys, for a person.
pub(super) fn keys_named<'a>(keys: impl Iterator<Item = &'a String>) -> String {
    let mut keys = keys.map(|key| format!("`{key}`"));
    let named: Vec<String> = keys.by_ref().take(KEYS_NAMED).collect();
    let more = if keys.next().is_some() { " and more" } else { "" };
    format!("{}{more}", named.join(", "))
}

/// What AWS said, from the `Error` of a recorded answer.
pub(super) fn aws_error(error: &Value) -> String {
    let text = |key: &str| error.get(key).and_then(Value::as_str);
    match (text("Code"), text("Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(text), None) | (None, Some(text)) => text.to_owned(),
        (None, None) => found(error),
    }
}
