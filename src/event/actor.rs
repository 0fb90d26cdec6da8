//! Which kind of caller made a change.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::wire::Node;
use crate::ec2::Arn;

/// What kind of caller made a change. Only some kinds have credentials that can be stolen from a
/// person.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum ActorType {
    /// An IAM user, or somebody who signed in: through the console, IAM Identity Center or another
    /// identity provider.
    Person,
    /// The root user of an account.
    Root,
    /// A role that a program assumed, as far as is known.
    RoleSession,
    /// An AWS service, for itself or for somebody.
    AwsService,
    /// A tool that deploys infrastructure, such as CloudFormation, Terraform or a controller of
    /// Kubernetes.
    InfrastructureTool,
    /// The record does not tell.
    #[default]
    #[serde(other)]
    Unknown,
}

/// The first words of user agents of infrastructure tools, in lower case. A product in a user agent
/// begins with one of them.
const TOOL_AGENTS: [&str; 10] = [
    "terraform",
    "opentofu",
    "pulumi",
    "aws-cdk",
    "cdk",
    "elbv2.k8s.aws",
    "aws-load-balancer-controller",
    "aws-cloud-controller-manager",
    "kube-controller-manager",
    "kubernetes",
];

/// What the names of sessions of infrastructure tools have in them, in lower case.
const TOOL_SESSIONS: [&str; 8] = [
    "terraform",
    "opentofu",
    "pulumi",
    "aws-cdk",
    "aws-load-balancer-controller",
    "aws-cloud-controller-manager",
    "kube-controller-manager",
    "amazoneks",
];

impl ActorType {
    /// The type as it is written.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The caller of a record.
    ///
    /// Only AWS writes `invokedBy` and the type of an identity. A caller chooses the user agent and
    /// mostly the name of a session, so they can only make one of an infrastructure tool or a
    /// person, and never take away that it was the root user.
    pub(super) fn of(record: Node<'_>) -> Self {
        let identity = record.member("userIdentity");
        let text = |name| identity.member(name).readable().unwrap_or_default().to_ascii_lowercase();
        let (kind, arn, service) = (text("type"), text("arn"), text("invokedBy"));
        if service == "cloudformation.amazonaws.com" {
            return Self::InfrastructureTool;
        }
        // A person at the console acts through its sign-in.
        let is_sign_in = service == "signin.amazonaws.com";
        if !is_sign_in && (kind == "awsservice" || service.contains(".amazonaws.")) {
            return Self::AwsService;
        }
        let resource = Arn::parse(&arn).map_or("", |arn| arn.resource);
        if kind == "root" || (kind.is_empty() && resource == "root") {
            return Self::Root;
        }
        let agent = record.member("userAgent").readable().unwrap_or_default().to_ascii_lowercase();
        let session = Session::of(resource);
        let by_session = session.as_ref().and_then(Session::tool_or_service);
        let by_agent = is_of_tool(&agent).then_some(Self::InfrastructureTool);
        if let Some(known) = by_session.or(by_agent) {
            return known;
        }
        let is_user = matches!(
            kind.as_str(),
            "iamuser" | "samluser" | "federateduser" | "identitycenteruser"
        );
        if is_user || (kind.is_empty() && resource.starts_with("user/")) {
            return Self::Person;
        }
        let Some(session) = session.filter(|_| kind == "assumedrole" || kind.is_empty()) else {
            return if kind == "assumedrole" { Self::RoleSession } else { Self::Unknown };
        };
        let console = record.member("sessionCredentialFromConsole");
        let is_from_console = console.value() == true || console.value() == "true";
        if is_from_console || is_sign_in || is_of_console(&agent) || session.is_of_person() {
            Self::Person
        } else {
            Self::RoleSession
        }
    }
}

/// A session of a role, as its ARN names it, in lower case.
struct Session<'a> {
    role: &'a str,
    name: &'a str,
}

impl<'a> Session<'a> {
    /// `assumed-role/ROLE/SESSION`
    fn of(resource: &'a str) -> Option<Self> {
        let session = resource.strip_prefix("assumed-role/")?;
        let (role, name) = session.split_once('/').unwrap_or((session, ""));
        Some(Self { role, name })
    }

    /// A session of a tool or of a service, by its names.
    fn tool_or_service(&self) -> Option<ActorType> {
        if self.role.starts_with("awsservicerolefor") {
            return Some(ActorType::AwsService);
        }
        // EKS Pod Identity cuts the names of long pods.
        let is_pod = self.name.starts_with("eks-") && self.name.contains("-aws-load");
        let is_tool = is_pod || TOOL_SESSIONS.iter().any(|tool| self.name.contains(tool));
        is_tool.then_some(ActorType::InfrastructureTool)
    }

    /// Whether somebody signed in for it: IAM Identity Center names its roles so, and identity
    /// providers name sessions by mail addresses.
    fn is_of_person(&self) -> bool {
        self.role.starts_with("awsreservedsso_") || self.name.contains('@')
    }
}

/// Whether a user agent, in lower case, names a product of an infrastructure tool.
fn is_of_tool(agent: &str) -> bool {
    let products = agent.split([' ', '[', ']', '(', ')', ';', ',']);
    let names = products.map(|product| product.split('/').next().unwrap_or_default());
    names.into_iter().any(|name| {
        TOOL_AGENTS.iter().any(|tool| {
            // `terraform-provider-aws`, `pulumiaws`, but not `cdkfoo`.
            name.strip_prefix(tool).is_some_and(|rest| {
                rest.is_empty() || rest.starts_with('-') || matches!(*tool, "pulumi")
            })
        })
    })
}

/// Whether a user agent, in lower case, is that of the console or of a browser.
fn is_of_console(agent: &str) -> bool {
    let agent = agent.trim_start_matches('[');
    agent.starts_with("console.")
        || agent.starts_with("signin.")
        || agent.starts_with("aws-console")
        || agent.starts_with("mozilla/")
}
