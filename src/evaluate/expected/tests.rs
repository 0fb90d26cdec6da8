use chrono::NaiveDate;

use super::*;
use crate::ec2::{Missing, cause};

const GROUP: &str = "sg-0a";

fn parse(text: &str) -> Baseline {
    let today = NaiveDate::from_ymd_opt(2026, 11, 1).unwrap();
    Baseline::parse("t.yaml", &format!("version: 1\nname: t\n{text}"), today).unwrap()
}

fn baseline() -> Baseline {
    parse(
        "ingress:\n\
         - { name: HTTP, protocol: tcp, ports: [80], peers: [anywhere], expected: true }\n\
         - { name: HTTPS, protocol: tcp, ports: [443], peers: [anywhere], expected: true }\n\
         - { name: SSH, protocol: tcp, ports: [22], peers: [203.0.113.0/24] }\n\
         egress:\n\
         - { name: Updates, protocol: tcp, ports: [443], peers: [anywhere], expected: true }\n",
    )
}

/// One expected entry in ingress, HTTPS, with these peers.
fn https_from(peers: &str) -> Baseline {
    parse(&format!(
        "ingress:\n\
         - {{ name: HTTPS, protocol: tcp, ports: [443], peers: [{peers}], expected: true }}\n\
         egress: []\n"
    ))
}

/// `in tcp 80 0.0.0.0/0`, with an id behind it where it has one.
fn rule(text: &str) -> Rule {
    let words: Vec<&str> = text.split(' ').collect();
    let [way, protocol, ports, peer, ..] = words[..] else { panic!("{text}") };
    let direction = if way == "in" { Direction::Ingress } else { Direction::Egress };
    let (from, to) = match ports.split_once('-') {
        _ if ports == "*" => (None, None),
        Some((from, to)) => (from.parse().ok(), to.parse().ok()),
        None => (ports.parse().ok(), ports.parse().ok()),
    };
    Rule::new(direction, protocol.parse().unwrap(), from, to, peer.parse().unwrap())
        .unwrap()
        .with_id(words.get(4).map(|id| id.parse().unwrap()))
}

fn rules(texts: &[&str]) -> Vec<Rule> {
    texts.iter().map(|text| rule(text)).collect()
}

fn known(direction: Direction, texts: &[&str]) -> RevokedRules {
    RevokedRules { direction, removed: Removed::Rules(rules(texts)), ids: Vec::new() }
}

fn unknown(direction: Direction, cells: Cells) -> RevokedRules {
    RevokedRules { direction, removed: Removed::Within(cells), ids: Vec::new() }
}

fn tcp(port: u16) -> Cells {
    rule(&format!("in tcp {port} 0.0.0.0/0")).cells()
}

/// Prefix lists, by what they hold. `pl-denied` cannot be read, and `pl-0c` was not looked up.
fn lists() -> Lists {
    let of = |id: &str, blocks: &[&str]| {
        (id.parse().unwrap(), Ok(blocks.iter().map(|block| block.parse().unwrap()).collect()))
    };
    let action = "GetManagedPrefixListEntries";
    let missing =
        Ec2Error::NotFound { action, missing: Missing::Other, cause: cause("no such list") };
    let denied = Ec2Error::Denied { action, cause: cause("not allowed") };
    Lists::from([
        of("pl-0b", &["192.0.2.0/25", "192.0.2.128/25"]),
        of("pl-ipv6", &["2001:db8:7::/48"]),
        of("pl-all", &["0.0.0.0/0"]),
        of("pl-halves", &["0.0.0.0/1", "128.0.0.0/1"]),
        of("pl-private", &["10.0.0.0/8"]),
        of("pl-loopback", &["127.0.0.0/8"]),
        of("pl-empty", &[]),
        ("pl-missing".parse().unwrap(), Err(missing)),
        ("pl-denied".parse().unwrap(), Err(denied)),
    ])
}

fn found(baseline: &Baseline, removals: &[RevokedRules], after: &[&str]) -> Option<Closed> {
    closed(baseline, Some(&GROUP.parse().unwrap()), removals, &rules(after), &lists())
}

fn letter(reach: Reach) -> char {
    match reach {
        Reach::Nobody => 'n',
        Reach::Some => 's',
        Reach::Everybody => 'e',
    }
}

