//! The entries of prefix lists, as the AWS command line prints them.

use ipnet::IpNet;
use serde::Deserialize;
use serde_json::Value;

use super::error::{aws_error, found};
use super::{DescribeError, documents};
use crate::baseline::Lists;

/// An output of `get-managed-prefix-list-entries`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireEntries {
    entries: Vec<WireEntry>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireEntry {
    cidr: String,
}

/// Reads prefix lists: a JSON object that has, under the id of each list, the output of
/// `aws ec2 get-managed-prefix-list-entries` for it. Several such objects one after another are
/// read as one.
///
/// # Errors
///
/// When the input is something else, is only a part, holds an entry that is no address block, or a
/// list with entries of two kinds.
pub fn prefix_lists(input: &[u8]) -> Result<Lists, DescribeError> {
    let mut lists = Lists::new();
    for document in documents::read(input)? {
        let Value::Object(object) = document else {
            return Err(DescribeError::NotLists { found: found(&document) });
        };
        if let Some(error) = object.get("Error") {
            return Err(DescribeError::AwsError(aws_error(error)));
        }
        if let Some(other) = object.keys().find(|key| !key.starts_with("pl-")) {
            return Err(DescribeError::NotLists { found: format!("the key `{other}`") });
        }
        for (list, value) in object {
            let entries = Ok(entries(&list, value)?);
            if lists.get(&list).is_some_and(|known| *known != entries) {
                return Err(DescribeError::ListTwice { list });
            }
            lists.insert(list, entries);
        }
    }
    Ok(lists)
}

fn entries(list: &str, value: Value) -> Result<Vec<IpNet>, DescribeError> {
    let wire: WireEntries = serde_json::from_value(value)
        .map_err(|source| DescribeError::List { list: list.to_owned(), source })?;
    if wire.next_token.is_some_and(|token| !token.is_empty()) {
        return Err(DescribeError::PartialList { list: list.to_owned() });
    }
    wire.entries
        .into_iter()
        .map(|entry| match entry.cidr.parse::<IpNet>() {
            Ok(net) => Ok(net.trunc()),
            Err(_) => Err(DescribeError::Entry { list: list.to_owned(), entry: entry.cidr }),
        })
        .collect()
}
