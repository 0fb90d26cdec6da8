use crate::ec2::{GroupId, Region};

/// The group's page in the AWS console of its partition.
pub(super) fn console_url(region: &Region, group: &GroupId) -> String {
    let host = match region.as_str() {
        region if region.starts_with("cn-") => "console.amazonaws.cn",
        region if region.starts_with("us-gov-") => "console.amazonaws-us-gov.com",
        _ => "console.aws.amazon.com",
    };
    format!("https://{region}.{host}/ec2/home?region={region}#SecurityGroup:groupId={group}")
}
