//! The only files that name the AWS SDK, and the one that makes metrics for CloudWatch.

mod ahead;
mod clients;
mod connection_pool;
mod ec2;
mod error;
mod limits;
mod lists;
#[cfg(feature = "live")]
mod live;
mod locked;
mod metrics;
mod onward;
mod role;
mod sns;
mod variables;
mod whole;
mod wire;

pub use connection_pool::ConnectionPool;
pub use ec2::AwsEc2;
#[cfg(feature = "live")]
pub use live::{Live, LiveError};
pub use metrics::{Metrics, MetricsError};
pub use onward::AwsOnward;
pub use sns::AwsSns;
pub use variables::sdk_config;
