//! The parts of an ARN.

/// The name of a resource in AWS, taken apart: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`. The
/// region and the account are empty where a service needs none. See
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    pub partition: &'a str,
    pub service: &'a str,
    pub region: &'a str,
    pub account: &'a str,
    /// What identifies it within all that, with the colons and slashes that the service writes:
    /// `user/PATH/NAME`, `function:NAME`.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// The parts of a text that has the form of an ARN.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        parts.next().filter(|scheme| *scheme == "arn")?;
        Some(Self {
            partition: parts.next()?,
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_taken_apart() {
        let parts = |text| {
            Arn::parse(text)
                .map(|it| [it.partition, it.service, it.region, it.account, it.resource])
        };
        for (text, expected) in [
            (
                "arn:aws:iam::123456789012:user/ops/jane",
                Some(["aws", "iam", "", "123456789012", "user/ops/jane"]),
            ),
            (
                "arn:aws-cn:lambda:cn-north-1:123456789012:function:auditor",
                Some(["aws-cn", "lambda", "cn-north-1", "123456789012", "function:auditor"]),
            ),
            (
                "arn:aws:sns:eu-central-1:123456789012:findings",
                Some(["aws", "sns", "eu-central-1", "123456789012", "findings"]),
            ),
            ("arn:aws:s3:::bucket", Some(["aws", "s3", "", "", "bucket"])),
            ("arn:aws:iam::123456789012", None),
            ("AROAEXAMPLE:jane:a:b:c:d", None),
            ("", None),
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
    }
}
