//! The one place that changes anything: a rule is taken away, and what complies of it stays.
//!
//! The order of the calls is the safety of it. Pieces come first, so that the website is reachable
//! throughout; the rule goes by its content, so that EC2 itself refuses to take away a rule that
//! changed meanwhile. A rule that the read did not show is revoked first, and pieces follow only if
//! EC2 did revoke it: so nothing is ever added for a rule that was not there.

mod done;

pub use done::Done;

use done::{Pieces, finished, gone_meanwhile};

use super::ports::{Ec2Error, Group, Place, Revoked, SecurityGroups};
use crate::ec2::{Peer, Rule};
use crate::evaluate::plan::{MAX_PIECES, is_piece_of};
use crate::text::rule_text;

/// A rule that is to go, and what is to stay of it.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// Where.
    pub place: &'a Place,
    /// In which group.
    pub group: &'a Group,
    /// The rule.
    pub rule: &'a Rule,
    /// Whether the group's rules, read a moment ago, had it.
    pub seen: bool,
    /// Whether it is open SSH: then it goes even where its pieces find no room.
    pub open_ssh: bool,
    /// What is to stay of it, most important first.
    pub pieces: &'a [Rule],
}

enum Placed {
    All,
    /// The group is full; so many pieces were dealt with before.
    Full(usize),
    Stopped(Ec2Error),
}

/// Carries the order out. Only an error that may pass comes back as an error: then the whole is
/// tried again. Pieces may have been added then, and EC2 may have taken the rule away.
pub async fn revert(ec2: &impl SecurityGroups, order: &Order<'_>) -> Result<Done, Ec2Error> {
    if order.pieces.len() > MAX_PIECES {
        return Ok(Done::failed(format!(
            "Nothing was changed: what the baseline admits of this rule takes {} rules, and more \
             than {MAX_PIECES} are not put in its place.",
            order.pieces.len()
        )));
    }
    if order.seen { replace(ec2, order).await } else { revoke_unseen(ec2, order).await }
}

async fn replace(ec2: &impl SecurityGroups, order: &Order<'_>) -> Result<Done, Ec2Error> {
    let mut pieces = Pieces::default();
    let rest = match place(ec2, order, order.pieces, &mut pieces).await? {
        Placed::All => &[],
        Placed::Full(done) if order.open_ssh => order.pieces.get(done..).unwrap_or_default(),
        Placed::Full(_) => {
            let reason = Ec2Error::LimitExceeded.to_string();
            return Ok(Done { full: true, ..Done::left(&reason, pieces) });
        }
        Placed::Stopped(error) => return Ok(Done::left(&error.to_string(), pieces)),
    };
    match revoke(ec2, order).await {
        Ok(true) => {
            fill(ec2, order, rest, &mut pieces).await;
            Ok(Done { full: !rest.is_empty(), ..finished(pieces) })
        }
        Ok(false) => Ok(Done::already_gone(gone_meanwhile(&pieces), order, pieces)),
        Err(error) if error.may_pass() => Err(error),
        Err(error) => Ok(Done::left(&error.to_string(), pieces)),
    }
}

async fn revoke_unseen(ec2: &impl SecurityGroups, order: &Order<'_>) -> Result<Done, Ec2Error> {
    let mut pieces = Pieces::default();
    match revoke(ec2, order).await {
        Ok(true) => {
            fill(ec2, order, order.pieces, &mut pieces).await;
            Ok(finished(pieces))
        }
        Ok(false) => {
            let detail = "The rule was gone before it could be revoked: EC2 had nothing to revoke. \
                          Somebody else removed or changed it, or an earlier run of this audit did.";
            Ok(Done::already_gone(detail.to_owned(), order, pieces))
        }
        Err(error) if error.may_pass() => Err(error),
        Err(error) => Ok(Done::left(&error.to_string(), pieces)),
    }
}

