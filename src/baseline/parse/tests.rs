//! The exact message for each fault, and the spellings that are accepted.

use std::fmt::Write;

use super::{parse_peers, parse_ports};
use crate::baseline::samples::today;
use crate::baseline::{Baseline, BaselineError, BaselinePeer, Entry, PeerTerm};
use crate::ec2::{Direction, Protocol};
use crate::net::{Interval, IntervalSet, Set};

fn parse(text: &str) -> Result<Baseline, BaselineError> {
    Baseline::parse("my.yaml", text, today())
}

/// The message without the name of the file at the beginning of each line.
fn message(text: &str) -> String {
    let error = parse(text).expect_err(text).to_string();
    let lines: Vec<_> =
        error.lines().map(|line| line.strip_prefix("my.yaml:").expect(line)).collect();
    lines.join("\n")
}

/// A baseline with one entry, which is on line 4.
fn with_entry(entry: &str) -> String {
    format!("version: 1\nname: x\ningress:\n  - {{ {entry} }}\negress: []\n")
}

/// A baseline with an exemption, which is on line 6.
fn with_exemption(exemption: &str) -> String {
    format!("version: 1\nname: x\ningress: []\negress: []\nexemptions:\n  - {{ {exemption} }}\n")
}

/// A baseline with another line, which is line 5.
fn with(line: &str) -> String {
    format!("version: 1\nname: x\ningress: []\negress: []\n{line}\n")
}

