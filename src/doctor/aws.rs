//! The AWS CLI, which the doctor asks for everything. Its credentials, profiles and regions are those
//! of whoever runs it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::process::{Command, Stdio};
use std::sync::{Condvar, Mutex, PoisonError};

use serde_json::Value;
use thiserror::Error;

/// How many `aws` processes run at the same time. Each takes some 60 MB.
const AT_ONCE: usize = 8;

/// Something that makes calls of AWS.
pub trait Aws: Sync {
    /// Makes one call, such as `["sns", "list-topics"]`. Returns what it answers, or `null` if that
    /// is nothing.
    ///
    /// # Errors
    ///
    /// Where AWS refuses the call, or it could not be made.
    fn call(&self, arguments: &[&str]) -> Result<Value, AwsError>;
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum AwsError {
    /// What the call is about does not exist.
    #[error("{message}")]
    NotThere {
        /// What AWS says.
        message: String,
    },
    /// The caller lacks a right.
    #[error("the right {right} is missing")]
    Refused {
        /// As a policy has it: `events:DescribeRule`.
        right: String,
    },
    /// A fault of the network or of AWS that may pass.
    #[error("{message}")]
    MayPass {
        /// What `aws` says.
        message: String,
    },
    /// The installed AWS CLI does not know the call.
    #[error("the installed AWS CLI does not know `aws {command}`")]
    UnknownCommand {
        /// The service and the call.
        command: String,
    },
    /// There are no credentials, or they have expired.
    #[error("{message}")]
    NoCredentials {
        /// What `aws` says.
        message: String,
    },
    /// `aws` does not know which region is meant.
    #[error("no region is configured")]
    NoRegion,
    /// `aws` could not be started.
    #[error("`aws` cannot be started")]
    NoCli(#[source] io::Error),
    /// Anything else.
    #[error("{message}")]
    Other {
        /// What `aws` says.
        message: String,
    },
}

/// The command `aws`.
pub struct AwsCli {
    program: OsString,
    region: Option<String>,
    free: Mutex<usize>,
    freed: Condvar,
}

impl AwsCli {
    /// Runs `program`, with `--region` if there is one.
    pub fn new(program: &OsStr, region: Option<&str>) -> Self {
        Self {
            program: program.to_owned(),
            region: region.map(str::to_owned),
            free: Mutex::new(AT_ONCE),
            freed: Condvar::new(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        // Its pager would wait for a key.
        command.args(arguments).args(["--output", "json"]).env("AWS_PAGER", "");
        // A call that names a region of its own is about another one.
        if let Some(region) = &self.region
            && !arguments.contains(&"--region")
        {
            command.args(["--region", region]);
        }
        command.stdin(Stdio::null());
        // In a group of its own, so that Ctrl-C does not end a call whose result is needed to clean up.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
    }
}

impl Aws for AwsCli {
    fn call(&self, arguments: &[&str]) -> Result<Value, AwsError> {
        let turn = |free: &mut usize| *free == 0;
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.freed.wait_while(free, turn).unwrap_or_else(PoisonError::into_inner);
        *free = free.saturating_sub(1);
        drop(free);
        let output = self.command(arguments).output();
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        *free = free.saturating_add(1);
        drop(free);
        self.freed.notify_one();

        let output = output.map_err(AwsError::NoCli)?;
        if !output.status.success() {
            return Err(error(arguments, &String::from_utf8_lossy(&output.stderr)));
        }
        if output.stdout.trim_ascii().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&output.stdout).map_err(|error| AwsError::Other {
            message: format!("the answer of `aws {}` is not JSON ({error})", named(arguments)),
        })
    }
}

/// The service and the call.
fn named(arguments: &[&str]) -> String {
    arguments.iter().take(2).copied().collect::<Vec<_>>().join(" ")
}

/// What the standard error of `aws` means. Error codes are listed in the API references of the
/// services; the other sentences are those of botocore's exceptions.
pub(super) fn error(arguments: &[&str], said: &str) -> AwsError {
    let message = said.trim().lines().last().unwrap_or_default().to_owned();
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if let Some((code, operation, text)) = refusal(said) {
        return of_code(arguments, code, operation, text);
    }
    if has(&["Invalid choice", "invalid choice", "Unknown options"]) {
        return AwsError::UnknownCommand { command: named(arguments) };
    }
    if has(&["You must specify a region", "Could not find region"]) {
        return AwsError::NoRegion;
    }
    if has(&[
        "Unable to locate credentials",
        "Unable to parse config file",
        "Partial credentials found",
        "could not be found",
        "Error loading SSO Token",
        "Token has expired",
        "Error when retrieving",
        "SSO session",
        "Credentials were refreshed",
    ]) {
        return AwsError::NoCredentials { message };
    }
    if has(&[
        "Could not connect",
        "Connection was closed",
        "Read timeout",
        "Connect timeout",
        "Failed to connect",
        "Name or service not known",
        "Max retries exceeded",
    ]) {
        return AwsError::MayPass { message };
    }
    AwsError::Other { message }
}

/// The code, the operation and the text of `An error occurred (CODE) when calling the OPERATION
/// operation (reached max retries: 4): TEXT`.
fn refusal(said: &str) -> Option<(&str, &str, &str)> {
    let (_, rest) = said.split_once("An error occurred (")?;
    let (code, rest) = rest.split_once(") when calling the ")?;
    let (operation, rest) = rest.split_once(" operation")?;
    Some((code, operation, rest.split_once(": ").map_or(rest, |(_, text)| text).trim()))
}

fn of_code(arguments: &[&str], code: &str, operation: &str, text: &str) -> AwsError {
    let message = format!("{code}: {text}");
    // CloudFormation has no code of its own for a stack that does not exist.
    let no_stack = code == "ValidationError" && text.contains("does not exist");
    let is = |codes: &[&str]| codes.contains(&code);
    let ends = |ends: &[&str]| ends.iter().any(|end| code.ends_with(end));
    if no_stack
        || ends(&["NotFound", "NotFoundException", "NotFoundFault", "NonExistentQueue"])
        || is(&[
            "NoSuchEntity",
            "QueueDoesNotExist",
            "ResourceNotFound",
            "StateMachineDoesNotExist",
        ])
    {
        AwsError::NotThere { message }
    } else if is(&[
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "AuthFailure",
        "RequestExpired",
    ]) {
        AwsError::NoCredentials { message }
    } else if code.contains("AccessDenied")
        || code.contains("Unauthorized")
        || is(&["AuthorizationError", "AuthorizationErrorException", "NotAuthorized"])
    {
        AwsError::Refused { right: right(arguments, operation) }
    } else if code.contains("Throttl")
        || is(&[
            "TooManyRequestsException",
            "RequestLimitExceeded",
            "ServiceUnavailable",
            "ServiceUnavailableException",
            "InternalError",
            "InternalFailure",
            "InternalErrorException",
            "ServiceException",
            "RequestTimeout",
        ])
    {
        AwsError::MayPass { message }
    } else {
        AwsError::Other { message }
    }
}

/// The right that a call needs: those of the doctor's calls have the names of the calls.
fn right(arguments: &[&str], operation: &str) -> String {
    let service = match arguments.first().copied().unwrap_or_default() {
        "s3api" => "s3",
        "stepfunctions" => "states",
        service => service,
    };
    format!("{service}:{operation}")
}

#[cfg(test)]
mod tests;
