//! The one place that changes anything: a rule is removed, and what complies of it stays.
//!
//! The order of the calls keeps this safe. Pieces are added first, so that the website stays
//! reachable. The rule is revoked by its content, so that EC2 itself refuses to remove a rule that
//! changed meanwhile. A rule that the read did not show is revoked first, and pieces follow only if
//! EC2 did revoke it, so nothing is ever added for a rule that was not there.

use crate::ec2::{
    Ec2Error, Group, GroupKey, Missing, Peer, Place, Revoked, Rule, SecurityGroups, cause,
};
use crate::evaluate::plan::is_piece_of;
use crate::finding::{Action, NotAdded, NotReverted, Reverted};
use crate::settings::MAX_PIECES;
use crate::words::rule_text;

/// A rule to remove, and what is to stay of it.
#[derive(Clone, Debug)]
pub(super) struct Order<'a> {
    /// Where the group is.
    pub place: &'a Place,
    pub group: &'a Group,
    pub rule: &'a Rule,
    /// Whether the group's rules, read a moment ago, had it.
    pub seen: bool,
    /// Whether it is open SSH: then it goes even where there is no room for its pieces.
    pub open_ssh: bool,
    /// What is to stay of it, most important first.
    pub pieces: &'a [Rule],
}

impl Order<'_> {
    /// The pieces to add, and those that are too many.
    fn wanted(&self) -> (&[Rule], &[Rule]) {
        self.pieces.split_at(self.pieces.len().min(MAX_PIECES))
    }
}

/// What a revert came to.
#[derive(Clone, Debug)]
pub(super) struct Done {
    /// What was done, as a finding reports it.
    pub action: Action,
    /// The pieces that this run added.
    pub added: Vec<Rule>,
    /// Whether the rule is gone from a group that was at its limit of rules.
    pub was_full: bool,
}

impl Done {
    /// Whether the rule is gone.
    pub fn is_gone(&self) -> bool {
        matches!(self.action, Action::Reverted(_) | Action::AlreadyGone { .. } | Action::GroupGone)
    }
}

/// What became of the pieces.
#[derive(Default)]
struct Pieces {
    added: Vec<Rule>,
    placed: Vec<Rule>,
    refused: Vec<Rule>,
    missing: Vec<(Rule, NotAdded)>,
}

impl Pieces {
    fn done(self, action: Action) -> Done {
        Done { action, added: self.added, was_full: false }
    }

    /// The rule is gone, by this revert. `beyond` are the pieces that were too many to add.
    fn reverted(self, beyond: &[Rule]) -> Done {
        let Self { added, placed, refused, mut missing } = self;
        missing.extend(beyond.iter().map(|piece| (piece.clone(), NotAdded::TooMany)));
        let action = Action::Reverted(Reverted { placed, refused, missing });
        Done { action, added, was_full: false }
    }

    /// The rule is still there.
    fn left(self, reason: NotReverted) -> Done {
        let action = Action::NotReverted { reason, added: self.added.clone() };
        self.done(action)
    }

    /// There was nothing to revoke.
    fn already_gone(self, order: &Order<'_>) -> Done {
        let action = Action::AlreadyGone { seen: order.seen, added: self.added.clone() };
        self.done(action)
    }
}

/// What came of a revocation.
enum RevokeResult {
    /// EC2 removed the rule.
    Removed,
    /// The group does not have the rule.
    NoRule,
    /// The group does not exist.
    NoGroup,
}

enum Placed {
    All,
    /// The group is full. Holds how many pieces were dealt with before.
    Full(usize),
    Stopped(Ec2Error),
}

/// Carries the order out. Only an error that may pass is returned as an error; then all of it is
/// tried again. Pieces may have been added by then, and EC2 may have removed the rule.
pub(super) async fn revert(ec2: &impl SecurityGroups, order: &Order<'_>) -> Result<Done, Ec2Error> {
    if order.pieces.len() > MAX_PIECES && !order.open_ssh {
        return Ok(Pieces::default().left(NotReverted::TooManyPieces(order.pieces.len())));
    }
    if order.seen { replace(ec2, order).await } else { revoke_unseen(ec2, order).await }
}

async fn replace(ec2: &impl SecurityGroups, order: &Order<'_>) -> Result<Done, Ec2Error> {
    let mut pieces = Pieces::default();
    let (wanted, beyond) = order.wanted();
    let rest = match place(ec2, order, wanted, &mut pieces).await? {
        Placed::All => &[],
        Placed::Full(done) if order.open_ssh => wanted.get(done..).unwrap_or_default(),
        Placed::Full(_) => return Ok(pieces.left(NotReverted::Ec2(Ec2Error::LimitExceeded))),
        Placed::Stopped(error) => return Ok(pieces.left(NotReverted::Ec2(error))),
    };
    match revoke(ec2, order).await {
        Ok(RevokeResult::Removed) => {
            fill(ec2, order, rest, &mut pieces).await;
            Ok(Done { was_full: !rest.is_empty(), ..pieces.reverted(beyond) })
        }
        Ok(RevokeResult::NoRule) => Ok(pieces.already_gone(order)),
        Ok(RevokeResult::NoGroup) => Ok(pieces.done(Action::GroupGone)),
        Err(error) if error.is_transient() => Err(error),
        Err(error) => Ok(pieces.left(NotReverted::Ec2(error))),
    }
}

