//! Holds changes of EC2 security groups against what a TYPO3 server needs, and closes open SSH.
pub mod baseline;
pub mod event;
pub mod finding;
pub mod net;
pub mod rule;
