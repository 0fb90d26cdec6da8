//! How long calls may take, and how often they are tried.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;

/// How long one attempt of a call may take.
const ATTEMPT: Duration = Duration::from_secs(5);

/// How long a call may take with its retries, the assuming of a role included. What watches the
/// function's deadline has to leave this much.
const OPERATION: Duration = Duration::from_secs(15);

/// How long it may take to connect.
const CONNECT: Duration = Duration::from_secs(3);

/// How much longer than usual an invocation waits for the table of what is remembered, in all. Debug builds, which only
/// tests run, wait longer: other tests may slow down the emulator that has the table.
pub const MEMORY: Duration =
    Duration::from_millis(if cfg!(debug_assertions) { 3_000 } else { 280 });

/// Throttled and broken calls are tried so often in all, with growing pauses.
const ATTEMPTS: u32 = 4;

pub(super) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build()
}

pub(super) fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS)
}
