//! Settings as text.

/// The name of each setting, for error messages and for looking it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Names {
    /// The name or the path of the baseline.
    pub baseline: &'static str,
    /// Who may use SSH.
    pub ssh_sources: &'static str,
    /// The ports of the website.
    pub web_ports: &'static str,
    /// The groups to audit.
    pub scope: &'static str,
    /// What happens with findings of a change.
    pub remediation: &'static str,
    /// What a revert leaves of a rule.
    pub revert_keeps: &'static str,
    /// What happens with findings of the sweep.
    pub sweep_remediation: &'static str,
    /// How long a hold may last.
    pub hold_max_hours: &'static str,
}

impl Names {
    /// The variables of the function's environment.
    pub const ENVIRONMENT: Self = Self {
        baseline: "BASELINE",
        ssh_sources: "SSH_SOURCES",
        web_ports: "WEB_PORTS",
        scope: "SCOPE",
        remediation: "REMEDIATION",
        revert_keeps: "REVERT_KEEPS",
        sweep_remediation: "SWEEP_REMEDIATION",
        hold_max_hours: "HOLD_MAX_HOURS",
    };

    /// The options of the command line.
    pub const COMMAND_LINE: Self = Self {
        baseline: "--baseline",
        ssh_sources: "--ssh-source",
        web_ports: "--web-port",
        scope: "--scope",
        remediation: "--remediation",
        revert_keeps: "--revert-keeps",
        sweep_remediation: "--sweep-remediation",
        hold_max_hours: "--hold-max-hours",
    };
}

/// The text of each setting. `None` or an empty text means that it is not set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RawSettings {
    /// What error messages call the settings.
    pub names: Names,
    /// A shipped baseline, or the path of one.
    pub baseline: Option<String>,
    /// Peers separated by commas, or `none`.
    pub ssh_sources: Option<String>,
    /// Ports separated by commas.
    pub web_ports: Option<String>,
    /// `all`, or `tag:KEY=VALUE`.
    pub scope: Option<String>,
    /// `notify`, `revert-ssh` or `revert-ingress`.
    pub remediation: Option<String>,
    /// `baseline` or `nothing`.
    pub revert_keeps: Option<String>,
    /// As `remediation`.
    pub sweep_remediation: Option<String>,
    /// A whole number of hours; 0 for no holds.
    pub hold_max_hours: Option<String>,
}

impl RawSettings {
    /// No setting is set.
    pub fn new(names: Names) -> Self {
        Self::from_lookup(names, |_| None)
    }

    /// The result of `lookup` for each name.
    pub fn from_lookup(names: Names, lookup: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            names,
            baseline: lookup(names.baseline),
            ssh_sources: lookup(names.ssh_sources),
            web_ports: lookup(names.web_ports),
            scope: lookup(names.scope),
            remediation: lookup(names.remediation),
            revert_keeps: lookup(names.revert_keeps),
            sweep_remediation: lookup(names.sweep_remediation),
            hold_max_hours: lookup(names.hold_max_hours),
        }
    }
}