/// `HTTPS 4:e>n 6:s>s` of an entry that was closed to somebody, `=` before one that was not.
fn line(reached: &Reached) -> String {
    let sign = if reached.is_closed { "" } else { "=" };
    let family = |FamilyReach { family, before, after }: &FamilyReach| {
        let family = if *family == Family::Ipv4 { 4 } else { 6 };
        format!(" {family}:{}>{}", before.map_or('?', letter), after.map_or('?', letter))
    };
    let families: String = reached.families.iter().map(family).collect();
    format!("{sign}{}{families}", reached.entry)
}

/// The severity and every entry.
fn lines(closed: Option<&Closed>) -> Vec<String> {
    let severity = closed.map(|closed| closed.severity.as_str().to_owned());
    let entries = closed.into_iter().flat_map(|closed| &closed.entries).map(line);
    severity.into_iter().chain(entries).collect()
}

/// What an ingress change that removed these rules closed under [`baseline`].
fn removed(taken: &[&str], after: &[&str]) -> Vec<String> {
    lines(found(&baseline(), &[known(Direction::Ingress, taken)], after).as_ref())
}

const NOTHING: [&str; 0] = [];

#[test]
fn the_severity_is_high_where_nothing_expected_is_left() {
    let web = ["in tcp 80 0.0.0.0/0", "in tcp 80 ::/0", "in tcp 443 0.0.0.0/0", "in tcp 443 ::/0"];
    assert_eq!(
        removed(&web, &["in tcp 22 203.0.113.0/24"]),
        ["high", "HTTP 4:e>n 6:e>n", "HTTPS 4:e>n 6:e>n"]
    );
    // A rule of IPv4 alone.
    assert_eq!(removed(&web[2..3], &[]), ["high", "=HTTP 4:n>n 6:n>n", "HTTPS 4:e>n 6:n>n"]);
    // Whoever could reach it.
    for (taken, before) in
        [("in tcp 443 sg-0b", "4:s>n 6:s>n"), ("in tcp 443 10.0.0.0/8", "4:s>n 6:n>n")]
    {
        let https = format!("HTTPS {before}");
        assert_eq!(removed(&[taken], &[]), ["high", "=HTTP 4:n>n 6:n>n", https.as_str()]);
    }
}

#[test]
fn a_group_behind_a_peering_that_is_deleted_is_nobody() {
    let taken = [known(Direction::Ingress, &["in tcp 443 0.0.0.0/0"])];
    for (is_lost, after) in [(false, "HTTPS 4:e>s 6:s>s"), (true, "HTTPS 4:e>n 6:n>n")] {
        let left = [rule("in tcp 443 sg-0b").with_lost_peering(is_lost)];
        let closed = closed(&baseline(), Some(&GROUP.parse().unwrap()), &taken, &left, &lists());
        assert_eq!(lines(closed.as_ref())[2], after);
    }
}

#[test]
fn a_list_that_decides_nothing_of_what_was_closed_is_not_named_as_unread() {
    let taken = [
        known(Direction::Ingress, &["in tcp 80 203.0.113.0/24"]),
        known(Direction::Egress, &["out tcp 443 0.0.0.0/0"]),
    ];
    let closed = found(&baseline(), &taken, &["in tcp 80 pl-denied"]).unwrap();
    assert_eq!(closed.only_direction(), Some(Direction::Egress));
    assert_eq!(closed.unread, BTreeSet::new());
}

#[test]
fn the_severity_is_medium_where_something_expected_is_left() {
    assert_eq!(
        removed(&["in tcp 80 0.0.0.0/0", "in tcp 80 ::/0"], &["in tcp 443 0.0.0.0/0"]),
        ["medium", "HTTP 4:e>n 6:e>n", "=HTTPS 4:e>e 6:n>n"]
    );
    // One family.
    assert_eq!(
        removed(&["in tcp 443 ::/0"], &["in tcp 443 0.0.0.0/0"]),
        ["medium", "=HTTP 4:n>n 6:n>n", "HTTPS 4:e>e 6:e>n"]
    );
    // Everybody became some.
    for (left, after) in [
        ("in tcp 443 198.51.100.7/32", "4:e>s 6:n>n"),
        ("in tcp 443 10.0.0.5/32", "4:e>s 6:n>n"),
        ("in -1 * sg-0b", "4:e>s 6:s>s"),
        ("in tcp 400-500 pl-0b", "4:e>s 6:n>n"),
        ("in tcp 443 pl-private", "4:e>s 6:n>n"),
    ] {
        let found = removed(&["in tcp 443 0.0.0.0/0"], &[left]);
        assert_eq!(found[0], "medium", "{left}");
        assert_eq!(found[2], format!("HTTPS {after}"), "{left}");
    }
}

