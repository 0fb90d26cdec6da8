//! `sg-audit check --live --organization`: the accounts of an organisation, several at a time.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use futures_util::stream::iter;

use super::args::CheckArgs;
use super::error::CliError;
use super::live::Account;
use super::output::{Answer, NOT_AUDITED, formatted};
use super::progress::Progress;
use super::settings;
use crate::audit::run::{Accounts, Directory, Regions};
use crate::audit::{Parents, Survey, Units, survey};
use crate::aws::AwsEc2;
use crate::ec2::{AccountId, Place, Region};
use crate::evaluate::Code;
use crate::finding::{BaselineName, Coverage, Expected, PlaceOutcome, PlaceSwept, Report, RunName};
use crate::report::coverage::why_not_audited;
use crate::report::terminal::{Style, exit_status};
use crate::settings::{MemberRole, Settings};
use crate::text::{causes, count, inert};

/// So many places are read at the same time. Each is another account or region, so they do not slow
/// each other down.
const AT_ONCE: usize = 8;

/// The run of a person.
const RUN: &str = "by-hand";

/// Audits every group in scope in the accounts and regions of the options.
pub(super) fn run(
    args: &CheckArgs,
    which: &Accounts,
    style: Style,
    now: DateTime<Utc>,
) -> Result<Answer, CliError> {
    let settings = settings::resolve(&args.audit, None, now.date_naive())?;
    let before = args.resume.as_deref().map_or(Ok(Vec::new()), done_before)?;
    let account = Account::log_in(&args.account)?;
    let role = MemberRole { name: args.role.clone(), external_id: args.external_id.clone() };
    let ec2 = account.live.ec2_of_members(role);
    let expected = account.runtime.block_on(expected(args, which, &account, &ec2))?;
    let is_left = |place: &(AccountId, Region)| {
        !before.iter().any(|done| (&done.account, &done.region) == (&place.0, &place.1))
    };
    let each = expected
        .iter()
        .flat_map(|it| it.regions.iter().map(|region| (it.account.clone(), region.clone())));
    let left: Vec<_> = each.filter(is_left).collect();
    let units = Units::default();
    account.runtime.block_on(learn(&units, &settings, &account, &expected));
    let bar = Progress::of("place").at_once();
    let audits = iter(left)
        .map(|(account, region)| place(&ec2, (&settings, &units), account, region))
        .buffer_unordered(AT_ONCE);
    let audited = account.runtime.block_on(async {
        let mut audits = std::pin::pin!(audits);
        let (mut reports, mut places) = (Vec::new(), before.clone());
        while let Some((report, place)) = audits.next().await {
            if let Some(file) = args.resume.as_deref() {
                note(file, &place)?;
            }
            reports.push(report);
            places.push(place);
            bar.done(places.len());
        }
        Ok::<_, CliError>((reports, places))
    });
    drop(bar);
    let (reports, places) = audited?;
    let mut report = Report::merged(&BaselineName::from(&settings.baseline), reports);
    once(&mut report);
    let run = RunName::try_from(RUN.to_owned()).map_err(CliError::Run)?;
    let coverage = Coverage::of(&run, &expected, places, now);
    let mut notes = told(&coverage, before.len());
    notes.extend(settings::warnings(&settings));
    let mut status = exit_status(&report, args.audit.fail_on);
    if !coverage.totals.is_complete() {
        status = NOT_AUDITED;
    }
    Ok(Answer { out: formatted(report, &args.audit, style)?, notes, status })
}

/// Asks for the units of the accounts, where they decide what applies. What depends on those that cannot
/// be had is told by its findings.
async fn learn(units: &Units, settings: &Settings, account: &Account, expected: &[Expected]) {
    let directory = account.live.organizations();
    for it in expected {
        if units.are_missing(settings, &it.account)
            && let Ok(of_account) = directory.units(&it.account).await
        {
            units.learn(&it.account, &of_account);
        }
    }
}

