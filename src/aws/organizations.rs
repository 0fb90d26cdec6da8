//! The accounts of an organisation.

use aws_config::SdkConfig;
use aws_sdk_organizations::Client;
use aws_sdk_organizations::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_organizations::types::{Account, AccountState, AccountStatus};

use super::error::{ec2_error, may_pass};
use crate::audit::run::{Directory, PortError, Which};
use crate::audit::{Ec2Future, LIST_PARENTS, ParentPage, Parents, up_to_root};
use crate::ec2::{AccountId, Ec2Error, UnitId, cause};

/// AWS Organizations, as the management account or a delegated administrator reads it.
#[derive(Debug)]
pub struct AwsOrganizations {
    config: SdkConfig,
}

impl AwsOrganizations {
    /// Organizations as these credentials reach it.
    pub fn new(config: &SdkConfig) -> Self {
        Self { config: config.clone() }
    }
}

impl Directory for AwsOrganizations {
    async fn accounts(&self, which: &Which) -> Result<Vec<AccountId>, PortError> {
        let client = Client::new(&self.config);
        let mut accounts = Vec::new();
        match which {
            Which::Account(account) => accounts.push(account.clone()),
            Which::Organization => {
                let mut pages = client.list_accounts().into_paginator().send();
                while let Some(page) = pages.next().await {
                    let page = page.map_err(|error| failed("ListAccounts", error))?;
                    accounts.extend(page.accounts().iter().filter_map(active));
                }
            }
            Which::Unit(unit) => {
                let mut units = vec![unit.as_str().to_owned()];
                while let Some(parent) = units.pop() {
                    of_parent(&client, &parent, &mut accounts).await?;
                    units.extend(units_in(&client, &parent).await?);
                }
            }
        }
        Ok(accounts)
    }
}

impl Parents for AwsOrganizations {
    fn units<'a>(&'a self, account: &'a AccountId) -> Ec2Future<'a, Vec<UnitId>> {
        Box::pin(async move {
            let client = Client::new(&self.config);
            let page = async |child: &str, token: Option<&str>| -> Result<ParentPage, Ec2Error> {
                let asked = client.list_parents().child_id(child);
                let answer = asked.set_next_token(token.map(str::to_owned)).send().await;
                let answer = answer.map_err(|error| ec2_error(LIST_PARENTS, None, error))?;
                Ok(ParentPage {
                    parent: answer.parents().iter().find_map(|it| it.id()).map(str::to_owned),
                    next: answer.next_token().map(str::to_owned),
                })
            };
            up_to_root(account, page).await
        })
    }
}

/// The accounts that are in a unit itself.
async fn of_parent(
    client: &Client,
    parent: &str,
    accounts: &mut Vec<AccountId>,
) -> Result<(), PortError> {
    let mut pages = client.list_accounts_for_parent().parent_id(parent).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| failed("ListAccountsForParent", error))?;
        accounts.extend(page.accounts().iter().filter_map(active));
    }
    Ok(())
}

/// The units that are in a unit.
async fn units_in(client: &Client, parent: &str) -> Result<Vec<String>, PortError> {
    let mut units = Vec::new();
    let mut pages =
        client.list_organizational_units_for_parent().parent_id(parent).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| failed("ListOrganizationalUnitsForParent", error))?;
        units
            .extend(page.organizational_units().iter().filter_map(|it| it.id().map(str::to_owned)));
    }
    Ok(units)
}

/// The account's id, where it is active. `Status` is what `State` was called before.
fn active(account: &Account) -> Option<AccountId> {
    let is_active = match (account.state(), account.status()) {
        (Some(state), _) => *state == AccountState::Active,
        (None, Some(status)) => *status == AccountStatus::Active,
        (None, None) => false,
    };
    account.id().filter(|_| is_active)?.parse().ok()
}

fn failed<E>(action: &'static str, error: SdkError<E>) -> PortError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let is_transient = may_pass(&error);
    let cause = match error.as_service_error() {
        Some(answer) => {
            let (code, message) = (answer.code(), answer.message());
            cause(format!("{}: {}", code.unwrap_or("error"), message.unwrap_or("no message")))
        }
        None => cause(error),
    };
    PortError { action, cause, is_transient }
}
