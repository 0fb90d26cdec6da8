//! The least that answers under Lambda's Rust runtime: what any function pays before it does something.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        Ok(event.payload) as Result<Value, Error>
    }))
    .await
}
