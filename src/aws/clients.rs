//! Whose credentials a place is asked with, and one client for each account and region.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Mutex;

use aws_config::identity::IdentityCache;
use aws_config::{Region, SdkConfig};
use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::SharedCredentialsProvider;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};

use super::connection_pool::locked;
use super::error::ec2_error;
use super::role::Role;
use super::truncated::RefuseTruncated;
use crate::ec2::{AccountId, Arn, Ec2Error, Place, cause};
use crate::settings::{FunctionSettings, MemberRole};

/// Clients, each built when its place is first asked for.
#[derive(Debug)]
pub(super) struct Clients {
    config: SdkConfig,
    home: Option<Home>,
    /// By role.
    credentials: Mutex<HashMap<String, SharedCredentialsProvider>>,
    clients: Mutex<HashMap<Place, Client>>,
}

/// The function's own account, and how it comes into others.
#[derive(Debug)]
struct Home {
    account: AccountId,
    partition: String,
    role: Option<MemberRole>,
}

/// A place, ready to be asked.
pub(super) struct At {
    /// What asks.
    pub(super) client: Client,
    /// The role whose credentials are used, where they are not the function's own.
    role: Option<String>,
}

impl Clients {
    /// Every place is asked with the configuration's own credentials.
    pub(super) fn new(config: SdkConfig) -> Self {
        // One for all clients, so that the regions of an account share its credentials.
        let cache = IdentityCache::lazy().build();
        let config = config.into_builder().identity_cache(cache).build();
        Self { config, home: None, credentials: Mutex::default(), clients: Mutex::default() }
    }

    /// Places in other accounts than the function's are asked with its role there.
    pub(super) fn of_function(config: SdkConfig, function: &FunctionSettings) -> Self {
        // A role is assumed within one partition, and the topic's ARN says which that is.
        let topic = Arn::parse(&function.topic_arn);
        let partition = topic.map_or("aws", |arn| arn.partition).to_owned();
        let role = function.member_role.clone();
        let home = Some(Home { account: function.account.clone(), partition, role });
        Self { home, ..Self::new(config) }
    }

    /// Places in other accounts are asked with this role there.
    #[cfg(feature = "live")]
    pub(super) fn of_members(
        config: SdkConfig,
        account: AccountId,
        partition: String,
        role: MemberRole,
    ) -> Self {
        let home = Some(Home { account, partition, role: Some(role) });
        Self { home, ..Self::new(config) }
    }

    /// Whether groups of `account` can be looked up from a place in the account `here`.
    pub(super) fn reach(&self, here: Option<&AccountId>, account: &AccountId) -> bool {
        let of_function = |home: &Home| home.role.is_some() || home.account == *account;
        here == Some(account) || self.home.as_ref().is_some_and(of_function)
    }

    /// The place, with the credentials for its account.
    ///
    /// # Errors
    ///
    /// Where there are no credentials for the place.
    pub(super) fn at(&self, place: &Place) -> Result<At, Ec2Error> {
        let role = self.role(place.account.as_ref())?;
        if let Some(client) = locked(&self.clients).get(place) {
            return Ok(At { client: client.clone(), role });
        }
        let mut config =
            aws_sdk_ec2::config::Builder::from(&self.config).interceptor(RefuseTruncated);
        if let Some(region) = &place.region {
            config = config.region(Region::new(region.to_string()));
        }
        if let Some(role) = &role {
            // As they are: wrapped anew they would be others' in the eyes of the cache.
            config.set_credentials_provider(Some(self.credentials(role)));
        }
        let client = Client::from_conf(config.build());
        let client = locked(&self.clients).entry(place.clone()).or_insert(client).clone();
        Ok(At { client, role })
    }

    /// The ARN of the role to be had for an account; `None` for the function's own.
    fn role(&self, account: Option<&AccountId>) -> Result<Option<String>, Ec2Error> {
        let (Some(home), Some(account)) = (&self.home, account) else { return Ok(None) };
        if *account == home.account {
            return Ok(None);
        }
        let Some(role) = &home.role else {
            return Err(Ec2Error::Denied {
                action: "the request",
                cause: cause(format!(
                    "the account {account} is not the function's own, and no role is set for others"
                )),
            });
        };
        Ok(Some(format!("arn:{}:iam::{account}:role/{}", home.partition, role.name)))
    }

    /// The credentials of a role. STS is asked in the function's own region, and only when they
    /// are first needed or run out.
    fn credentials(&self, role: &str) -> SharedCredentialsProvider {
        let member = self.home.as_ref().and_then(|home| home.role.as_ref());
        let build = || {
            let external_id = member.and_then(|role| role.external_id.clone());
            SharedCredentialsProvider::new(Role::new(&self.config, role, external_id))
        };
        locked(&self.credentials).entry(role.to_owned()).or_insert_with(build).clone()
    }
}

impl At {
    /// What an error of this call means here.
    pub(super) fn failed<E>(&self, action: &'static str) -> impl Fn(SdkError<E>) -> Ec2Error
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        move |error| ec2_error(action, self.role.as_deref(), error)
    }
}