#[test]
fn the_group_itself_reaches_no_website() {
    let itself = ["in -1 * sg-0a", "in tcp 443 123456789012/sg-0a"];
    assert_eq!(removed(&itself, &[]), NOTHING);
    assert_eq!(
        removed(&["in tcp 443 0.0.0.0/0"], &itself),
        ["high", "=HTTP 4:n>n 6:n>n", "HTTPS 4:e>n 6:n>n"]
    );
    // It is not among the rules that come back.
    let taken = ["in -1 * sg-0a", "in tcp 443 0.0.0.0/0"];
    let found = found(&baseline(), &[known(Direction::Ingress, &taken)], &itself).unwrap();
    assert_eq!(found.removed, Some(rules(&taken[1..])));
    assert_eq!(found.left, []);
    // Of a group whose id is not known, nobody can tell.
    let removal = known(Direction::Ingress, &itself[..1]);
    assert!(closed(&baseline(), None, &[removal], &[], &lists()).is_some());
}

#[test]
fn halves_of_everybody_are_everybody() {
    let halves = ["in tcp 443 0.0.0.0/1", "in tcp 400-500 128.0.0.0/1"];
    assert_eq!(removed(&["in tcp 443 0.0.0.0/0"], &halves), NOTHING);
    assert_eq!(
        removed(&halves[..1], &halves[1..]),
        ["medium", "=HTTP 4:n>n 6:n>n", "HTTPS 4:e>s 6:n>n"]
    );
}

#[test]
fn a_group_that_comes_as_everybody_needs_no_rule_of_its_own() {
    let https = "in tcp 443 0.0.0.0/0";
    for peer in ["sg-0b", "pl-0b", "10.0.0.0/8", "198.51.100.7/32"] {
        let taken = format!("in tcp 443 {peer}");
        assert_eq!(removed(&[&taken], &[https]), NOTHING, "{peer}");
        assert_eq!(removed(&[&taken], &[https, "in tcp 443 ::/0"]), NOTHING, "{peer}");
    }
    // Groups use IPv4 more often than not.
    assert_eq!(removed(&["in tcp 443 sg-0b"], &["in tcp 443 ::/0"])[0], "medium");
}

/// Blocks whose addresses nobody has who could come from elsewhere.
const NOBODYS: [&str; 11] = [
    "0.0.0.0/8",
    "0.0.0.0/32",
    "127.0.0.0/8",
    "127.0.0.1/32",
    "169.254.0.0/16",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
    "::/127",
    "fe80::/10",
    "ff00::/8",
];

#[test]
fn addresses_that_nobody_has_are_nobody() {
    for nobody in NOBODYS {
        let rule = format!("in tcp 443 {nobody}");
        // Taken away, nothing is closed, and nothing is left of it where it is all that is left.
        assert_eq!(removed(&[&rule], &[]), NOTHING, "{nobody}");
        for (taken, https) in [("0.0.0.0/0", "4:e>n 6:n>n"), ("::/0", "4:n>n 6:e>n")] {
            let change = [known(Direction::Ingress, &[&format!("in tcp 443 {taken}")])];
            let found = found(&baseline(), &change, &[&rule]).unwrap();
            let https = format!("HTTPS {https}");
            assert_eq!(lines(Some(&found)), ["high", "=HTTP 4:n>n 6:n>n", &https], "{nobody}");
            assert_eq!(found.left, [], "{nobody}");
        }
        let anything = [unknown(Direction::Ingress, Cells::everything())];
        assert!(found(&baseline(), &anything, &[&rule]).is_some(), "{nobody}");
        // An entry for nobody is for nobody.
        let entry = https_from(&format!("\"{nobody}\""));
        let change = [known(Direction::Ingress, &[&rule])];
        assert_eq!(found(&entry, &change, &[]), None, "{nobody}");
    }
    // Everybody without them is still everybody.
    let rest = ["in tcp 443 0.0.0.0/1", "in tcp 443 128.0.0.0/2", "in tcp 443 192.0.0.0/3"];
    assert_eq!(removed(&["in tcp 443 224.0.0.0/3"], &rest), NOTHING);
    assert_eq!(removed(&["in tcp 443 0.0.0.0/0"], &rest), NOTHING);
    assert_eq!(removed(&["in tcp 443 sg-0b"], &rest), NOTHING);
    // A block that only begins with them has somebody in it.
    assert_eq!(removed(&["in tcp 443 0.0.0.0/7"], &[])[0], "high");
    for private in ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"] {
        assert_eq!(removed(&[&format!("in tcp 443 {private}")], &[])[0], "high", "{private}");
    }
}

