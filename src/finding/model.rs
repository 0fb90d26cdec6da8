use chrono::{DateTime, NaiveDate, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::identity::finding_id;
use super::life::Life;
use crate::baseline::Exemption;
use crate::declared::Location;
use crate::ec2::hold::{Hold, Refusal};
use crate::ec2::{
    AccountId, Ec2Error, Group, GroupId, GroupKey, GroupRef, ListId, ListNames, Place, Region,
    Rule, RuleError, RuleId,
};
use crate::evaluate::expected::Closed;
use crate::evaluate::{Code, Control, Severity};
use crate::event::trail::Unfit;
use crate::event::{Note, Record, WatchedChange};
use crate::net::{Cells, Traffic};

/// One thing that is not as the baseline wants it.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The same when the same event is audited again.
    pub id: String,
    /// The same from event, sweep and check.
    pub fingerprint: String,
    /// What is wrong.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    pub place: Place,
    /// The group it is about.
    pub group: Option<FoundGroup>,
    /// The change behind it.
    pub change: Option<Record>,
    /// Where a plan or a template declares what it is about.
    pub location: Option<Location>,
    /// The published controls that fail because of it.
    pub controls: Vec<Control>,
    /// When the auditor acted, or looked.
    pub time: DateTime<Utc>,
    /// A shell line that closes what is open, as a revert would, or mends the auditor.
    pub fix: Option<String>,
    /// A shell line that adds what is missing.
    pub complete: Option<String>,
    /// A shell line that puts the group back as it was.
    pub undo: Option<String>,
    /// The names of the prefix lists that it is about, where they are known.
    pub list_names: ListNames,
    /// Its status and history; `None` where nothing is remembered.
    pub life: Option<Life>,
    /// The binding that the group was audited by.
    pub binding: Option<String>,
    /// What it is about, with everything that only such a finding has.
    pub matter: Matter,
}

impl Finding {
    /// Names the binding that the group was audited by, or those that may apply, where it is not
    /// decided.
    pub fn bind(&mut self, binding: &Option<String>, undecided: &[Option<String>]) {
        if undecided.is_empty() {
            self.binding.clone_from(binding);
        } else if let Matter::Rule(found) = &mut self.matter {
            found.remarks.push(Remark::BindingUnknown(undecided.to_vec()));
        }
    }
}

/// The group that a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FoundGroup {
    /// `sg-…`
    pub id: GroupId,
    /// The group's name, where it is known.
    pub name: Option<String>,
    /// `vpc-…`, where it is known.
    pub vpc_id: Option<String>,
}

impl From<&Group> for FoundGroup {
    fn from(group: &Group) -> Self {
        Self { id: group.id.clone(), name: group.name.clone(), vpc_id: group.vpc_id.clone() }
    }
}

/// What a finding is about.
#[derive(Clone, Debug)]
pub enum Matter {
    /// A rule that admits more than the baseline does, or may.
    Rule(Box<FoundRule>),
    /// A rule is compliant only because the baseline names a prefix list for SSH, and the list is
    /// wide.
    WideList {
        rule: Rule,
        /// The baseline's name.
        baseline: String,
        /// What the list holds, where its change is behind the finding.
        list: Option<ListEntries>,
    },
    /// The baseline itself is wide on SSH.
    WideBaseline {
        /// The baseline's name.
        baseline: String,
        /// What a list of the baseline holds, where its change is behind the finding.
        list: Option<ListEntries>,
    },
    /// A change closed traffic that the site lives on.
    ExpectedClosed(Closed),
    /// Something could not be audited.
    Unaudited { what: Unaudited, reason: Reason },
    /// A group is no longer in the scope of the audit.
    LeftScope {
        /// What happened to its tag.
        exit: ScopeExit,
        /// Whether it has the tag again by now.
        is_back: bool,
    },
    /// Something changed that the auditor itself depends on.
    AuditorChanged {
        change: WatchedChange,
        /// In what it weakens the auditor, as far as that can be told.
        weakened: Vec<Weakening>,
        /// What [`Finding::fix`] does.
        mend: Mend,
        /// The shell line that audits everything once more, where the auditor's stack is known.
        sweep: Option<String>,
    },
    /// A finding of an earlier audit is no longer there.
    Resolved {
        /// The rule that it was about, where it was about one.
        rule: Option<Rule>,
        /// How bad it was.
        was: Severity,
    },
    /// The changes of the place do not reach the auditor, as far as is known.
    Unfed {
        unfed: Unfed,
        /// What [`Finding::fix`] does.
        mend: Mend,
    },
}

