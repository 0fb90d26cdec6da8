//! The faults, as each service would show them.

use crate::support::endpoint::Answer;

/// What can go wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Throttled,
    ServerError,
    Reset,
    Lost,
    Hang,
    Malformed,
    Denied,
    Expired,
}

impl Fault {
    /// Those that take the longest come first.
    pub const ALL: [Self; 8] = [
        Self::Hang,
        Self::Throttled,
        Self::ServerError,
        Self::Reset,
        Self::Lost,
        Self::Malformed,
        Self::Denied,
        Self::Expired,
    ];

    /// What it is called in the page's tables.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::ServerError => "error 500",
            Self::Reset => "reset",
            Self::Lost => "answer lost",
            Self::Hang => "hangs",
            Self::Malformed => "malformed",
            Self::Denied => "denied",
            Self::Expired => "expired",
        }
    }

    /// What the caller of `action` gets in the place of moto's answer.
    pub fn answer(self, action: &str) -> Answer {
        let service = Service::of(action);
        match self {
            Self::Reset => Answer::Reset,
            Self::Lost => Answer::Lost,
            Self::Hang => Answer::Hang,
            Self::Malformed => Answer::Malformed,
            Self::Throttled => match service {
                Service::Ec2 => {
                    Answer::Error(503, "RequestLimitExceeded", "Request limit exceeded.")
                }
                Service::Sns | Service::Sts => Answer::Error(400, "Throttling", "Rate exceeded"),
                Service::Lambda => Answer::Error(429, "TooManyRequestsException", "Rate Exceeded."),
                Service::DynamoDb => Answer::Error(400, "ThrottlingException", "Rate exceeded."),
            },
            Self::ServerError => match service {
                Service::Ec2 | Service::Sns => {
                    Answer::Error(500, "InternalError", "An error occurred.")
                }
                Service::Sts => Answer::Error(500, "InternalFailure", "An error occurred."),
                Service::Lambda => Answer::Error(500, "ServiceException", "An error occurred."),
                Service::DynamoDb => {
                    Answer::Error(500, "InternalServerError", "An error occurred.")
                }
            },
            Self::Denied => match service {
                Service::Ec2 => {
                    Answer::Error(403, "UnauthorizedOperation", "You are not authorized.")
                }
                Service::Sns => Answer::Error(403, "AuthorizationError", "You are not authorized."),
                Service::Sts => Answer::Error(403, "AccessDenied", "You are not authorized."),
                Service::Lambda => Answer::Error(403, "AccessDeniedException", "Not authorized."),
                Service::DynamoDb => Answer::Error(400, "AccessDeniedException", "Not authorized."),
            },
            Self::Expired => match service {
                Service::Ec2 => Answer::Error(400, "RequestExpired", "Request has expired."),
                Service::Sns | Service::Sts => {
                    Answer::Error(403, "ExpiredToken", "The token is expired.")
                }
                Service::Lambda => {
                    Answer::Error(403, "ExpiredTokenException", "The token is expired.")
                }
                Service::DynamoDb => {
                    Answer::Error(400, "ExpiredTokenException", "The token is expired.")
                }
            },
        }
    }
}

enum Service {
    DynamoDb,
    Ec2,
    Lambda,
    Sns,
    Sts,
}

impl Service {
    fn of(action: &str) -> Self {
        match action {
            "AssumeRole" => Self::Sts,
            "PutItem" | "UpdateItem" => Self::DynamoDb,
            "Invoke" => Self::Lambda,
            "Publish" => Self::Sns,
            _ => Self::Ec2,
        }
    }
}
