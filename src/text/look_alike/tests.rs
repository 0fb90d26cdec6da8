use super::written_out;

#[test]
fn letters_that_imitate_latin_ones_are_written_out() {
    for (text, shown) in [
        // Cyrillic а, Greek ο, Armenian օ.
        ("\u{430}dmin", r"\u{430}dmin"),
        ("r\u{3bf}ot, r\u{585}ot", r"r\u{3bf}ot, r\u{585}ot"),
        // Words that could be read as Latin ones: "сору", "НЕ".
        ("\u{441}\u{43e}\u{440}\u{443}", r"\u{441}\u{43e}\u{440}\u{443}"),
        ("typo3-\u{41d}\u{415}", r"typo3-\u{41d}\u{415}"),
        // Fullwidth, mathematical, a Roman numeral, the sign of Kelvin.
        ("\u{ff25}vil", r"\u{ff25}vil"),
        ("\u{1d41e}\u{1d42f}il", r"\u{1d41e}\u{1d42f}il"),
        ("\u{2160}D \u{212a}ey", r"\u{2160}D \u{212a}ey"),
        // IPA's ɑ.
        ("p\u{251}ypal", r"p\u{251}ypal"),
        // What separates: one-dot leader, fraction slash.
        ("evil\u{2024}com", r"evil\u{2024}com"),
        ("a\u{2044}b", r"a\u{2044}b"),
    ] {
        assert_eq!(written_out(text), shown);
    }
}

#[test]
fn what_people_write_stays_as_it_is() {
    for text in [
        "Wartung für Müller & Söhne, Straße",
        "Kærlig hilsen, œuvre, Ğıda, łódź, Tiếng Việt",
        "сервер для сайта, временно",
        "Σέρβερ",
        "サーバー、ノート",
        "维护 服务器",
        "서버 점검",
        "خادم الموقع",
        "“quoted” – and … more",
        "TYPO3 v12: tcp 22 from 203.0.113.0/24",
        "m², 1º, 5 €",
    ] {
        assert_eq!(written_out(text), text);
    }
}
