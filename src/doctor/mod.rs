//! Checks whether a deployed stack works: the trail that feeds it, its EventBridge rules, its
//! function, its topics, queues and alarms, and what it did lately.
//!
//! How they should be comes from the template that the stack was deployed with, resolved with the
//! stack's parameters. How they are comes from the [AWS CLI](aws::AwsCli). Each file looks at one part
//! and returns [`Check`]s, which are data; `words` makes the sentences.

mod activity;
mod alarms;
mod aws;
mod canary;
mod check;
mod function;
mod kms;
mod members;
mod organisation;
mod queues;
mod render;
mod resolve;
mod role;
mod rules;
mod same;
mod stack;
mod status;
mod table;
mod topics;
mod trail;
mod view;
mod words;
mod yaml;

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

pub use aws::{Aws, AwsCli, AwsError};
pub use canary::{Canary, release};
pub use check::{Check, State, Unknown};
pub use render::{Diagnosis, to_json, to_text};
pub use stack::NotLooked;

use stack::Deployed;
use view::{View, each};

/// Looks at everything.
///
/// # Errors
///
/// When the stack cannot be read, so that there is nothing to look at.
pub fn examine(
    aws: &dyn Aws,
    name: &str,
    region: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Diagnosis, NotLooked> {
    look(aws, name, region, now, stack::SHIPPED)
}

/// As [`examine`], with another template to compare with.
fn look(
    aws: &dyn Aws,
    name: &str,
    region: Option<&str>,
    now: DateTime<Utc>,
    shipped: &str,
) -> Result<Diagnosis, NotLooked> {
    let stack = Deployed::read(aws, name, region, shipped)?;
    let view = View { aws, stack: &stack, now };
    let topics: [fn(&View<'_>) -> Vec<Check>; 14] = [
        status::checks,
        trail::checks,
        rules::checks,
        function::checks,
        role::checks,
        role::logs,
        topics::checks,
        kms::checks,
        queues::checks,
        table::checks,
        alarms::checks,
        activity::checks,
        members::checks,
        organisation::checks,
    ];
    let mut checks = each(&topics, |topic| topic(&view)).concat();
    checks.sort_by_key(|check| check.topic);
    for check in &mut checks {
        if let (State::CannotTell(Unknown::Right(right)), None) = (&check.state, &check.mend) {
            check.mend = status::grant(&view, right);
        }
    }
    Ok(Diagnosis { stack: stack.name, account: stack.account, region: stack.region, checks })
}
