//! The network as it is in AWS: TLS to EC2 and to SNS, connections that stand before the first event, and those that
//! break off while Lambda has the function frozen.

use std::net::TcpListener;

use serde_json::Value;

use crate::reverts::{REVERT, finding};
use crate::support::permission::{Permission, tcp};
use crate::support::rie::Function;
use crate::support::runtime_api::Process;
use crate::support::tls::{ELSEWHERE, REACHED, Tls, authority};
use crate::support::world::{Direction::Ingress, Group, World};

/// The SSH sources of [`REVERT`], which are what is left of a rule that is open.
const OFFICE: &str = "203.0.113.0/24";
const OFFICE_IPV6: &str = "2001:db8:1::/48";

/// EC2 and SNS, each a server of its own, in front of a world's endpoint.
struct Services {
    ec2: Tls,
    sns: Tls,
    urls: [String; 2],
    authority: String,
}

impl Services {
    fn of(world: &World) -> Self {
        Self::named(world, REACHED)
    }

    fn named(world: &World, name: &str) -> Self {
        let [ec2, sns] = [(); 2].map(|()| Tls::before(world.endpoint_port(), name));
        let urls = [ec2.url(), sns.url()];
        Self { ec2, sns, urls, authority: authority() }
    }

    /// The function's environment, with these servers' authority as the one to be trusted.
    fn variables<'a>(&'a self, world: &'a World) -> Vec<(&'a str, &'a str)> {
        let mut variables = self.untrusted(world);
        variables.push(("SSL_CERT_FILE", &self.authority));
        variables
    }

    /// The same without a word on whom to trust, so that it is whom the machine trusts.
    fn untrusted<'a>(&'a self, world: &'a World) -> Vec<(&'a str, &'a str)> {
        let [ec2, sns] = &self.urls;
        let mut settings = REVERT.to_vec();
        settings.extend([("AWS_ENDPOINT_URL_EC2", ec2.as_str()), ("AWS_ENDPOINT_URL_SNS", sns)]);
        world.variables(ec2, &settings)
    }

    fn handshakes(&self) -> [usize; 2] {
        [self.ec2.handshakes(), self.sns.handshakes()]
    }
}

async fn opened(world: &World, permission: Permission) -> (Group, Value) {
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[permission]).await;
    (group, event)
}

/// Who is let in.
async fn peers(world: &World, group: &Group) -> Vec<String> {
    let rules = world.rules(group).await.into_iter();
    rules.filter(|rule| rule.direction == Ingress).map(|rule| rule.peer).collect()
}

#[tokio::test]
async fn open_ssh_is_closed_and_told_of_over_tls() {
    let world = World::new().await;
    let (group, event) = opened(&world, tcp(22, 22).from("0.0.0.0/0")).await;
    let services = Services::of(&world);
    let mut function = Function::start(&services.variables(&world));
    let answer = function.invoke(&event);
    assert_eq!(answer.error_type(), None, "{:#}", answer.body);
    assert_eq!(peers(&world, &group).await, [OFFICE]);
    let messages = world.messages().await;
    assert_eq!(messages.len(), 1);
    assert_eq!(finding(&messages[0], 0)["remediation"]["outcome"], "narrowed");
}

#[tokio::test]
async fn both_connections_stand_before_the_function_asks_for_an_event_and_serve_it() {
    let world = World::new().await;
    let (group, event) = opened(&world, tcp(22, 22).from("0.0.0.0/0")).await;
    let services = Services::of(&world);
    let mut function = Process::start(&services.variables(&world));
    function.asks();
    assert_eq!(services.handshakes(), [1, 1]);
    assert!(world.calls().is_empty(), "opening a connection is no call of AWS's API");
    for service in [&services.ec2, &services.sns] {
        assert_eq!(service.requests(), ["GET /ping HTTP/1.1"]);
    }
    let answer = function.invoke(&event);
    assert_eq!(answer["outcome"], "noncompliant", "{answer:#}");
    assert_eq!(peers(&world, &group).await, [OFFICE]);
    assert_eq!(world.messages().await.len(), 1);
    assert_eq!(services.handshakes(), [1, 1]);
}

#[tokio::test]
async fn a_question_without_a_signature_says_nothing_of_the_function() {
    let world = World::new().await;
    let services = Services::of(&world);
    let mut function = Process::start(&services.variables(&world));
    function.asks();
    for service in [&services.ec2, &services.sns] {
        let [request] = &service.whole_requests()[..] else { panic!("one request") };
        let request = String::from_utf8_lossy(request).to_ascii_lowercase();
        for secret in ["authorization", "x-amz", "akia", "token", "amz-sdk", "user-agent"] {
            assert!(!request.contains(secret), "{secret} is in {request}");
        }
    }
}

