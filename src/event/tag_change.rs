use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ec2::GroupId;

/// A change of the tags of security groups.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TagChange {
    /// The groups.
    pub groups: Vec<GroupId>,
    /// What was done to each key.
    pub tags: BTreeMap<String, TagAction>,
    /// Whether every tag that a user gave was deleted. No key is named then.
    pub all_deleted: bool,
}

impl TagChange {
    /// What was done to the tag with this key, if anything was.
    pub fn action(&self, key: &str) -> Option<TagAction> {
        if self.all_deleted {
            return Some(TagAction::Deleted(None));
        }
        self.tags.get(key).cloned()
    }
}

/// What was done to a tag
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html>).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TagAction {
    /// The tag has this value now.
    Set(String),
    /// The tag is gone; where a value is named, only if the tag had that value. The empty value is
    /// a value.
    Deleted(Option<String>),
}
