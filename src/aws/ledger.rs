//! What is remembered, in a DynamoDB table.

use std::cell::Cell;
use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure as OnFailure,
};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::Instant;

use super::connection_pool::ConnectOnly;
use crate::audit::{Ledger, LedgerError, LedgerFuture};
use crate::ec2::{Cause, Place, cause};
use crate::finding::Planner;
use crate::ledger::item::{
    Attribute, DIGEST, HELD, HOLD, Item, audit_item, contents_item, daily_key, entry, finding_key,
    held_place, held_place_expires, held_place_key, hold_item, hold_key, mails_key, opening_text,
    place_key, plan_key, plan_told, waiting_item, waiting_key, waits,
};
use crate::ledger::{
    Before, Contents, DAY, Entry, HeldRule, KEPT, MAIL_SPAN, Opened, PlaceAudit, PlaceEntries,
    PlanTold, Resolution, Sighting, Waiting, Waits,
};
use crate::text::causes;

/// How long an answer usually takes at most. What it takes longer is taken from the patience.
const USUAL: Duration = Duration::from_millis(40);

/// The first pause before a call is tried again, which is doubled each time.
const PAUSE: Duration = Duration::from_millis(20);

/// The code of a call whose condition does not hold.
const REFUSED: &str = "ConditionalCheckFailedException";

/// So many calls are under way at once.
const AT_ONCE: usize = 16;

/// An entry that others keep changing is tried so often.
const TRIES: usize = 5;

/// So many openings that are forgotten make it worth a call.
const STALE: usize = 64;

/// An opening that is older counts no longer.
const OLD: TimeDelta = TimeDelta::hours(25);

/// So many openings are kept: a rule that is opened every five minutes has fewer in a day.
const OPENINGS: usize = 400;

/// A DynamoDB table that remembers findings, holds, whole audits and what waits to be mailed.
#[derive(Debug)]
pub struct AwsLedger {
    client: Client,
    table: String,
    patience: Duration,
    /// What is left of it in this invocation.
    left: Cell<Duration>,
    /// Until when time was taken from it. Calls that wait at the same time wait once.
    taken: Cell<Instant>,
}

#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("it did not answer in time")]
    Slow,
    #[error("others keep changing the entry")]
    Contended,
}

impl AwsLedger {
    /// The table of this name. An invocation waits for it only so much longer than usual, in all.
    pub fn new(config: &SdkConfig, table: &str, patience: Duration) -> Self {
        let retries = RetryConfig::standard().with_max_attempts(3).with_initial_backoff(PAUSE);
        let config = aws_sdk_dynamodb::config::Builder::from(config).retry_config(retries).build();
        let client = Client::from_conf(config);
        Self {
            client,
            table: table.to_owned(),
            patience,
            left: Cell::new(patience),
            taken: Cell::new(Instant::now()),
        }
    }

    /// Opens the connection that calls go by.
    pub(super) async fn open(&self, connecting: &ConnectOnly) {
        let config = aws_sdk_dynamodb::Config::builder().http_client(connecting.clone());
        let call = self.client.query().table_name(&self.table);
        // It is not sent, which is an error.
        drop(call.customize().config_override(config).send().await);
    }

    /// Waits for an answer, as long as the invocation may wait.
    async fn wait_for<T, E>(
        &self,
        call: impl Future<Output = Result<T, SdkError<E>>>,
    ) -> Result<Result<T, SdkError<E>>, Trouble> {
        let began = Instant::now();
        let answer = tokio::time::timeout(self.left.get(), call).await;
        let from = self.taken.get().max(began + USUAL);
        let now = Instant::now();
        let late = now.saturating_duration_since(from);
        self.taken.set(self.taken.get().max(now));
        self.left.set(self.left.get().saturating_sub(late));
        answer.map_err(|_| Trouble::Slow)
    }

