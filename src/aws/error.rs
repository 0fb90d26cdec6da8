//! What the SDK reports, as what it means for an audit.

use aws_sdk_ec2::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use crate::audit::Ec2Error;

/// EC2's word for a fault of its own, for throttling, and for credentials that ran out and are
/// renewed by themselves (EC2 API reference, "Error codes for the Amazon EC2 API").
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

/// What an error of the SDK means. What is no answer of EC2's at all may pass.
pub fn ec2_error<E>(action: &'static str, error: SdkError<E>) -> Ec2Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let message = || DisplayErrorContext(&error).to_string();
    let service = match &error {
        SdkError::ServiceError(service) => service,
        SdkError::ConstructionFailure(_) => {
            let code = "InvalidRequest".to_owned();
            return Ec2Error::Refused { action, code, message: message() };
        }
        _ => return Ec2Error::Passing { action, message: message() },
    };
    let server_fault = service.raw().status().is_server_error();
    let code = service.err().code().unwrap_or_default();
    let message = match service.err().message() {
        Some(message) => format!("{code}: {message}"),
        None => code.to_owned(),
    };
    if PASSING.contains(&code) || server_fault || code.is_empty() {
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
