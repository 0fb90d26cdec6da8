use thiserror::Error;

use super::model::Location;
use crate::ec2::{IdError, ListId, RuleError};
use crate::text::in_backticks;

/// Why an input cannot be read, and what to do about it. The message doesn't name the input; the
/// caller adds that.
#[derive(Debug, Error)]
pub enum DescribeError {
    /// The input contains nothing but white space.
    #[error(
        "the input is empty: the AWS command that should have written it probably failed; run that command by itself and read its error message"
    )]
    Empty,
    /// Neither UTF-8 nor UTF-16 with a byte order mark.
    #[error("not UTF-8 text: save the output of the AWS command as it is")]
    NotText,
    #[error(
        "not JSON at line {line}, column {column}: run the AWS command with `--output json` and save the whole output"
    )]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1; 0 at the end of a line that has no characters.
        column: usize,
        /// The JSON parser's message.
        #[source]
        source: serde_json::Error,
    },
    /// JSON of another kind where groups should be.
    #[error(
        "expected the output of `aws ec2 describe-security-groups` or `aws ec2 describe-security-group-rules`, without `--query`"
    )]
    NotGroups {
        /// What was found instead, and where.
        #[source]
        source: serde_json::Error,
    },
    /// JSON of another kind where prefix lists should be.
    #[error(
        "expected a JSON object with the output of `aws ec2 get-managed-prefix-list-entries` under the id of each list, like {{\"pl-…\": {{\"Entries\": […]}}}}"
    )]
    NotLists {
        /// What was found instead, and where.
        #[source]
        source: serde_json::Error,
    },
    /// AWS returned an error.
    #[error("AWS returned an error: {0}; correct the AWS command and run it again")]
    AwsError(String),
    /// The last page has a `NextToken`.
    #[error(
        "the last page ends with a `NextToken`, so groups are missing: run the AWS command without `--max-items` and `--no-paginate`, or add the pages that follow"
    )]
    Partial,
    /// A group, a rule or a list with the wrong members.
    #[error(
        "{location} is not as the AWS CLI prints it: run the AWS command without `--query` and save its output unchanged"
    )]
    Shape {
        /// What cannot be read.
        location: Location,
        /// What is wrong, and where.
        #[source]
        source: serde_json::Error,
    },
    /// A rule that EC2 cannot have, or that this version cannot check.
    #[error("{rule} cannot be checked: save the output of the AWS command unchanged")]
    Rule {
        /// The rule, or the permission that it is part of.
        rule: Location,
        /// What is wrong with the rule.
        #[source]
        source: RuleFault,
    },
    /// An entry of a prefix list that is not an address block.
    #[error(
        "{} in the list `{list}` is not a CIDR block: write one such as 198.51.100.0/24",
        in_backticks(entry)
    )]
    Entry { list: ListId, entry: String },
    /// A prefix list that occurs twice with different entries.
    #[error("the list `{list}` occurs twice, with different entries: keep the newer output")]
    ListTwice { list: ListId },
    /// A prefix list whose output has a `NextToken`.
    #[error(
        "the output for the list `{list}` ends with a `NextToken`, so entries are missing: run `aws ec2 get-managed-prefix-list-entries` without `--max-items` and `--no-paginate`"
    )]
    PartialList { list: ListId },
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RuleFault {
    /// EC2 has no such rule.
    #[error(transparent)]
    NotARule(#[from] RuleError),
    /// The account of a group that the rule refers to.
    #[error(transparent)]
    Account(#[from] IdError),
    /// No peer that this version knows.
    #[error(
        "it has no address block, group or prefix list; it may be of a kind that is newer than this version of sg-audit"
    )]
    NoPeer,
    /// More peers than a rule can have.
    #[error("it has {0} peers, and a rule can have only one")]
    Peers(usize),
    /// Members of a permission that this version doesn't know and that are not empty.
    #[error("it has {0}, which this version of sg-audit does not know: use a newer version")]
    Unknown(String),
}
