//! `sg-audit check --live`: the groups of the account itself, with a person's own credentials.

use std::time::Duration;

use chrono::Utc;
use indicatif::{ProgressBar, ProgressStyle};

use super::args::Check;
use super::check::printed;
use super::error::Said;
use super::{Answer, CliError, NOT_AUDITED, settings};
use crate::audit::{Place, Survey, survey};
use crate::aws::{Live, LiveError};
use crate::finding::{Code, Report};
use crate::report::terminal::{Style, exit_status};
use crate::text::inert;

/// How often the progress moves while EC2 is asked.
const TICK: Duration = Duration::from_millis(120);

/// Audits every group in scope in the regions that are named.
pub(super) fn run(args: &Check, style: Style) -> Result<Answer, CliError> {
    let settings = settings::resolve(&args.common, Utc::now().date_naive())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CliError::Runtime)?;
    let (places, Survey { report, failed }) = runtime
        .block_on(async {
            let live = Live::log_in(args.profile.as_deref(), first_region(args)).await?;
            let places = places(args, &live).await?;
            let bar = progress();
            let told = |groups| bar.set_message(format!("{groups} groups"));
            let surveyed = survey(&live.ec2(), &settings, &places, &Utc::now, &told).await;
            bar.finish_and_clear();
            Ok((places, surveyed))
        })
        .map_err(|error: LiveError| CliError::Account { source: Said(error) })?;
    if report.groups_audited == 0 && report.findings.is_empty() && failed.is_none() {
        let places: Vec<String> = places.iter().map(Place::called).collect();
        return Err(CliError::NoneInScopeThere { places: places.join(", ") });
    }
    let mut notes = not_looked_at(&report);
    let mut status = exit_status(&report);
    if let Some(error) = failed {
        notes.push(inert::plain(&format!("not everything was audited: {error}; try it again")));
        status = NOT_AUDITED;
    }
    Ok(Answer { out: printed(&report, args.common.format, style)?, notes, status })
}

/// Where to ask who is logged in. All regions are known everywhere.
fn first_region(args: &Check) -> Option<&str> {
    let anywhere = args.all_regions.then_some("us-east-1");
    args.region.first().map(String::as_str).or(anywhere)
}

async fn places(args: &Check, live: &Live) -> Result<Vec<Place>, LiveError> {
    let regions = if args.all_regions { live.regions().await? } else { args.region.clone() };
    if regions.is_empty() {
        return Ok(vec![live.place()]);
    }
    Ok(regions.into_iter().map(|region| live.place_in(Some(region))).collect())
}

/// Something that moves while EC2 is asked, on a terminal; elsewhere it draws nothing.
fn progress() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} audited, {elapsed}") {
        bar.set_style(style);
    }
    bar.set_message("0 groups");
    bar.enable_steady_tick(TICK);
    bar
}

/// Where groups could not be looked at, and why.
fn not_looked_at(report: &Report) -> Vec<String> {
    let unaudited = report.findings.iter().filter(|it| it.code == Code::UnauditedChange);
    unaudited.map(|finding| inert::plain(&finding.title)).collect()
}
