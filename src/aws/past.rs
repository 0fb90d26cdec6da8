//! Past calls, as CloudTrail keeps them for 90 days without any trail.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{Region, SdkConfig};
use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::error::SdkError;
use aws_sdk_cloudtrail::operation::lookup_events::{LookupEventsError, LookupEventsOutput};
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use chrono::{DateTime, Utc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::error::{ec2_error, may_pass};
use crate::ec2::{Ec2Error, Place};
use crate::event::calls_that_change_rules;

/// CloudTrail's call.
pub const LOOKUP: &str = "LookupEvents";

/// CloudTrail takes two calls a second for each account and region. A little more than half a second
/// leaves room for what happens on the way.
const PACE: Duration = Duration::from_millis(550);

/// How long to wait before a call is tried again that was throttled or broken. Others in the account
/// may look up events too.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// The largest page.
const EVENTS_A_PAGE: i32 = 50;

/// The look-up of one account and region.
struct LookUp {
    client: Client,
    place: Place,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    /// The names of calls that were not looked up to the end; the last one is next.
    calls: Vec<&'static str>,
    /// Announced by the page before.
    token: Option<String>,
    /// When the next call may be made.
    free: Instant,
}

/// Looks up every call that may have changed rules, in all places at once, and hands over the records
/// of each page. Returns the places of which not everything was told, and why.
pub(super) async fn look_up(
    config: &SdkConfig,
    places: &[Place],
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    mut take: impl FnMut(&Place, Vec<String>),
) -> Vec<(Place, Ec2Error)> {
    let mut failed = Vec::new();
    let mut pages = JoinSet::new();
    for place in places {
        pages.spawn(LookUp::new(config, place, from, until).page());
    }
    while let Some(page) = pages.join_next().await {
        match page {
            Ok((look_up, Ok(records))) => {
                take(&look_up.place, records);
                if !look_up.calls.is_empty() {
                    pages.spawn(look_up.page());
                }
            }
            Ok((look_up, Err(error))) => failed.push((look_up.place, error)),
            // Nobody aborts one, so it panicked.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    failed.sort_by(|(a, _), (b, _)| a.cmp(b));
    failed
}

impl LookUp {
    fn new(config: &SdkConfig, place: &Place, from: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        // The SDK would try again at its own pace.
        let mut config =
            aws_sdk_cloudtrail::config::Builder::from(config).retry_config(RetryConfig::disabled());
        if let Some(region) = &place.region {
            config = config.region(Region::new(region.to_string()));
        }
        Self {
            client: Client::from_conf(config.build()),
            place: place.clone(),
            from,
            until,
            calls: calls_that_change_rules().collect(),
            token: None,
            free: Instant::now(),
        }
    }

    /// The next page.
    async fn page(mut self) -> (Self, Result<Vec<String>, Ec2Error>) {
        let Some(call) = self.calls.last().copied() else { return (self, Ok(Vec::new())) };
        let mut pauses = PAUSES.iter();
        let answer = loop {
            sleep_until(self.free).await;
            self.free = Instant::now() + PACE;
            match self.ask(call).await {
                Err(error) if may_pass(&error) => match pauses.next() {
                    Some(pause) => sleep(*pause).await,
                    None => break Err(error),
                },
                answer => break answer,
            }
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let error = ec2_error(LOOKUP, None, error);
                return (self, Err(error));
            }
        };
        self.token = answer.next_token;
        if self.token.is_none() {
            self.calls.pop();
        }
        // An event without its record is one that cannot be read.
        let record =
            |event: aws_sdk_cloudtrail::types::Event| event.cloud_trail_event.unwrap_or_default();
        (self, Ok(answer.events.unwrap_or_default().into_iter().map(record).collect()))
    }

    async fn ask(&self, call: &str) -> Result<LookupEventsOutput, SdkError<LookupEventsError>> {
        let named = LookupAttribute::builder()
            .attribute_key(LookupAttributeKey::EventName)
            .attribute_value(call)
            .build()
            .map_err(SdkError::construction_failure)?;
        self.client
            .lookup_events()
            .lookup_attributes(named)
            .start_time(at(self.from))
            .end_time(at(self.until))
            .max_results(EVENTS_A_PAGE)
            .set_next_token(self.token.clone())
            .send()
            .await
    }
}

fn at(time: DateTime<Utc>) -> aws_sdk_cloudtrail::primitives::DateTime {
    aws_sdk_cloudtrail::primitives::DateTime::from_millis(time.timestamp_millis())
}