/// The accounts with their regions.
async fn expected(
    args: &CheckArgs,
    which: &Accounts,
    account: &Account,
    ec2: &AwsEc2,
) -> Result<Vec<Expected>, CliError> {
    let directory = account.live.organizations();
    let mut accounts: BTreeMap<AccountId, Vec<Region>> = BTreeMap::new();
    for which in &which.0 {
        let found = directory.accounts(which).await.map_err(CliError::Organization)?;
        accounts.extend(found.into_iter().map(|account| (account, Vec::new())));
    }
    let of_options: Vec<Region> =
        account.places.iter().filter_map(|place| place.region.clone()).collect();
    for (member, regions) in &mut accounts {
        *regions = match args.account.all_regions {
            // Where that cannot be asked, each region says why it cannot be read.
            true => ec2.regions(member).await.unwrap_or_else(|_| of_options.clone()),
            false => of_options.clone(),
        };
    }
    Ok(accounts.into_iter().map(|(account, regions)| Expected { account, regions }).collect())
}

/// Audits a place, and says what became of it.
async fn place(
    ec2: &AwsEc2,
    (settings, units): (&Settings, &Units),
    account: AccountId,
    region: Region,
) -> (Report, PlaceSwept) {
    let at = Place { account: Some(account.clone()), region: Some(region.clone()) };
    let Survey { report, failed } =
        survey(ec2, (settings, units), std::slice::from_ref(&at), &Utc::now, &|_| {}).await;
    let reason = failed.as_ref().map(|error| causes(error)).or_else(|| why_not_audited(&report));
    let outcome = if reason.is_some() { PlaceOutcome::Unread } else { PlaceOutcome::Audited };
    let findings = report.findings.iter().filter(|it| it.code != Code::UnauditedChange);
    let swept = PlaceSwept {
        groups: report.groups,
        rules: report.rules,
        findings: findings.clone().count(),
        worst: findings.clone().map(|finding| finding.severity).max(),
        codes: findings.map(|finding| finding.code).collect(),
        at: Some(Utc::now()),
        reason,
        ..PlaceSwept::new(&account, &region, outcome)
    };
    (report, swept)
}

/// That the baseline is wide on SSH is said once and not in every place.
fn once(report: &mut Report) {
    let mut is_said = false;
    let is_of_baseline = |code: Code| code == Code::OpenSshInBaseline;
    report.findings.retain(|finding| {
        !(is_of_baseline(finding.code)
            && finding.group.is_none()
            && std::mem::replace(&mut is_said, true))
    });
    *report = Report::merged(&report.baseline.clone(), vec![report.clone()]);
}

/// What was covered, and each place that was not.
fn told(coverage: &Coverage, before: usize) -> Vec<String> {
    let totals = coverage.totals;
    let mut notes = vec![format!(
        "coverage: {} of {} audited, {} in {}",
        totals.audited,
        count(totals.expected, "place"),
        count(totals.findings, "finding"),
        count(totals.groups, "group"),
    )];
    if before > 0 {
        notes.push(format!(
            "note: {} were audited before the interruption; their findings are not repeated",
            count(before, "place")
        ));
    }
    notes.extend(coverage.not_audited().map(|place| {
        let PlaceSwept { account, region, reason, .. } = place;
        let why = reason.as_deref().unwrap_or("it was not audited");
        inert::plain(&format!("not audited: {account} {region}: {why}"))
    }));
    notes
}

/// The places that an interrupted run has audited, a line of JSON each.
fn done_before(file: &Path) -> Result<Vec<PlaceSwept>, CliError> {
    let name = file.display().to_string();
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(CliError::Unreadable { name, source }),
    };
    // The last line may have been cut short. It is taken away, so that the next one is whole.
    let whole = text.rfind('\n').map_or("", |end| text.get(..=end).unwrap_or_default());
    let lines = whole.lines().map(serde_json::from_str::<PlaceSwept>);
    let Ok(mut places) = lines.collect::<Result<Vec<_>, _>>() else {
        return Err(CliError::NotResumable { name });
    };
    if whole.len() < text.len() {
        fs::write(file, whole).map_err(|source| CliError::NotNoted { name, source })?;
    }
    places.retain(|place| place.outcome == PlaceOutcome::Audited);
    Ok(places)
}

/// Writes down what became of a place, for a run that goes on.
fn note(file: &Path, place: &PlaceSwept) -> Result<(), CliError> {
    let line = serde_json::to_string(place).unwrap_or_default();
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .and_then(|mut opened| writeln!(opened, "{line}"));
    written.map_err(|source| CliError::NotNoted { name: file.display().to_string(), source })
}
