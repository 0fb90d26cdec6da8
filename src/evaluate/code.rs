use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};

/// What is wrong, as one stable word.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    EnumIter,
    IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Code {
    /// SSH from more than one public address (or IPv6 /64) outside the baseline, by one rule.
    OpenSsh,
    /// SSH from a single public host outside the baseline.
    SshFromUnlistedHost,
    /// Other ingress outside the baseline.
    IngressNotInBaseline,
    /// Egress outside the baseline.
    EgressNotInBaseline,
    /// Traffic that the site lives on is no longer admitted.
    ExpectedTrafficClosed,
    /// A prefix list that could not be read decides.
    UnresolvedPeer,
    /// A change that could not be audited at all.
    UnauditedChange,
    /// A group is no longer audited.
    LeftScope,
    /// The baseline itself lets a wide set of addresses reach an SSH port.
    OpenSshInBaseline,
    /// Something changed that the auditor itself depends on.
    AuditorChanged,
}

impl Code {
    /// The code as it is written.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
