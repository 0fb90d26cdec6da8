//! The entries of prefix lists.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::ControlFlow;

use ipnet::IpNet;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

use super::document::{self, Text, announces_more, aws_error, duplicate_key};
use super::error::DescribeError;
use super::model::Location;
use crate::baseline::Lists;
use crate::ec2::{ListId, ListNames};
use crate::text::in_backticks;

/// The output of `get-managed-prefix-list-entries`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    entries: Vec<WireEntry>,
    /// Not from AWS: whoever puts the file together may add it from `describe-managed-prefix-lists`.
    #[serde(default)]
    prefix_list_name: Option<String>,
    #[serde(default)]
    next_token: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireEntry {
    cidr: String,
}

/// Prefix lists as a file describes them.
#[derive(Clone, Debug, Default)]
pub struct DescribedLists {
    /// What they hold.
    pub lists: Lists,
    /// Their names, where the file has them.
    pub names: ListNames,
}

/// Reads prefix lists: a JSON object with the output of `aws ec2 get-managed-prefix-list-entries`
/// under the id of each list, to which a `PrefixListName` may have been added. The input may contain
/// several such objects.
///
/// # Errors
///
/// When the input is something else, when entries are missing or are not address blocks, and when
/// a list occurs twice with different entries.
pub fn prefix_lists(input: &[u8]) -> Result<DescribedLists, DescribeError> {
    let mut reader =
        Reader { lists: BTreeMap::new(), names: ListNames::new(), current: None, fault: None };
    let read = document::each(input, |json| {
        reader.deserialize(json).map(ControlFlow::Continue).map_err(|error| {
            document::explain(error, |source| match (reader.fault.take(), reader.current.take()) {
                (Some(fault), _) => fault,
                (None, Some(list)) => {
                    DescribeError::Shape { location: Location::List(list), source }
                }
                (None, None) => DescribeError::NotLists { source },
            })
        })
    });
    read.map(|_| DescribedLists {
        lists: reader.lists.into_iter().map(|(list, entries)| (list, Ok(entries))).collect(),
        names: reader.names,
    })
}

struct Reader {
    lists: BTreeMap<ListId, Vec<IpNet>>,
    names: ListNames,
    /// The list that is being read.
    current: Option<ListId>,
    /// The error to report instead of serde's.
    fault: Option<DescribeError>,
}

impl<'de> DeserializeSeed<'de> for &mut Reader {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Reader {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(Text(key)) = members.next_key()? {
            let Ok(list) = key.parse::<ListId>() else {
                if key == "Error" {
                    self.fault = Some(aws_error(&members.next_value()?));
                }
                return Err(A::Error::custom(format_args!("found the key {}", in_backticks(&key))));
            };
            self.current = Some(list.clone());
            if !seen.insert(list.clone()) {
                return Err(duplicate_key(&key));
            }
            let mut output: Output = members.next_value()?;
            let name = output.prefix_list_name.take().filter(|name| !name.is_empty());
            self.names.extend(name.map(|name| (list.clone(), name)));
            let entries = entries(&list, output);
            let entries = entries.map_err(|fault| self.fail(fault))?;
            match self.lists.get(&list) {
                Some(known) if *known != entries => {
                    return Err(self.fail(DescribeError::ListTwice { list }));
                }
                _ => self.lists.insert(list, entries),
            };
            self.current = None;
        }
        Ok(())
    }
}

impl Reader {
    /// Makes an error that ends the reading. Only `fault` counts afterwards.
    fn fail<E: Error>(&mut self, fault: DescribeError) -> E {
        self.fault = Some(fault);
        E::custom("")
    }
}

fn entries(list: &ListId, output: Output) -> Result<Vec<IpNet>, DescribeError> {
    if announces_more(&output.next_token) {
        return Err(DescribeError::PartialList { list: list.clone() });
    }
    let nets = output.entries.into_iter().map(|WireEntry { cidr }| match cidr.parse::<IpNet>() {
        Ok(net) => Ok(net.trunc()),
        Err(_) => Err(DescribeError::Entry { list: list.clone(), entry: cidr }),
    });
    nets.collect()
}
