//! The only files that name the AWS SDK, and the one that makes metrics for CloudWatch.

mod ahead;
mod bucket;
mod clients;
mod connection_pool;
mod ec2;
mod error;
mod invoker;
mod ledger;
mod limits;
mod lists;
#[cfg(feature = "live")]
mod live;
mod metrics;
mod organizations;
#[cfg(feature = "live")]
mod past;
mod role;
mod sns;
mod trails;
mod truncated;
mod variables;
mod wire;

pub use bucket::AwsBucket;
pub use connection_pool::ConnectionPool;
pub use ec2::AwsEc2;
pub use invoker::LambdaInvoker;
pub use ledger::AwsLedger;
pub use limits::MEMORY;
#[cfg(feature = "live")]
pub use live::{Live, LiveError};
pub use metrics::{Metrics, MetricsError};
pub use organizations::AwsOrganizations;
#[cfg(feature = "live")]
pub use past::LOOKUP;
pub use sns::AwsSns;
pub use trails::AwsTrails;
pub use variables::sdk_config;
