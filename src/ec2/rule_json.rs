use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Direction, Rule, RuleError, RuleId};

/// A rule as JSON: what it admits, and its id.
#[derive(Serialize, Deserialize)]
struct StoredRule {
    id: Option<RuleId>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    egress: bool,
    protocol: String,
    from_port: Option<i32>,
    to_port: Option<i32>,
    peer: String,
}

impl From<&Rule> for StoredRule {
    fn from(rule: &Rule) -> Self {
        Self {
            id: rule.id().cloned(),
            egress: rule.direction() == Direction::Egress,
            protocol: rule.protocol().to_string(),
            from_port: rule.from_port(),
            to_port: rule.to_port(),
            peer: rule.peer().to_string(),
        }
    }
}

impl TryFrom<StoredRule> for Rule {
    type Error = RuleError;

    fn try_from(json: StoredRule) -> Result<Self, RuleError> {
        let direction = if json.egress { Direction::Egress } else { Direction::Ingress };
        let (protocol, peer) = (json.protocol.parse()?, json.peer.parse()?);
        let rule = Self::new(direction, protocol, json.from_port, json.to_port, peer)?;
        Ok(rule.with_id(json.id))
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        StoredRule::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        StoredRule::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}
