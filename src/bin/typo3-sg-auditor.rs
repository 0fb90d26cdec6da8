//! The Lambda function: configuration from the environment, clients built once and connected, and
//! then one audit an invocation.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use lambda_runtime::{Context, Diagnostic, Error, LambdaEvent, service_fn};
use serde::Serialize;
use serde_json::value::RawValue;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;
use typo3_sg_auditor::audit::run::{RunAnswer, RunError, Runner, Task};
use typo3_sg_auditor::audit::{Auditor, Counts, Invocation};
use typo3_sg_auditor::aws::{
    AwsBucket, AwsEc2, AwsLedger, AwsOrganizations, AwsSns, AwsTrails, ConnectionPool,
    LambdaInvoker, MEMORY, Metrics, sdk_config,
};
use typo3_sg_auditor::ec2::Place;
use typo3_sg_auditor::report::log::AsciiLog;
use typo3_sg_auditor::report::{AnswerJson, answer};
use typo3_sg_auditor::settings::FunctionSettings;
use typo3_sg_auditor::text::{causes, inert};

fn main() -> ExitCode {
    log_as_json();
    let settings = match FunctionSettings::from_env(
        |name| std::env::var(name).ok(),
        Utc::now().date_naive(),
    ) {
        Ok(settings) => settings,
        Err(error) => {
            tracing::error!(%error, "the configuration is not valid, so the function does not start");
            return ExitCode::FAILURE;
        }
    };
    let held_back = settings.settings.held_back();
    for warning in settings.settings.warnings().into_iter().chain(held_back) {
        tracing::warn!("{warning}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map_err(Error::from).and_then(|runtime| runtime.block_on(serve(settings))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = causes(&*error), "the runtime ended");
            ExitCode::FAILURE
        }
    }
}

async fn serve(function: FunctionSettings) -> Result<(), Error> {
    let connections = ConnectionPool::default();
    let config = sdk_config(&connections);
    let home = Place {
        account: Some(function.account.clone()),
        region: config.region().and_then(|region| region.as_ref().parse().ok()),
    };
    let sns = AwsSns::new(&config, &function.topic_arn);
    let own_name = std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default();
    let invoker = LambdaInvoker::new(&config, &own_name);
    let trails = AwsTrails::new(&config);
    let metrics = Metrics::of_function(&own_name)?;
    let directory = AwsOrganizations::new(&config);
    let archive = AwsBucket::new(&config, &connections, &function.account);
    let table = function.state_table.as_deref();
    let ledger = table.map(|table| AwsLedger::new(&config, table, MEMORY));
    let ec2 = AwsEc2::of_function(config, &function);
    connections.open(&ec2, &sns, ledger.as_ref(), &home).await;
    let mut auditor = Auditor::new(&ec2, &sns, &invoker, &function.settings, &home)
        .with_members(function.member_role.is_some())
        .with_hook(function.hook)
        .with_stack(function.stack.as_deref())
        .with_trails(&trails)
        .with_parents(&directory);
    if let Some(ledger) = &ledger {
        auditor = auditor.with_ledger(ledger, function.mail_severity);
    }
    let runner = Runner { auditor: &auditor, directory: &directory, archive: &archive };
    let (auditor, runner, metrics) = (&auditor, &runner, &metrics);
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        let payload = event.payload.get().as_bytes();
        let mut counts = Counts::default();
        let deadline = deadline(&event.context);
        let id = Some(event.context.request_id.as_str());
        let invocation = Invocation { id, deadline };
        let answered = match Task::of(payload) {
            Some(task) => match task.map_err(RunError::from) {
                Ok(task) => Box::pin(runner.run(&task, &Utc::now, deadline, &mut counts)).await,
                Err(error) => Err(error),
            }
            .map(Response::Run)
            .map_err(|error| diagnostic(error.kind(), &error)),
            None => auditor
                .handle_and_count(payload, &Utc::now, invocation, &mut counts)
                .await
                .map(|report| Response::Report(answer(&report)))
                .map_err(|error| diagnostic(error.kind(), &error)),
        };
        metrics.log(&counts);
        answered
    }))
    .await
}

/// What an invocation is answered.
#[derive(Serialize)]
#[serde(untagged)]
enum Response {
    /// To the state machine that sweeps an organisation.
    Run(RunAnswer),
    /// To everybody else.
    Report(AnswerJson),
}

fn diagnostic(kind: &str, error: &(dyn std::error::Error + 'static)) -> Diagnostic {
    Diagnostic { error_type: kind.to_owned(), error_message: inert::plain(&causes(error)) }
}

/// When Lambda stops the invocation, which it says in milliseconds since 1970.
fn deadline(context: &Context) -> Option<DateTime<Utc>> {
    i64::try_from(context.deadline).ok().and_then(DateTime::from_timestamp_millis)
}

/// One JSON object a line, each with the request id and, within an audit, the event and the group.
/// Of other crates, warnings only.
fn log_as_json() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL")
        .ok()
        .and_then(|level| level.parse().ok())
        .unwrap_or(LevelFilter::INFO);
    let targets = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("typo3_sg_auditor", level)
        .with_target("lambda_runtime", LevelFilter::INFO);
    tracing_subscriber::registry()
        .with(
            tracing_subscriber::fmt::layer()
                .json()
                .flatten_event(true)
                .with_current_span(false)
                .with_writer(|| AsciiLog(std::io::stdout())),
        )
        .with(targets)
        .init();
}
