//! The function's part in the sweep of an organisation, which a state machine runs.
//!
//! The state machine asks for three things, one after the other: which accounts and regions there are
//! (`discover`), the sweep of each account (`account`), and what all of it covered (`digest`).
//! What is expected and what became of each account goes through a bucket, because states hold no
//! more than 256 KiB. Each of the three can be asked for again at any time.

mod account;
mod answer;
mod digest;
mod discover;
mod error;
mod ports;
mod runner;
mod task;

pub use account::{AccountAnswer, AccountSwept};
pub use answer::RunAnswer;
pub use digest::DigestAnswer;
pub use discover::DiscoverAnswer;
pub use error::RunError;
pub use ports::{Archive, Directory, PortError, Regions};
pub use runner::Runner;
pub use task::{
    AccountSweep, Accounts, BucketName, Discover, Input, MachineArn, PlaceResume, Places,
    RegionNames, RunDigest, Task, TaskError, Which,
};
