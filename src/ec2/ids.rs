//! Ids as AWS writes them, each a type of its own.
//!
//! An id is parsed where it comes in (an event, an API answer, a file, a setting, an option) and
//! trusted from then on: it is one word, so it can stand in a command line, a link or a host name
//! without being checked again.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::text::in_backticks;

/// Why a text is not an id.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IdError {
    /// Not an account.
    #[error("{} is not an account id: write its 12 digits", in_backticks(.0))]
    Account(String),
    /// Not a region.
    #[error("{} is not an AWS region: write one such as eu-central-1", in_backticks(.0))]
    Region(String),
    /// Not a security group.
    #[error("{} is not the id of a security group: write sg-…", in_backticks(.0))]
    Group(String),
    /// Not a security group rule.
    #[error("{} is not the id of a security group rule: write sgr-…", in_backticks(.0))]
    Rule(String),
    /// Not an organisational unit.
    #[error("{} is not the id of an organisational unit: write ou-… or r-…", in_backticks(.0))]
    Unit(String),
    /// Not a prefix list.
    #[error("{} is not the id of a prefix list: write pl-…", in_backticks(.0))]
    List(String),
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $error:ident, $is:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The id as AWS writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                if $is(text) { Ok(Self(text.into())) } else { Err(IdError::$error(text.to_owned())) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                if $is(&text) { Ok(Self(text.into())) } else { Err(IdError::$error(text)) }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }
    };
}

id! {
    /// An AWS account: 12 digits.
    AccountId, Account, |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

id! {
    /// An organisational unit (`ou-…`), or the root of an organisation (`r-…`). See
    /// "OrganizationalUnitId" and "RootId" in the API reference of AWS Organizations.
    UnitId, Unit, |text: &str| (text.starts_with("ou-") || text.starts_with("r-"))
        && (4..=68).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

impl UnitId {
    /// Whether it is the root of an organisation.
    pub fn is_root(&self) -> bool {
        self.as_str().starts_with("r-")
    }
}

id! {
    /// An AWS region such as `eu-central-1`, `us-gov-west-1` or `eusc-de-east-1`.
    ///
    /// Regions come and go, so the form is checked and not a list. The form is strict because a
    /// region becomes part of the host name that signed requests go to: `s3-us-west-2` would be
    /// somebody's bucket.
    Region, Region, is_region
}

id! {
    /// A security group: `sg-` and one word. EC2 has used 8 and 17 hexadecimal digits. A name such
    /// as `sg-web-servers` is not an id.
    GroupId, Group, |text| is_one_word_after("sg-", text)
}

id! {
    /// A security group rule: `sgr-` and one word.
    RuleId, Rule, |text| is_one_word_after("sgr-", text)
}

id! {
    /// A managed prefix list: `pl-` and one word.
    ListId, List, |text| is_one_word_after("pl-", text)
}

macro_rules! declared {
    ($name:ident, $is:expr) => {
        impl $name {
            /// Stands for the id of what a plan or a template declares and what does not exist yet:
            /// its address there. No text is read as such an id, and no command may name it.
            pub fn declared(address: &str) -> Self {
                Self(address.into())
            }

            /// Whether it is only an address, because there is no id yet.
            pub fn is_declared(&self) -> bool {
                !$is(&self.0)
            }
        }
    };
}

declared!(GroupId, |text| is_one_word_after("sg-", text));
declared!(ListId, |text| is_one_word_after("pl-", text));

fn is_region(text: &str) -> bool {
    let words: Vec<&str> = text.split('-').collect();
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    match words.as_slice() {
        [area, rest @ .., number] if !rest.is_empty() => {
            is_word(area)
                && rest.iter().all(is_word)
                && matches!(number.len(), 1 | 2)
                && number.bytes().all(|b| b.is_ascii_digit())
                && text.len() <= 32
        }
        _ => false,
    }
}

fn is_one_word_after(prefix: &str, text: &str) -> bool {
    let is_word = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
    text.len() <= 32 && text.strip_prefix(prefix).is_some_and(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is<T: FromStr>(text: &str) -> bool {
        text.parse::<T>().is_ok()
    }

    #[test]
    fn an_id_is_a_prefix_and_one_word() {
        for id in ["sg-0123456789abcdef0", "sg-01234567"] {
            assert!(is::<GroupId>(id) && !is::<ListId>(id) && !is::<RuleId>(id), "{id}");
        }
        assert!(is::<ListId>("pl-0123456789abcdef0"));
        assert!(is::<RuleId>("sgr-0123456789abcdef0"));
        for id in ["sg-", "sg-web-servers", "sg-01234567 ", "--all", "SG-01234567", ""] {
            assert!(!is::<GroupId>(id), "{id:?}");
        }
        assert!(!is::<GroupId>(&format!("sg-{}", "0".repeat(30))));
    }

    #[test]
    fn an_account_is_twelve_digits() {
        assert!(is::<AccountId>("123456789012"));
        for account in ["12345678901", "1234567890123", "12345678901x", ""] {
            assert!(!is::<AccountId>(account), "{account:?}");
        }
    }

    #[test]
    fn a_region_has_the_form_of_one() {
        for region in [
            "eu-central-1",
            "ap-southeast-7",
            "us-gov-west-1",
            "us-isob-east-1",
            "eu-isoe-west-1",
            "eusc-de-east-1",
            "cn-northwest-1",
        ] {
            assert!(is::<Region>(region), "{region}");
        }
    }

    #[test]
    fn a_text_that_could_name_another_host_is_not_a_region() {
        for other in [
            "",
            "x.evil.example",
            "eu-central-1.evil.example",
            "evil.example/",
            "evil.example#",
            "a@evil.example",
            "eu-central-1:8443",
            "eu-central-1\n",
            "eu-central-1 ",
            "EU-CENTRAL-1",
            "s3",
            "s3-us-west-2",
            "s3-website-us-east-1",
            "eu--1",
            "-eu-central-1",
            "eu-central-1-",
            "eu-central-123",
            "eu-zentrale-\u{664}",
            "$(reboot)",
            "eu-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-1",
        ] {
            assert!(!is::<Region>(other), "{other}");
        }
    }

    #[test]
    fn an_id_is_checked_when_it_is_deserialized_too() {
        assert!(serde_json::from_str::<GroupId>("\"sg-01234567\"").is_ok());
        let error = serde_json::from_str::<GroupId>("\"sg-x y\"").unwrap_err().to_string();
        assert_eq!(error, "`sg-x y` is not the id of a security group: write sg-…");
    }
}