    /// Waits for a call that changes nothing where its condition does not hold.
    async fn unless_refused<T, E>(
        &self,
        call: impl Future<Output = Result<T, SdkError<E>>>,
    ) -> Result<(), Cause>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        match self.wait_for(call).await.map_err(cause)? {
            Err(error) if error.code() != Some(REFUSED) => Err(cause(error)),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn update(&self, key: Item) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.table).set_key(Some(sdk(key)))
    }

    /// Changes an item under a condition. `Err` with the item as it is where the condition does not
    /// hold.
    async fn change(&self, call: UpdateItemFluentBuilder) -> Result<Result<Item, Item>, Cause> {
        let call = call.return_values_on_condition_check_failure(OnFailure::AllOld);
        match self.wait_for(call.send()).await.map_err(cause)? {
            Ok(changed) => Ok(Ok(ours(changed.attributes.unwrap_or_default()))),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(Err(ours(failed.item.clone().unwrap_or_default())))
                }
                _ => Err(cause(error)),
            },
        }
    }

    async fn see_one(&self, sighting: &Sighting) -> Result<Before, Cause> {
        let brief = &sighting.brief;
        let key = || finding_key(&brief.place, &brief.fingerprint);
        let opening = || AttributeValue::Ss(vec![opening_text(&sighting.opening)]);
        // A finding that is only met is mostly known.
        let mut opens = sighting.is_introduced;
        for _ in 0..TRIES {
            let condition = match (opens, sighting.is_introduced) {
                (true, true) => "attribute_not_exists(pk) OR seen <= :seen",
                (true, false) => "attribute_not_exists(pk) OR (seen <= :seen AND is_open = :no)",
                (false, _) => "seen <= :seen AND is_open = :yes",
            };
            let expires = if brief.is_open { "" } else { ", expires = :expires" };
            let forgets = if brief.is_open { " REMOVE expires" } else { "" };
            let adds = if opens { " ADD openings :opening" } else { "" };
            let update = format!(
                "SET brief = :brief, seen = :seen, is_open = :open, is_untold = :no, \
                 first_seen = if_not_exists(first_seen, :seen), \
                 first_occasion = if_not_exists(first_occasion, :occasion){expires}{forgets}{adds}"
            );
            let mut call = self
                .update(key())
                .condition_expression(condition)
                .update_expression(update)
                .return_values(ReturnValue::AllOld)
                .expression_attribute_values(
                    ":brief",
                    Attribute::json(brief).map_err(cause)?.into(),
                )
                .expression_attribute_values(":seen", time(brief.seen))
                .expression_attribute_values(":open", AttributeValue::Bool(brief.is_open))
                .expression_attribute_values(":no", AttributeValue::Bool(false))
                .expression_attribute_values(":occasion", text(&sighting.opening.occasion));
            if let Some(expires) = Entry::expires(brief) {
                call =
                    call.expression_attribute_values(":expires", Attribute::expiry(expires).into());
            }
            call = match opens {
                true => call.expression_attribute_values(":opening", opening()),
                false => call.expression_attribute_values(":yes", AttributeValue::Bool(true)),
            };
            let old = match self.change(call).await? {
                Ok(old) if old.is_empty() => return Ok(Before::Nothing),
                Ok(old) => {
                    let Some(old) = understood(&old) else { return Ok(Before::NotUnderstood) };
                    self.forget_old_openings(sighting, &old).await?;
                    return Ok(Before::Entry(Box::new(old)));
                }
                Err(old) if old.is_empty() => {
                    opens = true;
                    continue;
                }
                Err(old) => match understood(&old) {
                    Some(old) => old,
                    None => return Ok(Before::NotUnderstood),
                },
            };
            opens = sighting.is_introduced || !old.brief.is_open;
            if old.brief.seen > brief.seen {
                if opens {
                    let call = self.update(key()).condition_expression("attribute_exists(pk)");
                    let call = call.update_expression("ADD openings :opening");
                    self.change(call.expression_attribute_values(":opening", opening()))
                        .await?
                        .ok();
                }
                return Ok(Before::Entry(Box::new(old)));
            }
        }
        Err(cause(Trouble::Contended))
    }

    /// Keeps what something opens again all the time from growing out of its item.
    async fn forget_old_openings(&self, sighting: &Sighting, old: &Entry) -> Result<(), Cause> {
        let is_old = |opening: &Opened| opening.at + OLD < sighting.opening.at;
        // The latest comes first. It stays, because it tells since when the finding is open.
        let openings = old.openings.iter().rev().enumerate().skip(1);
        let stale = openings.filter(|(at, opening)| *at >= OPENINGS || is_old(opening));
        let stale: Vec<_> = stale.map(|(_, opening)| opening_text(opening)).collect();
        if stale.len() < STALE {
            return Ok(());
        }
        let call = self
            .update(finding_key(&sighting.brief.place, &sighting.brief.fingerprint))
            .update_expression("DELETE openings :stale")
            .expression_attribute_values(":stale", AttributeValue::Ss(stale));
        self.change(call).await?.ok();
        Ok(())
    }

    async fn resolve_one(&self, gone: &Resolution) -> Result<Option<Entry>, Cause> {
        let expires = gone.at + KEPT;
        let call = self
            .update(finding_key(&gone.place, &gone.fingerprint))
            .condition_expression("is_open = :yes AND seen <= :at")
            .update_expression(
                "SET is_open = :no, seen = :at, is_untold = :yes, expires = :expires",
            )
            .return_values(ReturnValue::AllNew)
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .expression_attribute_values(":at", time(gone.at))
            .expression_attribute_values(":expires", Attribute::expiry(expires).into());
        match self.change(call).await? {
            Ok(new) => Ok(understood(&new)),
            Err(old) if old.is_empty() => Ok(None),
            Err(old) => Ok(understood(&old).filter(|entry| entry.is_untold)),
        }
    }

    async fn told_one(&self, resolved: &Entry) -> Result<(), Cause> {
        let call = self
            .update(finding_key(&resolved.brief.place, &resolved.brief.fingerprint))
            .condition_expression("attribute_exists(pk)")
            .update_expression("SET is_untold = :no")
            .expression_attribute_values(":no", AttributeValue::Bool(false));
        self.change(call).await?.ok();
        Ok(())
    }

    /// Puts an item, unless the condition does not hold. Then it stays as it is.
    async fn put(&self, item: Item, condition: Option<(&str, Item)>) -> Result<(), Cause> {
        let mut call = self.client.put_item().table_name(&self.table).set_item(Some(sdk(item)));
        if let Some((condition, values)) = condition {
            let values = Some(sdk(values)).filter(|values| !values.is_empty());
            call = call.condition_expression(condition).set_expression_attribute_values(values);
        }
        self.unless_refused(call.send()).await
    }

    async fn plan(
        &self,
        place: &Place,
        planner: Planner,
        settings: &str,
    ) -> Result<Option<PlanTold>, Cause> {
        let call = self
            .update(plan_key(place, planner))
            .condition_expression("attribute_not_exists(pk) OR settings_hash <> :settings")
            .update_expression("SET settings_hash = :settings REMOVE told_at, told_by")
            .expression_attribute_values(":settings", text(settings));
        Ok(self.change(call).await?.err().and_then(|old| plan_told(&old)))
    }

    async fn tell_plan(
        &self,
        place: &Place,
        planner: Planner,
        settings: &str,
        told: &PlanTold,
    ) -> Result<(), Cause> {
        let call = self
            .update(plan_key(place, planner))
            .condition_expression("settings_hash = :settings AND attribute_not_exists(told_at)")
            .update_expression("SET told_at = :at, told_by = :by")
            .expression_attribute_values(":settings", text(settings))
            .expression_attribute_values(":at", time(told.at))
            .expression_attribute_values(":by", text(&told.by));
        self.change(call).await.map(drop)
    }

    /// Remembers that a place has a rule that is held.
    async fn note_place(&self, place: &Place, until: DateTime<Utc>) -> Result<(), Cause> {
        let call = self
            .update(held_place_key(place))
            .condition_expression("attribute_not_exists(pk) OR #until < :until")
            .update_expression("SET #until = :until, expires = :expires")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":until", time(until))
            .expression_attribute_values(":expires", held_place_expires(until).into());
        self.change(call).await?.ok();
        Ok(())
    }

    async fn hold_one(&self, held: &HeldRule) -> Result<(), Cause> {
        if let Some(hold) = &held.hold {
            self.note_place(&held.place, hold.until).await?;
        }
        let condition = match held.hold {
            Some(_) => "attribute_not_exists(pk) OR is_held = :no OR since < :since",
            None => "attribute_not_exists(pk)",
        };
        let values = match held.hold {
            Some(_) => [
                (":no".to_owned(), Attribute::Bool(false)),
                (":since".to_owned(), Attribute::time(held.since)),
            ]
            .into(),
            None => Item::new(),
        };
        self.put(hold_item(held).map_err(cause)?, Some((condition, values))).await
    }

    /// Deletes an item, unless the condition does not hold.
    async fn delete(
        &self,
        key: Item,
        (condition, name, value): (&str, &str, Attribute),
    ) -> Result<(), Cause> {
        let call = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(sdk(key)))
            .condition_expression(condition)
            .expression_attribute_values(name, value.into());
        self.unless_refused(call.send()).await
    }

    async fn release_one(&self, held: &HeldRule) -> Result<(), Cause> {
        let since = Attribute::time(held.since);
        self.delete(hold_key(held), ("since <= :since", ":since", since)).await
    }

    /// All items of a partition whose sort keys begin like this.
    async fn query(&self, pk: &str, begin: &str) -> Result<Vec<Item>, Cause> {
        let mut call = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .expression_attribute_values(":pk", text(pk));
        call = match begin {
            "" => call.key_condition_expression("pk = :pk"),
            _ => call
                .key_condition_expression("pk = :pk AND begins_with(sk, :begin)")
                .expression_attribute_values(":begin", text(begin)),
        };
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let page = call.clone().set_exclusive_start_key(start).send();
            let page = self.wait_for(page).await.map_err(cause)?.map_err(cause)?;
            items.extend(page.items.unwrap_or_default().into_iter().map(ours));
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
    }

    async fn entries(&self, place: &Place, begin: &str) -> Result<PlaceEntries, Cause> {
        let mut entries = PlaceEntries::default();
        for item in self.query(&place_key(place), begin).await? {
            if let Err(error) = entries.add(&item) {
                tracing::warn!(error = causes(&error), "an entry is left out");
            }
        }
        Ok(entries)
    }

    async fn take_a_mail(&self, now: DateTime<Utc>) -> Result<bool, Cause> {
        // The times of the last five mails, each moved one on: a sixth is too early within ten seconds
        // of the fifth before it.
        let call = self
            .update(mails_key())
            // A time that is to come was written by a clock that is wrong.
            .condition_expression("attribute_not_exists(t5) OR t5 < :since OR t5 > :soon")
            .update_expression(
                "SET t5 = if_not_exists(t4, :never), t4 = if_not_exists(t3, :never), \
                 t3 = if_not_exists(t2, :never), t2 = if_not_exists(t1, :never), t1 = :now",
            )
            .expression_attribute_values(":since", time(now - MAIL_SPAN))
            .expression_attribute_values(":soon", time(now + MAIL_SPAN))
            .expression_attribute_values(":never", time(DateTime::UNIX_EPOCH))
            .expression_attribute_values(":now", time(now));
        Ok(self.change(call).await?.is_ok())
    }
}

