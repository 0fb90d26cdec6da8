use crate::ec2::{GroupId, Region};
use crate::finding::{Finding, Matter, Unfed};

/// The page in the AWS console of its partition for a finding's group, trails or rules; `None` where
/// the group, its region or that console is not known.
pub(super) fn console_url(finding: &Finding) -> Option<String> {
    if let Matter::Unfed { unfed, .. } = &finding.matter {
        let region = finding.place.region.as_ref()?;
        let host = host(region)?;
        let (service, page) = match unfed {
            Unfed::Trails(_) | Unfed::NotSeen(_) => ("cloudtrailv2", "trails"),
            Unfed::Unheard(_) => ("events", "rules"),
        };
        return Some(format!("https://{region}.{host}/{service}/home?region={region}#/{page}"));
    }
    let group = finding.group.as_ref().filter(|group| !group.id.is_declared())?;
    url(finding.place.region.as_ref()?, &group.id)
}

fn url(region: &Region, group: &GroupId) -> Option<String> {
    let host = host(region)?;
    Some(format!("https://{region}.{host}/ec2/home?region={region}#SecurityGroup:groupId={group}"))
}

/// The console's host, by the form of the region's name. The areas of AWS's main partition are those
/// that AWS's SDKs know (`aws/partitions.json` in their sources).
fn host(region: &Region) -> Option<&'static str> {
    let words: Vec<&str> = region.as_str().split('-').collect();
    match words.as_slice() {
        ["us" | "eu" | "ap" | "sa" | "ca" | "me" | "af" | "il" | "mx", _, _] => {
            Some("console.aws.amazon.com")
        }
        ["cn", _, _] => Some("console.amazonaws.cn"),
        ["us", "gov", _, _] => Some("console.amazonaws-us-gov.com"),
        ["eusc", _, _, _] => Some("console.amazonaws-eusc.eu"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::url;

    fn link(region: &str) -> Option<String> {
        url(&region.parse().unwrap(), &"sg-0a1b2c3d4e5f67890".parse().unwrap())
    }

    #[test]
    fn each_partition_has_its_console() {
        for (region, host) in [
            ("eu-central-1", "console.aws.amazon.com"),
            ("us-east-1", "console.aws.amazon.com"),
            ("ap-southeast-7", "console.aws.amazon.com"),
            ("mx-central-1", "console.aws.amazon.com"),
            ("cn-northwest-1", "console.amazonaws.cn"),
            ("us-gov-west-1", "console.amazonaws-us-gov.com"),
            ("eusc-de-east-1", "console.amazonaws-eusc.eu"),
        ] {
            let page = format!(
                "https://{region}.{host}/ec2/home?region={region}#SecurityGroup:groupId=sg-0a1b2c3d4e5f67890"
            );
            assert_eq!(link(region), Some(page));
        }
    }

    #[test]
    fn a_partition_whose_console_is_not_known_has_no_link() {
        for region in
            ["us-iso-east-1", "us-isob-east-1", "us-isof-south-1", "eu-isoe-west-1", "xx-north-1"]
        {
            assert_eq!(link(region), None, "{region}");
        }
    }
}