#[test]
fn a_list_counts_by_its_entries() {
    let everybody = "in tcp 443 0.0.0.0/0";
    let left = |list: &str| removed(&[everybody], &[&format!("in tcp 443 {list}")]);
    for (list, severity, https) in [
        ("pl-0b", "medium", "HTTPS 4:e>s 6:n>n"),
        ("pl-private", "medium", "HTTPS 4:e>s 6:n>n"),
        ("pl-ipv6", "medium", "HTTPS 4:e>n 6:s>s"),
        ("pl-loopback", "high", "HTTPS 4:e>n 6:n>n"),
        ("pl-empty", "high", "HTTPS 4:e>n 6:n>n"),
        ("pl-missing", "high", "HTTPS 4:e>n 6:n>n"),
    ] {
        assert_eq!(left(list), [severity, "=HTTP 4:n>n 6:n>n", https], "{list}");
    }
    assert_eq!((left("pl-all"), left("pl-halves")), (vec![], vec![]));
    // Nobody in it has lost anything.
    for nobody in ["pl-loopback", "pl-empty", "pl-missing"] {
        let rule = format!("in tcp 443 {nobody}");
        assert_eq!(removed(&[&rule], &[]), NOTHING, "{nobody}");
        // And it is not somebody who is left, nor a rule to bring back.
        let taken = ["in tcp 443 198.51.100.7/32", &rule];
        let change = [known(Direction::Ingress, &taken)];
        let found = found(&baseline(), &change, &[&rule]).unwrap();
        assert_eq!(found.severity, Severity::High, "{nobody}");
        assert_eq!((found.removed, found.left), (Some(rules(&taken[..1])), vec![]), "{nobody}");
        let anything = [unknown(Direction::Ingress, Cells::everything())];
        let found = super::closed(&baseline(), None, &anything, &rules(&[&rule]), &lists());
        assert_eq!(found.map(|it| it.severity), Some(Severity::Low), "{nobody}");
    }
    // Its addresses by another rule are as good.
    assert_eq!(removed(&["in tcp 443 pl-0b"], &["in tcp 443 192.0.2.0/24"]), NOTHING);
    assert_eq!(removed(&["in tcp 443 192.0.2.0/24"], &["in tcp 443 pl-0b"]), NOTHING);
    assert_eq!(removed(&["in tcp 443 pl-all"], &[everybody]), NOTHING);
    let found = removed(&["in tcp 443 pl-all"], &["in tcp 443 pl-0b"]);
    assert_eq!(found[..2], ["medium", "=HTTP 4:n>n 6:n>n"]);
    assert_eq!(found[2], "HTTPS 4:e>s 6:n>n");
}

#[test]
fn an_entry_for_a_list_admits_its_entries() {
    let closed = |list: &str, taken: &str, after: &[&str]| {
        lines(found(&https_from(list), &[known(Direction::Ingress, &[taken])], after).as_ref())
    };
    let (list, host) = ("in tcp 443 pl-0b", "in tcp 443 192.0.2.7/32");
    assert_eq!(closed("pl-0b", list, &["in tcp 443 192.0.2.0/24"]), NOTHING);
    assert_eq!(closed("pl-0b", list, &[host]), ["medium", "HTTPS 4:e>s"]);
    assert_eq!(closed("pl-0b", host, &["in tcp 443 sg-0c"]), NOTHING);
    assert_eq!(closed("pl-0b", "in tcp 443 198.51.100.7/32", &[]), NOTHING);
    for nobody in ["pl-empty", "pl-missing", "pl-loopback"] {
        assert_eq!(closed(nobody, "in tcp 443 0.0.0.0/0", &[]), NOTHING, "{nobody}");
        assert_eq!(closed(nobody, "in tcp 443 sg-0b", &[]), NOTHING, "{nobody}");
    }
    assert_eq!(closed("pl-denied", "in tcp 443 pl-denied", &[])[0], "low");
}

