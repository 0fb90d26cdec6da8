//! `sg-audit status`: prints what the deployed auditor remembers, with the program `aws`.

use std::ffi::OsStr;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::args::{PlainFormat, StatusArgs};
use super::error::CliError;
use super::output::Answer;
use crate::doctor::{Aws, AwsCli};
use crate::ledger::item::{Item, Remembered};
use crate::report::remembered::{to_json, to_text};

pub(super) fn run(args: &StatusArgs, aws: &OsStr, now: DateTime<Utc>) -> Result<Answer, CliError> {
    let region = args.stack.region.as_ref().map(|region| region.as_str());
    let remembered = read(&AwsCli::new(aws, region), &args.stack.name)?;
    let out = match args.stack.format {
        PlainFormat::Text => to_text(&remembered, now),
        PlainFormat::Json => to_json(&remembered, now).map_err(CliError::from)?,
    };
    Ok(Answer { out, notes: Vec::new(), status: 0 })
}

fn read(aws: &dyn Aws, stack: &str) -> Result<Remembered, CliError> {
    let describe = ["cloudformation", "describe-stacks", "--stack-name", stack];
    let answer =
        aws.call(&describe).map_err(|source| CliError::Stack { name: stack.to_owned(), source })?;
    let outputs = answer.pointer("/Stacks/0/Outputs").and_then(Value::as_array);
    let is_table = |output: &&Value| output.get("OutputKey").is_some_and(|it| it == "MemoryTable");
    let table = outputs.into_iter().flatten().find(is_table);
    let table = table.and_then(|output| output.get("OutputValue")?.as_str());
    let table = table.ok_or_else(|| CliError::NoTable { name: stack.to_owned() })?;
    let scan = ["dynamodb", "scan", "--consistent-read", "--table-name", table];
    let answer =
        aws.call(&scan).map_err(|source| CliError::Table { name: table.to_owned(), source })?;
    let items = answer.get("Items").and_then(Value::as_array).into_iter().flatten();
    let item = |item: &Value| serde_json::from_value::<Item>(item.clone()).unwrap_or_default();
    Ok(Remembered::of(&items.map(item).collect::<Vec<_>>()))
}
