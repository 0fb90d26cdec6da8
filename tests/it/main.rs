//! Tests of the whole auditor: the function's binary under AWS's Runtime Interface Emulator, with moto as AWS.

mod again;
mod allow;
mod bound;
mod cli;
mod deploy;
mod doctor;
mod edge;
mod exempt;
mod expected;
mod faults;
mod formats;
mod function;
mod graph;
mod ground;
mod holds;
mod hook;
mod hostile;
mod kept;
mod lists;
#[cfg(feature = "live")]
mod live;
mod load;
mod members;
mod memory;
mod mended;
mod metrics;
#[cfg(not(feature = "live"))]
mod not_live;
mod operations;
#[path = "../docs/page.rs"]
mod page;
mod references;
mod reliability;
mod reverts;
mod rights;
mod scope;
mod shells;
mod subscribers;
mod sweep;
mod templates;
mod terraform;
mod tls;
mod trail;
mod watched;

// The folder support/ is this package's library.
use sg_audit_tests as support;
