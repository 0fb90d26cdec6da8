//! `sg-audit doctor`: looks whether a deployed stack works, with the program `aws`.

use std::ffi::OsStr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, Utc};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::args::{DoctorArgs, PlainFormat};
use super::error::CliError;
use super::output::Answer;
use crate::doctor::{AwsCli, Canary, examine, release, to_json, to_text};
use crate::report::terminal::Style;

pub(super) fn run(
    args: &DoctorArgs,
    aws: &OsStr,
    style: Style,
    now: DateTime<Utc>,
) -> Result<Answer, CliError> {
    let region = args.stack.region.as_ref().map(|region| region.as_str());
    let aws = AwsCli::new(aws, region);
    let diagnosis = if args.canary {
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&stop)).map_err(CliError::Signals)?;
        }
        let id = u64::try_from(now.timestamp_nanos_opt().unwrap_or_default()).unwrap_or_default();
        let canary = Canary { vpc: args.vpc.as_deref(), timeout: args.timeout, id };
        release(&aws, &args.stack.name, region, canary, &stop)?
    } else {
        examine(&aws, &args.stack.name, region, now)?
    };
    let out = match args.stack.format {
        PlainFormat::Text => to_text(&diagnosis, style.colour),
        PlainFormat::Json => to_json(&diagnosis)?,
    };
    Ok(Answer { out, notes: Vec::new(), status: diagnosis.exit_status() })
}