/// What the shell line of a finding about the auditor itself does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mend {
    /// It takes the change back.
    Directly,
    /// It looks at the deployed auditor, and prints the commands that mend it.
    ByDoctor,
    /// It lists the rules that forward events, in an account that the reader has to be in.
    ByListing,
}

/// Why the auditor does not hear of the changes of a place.
#[derive(Clone, Debug)]
pub enum Unfed {
    /// No trail records them. These could.
    Trails(Vec<UnfitTrail>),
    /// It could not be looked up.
    NotSeen(Ec2Error),
    /// Groups changed, and no event came.
    Unheard(Unheard),
}

/// Groups of a place changed, and no event told of any change there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unheard {
    /// After which time they changed. It is that of a sweep.
    pub since: DateTime<Utc>,
    /// When a later sweep saw that they had changed.
    pub seen: DateTime<Utc>,
    /// Some of them.
    pub groups: Vec<GroupId>,
    /// How many others there are.
    pub more: usize,
}

/// A trail that could record a place, and does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfitTrail {
    pub arn: String,
    /// The region that it can be changed in.
    pub home: Region,
    /// Why it does not.
    pub why: Unfit,
}

impl UnfitTrail {
    pub fn name(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or(&self.arn)
    }
}

/// A rule that admits more than the baseline does, or may.
#[derive(Clone, Debug)]
pub struct FoundRule {
    pub rule: Rule,
    /// What it admits and the baseline does not.
    pub excess: Traffic,
    /// What it admits, where a prefix list that could not be read decides whether the baseline
    /// admits it. No part of the excess.
    pub unresolved: Traffic,
    /// Where SSH listens.
    pub ssh: Cells,
    /// The exemption that would silence the finding, where one can.
    pub exemption: Option<Exemption>,
    /// What was done about it.
    pub action: Action,
    /// Whether the rule is still in the group.
    pub presence: Presence,
    /// What of a removed rule is in the group now.
    pub kept: Vec<Rule>,
    /// What of a removed rule should be in the group and is not.
    pub missing: Vec<Rule>,
    /// Those of [`missing`](Self::missing) that other rules admit now, which do not comply.
    pub admitted: Vec<Rule>,
    /// Those of [`missing`](Self::missing) that a command for another rule adds.
    pub offered: Vec<Rule>,
    /// What a revert, or the line that closes the rule, leaves of it; `None` where that is not known.
    pub would_keep: Option<Vec<Rule>>,
    /// Other rules of the group that admit SSH from the Internet now.
    pub still_open: Vec<Rule>,
    /// Those of [`still_open`](Self::still_open) that the command of another finding closes.
    pub closed_elsewhere: Vec<Rule>,
    /// Why there may be more of these, where nobody could look.
    pub unchecked: Option<Unchecked>,
    /// How many other rules of the group let one public host each reach SSH beyond the baseline;
    /// `None` where nobody counted them.
    pub other_hosts: Option<usize>,
    /// The hold that [`Finding::undo`] puts on the rule.
    pub undo_hold: Option<Hold>,
    /// What else there is to say, in this order.
    pub remarks: Vec<Remark>,
    /// Exemptions that would cover some of it, had they not expired.
    pub expired: Vec<ExpiredExemption>,
}

