use crate::finding::Finding;

/// What all findings have in common and is said once.
pub(super) struct Shared {
    pub change: bool,
    pub place: bool,
    /// Region and account.
    pub region: bool,
}

impl Shared {
    pub fn of(findings: &[&Finding], first: &Finding) -> Self {
        let all = |alike: &dyn Fn(&Finding) -> bool| findings.iter().all(|it| alike(it));
        Self {
            change: all(&|it| it.change == first.change),
            place: all(&|it| it.place == first.place && it.group == first.group),
            region: all(&|it| it.place == first.place),
        }
    }
}

/// `open-ssh, critical`
pub(super) fn code(finding: &Finding) -> String {
    format!("{}, {}", finding.code.as_str(), finding.severity.as_str())
}

/// The parts that say something, separated by commas.
pub(super) fn joined<const N: usize>(parts: [Option<&str>; N]) -> String {
    let parts: Vec<_> =
        parts.into_iter().flatten().filter(|part| !part.trim().is_empty()).collect();
    parts.join(", ")
}
