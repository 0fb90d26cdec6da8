//! The rules that an Authorize call added: from its response where that has them all, else from
//! its request.

use std::collections::BTreeMap;

use super::told::{RuleCall, requested};
use super::wire::Node;
use crate::ec2::Rule;

/// The rules, or why neither request nor response tells them. The response has their ids, and the
/// content as EC2 has made it canonical.
pub(super) fn rules(call: &RuleCall<'_>, group: Option<&str>) -> Result<Vec<Rule>, String> {
    let asked = call.asked();
    let count = asked.as_ref().map_or(0, Vec::len);
    let mut rules = match call.answered("securityGroupRuleSet", group, count) {
        Ok(rules) => rules,
        Err(response) => requested(asked)
            .map_err(|request| format!("in the request, {request}; in the response, {response}"))?,
    };
    let tags = tags(call.request);
    rules.iter_mut().for_each(|rule| rule.tags.clone_from(&tags));
    Ok(rules)
}

/// The tags that were given to every rule of the call. EC2's own name for the list is
/// `TagSpecification`.
fn tags(request: Node<'_>) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    for list in ["tagSpecificationSet", "TagSpecification"] {
        let specifications = request.member(list).items("resourceType").unwrap_or_default();
        let of_rules = |specification: &Node<'_>| {
            specification.member("resourceType").told().as_deref() == Some("security-group-rule")
        };
        for specification in specifications.into_iter().filter(of_rules) {
            // Where every element of a list is marked with a `tag`, its number, it is no list.
            let listed = ["tags", "Tag"]
                .into_iter()
                .flat_map(|name| specification.member(name).items("key").unwrap_or_default());
            for tag in listed {
                if let Some(key) = tag.member("key").told() {
                    tags.insert(key, tag.member("value").told().unwrap_or_default());
                }
            }
        }
    }
    tags
}
