use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use futures_util::stream::iter;
use serde::Serialize;

use super::error::RunError;
use super::ports::{Archive, Directory, Regions};
use super::runner::{Runner, key, read};
use super::task::{Discover, RegionNames, Which};
use crate::audit::{Invoker, Notifier};
use crate::ec2::{AccountId, Region, SecurityGroups};
use crate::finding::{Coverage, Expected, RunName};
use crate::text::causes;

/// How many accounts are asked for their regions at the same time.
const AT_ONCE: usize = 16;

/// What is to be swept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DiscoverAnswer {
    pub run: RunName,
    /// How many accounts there are.
    pub accounts: usize,
    /// How many places, an account in a region each.
    pub places: usize,
    /// The key of the list of them.
    pub expected: String,
}

impl<E, N, O, D, A> Runner<'_, E, N, O, D, A>
where
    E: SecurityGroups + Regions,
    N: Notifier,
    O: Invoker,
    D: Directory,
    A: Archive,
{
    /// Finds the accounts and their regions, and writes them down.
    pub(super) async fn discover(&self, asked: &Discover) -> Result<DiscoverAnswer, RunError> {
        let expected = match &asked.input.again {
            Some(run) => {
                let before: Coverage =
                    read(self.archive, &asked.bucket, run, "coverage.json").await?;
                before.left()
            }
            None => self.expected(asked).await?,
        };
        if expected.is_empty() {
            return Err(RunError::NoAccounts);
        }
        let at = key(&asked.run, "expected.json");
        let json = serde_json::to_vec(&expected).unwrap_or_default();
        self.archive.put(&asked.bucket, &at, json).await?;
        Ok(DiscoverAnswer {
            run: asked.run.clone(),
            accounts: expected.len(),
            places: expected.iter().map(|expected| expected.regions.len()).sum(),
            expected: at,
        })
    }

    async fn expected(&self, asked: &Discover) -> Result<Vec<Expected>, RunError> {
        let accounts = asked.input.accounts.as_ref().unwrap_or(&asked.defaults.accounts);
        let regions = asked.input.regions.as_ref().unwrap_or(&asked.defaults.regions);
        // Each account once, in order.
        let mut found: BTreeMap<AccountId, Vec<Region>> = BTreeMap::new();
        for which in &accounts.0 {
            match which {
                Which::Account(account) => drop(found.insert(account.clone(), Vec::new())),
                which => {
                    let accounts = self.directory.accounts(which).await?;
                    found.extend(accounts.into_iter().map(|account| (account, Vec::new())));
                }
            }
        }
        if accounts.0.is_empty() {
            found.extend(self.auditor.home.account.clone().map(|own| (own, Vec::new())));
        }
        match regions {
            RegionNames::Named(regions) => {
                let named = match regions.as_slice() {
                    [] => self.auditor.home.region.iter().cloned().collect(),
                    _ => regions.clone(),
                };
                found.values_mut().for_each(|regions| regions.clone_from(&named));
            }
            RegionNames::Enabled => self.enabled(&mut found).await,
        }
        found.values_mut().for_each(|regions| {
            regions.sort();
            regions.dedup();
        });
        let expected = |(account, regions)| Expected { account, regions };
        Ok(found.into_iter().map(expected).filter(|it| !it.regions.is_empty()).collect())
    }

    /// The regions that each account has. Where that cannot be asked, they are taken to be those of
    /// the function's own account: its sweep then says of each why it cannot be read.
    async fn enabled(&self, found: &mut BTreeMap<AccountId, Vec<Region>>) {
        let own = match &self.auditor.home.account {
            Some(account) => self.auditor.ec2.regions(account).await.unwrap_or_else(|error| {
                tracing::warn!(error = causes(&error), "the regions are not known");
                Vec::new()
            }),
            None => Vec::new(),
        };
        let own = match own.as_slice() {
            [] => self.auditor.home.region.iter().cloned().collect(),
            _ => own,
        };
        let own = &own;
        let mut asked = iter(found.iter_mut())
            .map(|(account, regions)| async move {
                *regions = match self.auditor.ec2.regions(account).await {
                    Ok(regions) if !regions.is_empty() => regions,
                    Ok(_) => own.clone(),
                    Err(error) => {
                        let error = causes(&error);
                        tracing::warn!(error, %account, "the account's regions are not known");
                        own.clone()
                    }
                };
            })
            .buffer_unordered(AT_ONCE);
        while asked.next().await.is_some() {}
    }
}