fn assert_faults(cases: &[(String, &str)]) {
    let mut wrong = String::new();
    for (text, expected) in cases {
        let message = message(text);
        if message != *expected {
            let _ = write!(wrong, "---\n{text:.500}\nexpected: {expected}\nsaid:     {message}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn faults_in_documents_are_reported() {
    const EMPTY: &str = "1: the file is empty; write a baseline, beginning with `version: 1`";
    const DEEP: &str = "1: this is nested more than 32 levels deep; a baseline needs seven";
    assert_faults(&[
        (String::new(), EMPTY),
        ("# nothing\n".into(), EMPTY),
        ("---\n~\n".into(), EMPTY),
        ("- a\n".into(), "1: the baseline is a list; write `key: value` lines"),
        ("standard".into(), "1: the baseline is `standard`; write `key: value` lines"),
        (
            "version: 1\nname: x\n".into(),
            "1: the baseline lacks `ingress`; write ingress: and a list of entries, or [] if nothing may come in\n\
             1: the baseline lacks `egress`; write egress: and a list of entries, or [] if nothing may go out",
        ),
        (
            "ingress: []\negress: []\n".into(),
            "1: the baseline lacks `version`; write version: 1\n\
             1: the baseline lacks `name`; write name: and a name for the baseline",
        ),
        (
            "version: 2\nname: x\ningress: []\negress: []\n".into(),
            "1: `version` is `2`; write version: 1",
        ),
        (
            "version: 1.0\nname: []\ningress: 5\negress: {}\n".into(),
            "1: `version` is `1.0`; write version: 1\n\
             2: `name` is a list; write a text\n\
             3: `ingress` is `5`; write a list in [ ]\n\
             4: `egress` is a mapping; write a list in [ ]",
        ),
        (
            "version: 1\nname: \"a\\nb\"\ningress: []\negress: []\n".into(),
            "2: `name` has line breaks or control characters; write it on one line",
        ),
        (
            "version: 1\nname: ''\ningress:\negress: []\n".into(),
            "2: `name` is empty; write a text\n\
             3: `ingress` of the baseline is empty; write a value, or [] for an empty list",
        ),
        (
            with("ingres: []"),
            "5: the baseline has no key `ingres`; write `ingress`, or one of version, name, peer_sets, ssh_ports, ingress, egress, exemptions, baselines, bindings",
        ),
        (
            with("<<: {}"),
            "5: the baseline has no key `<<`; write one of version, name, peer_sets, ssh_ports, ingress, egress, exemptions, baselines, bindings",
        ),
        (with("[a]: b"), "5: a key of the baseline is a list; write a word"),
        (
            with("name: y\nname: z"),
            "5: the baseline has the key `name` twice, first on line 2; write it once\n\
             6: the baseline has the key `name` twice, first on line 2; write it once",
        ),
        (with("---\nversion: 1"), "5: a second document begins here; write one baseline per file"),
        (
            with("peer_sets: !secret { a: [] }"),
            "5: `!secret` is a YAML tag, which a baseline cannot have; leave it out",
        ),
        (
            with("ssh_ports: [!!int 22]"),
            "5: `!!int` is a YAML tag, which a baseline cannot have; leave it out",
        ),
        (
            with("ssh_ports: [22"),
            "6: this is not YAML (while parsing a flow sequence, expected ',' or ']'); look for a quote, a bracket or an indentation that is wrong here or above",
        ),
        (
            "version: 1\nname: [x".to_owned(),
            "2: this is not YAML (while parsing a flow sequence, expected ',' or ']'); look for a quote, a bracket or an indentation that is wrong here or above",
        ),
        (
            with("ssh_ports: *other"),
            "5: this is not YAML (while parsing node, found unknown anchor); look for a quote, a bracket or an indentation that is wrong here or above",
        ),
        (
            with("ssh_ports: &a [*a]"),
            "5: an alias is inside the value that it repeats; write it out",
        ),
        (format!("x: {}", "[".repeat(200)), DEEP),
        ("- ".repeat(500_000), DEEP),
        (
            format!("#{}", "x".repeat(1 << 20)),
            "1: the file is longer than 1 MiB; write fewer and wider entries",
        ),
    ]);
}

#[test]
fn faults_in_sets_and_ssh_ports_are_reported() {
    assert_faults(&[
        (with("peer_sets: []"), "5: `peer_sets` is a list; write `key: value` lines"),
        (
            with("peer_sets: { anywhere: [10.0.0.0/8] }"),
            "5: the peer set `anywhere` is built in; write another name",
        ),
        (
            with("peer_sets: { self: [], sg-1: [], \"a b\": [] }"),
            "5: `self` cannot be the name of a peer set; write letters, digits, - and _, beginning with a letter, but not self, sg-… or pl-…\n\
             5: `sg-1` cannot be the name of a peer set; write letters, digits, - and _, beginning with a letter, but not self, sg-… or pl-…\n\
             5: `a b` cannot be the name of a peer set; write letters, digits, - and _, beginning with a letter, but not self, sg-… or pl-…",
        ),
        (
            with("peer_sets:\n  office:\n  home: 10.0.0.0/8"),
            "6: `office` of `peer_sets` is empty; write a value, or [] for an empty list\n\
             7: `home` is `10.0.0.0/8`; write a list in [ ]",
        ),
        (
            with("peer_sets:\n  a: [anywhere]\n  b: [a]\n  c: [d, [], 10.0.0.0/8]"),
            "6: `anywhere` is a set, and a set cannot contain another; write 0.0.0.0/0, \"::/0\"\n\
             7: `a` is a set, and a set cannot contain another; write its peers\n\
             8: `d` is not a peer; write a CIDR block, sg-…, account/sg-…, pl-… or self\n\
             8: a peer is a list; write a CIDR block, sg-…, account/sg-…, pl-… or self",
        ),
        (with("ssh_ports: []"), "5: `ssh_ports` is empty; write [22], or leave it out"),
        (with("ssh_ports: 22"), "5: `ssh_ports` is `22`; write a list in [ ]"),
        (
            with("ssh_ports: [22, ssh, 65536, \"30-20\", 022, -1, ~]"),
            "5: `ssh` is not a port; write a number from 0 to 65535, or a range such as \"8000-8010\"\n\
             5: port `65536` is out of range; write numbers from 0 to 65535\n\
             5: `30-20` ends before it begins; write \"20-30\"\n\
             5: `022` is not a port; write a number from 0 to 65535, or a range such as \"8000-8010\"\n\
             5: `-1` is not a port; write a number from 0 to 65535, or a range such as \"8000-8010\"\n\
             5: a port is empty; write a number, or \"from-to\"",
        ),
    ]);
}

#[test]
fn faults_in_entries_are_reported() {
    let peers = |peers: &str| with_entry(&format!("name: a, protocol: tcp, peers: [{peers}]"));
    let ports = |protocol: &str, ports: &str| {
        with_entry(&format!("name: a, protocol: {protocol}, ports: {ports}, peers: [self]"))
    };
    assert_faults(&[
        (
            with_entry(""),
            "4: an ingress entry lacks `name`; write name: and a name for it\n\
             4: an ingress entry lacks `protocol`; write protocol: tcp, or another protocol\n\
             4: an ingress entry lacks `peers`; write peers: [anywhere], or a list of CIDR blocks, sg-…, pl-…, self and peer sets",
        ),
        (
            with_entry("name: a, protocol: tcp, port: [22], peers: [self]"),
            "4: an ingress entry has no key `port`; write `ports`, or one of name, protocol, ports, peers, expected",
        ),
        (
            with_entry("name: a, protocol: tcp, description: b, peers: [self]"),
            "4: an ingress entry has no key `description`; write one of name, protocol, ports, peers, expected",
        ),
        (
            with_entry("name: a, protocol: tcp, peers: [self], expected: yes"),
            "4: `expected` is `yes`; write true or false",
        ),
        (
            with_entry("name: a, protocol: tcp, peers: []"),
            "4: `peers` is empty; write a CIDR block, sg-…, account/sg-…, pl-…, self or the name of a peer set, or leave the entry out",
        ),
        (
            with_entry("name: a, protocol: tcp, peers: anywhere"),
            "4: `peers` is `anywhere`; write a list in [ ]",
        ),
        (
            with_entry(
                "name: a, protocol: tcp, peers: [self] }\n  - { name: a, protocol: udp, peers: [self]",
            ),
            "5: an ingress entry has the name `a`, which line 4 already has; write another",
        ),
        (
            peers("203.0.113.7/24, \"2001:db8:1::1/48\", 203.0.113.7, \"2001:db8::1\""),
            "4: `203.0.113.7/24` has host bits set; write 203.0.113.0/24, or 203.0.113.7/32 for that address alone\n\
             4: `2001:db8:1::1/48` has host bits set; write 2001:db8:1::/48, or 2001:db8:1::1/128 for that address alone\n\
             4: `203.0.113.7` has no prefix length; write 203.0.113.7/32\n\
             4: `2001:db8::1` has no prefix length; write 2001:db8::1/128",
        ),
        (
            peers("ssh-source, anywere"),
            "4: no peer set `ssh-source` is defined; define it under peer_sets, for example `ssh-source: [203.0.113.0/24]`, or write a set that is defined: anywhere\n\
             4: no peer set `anywere` is defined; write `anywhere`, or define it under peer_sets",
        ),
        (
            peers("sg-, 12/sg-1, pl-1/2, 10.0.0.0/33, 22"),
            "4: `sg-` is not a peer; write a CIDR block, sg-…, account/sg-…, pl-…, self or the name of a peer set\n\
             4: `12/sg-1` is not a peer; write a CIDR block, sg-…, account/sg-…, pl-…, self or the name of a peer set\n\
             4: `pl-1/2` is not a peer; write a CIDR block, sg-…, account/sg-…, pl-…, self or the name of a peer set\n\
             4: `10.0.0.0/33` is not a peer; write a CIDR block, sg-…, account/sg-…, pl-…, self or the name of a peer set\n\
             4: `22` is not a peer; write a CIDR block, sg-…, account/sg-…, pl-…, self or the name of a peer set",
        ),
        (
            with_entry("name: a, protocol: tpc, peers: [self]"),
            "4: `tpc` is not a protocol; write tcp, udp, icmp, icmpv6, all or a number from 0 to 255",
        ),
        (
            with_entry("name: a, protocol: 256, peers: [self]"),
            "4: `256` is not a protocol; write tcp, udp, icmp, icmpv6, all or a number from 0 to 255",
        ),
        (ports("tcp", "[]"), "4: `ports` is empty; write some, or leave it out for all of them"),
        (
            ports("tcp", "[70000, \"8010-8000\"]"),
            "4: port `70000` is out of range; write numbers from 0 to 65535\n\
             4: `8010-8000` ends before it begins; write \"8000-8010\"",
        ),
        (
            ports("all", "[22]"),
            "4: protocol all has no ports; leave `ports` out, or write protocol: tcp",
        ),
        (ports("47", "[22]"), "4: protocol 47 has no ports; leave `ports` out"),
        (
            ports("icmp", "[256, echo]"),
            "4: ICMP type `256` is out of range; write numbers from 0 to 255\n\
             4: `echo` is not an ICMP type; write a number from 0 to 255, or a range such as \"8-11\"",
        ),
    ]);
}

#[test]
fn faults_in_exemptions_are_reported() {
    let until = |until: &str| {
        with_exemption(&format!(
            "group: sg-1, direction: ingress, protocol: tcp, peers: [self], reason: r, until: {until}"
        ))
    };
    assert_faults(&[
        (
            with_exemption("protocol: tcp, peers: [self]"),
            "6: an exemption lacks `group`; write group: and the id sg-… of the one group it is for\n\
             6: an exemption lacks `direction`; write direction: ingress or direction: egress\n\
             6: an exemption lacks `reason`; write reason: and why this is tolerated\n\
             6: an exemption lacks `until`; write until: and the last day, at most a year ahead",
        ),
        (
            with_exemption(
                "group: web, direction: in, protocol: tcp, peers: [self], reason: \"\", until: soon",
            ),
            "6: `group` is `web`; write the id sg-… of one group\n\
             6: `direction` is `in`; write ingress or egress\n\
             6: `reason` is empty; write a text\n\
             6: `until` is `soon`; write a date, such as 2027-11-24",
        ),
        (until("2027-02-29"), "6: `until` is `2027-02-29`; write a date, such as 2027-11-24"),
        (until("2027-1-31"), "6: `until` is `2027-1-31`; write a date, such as 2027-11-24"),
        (
            until("2027-11-25"),
            "6: `until` is `2027-11-25`, more than a year ahead; write 2027-11-24 or earlier",
        ),
    ]);
    assert!(parse(&until("2027-11-24")).is_ok(), "366 days ahead");
    assert!(parse(&until("2020-01-01")).is_ok(), "expired long ago");
}

#[test]
fn all_faults_are_reported_in_the_order_of_lines() {
    let text = "\
version: 1
name: our-site
peer_sets:
  office: [203.0.113.7/24]
exemptions:
  - { group: sg-1, direction: ingress, protocol: tcp, peers: [office], until: 2027-01-31 }
ingress:
  - name: HTTP
    protocol: tcp
    ports: [80, 99999]
    peers:
      - anywhere
      - offcie
egress: []
ssh_port: [22]
";
    let error = parse(text).unwrap_err().to_string();
    assert_eq!(
        error,
        "my.yaml:4: `203.0.113.7/24` has host bits set; write 203.0.113.0/24, or 203.0.113.7/32 for that address alone\n\
         my.yaml:6: an exemption lacks `reason`; write reason: and why this is tolerated\n\
         my.yaml:10: port `99999` is out of range; write numbers from 0 to 65535\n\
         my.yaml:13: no peer set `offcie` is defined; write `office`, or define it under peer_sets\n\
         my.yaml:15: the baseline has no key `ssh_port`; write `ssh_ports`, or one of version, name, peer_sets, ssh_ports, ingress, egress, exemptions, baselines, bindings"
    );
}

#[test]
fn a_long_value_is_shown_on_one_line_and_cut() {
    let message = message(&with(&format!("\"{}\\n\": 1", "x".repeat(100))));
    assert!(message.contains(&format!("no key `{}…`", "x".repeat(80))), "{message}");
    assert!(!message.contains('\n'), "{message}");
}

#[test]
fn aliases_are_expanded_up_to_a_limit() {
    let baseline =
        parse(&with("ssh_ports: &ports [22, 2222]\npeer_sets: { a: &a [10.0.0.0/8], b: *a }"))
            .unwrap();
    assert_eq!(baseline.peer_sets.get("a"), baseline.peer_sets.get("b"));

    let mut bomb = "a0: &a0 [x, x]\n".to_owned();
    for n in 1..60 {
        let before = n - 1;
        let _ = writeln!(bomb, "a{n}: &a{n} [*a{before}, *a{before}]");
    }
    assert_eq!(message(&bomb), "15: the aliases up to here expand to too much; write a peer set");

    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(50_000), "*a, ".repeat(1_000));
    assert_eq!(message(&long), "2: the aliases up to here expand to too much; write a peer set");
}

fn entry(text: &str) -> Entry {
    parse(&with_entry(text)).unwrap().ingress.remove(0)
}

#[test]
fn protocols_are_names_or_numbers() {
    for (written, protocol) in [
        ("tcp", Protocol::TCP),
        ("TCP", Protocol::TCP),
        ("6", Protocol::TCP),
        ("\"6\"", Protocol::TCP),
        ("udp", Protocol::UDP),
        ("17", Protocol::UDP),
        ("icmp", Protocol::ICMP),
        ("1", Protocol::ICMP),
        ("icmpv6", Protocol::ICMPV6),
        ("58", Protocol::ICMPV6),
        ("all", Protocol::All),
        ("47", Protocol::Number(47)),
        ("0", Protocol::Number(0)),
        ("255", Protocol::Number(255)),
    ] {
        let entry = entry(&format!("name: a, protocol: {written}, peers: [self]"));
        assert_eq!(entry.protocol, protocol, "{written}");
        assert!(entry.ports.is_full(), "{written}");
    }
}

#[test]
fn ports_are_numbers_or_ranges_and_icmp_types_include_all_codes() {
    let ports = |protocol: &str, ports: &str| {
        entry(&format!("name: a, protocol: {protocol}, ports: {ports}, peers: [self]")).ports
    };
    let set = |intervals: &[(u16, u16)]| -> IntervalSet<u16> {
        intervals.iter().map(|(first, last)| Interval::new(*first, *last)).collect()
    };
    assert_eq!(ports("tcp", "[22, \"8000-8010\"]"), set(&[(22, 22), (8000, 8010)]));
    assert_eq!(ports("udp", "[ 8000 - 8010, 8011, \"22\" ]"), set(&[(22, 22), (8000, 8011)]));
    assert_eq!(ports("tcp", "[0-65535]"), IntervalSet::full());
    assert_eq!(ports("icmp", "[8, 11]"), set(&[(0x800, 0x8ff), (0xb00, 0xbff)]));
    assert_eq!(ports("icmpv6", "[128-129]"), set(&[(0x8000, 0x81ff)]));
    assert_eq!(ports("icmp", "[0-255]"), IntervalSet::full());
}

#[test]
fn peers_are_blocks_groups_lists_self_or_sets() {
    let text = "\
version: 1
name: x
peer_sets:
  ssh-sources: []
  office: [203.0.113.0/24, \"2001:DB8:1::/48\", sg-1, 123456789012/sg-2, pl-3, self]
ingress:
  - { name: a, protocol: tcp, peers: [anywhere, office, self, 10.0.0.0/8, sg-1] }
egress:
  - { name: a, protocol: all, peers: [anywhere], expected: true }
";
    let baseline = parse(text).unwrap();
    let written: Vec<_> =
        baseline.peer_sets["office"].iter().map(|peer| format!("{peer:?}")).collect();
    assert_eq!(written[0], "Cidr(203.0.113.0/24)");
    assert_eq!(written[1], "Cidr(2001:db8:1::/48)");
    assert_eq!(baseline.peer_sets["office"].len(), 6);
    assert_eq!(baseline.peer_sets["office"][5], BaselinePeer::Own);
    assert_eq!(baseline.peer_sets["ssh-sources"], []);
    let peers = &baseline.ingress[0].peers;
    assert_eq!(peers[0], PeerTerm::Set("anywhere".into()));
    assert_eq!(peers[1], PeerTerm::Set("office".into()));
    assert_eq!(peers[2], PeerTerm::Peer(BaselinePeer::Own));
    assert_eq!(peers.len(), 5);
    assert!(baseline.egress[0].expected);
    assert_eq!(baseline.ssh_ports, Interval::new(22, 22).into());
}

#[test]
fn a_baseline_with_every_key_is_read() {
    let text = r#"
version: 1
name: our-site
peer_sets:                       # named lists; `anywhere` (0.0.0.0/0 and ::/0) is built in
  ssh-sources: [203.0.113.0/24, "2001:db8:1::/48", sg-0123456789abcdef0, pl-0123456789abcdef0]
ssh_ports: [22]
ingress:
  - { name: HTTP,  protocol: tcp, ports: [80],  peers: [anywhere], expected: true }
  - { name: HTTPS, protocol: tcp, ports: [443], peers: [anywhere], expected: true }
  - { name: SSH,   protocol: tcp, ports: [22],  peers: [ssh-sources] }
egress:
  - { name: All traffic, protocol: all, peers: [anywhere] }
exemptions:
  - { group: sg-0123456789abcdef0, direction: ingress, protocol: tcp, ports: ["8000-8010"],
      peers: [198.51.100.0/24], reason: "vendor migration, ticket 4711", until: 2027-01-31 }
"#;
    for text in [text.to_owned(), text.replace('\n', "\r\n"), format!("\u{feff}{text}")] {
        let baseline = parse(&text).unwrap();
        assert_eq!(baseline.name, "our-site");
        assert_eq!(baseline.ingress.len(), 3);
        let exemption = &baseline.exemptions[0];
        assert_eq!(&exemption.group, "sg-0123456789abcdef0");
        assert_eq!(exemption.direction, Direction::Ingress);
        assert_eq!(exemption.ports, Interval::new(8000, 8010).into());
        assert_eq!(exemption.reason, "vendor migration, ticket 4711");
        assert_eq!(exemption.until.to_string(), "2027-01-31");
    }
}

#[test]
fn a_baseline_that_is_too_fragmented_is_refused() {
    let peers: Vec<_> = (0..60).map(|n| format!("10.0.{n}.0/25")).collect();
    let ports: Vec<_> = (0..40).map(|n| (n * 2).to_string()).collect();
    let entry = format!(
        "name: a, protocol: tcp, ports: [{}], peers: [{}]",
        ports.join(", "),
        peers.join(", ")
    );
    assert_faults(&[(
        with_entry(&entry),
        "4: ingress has 2400 combinations of ports and peers, more than 1000; write fewer and wider ranges",
    )]);

    // The ports of each entry are inside those of the one before: 100 entries make 199 ranges of
    // ports with up to 100 ranges of addresses each.
    let mut text = "version: 1\nname: x\ningress: []\negress:\n".to_owned();
    for n in 0..100 {
        let _ = writeln!(
            text,
            "  - {{ name: e{n}, protocol: tcp, ports: [\"{n}-{}\"], peers: [10.0.{}.0/24] }}",
            65535 - n,
            2 * n
        );
    }
    assert_eq!(
        message(&text),
        "5: the ranges of egress overlap in more than 1000 pieces, counted up to the entry `e31`; write fewer and wider ranges"
    );
}

#[test]
fn exemptions_count_for_their_own_group_only() {
    // Nested like the entries above, all in one group or each in its own.
    let exemptions = |group: &dyn Fn(i32) -> String| {
        let mut text = "version: 1\nname: x\ningress: []\negress: []\nexemptions:\n".to_owned();
        for n in 0..100 {
            let _ = writeln!(
                text,
                "  - {{ group: {}, direction: egress, protocol: tcp, ports: [\"{n}-{}\"], \
                 peers: [10.0.{}.0/24], reason: x, until: 2026-11-30 }}",
                group(n),
                65535 - n,
                2 * n
            );
        }
        text
    };
    assert_eq!(
        message(&exemptions(&|_| "sg-0a".to_owned())),
        "4: the ranges of egress and of the exemptions of sg-0a overlap in more than 1000 pieces; write fewer and wider ranges"
    );
    parse(&exemptions(&|n| format!("sg-{n}"))).unwrap();
}

#[test]
fn peers_are_separated_by_commas() {
    assert_eq!(parse_peers("none"), Ok(vec![]));
    let peers =
        parse_peers("203.0.113.0/24, 2001:db8:1::/48,sg-1,123456789012/sg-2 , pl-3").unwrap();
    assert_eq!(peers.len(), 5);
    assert_eq!(
        parse_peers("203.0.113.7/24,office,,none,self").unwrap_err(),
        [
            "`203.0.113.7/24` has host bits set; write 203.0.113.0/24, or 203.0.113.7/32 for that address alone",
            "`office` is not a peer; write a CIDR block, sg-…, account/sg-… or pl-…",
            "a peer is empty; write a CIDR block, sg-…, account/sg-… or pl-… between the commas, or none",
            "`none` is in a list with peers; write it alone, or leave it out",
            "`self` is not a peer; write a CIDR block, sg-…, account/sg-… or pl-…",
        ]
    );
}

#[test]
fn ports_are_separated_by_commas() {
    let ports = parse_ports("80, 443,8000-8010").unwrap();
    assert!([80, 443, 8000, 8010].iter().all(|port| ports.contains(*port)));
    assert_eq!(ports.intervals().len(), 3);
    assert!(!ports.is_empty());
    assert_eq!(
        parse_ports("80,http,,99999,9-1").unwrap_err(),
        [
            "`http` is not a port; write a number from 0 to 65535, or a range such as \"8000-8010\"",
            "`` is not a port; write a number from 0 to 65535, or a range such as \"8000-8010\"",
            "port `99999` is out of range; write numbers from 0 to 65535",
            "`9-1` ends before it begins; write \"1-9\"",
        ]
    );
}

proptest::proptest! {
    /// Every text is either a baseline or has faults, each with a line of the text.
    #[test]
    fn any_text_is_a_baseline_or_has_faults(text in "([\\[\\]{}:,&*!|>'\"%@~#-]|[ a1/\\n\\t]|ports|peers|ingress: ){0,60}") {
        if let Err(BaselineError::Invalid { faults, .. }) = parse(&text) {
            proptest::prop_assert!(!faults.is_empty());
            let last = text.split('\n').count() + 1;
            proptest::prop_assert!(faults.iter().all(|fault| (1..=last).contains(&fault.line)));
        }
    }
}
