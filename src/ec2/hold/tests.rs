use super::*;

const NOW: &str = "2026-03-12T08:00:00Z";

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// What a rule with these tags asks for, set an hour ago, where 24 hours are allowed.
fn asks(until: &str, reason: &str) -> Claim {
    asks_of(until, reason, 24)
}

fn asks_of(until: &str, reason: &str, max_hours: u32) -> Claim {
    let tags = [(UNTIL, until), (REASON, reason)];
    let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    claim(&tags, at("2026-03-12T07:00:00Z"), at(NOW), max_hours)
}

fn held(until: &str, reason: &str) -> Claim {
    Claim::Held(Hold { until: at(until), reason: reason.to_owned() })
}

fn refusal(claim: Claim) -> String {
    match claim {
        Claim::Refused(why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_rule_without_the_tag_asks_for_nothing() {
    assert_eq!(claim(&BTreeMap::new(), at(NOW), at(NOW), 24), Claim::None);
    let reason = [(REASON.to_owned(), "vendor".to_owned())].into();
    assert_eq!(claim(&reason, at(NOW), at(NOW), 24), Claim::None);
    // Tags are told apart by upper and lower case.
    let other = [("SG-Audit:Allow-Until".to_owned(), NOW.to_owned())].into();
    assert_eq!(claim(&other, at(NOW), at(NOW), 24), Claim::None);
}

#[test]
fn it_is_held_until_its_end() {
    let end = "2026-03-12T16:00:00Z";
    assert_eq!(asks(end, "vendor"), held(end, "vendor"));
    assert_eq!(asks(" 2026-03-12T16:00:00Z ", "  vendor "), held(end, "vendor"));
    assert_eq!(asks("2026-03-12T08:00:01Z", "x"), held("2026-03-12T08:00:01Z", "x"));
}

#[test]
fn other_zones_are_the_same_moment() {
    let end = "2026-03-12T16:00:00Z";
    for written in [
        "2026-03-12T17:00:00+01:00",
        "2026-03-12t16:00:00z",
        "2026-03-12 10:30:00-05:30",
        "2026-03-12T16:00:00.000Z",
    ] {
        assert_eq!(asks(written, "x"), held(end, "x"), "{written}");
    }
    // Later on the clock on the wall, and over all the same.
    assert!(matches!(asks("2026-03-12T08:30:00+01:00", "x"), Claim::Over(_)));
}

#[test]
fn it_is_over_at_its_end() {
    for end in [NOW, "2026-03-12T07:59:59Z", "2019-01-01T00:00:00Z"] {
        let hold = Hold { until: at(end), reason: "vendor".to_owned() };
        assert_eq!(asks(end, "vendor"), Claim::Over(hold));
    }
}

#[test]
fn it_lasts_no_longer_than_allowed_from_when_it_was_set() {
    // 24 hours and the five minutes by which clocks may differ, from 07:00 the same day.
    assert_eq!(asks("2026-03-13T07:05:00Z", "x"), held("2026-03-13T07:05:00Z", "x"));
    assert_eq!(
        refusal(asks("2026-03-13T07:05:01Z", "x")),
        "it would last until 2026-03-13T07:05:01Z, and no more than 24 hours are allowed"
    );
    assert_eq!(
        refusal(asks_of("2026-03-12T09:00:00Z", "x", 1)),
        "it would last until 2026-03-12T09:00:00Z, and no more than 1 hour is allowed"
    );
    assert!(matches!(asks("9999-12-31T23:59:59Z", "x"), Claim::Refused(_)));
    assert!(matches!(asks_of("9999-12-31T23:59:59Z", "x", u32::MAX), Claim::Held(_)));
}

#[test]
fn where_there_are_no_holds_nothing_is_one() {
    for until in ["2026-03-12T09:00:00Z", "2026-03-12T07:00:00Z", "soon"] {
        assert_eq!(refusal(asks_of(until, "x", 0)), "no holds are allowed here");
    }
}

#[test]
fn it_has_to_say_why() {
    for blank in ["", "   ", "\t", ".", "--", "\u{200b}"] {
        let why = refusal(asks("2026-03-12T16:00:00Z", blank));
        assert_eq!(why, "it has no tag sg-audit:reason that says why", "{blank:?}");
    }
    let tags = [(UNTIL.to_owned(), "2026-03-12T16:00:00Z".to_owned())].into();
    assert!(matches!(claim(&tags, at(NOW), at(NOW), 24), Claim::Refused(_)));
    assert!(matches!(asks("2026-03-12T16:00:00Z", "障害対応"), Claim::Held(_)));
}

#[test]
fn a_time_that_cannot_be_read_is_quoted_and_no_hold() {
    for until in
        ["", "tomorrow", "2026-03-12", "2026-03-12T16:00:00", "2026-02-30T16:00:00Z", "1773331200"]
    {
        let why = refusal(asks(until, "x"));
        assert!(
            why.contains(&format!("is `{until}`, which is no time as in 2026-03-12T08:00:00Z")),
            "{why}"
        );
    }
    let why = refusal(asks("x\n\u{1b}[2J", "x"));
    assert!(!why.contains(char::is_control), "{why:?}");
    assert!(refusal(asks(&"9".repeat(5000), "x")).len() < 250);
}

#[test]
fn the_tags_of_a_hold_ask_for_it() {
    let hold = Hold { until: at("2026-03-12T16:00:00Z"), reason: "vendor, ticket 4711".to_owned() };
    let claimed = claim(&tags(&hold).into(), at(NOW), at(NOW), 24);
    assert_eq!(claimed, Claim::Held(hold));
}

#[test]
fn a_reason_is_a_value_that_ec2_takes() {
    let reason = format!("two\nlines{}", "é".repeat(300));
    let [_, (_, value)] = tags(&Hold { until: at(NOW), reason });
    assert_eq!(value.chars().count(), VALUE_CHARS);
    assert!(value.starts_with("two lines"), "{value}");
}

#[test]
fn what_an_undo_puts_back_is_held_when_it_is_put_back() {
    let hold = Hold::of_undo(at(NOW), 24).unwrap();
    assert_eq!(hold.until, at("2026-03-13T08:00:00Z"));
    let tags = tags(&hold).into();
    let later = at("2026-03-12T20:00:00Z");
    assert_eq!(claim(&tags, later, later, 24), Claim::Held(hold));
    let late = at("2026-03-13T08:00:00Z");
    assert!(matches!(claim(&tags, late, late, 24), Claim::Over(_)));
    assert_eq!(Hold::of_undo(at(NOW), 0), None);
}
