//! What the tests run: moto as EC2, SNS and SQS, the function under the Runtime Interface Emulator, and a shell with
//! `aws`. Everything is started on first use and ends with the test process.

pub mod artefact;
pub mod aws_cli;
pub mod baseline;
pub mod built;
pub mod by_hand;
pub mod endpoint;
pub mod event;
pub mod lists;
pub mod ministack;
pub mod moto;
pub mod organisation;
pub mod permission;
#[path = "../../report_schema.rs"]
pub mod report_schema;
pub mod resolved;
pub mod rie;
pub mod runtime_api;
pub mod sg_audit;
pub mod site;
pub mod stack;
pub mod tags;
pub mod tls;
pub mod venv;
pub mod world;
