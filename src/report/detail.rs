use super::declared;
use super::reach;
use super::title::title;
use super::wording::{self, error, not_handed_on, open_rules, texts, whom};
use crate::ec2::Rule;
use crate::ec2::hold::{Hold, REASON, Refusal, UNTIL};
use crate::evaluate::Code;
use crate::event::{Component, Note, WatchedChange};
use crate::finding::{
    Action, AfterHold, Connections, DoubtfulExemption, ExpiredExemption, Finding, FoundRule,
    ListEntries, Matter, NotAdded, NotDue, NotReverted, Planner, Presence, Remark, Reverted,
    Unaudited, Unchecked, Unfed, Weakening,
};
use crate::net::Set;
use crate::settings::MAX_PIECES;
use crate::text::{count, first_of, in_backticks, inert, minute, quoted};
use crate::words::{excess_text, rule_text};

const AUDITED_ONCE_MORE: &str =
    "All its rules were audited once more, as if it were still in scope.";

const TRAIL_NEEDED: &str = "The auditor hears of a change only where a trail records management \
                            events of its region: one of this account, or of its organisation.";

const EVENTS_NEEDED: &str = "Either no trail records management events there, or the rules that \
                             forward them are missing, disabled or without their target. What was \
                             opened is in the findings of the sweeps.";

const HELD_NOT_SEEN: &str = "The rule was not in the group when it was read. If its tags were taken off in between, the \
                             auditor may have closed it.";

/// How many entries of a list are named.
const ENTRIES_NAMED: usize = 6;

/// What was done about a finding and what else there is to say, in sentences.
pub(super) fn detail(finding: &Finding) -> String {
    match &finding.matter {
        Matter::Rule(found) => sentences(finding, found),
        Matter::WideList { list, .. } => with_list(
            finding,
            "Nothing was closed, because the baseline admits it. Take addresses out of the list, \
             or name narrower SSH sources.",
            list.as_ref(),
        ),
        Matter::WideBaseline { list, .. } => with_list(
            finding,
            "Nothing was changed. Narrow it to the addresses that need SSH.",
            list.as_ref(),
        ),
        Matter::ExpectedClosed(closed) => reach::detail(closed),
        Matter::Resolved { .. } => String::new(),
        Matter::Unaudited { what: Unaudited::Change(None), .. } if finding.group.is_none() => {
            format!(
                "Nothing was changed. It is not known which group it was: look at the security \
                 groups of {}.",
                finding.place
            )
        }
        Matter::Unaudited { what: Unaudited::Change(_), .. } => {
            "Nothing was changed. Look at the group's rules yourself.".to_owned()
        }
        Matter::Unaudited { .. } => "Nothing was changed. Look at the rules yourself.".to_owned(),
        Matter::LeftScope { is_back, .. } => {
            let now = match is_back {
                true => "It has the tag again, and is audited.",
                false => "Its changes are not audited any more.",
            };
            format!("{now} {AUDITED_ONCE_MORE}")
        }
        Matter::AuditorChanged { change, weakened, .. } => {
            let sweep = if needs_sweep(finding) { " Then run a sweep." } else { "" };
            format!("Nothing was put back. {}{sweep}", of_auditor(change, weakened))
        }
        Matter::Unfed { unfed, .. } => format!("Nothing was changed. {}", needed(unfed)),
    }
}

/// What the auditor needs to hear of changes.
fn needed(unfed: &Unfed) -> &'static str {
    match unfed {
        Unfed::Trails(_) | Unfed::NotSeen(_) => TRAIL_NEEDED,
        Unfed::Unheard(_) => EVENTS_NEEDED,
    }
}

/// What becomes of connections that were made while a rule was there; only where it is gone.
pub(super) fn connections(found: &FoundRule) -> Option<&'static str> {
    match found.presence {
        // A group in use cannot be deleted.
        Presence::Present | Presence::WithGroup => None,
        Presence::Gone(Connections::Ended) => Some(
            "Connections that only this rule let in have ended: EC2 did not track them, so it cut \
                 them with the rule.",
        ),
        Presence::Gone(Connections::LiveOn) => {
            Some("Whoever connected meanwhile may still be connected: end that on the server.")
        }
    }
}

