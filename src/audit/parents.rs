//! The units around an account, asked for one after another up to the root.

use crate::ec2::{AccountId, Ec2Error, UnitId, cause};

/// What is asked for them.
pub const LIST_PARENTS: &str = "organizations:ListParents";

/// Organizations has at most five levels of units below the root ("Quotas for AWS Organizations"), and
/// a page may be empty although another one comes.
const MOST_PAGES: usize = 50;

/// A page of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParentPage {
    /// The unit or the root in which the child is.
    pub parent: Option<String>,
    /// What to ask for the next page with.
    pub next: Option<String>,
}

/// The units that an account is in: its own, those around it, and the root. `page` asks for what a
/// child is in.
///
/// # Errors
///
/// When there is no answer, and for now when the answers do not reach the root. What is known of only
/// some of the units would choose another binding.
pub async fn up_to_root(
    account: &AccountId,
    page: impl AsyncFn(&str, Option<&str>) -> Result<ParentPage, Ec2Error>,
) -> Result<Vec<UnitId>, Ec2Error> {
    let mut units: Vec<UnitId> = Vec::new();
    let (mut child, mut token) = (account.to_string(), None::<String>);
    for _ in 0..MOST_PAGES {
        let ParentPage { parent, next } = page(&child, token.as_deref()).await?;
        let Some(parent) = parent else {
            token = next.filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
            continue;
        };
        let Ok(unit) = parent.parse::<UnitId>() else { break };
        let is_root = unit.is_root();
        units.push(unit);
        if is_root {
            return Ok(units);
        }
        (child, token) = (parent, None);
    }
    let cause = cause(format!("it does not say up to the root in what {child} is"));
    Err(Ec2Error::Passing { action: LIST_PARENTS, cause })
}
