use chrono::{DateTime, Utc};

use super::lookups::Lookups;
use super::ports::Clock;
use crate::settings::Settings;

/// What every audit of a group needs, whatever triggered it.
pub(super) struct Context<'a, E> {
    /// EC2.
    pub ec2: &'a E,
    /// Prefix lists and groups that rules name.
    pub lookups: &'a Lookups<'a, E>,
    /// What to audit against and what to do.
    pub settings: &'a Settings,
    /// The time.
    pub clock: Clock<'a>,
    /// When there has to be an answer.
    pub deadline: Option<DateTime<Utc>>,
    /// Whether nothing was closed before in this invocation. Then a rule is closed even if there is
    /// no time left.
    pub is_first: bool,
}
