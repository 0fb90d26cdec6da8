use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;
use crate::baseline::samples::today;
use crate::baseline::{ANYWHERE, SHIPPED, parse_peers, parse_ports};
use crate::ec2::{Direction, GroupRef, Reference, Selector};

fn parse(text: &str) -> Baseline {
    Baseline::parse("shown", text, today()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn a_baseline_with_settings_is_readable_yaml() {
    let baseline = Baseline::load("standard", today())
        .unwrap()
        .with_ssh_sources(parse_peers("203.0.113.0/24,2001:db8:1::/48,sg-1,pl-2").unwrap())
        .with_web_ports(&parse_ports("443,8000-8010").unwrap())
        .unwrap();
    assert_eq!(
        baseline.to_yaml(),
        "\
version: 1
name: standard
peer_sets:
  ssh-sources: [203.0.113.0/24, \"2001:db8:1::/48\", sg-1, pl-2]
ssh_ports: [22]
ingress:
  - { name: Web, protocol: tcp, ports: [443, \"8000-8010\"], peers: [anywhere], expected: true }
  - { name: SSH, protocol: tcp, ports: [22], peers: [ssh-sources] }
egress:
  - { name: All traffic, protocol: all, peers: [anywhere] }
"
    );
}

#[test]
fn exemptions_are_written() {
    let text = "\
version: 1
name: \"404\"
ssh_ports: [22]
ingress: []
egress: []
exemptions:
  - { group: sg-1, direction: egress, protocol: icmp, ports: [8], peers: [self], reason: \"#1: \\\"yes\\\"\", until: 2027-01-31 }
";
    assert_eq!(parse(text).to_yaml(), text);
}

#[test]
fn shipped_baselines_parse_back() {
    for (name, text) in SHIPPED {
        let baseline = parse(text);
        assert_eq!(parse(&baseline.to_yaml()), baseline, "{name}");
    }
}

#[test]
fn the_hash_does_not_depend_on_the_spelling() {
    let a = parse("version: 1\nname: x\ningress: []\negress: []");
    let b = parse(
        "# other spelling\negress: []\ningress: []\nname: 'x'\nversion: '1'\nssh_ports: [22]",
    );
    assert_eq!(a.sha256(), b.sha256());
    // printf 'version: 1\nname: x\nssh_ports: [22]\ningress: []\negress: []\n' | sha256sum
    assert_eq!(a.sha256(), "7a39e098404c306b8f20bf28a3be02c18bbbac53693be3fae10fd9e5f226aa99");
    assert_ne!(a.sha256(), a.with_ssh_sources(vec![]).sha256());
}

fn words() -> impl Strategy<Value = String> {
    let any = any::<String>();
    let tricky = proptest::sample::select(vec![
        "yes",
        "null",
        "~",
        "- a",
        "a: b",
        "a #b",
        "{",
        "[x]",
        "*a",
        "&a",
        "!t",
        "'",
        "\"",
        "\\",
        "1e3",
        "2027-01-31",
        "%",
        "@",
        "`",
        "|",
        ">",
        "?",
        "=",
        "<<",
        "a\u{2028}b",
        "\u{feff}a",
        "\u{85}x",
        "Büro – 3",
        "ends with \\",
        "a,b",
        "a}b",
        "---",
        "...",
    ]);
    prop_oneof![any, tricky.prop_map(str::to_owned)].prop_map(|text| {
        let text: String = text.chars().filter(|letter| !letter.is_control()).collect();
        let text = text.trim();
        if text.is_empty() { "x".to_owned() } else { text.to_owned() }
    })
}

fn one_peer() -> impl Strategy<Value = BaselinePeer> {
    let v4 = (any::<u32>(), 0..=32_u8).prop_map(|(bits, prefix)| {
        let net = ipnet::Ipv4Net::new(bits.into(), prefix).unwrap().trunc();
        BaselinePeer::Cidr(net.into())
    });
    let v6 = (any::<u128>(), 0..=128_u8).prop_map(|(bits, prefix)| {
        let net = ipnet::Ipv6Net::new(bits.into(), prefix).unwrap().trunc();
        BaselinePeer::Cidr(net.into())
    });
    let group = (proptest::option::of("[0-9]{12}"), "sg-[0-9a-f]{8}").prop_map(|(account, id)| {
        let account = account.map(|account| account.parse().unwrap());
        let group = GroupRef::new(account, id.parse().unwrap(), None);
        BaselinePeer::Reference(Reference::Group(group))
    });
    let list = "pl-[0-9a-f]{17}"
        .prop_map(|id| BaselinePeer::Reference(Reference::PrefixList(id.parse().unwrap())));
    prop_oneof![v4, v6, group, list, Just(BaselinePeer::Own)]
}

fn ports(min: usize) -> impl Strategy<Value = IntervalSet<u16>> {
    vec((any::<u16>(), any::<u16>()), min..4)
        .prop_map(|pairs| pairs.into_iter().map(|(a, b)| Interval::new(a, b)).collect())
}

fn protocol_and_ports() -> impl Strategy<Value = (Protocol, IntervalSet<u16>)> {
    let with_ports = (proptest::sample::select(vec![Protocol::TCP, Protocol::UDP]), ports(1));
    let types = vec((any::<u8>(), any::<u8>()), 1..4).prop_map(|pairs| {
        let whole = |(a, b): (u8, u8)| {
            let (a, b) = (Selector::icmp(a.min(b), None), Selector::icmp(a.max(b), None));
            Interval::new(a.first(), b.last())
        };
        pairs.into_iter().map(whole).collect()
    });
    let icmp = (proptest::sample::select(vec![Protocol::ICMP, Protocol::ICMPV6]), types);
    let others = prop_oneof![
        Just(Protocol::All),
        any::<u8>().prop_map(|number| Protocol::Number(number.clamp(59, 255)))
    ];
    prop_oneof![with_ports, icmp, others.prop_map(|protocol| (protocol, IntervalSet::full()))]
}

/// Peers and sets. The sets `a` to `c` are always defined.
fn terms() -> impl Strategy<Value = Vec<PeerTerm>> {
    let sets = proptest::sample::select(vec![ANYWHERE, "a", "b", "c"]);
    let set = sets.prop_map(|name| PeerTerm::Set(name.to_owned()));
    vec(prop_oneof![set, one_peer().prop_map(PeerTerm::Peer)], 1..5)
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let entry = (protocol_and_ports(), terms(), any::<bool>());
    btree_map(words(), entry, 0..4).prop_map(|entries| {
        let entry = |(name, ((protocol, ports), peers, expected))| Entry {
            name,
            protocol,
            ports,
            peers,
            expected,
        };
        entries.into_iter().map(entry).collect()
    })
}

fn exemptions() -> impl Strategy<Value = Vec<Exemption>> {
    let direction = proptest::sample::select(&Direction::BOTH[..]);
    let one = ("sg-[0-9a-f]{8}", direction, protocol_and_ports(), terms(), words(), 0..366_u64);
    vec(
        one.prop_map(|(group, direction, (protocol, ports), peers, reason, days)| Exemption {
            group: group.parse().unwrap(),
            direction,
            protocol,
            ports,
            peers,
            reason,
            until: today().checked_add_days(chrono::Days::new(days)).unwrap(),
        }),
        0..3,
    )
}

fn baselines() -> impl Strategy<Value = Baseline> {
    let sets = [vec(one_peer(), 0..4), vec(one_peer(), 0..4), vec(one_peer(), 0..4)];
    (words(), sets, ports(1), entries(), entries(), exemptions()).prop_map(
        |(name, [a, b, c], ssh_ports, ingress, egress, exemptions)| Baseline {
            bindings: Vec::new(),
            name,
            peer_sets: [("a", a), ("b", b), ("c", c)]
                .map(|(name, set)| (name.to_owned(), set))
                .into(),
            ssh_ports,
            ingress,
            egress,
            exemptions,
        },
    )
}

proptest! {
    #[test]
    fn any_baseline_parses_back(baseline in baselines()) {
        let shown = baseline.to_yaml();
        let read = Baseline::parse("shown", &shown, today());
        prop_assert_eq!(read.map_err(|error| format!("{error}\n{shown}")), Ok(baseline));
    }
}
