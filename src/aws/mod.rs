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
mod sns;
mod whole;
mod wire;

use std::time::Duration;

use aws_config::environment::{
    EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider,
};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};

pub use connections::Connections;
pub use ec2::AwsEc2;
#[cfg(feature = "live")]
pub use live::{Live, LiveError};
pub use metrics::{Metrics, MetricsError};
pub use onward::AwsOnward;
pub use sns::AwsSns;

/// How long one attempt of a call may take.
const ATTEMPT: Duration = Duration::from_secs(5);

/// How long a call may take with its retries, the assuming of a role included. What watches the
/// function's deadline has to leave this much.
const OPERATION: Duration = Duration::from_secs(15);

/// How long it may take to connect.
const CONNECT: Duration = Duration::from_secs(3);

/// Throttled and broken calls are tried so often in all, with growing pauses.
const ATTEMPTS: u32 = 4;

/// Credentials, region and endpoints as the environment has them, with the auditor's limits of
/// time. Everything built from it shares these connections.
///
/// Lambda has both in variables, and renews the credentials with the whole environment ("Defined
/// runtime environment variables" in the Lambda developer guide). The other places where the SDK
/// would look for them, were they not there, are not made ready at each start: that takes a client
/// of STS.
pub async fn sdk_config(connections: &Connections) -> SdkConfig {
    with_limits(connections)
        .region(EnvironmentVariableRegionProvider::new())
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .load()
        .await
}

fn with_limits(connections: &Connections) -> ConfigLoader {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(connections.clone())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
}
