//! EC2's own vocabulary: ids, places, groups, rules and holds, the interface to EC2, and the
//! `aws ec2` command lines that change rules.
//!
//! It imports only [`text`](crate::text), and every module after it is built on it.

mod answer;
mod arn;
pub mod command;
mod group;
pub mod hold;
mod ids;
mod pages;
mod peer;
mod place;
mod port;
mod protocol;
mod rule;
mod rule_error;
mod rule_json;

pub use answer::message_in_words;
pub use arn::Arn;
pub use group::{DEFAULT_GROUP, Group, GroupKey, ListNames, ListState, NoScope, PrefixList, Scope};
pub use ids::{AccountId, GroupId, IdError, ListId, Region, RuleId, UnitId};
pub use pages::{Page, Pages};
pub use peer::{DELETED_PEERING, GroupRef, Peer, Reference};
pub use place::Place;
pub use port::{Cause, Ec2Error, GroupPage, Missing, Revoked, SecurityGroups, Selection, cause};
pub use protocol::Protocol;
pub use rule::{Direction, RULE_LIMIT, Rule, RuleContent, Selector};
pub use rule_error::RuleError;
