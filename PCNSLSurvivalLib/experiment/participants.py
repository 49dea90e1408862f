"""Participants of an experiment: the same patients in every arm, so that arms can be compared fold by fold."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort, PreparedExam
from PCNSLSurvivalLib.core.errors import ExperimentError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.experiment.plan import Outcome


@dataclass(frozen=True, kw_only=True)
class Participants:
    """The patients of one cohort as an experiment sees them.

    Attributes:
        labeled: With every sequence and an OS class.
        censored: With every sequence, censored before the threshold: in the survival curves, and in folds only where a
            method learns from time.
        left_out: Reason by name of everyone else.
        cohort: The cohort of the first two alone.
    """

    labeled: tuple[PreparedExam, ...]
    censored: tuple[PreparedExam, ...]
    left_out: dict[str, str]
    cohort: PreparedCohort

    def of_networks(self, outcome: Outcome) -> tuple[PreparedExam, ...]:
        """Everyone of whom a network that learns this outcome can learn."""
        return (*self.labeled, *self.censored) if outcome == "time" else self.labeled

    def in_no_fold(self, *, learns_from_time: bool) -> dict[str, str]:
        """Reason by name of everyone who is in no fold, in the order of the names.

        Args:
            learns_from_time: Whether those censored before the threshold are in folds.
        """
        reason = "Censored before the threshold: no OS class."
        censored = {} if learns_from_time else {exam.name: reason for exam in self.censored}
        return dict(sorted({**self.left_out, **censored}.items()))


def participants(cohort: PreparedCohort, sequences: tuple[MRSequence, ...], threshold_days: float) -> Participants:
    """Part a cohort into those with a class, those censored before the threshold, and those left out.

    Raises:
        ExperimentError: No patient has a class.
    """
    labeled, censored, left_out = [], [], dict(cohort.left_out)
    for exam in sorted(cohort.exams, key=lambda exam: exam.name):
        missing = [sequence.label for sequence in sequences if sequence not in exam.sequences]
        if missing:
            left_out[exam.name] = f"No {' and no '.join(missing)}."
        elif exam.os_days is None:
            left_out[exam.name] = "Survival is unknown."
        elif exam.os_class(threshold_days) is not None:
            labeled.append(exam)
        elif exam.death_observed is None:
            left_out[exam.name] = f"Whether the patient died at day {exam.os_days:g} is unknown."
        else:
            censored.append(exam)
    if not labeled:
        if sequences:
            raise ExperimentError(Message("experiment.nobody_with_scans", sequences=tuple(sequences)))
        raise ExperimentError(Message("experiment.nobody_labeled"))
    return Participants(
        labeled=tuple(labeled),
        censored=tuple(censored),
        left_out=left_out,
        cohort=replace(cohort, exams=(*labeled, *censored)),
    )