/// Why it is not known which other rules of a group admit SSH from the Internet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unchecked {
    /// The group could not be read again after the audit had acted.
    Group,
    /// Prefix lists that could not be read decide about these rules.
    Rules(Vec<Rule>),
}

/// Whether a rule is still in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is, as far as is known.
    Present,
    /// It is gone, and with it the connections that it admitted, or not.
    Gone(Connections),
    /// The group itself is gone, with all its rules.
    WithGroup,
}

/// What becomes of connections that only a removed rule admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    /// They were untracked and end at once.
    Ended,
    /// They stay open until nobody has used them for a while.
    LiveOn,
}

/// What was done about a rule.
#[derive(Clone, Debug)]
pub enum Action {
    /// No revert was due.
    NotDue {
        why: NotDue,
        /// Whether the rule was read in the group; `None` where that goes without saying.
        seen: Option<bool>,
    },
    /// The rule is held open.
    Held {
        /// Until when, and why.
        hold: Hold,
        /// What happens when the hold ends.
        then: AfterHold,
        /// Whether the rule was read in the group.
        seen: bool,
    },
    /// A revert was due, and an exemption that cannot be evaluated may cover the rule.
    PerhapsExempt(Vec<DoubtfulExemption>),
    /// The rule is not closed yet, because no earlier sweep has reported under these settings.
    Planned(Planner),
    /// A hook refused the change, so the rule was never made.
    Prevented,
    /// Another invocation closes the rule. Holds why it does not, if that could not be asked for.
    Later(Option<NotHandedOn>),
    /// The rule was to be closed and was gone before, closed by an earlier run or by somebody else.
    GoneBefore,
    /// The group could not be read, so nothing was done.
    Unreadable {
        error: Ec2Error,
        /// What was due.
        due: Outcome,
        /// Whether the rule was found by an earlier invocation, which may have closed it.
        noted: bool,
    },
    /// The rule was revoked.
    Reverted(Reverted),
    /// EC2 had nothing to revoke.
    AlreadyGone {
        /// Whether the rule was read in the group a moment before.
        seen: bool,
        /// What this run had added before.
        added: Vec<Rule>,
    },
    /// EC2 said that the group does not exist.
    GroupGone,
    /// A revert was due, and the rule is still there.
    NotReverted {
        reason: NotReverted,
        /// What this run had added before.
        added: Vec<Rule>,
    },
}

/// A rule that was revoked, and what became of the pieces that were to replace it.
#[derive(Clone, Debug, Default)]
pub struct Reverted {
    /// In place.
    pub placed: Vec<Rule>,
    /// Refused by EC2 because of their peer.
    pub refused: Vec<Rule>,
    /// Could not be added, each with the reason.
    pub missing: Vec<(Rule, NotAdded)>,
}

/// Why a piece of a revoked rule could not be added.
#[derive(Clone, Debug)]
pub enum NotAdded {
    /// EC2 did not do it.
    Ec2(Ec2Error),
    /// There are more pieces than a revert adds.
    TooMany,
}

/// Why no revert was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotDue {
    /// Findings are only reported.
    OnlyReported,
    /// The group belongs to another account and is only shared with this one.
    OtherOwner,
    /// Where a group is audited as a whole, findings are only reported.
    SweepOnlyReported,
    /// Only open SSH is reverted, and this is something else.
    NotOpenSsh,
    /// Only ingress that admits public addresses is reverted, and this is something else.
    NotPublicIngress,
}

/// Why a rule that was to be reverted is still there.
#[derive(Clone, Debug)]
pub enum NotReverted {
    /// What the baseline admits of it takes this many rules, which is too many.
    TooManyPieces(usize),
    /// What the baseline admits of it cannot be written as rules.
    Pieces(RuleError),
    /// EC2 did not do it.
    Ec2(Ec2Error),
}

/// What happens to a rule when its hold ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterHold {
    /// It is reported again.
    Reported,
    Closed,
}

