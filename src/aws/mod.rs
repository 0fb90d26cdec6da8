//! The only files that name the AWS SDK, and the one that makes metrics for CloudWatch.

mod clients;
mod connections;
mod ec2;
mod error;
mod lists;
#[cfg(feature = "live")]
mod live;
mod metrics;
mod onward;
mod role;
mod sns;
mod variables;
mod whole;
mod wire;

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;

pub use connections::Connections;
pub use ec2::AwsEc2;
#[cfg(feature = "live")]
pub use live::{Live, LiveError};
pub use metrics::{Metrics, MetricsError};
pub use onward::AwsOnward;
pub use sns::AwsSns;
pub use variables::sdk_config;

/// How long one attempt of a call may take.
const ATTEMPT: Duration = Duration::from_secs(5);

/// How long a call may take with its retries, the assuming of a role included. What watches the
/// function's deadline has to leave this much.
const OPERATION: Duration = Duration::from_secs(15);

/// How long it may take to connect.
const CONNECT: Duration = Duration::from_secs(3);

/// Throttled and broken calls are tried so often in all, with growing pauses.
const ATTEMPTS: u32 = 4;

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build()
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS)
}
