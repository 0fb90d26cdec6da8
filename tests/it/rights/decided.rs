//! What IAM decides about a request by a policy, as far as the policies of the templates go.

use std::collections::BTreeMap;

use serde_json::Value;

/// Who asks: the ARN of a role or a service's name, and the account.
pub struct Caller<'a> {
    pub arn: &'a str,
    pub account: &'a str,
}

/// The condition keys of a request with their values.
pub type Context<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// Whether the statements allow it, deny it, or say nothing of it.
pub fn decided(statements: &[&Value], caller: &Caller<'_>, context: &Context<'_>) -> Option<bool> {
    let mut decision = None;
    for statement in statements {
        let of_caller = statement.get("Principal").is_none_or(|it| is_caller(it, caller));
        let condition = statement.get("Condition");
        if of_caller && condition.is_none_or(|condition| holds(condition, context)) {
            if statement["Effect"] == "Deny" {
                return Some(false);
            }
            assert_eq!(statement["Effect"], "Allow");
            decision = Some(true);
        }
    }
    decision
}

fn is_caller(principal: &Value, caller: &Caller<'_>) -> bool {
    if principal == "*" {
        return true;
    }
    let members = principal.as_object().expect("principals");
    members.iter().any(|(kind, named)| match kind.as_str() {
        "AWS" => texts(named).iter().any(|name| *name == caller.arn || *name == caller.account),
        "Service" => texts(named).contains(&caller.arn),
        other => panic!("{other}"),
    })
}

fn holds(condition: &Value, context: &Context<'_>) -> bool {
    let operators = condition.as_object().expect("operators");
    operators.iter().all(|(operator, keys)| {
        let keys = keys.as_object().expect("keys");
        keys.iter().all(|(key, wanted)| {
            let wanted = texts(wanted);
            let found = context.get(key.as_str());
            match operator.as_str() {
                "StringEquals" | "ArnEquals" => {
                    found.is_some_and(|it| it.iter().any(|value| wanted.contains(value)))
                }
                "ArnNotEquals" => {
                    found.is_none_or(|it| it.iter().all(|value| !wanted.contains(value)))
                }
                "ForAllValues:StringEquals" => {
                    found.is_none_or(|it| it.iter().all(|value| wanted.contains(value)))
                }
                other => panic!("{other}"),
            }
        })
    })
}

/// One text, or several.
fn texts(value: &Value) -> Vec<&str> {
    let several = value.as_array().into_iter().flatten();
    value.as_str().into_iter().chain(several.filter_map(Value::as_str)).collect()
}