/// An exemption that counts and of which it is not known whether it covers a rule.
#[derive(Clone, Debug)]
pub struct DoubtfulExemption {
    /// Why the exemption was made.
    pub reason: String,
    /// The last day on which it counts.
    pub until: NaiveDate,
    /// The lists it names that could not be read, each with why; `None` where nobody looked.
    pub lists: Vec<(ListId, Option<Ec2Error>)>,
}

/// An exemption that no longer counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpiredExemption {
    /// Why the exemption was made.
    pub reason: String,
    /// The last day on which it counted.
    pub until: NaiveDate,
}

/// What else there is to say about a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// Why a rule was audited although the change may not have added it.
    Note(Note),
    /// The rule was held open, and the hold has ended.
    HoldOver(Hold),
    /// The tags of a hold do not count.
    HoldRefused(Refusal),
    /// The rule was authorised with its hold.
    HoldAuthorized {
        at: DateTime<Utc>,
        /// By whom, where that is known.
        actor: Option<String>,
    },
    /// The tags of a hold ask for a later end than it was authorised with.
    HoldMoved(DateTime<Utc>),
    /// The rule has the tags of a hold, and nobody has seen yet that it was authorised with them.
    HoldUnseen,
    /// The hold could not be remembered.
    HoldNotRemembered,
    /// It is not known which of these bindings applies. `None` stands for no binding.
    BindingUnknown(Vec<Option<String>>),
    /// A change of a prefix list is behind it.
    List(ListEntries),
    /// The group that the rule names no longer exists.
    StaleGroup(GroupRef),
    /// The peering of VPCs is deleted by which the rule names this group.
    LostPeering(GroupRef),
}

/// The entries of a changed prefix list that matter to a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListEntries {
    pub list: ListId,
    /// The entries, those that the change added first, each with whether it did.
    pub entries: Vec<(IpNet, bool)>,
    /// Whether these are the entries that exceed the baseline, or all that the list has.
    pub are_excess: bool,
}

/// What could not be audited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unaudited {
    /// A change, of this group where one is named.
    Change(Option<GroupKey>),
    /// A change of a prefix list.
    List(ListId),
    /// A change of the tags of these rules.
    RuleTags(Vec<RuleId>),
    /// All groups of the place.
    Place,
}

/// Why something could not be audited.
#[derive(Clone, Debug)]
pub enum Reason {
    /// What arrived does not tell. Holds what is wrong with it.
    NotUnderstood(String),
    /// The group does not exist. Holds what is wrong with the event, if anything is.
    NoGroup(Option<String>),
    /// It is in another account.
    OtherAccount {
        account: AccountId,
        /// The only account that can be audited.
        own: AccountId,
    },
    /// EC2 did not answer, and will not.
    Ec2(Ec2Error),
    /// There was no time left, and no other invocation does it.
    NotHandedOn {
        why: NotHandedOn,
        /// The rules that were to be closed, where they are known.
        rules: Vec<Rule>,
    },
}

impl Reason {
    /// A stable word for the kind of reason.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotUnderstood(_) => "not-understood",
            Self::NoGroup(_) => "no-group",
            Self::OtherAccount { .. } => "other-account",
            Self::Ec2(_) => "ec2",
            Self::NotHandedOn { .. } => "not-handed-on",
        }
    }
}

/// Why no other invocation does what there was no time for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotHandedOn {
    /// None could be asked for; all of it is tried again. Holds why.
    ForNow(String),
    /// None can be asked for. Holds why.
    Refused(String),
    /// This many invocations were not enough.
    TooManyInvocations(u32),
}

/// In what a change weakens the auditor, compared with the settings that it runs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakening {
    /// Fewer groups, or other ones, are in scope.
    ScopeNarrowed,
    /// Less is done about what a change opens.
    RemediationLowered,
    /// Less is done about what the sweep finds.
    SweepRemediationLowered,
    /// It audits against another baseline, or with other SSH sources or web ports.
    BaselineChanged,
    /// A hold may last longer.
    HoldsLengthened,
    /// The settings are not valid, and the function does not start with them.
    NotValid,
    /// It is about a rule that sends the auditor the events of another account.
    MemberRule,
}

