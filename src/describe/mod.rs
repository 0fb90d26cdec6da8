//! Reads what the AWS CLI prints about security groups and prefix lists.
//!
//! Accepts the output of `aws ec2 describe-security-groups` and `describe-security-group-rules`,
//! arrays and single elements from such output, and several of these one after another, as loops
//! and `jq` write them. Everything about one group is put together by the group's id.
//!
//! The groups read here are reported as compliant or not, so this module never guesses and never
//! skips anything silently. A rule that cannot be read, a key that occurs twice in an object, a
//! missing last page and a file of another kind are errors that say what to do.

mod document;
mod error;
mod lists;
mod merge;
mod model;
mod permission;
mod reader;

use std::ops::ControlFlow;

pub use document::text as described_text;
pub use error::{DescribeError, RuleFault};
pub use lists::{DescribedLists, prefix_lists};
pub use model::{DescribedGroup, Location};

use merge::{Adjacent, Merged};

/// Reads security groups and passes each of them to `take`, which adds it to what `new` makes.
///
/// If everything about each group stands in one place, as AWS prints it, only one group is in memory
/// at a time. Otherwise this starts over with all groups in memory, and calls `new` again.
///
/// # Errors
///
/// As [`groups`].
pub fn fold<T>(
    input: &[u8],
    new: impl Fn() -> T,
    mut take: impl FnMut(&mut T, DescribedGroup),
) -> Result<T, DescribeError> {
    let mut folded = new();
    let mut adjacent = Adjacent::new(|group| take(&mut folded, group));
    if reader::read(input, &mut |part| adjacent.add(part))?.is_continue() {
        adjacent.pass_on();
        return Ok(folded);
    }
    folded = new();
    for group in groups(input)? {
        take(&mut folded, group);
    }
    Ok(folded)
}

/// Reads security groups.
///
/// # Errors
///
/// When the input is of another kind or incomplete, or contains a rule that cannot be read.
pub fn groups(input: &[u8]) -> Result<Vec<DescribedGroup>, DescribeError> {
    let mut merged = Merged::default();
    let add = &mut |part| {
        merged.add(part);
        ControlFlow::Continue(())
    };
    reader::read(input, add).map(|_| merged.into_groups())
}

#[cfg(test)]
mod tests;
