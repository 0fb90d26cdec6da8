//! The rules that an Authorize call added: from its response where that has them all, else from
//! its request.

use std::collections::BTreeMap;

use super::error::Unread;
use super::rule_call::{RuleCall, all};
use super::wire::Node;
use crate::ec2::Rule;

/// The rules. The response has their ids, and their content in EC2's canonical form.
pub(super) fn rules(call: &RuleCall<'_>) -> Result<Vec<Rule>, Unread> {
    let requested = call.requested();
    let count = requested.as_ref().map_or(0, Vec::len);
    let rules = match call.in_response("securityGroupRuleSet", count) {
        Ok(rules) => rules,
        Err(response) => all(requested).map_err(|request| Unread::Both {
            request: Box::new(request),
            response: Box::new(response),
        })?,
    };
    let tags = tags(call.request);
    Ok(rules.into_iter().map(|rule| rule.with_tags(tags.clone())).collect())
}

/// The tags that every rule of the call was given. EC2's own name for the list is
/// `TagSpecification`.
fn tags(request: Node<'_>) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    for list in ["tagSpecificationSet", "TagSpecification"] {
        let specifications = request.member(list).items("resourceType").unwrap_or_default();
        let is_for_rules = |specification: &Node<'_>| {
            let resource = specification.member("resourceType").readable();
            resource.as_deref() == Some("security-group-rule")
        };
        for specification in specifications.into_iter().filter(is_for_rules) {
            // A member `tag` in every element of a list is the element's number, not a list of tags.
            let listed = ["tags", "Tag"]
                .into_iter()
                .flat_map(|name| specification.member(name).items("key").unwrap_or_default());
            for tag in listed {
                if let Some(key) = tag.member("key").readable() {
                    tags.insert(key, tag.member("value").readable().unwrap_or_default());
                }
            }
        }
    }
    tags
}