#[test]
fn what_depends_on_a_list_that_cannot_be_read_is_not_called_known() {
    let everybody = "in tcp 443 0.0.0.0/0";
    let nobody = "=HTTP 4:n>n 6:n>n";
    for list in ["pl-denied", "pl-0c"] {
        let rule = format!("in tcp 443 {list}");
        let after = |taken: &[&str], left: &[&str]| {
            let found = found(&baseline(), &[known(Direction::Ingress, taken)], left);
            let unread = found.as_ref().map(|found| found.unread.clone()).unwrap_or_default();
            assert!(unread.iter().all(|id| id.as_str() == list), "{unread:?}");
            (lines(found.as_ref()), unread.len())
        };
        let told =
            |lines: &[&str], unread| (lines.iter().map(|it| it.to_string()).collect(), unread);
        // It may hold everybody, or nobody.
        let found = after(&[everybody], &[&rule]);
        assert_eq!(found, told(&["low", nobody, "HTTPS 4:e>? 6:?>?"], 1));
        // Nobody is left for certain, and whether anybody could come is not known.
        assert_eq!(after(&[&rule], &[]), told(&["low", nobody, "HTTPS 4:?>n 6:?>n"], 1));
        let host = "in tcp 443 198.51.100.7/32";
        assert_eq!(after(&[&rule], &[host]), told(&["low", nobody, "HTTPS 4:?>s 6:?>n"], 1));
        // Somebody may be left, and who it was is known.
        assert_eq!(after(&[host], &[&rule]), told(&[], 0));
        // What it holds makes no difference.
        assert_eq!(after(&[&rule], &[everybody]), told(&[], 0));
        let found = after(&[everybody, &rule], &[]);
        assert_eq!(found, told(&["high", nobody, "HTTPS 4:e>n 6:?>n"], 1));
        let found = after(&[everybody, "in tcp 80 0.0.0.0/0"], &[&rule]);
        assert_eq!(found, told(&["medium", "HTTP 4:e>n 6:n>n", "HTTPS 4:e>? 6:?>?"], 1));
        let ssh = format!("in tcp 22 {list}");
        let found = after(&[everybody], &[&ssh]);
        assert_eq!(found, told(&["high", nobody, "HTTPS 4:e>n 6:n>n"], 0));
        // An unknown change closes nothing to those who may be left.
        let anything = [unknown(Direction::Ingress, Cells::everything())];
        assert_eq!(super::closed(&baseline(), None, &anything, &rules(&[&rule]), &lists()), None);
    }
}

#[test]
fn only_lists_that_can_decide_are_looked_up() {
    let needed = |entry: &str, taken: &[&str], after: &[&str]| -> Vec<String> {
        let change = [known(Direction::Ingress, taken)];
        let needed = lists_needed(&https_from(entry), &change, &rules(after));
        needed.iter().map(ToString::to_string).collect()
    };
    assert_eq!(needed("anywhere", &["in tcp 443 0.0.0.0/0"], &[]), NOTHING);
    let others = ["in tcp 22 pl-0b", "out tcp 443 pl-0b", "in tcp 443 sg-0b"];
    assert_eq!(needed("anywhere", &others, &others), NOTHING);
    assert_eq!(needed("anywhere", &["in -1 * pl-0b"], &["in tcp 1-443 pl-0c"]), ["pl-0b", "pl-0c"]);
    assert_eq!(needed("pl-0d", &["in tcp 443 0.0.0.0/0"], &[]), ["pl-0d"]);
}

#[test]
fn removing_a_rule_never_lets_anybody_in() {
    // Its members were let in before too, by their own rule.
    let own = "in tcp 443 sg-0b";
    let found = removed(&["in tcp 443 0.0.0.0/0"], &[own]);
    assert_eq!(found, ["medium", "=HTTP 4:n>n 6:n>n", "HTTPS 4:e>s 6:s>s"]);
    let found = removed(&["in tcp 443 0.0.0.0/0", own], &[]);
    assert_eq!(found, ["high", "=HTTP 4:n>n 6:n>n", "HTTPS 4:e>n 6:s>n"]);
}

