//! The shell line that puts a group back as it was.
//!
//! Names and descriptions come from whoever made the rule, so nothing of them reaches the shell but
//! inside single quotes, as JSON in plain ASCII.

use serde_json::{Map, Value, json};

use crate::rule::{Direction, GroupRef, Peer, Reference, Rule};

/// Which comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequence {
    /// The rule, so that what the pieces admit is admitted throughout.
    RuleFirst,
    /// The pieces go first, because the group is full.
    PiecesFirst,
}

/// One line: authorises `rule` again with its description and tags, then revokes `pieces`.
/// `None` where the region is not known.
pub fn undo(
    region: Option<&str>,
    group: &str,
    rule: Option<&Rule>,
    pieces: &[Rule],
    sequence: Sequence,
) -> Option<String> {
    let region = region?;
    let mut calls = Vec::new();
    if let Some(rule) = rule {
        let mut call = call("authorize", rule.direction, region, group, std::slice::from_ref(rule));
        // Nobody but AWS may set tags that begin with `aws:`; with one, the whole call is refused.
        let own = rule.tags.iter().filter(|(key, _)| !key.to_ascii_lowercase().starts_with("aws:"));
        let tags: Vec<Value> =
            own.map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        if !tags.is_empty() {
            let specification = json!([{ "ResourceType": "security-group-rule", "Tags": tags }]);
            call.push_str(&format!(" --tag-specifications {}", quoted(&ascii(&specification))));
        }
        calls.push(call);
    }
    if let Some(first) = pieces.first() {
        calls.push(call("revoke", first.direction, region, group, pieces));
    }
    if sequence == Sequence::PiecesFirst {
        calls.reverse();
    }
    (!calls.is_empty()).then(|| calls.join(" && "))
}

fn call(verb: &str, direction: Direction, region: &str, group: &str, rules: &[Rule]) -> String {
    let describe = verb == "authorize";
    let permissions = Value::Array(rules.iter().map(|rule| permission(rule, describe)).collect());
    format!(
        "aws ec2 {verb}-security-group-{direction} --region {} --group-id {} --ip-permissions {}",
        quoted(region),
        quoted(group),
        quoted(&ascii(&permissions))
    )
}

/// The rule as an element of `--ip-permissions`.
fn permission(rule: &Rule, describe: bool) -> Value {
    let mut out = Map::new();
    let protocol = match rule.protocol.to_string().as_str() {
        "all" => "-1".to_owned(),
        other => other.to_owned(),
    };
    out.insert("IpProtocol".to_owned(), Value::String(protocol));
    for (key, port) in [("FromPort", rule.from_port), ("ToPort", rule.to_port)] {
        if let Some(port) = port {
            out.insert(key.to_owned(), Value::from(port));
        }
    }
    let mut peer = Map::new();
    let list = match &rule.peer {
        Peer::Ipv4(net) => {
            peer.insert("CidrIp".to_owned(), Value::String(net.to_string()));
            "IpRanges"
        }
        Peer::Ipv6(net) => {
            peer.insert("CidrIpv6".to_owned(), Value::String(net.to_string()));
            "Ipv6Ranges"
        }
        Peer::Reference(Reference::PrefixList(id)) => {
            peer.insert("PrefixListId".to_owned(), Value::String(id.clone()));
            "PrefixListIds"
        }
        Peer::Reference(Reference::Group(GroupRef { account, id })) => {
            peer.insert("GroupId".to_owned(), Value::String(id.clone()));
            if let Some(account) = account {
                peer.insert("UserId".to_owned(), Value::String(account.clone()));
            }
            "UserIdGroupPairs"
        }
    };
    if let Some(description) = rule.description.as_ref().filter(|text| describe && !text.is_empty())
    {
        peer.insert("Description".to_owned(), Value::String(description.clone()));
    }
    out.insert(list.to_owned(), Value::Array(vec![Value::Object(peer)]));
    Value::Object(out)
}

/// JSON in ASCII only: whatever else a description holds is escaped, so that it is inert on a
/// terminal too.
fn ascii(value: &Value) -> String {
    let mut out = String::new();
    for c in value.to_string().chars() {
        if matches!(c, ' '..='~') {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::Protocol;

    fn rule(description: &str) -> Rule {
        let mut rule = Rule::new(
            Direction::Ingress,
            Protocol::TCP,
            Some(22),
            Some(22),
            "0.0.0.0/0".parse().unwrap(),
        )
        .unwrap();
        rule.description = Some(description.to_owned());
        rule
    }

    #[test]
    fn one_line_with_everything_quoted() {
        let mut old = rule("it's $(reboot) `id` \"x\"");
        old.tags.insert("Owner".to_owned(), "ops".to_owned());
        let piece = rule("piece");
        assert_eq!(
            undo(Some("eu-central-1"), "sg-1", Some(&old), &[piece], Sequence::RuleFirst).unwrap(),
            r#"aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-1' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0","Description":"it'\''s $(reboot) `id` \"x\""}],"ToPort":22}]' --tag-specifications '[{"ResourceType":"security-group-rule","Tags":[{"Key":"Owner","Value":"ops"}]}]' && aws ec2 revoke-security-group-ingress --region 'eu-central-1' --group-id 'sg-1' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0"}],"ToPort":22}]'"#
        );
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        let old = rule("a\u{1b}[2J\u{202e}b\n\u{1f600}");
        let line = undo(Some("r"), "sg-1", Some(&old), &[], Sequence::RuleFirst).unwrap();
        assert!(line.contains(r"a\u001b[2J\u202eb\n\ud83d\ude00"), "{line}");
        assert!(line.is_ascii() && !line.contains('\n'));
    }

    #[test]
    fn nothing_to_undo_is_no_line() {
        assert_eq!(undo(Some("r"), "sg-1", None, &[], Sequence::RuleFirst), None);
        assert_eq!(undo(None, "sg-1", Some(&rule("")), &[], Sequence::RuleFirst), None);
    }
}
