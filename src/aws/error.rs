//! What an error of the SDK means for an audit.

use std::error::Error;

use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;

use crate::ec2::{Cause, Ec2Error, Missing, cause, message_in_words};
use crate::text::causes;

/// Codes for credentials that ran out and are renewed by themselves. The SDK does not retry them,
/// because it cannot know that ("Error codes for the Amazon EC2 API" in the EC2 API reference).
const EXPIRED: [&str; 3] = ["ExpiredToken", "ExpiredTokenException", "RequestExpired"];

/// Codes for a caller who is not allowed to make the call.
const DENIED: [&str; 7] = [
    "UnauthorizedOperation",
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "InvalidClientTokenId",
    "OptInRequired",
    "Blocked",
];

/// What an error of the SDK means. An error that is not an answer of EC2's may pass, unless STS
/// refused `role`, whose credentials the call was to be made with.
pub(super) fn ec2_error<E>(action: &'static str, role: Option<&str>, error: SdkError<E>) -> Ec2Error
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let service = match &error {
        SdkError::ServiceError(service) => service,
        SdkError::ConstructionFailure(_) => {
            let code = "InvalidRequest".to_owned();
            return Ec2Error::Refused { action, code, cause: cause(error) };
        }
        _ => {
            return match (role, refusal_of_role(&error)) {
                (Some(role), Some(cause)) => Ec2Error::NoRole { role: role.to_owned(), cause },
                _ => Ec2Error::Passing { action, cause: cause(error) },
            };
        }
    };
    let code = service.err().code().unwrap_or_default();
    let answered = || cause(answer(service.err()));
    if is_transient(code, service.raw().status().is_server_error()) {
        Ec2Error::Passing { action, cause: answered() }
    } else if DENIED.contains(&code) {
        Ec2Error::Denied { action, cause: answered() }
    } else if code == "InvalidPermission.Duplicate" {
        Ec2Error::Duplicate
    } else if code == "RulesPerSecurityGroupLimitExceeded" {
        Ec2Error::LimitExceeded
    } else if code.ends_with(".NotFound") {
        let missing = match code {
            "InvalidGroup.NotFound" | "InvalidSecurityGroupID.NotFound" => Missing::Group,
            "InvalidPermission.NotFound" | "InvalidSecurityGroupRuleId.NotFound" => Missing::Rule,
            _ => Missing::Other,
        };
        Ec2Error::NotFound { action, missing, cause: answered() }
    } else {
        let message = message_in_words(service.err().message().unwrap_or_default());
        Ec2Error::Refused { action, code: code.to_owned(), cause: cause(message) }
    }
}

/// Whether a service may answer the same call in another way the next time.
pub(super) fn may_pass<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    match error {
        SdkError::ServiceError(service) => is_transient(
            service.err().code().unwrap_or_default(),
            service.raw().status().is_server_error(),
        ),
        SdkError::ConstructionFailure(_) => false,
        _ => true,
    }
}

/// What STS said when it refused the role for good. Credentials are fetched while a call is made, so
/// the refusal is somewhere among the causes of the call's own error.
fn refusal_of_role(error: &(dyn Error + 'static)) -> Option<Cause> {
    let mut cause_of = Some(error);
    while let Some(error) = cause_of {
        if let Some(SdkError::ServiceError(service)) =
            error.downcast_ref::<SdkError<AssumeRoleError>>()
        {
            let code = service.err().code().unwrap_or_default();
            let refused = !is_transient(code, service.raw().status().is_server_error());
            return refused.then(|| cause(answer(service.err())));
        }
        cause_of = error.source();
    }
    None
}

/// Whether a service that gave this answer may give another one the next time: by the SDK's own
/// classification of codes, by a fault of the service's own, or because credentials are renewed.
pub(super) fn is_transient(code: &str, server_fault: bool) -> bool {
    code.is_empty()
        || server_fault
        || THROTTLING_ERRORS.contains(&code)
        || TRANSIENT_ERRORS.contains(&code)
        || EXPIRED.contains(&code)
}

/// The service's code and message; if it gave neither, what is wrong with its answer.
fn answer(error: &(impl ProvideErrorMetadata + Error + 'static)) -> String {
    let message = error.message().map(message_in_words).filter(|message| !message.is_empty());
    match (error.code(), message) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, Some(message)) => message.to_owned(),
        (None, None) => causes(error),
    }
}
