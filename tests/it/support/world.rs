//! What a test finds and leaves in AWS: groups and their rules, the topic, and a queue that is subscribed to it.
//!
//! The test itself calls moto; the function calls it through the world's own [`Endpoint`], which notes its calls.

use std::collections::BTreeMap;
use std::fmt;
use std::process::{Command, Output, Stdio};

use aws_sdk_ec2::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_ec2::types::{
    ResourceType, SecurityGroupRule, SecurityGroupRuleUpdate, Tag, TagSpecification,
};
use serde_json::Value;

use super::endpoint::{Answer, Call, Endpoint};
use super::permission::Permission;
use super::rie::Function;
use super::{event, moto, venv};

/// moto's account.
pub const ACCOUNT: &str = "123456789012";
/// Where everything is.
pub const REGION: &str = "eu-central-1";

/// Which way a rule lets traffic through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    Ingress,
    Egress,
}

/// Spelled as in the names of EC2's calls.
impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ingress => "Ingress",
            Self::Egress => "Egress",
        })
    }
}

/// A security group in a VPC of its own.
#[derive(Debug, Clone)]
pub struct Group {
    pub id: String,
    pub name: String,
    pub vpc_id: String,
}

/// A rule as `DescribeSecurityGroupRules` lists it. Absent ports are -1, as EC2 gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub id: String,
    pub direction: Direction,
    pub protocol: String,
    pub ports: (i32, i32),
    pub peer: String,
    pub description: Option<String>,
    pub tags: BTreeMap<String, String>,
}

/// All but the id, on one line: `ingress tcp 22-22 203.0.113.0/24 "office" [ticket=4711]`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = self.direction.to_string().to_lowercase();
        write!(f, "{direction} {} {}-{} {}", self.protocol, self.ports.0, self.ports.1, self.peer)?;
        if let Some(description) = &self.description {
            write!(f, " {description:?}")?;
        }
        self.tags.iter().try_for_each(|(key, value)| write!(f, " [{key}={value}]"))
    }
}

/// A message as a queue that is subscribed to the topic gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub subject: String,
    /// The message for this kind of subscriber: the report.
    pub report: Value,
    /// Values by name; a `String.Array` is still the JSON that it travels as.
    pub attributes: BTreeMap<String, String>,
}

/// One test's part of AWS.
pub struct World {
    pub ec2: aws_sdk_ec2::Client,
    pub sns: aws_sdk_sns::Client,
    pub topic_arn: String,
    sqs: aws_sdk_sqs::Client,
    queue_url: String,
    endpoint: Endpoint,
}

