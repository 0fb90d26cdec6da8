//! Why an event, or a part of it, is not understood.

use thiserror::Error;

use crate::ec2::{IdError, RuleError};
use crate::text::in_backticks;

/// Why a part of a record is not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Unread {
    #[error("`{0}` is missing")]
    Missing(&'static str),
    #[error("`{member}` is {found}, not {expected}")]
    Type { member: &'static str, found: &'static str, expected: &'static str },
    #[error("`{member}` was cut short by CloudTrail")]
    CutShort { member: &'static str },
    #[error("`{member}` contains `{unknown}`, which this version does not know")]
    Unknown { member: &'static str, unknown: String },
    #[error("a peer is a group by its name, `{0}`")]
    GroupByName(String),
    #[error("a rule has {0} peers instead of one")]
    Peers(usize),
    #[error("it contains no rule")]
    Empty,
    #[error("it has more than {most} rules, which is more than a group can have")]
    TooMany { most: usize },
    #[error("it has fewer rules ({found}) than were requested ({requested})")]
    Fewer { found: usize, requested: usize },
    #[error("it is about another group, `{0}`")]
    OtherGroup(String),
    #[error("`{0}` is not the id of a resource")]
    Resource(String),
    #[error("the tag `{0}` is in it twice, with different values")]
    TagTwice(String),
    #[error(
        "the envelope says that the {what} is {}, and the record in it says {}",
        in_backticks(.envelope), in_backticks(.record)
    )]
    Disagreement { what: &'static str, envelope: String, record: String },
    #[error("the record has lost its `requestParameters`")]
    NoRequest,
    #[error("in the request, {request}; in the response, {response}")]
    Both { request: Box<Self>, response: Box<Self> },
    #[error(transparent)]
    Id(#[from] IdError),
    #[error(transparent)]
    Rule(#[from] RuleError),
}

/// Why a record does not tell what its call changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum NotUnderstood {
    #[error("the event is not a CloudTrail record and names no group")]
    NotARecord,
    #[error("the event does not say which call it is")]
    NoCall,
    #[error("`{call}` is not a call that this version knows")]
    UnknownCall { call: String },
    #[error("`{call}` names no group")]
    NoGroup { call: String },
    #[error("the id of the new group is not in the event")]
    NoIdOfNewGroup,
    #[error("`{call}` changes a prefix list and does not say which")]
    NoList { call: String },
    #[error("`{call}` ({code}): the call ended in a server error, so what it changed is not known")]
    ServerError { call: String, code: String },
    #[error("the record of `{call}` was cut short by CloudTrail")]
    CutShort { call: String },
    #[error("the rules of `{call}` are not understood")]
    Rules {
        call: String,
        #[source]
        cause: Unread,
    },
    #[error("the tags of `{call}` are not understood")]
    Tags {
        call: String,
        #[source]
        cause: Unread,
    },
}
