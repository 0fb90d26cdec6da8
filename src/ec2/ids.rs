//! What accounts, regions, groups and prefix lists are called.
//!
//! A region comes from an event, and becomes a part of the name of a host that is sent signed
//! requests, of a link, and of a command. Which regions there are changes; how they are called does
//! not: `eu-central-1`, `us-gov-west-1`, `eusc-de-east-1`. Nothing else is taken for one: at
//! `ec2.s3-us-west-2.amazonaws.com` there is no EC2, but somebody's bucket.

/// Whether a region can be called so.
pub fn is_region(text: &str) -> bool {
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

/// Whether an account can be called so.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a security group can have this id. EC2 has used ids of 8 and of 17 hexadecimal digits;
/// what matters is that it is one word, and no name: `sg-web-servers` is one.
pub fn is_group_id(text: &str) -> bool {
    is_id(text, "sg-")
}

/// Whether a prefix list can have this id.
pub fn is_list_id(text: &str) -> bool {
    is_id(text, "pl-")
}

fn is_id(text: &str, prefix: &str) -> bool {
    let is_word = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
    text.len() <= 32 && text.strip_prefix(prefix).is_some_and(is_word)
}

#[cfg(test)]
mod tests {
    use super::{is_account, is_group_id, is_list_id, is_region};

    #[test]
    fn ids_are_one_word_and_accounts_twelve_digits() {
        for id in ["sg-0123456789abcdef0", "sg-01234567"] {
            assert!(is_group_id(id) && !is_list_id(id), "{id}");
        }
        assert!(is_list_id("pl-0123456789abcdef0"));
        for id in ["sg-", "sg-web-servers", "sg-01234567 ", "--all", "SG-01234567", ""] {
            assert!(!is_group_id(id), "{id:?}");
        }
        assert!(!is_group_id(&format!("sg-{}", "0".repeat(30))));
        assert!(is_account("123456789012"));
        for account in ["12345678901", "1234567890123", "12345678901x", ""] {
            assert!(!is_account(account), "{account:?}");
        }
    }

    #[test]
    fn regions_are_regions() {
        for region in [
            "eu-central-1",
            "ap-southeast-7",
            "us-gov-west-1",
            "us-isob-east-1",
            "eu-isoe-west-1",
            "eusc-de-east-1",
            "cn-northwest-1",
        ] {
            assert!(is_region(region), "{region}");
        }
    }

    #[test]
    fn what_could_be_another_host_is_none() {
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
            assert!(!is_region(other), "{other}");
        }
    }
}
