use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AccountId, Region};

/// An account and a region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// `None` where nothing tells.
    pub account: Option<AccountId>,
    /// `None` where nothing tells.
    pub region: Option<Region>,
}

impl fmt::Display for Place {
    /// The place in a sentence: `account 123456789012 in eu-central-1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.account, &self.region) {
            (Some(account), Some(region)) => write!(f, "account {account} in {region}"),
            (Some(account), None) => write!(f, "account {account}"),
            (None, Some(region)) => write!(f, "the region {region}"),
            (None, None) => f.write_str("this account"),
        }
    }
}