/// A finding from its item. What another version wrote is left out: it must not keep what is remembered
/// of others from being used.
fn understood(item: &Item) -> Option<Entry> {
    let left_out = |error| tracing::warn!(error = causes(&error), "an entry is left out");
    entry(item).map_err(left_out).ok()
}

/// Runs a call for each, several at once, and answers in their order.
async fn each<'a, T, R, F: Future<Output = Result<R, Cause>>>(
    all: &'a [T],
    call: impl Fn(&'a T) -> F,
) -> Result<Vec<R>, LedgerError> {
    stream::iter(all.iter().map(call)).buffered(AT_ONCE).try_collect().await.map_err(LedgerError)
}

impl Ledger for AwsLedger {
    fn begin(&self) {
        self.left.set(self.patience);
    }

    fn see<'a>(&'a self, sightings: &'a [Sighting]) -> LedgerFuture<'a, Vec<Before>> {
        Box::pin(each(sightings, |one| self.see_one(one)))
    }

    fn resolve<'a>(&'a self, gone: &'a [Resolution]) -> LedgerFuture<'a, Vec<Entry>> {
        Box::pin(async {
            let resolved = each(gone, |one| self.resolve_one(one)).await?;
            Ok(resolved.into_iter().flatten().collect())
        })
    }

    fn told<'a>(&'a self, resolved: &'a [Entry]) -> LedgerFuture<'a, ()> {
        Box::pin(async { each(resolved, |one| self.told_one(one)).await.map(drop) })
    }

