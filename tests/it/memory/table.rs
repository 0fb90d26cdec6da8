//! A table as template.yaml makes it.

use std::sync::atomic::{AtomicUsize, Ordering};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};

use crate::support::world::REGION;

/// The server at this address.
pub fn config(url: &str) -> SdkConfig {
    config_in(url, REGION)
}

/// The same in another region.
pub fn config_in(url: &str, region: &str) -> SdkConfig {
    let key = Credentials::new("AKIAEXAMPLEEXAMPLE01", "secret", None, None, "tests");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(url)
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(key))
        .build()
}

/// Makes a table with a name of its own.
pub async fn made(url: &str) -> String {
    static TABLES: AtomicUsize = AtomicUsize::new(0);
    let name = format!("memory-{}", TABLES.fetch_add(1, Ordering::Relaxed));
    make(url, &name).await;
    name
}

/// Makes a table.
pub async fn make(url: &str, name: &str) {
    let mut call = Client::new(&config(url)).create_table().table_name(name);
    for (key, kind) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let attribute = AttributeDefinition::builder().attribute_name(key);
        let attribute = attribute.attribute_type(ScalarAttributeType::S).build().expect("a key");
        let element = KeySchemaElement::builder().attribute_name(key).key_type(kind);
        call = call.attribute_definitions(attribute).key_schema(element.build().expect("a key"));
    }
    call.billing_mode(BillingMode::PayPerRequest).send().await.expect("a table");
}
