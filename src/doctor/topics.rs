//! The topics: who may publish, and who gets the messages.

use serde_json::{Value, json};

use super::aws::AwsError;
use super::check::{Check, Difference, Fact, Remedy, State, Topic};
use super::resolve::word;
use super::same::{canonical_text, listed, policy};
use super::stack::{Resource, array, text};
use super::view::{View, check, each, fault, fine, not_seen, warning};
use crate::ec2::Arn;

const TOPIC: &str = "AWS::SNS::Topic";
const SUBSCRIPTION: &str = "AWS::SNS::Subscription";
/// What SNS has in the place of an ARN until somebody clicks the link.
const PENDING: &str = "pendingconfirmation";

pub(super) fn checks(view: &View<'_>) -> Vec<Check> {
    let topics: Vec<&Resource> = view.stack.of_kind(TOPIC).collect();
    each(&topics, |topic| of_topic(view, topic)).concat()
}

fn of_topic(view: &View<'_>, topic: &Resource) -> Vec<Check> {
    let name = topic.name.as_str();
    let about = ["--topic-arn", topic.id.as_str()];
    let is = match view.call(&[&["sns", "get-topic-attributes"][..], &about].concat()) {
        Ok(is) => is.get("Attributes").cloned().unwrap_or_default(),
        Err(AwsError::NotThere { .. }) => {
            return vec![fault(Topic::Topic, name, Fact::TopicGone, again(view, topic))];
        }
        Err(error) => return vec![not_seen(Topic::Topic, name, error)],
    };
    let mut checks = Vec::new();
    if let Some(should) = published_by(view, topic)
        && is.get("Policy").map(policy) != Some(policy(should))
    {
        checks.push(fault(
            Topic::Topic,
            name,
            Fact::TopicPolicy,
            set(view, topic, "Policy", &should.to_string()),
        ));
    }
    let key = |of: Option<&Value>| of.map(word).unwrap_or_default();
    let (is, should) = (key(is.get("KmsMasterKeyId")), key(topic.get("KmsMasterKeyId")));
    // A key has an id and an ARN that ends with it.
    if is != should && (should.is_empty() || !is.ends_with(&format!("/{should}"))) {
        let mend = set(view, topic, "KmsMasterKeyId", &should);
        let difference = Difference { name: "KmsMasterKeyId".to_owned(), is, should };
        checks.push(fault(Topic::Topic, name, Fact::TopicKey { difference }, mend));
    }
    if checks.is_empty() {
        checks.push(fine(Topic::Topic, name, Fact::TopicFine));
    }
    match view.call(&[&["sns", "list-subscriptions-by-topic"][..], &about].concat()) {
        Ok(is) => checks.extend(subscriptions(view, topic, &is)),
        Err(error) => checks.push(not_seen(Topic::Subscription, name, error)),
    }
    checks
}

/// The policy that the template gives a topic.
fn published_by<'a>(view: &'a View<'_>, topic: &Resource) -> Option<&'a Value> {
    let mut policies = view.stack.of_kind("AWS::SNS::TopicPolicy");
    let of_topic = policies.find(|it| listed(it.get("Topics")).iter().any(|arn| *arn == topic.id));
    of_topic?.get("PolicyDocument")
}

fn set(view: &View<'_>, topic: &Resource, attribute: &str, value: &str) -> Remedy {
    let words = ["sns", "set-topic-attributes", "--topic-arn", &topic.id];
    view.mend(&[&words[..], &["--attribute-name", attribute, "--attribute-value", value]].concat())
}

/// Makes a topic again that was deleted, with its subscriptions.
fn again(view: &View<'_>, topic: &Resource) -> Remedy {
    let name = Arn::parse(&topic.id).map_or(topic.id.as_str(), |arn| arn.resource);
    let mut mend = view.mend(&["sns", "create-topic", "--name", name]);
    for attribute in ["DisplayName", "KmsMasterKeyId"] {
        if let Some(value) = topic.text(attribute) {
            mend = mend.then(set(view, topic, attribute, &value));
        }
    }
    if let Some(policy) = published_by(view, topic) {
        mend = mend.then(set(view, topic, "Policy", &policy.to_string()));
    }
    for subscription in of(view, topic) {
        mend = mend.then(subscribe(view, subscription));
    }
    mend
}

/// The subscriptions that the template gives a topic.
fn of<'a>(view: &'a View<'_>, topic: &'a Resource) -> impl Iterator<Item = &'a Resource> {
    let all = view.stack.of_kind(SUBSCRIPTION);
    all.filter(|it| it.text("TopicArn").as_deref() == Some(topic.id.as_str()))
}

