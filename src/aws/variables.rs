//! The SDK's configuration as Lambda has it: in variables and nowhere else.
//!
//! The SDK would look for it in files too, and make ready to ask other places for credentials, at
//! each start. Lambda has none of these, and renews the credentials with the whole environment
//! ("Defined runtime environment variables" in the Lambda developer guide).

use std::env::var;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::identity::IdentityCache;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ec2::config::SharedCredentialsProvider;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use super::connection_pool::ConnectionPool;
use super::limits::{retries, timeouts};

/// Credentials, region and endpoints as the variables have them, with the auditor's limits of time.
/// Everything built from it shares these connections.
pub fn sdk_config(connections: &ConnectionPool) -> SdkConfig {
    let region = var("AWS_REGION").or_else(|_| var("AWS_DEFAULT_REGION"));
    let is_on = |name| var(name).is_ok_and(|value| value.trim().eq_ignore_ascii_case("true"));
    let credentials = EnvironmentVariableCredentialsProvider::new();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region.ok().map(Region::new))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .identity_cache(IdentityCache::lazy().build())
        .http_client(connections.clone())
        .timeout_config(timeouts())
        .retry_config(retries())
        .use_fips(is_on("AWS_USE_FIPS_ENDPOINT"))
        .use_dual_stack(is_on("AWS_USE_DUALSTACK_ENDPOINT"))
        .service_config(Variables);
    config.set_endpoint_url(var("AWS_ENDPOINT_URL").ok());
    config.build()
}

/// A variable with the name of a service at its end is that service's, as in `AWS_ENDPOINT_URL_EC2`.
#[derive(Debug)]
struct Variables;

impl LoadServiceConfig for Variables {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace(' ', "_");
        var(format!("{}_{service}", key.env())).or_else(|_| var(key.env())).ok()
    }
}
