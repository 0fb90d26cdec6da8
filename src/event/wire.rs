//! Reads JSON as it really arrives.
//!
//! On its way here an event may have passed through tools that write numbers as strings and
//! accounts as numbers, drop empty lists, or change the case of names. All of that is accepted.
//! What cannot be read is an error and never a default: a list that CloudTrail left out must not
//! look like an empty list.

use std::str::FromStr;

use serde_json::Value;

use super::error::Unread;
use crate::ec2::{AccountId, IdError};

/// Strings are cut to this many characters. Real names and user agents are shorter, and what arrives
/// may be megabytes.
const LONGEST_TEXT: usize = 1024;

static ABSENT: Value = Value::Null;

/// A JSON value, and the name under which it was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a> {
    name: &'static str,
    value: &'a Value,
}

impl<'a> Node<'a> {
    pub(super) fn new(name: &'static str, value: &'a Value) -> Self {
        Self { name, value }
    }

    pub(super) fn value(self) -> &'a Value {
        self.value
    }

    /// The member of that name, in any case: Modify capitalises its members, data lakes write them
    /// in lower case.
    pub(super) fn member(self, name: &'static str) -> Self {
        let found = self.value.as_object().and_then(|members| {
            members.get(name).or_else(|| {
                let other = members.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
                other.map(|(_, value)| value)
            })
        });
        Self { name, value: found.unwrap_or(&ABSENT) }
    }

    /// The member of that name, or the node itself where there is none: newer calls have their
    /// parameters in a member that is named after the call.
    pub(super) fn within(self, name: &'static str) -> Self {
        let inner = self.member(name);
        if inner.is_absent() { self } else { inner }
    }

    /// The names of its members.
    pub(super) fn names(self) -> impl Iterator<Item = &'a str> {
        self.value.as_object().into_iter().flat_map(|members| members.keys().map(String::as_str))
    }

    /// Whether there is nothing: absent, null, `""`, `{}` and `[]` are all in use.
    pub(super) fn is_absent(self) -> bool {
        match self.value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(elements) => elements.is_empty(),
            Value::Object(members) => members.is_empty(),
            Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// Whether it is an object with anything in it.
    pub(super) fn has_members(self) -> bool {
        self.value.is_object() && !self.is_absent()
    }

    /// Whether CloudTrail marked it as cut short.
    pub(super) fn is_omitted(self) -> bool {
        let mark = self.member("omitted").value;
        !matches!(mark, Value::Null | Value::Bool(false)) && mark != "false"
    }

    /// The error for a node that [is omitted](Self::is_omitted).
    pub(super) fn cut_short(self) -> Unread {
        Unread::CutShort { member: self.name }
    }

    fn mismatch(self, expected: &'static str) -> Unread {
        let found = match self.value {
            Value::Null => return Unread::Missing(self.name),
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) if self.is_omitted() => return self.cut_short(),
            Value::Object(_) => "an object",
        };
        Unread::Type { member: self.name, found, expected }
    }

    /// A string, where there is one. Some tools write strings as numbers.
    pub(super) fn text(self) -> Result<Option<String>, Unread> {
        match self.value {
            _ if self.is_absent() => Ok(None),
            Value::String(text) => Ok(Some(cut(text))),
            Value::Number(number) => Ok(Some(number.to_string())),
            _ => Err(self.mismatch("a string")),
        }
    }

    /// A string that must be there.
    pub(super) fn required(self) -> Result<String, Unread> {
        self.text()?.ok_or(Unread::Missing(self.name))
    }

    /// A string, where there is one that can be read.
    pub(super) fn readable(self) -> Option<String> {
        self.text().ok().flatten()
    }

    /// A string, where there is one. A number is not meant as one here.
    pub(super) fn string(self) -> Option<String> {
        if self.value.is_string() { self.readable() } else { None }
    }

    /// An id, where there is one.
    pub(super) fn id<T: FromStr<Err = IdError>>(self) -> Result<Option<T>, Unread> {
        Ok(self.text()?.map(|id| id.parse()).transpose()?)
    }

    /// The id of an account, where there is one.
    pub(super) fn account(self) -> Result<Option<AccountId>, Unread> {
        Ok(self.account_text()?.map(|id| id.parse()).transpose()?)
    }

    /// What stands where the id of an account should be. As a number it has lost its leading zeros.
    pub(super) fn account_text(self) -> Result<Option<String>, Unread> {
        let text = self.text()?;
        Ok(if self.value.is_number() { text.map(|id| format!("{id:0>12}")) } else { text })
    }

    /// A whole number, where there is one.
    pub(super) fn number<T: FromStr>(self) -> Result<Option<T>, Unread> {
        if self.is_absent() {
            return Ok(None);
        }
        let text = match self.value {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return Err(self.mismatch("a number")),
        };
        // Some tools have only floating-point numbers: 22.0.
        let digits = text.strip_suffix(".0").unwrap_or(&text);
        digits.parse().map(Some).map_err(|_| self.mismatch("a whole number"))
    }

    /// The elements of a list: an array, an array in the member `items`, or a single element instead
    /// of the list, which is recognised by the member `of` that every element has.
    pub(super) fn items(self, of: &'static str) -> Result<Vec<Self>, Unread> {
        if self.is_absent() {
            return Ok(Vec::new());
        }
        match self.value {
            Value::Array(elements) => {
                Ok(elements.iter().map(|value| Self { name: self.name, value }).collect())
            }
            Value::Object(_) if self.is_omitted() => Err(self.cut_short()),
            Value::Object(_) if !self.member(of).value.is_null() => Ok(vec![self]),
            Value::Object(_) => {
                let items = self.member("items");
                match items.value {
                    Value::Array(_) | Value::Object(_) => {
                        Self { name: self.name, value: items.value }.items(of)
                    }
                    _ => Err(self.mismatch("a list")),
                }
            }
            _ => Err(self.mismatch("a list")),
        }
    }
}

/// The first 1,024 characters.
fn cut(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}
