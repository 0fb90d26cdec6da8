//! What the AWS command line prints about security groups and prefix lists, read back.
//!
//! Taken are the outputs of `aws ec2 describe-security-groups` and `describe-security-group-rules`,
//! the arrays in them, single groups and rules, and any number of those one after another, as loops
//! and `jq` leave them. A group that several of them tell of is one group.
//!
//! What is read here is declared compliant or not, so nothing is guessed and nothing left out in
//! silence: a rule that cannot be read, a key that an object has twice, a last page that announces
//! another one, and a file that holds something else are errors that say what to do.

mod documents;
mod error;
mod lists;
mod merge;
mod once;
mod quick;
mod wire;

use serde_json::Value;

use crate::audit::{Group, Place};
use crate::ec2::Rule;

pub use error::DescribeError;
pub use lists::prefix_lists;

use error::found;
use merge::Merged;
use quick::NotPlain;
use wire::{group, rule};

/// A security group as the AWS command line tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedGroup {
    /// Where it lives, as far as the output says.
    pub place: Place,
    /// The group; with its name, VPC and tags only where `describe-security-groups` was read.
    pub group: Group,
    /// Its rules; with ids and tags only where `describe-security-group-rules` was read.
    pub rules: Vec<Rule>,
}

/// Reads security groups and folds each of them, whole, into what `new` makes. Where each group
/// stands in one place, as AWS prints them, none is kept once it is folded; else it is begun anew,
/// with all of them at hand.
///
/// # Errors
///
/// As [`groups`].
pub fn fold<T>(
    input: &[u8],
    new: impl Fn() -> T,
    mut take: impl FnMut(&mut T, DescribedGroup),
) -> Result<T, DescribeError> {
    let mut folded = new();
    if quick::each(input, |group| take(&mut folded, group)).is_err() {
        folded = new();
        for group in groups(input)? {
            take(&mut folded, group);
        }
    }
    Ok(folded)
}

/// Reads security groups.
///
/// # Errors
///
/// When the input is no such output, is only a part of one, or holds a rule that cannot be read.
pub fn groups(input: &[u8]) -> Result<Vec<DescribedGroup>, DescribeError> {
    let mut merged = Merged::default();
    let add = |part| {
        merged.add(part);
        Ok(())
    };
    match quick::parts(input, add) {
        Ok(()) => Ok(merged.into_groups()),
        Err(NotPlain) => thorough(input),
    }
}

/// Reads what may be in any order and of any kind, and finds what is wrong.
fn thorough(input: &[u8]) -> Result<Vec<DescribedGroup>, DescribeError> {
    let mut merged = Merged::default();
    let mut more = false;
    for document in documents::read(input)? {
        more = read(document, &mut merged)?;
    }
    if more {
        return Err(DescribeError::Partial);
    }
    Ok(merged.into_groups())
}

/// Reads one document; whether it announces a page to come.
fn read(document: Value, merged: &mut Merged) -> Result<bool, DescribeError> {
    let mut object = match document {
        Value::Array(items) => {
            let mut more = false;
            for item in items {
                more = read(item, merged)?;
            }
            return Ok(more);
        }
        Value::Object(object) => object,
        other => return Err(DescribeError::NotGroups { found: found(&other) }),
    };
    // Outputs that were added to one another have both.
    let mut is_output = false;
    for key in ["SecurityGroups", "SecurityGroupRules"] {
        let Some(list) = object.remove(key) else { continue };
        if !list.is_array() {
            let found = format!("`{key}` with {}", found(&list));
            return Err(DescribeError::NotGroups { found });
        }
        read(list, merged)?;
        is_output = true;
    }
    if is_output {
        let next = object.get("NextToken").and_then(Value::as_str);
        return Ok(next.is_some_and(|token| !token.is_empty()));
    }
    let has = |key: &str| object.contains_key(key);
    if has("GroupId") && (has("IpPermissions") || has("IpPermissionsEgress")) {
        merged.add(group(&Value::Object(object))?);
        Ok(false)
    } else if has("GroupId") && has("IsEgress") {
        merged.add(rule(&Value::Object(object))?);
        Ok(false)
    } else {
        Err(match object.get("Error") {
            Some(error) => DescribeError::AwsError(error::aws_error(error)),
            None => DescribeError::NotGroups { found: found(&Value::Object(object)) },
        })
    }
}

#[cfg(test)]
mod tests;