/// What of the rule hangs on a list that could not be read.
pub(super) fn undecided(found: &FoundRule) -> Option<String> {
    let is_undecided = !found.unresolved.is_empty();
    is_undecided.then(|| excess_text(&found.rule, &found.unresolved))
}

/// What exceeds the baseline, and what may, in one line.
pub(super) fn exceeds(finding: &Finding) -> Option<String> {
    let found = finding.found_rule()?;
    let texts =
        excess(found).into_iter().chain(undecided(found).map(|it| format!("undecided: {it}")));
    let texts: Vec<String> = texts.collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// What the finding is, what exceeds the baseline, what may, and the binding that says so, each in a
/// line.
pub(super) fn lines(finding: &Finding) -> Vec<String> {
    let found = finding.found_rule();
    let excess = found.and_then(excess).map(|it| format!("exceeds the baseline: {it}"));
    let undecided = found.and_then(undecided).map(|it| format!("undecided: {it}"));
    let binding = finding.binding.as_ref().map(|binding| format!("binding: {binding}"));
    [Some(title(finding).whole()), excess, undecided, binding].into_iter().flatten().collect()
}

fn excess(found: &FoundRule) -> Option<String> {
    (!found.excess.is_empty()).then(|| excess_text(&found.rule, &found.excess))
}

/// The sentences about a rule, without what goes without saying in a check: that nothing was
/// changed.
pub(super) fn of_checked_rule(finding: &Finding, found: &FoundRule) -> String {
    match found.action {
        Action::NotDue { why: NotDue::OnlyReported, seen: None } => {
            remarks(finding, found, &|_| true).join(" ")
        }
        _ => sentences(finding, found),
    }
}

/// As [`detail`], without what a mail says before it.
pub(super) fn done(finding: &Finding) -> String {
    match &finding.matter {
        Matter::Rule(found) => {
            let done = match found.action {
                _ if found.presence == Presence::WithGroup => action(finding.code, found),
                Action::Held { seen: true, .. } | Action::Prevented => String::new(),
                Action::Held { seen: false, .. } => HELD_NOT_SEEN.to_owned(),
                _ => action(finding.code, found),
            };
            // A mail has said before that a hold was refused.
            let is_said = |it: &Remark| matches!(it, Remark::HoldRefused(_));
            with_remarks(finding, found, done, &|it| !is_said(it))
        }
        Matter::WideList { list, .. } | Matter::WideBaseline { list, .. } => {
            list.as_ref().map_or_else(String::new, |list| of_list(finding, list))
        }
        Matter::LeftScope { .. } => AUDITED_ONCE_MORE.to_owned(),
        Matter::AuditorChanged { change, weakened, .. } => of_auditor(change, weakened),
        Matter::Unfed { unfed, .. } => needed(unfed).to_owned(),
        Matter::Unaudited { reason, .. } => {
            format!("The reason: {}.", wording::reason(reason).trim_end_matches('.'))
        }
        _ => detail(finding),
    }
}

fn sentences(finding: &Finding, found: &FoundRule) -> String {
    let mut sentences = Vec::new();
    if !found.still_open.is_empty() && found.presence.is_gone() {
        let rules = open_rules(&found.still_open);
        let others = if found.still_open.len() == 1 { "another rule" } else { "other rules" };
        let whom = whom(&found.still_open);
        sentences.push(format!("STILL OPEN: SSH is open to {whom} through {others}, {rules}."));
        if !found.closed_elsewhere.is_empty() {
            let rules = open_rules(&found.closed_elsewhere);
            sentences.push(format!("The command of another finding closes {rules}."));
        }
    }
    sentences.push(action(finding.code, found));
    sentences.extend(unchecked(found));
    with_remarks(finding, found, sentences.join(" "), &|_| true)
}

/// What was done, and what else there is to say.
fn with_remarks(
    finding: &Finding,
    found: &FoundRule,
    done: String,
    is_told: &dyn Fn(&Remark) -> bool,
) -> String {
    let mut sentences = Vec::from_iter(Some(done).filter(|done| !done.is_empty()));
    if !found.still_open.is_empty() && !found.presence.is_gone() {
        let rules = open_rules(&found.still_open);
        sentences.push(format!("SSH is open through {rules} too."));
    }
    sentences.extend(remarks(finding, found, is_told));
    sentences.join(" ")
}

/// That nobody could look whether other rules keep SSH open.
pub(super) fn unchecked(found: &FoundRule) -> Option<String> {
    let why = match found.unchecked.as_ref().filter(|_| found.presence.is_gone())? {
        Unchecked::Group => "the group could not be read again".to_owned(),
        Unchecked::Rules(rules) => {
            format!("a prefix list could not be read that decides about {}", open_rules(rules))
        }
    };
    Some(format!("SSH may still be open through another rule: {why}."))
}

/// What was done about a rule.
fn action(code: Code, found: &FoundRule) -> String {
    if found.presence == Presence::WithGroup {
        return with_group(&found.action);
    }
    match &found.action {
        Action::Held { hold, then, seen } => held(hold, *then, *seen),
        Action::NotDue { why, seen } => {
            let why = match why {
                NotDue::NotOpenSsh if code == Code::SshFromUnlistedHost => not_open_ssh(found),
                why => not_due(*why).to_owned(),
            };
            match seen {
                None => why,
                Some(true) => format!("{why} The rule was still in the group."),
                Some(false) => format!("{why} The rule was not in the group when it was read."),
            }
        }
        Action::PerhapsExempt(exemptions) => {
            let each: Vec<String> = exemptions.iter().map(doubtful).collect();
            format!(
                "Nothing was changed, because it is not known whether the rule is exempt: {}. Let the \
                 auditor read the list, or revoke the rule by hand.",
                each.join("; ")
            )
        }
        Action::Prevented => {
            "The hook refused it before it was made, so nothing has to be closed.".to_owned()
        }
        Action::Later(None) => "Nothing was changed yet.".to_owned(),
        Action::Later(Some(why)) => format!("Nothing was changed: {}.", not_handed_on(why)),
        Action::Planned(Planner::Sweep) => {
            "Nothing was changed yet. This was the first sweep (audit of all groups) under these \
             settings, so it only says what the next sweep closes. If the rule must stay, allow it in \
             the baseline before the next sweep."
                .to_owned()
        }
        Action::Planned(Planner::Change) => {
            "Nothing was changed: this change does not tell whether it opened the rule, and no sweep \
             has reported under these settings before. Close the rule by hand, or allow it in the \
             baseline if it must stay."
                .to_owned()
        }
        Action::GoneBefore => {
            "The rule was to be closed, and was not in the group when it was read: an earlier run \
             of this audit has closed it, or somebody else has."
                .to_owned()
        }
        Action::Unreadable { error: why, noted: false, .. } => {
            format!("Nothing was changed: the group could not be read. {}.", error(why))
        }
        Action::Unreadable { error: why, noted: true, .. } => format!(
            "The rule was to be closed. Whether an earlier run of this audit has done so is not \
             known: the group could not be read. {}.",
            error(why)
        ),
        Action::Reverted(reverted) => match found.excess.is_empty() {
            // Nothing else is reverted without a known excess.
            true => format!(
                "{} The prefix list does not exist, so nobody can say whom the rule admitted.",
                of_reverted(found, reverted)
            ),
            false => of_reverted(found, reverted),
        },
        Action::AlreadyGone { seen, .. } => already_gone(found, *seen),
        Action::GroupGone => with_group(&found.action),
        Action::NotReverted { reason, added } => not_reverted(reason, added),
    }
}

/// What was done about a rule whose group is gone.
fn with_group(action: &Action) -> String {
    let gone = "The group itself is gone, and the rule with it";
    match action {
        Action::Reverted(_) => {
            "The rule was revoked. The group itself is gone since, and nothing was put in its place."
                .to_owned()
        }
        Action::NotDue { why, .. } => format!("{} {gone}.", not_due(*why)),
        Action::GroupGone => format!("{gone}: EC2 says that there is no such group."),
        _ => format!("{gone}."),
    }
}

fn not_due(why: NotDue) -> &'static str {
    match why {
        NotDue::OnlyReported => "Nothing was changed: findings are only reported.",
        NotDue::OtherOwner => {
            "Nothing was changed: the group belongs to another account and is only shared with this \
             one."
        }
        NotDue::SweepOnlyReported => {
            "Nothing was changed: where a group is audited as a whole, it is only reported, as \
             SWEEP_REMEDIATION says."
        }
        NotDue::NotOpenSsh => {
            "Nothing was changed: the auditor closes a rule only if it opens SSH to more than one public \
             address that the baseline does not allow."
        }
        NotDue::NotPublicIngress => {
            "Nothing was changed: only ingress from public addresses is reverted."
        }
    }
}

