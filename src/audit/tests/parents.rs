//! The units around an account.

use std::collections::BTreeMap;

use super::*;
use crate::ec2::UnitId;

const ACCOUNT: &str = "210987654321";

/// A child, the token that its page is asked for with, the parent, and the token of the next page.
type Page = (&'static str, Option<&'static str>, Option<&'static str>, Option<&'static str>);

fn asked(pages: &[Page]) -> Result<Vec<UnitId>, Ec2Error> {
    let pages: BTreeMap<_, _> = pages
        .iter()
        .map(|&(child, token, parent, next)| ((child, token), (parent, next)))
        .collect();
    let page = async |child: &str, token: Option<&str>| -> Result<ParentPage, Ec2Error> {
        let Some((parent, next)) = pages.get(&(child, token)) else { return Err(denied()) };
        let [parent, next] = [parent, next].map(|it| it.map(str::to_owned));
        Ok(ParentPage { parent, next })
    };
    block_on(up_to_root(&id(ACCOUNT), page))
}

#[test]
fn the_units_are_told_from_the_account_to_the_root() {
    let units = |units: &[&str]| units.iter().map(|unit| id(unit)).collect::<Vec<UnitId>>();
    let in_root = asked(&[(ACCOUNT, None, Some("r-ab12"), None)]);
    assert_eq!(in_root.unwrap(), units(&["r-ab12"]));
    let (inner, outer) = ("ou-ab12-22222222", "ou-ab12-11111111");
    let expected = units(&[inner, outer, "r-ab12"]);
    let plain = asked(&[
        (ACCOUNT, None, Some(inner), None),
        (inner, None, Some(outer), None),
        (outer, None, Some("r-ab12"), None),
    ]);
    assert_eq!(plain.unwrap(), expected);
    // A page may be empty although there is another one.
    let paged = asked(&[
        (ACCOUNT, None, None, Some("1")),
        (ACCOUNT, Some("1"), None, Some("2")),
        (ACCOUNT, Some("2"), Some(inner), None),
        (inner, None, None, Some("1")),
        (inner, Some("1"), Some(outer), Some("2")),
        (outer, None, Some("r-ab12"), None),
    ]);
    assert_eq!(paged.unwrap(), expected);
}

#[test]
fn units_that_do_not_reach_the_root_are_not_known_for_now() {
    let inner = "ou-ab12-22222222";
    for pages in [
        &[(ACCOUNT, None, None, None)][..],
        &[(ACCOUNT, None, None, Some(""))],
        &[(ACCOUNT, None, Some("the root"), None)],
        &[(ACCOUNT, None, Some(inner), None), (inner, None, None, None)],
        // Neither of these ends.
        &[(ACCOUNT, None, Some(inner), None), (inner, None, Some(inner), None)],
        &[(ACCOUNT, None, None, Some("1")), (ACCOUNT, Some("1"), None, Some("1"))],
    ] {
        let error = asked(pages).unwrap_err();
        assert!(error.is_transient(), "{error}");
    }
    let refused = asked(&[(ACCOUNT, None, Some(inner), None)]).unwrap_err();
    assert!(!refused.is_transient(), "what is refused is refused the next time too");
}
