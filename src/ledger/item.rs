//! The items of the table: which keys and attributes an entry has.
//!
//! | entry | `pk` | `sk` | attributes |
//! |---|---|---|---|
//! | a finding | place | `finding` and the fingerprint | `brief`, `seen`, `is_open`, `is_untold`, `first_seen`, `first_occasion`, `openings`, `expires` |
//! | a rule that is held | place | `hold`, the group and a hash of the rule | `content`, `since`, `is_held`, `expires` |
//! | the last audit of a place | place | `audit` | `audited`, `group_count`, `settings_hash`, `first_sweep` |
//! | the groups of a place at its last sweep | place | `contents` | `audited`, `version`, `groups`, `unheard` |
//! | that a place has rules that are held | `held` | place | `until`, `expires` |
//! | what a sweep, or the audit of a change, only plans to close in a place | place | `plan sweep`, `plan change` | `settings_hash`, `told_at`, `told_by` |
//! | a finding that waits for a digest | `digest` | what identifies it | `content` |
//! | the last daily digest | `digest` | ` daily` | `told` |
//! | the last mails | `mails` | `mails` | `t1` to `t5` |
//!
//! Times are milliseconds since 1970, except `expires`: DynamoDB wants seconds there ("Time to Live" in
//! the DynamoDB developer guide).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::entries::{
    Contents, Entry, HeldRule, Opened, PlaceAudit, PlaceEntries, PlanTold, Waiting, Waits,
};
use super::limits::{DAY, KEPT};
use crate::ec2::Place;
use crate::finding::{Brief, Planner, content_hash};
use crate::text::causes;

/// The value of an attribute, as DynamoDB's JSON has it: `{"S": "text"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attribute {
    /// Text.
    S(String),
    /// A number, in text.
    N(String),
    /// Yes or no.
    #[serde(rename = "BOOL")]
    Bool(bool),
    #[serde(rename = "SS")]
    Texts(BTreeSet<String>),
}