/// How a group left the scope of the audit. Holds the key of its tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeExit {
    /// The tag has another value.
    OtherValue(String),
    /// The tag was deleted.
    Deleted(String),
    /// The tag is missing after a tag call whose record was cut short.
    Missing(String),
}

/// What became of a rule, as one stable word.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Outcome {
    /// Nothing was due.
    None,
    /// The rule is gone, and nothing of it was left to add.
    Reverted,
    /// The rule is gone, and what the baseline admits of it replaced it.
    Narrowed,
    /// EC2 said that there was nothing to revoke.
    AlreadyGone,
    /// The rule is held open until an announced time.
    Held,
    /// A revert was due, and an exemption that cannot be evaluated may cover the rule.
    Exempt,
    /// A revert was due and did not succeed, or not completely.
    Failed,
    /// Nothing was done yet, because no sweep has reported under these settings before.
    Planned,
    /// The rule was refused before it was made.
    Prevented,
}

/// What only plans to close a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Planner {
    /// A sweep. The next one closes it.
    Sweep,
    /// A change that may not have opened the rule.
    Change,
}

impl Planner {
    /// Its name among what is remembered.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Outcome {
    /// The outcome as it is written.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether a revert was due and was tried.
    pub fn is_revert(self) -> bool {
        match self {
            Self::Reverted | Self::Narrowed | Self::AlreadyGone | Self::Failed => true,
            Self::None | Self::Held | Self::Exempt | Self::Planned | Self::Prevented => false,
        }
    }
}

impl Action {
    /// The error of EC2 that stopped the revert, or the first one that left a piece missing.
    pub fn error(&self) -> Option<&Ec2Error> {
        match self {
            Self::NotReverted { reason: NotReverted::Ec2(error), .. } => Some(error),
            Self::Reverted(Reverted { missing, .. }) => {
                missing.iter().find_map(|(_, why)| match why {
                    NotAdded::Ec2(error) => Some(error),
                    NotAdded::TooMany => None,
                })
            }
            _ => None,
        }
    }

    /// The outcome that it amounts to.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::NotDue { .. } | Self::GoneBefore => Outcome::None,
            Self::Held { .. } => Outcome::Held,
            Self::PerhapsExempt(_) => Outcome::Exempt,
            Self::Planned(_) => Outcome::Planned,
            Self::Prevented => Outcome::Prevented,
            Self::Later(_) | Self::NotReverted { .. } => Outcome::Failed,
            Self::Unreadable { due, .. } => *due,
            Self::Reverted(Reverted { missing, .. }) if !missing.is_empty() => Outcome::Failed,
            Self::Reverted(Reverted { placed, .. }) if placed.is_empty() => Outcome::Reverted,
            Self::Reverted(_) => Outcome::Narrowed,
            Self::AlreadyGone { .. } | Self::GroupGone => Outcome::AlreadyGone,
        }
    }
}

impl Presence {
    /// Whether the rule is gone.
    pub fn is_gone(self) -> bool {
        matches!(self, Self::Gone(_) | Self::WithGroup)
    }
}

impl Finding {
    /// What became of the rule; [`Outcome::None`] for a finding that is not about one.
    pub fn outcome(&self) -> Outcome {
        self.found_rule().map_or(Outcome::None, |found| found.action.outcome())
    }

    /// The rule with its excess, where it is about one.
    pub fn found_rule(&self) -> Option<&FoundRule> {
        match &self.matter {
            Matter::Rule(found) => Some(found),
            _ => None,
        }
    }