impl World {
    /// A topic with a queue behind it, and no group yet.
    pub async fn new() -> Self {
        let moto = moto::server();
        let (url, region) = (moto.url(), Region::from_static(REGION));
        let credentials = Credentials::new("AKIAEXAMPLEEXAMPLE01", "secret", None, None, "tests");
        let version = BehaviorVersion::latest();
        let ec2 = aws_sdk_ec2::Client::from_conf(
            aws_sdk_ec2::Config::builder()
                .behavior_version(version)
                .endpoint_url(&url)
                .region(region.clone())
                .credentials_provider(credentials.clone())
                .build(),
        );
        let sns = aws_sdk_sns::Client::from_conf(
            aws_sdk_sns::Config::builder()
                .behavior_version(version)
                .endpoint_url(&url)
                .region(region.clone())
                .credentials_provider(credentials.clone())
                .build(),
        );
        let sqs = aws_sdk_sqs::Client::from_conf(
            aws_sdk_sqs::Config::builder()
                .behavior_version(version)
                .endpoint_url(&url)
                .region(region)
                .credentials_provider(credentials)
                .build(),
        );

        let endpoint = Endpoint::before(moto.port);
        // The endpoint's port makes the name this world's own.
        let name = format!("findings-{}", endpoint.port());
        let topic = sns.create_topic().name(&name).send().await.expect("a topic");
        let topic_arn = topic.topic_arn.expect("the topic's ARN");
        let queue = sqs.create_queue().queue_name(&name).send().await.expect("a queue");
        let queue_url = queue.queue_url.expect("the queue's URL");
        let queue_arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}");
        sns.subscribe()
            .topic_arn(&topic_arn)
            .protocol("sqs")
            .endpoint(queue_arn)
            .send()
            .await
            .expect("a subscription");
        Self { ec2, sns, topic_arn, sqs, queue_url, endpoint }
    }

    /// A new group in a new VPC, as EC2 makes it: no ingress, and egress for everything.
    pub async fn group(&self, name: &str) -> Group {
        let vpc = self.ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.expect("a VPC");
        let vpc_id = vpc.vpc.and_then(|vpc| vpc.vpc_id).expect("the VPC's id");
        let made = self
            .ec2
            .create_security_group()
            .group_name(name)
            .description(name)
            .vpc_id(&vpc_id)
            .send()
            .await;
        let id = made.expect("a group").group_id.expect("the group's id");
        Group { id, name: name.to_owned(), vpc_id }
    }

    /// Authorises, and returns the event of it.
    pub async fn authorize(
        &self,
        group: &Group,
        direction: Direction,
        permissions: &[Permission],
    ) -> Value {
        self.authorize_tagged(group, direction, permissions, &[]).await
    }

    /// Authorises with tags on the rules, and returns the event of it.
    pub async fn authorize_tagged(
        &self,
        group: &Group,
        direction: Direction,
        permissions: &[Permission],
        tags: &[(&str, &str)],
    ) -> Value {
        let before = self.rules(group).await;
        let wanted = Some(permissions.iter().map(Permission::to_sdk).collect());
        let tags = tags
            .iter()
            .map(|(key, value)| Tag::builder().key(*key).value(*value).build())
            .collect::<Vec<_>>();
        let tags = (!tags.is_empty()).then(|| {
            let rule = ResourceType::SecurityGroupRule;
            vec![TagSpecification::builder().resource_type(rule).set_tags(Some(tags)).build()]
        });
        match direction {
            Direction::Ingress => {
                let call = self.ec2.authorize_security_group_ingress().group_id(&group.id);
                call.set_ip_permissions(wanted)
                    .set_tag_specifications(tags)
                    .send()
                    .await
                    .expect("authorised");
            }
            Direction::Egress => {
                let call = self.ec2.authorize_security_group_egress().group_id(&group.id);
                call.set_ip_permissions(wanted)
                    .set_tag_specifications(tags)
                    .send()
                    .await
                    .expect("authorised");
            }
        }
        let added: Vec<Rule> =
            self.rules(group).await.into_iter().filter(|rule| !before.contains(rule)).collect();
        event::of_permissions("Authorize", group, direction, permissions, &added)
    }

    /// Revokes by content, and returns the event of it.
    pub async fn revoke(
        &self,
        group: &Group,
        direction: Direction,
        permissions: &[Permission],
    ) -> Value {
        let wanted = Some(permissions.iter().map(Permission::to_sdk).collect());
        match direction {
            Direction::Ingress => {
                let call = self.ec2.revoke_security_group_ingress().group_id(&group.id);
                call.set_ip_permissions(wanted).send().await.expect("revoked");
            }
            Direction::Egress => {
                let call = self.ec2.revoke_security_group_egress().group_id(&group.id);
                call.set_ip_permissions(wanted).send().await.expect("revoked");
            }
        }
        event::of_permissions("Revoke", group, direction, permissions, &[])
    }

    /// Changes rules in place, and returns the event of it.
    pub async fn modify(&self, group: &Group, changes: &[(&str, &Permission)]) -> Value {
        let updates = changes.iter().map(|(id, permission)| {
            let rule = permission.to_sdk_rule();
            SecurityGroupRuleUpdate::builder()
                .security_group_rule_id(*id)
                .security_group_rule(rule)
                .build()
        });
        let call = self.ec2.modify_security_group_rules().group_id(&group.id);
        call.set_security_group_rules(Some(updates.collect())).send().await.expect("modified");
        event::of_modify(group, changes)
    }

    /// The group's rules now, ordered as they read.
    pub async fn rules(&self, group: &Group) -> Vec<Rule> {
        let filter =
            aws_sdk_ec2::types::Filter::builder().name("group-id").values(&group.id).build();
        let call = self.ec2.describe_security_group_rules().filters(filter).max_results(1000);
        let rules = call.send().await.expect("rules").security_group_rules.unwrap_or_default();
        let mut rules: Vec<Rule> = rules.into_iter().map(Rule::from).collect();
        rules.sort_by_key(Rule::to_string);
        rules
    }

    /// The group's ingress rules now, one line each, ordered.
    pub async fn ingress(&self, group: &Group) -> Vec<String> {
        let rules = self.rules(group).await;
        rules
            .iter()
            .filter(|rule| rule.direction == Direction::Ingress)
            .map(Rule::to_string)
            .collect()
    }

    /// Takes the messages that are in the queue. moto delivers while it takes the message, so there is none to
    /// wait for once the function has answered.
    pub async fn messages(&self) -> Vec<Message> {
        let mut messages = Vec::new();
        loop {
            let call =
                self.sqs.receive_message().queue_url(&self.queue_url).max_number_of_messages(10);
            let received = call.send().await.expect("the queue").messages.unwrap_or_default();
            if received.is_empty() {
                return messages;
            }
            for message in received {
                messages.push(Message::from_body(&message.body.expect("a body")));
                let receipt = message.receipt_handle.expect("a receipt");
                let call =
                    self.sqs.delete_message().queue_url(&self.queue_url).receipt_handle(receipt);
                call.send().await.expect("the message is taken");
            }
        }
    }

    /// The mails that the function has published, whether or not the topic took them.
    pub fn mails(&self) -> Vec<String> {
        let published = self.calls().into_iter().filter(|call| call.action == "Publish");
        let mail = |call: Call| {
            let message: Value = serde_json::from_str(call.fields.get("Message")?).ok()?;
            message["email"].as_str().map(str::to_owned)
        };
        published
            .map(|call| mail(call).expect("a message for each protocol, with a mail"))
            .collect()
    }

    /// The function with these settings besides `TOPIC_ARN`, its calls going through this world's endpoint.
    pub fn function(&self, settings: &[(&str, &str)]) -> Function {
        let url = self.endpoint.url();
        let mut variables = vec![
            ("AWS_ENDPOINT_URL", url.as_str()),
            ("AWS_REGION", REGION),
            ("AWS_DEFAULT_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE02"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_LAMBDA_FUNCTION_NAME", "typo3-sg-auditor"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_FUNCTION_TIMEOUT", "60"),
            ("TOPIC_ARN", &self.topic_arn),
        ];
        variables.extend(settings);
        Function::start(&variables)
    }

    /// The function's calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.endpoint.calls()
    }

    /// From now on, the function's calls are answered as `decide` says.
    pub fn answer(&self, decide: impl FnMut(&Call) -> Answer + Send + 'static) {
        self.endpoint.answer(decide);
    }

    /// Runs a line in a shell that has `aws`, with no region set and nothing of the caller's own settings.
    pub fn shell(&self, line: &str) -> Output {
        let system = std::env::var("PATH").unwrap_or_default();
        Command::new("sh")
            .args(["-c", line])
            .env_clear()
            .env("PATH", format!("{}:{system}", venv::path().join("bin").display()))
            .env("HOME", venv::path())
            .env("AWS_ENDPOINT_URL", moto::server().url())
            .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE03")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_PAGER", "")
            .stdin(Stdio::null())
            .output()
            .expect("a shell")
    }
}

