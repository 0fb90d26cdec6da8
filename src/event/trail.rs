//! What a trail records. EventBridge gets a call only where a trail records it.

use serde::Deserialize;

/// What the auditor needs to be recorded.
const SOURCE: &str = "ec2.amazonaws.com";

/// Which management events of EC2 a trail records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Records {
    /// All that write.
    All,
    /// Perhaps not all: a selector has a condition on this field.
    Partly(String),
    /// None that writes.
    None,
}

/// Why a trail does not feed the auditor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It does not log.
    Stopped,
    /// Its selectors leave out management events that write.
    LeavesOut,
}

/// The selectors of a trail, as `GetEventSelectors` returns them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Selectors {
    /// Selectors of the plain kind.
    pub event_selectors: Vec<Selector>,
    /// Selectors of the advanced kind.
    pub advanced_event_selectors: Vec<AdvancedSelector>,
}

/// A selector of the plain kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Selector {
    /// `ReadOnly`, `WriteOnly` or `All`.
    pub read_write_type: String,
    /// Whether management events are recorded. Without it they are.
    pub include_management_events: Option<bool>,
    /// Services whose management events are left out.
    pub exclude_management_event_sources: Vec<String>,
}

/// A selector of the advanced kind, which records what meets all its conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AdvancedSelector {
    pub field_selectors: Vec<Condition>,
}

/// A condition on a field of an event. An empty list is no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Condition {
    pub field: String,
    /// It has one of these values.
    pub equals: Vec<String>,
    /// It begins with one of these.
    pub starts_with: Vec<String>,
    /// It ends with one of these.
    pub ends_with: Vec<String>,
    /// It has none of these values.
    pub not_equals: Vec<String>,
    /// It begins with none of these.
    pub not_starts_with: Vec<String>,
    /// It ends with none of these.
    pub not_ends_with: Vec<String>,
}

impl Selectors {
    /// What they record of EC2's management events that write.
    pub fn records(&self) -> Records {
        if self.event_selectors.iter().any(Selector::records_all) {
            return Records::All;
        }
        let advanced = self.advanced_event_selectors.iter().map(AdvancedSelector::records);
        advanced.fold(Records::None, |best, one| match (best, one) {
            (Records::All, _) | (_, Records::All) => Records::All,
            (Records::None, one) => one,
            (best, _) => best,
        })
    }
}

impl Selector {
    fn records_all(&self) -> bool {
        self.include_management_events.unwrap_or(true)
            && self.read_write_type != "ReadOnly"
            && !self.exclude_management_event_sources.iter().any(|source| source == SOURCE)
    }
}

impl AdvancedSelector {
    fn records(&self) -> Records {
        let mut found = Records::None;
        let mut partly = None;
        for condition in &self.field_selectors {
            let value = match condition.field.as_str() {
                "eventCategory" => "Management",
                "readOnly" => "false",
                "eventSource" => SOURCE,
                field => {
                    partly = Some(field.to_owned());
                    continue;
                }
            };
            if !condition.is_met_by(value) {
                return Records::None;
            }
            if condition.field == "eventCategory" {
                found = Records::All;
            }
        }
        match (found, partly) {
            (Records::All, Some(field)) => Records::Partly(field),
            (found, _) => found,
        }
    }
}

impl Condition {
    fn is_met_by(&self, value: &str) -> bool {
        let is = |text: &String| value == text;
        let begins = |text: &String| value.starts_with(text.as_str());
        let ends = |text: &String| value.ends_with(text.as_str());
        (self.equals.is_empty() || self.equals.iter().any(is))
            && (self.starts_with.is_empty() || self.starts_with.iter().any(begins))
            && (self.ends_with.is_empty() || self.ends_with.iter().any(ends))
            && !self.not_equals.iter().any(is)
            && !self.not_starts_with.iter().any(begins)
            && !self.not_ends_with.iter().any(ends)
    }
}

#[cfg(test)]
mod tests;