/// Why a rule that lets a single host reach SSH is left alone, and how many more of them the group
/// has, which together may let in many.
fn not_open_ssh(found: &FoundRule) -> String {
    let others = match found.other_hosts {
        None => " Whether other rules of the group do the same is not known.".to_owned(),
        Some(0) => String::new(),
        Some(1) => " Another rule of the group does the same.".to_owned(),
        Some(n) => format!(" {n} other rules of the group do the same."),
    };
    format!(
        "Nothing was changed: beyond the baseline, this rule lets one public host reach SSH, and only \
         rules that let in more than one are closed.{others}"
    )
}

/// Why a rule that is held is left alone, and what comes after.
fn held(hold: &Hold, then: AfterHold, seen: bool) -> String {
    let until = minute(hold.until);
    let then = match then {
        AfterHold::Reported => "After that it is reported again, and not closed.",
        AfterHold::Closed => {
            "After that it is closed, if it is still there and the settings are those of today."
        }
    };
    let there = if seen { String::new() } else { format!(" {HELD_NOT_SEEN}") };
    format!("Left alone until {until}, as its tags ask. {then}{there}")
}

fn doubtful(exemption: &DoubtfulExemption) -> String {
    let lists: Vec<String> = exemption
        .lists
        .iter()
        .map(|(id, why)| {
            let why = why.as_ref().map(error);
            let why = why.map_or_else(
                || "was not looked up".to_owned(),
                |why| format!("could not be read ({why})"),
            );
            format!("prefix list {id}, which {why}")
        })
        .collect();
    let DoubtfulExemption { reason, until, .. } = exemption;
    format!("the exemption until {until} ({}) names {}", quoted(reason), lists.join(" and "))
}

