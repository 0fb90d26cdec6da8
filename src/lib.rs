//! Checks EC2 security groups against what a TYPO3 server needs, and closes open SSH.
//!
//! Data flows one way, and each stage hands the next one a type of its own:
//!
//! | stage | from | to | where |
//! |---|---|---|---|
//! | decode | bytes | [`Event`](event::Event): who, when, where, what was done | [`event`] |
//! | read | a plan or a template | [`DeclaredGroup`](declared::DeclaredGroup): a group as it will be, and where the file says so | [`declared`] |
//! | select | an event and what EC2 shows | a subject: place, group, rules, trigger | [`audit`], one file a trigger |
//! | judge | a rule and the [`Baseline`](baseline::Baseline) | [`Verdict`](evaluate::Verdict): the excess and what it is called | [`evaluate`], by the set algebra of [`net`] |
//! | plan | a verdict | whether a revert is due, and what it leaves | `evaluate::plan` |
//! | act | the plan | [`Action`](finding::Action): what was done, or why nothing was | [`audit`] |
//! | find | verdict and action | [`Finding`](finding::Finding) with its severity and remarks, [`Report`](finding::Report) | [`finding`] |
//! | look back | events of the past | [`Opening`](history::Opening)s: which rule exceeded the baseline, from when until when, by whom | [`history`] |
//! | remember | a report | the status of each finding, and whether it is mailed at once | [`audit`], by the rules of [`ledger`] |
//! | pack | reports and histories | `Evidence` of a period | `evidence` |
//! | report | a report | JSON, mail, Subject, terminal | [`report`], one file a renderer |
//!
//! Everything up to the report is data. Sentences are made last, in [`report`], and nothing reads
//! them back. Before that, only errors and the reason why an event is not understood
//! or changed nothing are text.
//!
//! A module imports only from the modules before it in this order. Those between two arrows do not
//! import each other, and no two files do; `tests/layers.rs` checks that:
//!
//! [`text`] → [`ec2`] → [`net`] → `words` → [`baseline`] → [`settings`] → [`event`],
//! [`declared`] → [`evaluate`] → [`finding`] → [`ledger`] → [`audit`], [`history`] → `evidence` →
//! [`report`] → [`memory`], `aws`, [`describe`] → `doctor` → [`cli`]
//!
//! Only `aws` (behind the feature of that name) knows the AWS SDK. The same
//! [`Auditor`](audit::Auditor) runs in the Lambda function and, against an
//! [EC2 in memory](memory::MemoryEc2), on the command line.
//!
//! Where to look:
//!
//! | what | file |
//! |---|---|
//! | an id is parsed | `ec2/ids.rs` |
//! | a CloudTrail record becomes an event | `event/cloudtrail.rs`, for security groups |
//! | what a schedule asks for, and what the function asks of itself | `event/job.rs`; `event/payload.rs` has the JSON |
//! | a group is audited | `audit/group.rs`; `audit/subject.rs` has the loop that judges its rules |
//! | a rule is judged | `evaluate/judge.rs` |
//! | a finding gets its severity | `evaluate/severity.rs`; `finding/origin.rs` lowers it for the rules that EC2 gives a default group, `audit/recheck.rs` raises it where SSH is still open |
//! | what a reverted rule leaves | `evaluate/plan.rs` |
//! | a rule is revoked | `audit/revert.rs`; `audit/act.rs` decides whether |
//! | the shell lines `fix`, `complete` and `undo` | `ec2/command.rs` |
//! | a hold is read from tags and checked | `ec2/hold.rs` |
//! | the fingerprint of a finding | `finding/identity.rs` |
//! | the Subject of a mail | `report/subject.rs` |
//! | an AWS error is worth a retry | `aws/error.rs`; the audit asks `is_transient` in `ec2/port.rs` |
//! | a check of the deployed stack | `doctor/`, one file a topic |

pub mod audit;
#[cfg(feature = "aws")]
pub mod aws;
pub mod baseline;
pub mod cli;
pub mod declared;
pub mod describe;
pub(crate) mod doctor;
pub mod ec2;
pub mod evaluate;
pub mod event;
pub(crate) mod evidence;
pub mod finding;
pub mod history;
pub mod ledger;
pub mod memory;
pub mod net;
pub mod report;
pub mod settings;
pub mod text;
pub(crate) mod words;
