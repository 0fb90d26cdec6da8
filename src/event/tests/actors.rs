//! What kind of caller a record tells of.

use serde_json::{Value, json};

use super::super::ActorType;
use super::{event, open_ssh};

fn actor(identity: Value, agent: &str) -> ActorType {
    let mut record = open_ssh();
    record["userIdentity"] = identity;
    record["userAgent"] = json!(agent);
    event(&record).record.actor_type
}

fn user() -> Value {
    json!({"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/operator"})
}

fn root() -> Value {
    json!({"type": "Root", "arn": "arn:aws:iam::123456789012:root"})
}

fn session(role: &str, name: &str) -> Value {
    let arn = format!("arn:aws:sts::123456789012:assumed-role/{role}/{name}");
    json!({"type": "AssumedRole", "arn": arn})
}

fn invoked_by(mut identity: Value, service: &str) -> Value {
    identity["invokedBy"] = json!(service);
    identity
}

const CLI: &str =
    "aws-cli/2.17.32 md/Botocore#2.0.0 md/command#ec2.authorize-security-group-ingress";
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/122.0.0.0";

#[test]
fn people() {
    for identity in [
        user(),
        json!({"arn": "arn:aws:iam::123456789012:user/path/operator"}),
        json!({"type": "SAMLUser", "principalId": "x"}),
        json!({"type": "IdentityCenterUser"}),
        session("AWSReservedSSO_Admin_0123456789abcdef", "operator"),
        session("admin", "operator@example.com"),
        // The console of a user acts through its sign-in.
        invoked_by(user(), "signin.amazonaws.com"),
        invoked_by(session("admin", "operator"), "signin.amazonaws.com"),
    ] {
        assert_eq!(actor(identity.clone(), CLI), ActorType::Person, "{identity}");
    }
    for agent in ["console.ec2.amazonaws.com", "signin.amazonaws.com", BROWSER, "[AWS-Console]"] {
        assert_eq!(actor(session("admin", "operator"), agent), ActorType::Person, "{agent}");
    }
    // Some tools write the mark of the console as a string.
    for mark in [json!(true), json!("true")] {
        let mut record = open_ssh();
        record["userIdentity"] = session("admin", "operator");
        record["sessionCredentialFromConsole"] = mark;
        assert_eq!(event(&record).record.actor_type, ActorType::Person);
    }
}

#[test]
fn the_root_user() {
    for agent in [CLI, BROWSER, "Terraform/1.9.0"] {
        assert_eq!(actor(root(), agent), ActorType::Root, "{agent}");
    }
    let by_arn = json!({"arn": "arn:aws:iam::123456789012:root"});
    assert_eq!(actor(by_arn, CLI), ActorType::Root);
}

#[test]
fn sessions_of_roles() {
    for (role, name) in [
        ("web", "i-0123456789abcdef0"),
        ("deploy", "GitHubActions"),
        ("lambda", "backup"),
        ("tester", ""),
    ] {
        assert_eq!(actor(session(role, name), CLI), ActorType::RoleSession, "{role}/{name}");
    }
    let without_arn = json!({"type": "AssumedRole"});
    assert_eq!(actor(without_arn, CLI), ActorType::RoleSession);
}

#[test]
fn services_of_aws() {
    for identity in [
        json!({"type": "AWSService", "invokedBy": "inspector2.amazonaws.com"}),
        json!({"type": "AWSService"}),
        json!({"invokedBy": "ec2.amazonaws.com"}),
        invoked_by(user(), "ssm.amazonaws.com"),
        invoked_by(root(), "eks.amazonaws.com.cn"),
        session("AWSServiceRoleForAmazonEKS", "EKS"),
    ] {
        assert_eq!(actor(identity.clone(), CLI), ActorType::AwsService, "{identity}");
    }
}

#[test]
fn infrastructure_tools() {
    for identity in [
        invoked_by(user(), "cloudformation.amazonaws.com"),
        invoked_by(root(), "CloudFormation.amazonaws.com"),
        session("deploy", "terraform-run-4711"),
        session("cdk-deploy-role", "aws-cdk-operator"),
        session("lbc", "aws-load-balancer-controller-1730000000"),
        session("pods", "eks-shop-aws-load-b-0123"),
        session("cluster", "AmazonEKSClusterSession"),
    ] {
        assert_eq!(actor(identity.clone(), CLI), ActorType::InfrastructureTool, "{identity}");
    }
    for agent in [
        "APN/1.0 HashiCorp/1.0 Terraform/1.1.2 (+https://www.terraform.io) aws-sdk-go/1.44.157",
        "APN/1.0 HashiCorp/1.0 Terraform/1.9.0 terraform-provider-aws/5.60.0",
        "OpenTofu/1.8.0 (+https://opentofu.org)",
        "APN/1.0 Pulumi/1.0 PulumiAWS/6.0",
        "aws-cdk/2.150.0",
        "elbv2.k8s.aws/v2.8.0 aws-sdk-go/1.51.0 (go1.22; linux; amd64)",
        "[kubernetes/v1.29.0 aws-sdk-go/1.44]",
    ] {
        assert_eq!(actor(user(), agent), ActorType::InfrastructureTool, "{agent}");
        let session = session("deploy", "run");
        assert_eq!(actor(session, agent), ActorType::InfrastructureTool, "{agent}");
    }
}

#[test]
fn a_word_within_another_is_no_tool() {
    for agent in ["cdkiller/1.0", "my-terraform-notes/1", "not-kubernetes/1", "aws-cli/2 (pulumi"] {
        let expected = match agent {
            // A comment is a product as well as another.
            "aws-cli/2 (pulumi" => ActorType::InfrastructureTool,
            _ => ActorType::Person,
        };
        assert_eq!(actor(user(), agent), expected, "{agent}");
    }
}

#[test]
fn what_a_record_does_not_tell_is_unknown() {
    for identity in [
        Value::Null,
        json!({}),
        json!("x"),
        json!({"type": ["Root"], "arn": {}}),
        json!({"type": "AWSAccount", "accountId": "210987654321"}),
        json!({"type": "WebIdentityUser", "userName": "operator"}),
    ] {
        assert_eq!(actor(identity.clone(), CLI), ActorType::Unknown, "{identity}");
    }
}

#[test]
fn each_type_is_written_as_one_word() {
    for (actor, word) in [
        (ActorType::Person, "person"),
        (ActorType::Root, "root"),
        (ActorType::RoleSession, "role-session"),
        (ActorType::AwsService, "aws-service"),
        (ActorType::InfrastructureTool, "infrastructure-tool"),
        (ActorType::Unknown, "unknown"),
    ] {
        assert_eq!(actor.as_str(), word);
        assert_eq!(serde_json::to_value(actor).unwrap(), word);
        assert_eq!(serde_json::from_value::<ActorType>(json!(word)).unwrap(), actor);
    }
    // Of a later version of the function.
    assert_eq!(serde_json::from_value::<ActorType>(json!("robot")).unwrap(), ActorType::Unknown);
}