fn of_reverted(found: &FoundRule, reverted: &Reverted) -> String {
    let rule = rule_text(&found.rule);
    let mut detail = match reverted.placed.as_slice() {
        [] => format!("The auditor revoked {rule}."),
        placed => format!("The auditor revoked {rule}. In its place: {}.", texts(placed)),
    };
    if !reverted.refused.is_empty() {
        detail.push_str(&format!(" EC2 did not take the peer of: {}.", texts(&reverted.refused)));
    }
    if !reverted.missing.is_empty() {
        detail.push_str(&format!(
            " What else the baseline allows of it could not be added: {}.",
            with_reasons(&reverted.missing)
        ));
    }
    detail + &of_missing(found)
}

/// What else is so of what is missing.
fn of_missing(found: &FoundRule) -> String {
    let mut text = String::new();
    if !found.admitted.is_empty() {
        let rules = texts(&found.admitted);
        text.push_str(&format!(" For now, rules that do not comply admit {rules}."));
    }
    if !found.offered.is_empty() {
        let rules = texts(&found.offered);
        text.push_str(&format!(" A command for another rule of the group adds {rules}."));
    }
    text
}

/// The rules, each reason once: it may be long, and is mostly the same for all of them.
fn with_reasons(missing: &[(Rule, NotAdded)]) -> String {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for (rule, why) in missing {
        let (rule, why) = (rule_text(rule), not_added(why));
        match groups.iter_mut().find(|(same, _)| *same == why) {
            Some((_, rules)) => rules.push(rule),
            None => groups.push((why, vec![rule])),
        }
    }
    let each = groups.iter().map(|(why, rules)| format!("{} ({why})", rules.join("; ")));
    each.collect::<Vec<_>>().join("; ")
}

