//! Baselines: the traffic that a security group may admit.
//!
//! [`Baseline::load`] and [`Baseline::parse`] read YAML and either return a valid [`Baseline`] or
//! every fault with its line. A baseline keeps the names of its peer sets, because settings can
//! replace the set `ssh-sources` and the entries `HTTP` and `HTTPS`.

mod admitted;
mod binding;
mod exemption;
mod fault;
mod load;
mod model;
mod parse;
mod remediation;
mod replace;
#[cfg(test)]
pub(crate) mod samples;
mod shipped;
mod show;
mod size;

pub use admitted::{Admitted, Lists, Resolved};
pub use binding::{Fit, MAX_BINDINGS, MAX_NAMED, Whose};
pub use fault::{BaselineError, Fault};
pub use model::{
    ANYWHERE, Baseline, BaselinePeer, Binding, BoundBaseline, BoundKind, Conditions, Entry,
    Exemption, PeerTerm, SSH_SOURCES,
};
pub use parse::{SSH_PORT, parse_peers, parse_ports};
pub use remediation::Remediation;
pub use shipped::{DEFAULT, SHIPPED, shipped};
pub use size::MAX_INTERVALS;
