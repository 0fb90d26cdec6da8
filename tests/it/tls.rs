//! The network as it is in AWS: TLS to EC2, SNS, STS and Lambda, connections that stand before the first event, and
//! those that break off while Lambda has the function frozen.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

use crate::reverts::{REVERT, finding};
use crate::support::permission::{Permission, tcp};
use crate::support::rie::Function;
use crate::support::runtime_api::Process;
use crate::support::tls::{ELSEWHERE, REACHED, Tls, authority};
use crate::support::world::{Direction::Ingress, Group, MEMBER, World};

/// The SSH sources of [`REVERT`], which are what is left of a rule that is open.
const OFFICE: &str = "203.0.113.0/24";
const OFFICE_IPV6: &str = "2001:db8:1::/48";

/// So many starts may take more than the two seconds that the function waits for connections: the machine may be busy.
const LATE: usize = 10;

/// What the SDK reads the addresses from, in the order of the services below.
const VARIABLES: [&str; 4] = [
    "AWS_ENDPOINT_URL_EC2",
    "AWS_ENDPOINT_URL_SNS",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_LAMBDA",
];

/// EC2, SNS, STS and Lambda, each a server of its own, in front of a world's endpoint.
struct Services {
    ec2: Tls,
    sns: Tls,
    sts: Tls,
    lambda: Tls,
    urls: [String; 4],
    authority: String,
}

impl Services {
    fn of(world: &World) -> Self {
        Self::named(world, [REACHED; 4])
    }

    /// With these names in their certificates.
    fn named(world: &World, names: [&str; 4]) -> Self {
        let [ec2, sns, sts, lambda] = names.map(|name| Tls::before(world.endpoint_port(), name));
        let urls = [&ec2, &sns, &sts, &lambda].map(Tls::url);
        Self { ec2, sns, sts, lambda, urls, authority: authority() }
    }

    /// The function's environment, with these servers' authority as the one to be trusted.
    fn variables<'a>(&'a self, world: &'a World) -> Vec<(&'a str, &'a str)> {
        let mut variables = self.untrusted(world);
        variables.push(("SSL_CERT_FILE", &self.authority));
        variables
    }

    /// The same without a word on whom to trust, so that it is whom the machine trusts.
    fn untrusted<'a>(&'a self, world: &'a World) -> Vec<(&'a str, &'a str)> {
        let urls = self.urls.iter().map(String::as_str);
        let settings: Vec<_> = REVERT.into_iter().chain(VARIABLES.into_iter().zip(urls)).collect();
        world.variables(&self.urls[0], &settings)
    }

    /// How many handshakes there were with EC2 and with SNS.
    fn handshakes(&self) -> [usize; 2] {
        [self.ec2.handshakes(), self.sns.handshakes()]
    }
}