fn not_added(why: &NotAdded) -> String {
    match why {
        NotAdded::Ec2(why) => error(why),
        NotAdded::TooMany => format!("a revert adds at most {MAX_PIECES} rules"),
    }
}

fn already_gone(found: &FoundRule, seen: bool) -> String {
    let mut detail = if seen {
        "The rule was there when it was read and gone when it was to be revoked: somebody else \
         removed or changed it in between, or this audit did in another run."
            .to_owned()
    } else {
        "The rule was gone before it could be revoked: EC2 had nothing to revoke. Somebody else \
         removed or changed it, or an earlier run of this audit did."
            .to_owned()
    };
    if !found.kept.is_empty() {
        detail.push_str(&format!(" What complies of it stays: {}.", texts(&found.kept)));
    }
    if !found.missing.is_empty() {
        detail.push_str(&format!(
            " What the baseline admits of it was not added: {}.",
            texts(&found.missing)
        ));
    }
    detail + &of_missing(found)
}

fn not_reverted(reason: &NotReverted, added: &[Rule]) -> String {
    let (what, why) = match reason {
        NotReverted::TooManyPieces(pieces) => (
            "Nothing was changed",
            format!(
                "what the baseline admits of this rule takes {pieces} rules, and more than \
                 {MAX_PIECES} are not put in its place"
            ),
        ),
        NotReverted::Pieces(why) => ("Nothing was changed", why.to_string()),
        NotReverted::Ec2(why) => ("The rule was not revoked", error(why)),
    };
    if added.is_empty() {
        return format!("{what}: {why}.");
    }
    // The reason comes last, so that it is what is cut where there is no room for everything.
    format!(
        "The auditor added what the baseline allows of the rule: {}. {what}: {why}.",
        texts(added)
    )
}

/// What else there is to say about a rule.
fn remarks(finding: &Finding, found: &FoundRule, is_told: &dyn Fn(&Remark) -> bool) -> Vec<String> {
    let remarks = found.remarks.iter().filter(|it| is_told(it)).map(|it| remark(finding, it));
    let unknown = finding.location.iter().flat_map(declared::unknown);
    let is_of_list = finding.location.as_ref().is_none_or(|it| it.unknown.is_empty());
    let undecided =
        undecided(found).filter(|_| !found.excess.is_empty() && is_of_list).map(|what| {
            let fate = match found.presence.is_gone() {
                true => "; it went with the rule. Add it by hand where it is needed.",
                false => ".",
            };
            format!(
                "Whether the baseline admits {what} depends on a prefix list that could not be \
             read{fate}"
            )
        });
    let expired = found.expired.iter().map(|ExpiredExemption { reason, until }| {
        format!("An exemption for this expired after {until}: {}.", quoted(reason))
    });
    remarks.chain(unknown).chain(undecided).chain(expired).collect()
}

