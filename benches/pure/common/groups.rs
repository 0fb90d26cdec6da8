//! The groups of a fleet of TYPO3 servers, with 20 rules each.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

/// The SSH source of the benches.
pub const SOURCE: &str = "203.0.113.0/24";

/// How many rules each group has.
pub const RULES: usize = 20;

fn permission(port: u16, ipv4: &[(String, &str)], ipv6: &[&str]) -> Value {
    let ipv4: Vec<Value> =
        ipv4.iter().map(|(block, about)| json!({"Description": about, "CidrIp": block})).collect();
    let ipv6: Vec<Value> = ipv6.iter().map(|block| json!({"CidrIpv6": block})).collect();
    json!({
        "IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": [],
        "IpRanges": ipv4, "Ipv6Ranges": ipv6, "PrefixListIds": [],
    })
}

/// A group that complies, or one with SSH open to the Internet instead of the office.
pub fn group(number: usize, open: bool) -> Value {
    let id = format!("sg-{number:017x}");
    let anywhere = || ("0.0.0.0/0".to_owned(), "everybody");
    let customers = (0..13).map(|customer| {
        (format!("{}.{}.{customer}.0/24", 11 + number / 256 % 64, number % 256), "a customer")
    });
    let https: Vec<_> = std::iter::once(anywhere()).chain(customers).collect();
    let office = ("203.0.113.64/26".to_owned(), "the office");
    json!({
        "GroupId": id,
        "IpPermissionsEgress": [{
            "IpProtocol": "-1", "UserIdGroupPairs": [], "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
            "Ipv6Ranges": [{"CidrIpv6": "::/0"}], "PrefixListIds": [],
        }],
        "Tags": [{"Key": "Name", "Value": format!("typo3-{number}")}],
        "VpcId": "vpc-0123456789abcdef0",
        "SecurityGroupArn": format!("arn:aws:ec2:eu-central-1:123456789012:security-group/{id}"),
        "OwnerId": "123456789012",
        "GroupName": format!("typo3-{number}"),
        "Description": "TYPO3",
        "IpPermissions": [
            permission(80, &[anywhere()], &["::/0"]),
            permission(443, &https, &["::/0"]),
            permission(22, &[if open { anywhere() } else { office }], &[]),
        ],
    })
}

/// Writes `count` groups as `aws ec2 describe-security-groups` prints them. Every `open_every`th has a
/// rule that opens SSH.
pub fn write(mut to: impl Write, count: usize, open_every: Option<usize>) -> io::Result<()> {
    write!(to, "{{\n    \"SecurityGroups\": [\n")?;
    for number in 0..count {
        let open = open_every.is_some_and(|every| number % every == every - 1);
        let mut text = Vec::new();
        let indented = serde_json::ser::PrettyFormatter::with_indent(b"    ");
        let mut json = serde_json::Serializer::with_formatter(&mut text, indented);
        group(number, open).serialize(&mut json)?;
        let text = String::from_utf8_lossy(&text).replace('\n', "\n        ");
        let comma = if number + 1 < count { "," } else { "" };
        writeln!(to, "        {text}{comma}")?;
    }
    writeln!(to, "    ]\n}}")
}

/// The same in memory.
pub fn printed(count: usize, open_every: Option<usize>) -> Vec<u8> {
    let mut text = Vec::new();
    write(&mut text, count, open_every).expect("memory takes it");
    text
}