/// The function before its first event, with its connections to EC2 and to SNS.
fn connected(world: &World) -> (Process, Services) {
    for _ in 0..LATE {
        let services = Services::of(world);
        let mut function = Process::start(&services.variables(world));
        function.asks();
        if services.handshakes() == [2, 1] && services.sns.requests().len() == 1 {
            return (function, services);
        }
    }
    panic!("the function asks for its first event without connections");
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
async fn all_connections_stand_before_the_function_asks_for_an_event_and_serve_it() {
    let world = World::new().await;
    let (group, event) = opened(&world, tcp(22, 22).from("0.0.0.0/0")).await;
    let (mut function, services) = connected(&world);
    assert!(world.calls().is_empty(), "opening a connection is no call of AWS's API");
    assert_eq!(services.ec2.requests(), ["GET /ping HTTP/1.1"; 2]);
    assert_eq!(services.sns.requests(), ["GET /ping HTTP/1.1"]);
    let answer = function.invoke(&event);
    assert_eq!(answer["outcome"], "noncompliant", "{answer:#}");
    assert_eq!(peers(&world, &group).await, [OFFICE]);
    assert_eq!(world.messages().await.len(), 1);
    assert_eq!(services.handshakes(), [2, 1]);
}

#[tokio::test]
async fn a_question_without_a_signature_says_nothing_of_the_function() {
    let world = World::new().await;
    let (_function, services) = connected(&world);
    for service in [&services.ec2, &services.sns] {
        let requests = service.whole_requests();
        assert!(!requests.is_empty());
        for request in requests {
            let request = String::from_utf8_lossy(&request).to_ascii_lowercase();
            for secret in ["authorization", "x-amz", "akia", "token", "amz-sdk", "user-agent"] {
                assert!(!request.contains(secret), "{secret} is in {request}");
            }
        }
    }
}

#[tokio::test]
async fn connections_that_died_while_the_function_was_frozen() {
    let world = World::new().await;
    let (first, opens_first) = opened(&world, tcp(22, 22).from("0.0.0.0/0")).await;
    let (second, opens_second) = opened(&world, tcp(22, 22).from("::/0")).await;
    let (mut function, services) = connected(&world);
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
    assert_eq!(services.handshakes(), [6, 3]);
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
    assert_eq!(world.report(&mut function, &opens_first)["outcome"], "noncompliant");
    services.ec2.close_connections();
    services.sns.close_connections();
    assert_eq!(world.report(&mut function, &opens_second)["outcome"], "noncompliant");
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
    let services = Services::named(&world, [ELSEWHERE; 4]);
    let mut function = Function::start(&services.variables(&world));
    refused(&mut function, &event, &services, &world, "not valid for name");
    assert_eq!(peers(&world, &group).await, ["0.0.0.0/0"]);
}

#[tokio::test]
async fn without_the_roots_that_are_named_the_function_does_not_start_and_says_why() {
    let world = World::new().await;
    let (_, event) = opened(&world, tcp(22, 22).from("0.0.0.0/0")).await;
    let services = Services::of(&world);
    let mut variables = services.untrusted(&world);
    variables.push(("SSL_CERT_FILE", "/nowhere/roots.pem"));
    let mut function = Function::start(&variables);
    // The process has ended.
    assert_eq!(function.invoke(&event).status, 502);
    function.log_line(|line| line.contains("\"WARN\"") && line.contains("/nowhere/roots.pem"));
    assert!(services.ec2.requests().is_empty() && world.calls().is_empty());
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
    for service in [&services.ec2, &services.sns, &services.sts, &services.lambda] {
        assert!(service.requests().is_empty(), "{:?}", service.requests());
    }
    assert!(world.calls().is_empty());
}

/// As in an organisation.
const MEMBERS: (&str, &str) = ("MEMBER_ROLE_NAME", "typo3-sg-auditor-member");

#[tokio::test]
async fn a_members_role_is_asked_for_over_tls() {
    let world = World::new().await;
    let member = world.site(MEMBER, &world.region).await;
    let group = member.group("typo3-member").await;
    let event = member.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    let services = Services::of(&world);
    let mut function = Function::start(&[services.variables(&world), vec![MEMBERS]].concat());
    let report = world.report(&mut function, &event);
    assert_eq!(report["findings"][0]["remediation"]["outcome"], "narrowed", "{report:#}");
    assert_eq!(services.sts.requests(), ["POST / HTTP/1.1"]);
    let asked = world.calls().into_iter().filter(|call| call.action == "AssumeRole");
    assert_eq!(asked.count(), 1);
}

#[tokio::test]
async fn an_sts_that_is_another_is_told_nothing_and_gives_no_role() {
    let world = World::new().await;
    let member = world.site(MEMBER, &world.region).await;
    let group = member.group("typo3-member").await;
    let event = member.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    let services = Services::named(&world, [REACHED, REACHED, ELSEWHERE, REACHED]);
    let mut function = Function::start(&[services.variables(&world), vec![MEMBERS]].concat());
    let answer = function.invoke(&event);
    assert_eq!(answer.error_type(), Some("Ec2Unavailable"), "{:#}", answer.body);
    assert_eq!(services.sts.requests(), [""; 0]);
    assert_eq!(member.ingress(&group).await.len(), 1);
}

/// A sweep of two regions with time for one.
#[tokio::test]
async fn the_rest_of_a_sweep_is_only_handed_on_to_a_trusted_endpoint() {
    let world = World::new().await;
    let sweep = json!({"sweep": {"regions": ["eu-central-2", "eu-south-2"]}});
    for (name, is_lambda) in [(REACHED, true), (ELSEWHERE, false)] {
        let services = Services::named(&world, [REACHED, REACHED, REACHED, name]);
        let short = ("AWS_LAMBDA_FUNCTION_TIMEOUT", "30");
        let mut function = Function::start(&[services.variables(&world), vec![short]].concat());
        let answer = function.invoke(&sweep);
        let handed_on: Vec<String> = services.lambda.requests();
        if is_lambda {
            assert_eq!(answer.body["partial"], true, "{:#}", answer.body);
            let [request] = &handed_on[..] else { panic!("{handed_on:?}") };
            let own = "POST /2015-03-31/functions/typo3-sg-auditor/invocations ";
            assert!(request.starts_with(own), "{request}");
        } else {
            assert_eq!(answer.error_type(), Some("NotHandedOn"), "{:#}", answer.body);
            assert_eq!(handed_on, [""; 0]);
        }
    }
}

/// An address that takes connections and never says anything, and tells when somebody said something to it.
fn silent() -> (String, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("https://{}", listener.local_addr().expect("its address"));
    let (sender, spoken_to) = channel();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for mut client in listener.incoming().flatten() {
            let spoke = client.read(&mut [0; 1]).is_ok_and(|read| read > 0);
            open.push(client);
            // Nobody listens any more once the test is over.
            if spoke && sender.send(()).is_err() {
                break;
            }
        }
    });
    (url, spoken_to)
}

/// An address where nobody listens, for as long as the socket is held.
fn gone() -> (String, Socket) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let any = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
    socket.bind(&any.into()).expect("a free port");
    let address = socket.local_addr().ok().and_then(|it| it.as_socket()).expect("its address");
    (format!("https://{address}"), socket)
}

#[tokio::test]
async fn a_network_that_is_not_there_neither_stops_the_start_nor_the_change_that_complies() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(443, 443).from("0.0.0.0/0")]).await;
    let ((silent, spoken_to), (gone, _held)) = (silent(), gone());
    for [ec2, sns] in [[&silent, &gone], [&gone, &silent]] {
        let settings = [("AWS_ENDPOINT_URL_EC2", ec2.as_str()), ("AWS_ENDPOINT_URL_SNS", sns)];
        let mut function = Process::start(&world.variables(ec2, &settings));
        // It goes on although it is still without an answer.
        function.asks();
        let limit = Duration::from_secs(60);
        spoken_to.recv_timeout(limit).expect("the function did try to connect");
        assert_eq!(function.invoke(&event)["outcome"], "compliant");
    }
    // As Lambda's own way to start it has it.
    let settings = [("AWS_ENDPOINT_URL_EC2", silent.as_str()), ("AWS_ENDPOINT_URL_SNS", &gone)];
    let mut function = Function::start(&world.variables(&silent, &settings));
    assert_eq!(world.report(&mut function, &event)["outcome"], "compliant");
}
