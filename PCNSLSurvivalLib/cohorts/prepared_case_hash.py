"""Hash of everything in a prepared case that can change a result: a finished job compares its patients by it."""

from __future__ import annotations

from dataclasses import asdict

from PCNSLSurvivalLib.cohorts.prepared_case_folder import RECORD
from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedExam
from PCNSLSurvivalLib.core.errors import CohortError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.installed_files import sha256_of

_NO_PREDICTOR = ("sex", "site", "field_strength_t", "scan_year")
"""What a cohort is divided by, and no method looks at."""


def identity_of(
    exam: PreparedExam, threshold_days: float, *, clinical: bool = False, by_time: bool = False
) -> list[object]:
    """Everything of a patient that can change a number: the outcome, and what the method looks at.

    Args:
        exam: An exam of the cohort.
        threshold_days: Limit of the classes.
        clinical: Whether the method looks at clinical variables, and not at scans.
        by_time: Whether the method learns from the days of survival, and not from the class alone.

    Raises:
        CohortError: The patient's folder is gone.
    """
    outcome: list[object] = [exam.patient_id, exam.os_class(threshold_days)]
    if by_time:
        outcome += [exam.os_days, exam.death_observed]
    if clinical:
        return [{name: value for name, value in asdict(exam.clinical).items() if name not in _NO_PREDICTOR}, *outcome]
    try:
        content = sha256_of(exam.folder / RECORD)
    except OSError as problem:
        raise CohortError(Message("prepared_cohort.no_case_folder", case=exam.name)) from problem
    return [content, *outcome]