/// For a mail address that has not confirmed, SNS sends the mail again.
fn subscribe(view: &View<'_>, subscription: &Resource) -> Remedy {
    let [topic, protocol, endpoint] =
        ["TopicArn", "Protocol", "Endpoint"].map(|it| subscription.text(it).unwrap_or_default());
    let mut words = vec!["sns", "subscribe", "--topic-arn", &topic];
    words.extend(["--protocol", &protocol, "--notification-endpoint", &endpoint]);
    let mut attributes = serde_json::Map::new();
    for name in ["FilterPolicy", "FilterPolicyScope", "RawMessageDelivery"] {
        if let Some(value) = subscription.get(name) {
            attributes.insert(name.to_owned(), word(value).into());
        }
    }
    let attributes = Value::from(attributes).to_string();
    if attributes != "{}" {
        words.extend(["--attributes", &attributes]);
    }
    view.mend(&words)
}

fn subscriptions(view: &View<'_>, topic: &Resource, is: &Value) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut others: Vec<&Value> = array(is, "Subscriptions").iter().collect();
    let mut expected = 0_usize;
    for should in of(view, topic) {
        expected += 1;
        let endpoint = should.text("Endpoint").unwrap_or_default();
        let same = |it: &&Value| {
            text(it, "Endpoint") == endpoint
                && Some(text(it, "Protocol")) == should.text("Protocol").as_deref()
        };
        // There may be a deleted one beside a new one.
        let mut found: Vec<&Value> = others.iter().copied().filter(same).collect();
        found.sort_by_key(|it| state(it));
        others.retain(|it| !same(it));
        let topic = Topic::Subscription;
        let name = should.name.as_str();
        checks.push(match found.first().map(|it| (state(it), text(it, "SubscriptionArn"))) {
            Some((SubscriptionState::Confirmed, arn)) => match filtered(view, should, arn) {
                Ok(true) => fine(topic, name, Fact::Confirmed { endpoint }),
                Ok(false) => {
                    let policy = should.get("FilterPolicy").map_or("{}".to_owned(), word);
                    let set = ["sns", "set-subscription-attributes", "--subscription-arn", arn];
                    let value = ["--attribute-name", "FilterPolicy", "--attribute-value", &policy];
                    let mend = view.mend(&[&set[..], &value].concat());
                    fault(topic, name, Fact::FilterDiffers { endpoint }, mend)
                }
                Err(error) => not_seen(topic, name, error),
            },
            Some((SubscriptionState::Pending, _)) => {
                fault(topic, name, Fact::Unconfirmed { endpoint }, subscribe(view, should))
            }
            Some((SubscriptionState::Deleted, _)) | None => {
                fault(topic, name, Fact::SubscriptionGone { endpoint }, subscribe(view, should))
            }
        });
    }
    let name = topic.name.as_str();
    for other in others.iter().filter(|it| state(it) == SubscriptionState::Pending) {
        let endpoint = text(other, "Endpoint").to_owned();
        let words =
            ["sns", "subscribe", "--topic-arn", &topic.id, "--protocol", text(other, "Protocol")];
        let mend = view.mend(&[&words[..], &["--notification-endpoint", &endpoint]].concat());
        let fact = Fact::OtherUnconfirmed { endpoint };
        checks.push(warning(Topic::Subscription, name, fact, Some(mend)));
    }
    if expected == 0 && !others.iter().any(|it| state(it) == SubscriptionState::Confirmed) {
        let words = ["sns", "subscribe", "--topic-arn", &topic.id, "--protocol", "email"];
        let mend =
            view.mend(&[&words[..], &["--notification-endpoint", "you@example.com"]].concat());
        let fact = Fact::NobodySubscribed;
        checks.push(check(Topic::Subscription, name, State::Warning, fact, Some(mend)));
    }
    checks
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum SubscriptionState {
    Confirmed,
    Pending,
    Deleted,
}

fn state(subscription: &Value) -> SubscriptionState {
    let arn = text(subscription, "SubscriptionArn");
    match arn.to_lowercase().replace(' ', "").as_str() {
        PENDING => SubscriptionState::Pending,
        "deleted" => SubscriptionState::Deleted,
        _ => SubscriptionState::Confirmed,
    }
}

/// Whether a subscription has the filter of the template.
fn filtered(view: &View<'_>, should: &Resource, arn: &str) -> Result<bool, AwsError> {
    let is = view.call(&["sns", "get-subscription-attributes", "--subscription-arn", arn])?;
    let attributes = is.get("Attributes").cloned().unwrap_or_default();
    // No filter has more than one form.
    let policy = |of: Option<&Value>| {
        of.map(canonical_text).filter(|it| *it != json!({}) && *it != json!(""))
    };
    Ok(policy(attributes.get("FilterPolicy")) == policy(should.get("FilterPolicy")))
}
