use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::ec2::ListId;

/// A change of a managed prefix list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ListChange {
    /// `pl-…`
    pub list: ListId,
    /// The list's name, where the event tells it.
    #[serde(default)]
    pub name: Option<String>,
    /// The version that the change was made to: the list must be read at a newer one. `None` where
    /// the change makes no new version, or does not tell which version it was made to.
    pub version_before: Option<i64>,
    /// The entries that the change added, as far as the event tells.
    pub added: Vec<IpNet>,
    /// The entries that the change removed; `None` where the event does not tell all of them.
    #[serde(default)]
    pub removed: Option<Vec<IpNet>>,
    /// The earlier version whose entries the change brought back.
    #[serde(default)]
    pub restored: Option<i64>,
}
