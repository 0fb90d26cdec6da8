//! Prefix lists, customers' and AWS's own.

use aws_sdk_ec2::types::{AddPrefixListEntry, Filter, RemovePrefixListEntry};

use serde_json::Value;

use super::event;
use super::site::Site;

/// EC2 takes so many entries in one call.
const ENTRIES_A_CALL: usize = 100;

impl Site {
    /// A new list of a customer with these entries, which are of one family.
    pub async fn prefix_list(&self, name: &str, cidrs: &[&str]) -> String {
        let family = if cidrs.iter().any(|cidr| cidr.contains(':')) { "IPv6" } else { "IPv4" };
        let most = i32::try_from(cidrs.len().max(1)).expect("a number of entries");
        let call = self.ec2.create_managed_prefix_list().prefix_list_name(name);
        let made = call.address_family(family).max_entries(most).send().await.expect("a list");
        let list = made.prefix_list.and_then(|list| list.prefix_list_id).expect("the list's id");
        for cidrs in cidrs.chunks(ENTRIES_A_CALL) {
            self.change_list(&list, cidrs, &[]).await;
        }
        list
    }

    /// Adds entries to a list and removes others, which makes a new version of it, and returns the event of it. A list
    /// with the tag `slow` is still being modified when it is next described.
    pub async fn change_list(&self, list: &str, add: &[&str], remove: &[&str]) -> Value {
        let version = self.version(list).await;
        let added = add.iter().map(|cidr| AddPrefixListEntry::builder().cidr(*cidr).build());
        let removed =
            remove.iter().map(|cidr| RemovePrefixListEntry::builder().cidr(*cidr).build());
        let call = self.ec2.modify_managed_prefix_list().prefix_list_id(list);
        let call = call.set_add_entries(Some(added.collect()));
        call.set_remove_entries(Some(removed.collect())).send().await.expect("changed");
        self.placed(event::of_list_change(list, version, add, remove))
    }

    /// The version that the list has.
    pub async fn version(&self, list: &str) -> i64 {
        let call = self.ec2.describe_managed_prefix_lists().prefix_list_ids(list).send().await;
        let lists = call.expect("lists").prefix_lists.unwrap_or_default();
        lists[0].version.expect("a version")
    }

    /// The id of AWS's own list of this name, such as `com.amazonaws.global.cloudfront.origin-facing`.
    pub async fn aws_list(&self, name: &str) -> String {
        let filter = Filter::builder().name("prefix-list-name").values(name).build();
        let call = self.ec2.describe_managed_prefix_lists().filters(filter).send().await;
        let lists = call.expect("lists").prefix_lists.unwrap_or_default();
        lists[0].prefix_list_id.clone().expect("the list's id")
    }
}
