//! An EC2 in memory, for the command line and for tests.
//!
//! It behaves like EC2 where the audit depends on it: a group is found by its id, or by its name if
//! only one of the VPC has it; two rules are the same if their contents are, whatever their descriptions; a
//! revocation goes by content and says whether there was anything to revoke; a group holds a limited
//! number of rules. Every call is written down in EC2's words.

mod ec2;
mod follow;
mod hook;
mod ledger;
mod limit;
mod notifier;

pub use ec2::MemoryEc2;
pub use hook::{Call, Hook, Hooked};
pub use ledger::{LedgerHook, MemoryLedger};
pub use notifier::MemoryNotifier;

#[cfg(test)]
mod tests;