#[test]
fn a_group_that_is_shut_out_is_missed_and_an_address_is_not() {
    // A load balancer's group can be all the traffic of a site, whoever else is left.
    for (taken, left) in [("sg-0b", "sg-0c"), ("pl-0b", "198.51.100.7/32"), ("sg-0b", "pl-0b")] {
        let (taken, left) = (format!("in tcp 443 {taken}"), format!("in -1 * {left}"));
        let change = known(Direction::Ingress, &[&taken]);
        let found = found(&baseline(), &[change], &[&left]).unwrap();
        assert_eq!(found.severity, Severity::Medium, "{taken}, {left}");
        let [http, https] = &found.entries[..] else { panic!("{found:?}") };
        assert!(!http.is_closed && https.is_closed, "{found:?}");
        assert_eq!(https.closed_to, [rule(&taken).peer().clone()]);
    }
    assert_eq!(removed(&["in tcp 443 sg-0b"], &["in tcp 80-8080 sg-0b"]), NOTHING);
    assert_eq!(removed(&["in tcp 443-8080 sg-0b"], &["in tcp 443 sg-0b"]), NOTHING);
    assert_eq!(removed(&["in tcp 443 198.51.100.7/32"], &["in tcp 443 198.51.100.8/32"]), NOTHING);
}

#[test]
fn what_cannot_touch_the_entries_closes_nothing() {
    for taken in [
        "in tcp 22 0.0.0.0/0",
        "in udp 443 0.0.0.0/0",
        "in icmp * 0.0.0.0/0",
        "in icmpv6 * ::/0",
        "in tcp 8080 sg-0b",
        "out tcp 443 0.0.0.0/0",
    ] {
        assert_eq!(removed(&[taken], &[]), NOTHING, "{taken}");
    }
    assert_eq!(removed(&[], &[]), NOTHING);
    let ping = rule("in icmp * 0.0.0.0/0").cells();
    assert_eq!(found(&baseline(), &[unknown(Direction::Ingress, ping)], &[]), None);
    assert_eq!(found(&baseline(), &[unknown(Direction::Ingress, tcp(8080))], &[]), None);
}

#[test]
fn another_port_or_protocol_does_not_replace_it() {
    let moved = ["in tcp 8443 0.0.0.0/0", "in udp 443 0.0.0.0/0", "out tcp 443 0.0.0.0/0"];
    let found = removed(&["in tcp 443 0.0.0.0/0"], &moved);
    assert_eq!(found, ["high", "=HTTP 4:n>n 6:n>n", "HTTPS 4:e>n 6:n>n"]);
}

#[test]
fn egress_is_judged_by_its_own_entries() {
    let change = known(Direction::Egress, &["out -1 * 0.0.0.0/0", "in tcp 80 0.0.0.0/0"]);
    let found = found(&baseline(), &[change], &["in tcp 443 0.0.0.0/0"]);
    assert_eq!(lines(found.as_ref()), ["high", "Updates 4:e>n 6:n>n"]);
}

#[test]
fn one_finding_has_all_rules_that_let_the_traffic_through() {
    let taken = ["in -1 * 0.0.0.0/0", "in tcp 80 ::/0", "in tcp 22 203.0.113.0/24"];
    let after = ["in tcp 80 198.51.100.7/32", "in tcp 22 203.0.113.9/32", "in tcp 443 sg-0a"];
    let found = found(&baseline(), &[known(Direction::Ingress, &taken)], &after).unwrap();
    let entries = ["medium", "HTTP 4:e>s 6:e>n", "HTTPS 4:e>n 6:n>n"];
    assert_eq!(lines(Some(&found)), entries);
    assert_eq!(found.removed, Some(rules(&taken[..2])));
    assert_eq!(found.left, rules(&after[..1]));
}

#[test]
fn ports_of_one_entry_are_told_apart() {
    let web = parse(
        "ingress:\n\
         - { name: Web, protocol: tcp, ports: [80, 443], peers: [anywhere], expected: true }\n\
         egress: []\n",
    );
    let change = [known(Direction::Ingress, &["in tcp 80 0.0.0.0/0"])];
    let found = found(&web, &change, &["in tcp 443 0.0.0.0/0"]).unwrap();
    assert_eq!(lines(Some(&found)), ["medium", "Web 4:e>s 6:n>n"]);
    assert_eq!(found.entries[0].shut, tcp(80));
}

