//! Security groups that do not exist yet: what plans of Terraform and templates of CloudFormation
//! declare.
//!
//! From a file, a reader makes the groups and rules that EC2 would list after the change, so the same
//! code judges them. Only files have two more things: the [`Location`] of each rule, and
//! [`Unknown`] values, which are decided when the change is made. A rule with an unknown value is made
//! as wide as it can become, and the result is called undecided. Nothing that may admit traffic is
//! left out.

mod model;
mod template;
mod terraform;

pub use model::{
    Declarations, DeclaredGroup, DeclaredRule, Language, Location, PlanError, ResourceError,
    TemplateError, Unknown, Why,
};
pub use template::{TemplateFile, resource, template};
pub use terraform::{TfFile, plan};
