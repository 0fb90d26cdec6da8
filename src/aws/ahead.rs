//! Connections that are opened before the first event arrives.

use std::time::Duration;

use super::connection_pool::{ConnectOnly, ConnectionPool};
use super::ec2::AwsEc2;
use super::ledger::AwsLedger;
use super::sns::AwsSns;
use crate::ec2::Place;

/// How long the start may wait for connections. It is many times what a handshake takes, and short
/// of the ten seconds that Lambda gives a start ("Lambda execution environment lifecycle" in the
/// Lambda developer guide).
const AHEAD: Duration = Duration::from_secs(2);

impl ConnectionPool {
    /// Opens two connections to EC2, which an audit asks two things at once, one to SNS and one to
    /// DynamoDB, where the function is at home. It costs no right and no call of AWS's API: each is
    /// asked without a signature, for a page that need not exist.
    ///
    /// Without them the first audit opens its own, so a failure does no harm, and the wait ends after
    /// two seconds.
    pub async fn open(&self, ec2: &AwsEc2, sns: &AwsSns, ledger: Option<&AwsLedger>, home: &Place) {
        let opening = ConnectOnly(self.clone());
        let of_ledger = async {
            if let Some(ledger) = ledger {
                ledger.open(&opening).await;
            }
        };
        let of_ec2 = || ec2.open(home, &opening);
        let all = async { tokio::join!(of_ec2(), of_ec2(), sns.open(&opening), of_ledger) };
        if tokio::time::timeout(AHEAD, all).await.is_err() {
            tracing::debug!("no connection yet, so the first audit opens its own");
        }
    }
}
