use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::RuleError;

/// The protocol of a rule: one by its IANA number, or all of them (-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// -1: every protocol, every port.
    All,
    /// An IANA protocol number.
    Number(u8),
}

impl Protocol {
    /// 1
    pub const ICMP: Self = Self::Number(1);
    /// 6
    pub const TCP: Self = Self::Number(6);
    /// 17
    pub const UDP: Self = Self::Number(17);
    /// 58
    pub const ICMPV6: Self = Self::Number(58);

    /// Whether rules of this protocol have ports.
    pub fn has_ports(self) -> bool {
        self == Self::TCP || self == Self::UDP
    }

    /// Whether rules of this protocol have a type and a code where others have ports.
    pub fn is_icmp(self) -> bool {
        self == Self::ICMP || self == Self::ICMPV6
    }

    /// The protocol as EC2's API takes it: as displayed, but `-1` for all.
    pub fn to_api(self) -> String {
        match self {
            Self::All => "-1".to_owned(),
            number => number.to_string(),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::All => f.write_str("all"),
            Self::ICMP => f.write_str("icmp"),
            Self::TCP => f.write_str("tcp"),
            Self::UDP => f.write_str("udp"),
            Self::ICMPV6 => f.write_str("icmpv6"),
            Self::Number(number) => number.fmt(f),
        }
    }
}

impl FromStr for Protocol {
    type Err = RuleError;

    /// Reads every spelling that EC2 takes: names in any case, numbers, -1, and `all`.
    fn from_str(s: &str) -> Result<Self, RuleError> {
        Ok(match s.to_ascii_lowercase().as_str() {
            "-1" | "all" => Self::All,
            "icmp" => Self::ICMP,
            "tcp" => Self::TCP,
            "udp" => Self::UDP,
            "icmpv6" | "icmp6" => Self::ICMPV6,
            other => Self::Number(other.parse().map_err(|_| RuleError::Protocol(s.to_owned()))?),
        })
    }
}

impl Serialize for Protocol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
