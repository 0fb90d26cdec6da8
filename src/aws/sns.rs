//! Messages through SNS.

use aws_config::SdkConfig;
use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;

use super::connection_pool::ConnectOnly;
use crate::audit::{Notifier, NotifyError};
use crate::ec2::cause;
use crate::finding::Report;
use crate::report::{Message, fitting, messages, parts};

/// An SNS topic.
#[derive(Debug)]
pub struct AwsSns {
    client: Client,
    topic: String,
}

impl AwsSns {
    /// The topic with this ARN.
    pub fn new(config: &SdkConfig, topic: &str) -> Self {
        Self { client: Client::new(config), topic: topic.to_owned() }
    }

    /// Opens the connection that messages go by.
    pub(super) async fn open(&self, opening: &ConnectOnly) {
        let config = aws_sdk_sns::Config::builder().http_client(opening.clone());
        let call = self.client.publish().topic_arn(&self.topic).message("");
        // It is not sent, which is an error.
        drop(call.customize().config_override(config).send().await);
    }
}

impl Notifier for AwsSns {
    async fn publish(&self, report: &Report) -> Result<(), NotifyError> {
        for message in messages(report).map_err(|error| NotifyError(cause(error)))? {
            self.send(&message).await?;
        }
        Ok(())
    }

    fn fitting(&self, digest: &Report) -> usize {
        fitting(digest).unwrap_or(usize::MAX)
    }

    fn parts(&self, report: &Report) -> Vec<usize> {
        parts(report).unwrap_or_default()
    }
}

impl AwsSns {
    async fn send(&self, message: &Message) -> Result<(), NotifyError> {
        let mut request = self
            .client
            .publish()
            .topic_arn(&self.topic)
            .subject(&message.subject)
            .message_structure("json")
            .message(&message.body);
        for attribute in &message.attributes {
            let value = MessageAttributeValue::builder()
                .data_type(attribute.data_type)
                .string_value(&attribute.value)
                .build()
                .map_err(|error| NotifyError(cause(error)))?;
            request = request.message_attributes(attribute.name, value);
        }
        let answer = request.send().await.map_err(|error| NotifyError(cause(error)))?;
        tracing::info!(message_id = answer.message_id().unwrap_or_default(), "published");
        Ok(())
    }
}
