//! What is done about what exceeds a baseline.

/// What happens with a finding.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    strum::Display,
    strum::EnumString,
    strum::VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Remediation {
    /// It is published.
    #[default]
    Notify,
    /// Rules with open SSH are reverted, and the finding is published.
    RevertSsh,
    /// Ingress rules that admit public addresses beyond the baseline are reverted, and the finding is
    /// published.
    RevertIngress,
}

impl Remediation {
    /// Whether it changes groups.
    pub fn reverts(self) -> bool {
        self != Self::Notify
    }
}