async fn revoke_unseen(ec2: &impl SecurityGroups, order: &Order<'_>) -> Result<Done, Ec2Error> {
    let mut pieces = Pieces::default();
    match revoke(ec2, order).await {
        Ok(RevokeResult::Removed) => {
            let (wanted, beyond) = order.wanted();
            fill(ec2, order, wanted, &mut pieces).await;
            Ok(pieces.reverted(beyond))
        }
        Ok(RevokeResult::NoRule) => Ok(pieces.already_gone(order)),
        Ok(RevokeResult::NoGroup) => Ok(pieces.done(Action::GroupGone)),
        Err(error) if error.is_transient() => Err(error),
        Err(error) => Ok(pieces.left(NotReverted::Ec2(error))),
    }
}

/// Adds pieces until all exist or one cannot be added. Only an error that may pass is an error.
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
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => return Ok(Placed::Stopped(error)),
            },
            Err(Ec2Error::LimitExceeded) => return Ok(Placed::Full(done)),
            Err(error) if error.is_transient() => return Err(error),
            Err(Ec2Error::NotFound { .. } | Ec2Error::Refused { .. })
                if matches!(piece.peer(), Peer::Reference(_)) =>
            {
                pieces.refused.push(piece.clone());
            }
            // What EC2 will never accept must not keep SSH open; that it is missing is reported.
            Err(error @ Ec2Error::Refused { .. }) if order.open_ssh => {
                pieces.missing.push((piece.clone(), NotAdded::Ec2(error)));
            }
            Err(error) => return Ok(Placed::Stopped(error)),
        }
    }
    Ok(Placed::All)
}

/// Adds pieces when the rule is gone already. There is no way back then and nothing to try again,
/// so every piece gets its try, and the ones that fail are named.
async fn fill(ec2: &impl SecurityGroups, order: &Order<'_>, wanted: &[Rule], pieces: &mut Pieces) {
    for piece in wanted {
        let error = match place(ec2, order, std::slice::from_ref(piece), pieces).await {
            Ok(Placed::All) => continue,
            Ok(Placed::Full(_)) => Ec2Error::LimitExceeded,
            Ok(Placed::Stopped(error)) | Err(error) => error,
        };
        pieces.missing.push((piece.clone(), NotAdded::Ec2(error)));
    }
}

/// A piece that EC2 calls a duplicate exists only once it is read.
async fn read_back(
    ec2: &impl SecurityGroups,
    order: &Order<'_>,
    piece: &Rule,
) -> Result<Rule, Ec2Error> {
    let rules = ec2.rules(order.place, &order.group.id).await?;
    rules.into_iter().find(|rule| rule.is_same_as(piece)).ok_or_else(|| {
        let action = "AuthorizeSecurityGroupIngress";
        contradiction(
            action,
            format!("`{}` is a duplicate, yet is not read there", rule_text(piece)),
        )
    })
}

/// What EC2 did. Where nobody knows, that is an error that may pass: whoever asks again finds out.
async fn revoke(ec2: &impl SecurityGroups, order: &Order<'_>) -> Result<RevokeResult, Ec2Error> {
    match ec2.revoke(order.place, &order.group.id, order.rule).await {
        Ok(Revoked::Proven) => Ok(RevokeResult::Removed),
        Ok(Revoked::NothingThere) | Err(Ec2Error::NotFound { missing: Missing::Rule, .. }) => {
            Ok(RevokeResult::NoRule)
        }
        // What does not exist may be the rule's peer. Then the rule may still be there.
        Err(error @ Ec2Error::NotFound { .. }) => {
            if error.is_no_group() && !exists(ec2, order).await? {
                return Ok(RevokeResult::NoGroup);
            }
            match is_read(ec2, order).await? {
                true => Err(error),
                false => Ok(RevokeResult::NoRule),
            }
        }
        Ok(Revoked::Unproven) => match is_read(ec2, order).await {
            Ok(false) => Ok(RevokeResult::Removed),
            Ok(true) => {
                let action = "RevokeSecurityGroupIngress";
                let told = format!("`{}` is still read there", rule_text(order.rule));
                Err(contradiction(action, told))
            }
            Err(error) if error.is_transient() => Err(error),
            // EC2 said yes, and nobody can say more.
            Err(_) => Ok(RevokeResult::Removed),
        },
        // An answer that was lost, in this try or an earlier one, may have been a yes. If the rule
        // was read before and is not read any more, it was. That it is still read proves nothing:
        // EC2 may answer with what was true a moment ago.
        Err(error) if error.is_transient() => match is_read(ec2, order).await {
            Ok(false) if order.seen => Ok(RevokeResult::Removed),
            Ok(_) | Err(_) => Err(error),
        },
        Err(error) => Err(error),
    }
}

/// Whether the group exists. What EC2 does not show for good counts as there.
async fn exists(ec2: &impl SecurityGroups, order: &Order<'_>) -> Result<bool, Ec2Error> {
    match ec2.group(order.place, &GroupKey::Id(order.group.id.clone())).await {
        Ok(group) => Ok(group.is_some()),
        Err(error) if error.is_transient() => Err(error),
        Err(_) => Ok(true),
    }
}

/// Whether the rule is in the group, as it is read now.
async fn is_read(ec2: &impl SecurityGroups, order: &Order<'_>) -> Result<bool, Ec2Error> {
    let rules = ec2.rules(order.place, &order.group.id).await?;
    Ok(rules.iter().any(|rule| rule.is_same_as(order.rule)))
}

/// EC2's answers contradict each other, as they do while it becomes consistent.
fn contradiction(action: &'static str, told: String) -> Ec2Error {
    Ec2Error::Passing { action, cause: cause(told) }
}
