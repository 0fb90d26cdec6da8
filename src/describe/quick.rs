//! The outputs of the AWS command line as it prints them, from first to last in one go.
//!
//! No tree of JSON values is made, and nothing of a group is kept that has been handed on. Anything
//! out of the ordinary, right or wrong, is [`NotPlain`]: the thorough reader then has its turn from
//! the beginning, and has the last word on it. A key twice is out of the ordinary where its value is
//! read.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::merge::{distinct, join};
use super::wire::{Object, WireGroup, WirePermission, WireRule};
use super::{DescribeError, DescribedGroup, documents};

/// That the input is not plainly the output of an AWS command, whole and right.
pub(super) struct NotPlain;

/// Hands on the groups of the input, each whole and once.
pub(super) fn each(input: &[u8], take: impl FnMut(DescribedGroup)) -> Result<(), NotPlain> {
    let mut once = Once { met: HashSet::new(), open: None, take };
    parts(input, |part| once.part(part))?;
    once.close();
    Ok(())
}

/// Hands on what the input says of groups: each group of `describe-security-groups`, each rule of
/// `describe-security-group-rules`.
pub(super) fn parts(
    input: &[u8],
    mut take: impl FnMut(DescribedGroup) -> Result<(), NotPlain>,
) -> Result<(), NotPlain> {
    let text = documents::text(input).map_err(|_| NotPlain)?;
    let mut json = serde_json::Deserializer::from_str(&text);
    let mut more = true;
    // An input without any document is not plain: there is no last page.
    while json.end().is_err() {
        more = Document(&mut take).deserialize(&mut json).map_err(|_| NotPlain)?;
    }
    if more { Err(NotPlain) } else { Ok(()) }
}

/// Groups whose parts stand next to one another.
struct Once<F> {
    met: HashSet<String>,
    open: Option<DescribedGroup>,
    take: F,
}

impl<F: FnMut(DescribedGroup)> Once<F> {
    fn part(&mut self, part: DescribedGroup) -> Result<(), NotPlain> {
        match &mut self.open {
            Some(open) if open.group.id == part.group.id => join(open, part),
            _ => {
                self.close();
                if !self.met.insert(part.group.id.clone()) {
                    return Err(NotPlain);
                }
                self.open = Some(part);
            }
        }
        Ok(())
    }

    fn close(&mut self) {
        if let Some(mut group) = self.open.take() {
            group.rules = distinct(group.rules);
            (self.take)(group);
        }
    }
}

/// One document, in the order in which it is written; whether it announces a page to come.
struct Document<'t, F>(&'t mut F);

impl<'de, F> DeserializeSeed<'de> for Document<'_, F>
where
    F: FnMut(DescribedGroup) -> Result<(), NotPlain>,
{
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F> Visitor<'de> for Document<'_, F>
where
    F: FnMut(DescribedGroup) -> Result<(), NotPlain>,
{
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let (mut listed, mut next) = (false, None);
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "SecurityGroups" if !listed => {
                    map.next_value_seed(List(&mut *self.0, Group::described))?;
                    listed = true;
                }
                "SecurityGroupRules" if !listed => {
                    map.next_value_seed(List(&mut *self.0, Rule::described))?;
                    listed = true;
                }
                "NextToken" if next.is_none() => next = Some(map.next_value::<Option<String>>()?),
                "SecurityGroups" | "SecurityGroupRules" | "NextToken" => {
                    return Err(A::Error::custom("a key twice, or two lists"));
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if listed {
            Ok(next.flatten().is_some_and(|token| !token.is_empty()))
        } else {
            Err(A::Error::custom("no list"))
        }
    }
}

type Group<'a> = WireGroup<'a, Object<WirePermission<'a>>>;
type Rule<'a> = WireRule<'a>;

/// The items of a list, and what each of them says.
struct List<'t, F, T>(&'t mut F, fn(T) -> Result<DescribedGroup, DescribeError>);

impl<'de, F, T> DeserializeSeed<'de> for List<'_, F, T>
where
    F: FnMut(DescribedGroup) -> Result<(), NotPlain>,
    T: Deserialize<'de>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F, T> Visitor<'de> for List<'_, F, T>
where
    F: FnMut(DescribedGroup) -> Result<(), NotPlain>,
    T: Deserialize<'de>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self(take, described) = self;
        while let Some(Object(item)) = items.next_element::<Object<T>>()? {
            let part = described(item).map_err(A::Error::custom)?;
            take(part).map_err(|NotPlain| A::Error::custom("a group in two places"))?;
        }
        Ok(())
    }
}