fn remark(finding: &Finding, remark: &Remark) -> String {
    match remark {
        Remark::Note(Note::NotUnderstood(reason)) => format!(
            "What changed could not be read ({reason}), so all rules of the group were audited: \
             this one may be older."
        ),
        Remark::Note(Note::EnteredScope) => {
            "The group came into the scope of the audit, so all its rules were audited: this one \
             may be older."
                .to_owned()
        }
        Remark::Note(Note::LeftScope) => {
            "The group left the scope of the audit, so all its rules were audited once more: this \
             one may be older."
                .to_owned()
        }
        Remark::Note(Note::DirectionAssumed) => {
            "The event does not say whether the rule was ingress or egress; ingress is assumed."
                .to_owned()
        }
        Remark::Note(Note::ListChanged(list)) => {
            let list = wording::list(finding, list);
            format!("The change was one of the list {list}, not of the group.")
        }
        Remark::Note(Note::Lost(reason)) => format!(
            "The record of the change does not tell in which group it was made ({reason}), so all \
             groups in scope were audited: this rule may be older."
        ),
        Remark::Note(Note::TagsNotUnderstood(reason)) => format!(
            "Tags of the rule changed. Whether they were those of a hold could not be read \
             ({reason}), so the rule is not held open."
        ),
        Remark::HoldOver(hold) => format!(
            "It was held open until {} ({}), and that is over.",
            minute(hold.until),
            quoted(&hold.reason)
        ),
        Remark::HoldAuthorized { at, actor } => {
            let by = actor.as_deref().map(|actor| format!(" by {}", inert::clip(actor, 160)));
            format!("The rule was authorised on {}{}.", minute(*at), by.unwrap_or_default())
        }
        Remark::HoldMoved(until) => format!(
            "Its tags now ask for {}. Moving the end later does not extend the hold.",
            minute(*until)
        ),
        Remark::HoldUnseen => {
            "The auditor has not seen the call that authorised the rule. If it does not within 15 minutes, \
             the tags do not count."
                .to_owned()
        }
        Remark::HoldNotRemembered => {
            "The hold could not be remembered, so it may end before that: the next check may find \
             its tags and not know who authorised it."
                .to_owned()
        }
        Remark::BindingUnknown(bindings) => {
            let names = bindings.iter().map(|it| it.as_deref().unwrap_or("none"));
            format!(
                "Which binding of the baseline file applies is not known ({}), so nothing was changed.",
                first_of(names, 5, ", ")
            )
        }
        Remark::HoldRefused(why) => hold_refused(why),
        Remark::List(entries) => of_list(finding, entries),
        Remark::StaleGroup(group) => format!(
            "The group {group} is there no longer: the rule is stale, admits nobody, and can go."
        ),
        Remark::LostPeering(group) => format!(
            "The VPC peering with the group {group} is deleted: the rule is stale, admits nobody, \
             and can go."
        ),
    }
}

/// Why a rule that asks for it is not held open.
pub(super) fn refused_hold(found: &FoundRule) -> Option<&Refusal> {
    found.remarks.iter().find_map(|remark| match remark {
        Remark::HoldRefused(why) => Some(why),
        _ => None,
    })
}

/// That a hold was refused, and why.
pub(super) fn hold_refused(why: &Refusal) -> String {
    match why {
        Refusal::TagsChanged | Refusal::TagsRemoved | Refusal::Modified => {
            format!("The hold does not count any more: {}.", refusal(why))
        }
        Refusal::TooLong { until, .. } => {
            let until = minute(*until);
            format!("The request to keep it open until {until} was refused: {}.", refusal(why))
        }
        why => format!("The hold was refused: {}.", refusal(why)),
    }
}

/// Why the tags of a hold do not count.
fn refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NoHolds => "no holds are allowed here".to_owned(),
        Refusal::NotATime(until) => format!(
            "its tag {UNTIL} is {}, which is not a time such as 2027-01-31T18:00:00Z",
            in_backticks(until)
        ),
        Refusal::NoReason => format!("it has no tag {REASON} that says why"),
        Refusal::TooLong { max_hours, .. } => {
            let hours = usize::try_from(*max_hours).unwrap_or_default();
            format!("the limit is {}", count(hours, "hour"))
        }
        Refusal::TagsRemoved => "its tags were taken off again".to_owned(),
        Refusal::TaggedLater => {
            "its tags count only where the rule is authorised with them, and these came later"
                .to_owned()
        }
        Refusal::TagsChanged => {
            "this call changed its tags, which count only as they were when the rule was authorised"
                .to_owned()
        }
        Refusal::Modified => "the rule was changed after it was held".to_owned(),
        Refusal::Unseen => {
            "its tags count only where the rule is authorised with them, and the auditor has not \
             seen that"
                .to_owned()
        }
    }
}

fn with_list(finding: &Finding, detail: &str, list: Option<&ListEntries>) -> String {
    match list {
        Some(list) => format!("{detail} {}", of_list(finding, list)),
        None => detail.to_owned(),
    }
}