#[test]
fn an_entry_counts_only_whom_it_admits() {
    let closed = |peers: &str, taken: &str, after: &[&str]| {
        let change = [known(Direction::Ingress, &[taken])];
        lines(found(&https_from(peers), &change, after).as_ref())
    };
    let office = "in tcp 443 203.0.113.0/24";
    assert_eq!(closed("203.0.113.0/24", office, &[]), ["high", "HTTPS 4:e>n"]);
    assert_eq!(closed("203.0.113.0/24", office, &["in tcp 443 0.0.0.0/0"]), NOTHING);
    // Whom the baseline does not admit has nothing to lose, and is nobody to be left.
    assert_eq!(closed("203.0.113.0/24", "in tcp 443 198.51.100.7/32", &[]), NOTHING);
    let stranger = ["in tcp 443 198.51.100.7/32"];
    assert_eq!(closed("203.0.113.0/24", office, &stranger), ["high", "HTTPS 4:e>n"]);
    // The members of a group may have any address.
    let balancer = "in tcp 443 sg-0b";
    assert_eq!(closed("203.0.113.0/24", balancer, &[]), ["high", "HTTPS 4:s>n"]);
    assert_eq!(closed("sg-0b", balancer, &[]), ["high", "HTTPS 4:e>n 6:e>n"]);
    assert_eq!(closed("sg-0b", balancer, &["in tcp 443 10.0.0.0/8"])[0], "medium");
    assert_eq!(closed("sg-0b", balancer, &["in tcp 443 0.0.0.0/0"])[1], "HTTPS 4:e>e 6:e>n");
    assert_eq!(closed("\"2001:db8::/32\"", balancer, &[]), ["high", "HTTPS 6:s>n"]);
    assert_eq!(closed("pl-0b", "in tcp 443 pl-0b", &[]), ["high", "HTTPS 4:e>n"]);
    assert_eq!(closed("self", "in -1 * 0.0.0.0/0", &[]), NOTHING);
}

#[test]
fn a_read_that_is_behind_does_not_hide_it() {
    let taken = ["in tcp 443 0.0.0.0/0 sgr-0b"];
    assert_eq!(removed(&taken, &taken)[0], "high");
    // Somebody has authorised it again since.
    assert_eq!(removed(&taken, &["in tcp 443 0.0.0.0/0 sgr-0c"]), NOTHING);
    assert_eq!(removed(&taken, &["in tcp 443 0.0.0.0/0"]), NOTHING);
}

#[test]
fn the_severity_is_low_where_the_removed_rules_are_unknown() {
    let anything = |directions: &[Direction], after: &[&str]| {
        let change: Vec<RevokedRules> =
            directions.iter().map(|way| unknown(*way, Cells::everything())).collect();
        found(&baseline(), &change, after)
    };
    let ingress = [Direction::Ingress];
    let found = anything(&ingress, &["out -1 * 0.0.0.0/0", "in tcp 443 sg-0a"]).unwrap();
    assert_eq!(lines(Some(&found)), ["low", "HTTP 4:?>n 6:?>n", "HTTPS 4:?>n 6:?>n"]);
    assert_eq!((&found.removed, found.only_direction()), (&None, Some(Direction::Ingress)));
    // Somebody is left, and perhaps nobody else was there before.
    for peer in ["::/0", "sg-0b", "198.51.100.7/32", "10.0.0.5/32", "pl-0b"] {
        assert_eq!(anything(&ingress, &[&format!("in tcp 80 {peer}")]), None, "{peer}");
    }
    // In one finding.
    let found = anything(&Direction::BOTH, &[]).unwrap();
    assert_eq!(lines(Some(&found)).len(), 4);
    assert_eq!((found.only_direction(), found.severity), (None, Severity::Low));
    let found = anything(&Direction::BOTH, &["in tcp 80 ::/0"]).unwrap();
    assert_eq!(lines(Some(&found)), ["low", "Updates 4:?>n 6:?>n"]);
    assert_eq!(found.only_direction(), Some(Direction::Egress));
}

#[test]
fn known_ports_of_unknown_rules_limit_what_was_closed() {
    let change = [unknown(Direction::Ingress, tcp(80))];
    let found = |after: &[&str]| lines(found(&baseline(), &change, after).as_ref());
    let https = ["in tcp 443 0.0.0.0/0"];
    assert_eq!(found(&https), ["low", "HTTP 4:?>n 6:?>n", "=HTTPS 4:e>e 6:n>n"]);
    assert_eq!(found(&["in tcp 80 sg-0b"]), NOTHING);
}

