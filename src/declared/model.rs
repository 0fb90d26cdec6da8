use std::collections::BTreeSet;

use thiserror::Error;

use crate::baseline::Lists;
use crate::ec2::{Group, ListId, ListNames, Place, Rule};
use crate::text::in_backticks;
use crate::text::yaml::YamlFaultKind;

/// The language of a file that declares groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Terraform or OpenTofu.
    Terraform,
    /// CloudFormation, and what becomes it: SAM and CDK.
    CloudFormation,
}

/// Where a file declares something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file's language.
    pub language: Language,
    /// The address of the resource, or its logical id.
    pub address: String,
    /// The block or the property of the resource; `None` where the resource is nothing but a rule.
    pub part: Option<String>,
    /// The argument or the property that names the peers of a rule.
    pub peer: Option<&'static str>,
    /// The path of the file with the source, where it is known.
    pub file: Option<String>,
    /// The line in it, counted from 1.
    pub line: Option<usize>,
    /// What is not known yet of what is declared there.
    pub unknown: Vec<Unknown>,
    /// Whether it is there already, as it is declared.
    pub exists: bool,
}

/// A value that is not known before the change is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The argument or the property, as the file calls it.
    pub name: String,
    /// Why its value is not known.
    pub why: Why,
}

/// Why a value is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is known only after the change. Holds what it is made of, where the file tells.
    AfterApply(Vec<String>),
    /// It is the value of a parameter that has no default and was not given.
    Parameter(String),
    /// Something other than the file decides it: an import, a transform, a parameter of Systems
    /// Manager. Holds the function or the parameter.
    Elsewhere(String),
}

/// A rule as a file declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredRule {
    /// The rule, as wide as it can become where something of it is unknown.
    pub rule: Rule,
    /// Where it is declared.
    pub location: Location,
    /// Whether the change adds it, or changes what it admits.
    pub is_new: bool,
    /// Whether its protocol or its ports are unknown, so that it may admit less than the rule here.
    pub is_wider_than_known: bool,
}

/// A group as it will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredGroup {
    /// Its account and region, where they are known.
    pub place: Place,
    /// The group. Its id is its address where it does not exist yet. Where its tags are not known, it
    /// may be in scope.
    pub group: Group,
    /// Where it is declared. For rules of a group that the file does not declare, where the first of
    /// these is.
    pub location: Location,
    /// All its rules after the change, as far as the file tells.
    pub rules: Vec<DeclaredRule>,
    /// The rules that it has now and will not have after the change.
    pub removed: Vec<Rule>,
}

/// What a file declares.
#[derive(Clone, Debug, Default)]
pub struct Declarations {
    /// The groups, in the order of the file.
    pub groups: Vec<DeclaredGroup>,
    /// The entries of prefix lists, as far as they are known.
    pub lists: Lists,
    /// The names of prefix lists.
    pub names: ListNames,
    /// The lists whose entries the change adds or changes.
    pub changed_lists: BTreeSet<ListId>,
}

/// Why a plan could not be read.
#[derive(Debug, Error)]
pub enum PlanError {
    /// The file is empty.
    #[error("the file is empty: write what `terraform show -json PLAN` prints into it")]
    Empty,
    /// The file is neither UTF-8 nor UTF-16.
    #[error("this is not text: give what `terraform show -json PLAN` prints, not the plan itself")]
    NotText,
    /// The file is not JSON.
    #[error(
        "this is not JSON at line {}: give what `terraform show -json PLAN` prints, unchanged",
        .0.line()
    )]
    NotJson(#[source] serde_json::Error),
    /// The JSON is of something else, or a member of it is not what Terraform writes.
    #[error(
        "this is not a plan or a state: give what `terraform show -json PLAN` prints, unchanged"
    )]
    NotAPlan(#[source] serde_json::Error),
    /// The JSON has no `format_version`.
    #[error(
        "this is not a plan or a state, because it has no `format_version`: give what `terraform show -json PLAN` prints (a .tfstate file is another format)"
    )]
    NoVersion,
    /// The format has another major version.
    #[error(
        "its `format_version` is {}, and this sg-audit reads 1.x: use Terraform 1.1.1 or newer, or OpenTofu, and the newest sg-audit",
        in_backticks(.0)
    )]
    Version(String),
    /// Terraform could not finish the plan.
    #[error(
        "Terraform could not finish this plan, so it is not complete: look at the errors that `terraform plan` printed"
    )]
    Errored,
    /// A rule cannot be read.
    #[error("{address}: `{name}` is {}, which is no rule of EC2", in_backticks(value))]
    Rule {
        /// The resource.
        address: String,
        /// The argument.
        name: String,
        value: String,
    },
}

/// Why a template could not be read.
#[derive(Debug, Error)]
pub enum TemplateError {
    /// CloudFormation takes no template that is so large.
    #[error("this is larger than one megabyte, which CloudFormation does not take")]
    TooLong,
    /// It is neither YAML nor JSON, or too much of it.
    #[error("line {line}: {}", yaml_fault(kind))]
    Yaml {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        kind: YamlFaultKind,
    },
    #[error(
        "this is no template, because it has no `Resources`: give a template of CloudFormation or SAM, or what `cdk synth` writes"
    )]
    NotATemplate,
    /// A template contains itself, or nearly.
    #[error("its stacks are nested too deeply: does one contain itself?")]
    Nested,
    /// Its functions and conditions, or its nested templates, are too much.
    #[error("its functions, conditions and nested templates expand to too much")]
    TooMuch,
    /// A nested template cannot be read.
    #[error("{path}: {source}")]
    InNested { path: String, source: Box<TemplateError> },
    /// A loop makes resources that the file does not have.
    #[error(
        "line {line}: `Fn::ForEach` makes resources that are not in this file: give the template that CloudFormation makes of it, from `aws cloudformation get-template --template-stage Processed`"
    )]
    ForEach {
        /// The line, counted from 1.
        line: usize,
    },
    /// The template of a nested stack is no file.
    #[error("line {line}: the template `{path}` cannot be read: is it beside this one?")]
    NoFile {
        /// The line, counted from 1.
        line: usize,
        /// As the template names it.
        path: String,
    },
    /// A rule cannot be read.
    #[error("line {line}: {address}: `{name}` is {}, which is no rule of EC2", in_backticks(value))]
    Rule {
        /// The line, counted from 1.
        line: usize,
        /// The logical id.
        address: String,
        /// The property.
        name: String,
        value: String,
    },
}

/// Why a single resource could not be read.
#[derive(Debug, Error)]
pub enum ResourceError {
    /// A rule cannot be read.
    #[error("{address}: `{name}` is {}, which is no rule of EC2", in_backticks(value))]
    Rule {
        /// The logical id.
        address: String,
        /// The property.
        name: String,
        value: String,
    },
    /// Its type declares neither a group nor a rule.
    #[error("{} is no security group and no rule of one", in_backticks(.0))]
    NoGroup(String),
    /// It cannot be read at all.
    #[error(transparent)]
    Other(TemplateError),
}

/// What is wrong with YAML, in words.
fn yaml_fault(kind: &YamlFaultKind) -> String {
    match kind {
        YamlFaultKind::Syntax(info) => format!("it is neither YAML nor JSON ({info})"),
        YamlFaultKind::AliasInItself => "an alias is inside the value that it repeats".to_owned(),
        YamlFaultKind::Aliases => "its aliases expand to too much".to_owned(),
        YamlFaultKind::Depth => "it is nested too deeply".to_owned(),
    }
}
