//! The whole auditor on real parts: the function's binary under AWS's Runtime Interface Emulator, moto for AWS.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod again;
mod allow;
mod cli;
mod deploy;
mod edge;
mod exempt;
mod expected;
mod faults;
mod function;
mod graph;
mod ground;
mod holds;
mod hostile;
mod kept;
mod lists;
#[cfg(feature = "live")]
mod live;
mod load;
mod members;
mod metrics;
#[cfg(not(feature = "live"))]
mod not_live;
mod operations;
mod references;
mod reliability;
mod repository;
mod reverts;
mod rights;
mod scope;
mod subscribers;
mod support;
mod sweep;
mod templates;
mod tls;
mod watched;