    fn place<'a>(&'a self, place: &'a Place) -> LedgerFuture<'a, PlaceEntries> {
        Box::pin(async { self.entries(place, "").await.map_err(LedgerError) })
    }

    fn planned<'a>(
        &'a self,
        place: &'a Place,
        planner: Planner,
        settings: &'a str,
    ) -> LedgerFuture<'a, Option<PlanTold>> {
        Box::pin(async move { self.plan(place, planner, settings).await.map_err(LedgerError) })
    }

    fn plan_told<'a>(
        &'a self,
        place: &'a Place,
        planner: Planner,
        settings: &'a str,
        told: &'a PlanTold,
    ) -> LedgerFuture<'a, ()> {
        let call = async move || self.tell_plan(place, planner, settings, told).await;
        Box::pin(async move { call().await.map_err(LedgerError) })
    }

    fn cover<'a>(&'a self, audit: &'a PlaceAudit) -> LedgerFuture<'a, ()> {
        Box::pin(async {
            let at = [(":audited".to_owned(), Attribute::time(audit.at))].into();
            let condition = "attribute_not_exists(pk) OR audited <= :audited";
            self.put(audit_item(audit), Some((condition, at))).await.map_err(LedgerError)
        })
    }

    fn keep<'a>(&'a self, contents: &'a Contents) -> LedgerFuture<'a, ()> {
        Box::pin(async {
            let at = [(":audited".to_owned(), Attribute::time(contents.at))].into();
            let condition = "attribute_not_exists(pk) OR audited <= :audited";
            let item = contents_item(contents).map_err(|error| LedgerError(cause(error)))?;
            self.put(item, Some((condition, at))).await.map_err(LedgerError)
        })
    }

    fn holds<'a>(&'a self, place: &'a Place) -> LedgerFuture<'a, Vec<HeldRule>> {
        Box::pin(async {
            self.entries(place, HOLD).await.map(|entries| entries.holds).map_err(LedgerError)
        })
    }

    fn held_places(&self, now: DateTime<Utc>) -> LedgerFuture<'_, Vec<Place>> {
        Box::pin(async move {
            let items = self.query(HELD, "").await.map_err(LedgerError)?;
            let places = items.iter().filter_map(held_place);
            Ok(places.filter(|(_, until)| now - *until <= DAY).map(|(place, _)| place).collect())
        })
    }

    fn hold<'a>(&'a self, rules: &'a [HeldRule]) -> LedgerFuture<'a, ()> {
        Box::pin(async { each(rules, |one| self.hold_one(one)).await.map(drop) })
    }

    fn release<'a>(&'a self, rules: &'a [HeldRule]) -> LedgerFuture<'a, ()> {
        Box::pin(async { each(rules, |one| self.release_one(one)).await.map(drop) })
    }

    fn may_mail(&self, now: DateTime<Utc>) -> LedgerFuture<'_, bool> {
        Box::pin(async move { self.take_a_mail(now).await.map_err(LedgerError) })
    }

    fn wait<'a>(&'a self, findings: &'a [Waiting]) -> LedgerFuture<'a, ()> {
        let put = async |one| self.put(waiting_item(one).map_err(cause)?, None).await;
        Box::pin(async move { each(findings, put).await.map(drop) })
    }

    fn waiting(&self) -> LedgerFuture<'_, Waits> {
        Box::pin(async {
            let items = self.query(DIGEST, "").await.map_err(LedgerError)?;
            Ok(waits(&items))
        })
    }

    fn digested<'a>(
        &'a self,
        findings: &'a [Waiting],
        daily: Option<DateTime<Utc>>,
    ) -> LedgerFuture<'a, ()> {
        let delete = async |one: &Waiting| {
            let content = Attribute::text(&one.stored);
            self.delete(waiting_key(one), ("content = :content", ":content", content)).await
        };
        Box::pin(async move {
            if let Some(daily) = daily {
                let mut item = daily_key();
                item.insert("told".to_owned(), Attribute::time(daily));
                self.put(item, None).await.map_err(LedgerError)?;
            }
            each(findings, delete).await.map(drop)
        })
    }
}

impl From<Attribute> for AttributeValue {
    fn from(attribute: Attribute) -> Self {
        match attribute {
            Attribute::S(text) => Self::S(text),
            Attribute::N(number) => Self::N(number),
            Attribute::Bool(is) => Self::Bool(is),
            Attribute::Texts(texts) => Self::Ss(texts.into_iter().collect()),
        }
    }
}

fn sdk(item: Item) -> HashMap<String, AttributeValue> {
    item.into_iter().map(|(name, value)| (name, value.into())).collect()
}

/// An item without what this program never writes.
fn ours(item: HashMap<String, AttributeValue>) -> Item {
    let ours = |value| match value {
        AttributeValue::S(text) => Some(Attribute::S(text)),
        AttributeValue::N(number) => Some(Attribute::N(number)),
        AttributeValue::Bool(is) => Some(Attribute::Bool(is)),
        AttributeValue::Ss(texts) => Some(Attribute::Texts(texts.into_iter().collect())),
        _ => None,
    };
    item.into_iter().filter_map(|(name, value)| Some((name, ours(value)?))).collect()
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn time(time: DateTime<Utc>) -> AttributeValue {
    Attribute::time(time).into()
}
