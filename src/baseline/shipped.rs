//! The baselines that ship with the auditor.

/// The name of the baseline that is used if none is set.
pub const DEFAULT: &str = "standard";

/// The name and the text of each shipped baseline.
pub const SHIPPED: [(&str, &str); 3] = [
    ("standard", include_str!("../../baselines/standard.yaml")),
    ("restricted-egress", include_str!("../../baselines/restricted-egress.yaml")),
    ("as-documented", include_str!("../../baselines/as-documented.yaml")),
];

/// The text of the shipped baseline with this name.
pub fn shipped(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(shipped, _)| *shipped == name).map(|(_, text)| *text)
}
