//! Answers that break off. The SDK takes XML that ends in the middle for what it got of it: a page of
//! groups for a shorter one, a prefix list for one with fewer entries. An audit of that would say too
//! little, and say it as though it were all.

use aws_sdk_ec2::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;

use crate::text::xml::is_whole;

/// Makes an answer that is not whole an error, which may pass.
#[derive(Debug)]
pub(super) struct Whole;

impl Intercept for Whole {
    fn name(&self) -> &'static str {
        "Whole"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        // Errors that cannot be read may pass anyway.
        let is_broken = response.status().is_success()
            && response.body().bytes().is_some_and(|body| !is_whole(body));
        if is_broken { Err("the answer breaks off".into()) } else { Ok(()) }
    }
}
