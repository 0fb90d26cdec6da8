//! The audit of one group that may be changed, whatever triggered it.

use super::context::Context;
use super::error::AuditError;
use super::recheck::recheck;
use super::subject::Subject;
use super::units::Applied;
use crate::ec2::SecurityGroups;
use crate::finding::Tally;

impl<E: SecurityGroups> Context<'_, E> {
    /// Judges a group, acts on what does not comply and reports what became of it, open SSH first.
    /// The settings are those that apply to the group.
    ///
    /// # Errors
    ///
    /// When EC2 did not answer for now. What became of other rules before is in `tally` then.
    pub async fn audit(&self, subject: &Subject<'_>, tally: &mut Tally) -> Result<(), AuditError> {
        let Applied { settings, undecided } = self.applied(subject).await?;
        let context = &Context { settings: &settings, ..*self };
        tally.group(subject.place.clone(), subject.group);
        tally.bindings.insert(settings.binding.clone());
        tally.rules += subject.candidates.len();
        let (found, handed_on) = (tally.findings.len(), tally.to_close.len());
        let answer = context.judge_and_act(subject, tally).await;
        let found = tally.findings.iter_mut().skip(found);
        // They are published where they cannot be handed on.
        let handed_on = tally.to_close.iter_mut().skip(handed_on).map(|one| &mut one.finding);
        let mut findings: Vec<_> = found.chain(handed_on).collect();
        recheck(context, subject, &mut findings).await;
        for finding in findings {
            finding.bind(&settings.binding, &undecided);
            finding.name_lists(|id| self.lookups.list_name(subject.at, id));
        }
        answer
    }
}
