//! Tests the traffic of rules.

use super::*;
use crate::ec2::{Direction, Protocol, Rule};

fn peer(text: &str) -> Peer {
    text.parse().unwrap()
}

fn rule(protocol: Protocol, from: Option<i32>, to: Option<i32>) -> Rule {
    Rule::new(Direction::Ingress, protocol, from, to, peer("0.0.0.0/0")).unwrap()
}

/// TCP 22 to 25.
fn tcp(to: &str) -> Traffic {
    rule(Protocol::TCP, Some(22), Some(25)).with_peer(peer(to)).traffic()
}

#[test]
fn a_protocol_is_its_number_and_all_protocols_are_all_numbers() {
    for number in 0..=u8::MAX {
        assert_eq!(Interval::from(Protocol::Number(number)), Interval::new(number, number));
    }
    assert_eq!(Interval::<u8>::from(Protocol::All), Interval::full());
    assert_eq!(rule(Protocol::All, Some(22), Some(22)).cells(), all_cells());
}

#[test]
fn the_traffic_of_a_rule_is_its_protocol_its_ports_and_its_peer() {
    let cells: Cells = Layers::product(&Interval::new(6, 6).into(), &Interval::new(22, 25).into());

    let office = tcp("203.0.113.64/26");
    assert_eq!(office.cells(), cells);
    assert_eq!(
        cidrs_ipv4(&office.peers_ipv4()).collect::<Vec<_>>(),
        ["203.0.113.64/26".parse().unwrap()]
    );
    assert!(office.ipv6.is_empty() && office.references.is_empty());
    assert!(office.is_subset_of(&tcp("203.0.113.0/24")));
    assert!(!office.is_subset_of(&tcp("203.0.113.0/26")));

    let office = tcp("2001:db8:1:5::/64");
    assert_eq!(office.cells(), cells);
    assert_eq!(
        cidrs_ipv6(&office.peers_ipv6()).collect::<Vec<_>>(),
        ["2001:db8:1:5::/64".parse().unwrap()]
    );
    assert!(office.ipv4.is_empty() && office.references.is_empty());

    for name in ["sg-12345678", "111122223333/sg-12345678", "pl-12345678"] {
        let named = tcp(name);
        assert_eq!(named.cells_of(peer(name).reference().unwrap()), cells);
        assert!(named.ipv4.is_empty() && named.ipv6.is_empty());
        assert!(!named.is_subset_of(&tcp("0.0.0.0/0").union(&tcp("::/0"))));
    }
    let halves = tcp("0.0.0.0/1").union(&tcp("128.0.0.0/1"));
    assert_eq!(halves, tcp("0.0.0.0/0"));
    assert!(halves.cells_of_anybody().is_empty());
    assert_eq!(halves.union(&tcp("::/0")).cells_of_anybody(), cells);
}

proptest! {
    /// Contents of the same direction and peer are equal exactly if the rules admit the same.
    #[test]
    fn rules_of_equal_content_admit_the_same(
        protocols in (select(&[6, 17, 1, 58, 0, 50][..]), select(&[6, 17, 1, 58, 0, 50][..])),
        ports in (0..3_i32, 0..3_i32, 0..3_i32, 0..3_i32),
        any in (any::<bool>(), any::<bool>()),
    ) {
        let rule = |number: u8, a: i32, b: i32, any: bool| {
            let protocol = Protocol::Number(number);
            match (any, protocol.has_ports()) {
                (true, _) => rule(protocol, None, None),
                (false, true) => rule(protocol, Some(a.min(b)), Some(a.max(b))),
                (false, false) => rule(protocol, Some(a), Some(b - 1)),
            }
        };
        let a = rule(protocols.0, ports.0, ports.1, any.0);
        let b = rule(protocols.1, ports.2, ports.3, any.1);
        prop_assert_eq!(a.content() == b.content(), a.traffic() == b.traffic());
        prop_assert_eq!(a.is_same_as(&b), a.content() == b.content());
    }
}
