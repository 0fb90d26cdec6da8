//! `--live`: an account read with a person's own credentials, and `sg-audit check` of its groups.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use tokio::runtime::Runtime;

use super::args::{AccountOptions, CheckArgs};
use super::error::CliError;
use super::output::{Answer, NOT_AUDITED, formatted};
use super::progress::Progress;
use super::settings;
use crate::audit::{Survey, survey};
use crate::aws::{AwsEc2, LOOKUP, Live, LiveError};
use crate::baseline::{Baseline, Lists};
use crate::ec2::{
    Direction, Ec2Error, ListId, Pages, Place, Region, Scope, SecurityGroups, Selection,
};
use crate::evaluate::Code;
use crate::history::Present;
use crate::report::terminal::{Style, exit_status};
use crate::report::to_title;
use crate::text::{causes, inert};

/// Audits every group in scope in the regions of the options.
pub(super) fn run(args: &CheckArgs, style: Style, now: DateTime<Utc>) -> Result<Answer, CliError> {
    let settings = settings::resolve(&args.audit, None, now.date_naive())?;
    let account = Account::log_in(&args.account)?;
    let bar = Progress::of("group").at_once();
    let progress = |groups| bar.done(groups);
    let units = settings::units(args, &settings)?;
    let whose = (&settings, &units);
    let survey = survey(&account.ec2, whose, &account.places, &Utc::now, &progress);
    let Survey { report, failed } = account.runtime.block_on(survey);
    drop(bar);
    if report.groups == 0 && report.findings.is_empty() && failed.is_none() {
        let places: Vec<String> = account.places.iter().map(Place::to_string).collect();
        return Err(CliError::NoneInScopeThere { places: places.join(", ") });
    }
    let unaudited = report.findings.iter().filter(|it| it.code == Code::UnauditedChange);
    let mut notes: Vec<String> =
        unaudited.map(|finding| inert::plain(&to_title(finding))).collect();
    notes.extend(settings::warnings(&settings));
    let mut status = exit_status(&report, args.audit.fail_on);
    if let Some(error) = failed {
        let cause = causes(&error);
        notes.push(inert::plain(&format!("not everything was audited: {cause}; try it again")));
        status = NOT_AUDITED;
    }
    Ok(Answer { out: formatted(report, &args.audit, style)?, notes, status })
}

/// An account that somebody is logged in to, and the regions that were asked for.
pub(super) struct Account {
    pub runtime: Runtime,
    pub live: Live,
    ec2: AwsEc2,
    pub places: Vec<Place>,
}

/// The groups of an account as they are now.
#[derive(Default)]
pub(super) struct Shown {
    pub groups: Vec<Present>,
    /// The places of which every group was read.
    pub whole: BTreeSet<Place>,
    pub faults: Vec<CliError>,
}

