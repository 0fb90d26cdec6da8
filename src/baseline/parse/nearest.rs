//! Which known word somebody meant.

/// The known word that is nearest to `word`, if it is so near that it was meant: at most two letters
/// wrong, and fewer than half of them.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(wrong, candidate)| *wrong <= 2 && wrong.saturating_mul(2) < candidate.len())
        .min_by_key(|(wrong, _)| *wrong)
        .map(|(_, candidate)| candidate)
}

/// The Levenshtein distance: how many letters to insert, drop or change. Words whose lengths differ
/// much are far apart whatever they say, and are not compared.
fn distance(a: &str, b: &str) -> usize {
    if a.len().abs_diff(b.len()) > 8 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i.saturating_add(1);
        let mut next = vec![left];
        for (y, above) in b.chars().zip(row.iter().skip(1)) {
            let change = diagonal.saturating_add(usize::from(x != y));
            left = change.min(above.saturating_add(1)).min(left.saturating_add(1));
            next.push(left);
            diagonal = *above;
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_letters() {
        for (a, b, wrong) in [
            ("", "", 0),
            ("tcp", "tcp", 0),
            ("tpc", "tcp", 2),
            ("port", "ports", 1),
            ("abc", "", 3),
        ] {
            assert_eq!(distance(a, b), wrong, "{a} {b}");
            assert_eq!(distance(b, a), wrong, "{b} {a}");
        }
    }

    #[test]
    fn only_what_is_near_was_meant() {
        let known = ["name", "ports", "peers"];
        assert_eq!(nearest("port", known), Some("ports"));
        assert_eq!(nearest("peer", known), Some("peers"));
        assert_eq!(nearest("description", known), None);
        assert_eq!(nearest("", known), None);
    }
}
