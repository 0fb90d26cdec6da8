/// Begins the part of a refusal that only `aws sts decode-authorization-message` can read. It has up
/// to several thousand characters.
const ENCODED: &str = "encoded authorization failure message";

/// Says nothing that the code before it does not say.
const NOT_AUTHORIZED: &str = "You are not authorized to perform this operation.";

/// AWS's message for an error as part of a sentence: without an encoded authorization message, and
/// without the full stop.
pub fn message_in_words(message: &str) -> &str {
    let end = message.to_ascii_lowercase().find(ENCODED).unwrap_or(message.len());
    let told = message.get(..end).unwrap_or(message).trim();
    let rest = told.strip_prefix(NOT_AUTHORIZED).map(str::trim).filter(|rest| !rest.is_empty());
    rest.unwrap_or(told).trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::message_in_words;

    const WHO: &str = "User: arn:aws:sts::123456789012:assumed-role/auditor/run is not authorized to perform: ec2:RevokeSecurityGroupIngress on resource: arn:aws:ec2:eu-central-1:123456789012:security-group/sg-0a1b2c3d4e5f67890 because no identity-based policy allows the ec2:RevokeSecurityGroupIngress action";

    #[test]
    fn a_denial_is_one_sentence() {
        let encoded = "Xy-Z_0".repeat(700);
        for message in [
            format!(
                "You are not authorized to perform this operation. {WHO}. Encoded authorization failure message: {encoded}"
            ),
            format!("You are not authorized to perform this operation. {WHO}"),
            format!("{WHO}. encoded Authorization failure message: {encoded}"),
            format!("{WHO}."),
        ] {
            assert_eq!(message_in_words(&message), WHO);
        }
    }

    #[test]
    fn a_denial_without_a_reason_still_says_what_it_is() {
        let bare = "You are not authorized to perform this operation";
        assert_eq!(message_in_words(&format!("{bare}.")), bare);
        let encoded = format!("{bare}. Encoded authorization failure message: abc");
        assert_eq!(message_in_words(&encoded), bare);
        assert_eq!(message_in_words("Encoded authorization failure message: abc"), "");
    }

    #[test]
    fn other_messages_stay_as_they_are() {
        for message in ["", "Request limit exceeded", "The security group 'sg-0a' does not exist"] {
            assert_eq!(message_in_words(message), message);
        }
        assert_eq!(message_in_words("äöü. Encoded authorization failure message: ä"), "äöü");
    }
}