    /// Whether it is about a rule that EC2 makes every default group with.
    pub fn is_of_every_default_group(&self) -> bool {
        let found = self.group.as_ref().zip(self.found_rule());
        found.is_some_and(|(group, found)| {
            let (id, name) = (group.id.clone(), group.name.clone());
            Group { name, ..Group::known_by_id(id) }.is_made_with(&found.rule)
        })
    }

    /// The rule that the report names: the one that exceeds the baseline or is wide, or the first
    /// that admitted traffic which is closed now, itself or by the list that it names.
    pub fn rule(&self) -> Option<&Rule> {
        match &self.matter {
            Matter::Rule(found) => Some(&found.rule),
            Matter::WideList { rule, .. } => Some(rule),
            Matter::ExpectedClosed(closed) => closed.removed.as_ref()?.first(),
            Matter::Resolved { rule, .. } => rule.as_ref(),
            Matter::WideBaseline { .. }
            | Matter::Unaudited { .. }
            | Matter::LeftScope { .. }
            | Matter::AuditorChanged { .. }
            | Matter::Unfed { .. } => None,
        }
    }

    /// Notes that a hook refused this request, so that the rule was never made.
    pub fn prevent(&mut self, request: &Record) {
        self.id = finding_id(&self.fingerprint, Some(request));
        self.change = Some(request.clone());
        if let Matter::Rule(found) = &mut self.matter {
            found.action = Action::Prevented;
        }
    }

    /// Notes the names of the prefix lists that it is about.
    pub fn name_lists(&mut self, name: impl Fn(&ListId) -> Option<String>) {
        let changed = match &self.matter {
            Matter::WideBaseline { list, .. } => list.as_ref().map(|entries| &entries.list),
            Matter::Unaudited { what: Unaudited::List(list), .. } => Some(list),
            Matter::ExpectedClosed(closed) => closed.list.as_ref().map(|list| &list.id),
            // A rule that is reported because of a list names it.
            Matter::Rule(_)
            | Matter::WideList { .. }
            | Matter::Unaudited { .. }
            | Matter::Resolved { .. }
            | Matter::LeftScope { .. }
            | Matter::AuditorChanged { .. }
            | Matter::Unfed { .. } => None,
        };
        let of_rules = self.rule().into_iter().chain(self.still_open());
        let lists = of_rules.filter_map(|rule| rule.peer().list()).chain(changed);
        self.list_names = lists.filter_map(|id| Some((id.clone(), name(id)?))).collect();
    }

    /// Notes that the group is gone: none of its rules is there, and no command can change it.
    pub fn lose_group(&mut self) {
        (self.fix, self.complete, self.undo) = (None, None, None);
        if let Matter::Rule(found) = &mut self.matter {
            found.presence = Presence::WithGroup;
            (found.kept, found.missing, found.still_open) = Default::default();
            (found.admitted, found.offered, found.closed_elsewhere) = Default::default();
            (found.would_keep, found.unchecked, found.undo_hold) = (None, None, None);
            match &mut found.action {
                Action::Reverted(reverted) => *reverted = Reverted::default(),
                action @ (Action::AlreadyGone { .. } | Action::NotReverted { .. }) => {
                    *action = Action::GroupGone;
                }
                _ => {}
            }
        }
    }

    /// The hold of the rule, where it is held.
    pub fn hold(&self) -> Option<&Hold> {
        match &self.found_rule()?.action {
            Action::Held { hold, .. } => Some(hold),
            _ => None,
        }
    }

    /// Other rules of the group that admit SSH from the Internet now.
    pub fn still_open(&self) -> &[Rule] {
        self.found_rule().map_or(&[], |found| &found.still_open)
    }

    /// Whether it is about a rule that is no longer in its group.
    pub fn is_rule_gone(&self) -> bool {
        self.found_rule().is_some_and(|found| found.presence.is_gone())
    }

    /// Whether a revert removed the rule, even if not everything that should have stayed is there.
    pub fn is_closed_by_revert(&self) -> bool {
        self.found_rule().is_some_and(|found| matches!(found.action, Action::Reverted(_)))
    }
}
