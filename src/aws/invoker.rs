//! Another invocation of the function, by the function.

use std::sync::OnceLock;

use aws_config::SdkConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use serde_json::Value;

use super::error::may_pass;
use crate::audit::{InvokeError, Invoker};
use crate::ec2::cause;

/// The function's way to invoke itself.
#[derive(Debug)]
pub struct LambdaInvoker {
    config: SdkConfig,
    /// Made when it is first needed: most environments of the function never see a long sweep.
    client: OnceLock<Client>,
    function: String,
}

impl LambdaInvoker {
    /// `function` is the function's own name, which Lambda tells it in `AWS_LAMBDA_FUNCTION_NAME`.
    pub fn new(config: &SdkConfig, function: &str) -> Self {
        let config = config.clone();
        Self { config, client: OnceLock::new(), function: function.to_owned() }
    }
}

impl Invoker for LambdaInvoker {
    async fn invoke(&self, payload: &Value) -> Result<(), InvokeError> {
        // Lambda takes the event into its own queue, tries it again as it does any other, and
        // stops functions that call themselves without end ("Recursive loop detection").
        let invoked = self
            .client
            .get_or_init(|| Client::new(&self.config))
            .invoke()
            .function_name(&self.function)
            .invocation_type(InvocationType::Event)
            .payload(Blob::new(payload.to_string()))
            .send()
            .await;
        match invoked {
            Ok(_) => {
                tracing::info!("work was passed to another invocation");
                Ok(())
            }
            Err(error) => {
                let is_transient = may_pass(&error);
                Err(InvokeError { cause: cause(error), is_transient })
            }
        }
    }
}
