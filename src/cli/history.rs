//! `sg-audit history`: lists every rule that exceeded the baseline, from CloudTrail records.

use chrono::{DateTime, TimeDelta, Utc};

use super::args::{HistoryArgs, HistoryFormat};
use super::error::CliError;
use super::output::Answer;
use super::past::read;
use super::records::{Sources, Told};
use super::settings;
use crate::report::history::{csv, text, to_json_pretty};
use crate::report::html;
use crate::report::terminal::Style;
use crate::settings::{RawSettings, Settings};

pub(super) fn run(
    args: &HistoryArgs,
    style: Style,
    now: DateTime<Utc>,
) -> Result<Answer, CliError> {
    let settings = Settings::from_raw(&RawSettings::from(&args.past.baseline), now.date_naive())?;
    let sources = Sources {
        files: &args.files,
        groups: &args.groups,
        live: args.live,
        options: &args.past,
        from: now - TimeDelta::days(args.days.into()),
        until: now,
        now,
    };
    let Told { history, groups, mut notes, .. } = read(&sources, &settings)?;
    if groups.is_none() && history.totals.open > 0 {
        notes.push(
            "note: `not seen closed` means that no record tells it was closed: give the output of \
             `aws ec2 describe-security-groups` with --groups to learn what is open now"
                .to_owned(),
        );
    }
    let notes = settings::warnings(&settings).chain(notes).collect();
    let out = match args.format {
        HistoryFormat::Text => text::render(&history, args.min_severity, style),
        HistoryFormat::Json => format!("{}\n", to_json_pretty(&history, args.min_severity)?),
        HistoryFormat::Html => html::history(&history, args.min_severity),
        HistoryFormat::Csv => csv::render(&history, args.min_severity)?,
    };
    Ok(Answer { out, notes, status: text::exit_status(&history) })
}
