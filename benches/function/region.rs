//! A region of EC2 with many groups that comply, whose answers take as long as AWS's do.

use std::fmt::Write as _;
use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use super::support::tls;

/// How many groups it has.
pub const GROUPS: usize = 2000;
/// How many are on a page.
const PAGE: usize = 100;
/// How long an answer takes.
pub const EACH: Duration = Duration::from_millis(50);

/// The rules of each group: whether it is egress, its protocol, its port, its peer.
const RULES: [(bool, &str, i32, &str); 5] = [
    (false, "tcp", 80, "<cidrIpv4>0.0.0.0/0</cidrIpv4>"),
    (false, "tcp", 443, "<cidrIpv4>0.0.0.0/0</cidrIpv4>"),
    (false, "tcp", 80, "<cidrIpv6>::/0</cidrIpv6>"),
    (false, "tcp", 443, "<cidrIpv6>::/0</cidrIpv6>"),
    (true, "-1", -1, "<cidrIpv4>0.0.0.0/0</cidrIpv4>"),
];

/// What `AWS_ENDPOINT_URL_EC2` is set to. It answers for as long as the process lives.
pub fn url() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A connection that breaks off is the caller's to notice.
            std::thread::spawn(move || serve(client).unwrap_or_default());
        }
    });
    format!("http://127.0.0.1:{port}")
}

/// Requests and their answers, until the other side closes.
fn serve(client: TcpStream) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let mut reader = BufReader::new(client.try_clone()?);
    let mut client = client;
    while let Some(request) = tls::read(&mut reader)? {
        std::thread::sleep(EACH);
        let request = String::from_utf8_lossy(&request);
        let (_, body) = request.split_once("\r\n\r\n").expect("a head and a body");
        let answer = if body.contains("Action=DescribeSecurityGroupRules") {
            rules(body)
        } else {
            groups(body)
        };
        let length = answer.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\n\r\n"
        );
        client.write_all(&[head.as_bytes(), answer.as_bytes()].concat())?;
    }
    Ok(())
}

/// The page of groups that a request asks for.
fn groups(body: &str) -> String {
    let token = body.split('&').find_map(|field| field.strip_prefix("NextToken="));
    let start: usize = token.map_or(0, |token| token.parse().expect("a token of ours"));
    let end = GROUPS.min(start + PAGE);
    let mut items = String::new();
    for number in start..end {
        let item = format!(
            "<item><ownerId>123456789012</ownerId><groupId>sg-{number:017x}</groupId>\
             <groupName>typo3-{number}</groupName><groupDescription>a website</groupDescription>\
             <vpcId>vpc-0123456789abcdef0</vpcId></item>"
        );
        items.push_str(&item);
    }
    let next = if end < GROUPS { format!("<nextToken>{end}</nextToken>") } else { String::new() };
    answer(
        "DescribeSecurityGroups",
        &format!("<securityGroupInfo>{items}</securityGroupInfo>{next}"),
    )
}

/// The rules of the groups that a request names.
fn rules(body: &str) -> String {
    let fields = body.split('&').filter_map(|field| field.split_once('='));
    let named = fields.filter(|(name, _)| name.starts_with("Filter.1.Value."));
    let mut items = String::new();
    for (group, (number, rule)) in
        named.flat_map(|(_, group)| RULES.iter().enumerate().map(move |rule| (group, rule)))
    {
        let (is_egress, protocol, port, peer) = rule;
        let of_group = group.trim_start_matches("sg-");
        write!(
            items,
            "<item><securityGroupRuleId>sgr-{number}{}</securityGroupRuleId><groupId>{group}</groupId>\
             <groupOwnerId>123456789012</groupOwnerId><isEgress>{is_egress}</isEgress>\
             <ipProtocol>{protocol}</ipProtocol><fromPort>{port}</fromPort><toPort>{port}</toPort>{peer}</item>",
            &of_group[1..]
        )
        .expect("memory");
    }
    answer(
        "DescribeSecurityGroupRules",
        &format!("<securityGroupRuleSet>{items}</securityGroupRuleSet>"),
    )
}

fn answer(action: &str, content: &str) -> String {
    format!(
        "<{action}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\
         <requestId>00000000-0000-4000-8000-000000000000</requestId>{content}</{action}Response>"
    )
}
