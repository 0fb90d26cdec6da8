//! Security groups that do not exist yet: what plans of Terraform and templates of CloudFormation
//! declare.
//!
//! A reader makes the same groups and rules of a file that EC2 would list after the change, so the
//! same code judges them. What such a file adds is typed: the [`Location`] of each rule in it, and
//! each [`Unknown`] value that is decided only when the change is made. A rule of which something is
//! unknown is made as wide as it can become, and its judge calls the result undecided. Nothing that
//! may admit traffic is left out.

mod model;
mod template;
mod terraform;

pub use model::{
    Declarations, DeclaredGroup, DeclaredRule, Language, Location, PlanError, ResourceError,
    TemplateError, Unknown, Why,
};
pub use template::{TemplateFile, resource, template};
pub use terraform::{TfFile, plan};
