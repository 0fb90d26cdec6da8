//! Tags: those that say what is in scope, and those that hold a rule.

use aws_sdk_ec2::types::Tag;
use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::Value;

use super::event;
use super::permission::tcp;
use super::site::{Direction, Group, Rule, Site};

impl Site {
    /// Sets a tag on a group or another resource, and returns the event of it.
    pub async fn tag(&self, resource: &str, key: &str, value: &str) -> Value {
        let tag = Tag::builder().key(key).value(value).build();
        self.ec2.create_tags().resources(resource).tags(tag).send().await.expect("tagged");
        self.placed(event::of_tags(resource, key, Some(value)))
    }

    /// Takes a tag away, and returns the event of it.
    pub async fn untag(&self, resource: &str, key: &str) -> Value {
        let tag = Tag::builder().key(key).build();
        self.ec2.delete_tags().resources(resource).tags(tag).send().await.expect("untagged");
        self.placed(event::of_tags(resource, key, None))
    }

    /// The event of the call that a moment ago put this rule of TCP into the group, with its tags.
    pub fn authorized(&self, group: &Group, rule: &Rule) -> Value {
        let permission = tcp(rule.ports.0, rule.ports.1).from(&rule.peer);
        let rules = std::slice::from_ref(rule);
        let event = event::of_permissions("Authorize", group, rule.direction, &[permission], rules);
        let tags: Vec<(&str, &str)> =
            rule.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        event::at(self.placed(event::tagged(event, &tags)), Utc::now())
    }

    /// The group's ingress rules now, one line each, ordered, and nothing said of holds.
    pub async fn ingress_unheld(&self, group: &Group) -> Vec<String> {
        let rules = self.rules(group).await.into_iter();
        let rules = rules.filter(|rule| rule.direction == Direction::Ingress);
        let mut lines: Vec<String> = rules
            .map(|mut rule| {
                rule.tags.retain(|key, _| !key.starts_with("sg-audit:"));
                rule.to_string()
            })
            .collect();
        lines.sort();
        lines
    }
}

/// The tags of a hold that ends so many minutes from now.
pub struct Hold {
    until: String,
}

/// A hold until so many minutes from now.
pub fn hold(minutes: i64) -> Hold {
    let until = Utc::now() + TimeDelta::minutes(minutes);
    Hold { until: until.to_rfc3339_opts(SecondsFormat::Secs, true) }
}

impl Hold {
    /// The tags, with a reason.
    pub fn tags(&self) -> [(&str, &str); 2] {
        [("sg-audit:allow-until", &self.until), ("sg-audit:reason", "vendor, ticket 4711")]
    }

    /// The tag that says until when, alone.
    pub fn without_reason(&self) -> [(&str, &str); 1] {
        [("sg-audit:allow-until", &self.until)]
    }
}
