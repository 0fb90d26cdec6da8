//! ConnectionPool that are opened before the first event arrives.

use std::time::Duration;

use super::connection_pool::{ConnectionPool, Opening};
use super::ec2::AwsEc2;
use super::sns::AwsSns;
use crate::ec2::Place;

/// How long the start may wait for connections. It is many times what a handshake takes, and short
/// of the ten seconds that Lambda gives a start ("Lambda execution environment lifecycle" in the
/// Lambda developer guide).
const AHEAD: Duration = Duration::from_secs(2);

impl ConnectionPool {
    /// Opens a connection to EC2 and one to SNS, where the function is at home. It costs no right
    /// and no call of AWS's API: both are asked without a signature, for a page that need not
    /// exist.
    ///
    /// Without them the first audit opens its own, so a failure does no harm, and the wait ends after
    /// two seconds.
    pub async fn open(&self, ec2: &AwsEc2, sns: &AwsSns, home: &Place) {
        let opening = Opening(self.clone());
        let both = async { tokio::join!(ec2.open(home, &opening), sns.open(&opening)) };
        if tokio::time::timeout(AHEAD, both).await.is_err() {
            tracing::debug!("no connection yet, so the first audit opens its own");
        }
    }
}
