//! Which task a scheduled event is for, if only the name of its EventBridge rule says so.

use super::wire::Node;
use crate::ec2::Arn;

/// What a schedule asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ScheduledTask {
    #[default]
    Sweep,
    Holds,
}

/// The logical names of the template's rules. CloudFormation puts the stack's name before them and
/// a word of its own behind.
const RULES: [(&str, ScheduledTask); 2] =
    [("Sweep", ScheduledTask::Sweep), ("HoldsCheck", ScheduledTask::Holds)];

impl ScheduledTask {
    /// The task of the EventBridge rule that an event's `resources` name, where they name one. What
    /// is not known to be the check of holds counts as the sweep, which finds everything.
    pub(super) fn of_rule(resources: Node<'_>) -> Option<Self> {
        let resources = resources.items("").unwrap_or_default().into_iter();
        let arns = resources.filter_map(Node::readable);
        let mut rules = arns.filter_map(|arn| {
            let arn = Arn::parse(&arn).filter(|arn| arn.service == "events")?;
            arn.resource.strip_prefix("rule/").map(ToOwned::to_owned)
        });
        Some(Self::named_in(&rules.next()?))
    }

    /// The last name counts: a stack may be called `Sweep` as well.
    fn named_in(rule: &str) -> Self {
        let found = RULES.iter().filter_map(|(name, task)| Some((rule.rfind(name)?, *task)));
        found.max_by_key(|(at, _)| *at).map(|(_, task)| task).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_name_in_a_rules_name_counts() {
        for (rule, task) in [
            ("typo3-sg-auditor-Sweep-1OZ5KX8QJ3T2M", ScheduledTask::Sweep),
            ("typo3-sg-auditor-HoldsCheck-1OZ5KX8QJ3T2M", ScheduledTask::Holds),
            ("HoldsCheck-Sweep-1OZ5KX8QJ3T2M", ScheduledTask::Sweep),
            ("Sweep-HoldsCheck-1OZ5KX8QJ3T2M", ScheduledTask::Holds),
            ("my-rule", ScheduledTask::Sweep),
            ("", ScheduledTask::Sweep),
        ] {
            assert_eq!(ScheduledTask::named_in(rule), task, "{rule}");
        }
    }
}
