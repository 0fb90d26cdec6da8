//! A baseline prepared once, to judge many groups quickly.

use std::borrow::Cow;

use chrono::NaiveDate;

use super::judge::Judge;
use crate::baseline::{Admitted, Baseline, Lists};
use crate::ec2::{Direction, GroupId};
use crate::net::{Cells, Set};

/// A baseline prepared for the groups of one account. It admits the same for each of them, except for
/// `self` and exemptions.
#[derive(Clone, Debug)]
pub struct Yardstick<'a> {
    baseline: Cow<'a, Baseline>,
    lists: &'a Lists,
    today: NaiveDate,
    ingress: Side,
    egress: Side,
}

/// One direction of it.
#[derive(Clone, Debug)]
struct Side {
    /// What is admitted where `self` is nobody.
    admitted: Admitted,
    /// Where `self` is admitted.
    own: Cells,
}

impl<'a> Yardstick<'a> {
    /// `lists` are the prefix lists that were read; `today`, in UTC, decides which exemptions still
    /// count.
    pub fn new(baseline: Cow<'a, Baseline>, lists: &'a Lists, today: NaiveDate) -> Self {
        let side = |direction| Side {
            admitted: baseline.admitted(direction, None, lists),
            own: baseline.cells_of_own(direction),
        };
        let (ingress, egress) = (side(Direction::Ingress), side(Direction::Egress));
        Self { baseline, lists, today, ingress, egress }
    }

    /// What judges the rules of a group in one direction, as [`Judge::new`] makes it.
    pub fn judge<'b>(&'b self, direction: Direction, group: &'b GroupId) -> Judge<'b> {
        let Side { admitted, own } = match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        };
        let admitted = if own.is_empty() {
            Cow::Borrowed(admitted)
        } else {
            Cow::Owned(admitted.with_own(own, group))
        };
        Judge::of(&self.baseline, direction, Some(group), self.lists, self.today, admitted)
    }
}