impl Account {
    /// # Errors
    ///
    /// Where there are no credentials, no region, or no right to list the regions.
    pub fn log_in(options: &AccountOptions) -> Result<Self, CliError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(CliError::Runtime)?;
        let logged_in = runtime.block_on(async {
            let region = first_region(options);
            let live = Live::log_in(options.profile.as_deref(), region.as_ref()).await?;
            let places = places(options, &live).await?;
            Ok((live, places))
        });
        let (live, places) = logged_in.map_err(|error| match error {
            LiveError::Regions(source) => {
                let place = Place { account: None, region: first_region(options) };
                not_read(place, source)
            }
            error => CliError::Account(error),
        })?;
        Ok(Self { runtime, ec2: live.ec2(), live, places })
    }

    /// Every group with its rules.
    pub fn groups(&self) -> Shown {
        let bar = Progress::reading("group").at_once();
        let mut shown = Shown::default();
        for place in &self.places {
            match self.runtime.block_on(groups(&self.ec2, place, &mut shown.groups, &bar)) {
                Ok(()) => {
                    shown.whole.insert(place.clone());
                }
                Err(error) => shown.faults.push(not_read(place.clone(), error)),
            }
        }
        shown
    }

    /// The records of the calls between two times that may have changed rules.
    pub fn past_calls(
        &self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        mut take: impl FnMut(&[u8]),
    ) -> Vec<(Place, CliError)> {
        let bar = Progress::reading("record").at_once();
        let mut records = 0;
        let take = |_: &Place, page: Vec<String>| {
            records += page.len();
            page.iter().for_each(|record| take(record.as_bytes()));
            bar.done(records);
        };
        let failed = self.runtime.block_on(self.live.past_calls(&self.places, from, until, take));
        let fault = |(place, error): (Place, Ec2Error)| (place.clone(), not_read(place, error));
        failed.into_iter().map(fault).collect()
    }

    /// Adds prefix lists that rules name, or why they cannot be read. Returns what has to be told of
    /// that. A list of another account may be there for this one, so it is asked with its own
    /// credentials.
    pub fn look_up(&self, named: BTreeSet<(Place, ListId)>, lists: &mut Lists) -> Vec<CliError> {
        let mut faults = Vec::new();
        for (Place { region, .. }, id) in named {
            let place = self.places.iter().find(|place| place.region == region);
            let is_known = lists.get(&id).is_some_and(|list| !is_not_there(list));
            let Some(place) = place.filter(|_| !is_known) else { continue };
            let list = self.runtime.block_on(self.ec2.prefix_list(place, &id));
            if !is_not_there(&list)
                && let Err(error) = &list
            {
                faults.push(not_read(place.clone(), error.clone()));
            }
            lists.insert(id, list.map(|list| list.entries));
        }
        faults
    }

    /// The prefix lists that a baseline names, each in every region, since nothing tells which it is
    /// in.
    pub fn lists_of(&self, baseline: &Baseline) -> BTreeSet<(Place, ListId)> {
        let named =
            Direction::BOTH.into_iter().flat_map(|direction| baseline.lists_named(direction));
        let everywhere = |id: &ListId| {
            let id = id.clone();
            self.places.iter().map(move |place| (place.clone(), id.clone()))
        };
        named.flat_map(everywhere).collect()
    }
}

/// Reads all groups of a place.
async fn groups(
    ec2: &AwsEc2,
    place: &Place,
    shown: &mut Vec<Present>,
    bar: &Progress,
) -> Result<(), Ec2Error> {
    let mut pages = Pages::new(ec2, place, Selection::Scope(&Scope::All), None);
    loop {
        let page = pages.next(true).await?;
        let present = |(group, rules)| Present { place: place.clone(), group, rules };
        shown.extend(page.groups.into_iter().map(present));
        bar.done(shown.len());
        if page.next.is_none() {
            return Ok(());
        }
    }
}

/// Whether EC2 says that there is no such list.
fn is_not_there<T>(list: &Result<T, Ec2Error>) -> bool {
    matches!(list, Err(Ec2Error::NotFound { .. }))
}

/// Why a place was not read, with the right that is missing if it is one.
fn not_read(place: Place, source: Ec2Error) -> CliError {
    match source {
        Ec2Error::Denied { action, .. } => {
            let service = if action == LOOKUP { "cloudtrail" } else { "ec2" };
            CliError::NoRight { place, right: format!("`{service}:{action}`"), source }
        }
        source => CliError::NotRead { place, source },
    }
}

/// The region to log in to. Every region can list all the others.
fn first_region(options: &AccountOptions) -> Option<Region> {
    let any = || options.all_regions.then(|| "us-east-1".parse().ok()).flatten();
    options.region.first().cloned().or_else(any)
}

async fn places(options: &AccountOptions, live: &Live) -> Result<Vec<Place>, LiveError> {
    let regions = if options.all_regions { live.regions().await? } else { options.region.clone() };
    if regions.is_empty() {
        return Ok(vec![live.place()?]);
    }
    Ok(regions.into_iter().map(|region| live.place_in(region)).collect())
}