/// Some rules on port 443, each with the points that it admits; a point is an address, or a group
/// by its name.
const UNIVERSE: [(&str, &[usize]); 8] = [
    ("0.0.0.0/1", &[0, 1]),
    ("128.0.0.0/1", &[2]),
    ("10.0.0.0/8", &[1]),
    ("::/1", &[3]),
    ("8000::/1", &[4]),
    ("2001:db8::/32", &[]),
    ("sg-0b", &[5]),
    ("sg-0a", &[]),
];

/// Who can reach HTTPS over IPv4, told by points.
fn reach_ipv4_by_points(present: &[bool]) -> char {
    let open = |point: usize| {
        UNIVERSE.iter().zip(present).any(|((_, points), is)| *is && points.contains(&point))
    };
    match (open(0) && open(1) && open(2), open(1) || open(0) || open(2) || open(5)) {
        (true, _) => 'e',
        (false, true) => 's',
        (false, false) => 'n',
    }
}

/// The same over IPv6, where the other group uses it or not.
fn reach_ipv6_by_points(present: &[bool], named: bool) -> char {
    let open = |point: usize| {
        UNIVERSE.iter().zip(present).any(|((_, points), is)| *is && points.contains(&point))
    };
    let documentation = present[5];
    let some = open(3) || open(4) || documentation || named && open(5);
    match (open(3) && open(4), some) {
        (true, _) => 'e',
        (false, true) => 's',
        (false, false) => 'n',
    }
}

/// Each rule of the universe is absent, removed by the change, or still there, and HTTP is open or
/// not.
#[test]
fn every_change_of_a_small_universe() {
    let baseline = baseline();
    let count = UNIVERSE.len();
    for number in 0..3_u32.pow(u32::try_from(count).unwrap()) {
        let states: Vec<u32> =
            (0..count).map(|at| number / 3_u32.pow(u32::try_from(at).unwrap()) % 3).collect();
        let texts = |state: u32| -> Vec<String> {
            let of = UNIVERSE.iter().zip(&states).filter(|(_, is)| **is == state);
            of.map(|((peer, _), _)| format!("in tcp 443 {peer}")).collect()
        };
        let present = |from: u32| states.iter().map(|is| *is >= from).collect::<Vec<bool>>();
        let ipv4 = [1, 2].map(|from| reach_ipv4_by_points(&present(from)));
        // Where everybody can still come by IPv4, the other group does.
        let named = ipv4[1] != 'e';
        let ipv6 = [1, 2].map(|from| reach_ipv6_by_points(&present(from), named));
        let (before, after) = ([ipv4[0], ipv6[0]], [ipv4[1], ipv6[1]]);
        let (taken, left) = (texts(1), texts(2));
        let taken: Vec<&str> = taken.iter().map(String::as_str).collect();
        let left: Vec<&str> = left.iter().map(String::as_str).collect();
        let rank = |letter: char| "nse".find(letter).unwrap();
        let lowered = (0..2).any(|at| rank(before[at]) > rank(after[at]));
        // The other group is let in by a rule of its own only, or as everybody.
        let shut_out = states[6] == 1 && after[0] != 'e';
        let change = [known(Direction::Ingress, &taken)];
        for http in [&[][..], &["in tcp 80 198.51.100.7/32"]] {
            let after_all: Vec<&str> = left.iter().chain(http).copied().collect();
            let found = found(&baseline, &change, &after_all);
            let what = format!("{taken:?} of {after_all:?}");
            let Some(found) = found else {
                assert!(!lowered && !shut_out, "{what}");
                continue;
            };
            assert!(lowered || shut_out, "{what}");
            assert!((0..2).all(|at| rank(before[at]) >= rank(after[at])), "{what}");
            let https = format!("HTTPS 4:{}>{} 6:{}>{}", before[0], after[0], before[1], after[1]);
            assert_eq!(line(&found.entries[1]), https, "{what}");
            let is_nothing_left = after == ['n', 'n'] && http.is_empty();
            let severity = if is_nothing_left { Severity::High } else { Severity::Medium };
            assert_eq!(found.severity, severity, "{what}");
            assert!(!found.entries[1].closed_to.is_empty(), "{what}");
            assert_eq!(!found.entries[1].shut.is_empty(), after == ['n', 'n'], "{what}");
        }
        // What the auditor lets pass without a look at the group is what closes nothing in any.
        if found(&baseline, &change, &[]).is_none() {
            assert!(!lowered && !shut_out, "{taken:?}");
        }
    }
}
