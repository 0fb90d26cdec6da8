//! The page keeps what others wrote as text, and asks nobody for anything.

use super::history::sample;
use crate::evaluate::Severity;
use crate::report::html;

/// What would act if it were not text.
const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "\" onmouseover=\"alert(1)\" x=\"",
    "' autofocus onfocus='alert(1)",
    "javascript:alert(1)",
    "<svg onload=alert(1)><style>*{display:none}</style>",
    "web\u{202e}gnp.exe",
];

#[test]
fn hostile_names_stay_text() {
    let long = "a".repeat(10_000);
    for name in HOSTILE.iter().copied().chain([long.as_str()]) {
        let mut history = sample();
        for opening in &mut history.openings {
            opening.group_name = Some(name.to_owned());
        }
        let plain = html::history(&sample(), Severity::Informational);
        let page = html::history(&history, Severity::Informational);
        // Not one more element, and none that acts.
        let elements = |page: &str| page.matches('<').count();
        assert_eq!(elements(&page), elements(&plain), "{name}");
        assert!(!page.contains('\u{202e}') && !page.contains(&"a".repeat(1000)), "{name}");
        for acts in ["<script>alert", "<svg onload", "\" onmouseover=", "href=\"javascript:"] {
            assert!(!page.contains(acts), "{name}: {acts}");
        }
    }
}

#[test]
fn the_page_needs_nothing_from_anywhere() {
    let page = html::history(&sample(), Severity::Informational);
    let policy = "default-src 'none'; style-src 'sha256-";
    assert!(page.contains(policy), "{page}");
    for asks in ["src=", "<link", "url(", "@import", "<iframe", "<img", "style=", "onclick="] {
        assert!(!page.contains(asks), "{asks}");
    }
    // One script and one style, which the policy names by their hashes.
    assert_eq!((page.matches("<script").count(), page.matches("<style").count()), (1, 1));
}

#[test]
fn every_opening_is_in_the_picture_and_in_the_table() {
    let history = sample();
    let page = html::history(&history, Severity::Informational);
    let openings = history.openings.len();
    assert_eq!(page.matches("<g class=\"bar ").count(), openings);
    assert_eq!(page.matches("<tr data-severity=").count(), openings);
    // Who, as a tooltip and in text.
    assert!(page.matches("user/alice").count() > 2, "{page}");
    assert!(page.contains("aws ec2 revoke-security-group-ingress"), "{page}");
    let critical = html::history(&history, Severity::Critical);
    assert_eq!(critical.matches("<tr data-severity=").count(), 4);
}
