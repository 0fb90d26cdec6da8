//! Holds changes of EC2 security groups against what a TYPO3 server needs, and closes open SSH.
//!
//! Data flows one way:
//!
//! 1. **decode** ([`event`]): what arrived becomes what changed, or is said not to be understood;
//! 2. **evaluate** ([`evaluate`], on [`net`], [`rule`] and [`baseline`]): what each rule admits that
//!    the baseline does not, by exact set algebra;
//! 3. **plan** ([`plan`]): whether a rule is to go, and which pieces of it stay;
//! 4. **act** ([`audit`]): the only place that changes anything, behind three small traits: EC2,
//!    somebody to tell, and another invocation for what there is no time for;
//! 5. **report** ([`finding`], [`report`]): JSON, SNS, mail, terminal.
//!
//! What begins it is a change of a group, of a prefix list or of tags, or a schedule; what ends it is
//! always a report. Everything but [`audit`] is pure, and only `aws` (behind the feature of that
//! name) knows the AWS SDK. The same [`audit::Auditor`] runs in the Lambda function and, against an
//! [in-memory EC2](memory), on the command line.

#[cfg(test)]
extern crate self as typo3_sg_auditor;

pub mod audit;
#[cfg(feature = "aws")]
pub mod aws;
pub mod baseline;
pub mod cli;
pub mod describe;
pub mod ec2;
pub mod evaluate;
pub mod event;
pub mod finding;
#[cfg(test)]
mod hostile;
pub mod memory;
pub mod net;
pub mod report;
pub mod settings;
pub mod text;
