use std::process::Command;

use linkify::LinkFinder;
use proptest::prelude::*;

use super::{broken, broken_in_quotes};
use crate::text::escape::shell_word;

#[test]
fn names_of_hosts_and_addresses_are_taken_apart() {
    for (text, shown) in [
        ("see evil.example.com now", "see evil[.]example[.]com now"),
        ("www.evil.example", "www[.]evil[.]example"),
        ("WWW.1and1", "WWW[.]1and1"),
        ("ftp.7.8", "ftp[.]7.8"),
        ("evil.example.", "evil[.]example."),
        ("(evil.example)", "(evil[.]example)"),
        ("evil.example/x?y=z.txt#a", "evil[.]example/x?y=z.txt#a"),
        ("evil.xn--p1ai", "evil[.]xn--p1ai"),
        ("пример.рф", "пример[.]рф"),
        ("例え。テスト", "例え[。]テスト"),
        ("evil．com", "evil[．]com"),
        ("i❤.ws", "i❤[.]ws"),
        ("evil.com-login", "evil[.]com-login"),
        ("evil.com_login", "evil[.]com_login"),
        ("evil.com.yaml", "evil[.]com.yaml"),
        ("evil.com2, ¡.aa0", "evil[.]com2, ¡[.]aa0"),
        ("evil.sh", "evil[.]sh"),
        ("evil.EXAMPLE:8080", "evil[.]EXAMPLE:8080"),
        ("8.8.8.8.nip.io", "8.8.8.8[.]nip[.]io"),
        ("jane@evil.example", "jane[@]evil[.]example"),
        ("\"a b\"@localhost", "\"a b\"[@]localhost"),
        ("1mailto:jane, 1www.1", "1mailto[:]jane, 1www[.]1"),
        ("mailto:jane", "mailto[:]jane"),
        ("TEL:0049", "TEL[:]0049"),
        ("mailto:(x)", r"mailto[:]\u{28}x)"),
        (r"\\server\share", r"\[\]server\share"),
        ("https://203.0.113.7/x", r"https:\u{2f}/203.0.113.7/x"),
        ("[undo](x)", r"[undo]\u{28}x)"),
        (
            "arn:aws:sts::123456789012:assumed-role/Ops/jane@evil.example",
            "arn:aws:sts::123456789012:assumed-role/Ops/jane[@]evil[.]example",
        ),
    ] {
        assert_eq!(broken(text), shown);
    }
}

#[test]
fn what_is_no_link_stays_readable() {
    for text in [
        "203.0.113.0/24, 2001:db8::/32, ::ffff:192.0.2.1",
        "aws-cli/2.31.0 Python/3.13.7 Linux/6.8.0-1021-aws exec-env/x86_64",
        "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/jane",
        "arn:aws:iam::123456789012:user/ops",
        "Nothing was changed. Look yourself. E.g. i.e. so",
        "CIS 5.0.0 5.3, EC2.13",
        "sg-0a1b2c3d4e5f67890 sgr-0a1b2c3d4e5f67890 pl-0a1b2c3d (vpc-0a1b2c3d)",
        "deploy stacks/forwarder.yaml, notes.txt and report.json",
        "InvalidPermission.NotFound, InvalidPermission.Duplicate",
        "until 2027-01-31T18:00:00.250Z",
        "@ home, a @ b, 5 @",
        "news: none, tel: none, hotel:5",
        "sg-audit:allow-until",
    ] {
        assert_eq!(broken(text), text);
    }
}

#[test]
fn a_command_is_the_same_word_to_the_shell() {
    for (text, shown) in [
        ("see evil.example", "'see evil''.example'"),
        ("https://evil.example", "'https:''//evil''.example'"),
        ("a@evil.example", "'a''@evil''.example'"),
        ("[undo](x)", "'[undo]''(x)'"),
        (r"\\server\share", r"'\''\server\share'"),
        ("203.0.113.0/24", "'203.0.113.0/24'"),
    ] {
        assert_eq!(broken_in_quotes(&shell_word(text)), shown);
    }
    // The program's own part of a line is left alone.
    assert_eq!(broken_in_quotes("aws evil.example 'x'"), "aws evil.example 'x'");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_shell_reads_what_was_meant(text in r#"[a-z.@:/\\'"$`&;|<>()\[\] ]{0,24}"#) {
        let line = format!("printf %s {}", broken_in_quotes(&shell_word(&text)));
        let ran = Command::new("sh").args(["-c", &line]).output().unwrap();
        prop_assert!(ran.status.success());
        prop_assert_eq!(String::from_utf8(ran.stdout).unwrap(), text);
    }

    /// What is taken apart has nothing left that would be taken apart.
    #[test]
    fn nothing_is_left_of_a_link(text in r"[a-zA-Zж0-9.@:/\\_\-\]( ]{0,24}") {
        let once = broken(&text);
        prop_assert!(!once.contains("://"));
        prop_assert_eq!(&broken(&once), &once);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A program that makes links of texts, as mail clients do, finds no host in what is shown.
    #[test]
    fn a_finder_of_links_finds_none(text in r"([aB1ж¡]{1,3}([.]|[.。@:/~&' \\-]{1,2})){0,5}") {
        let shown = broken(&text);
        let mut finder = LinkFinder::new();
        finder.url_must_have_scheme(false);
        for link in finder.links(&shown) {
            let host = link.as_str().split(['/', ':']).next().unwrap();
            let is_address = host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            prop_assert!(is_address, "{:?} is a link in {shown:?}", link.as_str());
        }
    }
}
