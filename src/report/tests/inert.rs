use insta::assert_snapshot;

use crate::text::inert::{ascii, clip, clip_ascii, for_mail, for_subject, plain};

#[test]
fn invisible_characters_become_escapes() {
    assert_snapshot!(plain("a\nb\r\tc\u{1b}[31m\u{7f}\u{9b}2J"), @r"a\u{a}b\u{d}\u{9}c\u{1b}[31m\u{7f}\u{9b}2J");
    assert_snapshot!(plain("office\u{202e}22 pct\u{2066}x\u{2069}"), @r"office\u{202e}22 pct\u{2066}x\u{2069}");
    assert_snapshot!(plain("zero\u{200b}width\u{feff}\u{2028}\u{2029}\u{e0041}\u{ffff}"), @r"zero\u{200b}width\u{feff}\u{2028}\u{2029}\u{e0041}\u{ffff}");
    assert_snapshot!(plain("Büro 東京 🦀 <b>"), @"Büro 東京 🦀 <b>");
}

#[test]
fn texts_in_a_mail_become_no_links_tags_or_gaps() {
    assert_snapshot!(for_mail("<a href=x>`id`</a> [undo](https://evil.example) \u{a0}  \u{3000}Undo:"), @r"\u{3c}a href=x\u{3e}'id'\u{3c}/a\u{3e} [undo]\u{28}https:\u{2f}/evil[.]example) Undo:");
    assert_snapshot!(for_mail("jane@evil.example, \u{430}dmin\u{200b}.evil.example"), @r"jane[@]evil[.]example, \u{430}dmin\u{200b}.evil[.]example");
}

#[test]
fn a_subject_is_ascii() {
    assert_snapshot!(ascii("Büro\u{202e}\n🦀 ~"), @"B?ro??? ~");
    assert_snapshot!(for_subject("open on www.evil.example 2.31.0 \u{430}dmin"), @"open on www[.]evil[.]example 2.31.0 ?dmin");
}

#[test]
fn a_clipped_text_ends_in_an_ellipsis() {
    assert_eq!(clip("abc", 3), "abc");
    assert_eq!(clip("ab cd", 4), "ab…");
    assert_eq!(clip_ascii("abcdef", 5), "a ...");
    assert_eq!(clip_ascii("abcdef", 2), " .");
    assert_eq!(clip_ascii("abcdef", 0), "");
}
