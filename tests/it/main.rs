//! The whole auditor on real parts: the function's binary under AWS's Runtime Interface Emulator, moto for AWS.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod again;
mod cli;
mod faults;
mod function;
mod ground;
mod kept;
mod repository;
mod reverts;
mod support;
mod templates;