/// Adds pieces until all are there or one cannot be. Only an error that may pass is an error.
async fn place(
    ec2: &impl SecurityGroups,
    order: &Order<'_>,
    wanted: &[Rule],
    pieces: &mut Pieces,
) -> Result<Placed, Ec2Error> {
    for (done, piece) in wanted.iter().enumerate() {
        match ec2.authorize(order.place, &order.group.id, piece).await {
            Ok(()) => {
                pieces.added.push(piece.clone());
                pieces.placed.push(piece.clone());
            }
            Err(Ec2Error::Duplicate) => match read_back(ec2, order, piece).await {
                Ok(read) => {
                    // Another run of this audit, at the same time: its pieces are ours to undo.
                    if is_piece_of(&read, order.rule) {
                        pieces.added.push(read);
                    }
                    pieces.placed.push(piece.clone());
                }
                Err(error) if error.may_pass() => return Err(error),
                Err(error) => return Ok(Placed::Stopped(error)),
            },
            Err(Ec2Error::LimitExceeded) => return Ok(Placed::Full(done)),
            Err(error) if error.may_pass() => return Err(error),
            Err(Ec2Error::NotFound { .. } | Ec2Error::Refused { .. })
                if matches!(piece.peer, Peer::Reference(_)) =>
            {
                pieces.refused.push(rule_text(piece));
            }
            // What EC2 will never take must not keep SSH open; that it is missing is said.
            Err(error @ Ec2Error::Refused { .. }) if order.open_ssh => {
                pieces.missing.push(format!("{} ({error})", rule_text(piece)));
            }
            Err(error) => return Ok(Placed::Stopped(error)),
        }
    }
    Ok(Placed::All)
}

/// Adds pieces when the rule is gone already. Whatever stands in the way, there is no way back and
/// nothing to try again, so every piece gets its try and the ones that fail are named.
async fn fill(ec2: &impl SecurityGroups, order: &Order<'_>, wanted: &[Rule], pieces: &mut Pieces) {
    for piece in wanted {
        match place(ec2, order, std::slice::from_ref(piece), pieces).await {
            Ok(Placed::All) => {}
            Ok(Placed::Full(_)) => {
                pieces.missing.push(format!("{} ({})", rule_text(piece), Ec2Error::LimitExceeded));
            }
            Ok(Placed::Stopped(error)) | Err(error) => {
                pieces.missing.push(format!("{} ({error})", rule_text(piece)));
            }
        }
    }
}

/// A piece that EC2 calls a duplicate is there only once it is read there.
async fn read_back(
    ec2: &impl SecurityGroups,
    order: &Order<'_>,
    piece: &Rule,
) -> Result<Rule, Ec2Error> {
    let rules = ec2.rules(order.place, order.group).await?;
    let read = rules.into_iter().find(|rule| rule.content() == piece.content());
    read.ok_or_else(|| Ec2Error::Passing {
        action: "AuthorizeSecurityGroupIngress",
        message: format!("`{}` is a duplicate, yet is not read there", rule_text(piece)),
    })
}

/// Whether EC2 took the rule away; `false` where it had nothing to take away. Where nobody knows,
/// that is an error that may pass: who asks again is told.
async fn revoke(ec2: &impl SecurityGroups, order: &Order<'_>) -> Result<bool, Ec2Error> {
    match ec2.revoke(order.place, &order.group.id, order.rule).await {
        Ok(Revoked::Proven) => Ok(true),
        Ok(Revoked::NothingThere) | Err(Ec2Error::NotFound { .. }) => Ok(false),
        Ok(Revoked::Unproven) => match is_read(ec2, order).await {
            Ok(false) => Ok(true),
            Ok(true) => Err(Ec2Error::Passing {
                action: "RevokeSecurityGroupIngress",
                message: format!("`{}` is still read there", rule_text(order.rule)),
            }),
            Err(error) if error.may_pass() => Err(error),
            // EC2 said yes, and nobody can say more.
            Err(_) => Ok(true),
        },
        // An answer that was lost, on this try or on one before it, may have been a yes. Where the
        // rule was read before and is read no more, it was. That it is still read shows nothing: EC2
        // may answer with what was a moment ago.
        Err(error) if error.may_pass() => match is_read(ec2, order).await {
            Ok(false) if order.seen => Ok(true),
            Ok(_) | Err(_) => Err(error),
        },
        Err(error) => Err(error),
    }
}

/// Whether the rule is in the group, as it is read now.
async fn is_read(ec2: &impl SecurityGroups, order: &Order<'_>) -> Result<bool, Ec2Error> {
    let rules = ec2.rules(order.place, order.group).await?;
    Ok(rules.iter().any(|rule| rule.content() == order.rule.content()))
}