impl Message {
    fn from_body(body: &str) -> Self {
        let body: Value = serde_json::from_str(body).expect("a notification");
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let attributes = body["MessageAttributes"].as_object().into_iter().flatten();
        Self {
            subject: text(&body["Subject"]),
            report: serde_json::from_str(&text(&body["Message"])).expect("a report in JSON"),
            attributes: attributes
                .map(|(name, value)| (name.clone(), text(&value["Value"])))
                .collect(),
        }
    }
}

impl From<SecurityGroupRule> for Rule {
    fn from(rule: SecurityGroupRule) -> Self {
        let group = rule.referenced_group_info.and_then(|group| group.group_id);
        let peer = rule.cidr_ipv4.or(rule.cidr_ipv6).or(rule.prefix_list_id).or(group);
        let tags = rule.tags.unwrap_or_default().into_iter();
        Self {
            id: rule.security_group_rule_id.expect("a rule's id"),
            direction: if rule.is_egress == Some(true) {
                Direction::Egress
            } else {
                Direction::Ingress
            },
            protocol: rule.ip_protocol.expect("a protocol"),
            ports: (rule.from_port.unwrap_or(-1), rule.to_port.unwrap_or(-1)),
            peer: peer.expect("a peer"),
            description: rule.description.filter(|description| !description.is_empty()),
            tags: tags
                .map(|tag| (tag.key.expect("a key"), tag.value.unwrap_or_default()))
                .collect(),
        }
    }
}
