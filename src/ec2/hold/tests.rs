use super::*;

const NOW: &str = "2026-03-12T08:00:00Z";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// What a rule with these tags asks for, if they were set an hour ago and 24 hours are allowed.
fn asks(until: &str, reason: &str) -> Claim {
    asks_with_max(until, reason, 24)
}

fn asks_with_max(until: &str, reason: &str, max_hours: u32) -> Claim {
    let tags = [(UNTIL, until), (REASON, reason)];
    let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    claim(&tags, at("2026-03-12T07:00:00Z"), at(NOW), max_hours)
}

fn held(until: &str, reason: &str) -> Claim {
    Claim::Held(Hold { until: at(until), reason: reason.to_owned() })
}

fn too_long(until: &str, max_hours: u32) -> Claim {
    Claim::Refused(Refusal::TooLong { until: at(until), max_hours })
}

#[test]
fn a_rule_without_the_tag_asks_for_nothing() {
    assert_eq!(claim(&BTreeMap::new(), at(NOW), at(NOW), 24), Claim::None);
    let reason = [(REASON.to_owned(), "vendor".to_owned())].into();
    assert_eq!(claim(&reason, at(NOW), at(NOW), 24), Claim::None);
    // The keys of tags are case-sensitive.
    let other = [("SG-Audit:Allow-Until".to_owned(), NOW.to_owned())].into();
    assert_eq!(claim(&other, at(NOW), at(NOW), 24), Claim::None);
}

#[test]
fn a_rule_is_held_until_the_end_of_its_hold() {
    let end = "2026-03-12T16:00:00Z";
    assert_eq!(asks(end, "vendor"), held(end, "vendor"));
    assert_eq!(asks(" 2026-03-12T16:00:00Z ", "  vendor "), held(end, "vendor"));
    assert_eq!(asks("2026-03-12T08:00:01Z", "x"), held("2026-03-12T08:00:01Z", "x"));
}

#[test]
fn the_end_may_be_written_in_any_time_zone() {
    let end = "2026-03-12T16:00:00Z";
    for written in [
        "2026-03-12T17:00:00+01:00",
        "2026-03-12t16:00:00z",
        "2026-03-12 10:30:00-05:30",
        "2026-03-12T16:00:00.000Z",
    ] {
        assert_eq!(asks(written, "x"), held(end, "x"), "{written}");
    }
    // Its local time is later than now in UTC, but it is over.
    assert!(matches!(asks("2026-03-12T08:30:00+01:00", "x"), Claim::Over(_)));
}

#[test]
fn a_hold_is_over_at_its_end() {
    for end in [NOW, "2026-03-12T07:59:59Z", "2019-01-01T00:00:00Z"] {
        let hold = Hold { until: at(end), reason: "vendor".to_owned() };
        assert_eq!(asks(end, "vendor"), Claim::Over(hold));
    }
}

#[test]
fn a_hold_may_last_as_long_as_allowed_from_when_its_tags_were_set() {
    // From 07:00, 24 hours and the five minutes by which clocks may differ.
    assert_eq!(asks("2026-03-13T07:05:00Z", "x"), held("2026-03-13T07:05:00Z", "x"));
    assert_eq!(asks("2026-03-13T07:05:01Z", "x"), too_long("2026-03-13T07:05:01Z", 24));
    let one_hour = asks_with_max("2026-03-12T09:00:00Z", "x", 1);
    assert_eq!(one_hour, too_long("2026-03-12T09:00:00Z", 1));
    assert_eq!(asks("9999-12-31T23:59:59Z", "x"), too_long("9999-12-31T23:59:59Z", 24));
    let latest = asks_with_max("9999-12-31T23:59:59Z", "x", u32::MAX);
    assert!(matches!(latest, Claim::Held(_)));
}

#[test]
fn if_the_settings_allow_no_holds_that_is_the_only_fault() {
    for until in ["2026-03-12T09:00:00Z", "2026-03-12T07:00:00Z", "soon"] {
        assert_eq!(asks_with_max(until, "x", 0), Claim::Refused(Refusal::NoHolds));
    }
}

#[test]
fn a_hold_needs_a_reason() {
    let no_reason = Claim::Refused(Refusal::NoReason);
    let unwritten = "Ticket, and why this is needed";
    for blank in ["", "   ", "\t", ".", "--", "\u{200b}", PLACEHOLDER_REASON, unwritten] {
        assert_eq!(asks("2026-03-12T16:00:00Z", blank), no_reason, "{blank:?}");
    }
    let tags = [(UNTIL.to_owned(), "2026-03-12T16:00:00Z".to_owned())].into();
    assert_eq!(claim(&tags, at(NOW), at(NOW), 24), no_reason);
    assert!(matches!(asks("2026-03-12T16:00:00Z", "障害対応"), Claim::Held(_)));
}

#[test]
fn an_end_that_is_not_a_time_is_refused_as_it_is_written() {
    for until in [
        "",
        "tomorrow",
        "2026-03-12",
        "2026-03-12T16:00:00",
        "2026-02-30T16:00:00Z",
        "1773331200",
        "x\n\u{1b}[2J",
    ] {
        let not_a_time = Refusal::NotATime(until.to_owned());
        assert_eq!(asks(until, "x"), Claim::Refused(not_a_time));
    }
}

#[test]
fn the_tags_of_a_hold_ask_for_that_hold() {
    let hold = Hold { until: at("2026-03-12T16:00:00Z"), reason: "vendor, ticket 4711".to_owned() };
    let claimed = claim(&tags(&hold).into(), at(NOW), at(NOW), 24);
    assert_eq!(claimed, Claim::Held(hold));
}

#[test]
fn the_tag_of_a_reason_has_a_value_that_ec2_accepts() {
    let reason = format!("two\nlines{}", "é".repeat(300));
    let [_, (_, value)] = tags(&Hold { until: at(NOW), reason });
    assert_eq!(value.chars().count(), VALUE_CHARS);
    assert!(value.starts_with("two lines"), "{value}");
}

#[test]
fn the_hold_of_an_undo_counts_when_the_rule_is_put_back() {
    let hold = Hold::of_undo(at(NOW), 24).unwrap();
    assert_eq!(hold.until, at("2026-03-13T08:00:00Z"));
    let tags = tags(&hold).into();
    let later = at("2026-03-12T20:00:00Z");
    assert_eq!(claim(&tags, later, later, 24), Claim::Held(hold));
    let late = at("2026-03-13T08:00:00Z");
    assert!(matches!(claim(&tags, late, late, 24), Claim::Over(_)));
    assert_eq!(Hold::of_undo(at(NOW), 0), None);
}
