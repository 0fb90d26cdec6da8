//! The names of regions.
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

#[cfg(test)]
mod tests {
    use super::is_region;

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
