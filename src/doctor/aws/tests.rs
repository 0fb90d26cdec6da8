use super::*;

fn of(said: &str) -> AwsError {
    error(&["events", "describe-rule", "--name", "x"], said)
}

fn occurred(code: &str) -> AwsError {
    of(&format!(
        "\nAn error occurred ({code}) when calling the DescribeRule operation: Some text: more."
    ))
}

#[test]
fn errors_of_aws_are_told_apart_by_their_codes() {
    for code in [
        "ResourceNotFoundException",
        "NotFound",
        "NoSuchEntity",
        "AWS.SimpleQueueService.NonExistentQueue",
        "TrailNotFoundException",
    ] {
        assert!(matches!(occurred(code), AwsError::NotThere { .. }), "{code}");
    }
    for code in
        ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"]
    {
        let AwsError::Refused { right } = occurred(code) else { panic!("{code}") };
        assert_eq!(right, "events:DescribeRule");
    }
    for code in [
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "ServiceUnavailable",
        "InternalFailure",
    ] {
        assert!(matches!(occurred(code), AwsError::MayPass { .. }), "{code}");
    }
    for code in ["ExpiredToken", "InvalidClientTokenId", "UnrecognizedClientException"] {
        assert!(matches!(occurred(code), AwsError::NoCredentials { .. }), "{code}");
    }
    let AwsError::Other { message } = occurred("InvalidParameterValue") else { panic!() };
    assert_eq!(message, "InvalidParameterValue: Some text: more.");
}

#[test]
fn errors_of_the_command_itself_are_told_apart() {
    assert!(matches!(of("You must specify a region."), AwsError::NoRegion));
    assert!(matches!(of("Could not connect to the endpoint URL: \"x\""), AwsError::MayPass { .. }));
    assert!(matches!(
        of("The config profile (nope) could not be found"),
        AwsError::NoCredentials { .. }
    ));
    let retried = "An error occurred (ThrottlingException) when calling the DescribeRule operation (reached max retries: 4): Rate exceeded";
    assert!(matches!(of(retried), AwsError::MayPass { .. }));
    assert!(matches!(of(""), AwsError::Other { .. }));
}

#[test]
fn a_missing_program_is_not_a_missing_stack() {
    let aws = AwsCli::new("/nowhere/aws".as_ref(), None);
    assert!(matches!(aws.call(&["sts", "get-caller-identity"]), Err(AwsError::NoCli(_))));
}
