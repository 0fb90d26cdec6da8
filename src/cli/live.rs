//! `sg-audit check --live`: audits the groups of an account with a person's own credentials.

use chrono::{DateTime, Utc};

use super::args::CheckArgs;
use super::error::CliError;
use super::output::{Answer, NOT_AUDITED, formatted};
use super::progress::Progress;
use super::settings;
use crate::audit::{Survey, survey};
use crate::aws::{Live, LiveError};
use crate::ec2::{Place, Region};
use crate::evaluate::Code;
use crate::report::terminal::{Style, exit_status};
use crate::report::to_title;
use crate::text::{causes, inert};

/// Audits every group in scope in the regions of the options.
pub(super) fn run(args: &CheckArgs, style: Style, now: DateTime<Utc>) -> Result<Answer, CliError> {
    let settings = settings::resolve(&args.audit, None, now.date_naive())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CliError::Runtime)?;
    let surveyed = runtime.block_on(async {
        let live = Live::log_in(args.profile.as_deref(), first_region(args).as_ref()).await?;
        let places = places(args, &live).await?;
        let bar = Progress::at_once("group");
        let progress = |groups| bar.done(groups);
        let survey = survey(&live.ec2(), &settings, &places, &Utc::now, &progress).await;
        drop(bar);
        Ok((places, survey))
    });
    let (places, Survey { report, failed }) = surveyed.map_err(CliError::Account)?;
    if report.groups == 0 && report.findings.is_empty() && failed.is_none() {
        let places: Vec<String> = places.iter().map(Place::to_string).collect();
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

/// The region to log in to. Every region can list all the others.
fn first_region(args: &CheckArgs) -> Option<Region> {
    let any = || args.all_regions.then(|| "us-east-1".parse().ok()).flatten();
    args.region.first().cloned().or_else(any)
}

async fn places(args: &CheckArgs, live: &Live) -> Result<Vec<Place>, LiveError> {
    let regions = if args.all_regions { live.regions().await? } else { args.region.clone() };
    if regions.is_empty() {
        return Ok(vec![live.place()?]);
    }
    Ok(regions.into_iter().map(|region| live.place_in(region)).collect())
}
