//! What the SDK reports, as what it means for an audit.

use std::error::Error;

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;

use crate::audit::Ec2Error;
use crate::text::inert::clip;

/// The word of EC2 or STS for a fault of its own, for throttling, and for credentials that ran out
/// and are renewed by themselves (EC2 API reference, "Error codes for the Amazon EC2 API").
const PASSING: [&str; 13] = [
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "SlowDown",
    "InternalError",
    "InternalFailure",
    "ServiceUnavailable",
    "Unavailable",
    "RequestExpired",
    "ExpiredToken",
    "ExpiredTokenException",
];

/// EC2's word for a caller who may not.
const DENIED: [&str; 7] = [
    "UnauthorizedOperation",
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "InvalidClientTokenId",
    "OptInRequired",
    "Blocked",
];

/// So many characters are said of what went wrong.
const LONGEST: usize = 1024;

/// What an error says, and what each of its causes adds.
///
/// Never its `Debug`, with which the SDK's own way of showing errors ends: an answer that cannot be
/// read is in it whole, and an answer of STS has credentials in it.
pub(super) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !said.ends_with(&more) {
            said = format!("{said}: {more}");
        }
        cause = error.source();
    }
    clip(&said, LONGEST)
}

/// What an error of the SDK means. What is no answer of EC2's at all may pass, unless STS refused
/// `role`, whose credentials the call was to be made with.
pub fn ec2_error<E>(action: &'static str, role: Option<&str>, error: SdkError<E>) -> Ec2Error
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let message = || causes(&error);
    let service = match &error {
        SdkError::ServiceError(service) => service,
        SdkError::ConstructionFailure(_) => {
            let code = "InvalidRequest".to_owned();
            return Ec2Error::Refused { action, code, message: message() };
        }
        _ => {
            return match (role, refusal_of_role(&error)) {
                (Some(role), Some(message)) => Ec2Error::NoRole { role: role.to_owned(), message },
                _ => Ec2Error::Passing { action, message: message() },
            };
        }
    };
    let code = service.err().code().unwrap_or_default();
    let message = told(service.err());
    if may_pass(code, service.raw().status().is_server_error()) {
        Ec2Error::Passing { action, message }
    } else if DENIED.contains(&code) {
        Ec2Error::Denied { action, message }
    } else if code == "InvalidPermission.Duplicate" {
        Ec2Error::Duplicate
    } else if code == "RulesPerSecurityGroupLimitExceeded" {
        Ec2Error::LimitExceeded
    } else if code.ends_with(".NotFound") {
        Ec2Error::NotFound { action, message }
    } else {
        let message = service.err().message().unwrap_or_default().to_owned();
        Ec2Error::Refused { action, code: code.to_owned(), message }
    }
}

/// What STS said where it refused the role for good. Credentials are got while a call is made, so
/// that the refusal is somewhere among the causes of the call's own error.
fn refusal_of_role(error: &(dyn Error + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(SdkError::ServiceError(service)) =
            error.downcast_ref::<SdkError<AssumeRoleError>>()
        {
            let code = service.err().code().unwrap_or_default();
            let refused = !may_pass(code, service.raw().status().is_server_error());
            return refused.then(|| told(service.err()));
        }
        cause = error.source();
    }
    None
}

/// Whether a service that said so may say otherwise the next time.
fn may_pass(code: &str, server_fault: bool) -> bool {
    PASSING.contains(&code) || code.is_empty() || server_fault
}

/// The service's code and words; where it has neither, what is wrong with its answer.
fn told(error: &(impl ProvideErrorMetadata + Error + 'static)) -> String {
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, Some(message)) => message.to_owned(),
        (None, None) => causes(error),
    }
}