/// Why an item is not understood.
#[derive(Debug, Error)]
pub enum ItemError {
    /// Its JSON is not that of such an entry.
    #[error("an entry of the table is not understood")]
    Json(#[from] serde_json::Error),
    /// An attribute is missing or has another type.
    #[error("an entry of the table is not understood: its {0}")]
    Attribute(&'static str),
}

/// An item of the table.
pub type Item = BTreeMap<String, Attribute>;

impl Attribute {
    pub fn text(text: impl Into<String>) -> Self {
        Self::S(text.into())
    }

    /// JSON, as text.
    ///
    /// # Errors
    ///
    /// None that an entry can cause.
    pub fn json(entry: &impl Serialize) -> Result<Self, ItemError> {
        Ok(Self::S(serde_json::to_string(entry)?))
    }

    /// A time in milliseconds since 1970.
    pub fn time(time: DateTime<Utc>) -> Self {
        Self::N(time.timestamp_millis().to_string())
    }

    /// When DynamoDB may delete an item.
    pub fn expiry(time: DateTime<Utc>) -> Self {
        Self::N(time.timestamp().to_string())
    }
}

/// How the sort keys of findings begin.
const FINDING: &str = "finding ";
/// How the sort keys of holds begin.
pub const HOLD: &str = "hold ";
/// The sort key of the last audit.
const AUDIT: &str = "audit";
/// The sort key of what the groups of a place were.
const CONTENTS: &str = "contents";
/// The partition of the places that have rules that are held.
pub const HELD: &str = "held";
/// The partition of what waits for a digest.
pub const DIGEST: &str = "digest";

/// The partition and the sort key of the last mails.
const MAILS: &str = "mails";
/// The sort key of the last daily digest.
const DAILY: &str = " daily";

/// The partition of a place.
pub fn place_key(place: &Place) -> String {
    let account = place.account.as_ref().map_or("-", |account| account.as_str());
    let region = place.region.as_ref().map_or("-", |region| region.as_str());
    format!("{account} {region}")
}

/// A key of the table.
fn key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    [("pk".to_owned(), Attribute::text(pk)), ("sk".to_owned(), Attribute::text(sk))].into()
}

/// The key of a finding.
pub fn finding_key(place: &Place, fingerprint: &str) -> Item {
    key(place_key(place), format!("{FINDING}{fingerprint}"))
}

/// The key of a rule that is held.
pub fn hold_key(held: &HeldRule) -> Item {
    let content = content_hash(&held.rule);
    key(place_key(&held.place), format!("{HOLD}{} {content}", held.group))
}

/// The key of what is only planned to be closed in a place.
pub fn plan_key(place: &Place, planner: Planner) -> Item {
    key(place_key(place), format!("plan {}", planner.as_str()))
}

/// When a message said what is planned, if one did.
pub fn plan_told(item: &Item) -> Option<PlanTold> {
    let (at, by) = (time(item, "told_at").ok()?, text(item, "told_by").ok()?.to_owned());
    Some(PlanTold { at, by })
}

/// The key of what waits.
pub fn waiting_key(waiting: &Waiting) -> Item {
    key(DIGEST, &waiting.key)
}

/// The key of the last daily digest. It sorts before what waits.
pub fn daily_key() -> Item {
    key(DIGEST, DAILY)
}

/// What waits for a digest, from the items of the partition. One that is not understood, because
/// another version wrote it, keeps nobody from hearing of the rest.
pub fn waits(items: &[Item]) -> Waits {
    let mut waits = Waits::default();
    for item in items {
        if let Err(error) = waits.add(item) {
            tracing::warn!(error = causes(&error), "an entry is left out");
        }
    }
    waits
}

impl Waits {
    fn add(&mut self, item: &Item) -> Result<(), ItemError> {
        match text(item, "sk")? {
            DAILY => self.last_daily = Some(time(item, "told")?),
            key => {
                let mut waiting: Waiting = json(item, "content")?;
                waiting.key = key.to_owned();
                waiting.stored = text(item, "content")?.to_owned();
                self.findings.push(waiting);
            }
        }
        Ok(())
    }
}

/// The key of the last mails.
pub fn mails_key() -> Item {
    key(MAILS, MAILS)
}

/// An opening, as one text of a set.
pub fn opening_text(opening: &Opened) -> String {
    format!("{} {}", opening.at.timestamp_millis(), opening.occasion)
}

fn opening(text: &str) -> Option<Opened> {
    let (at, occasion) = text.split_once(' ')?;
    let at = DateTime::from_timestamp_millis(at.parse().ok()?)?;
    Some(Opened { at, occasion: occasion.to_owned() })
}

/// A whole audit as an item.
pub fn audit_item(audit: &PlaceAudit) -> Item {
    let mut item = key(place_key(&audit.place), AUDIT);
    item.insert("audited".to_owned(), Attribute::time(audit.at));
    item.insert("group_count".to_owned(), Attribute::N(audit.groups.to_string()));
    item.insert("settings_hash".to_owned(), Attribute::text(&audit.settings));
    item.insert("first_sweep".to_owned(), Attribute::text(&audit.first));
    item
}

/// What the groups of a place are as an item.
///
/// # Errors
///
/// None that a group can cause.
pub fn contents_item(contents: &Contents) -> Result<Item, ItemError> {
    let mut item = key(place_key(&contents.place), CONTENTS);
    item.insert("audited".to_owned(), Attribute::time(contents.at));
    item.insert("version".to_owned(), Attribute::text(&contents.version));
    item.insert("groups".to_owned(), Attribute::text(contents.to_text()));
    item.insert("unheard".to_owned(), Attribute::json(&contents.unheard)?);
    Ok(item)
}

/// A held rule as an item.
///
/// # Errors
///
/// None that a rule can cause.
pub fn hold_item(held: &HeldRule) -> Result<Item, ItemError> {
    let mut item = hold_key(held);
    let last = held.hold.as_ref().map_or(held.since, |hold| hold.until);
    item.insert("content".to_owned(), Attribute::json(held)?);
    item.insert("since".to_owned(), Attribute::time(held.since));
    item.insert("is_held".to_owned(), Attribute::Bool(held.hold.is_some()));
    item.insert("expires".to_owned(), Attribute::expiry(last + KEPT));
    Ok(item)
}

/// The key of a place that has rules that are held.
pub fn held_place_key(place: &Place) -> Item {
    key(HELD, place_key(place))
}

/// A place that has rules that are held until this time or shorter. `None` if it is not such an item.
pub fn held_place(item: &Item) -> Option<(Place, DateTime<Utc>)> {
    Some((place(text(item, "sk").ok()?), time(item, "until").ok()?))
}

/// When it may be forgotten that a place had rules that were held.
pub fn held_place_expires(until: DateTime<Utc>) -> Attribute {
    Attribute::expiry(until + DAY)
}

/// What waits as an item.
///
/// # Errors
///
/// None that a finding can cause.
pub fn waiting_item(waiting: &Waiting) -> Result<Item, ItemError> {
    let mut item = waiting_key(waiting);
    item.insert("content".to_owned(), Attribute::json(waiting)?);
    Ok(item)
}

fn text<'i>(item: &'i Item, name: &'static str) -> Result<&'i str, ItemError> {
    match item.get(name) {
        Some(Attribute::S(text)) => Ok(text),
        _ => Err(ItemError::Attribute(name)),
    }
}

fn json<T: DeserializeOwned>(item: &Item, name: &'static str) -> Result<T, ItemError> {
    Ok(serde_json::from_str(text(item, name)?)?)
}

fn number(item: &Item, name: &'static str) -> Result<i64, ItemError> {
    match item.get(name) {
        Some(Attribute::N(number)) => number.parse().map_err(|_| ItemError::Attribute(name)),
        _ => Err(ItemError::Attribute(name)),
    }
}

fn time(item: &Item, name: &'static str) -> Result<DateTime<Utc>, ItemError> {
    DateTime::from_timestamp_millis(number(item, name)?).ok_or(ItemError::Attribute(name))
}

fn is(item: &Item, name: &str) -> bool {
    item.get(name) == Some(&Attribute::Bool(true))
}

/// A finding, from its item.
///
/// # Errors
///
/// Where the item is not one of a finding.
pub fn entry(item: &Item) -> Result<Entry, ItemError> {
    let mut brief: Brief = json(item, "brief")?;
    // These are changed without the rest.
    brief.seen = time(item, "seen")?;
    brief.is_open = is(item, "is_open");
    let openings = match item.get("openings") {
        Some(Attribute::Texts(texts)) => texts.iter().filter_map(|text| opening(text)).collect(),
        _ => BTreeSet::new(),
    };
    Ok(Entry {
        brief,
        first_seen: time(item, "first_seen")?,
        first_occasion: text(item, "first_occasion")?.to_owned(),
        openings,
        is_untold: is(item, "is_untold"),
    })
}

impl PlaceEntries {
    /// Adds an item of the place.
    ///
    /// # Errors
    ///
    /// Where it is not understood.
    pub fn add(&mut self, item: &Item) -> Result<(), ItemError> {
        let sk = text(item, "sk")?;
        if let Some(fingerprint) = sk.strip_prefix(FINDING) {
            match entry(item) {
                Ok(entry) => self.findings.push(entry),
                Err(error) => {
                    self.not_understood.insert(fingerprint.to_owned());
                    return Err(error);
                }
            }
        } else if sk.starts_with(HOLD) {
            self.holds.push(json(item, "content")?);
        } else if sk == AUDIT {
            let groups = number(item, "group_count")?;
            self.last_audit = Some(PlaceAudit {
                place: place(text(item, "pk")?),
                at: time(item, "audited")?,
                groups: usize::try_from(groups).map_err(|_| ItemError::Attribute("group_count"))?,
                settings: text(item, "settings_hash")?.to_owned(),
                first: text(item, "first_sweep")?.to_owned(),
            });
        } else if sk == CONTENTS {
            let groups = Contents::groups_of(text(item, "groups")?);
            self.contents = Some(Contents {
                place: place(text(item, "pk")?),
                at: time(item, "audited")?,
                version: text(item, "version")?.to_owned(),
                groups: groups.ok_or(ItemError::Attribute("groups"))?,
                unheard: json(item, "unheard")?,
            });
        }
        Ok(())
    }
}

/// All that the table has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// Each place with what is known of it.
    pub places: BTreeMap<Place, PlaceEntries>,
    /// What waits for a digest.
    pub waits: Waits,
    /// How many entries were not understood: those of another version.
    pub unknown: usize,
}

impl Remembered {
    /// From all items of the table.
    pub fn of(items: &[Item]) -> Self {
        let mut all = Self::default();
        for item in items {
            let added = match text(item, "pk") {
                Ok(MAILS | HELD) => Ok(()),
                Ok(DIGEST) => all.waits.add(item),
                Ok(pk) => all.places.entry(place(pk)).or_default().add(item),
                Err(error) => Err(error),
            };
            all.unknown += usize::from(added.is_err());
        }
        all
    }
}

/// The place of a partition.
fn place(pk: &str) -> Place {
    let (account, region) = pk.split_once(' ').unwrap_or_default();
    Place { account: account.parse().ok(), region: region.parse().ok() }
}
