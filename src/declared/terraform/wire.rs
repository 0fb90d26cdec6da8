//! What `terraform show -json` prints, as far as it matters here
//! (<https://developer.hashicorp.com/terraform/internals/json-format>).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// A plan or a state.
#[derive(Deserialize)]
pub(super) struct Document {
    pub format_version: Option<String>,
    #[serde(default)]
    pub errored: bool,
    #[serde(default)]
    pub variables: BTreeMap<String, Variable>,
    pub resource_changes: Option<Vec<ResourceChange>>,
    #[serde(default)]
    pub deferred_changes: Vec<DeferredChange>,
    /// A state's resources.
    pub values: Option<Values>,
    pub prior_state: Option<State>,
    #[serde(default)]
    pub configuration: Configuration,
}

#[derive(Deserialize)]
pub(super) struct Variable {
    #[serde(default)]
    pub value: Value,
}

#[derive(Deserialize)]
pub(super) struct DeferredChange {
    pub resource_change: ResourceChange,
}

#[derive(Deserialize)]
pub(super) struct State {
    pub values: Option<Values>,
}

#[derive(Deserialize)]
pub(super) struct Values {
    #[serde(default)]
    pub root_module: Module,
}

#[derive(Default, Deserialize)]
pub(super) struct Module {
    #[serde(default)]
    pub address: String,
    #[serde(default)]
    pub resources: Vec<Resource>,
    #[serde(default)]
    pub child_modules: Vec<Module>,
}

#[derive(Deserialize)]
pub(super) struct Resource {
    pub address: String,
    #[serde(default)]
    pub mode: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub name: String,
    #[serde(default)]
    pub index: Value,
    #[serde(default)]
    pub values: Value,
}

#[derive(Deserialize)]
pub(super) struct ResourceChange {
    pub address: String,
    #[serde(default)]
    pub module_address: String,
    #[serde(default)]
    pub mode: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub name: String,
    #[serde(default)]
    pub index: Value,
    /// An object that is left over from a replacement that failed, and is to be deleted.
    pub deposed: Option<String>,
    pub change: Change,
}

#[derive(Deserialize)]
pub(super) struct Change {
    #[serde(default)]
    pub actions: Vec<String>,
    #[serde(default)]
    pub before: Value,
    #[serde(default)]
    pub after: Value,
    #[serde(default)]
    pub after_unknown: Value,
}

#[derive(Default, Deserialize)]
pub(super) struct Configuration {
    #[serde(default)]
    pub provider_config: BTreeMap<String, Provider>,
    #[serde(default)]
    pub root_module: ConfigModule,
}

#[derive(Deserialize)]
pub(super) struct Provider {
    #[serde(default)]
    pub expressions: Map<String, Value>,
    #[serde(default)]
    pub module_address: String,
}

#[derive(Default, Deserialize)]
pub(super) struct ConfigModule {
    #[serde(default)]
    pub resources: Vec<ConfigResource>,
    #[serde(default)]
    pub module_calls: BTreeMap<String, ModuleCall>,
    #[serde(default)]
    pub outputs: BTreeMap<String, Output>,
}

#[derive(Deserialize)]
pub(super) struct ConfigResource {
    #[serde(default)]
    pub mode: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub name: String,
    #[serde(default)]
    pub provider_config_key: String,
    #[serde(default)]
    pub expressions: Map<String, Value>,
    #[serde(default)]
    pub for_each_expression: Value,
}

#[derive(Deserialize)]
pub(super) struct ModuleCall {
    #[serde(default)]
    pub source: String,
    #[serde(default)]
    pub expressions: Map<String, Value>,
    #[serde(default)]
    pub for_each_expression: Value,
    #[serde(default)]
    pub module: ConfigModule,
}

#[derive(Deserialize)]
pub(super) struct Output {
    #[serde(default)]
    pub expression: Value,
}

impl Module {
    /// Its resources and those of the modules in it, each with its module's address.
    pub fn each<'a>(&'a self, take: &mut impl FnMut(&'a str, &'a Resource)) {
        self.resources.iter().for_each(|resource| take(&self.address, resource));
        self.child_modules.iter().for_each(|child| child.each(take));
    }
}
