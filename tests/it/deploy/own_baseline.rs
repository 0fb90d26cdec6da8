//! A baseline of one's own from the folder `layer`, as docs/settings.md has it, with roots of trust beside it.

use std::collections::HashMap;
use std::fs;
use std::sync::OnceLock;

use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;
use serde_json::Value;

use super::opt::{self, BASELINE};
use crate::page::blocks;
use crate::support::ministack::{self, Built};
use crate::support::permission::tcp;
use crate::support::rie::Function;
use crate::support::sg_audit::repository;
use crate::support::stack::Stack;
use crate::support::tls::authority;
use crate::support::world::{ACCOUNT, Direction::Ingress, World};

const NAME: &str = "own-baseline";

/// The stack, and the folder that it was deployed from.
fn own_baseline() -> (Stack, &'static Built) {
    static DEPLOYED: OnceLock<Built> = OnceLock::new();
    let server = ministack::server();
    let built = DEPLOYED.get_or_init(|| {
        let settings = fs::read_to_string(repository().join("docs/settings.md")).expect("UTF-8");
        let (_, section) = settings.split_once("\n## `SSL_CERT_FILE`\n").expect("the section");
        let [line] = blocks(section, "text")[..] else { panic!("one line") };
        let variables = "\n        Variables:\n";
        let built = server.build(NAME, |template| {
            assert_eq!(template.matches(variables).count(), 1);
            template.replace(variables, &format!("{variables}{line}\n"))
        });
        fs::write(built.folder.join("layer/our-site.yaml"), BASELINE).expect("the baseline");
        fs::copy(authority(), built.folder.join("layer/roots.pem")).expect("the roots");
        opt::stand_in(&built);
        built.deploy(NAME, &[("Baseline", "/opt/our-site.yaml")]);
        opt::fill(&built, &server.stack(NAME));
        built
    });
    (server.stack(NAME), built)
}

async fn configuration(stack: &Stack) -> GetFunctionConfigurationOutput {
    let call = stack.lambda.get_function_configuration();
    call.function_name(&stack.outputs["Function"]).send().await.expect("the function")
}

#[tokio::test]
async fn the_folder_is_the_functions_layer_and_has_the_files_its_variables_name() {
    let (stack, built) = own_baseline();
    let configuration = configuration(&stack).await;
    let layers = configuration.layers.unwrap_or_default();
    let [layer] = &layers[..] else { panic!("one layer: {layers:?}") };
    let arn = layer.arn.as_deref().expect("its ARN");
    assert!(arn.contains(":layer:typo3-sg-auditor-") && arn.ends_with(":1"), "{arn}");
    let variables: HashMap<String, String> =
        configuration.environment.and_then(|it| it.variables).unwrap_or_default();
    let roots = fs::read_to_string(authority()).expect("the roots");
    for (variable, content) in [("BASELINE", BASELINE), ("SSL_CERT_FILE", &roots)] {
        // From the root, where Lambda has /opt.
        let path = variables[variable].strip_prefix('/').expect("a path");
        assert!(path.starts_with("opt/"), "{path}");
        let found = fs::read_to_string(built.folder.join(path));
        assert_eq!(found.expect(variable), content);
    }
}

/// What the baseline of that name makes of what it alone admits, and of what it does not admit.
fn assert_judged_by_it(report: &Value) {
    assert_eq!(report["baseline"]["name"], "our-site", "{report:#}");
    let findings = report["findings"].as_array().expect("findings");
    let [finding] = &findings[..] else { panic!("one finding: {report:#}") };
    assert_eq!(finding["rule"]["from_port"], 9200, "{report:#}");
}

#[tokio::test]
async fn changes_are_judged_by_it() {
    let (stack, built) = own_baseline();
    let site = World::new().await.site(ACCOUNT, ministack::REGION).await;
    let group = site.group("typo3-shop").await;
    let rules = [tcp(8983, 8983).from("198.51.100.0/24"), tcp(9200, 9200).from("198.51.100.0/24")];
    let event = site.authorize(&group, Ingress, &rules).await;
    assert_judged_by_it(&stack.report(&event).await);

    // The same with nothing between the function and what it finds in the layer.
    let world = World::new().await;
    let baseline = built.folder.join("opt/our-site.yaml");
    let baseline = ("BASELINE", baseline.to_str().expect("UTF-8"));
    let url = world.endpoint_url();
    let mut function = Function::start(&world.variables(&url, &[baseline]));
    assert_judged_by_it(&function.report(&event));
}