#[tokio::test]
async fn connections_that_died_while_the_function_was_frozen() {
    let world = World::new().await;
    let (first, opens_first) = opened(&world, tcp(22, 22).from("0.0.0.0/0")).await;
    let (second, opens_second) = opened(&world, tcp(22, 22).from("::/0")).await;
    let services = Services::of(&world);
    let mut function = Process::start(&services.variables(&world));
    let close = || {
        services.ec2.close_connections();
        services.sns.close_connections();
    };
    // Those of the start, before they served anything, and those that served.
    let both = [(&first, &opens_first, OFFICE), (&second, &opens_second, OFFICE_IPV6)];
    for (group, event, office) in both {
        let answer = function.invoke_after_freeze(close, event);
        assert_eq!(answer["outcome"], "noncompliant", "{answer:#}");
        assert_eq!(peers(&world, group).await, [office]);
        assert_eq!(world.messages().await.len(), 1);
    }
    assert_eq!(services.handshakes(), [3, 3]);
    let revokes = world.calls().into_iter().filter(|call| call.action.starts_with("Revoke"));
    assert_eq!(revokes.count(), 2);
}

#[tokio::test]
async fn connections_that_were_closed_between_two_events() {
    let world = World::new().await;
    let (_, opens_first) = opened(&world, tcp(22, 22).from("0.0.0.0/0")).await;
    let (second, opens_second) = opened(&world, tcp(22, 22).from("::/0")).await;
    let services = Services::of(&world);
    let mut function = Function::start(&services.variables(&world));
    assert_eq!(function.report(&opens_first)["outcome"], "noncompliant");
    services.ec2.close_connections();
    services.sns.close_connections();
    assert_eq!(function.report(&opens_second)["outcome"], "noncompliant");
    assert_eq!(peers(&world, &second).await, [OFFICE_IPV6]);
    assert_eq!(world.messages().await.len(), 2);
}

#[tokio::test]
async fn a_server_that_an_unknown_authority_vouches_for_is_told_nothing() {
    let world = World::new().await;
    let (group, event) = opened(&world, tcp(22, 22).from("0.0.0.0/0")).await;
    let services = Services::of(&world);
    let mut variables = services.untrusted(&world);
    // The SDK for Rust knows no such variable, unlike AWS's for other languages.
    variables.push(("AWS_CA_BUNDLE", &services.authority));
    let mut function = Function::start(&variables);
    refused(&mut function, &event, &services, &world, "UnknownIssuer");
    assert_eq!(peers(&world, &group).await, ["0.0.0.0/0"]);
}

#[tokio::test]
async fn a_server_that_is_not_the_one_in_its_certificate_is_told_nothing() {
    let world = World::new().await;
    let (group, event) = opened(&world, tcp(22, 22).from("0.0.0.0/0")).await;
    let services = Services::named(&world, ELSEWHERE);
    let mut function = Function::start(&services.variables(&world));
    refused(&mut function, &event, &services, &world, "not valid for name");
    assert_eq!(peers(&world, &group).await, ["0.0.0.0/0"]);
}

/// The event is not audited and says why. It may pass, since another bundle of roots may be deployed, and until then
/// the event must not be lost.
fn refused(
    function: &mut Function,
    event: &Value,
    services: &Services,
    world: &World,
    reason: &str,
) {
    let answer = function.invoke(event);
    assert_eq!(answer.error_type(), Some("Ec2Unavailable"), "{:#}", answer.body);
    let message = answer.body["errorMessage"].as_str().expect("a message");
    assert!(message.contains(reason), "{message}");
    for service in [&services.ec2, &services.sns] {
        assert!(service.requests().is_empty(), "{:?}", service.requests());
    }
    assert!(world.calls().is_empty());
}

#[tokio::test]
async fn a_network_that_is_not_there_neither_stops_the_start_nor_the_change_that_complies() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(443, 443).from("0.0.0.0/0")]).await;
    // One takes connections and never says anything, one is not there.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let silent = format!("https://{}", silent.local_addr().expect("its address"));
    let gone = "https://127.0.0.1:1";
    for [ec2, sns] in [[silent.as_str(), gone], [gone, silent.as_str()]] {
        let settings = [("AWS_ENDPOINT_URL_EC2", ec2), ("AWS_ENDPOINT_URL_SNS", sns)];
        let mut function = Function::start(&world.variables(ec2, &settings));
        assert_eq!(function.report(&event)["outcome"], "compliant");
    }
}
