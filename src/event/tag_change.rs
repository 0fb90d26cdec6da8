use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ec2::{GroupId, RuleId};

/// A change of the tags of security groups.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TagChange {
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

/// A change of tags of rules that can be those of a hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HoldTags {
    pub rules: Vec<RuleId>,
    /// Why it is not known which tags changed, where that is so. The reason is for a person.
    pub unread: Option<String>,
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