/// Which entries of a changed list matter, those that the change added first.
fn of_list(finding: &Finding, list: &ListEntries) -> String {
    let id = wording::list(finding, &list.list);
    if list.entries.is_empty() {
        return format!("The change was one of the list {id}, not of the group.");
    }
    let entries = list.entries.iter().map(|(net, added)| match added {
        true => format!("{net} (added by it)"),
        false => net.to_string(),
    });
    let named = first_of(entries, ENTRIES_NAMED, ", ");
    let what = match list.are_excess {
        true => "what is too much comes from its entries",
        false => "the list has",
    };
    format!("The change was one of the list {id}, not of the group: {what} {named}.")
}

fn of_auditor(change: &WatchedChange, weakened: &[Weakening]) -> String {
    let (meaning, advice) = of_component(change.component);
    let mut detail = String::new();
    for weakening in weakened {
        detail.push_str(of_weakening(*weakening));
        detail.push(' ');
    }
    detail.push_str(&format!("{meaning} {advice}"));
    if let Some(code) = &change.server_error {
        detail.push_str(&format!(
            " The call ended in a server error ({code}), so it may have changed nothing."
        ));
    }
    if change.by_cloudformation {
        detail.push_str(" CloudFormation made the call, as it does when a stack is deployed.");
    }
    detail
}

/// Whether something may have been missed, so that everything has to be audited once more.
pub(super) fn needs_sweep(finding: &Finding) -> bool {
    let Matter::AuditorChanged { change, .. } = &finding.matter else { return false };
    match change.component {
        Component::Trail
        | Component::Rule
        | Component::Function
        | Component::Queue
        | Component::Role
        | Component::Key => true,
        Component::Topic | Component::Log | Component::Alarm => false,
    }
}

/// In what the auditor was weakened.
fn of_weakening(weakening: Weakening) -> &'static str {
    match weakening {
        Weakening::ScopeNarrowed => "SCOPE now leaves out groups that were audited before.",
        Weakening::RemediationLowered => "REMEDIATION now closes less than before.",
        Weakening::SweepRemediationLowered => "SWEEP_REMEDIATION now closes less than before.",
        Weakening::BaselineChanged => {
            "The baseline is another one now, or its SSH sources or web ports are."
        }
        Weakening::HoldsLengthened => "HOLD_MAX_HOURS now allows longer holds than before.",
        Weakening::NotValid => "The new settings are not valid, so the function does not start.",
        Weakening::MemberRule => {
            "The rule is in another account and sends the auditor what happens there."
        }
    }
}

/// What it means that this part was changed, and what to look at.
fn of_component(component: Component) -> (&'static str, &'static str) {
    match component {
        Component::Trail => (
            "Without a trail that records management events, the auditor hears of no change: only \
             its sweep finds what was opened.",
            "Check that logging is on, and that the trail records management events.",
        ),
        Component::Rule => (
            "This EventBridge rule may no longer send changes to the auditor, or start its sweep.",
            "Compare its state, pattern and targets with the template, and correct what differs.",
        ),
        Component::Function => (
            "The function may do something else now, or nothing.",
            "Compare its code, settings, layers, concurrency and policy with what you deployed, and \
             correct what differs.",
        ),
        Component::Topic => (
            "Findings may no longer reach everybody who should have them.",
            "Check the topic, its policy and its subscriptions, then read in the function's log what \
             was found since.",
        ),
        Component::Queue => (
            "Events that could not be audited wait in this queue, and may be lost.",
            "Check that the queue exists and that its policy, and its key if it has one, let \
             EventBridge and the function send to it.",
        ),
        Component::Role => (
            "The function works with this role. It may no longer be able to read, close or publish, \
             or it may have more rights than it should.",
            "Compare its policies with the template, and correct what differs.",
        ),
        Component::Log => (
            "The function's log is the record of what was audited and closed, and older parts of \
             it may be gone.",
            "Check that the log group exists and how long it keeps its entries.",
        ),
        Component::Key => (
            "Messages that need this key may no longer be published or kept.",
            "Check that the key is enabled, that its deletion is not scheduled and that its policy \
             is the template's, then read in the function's log what was found since.",
        ),
        Component::Alarm => (
            "If this alarm is silent, nobody learns that the auditor fails.",
            "Check that the alarm exists, that its actions are enabled and what it watches.",
        ),
    }
}
