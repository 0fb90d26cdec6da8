use chrono::NaiveDate;

use super::*;

fn baseline() -> Baseline {
    let text = "version: 1\nname: t\ningress:\n\
        - { name: HTTP, protocol: tcp, ports: [80], peers: [anywhere], expected: true }\n\
        - { name: HTTPS, protocol: tcp, ports: [443], peers: [anywhere], expected: true }\n\
        - { name: SSH, protocol: tcp, ports: [22], peers: [203.0.113.0/24] }\n\
        egress:\n\
        - { name: Updates, protocol: tcp, ports: [443], peers: [anywhere], expected: true }\n";
    Baseline::parse("t.yaml", text, NaiveDate::from_ymd_opt(2026, 11, 1).unwrap()).unwrap()
}

/// `in tcp 80 0.0.0.0/0`
fn rules(texts: &[&str]) -> Vec<Rule> {
    let rule = |text: &&str| {
        let words: Vec<&str> = text.split(' ').collect();
        let [way, protocol, ports, peer] = words[..] else { panic!("{text}") };
        let direction = if way == "in" { Direction::Ingress } else { Direction::Egress };
        let (from, to) = match ports.split_once('-') {
            _ if ports == "*" => (None, None),
            Some((from, to)) => (from.parse().ok(), to.parse().ok()),
            None => (ports.parse().ok(), ports.parse().ok()),
        };
        Rule::new(direction, protocol.parse().unwrap(), from, to, peer.parse().unwrap()).unwrap()
    };
    texts.iter().map(rule).collect()
}

/// What is closed, each as `name severity`, ingress first.
fn shut(taken: Option<&[&str]>, after: &[&str]) -> Vec<String> {
    let (baseline, after) = (baseline(), rules(after));
    let taken = taken.map(rules);
    let of = |direction| {
        closed(&baseline, direction, taken.as_deref(), &after)
            .iter()
            .map(|closed| format!("{} {}", closed.entries.join(" and "), closed.severity.as_str()))
            .collect::<Vec<_>>()
    };
    [of(Direction::Ingress), of(Direction::Egress)].concat()
}

const NOTHING: [&str; 0] = [];

#[test]
fn the_website_is_closed_with_its_last_rule() {
    let https = ["in tcp 443 0.0.0.0/0"];
    assert_eq!(shut(Some(&https), &["in tcp 22 203.0.113.0/24"]), ["HTTPS high"]);
    assert_eq!(shut(Some(&https), &["in tcp 80 0.0.0.0/0"]), ["HTTPS medium"]);
    // IPv6, a group, a list, a single host: somebody is let in.
    for peer in ["::/0", "sg-0a", "pl-0a", "198.51.100.7/32"] {
        assert_eq!(shut(Some(&https), &[&format!("in tcp 443 {peer}")]), NOTHING);
    }
    assert_eq!(shut(Some(&https), &["in tcp 400-500 10.0.0.0/8"]), NOTHING);
    assert_eq!(shut(Some(&https), &["in -1 * sg-0a"]), NOTHING);
}

#[test]
fn only_what_the_change_removed_counts() {
    assert_eq!(shut(Some(&["in tcp 22 0.0.0.0/0"]), &[]), NOTHING);
    assert_eq!(shut(Some(&[]), &[]), NOTHING);
    assert_eq!(shut(Some(&["in udp 443 0.0.0.0/0"]), &[]), NOTHING);
    // An egress rule admits no ingress.
    assert_eq!(shut(Some(&["out tcp 443 0.0.0.0/0"]), &["in tcp 443 ::/0"]), ["Updates high"]);
    assert_eq!(shut(Some(&["in tcp 443 0.0.0.0/0"]), &["out -1 * 0.0.0.0/0"]), ["HTTPS high"]);
}

#[test]
fn another_port_or_protocol_does_not_replace_it() {
    // Moving the rule closes the website too.
    let moved = ["in tcp 8443 0.0.0.0/0", "in udp 443 0.0.0.0/0", "out tcp 443 0.0.0.0/0"];
    assert_eq!(shut(Some(&["in tcp 443 0.0.0.0/0"]), &moved), ["HTTPS high"]);
}

#[test]
fn one_rule_can_close_several_entries() {
    assert_eq!(shut(Some(&["in tcp 0-65535 sg-0a"]), &[]), ["HTTP high", "HTTPS high"]);
    assert_eq!(
        shut(Some(&["in -1 * 0.0.0.0/0", "in tcp 80 ::/0"]), &["in tcp 443 ::/0"]),
        ["HTTP medium"]
    );
    let (baseline, taken) = (baseline(), rules(&["in -1 * 0.0.0.0/0", "in tcp 80 ::/0"]));
    let found = closed(&baseline, Direction::Ingress, Some(&taken), &[]);
    assert_eq!(found[0].removed.as_ref(), Some(&taken));
    assert_eq!(found[1].removed.as_deref(), Some(&taken[..1]));
}

#[test]
fn the_severity_is_low_where_the_removed_rules_are_unknown() {
    assert_eq!(shut(None, &["in tcp 80 ::/0"]), ["Updates low"]);
    // Once, not once for each entry.
    assert_eq!(shut(None, &["out -1 * ::/0"]), ["HTTP and HTTPS low"]);
    assert_eq!(shut(None, &["in tcp 80-443 sg-0a", "out -1 * ::/0"]), NOTHING);
}
