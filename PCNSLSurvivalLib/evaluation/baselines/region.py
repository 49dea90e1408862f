"""The region for radiomics: the same in all patients, or the presence of a mask would be a predictor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import SimpleITK as sitk

from PCNSLSurvivalLib.cohorts.prepared_case_folder import read_record
from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedExam
from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.evaluation.baselines.radiomics import Region

RegionChoice = Literal["auto", "lesion", "brain"]
_NAMED = 20


def radiomics_region(patients: Sequence[PreparedExam], choice: RegionChoice = "auto") -> Region:
    """The region for a whole cohort.

    Args:
        patients: All participants, including censored patients.
        choice: ``lesion`` or ``brain``; ``auto`` is the lesion if all patients have a mask, and the brain if none
            has.

    Raises:
        EvaluationError: The lesion is asked for, or some patients have a mask of it, and others have none.
    """
    if choice == "brain":
        return "brain"
    without = [one.name for one in patients if not has_lesion(one)]
    if not without:
        return "lesion"
    if choice == "auto" and len(without) == len(patients):
        return "brain"
    names = ", ".join(without[:_NAMED]) + (f" and {len(without) - _NAMED} more" if len(without) > _NAMED else "")
    raise EvaluationError(
        Message("radiomics.lesion_masks_missing", count=len(without), patients=len(patients), names=names)
    )


def has_lesion(exam: PreparedExam) -> bool:
    """Whether a lesion is marked; the case's record tells it, and the mask itself where the record does not.

    Raises:
        CohortError: The mask is gone or damaged.
    """
    if not exam.has_lesion_mask:
        return False
    marked_ml = (read_record(exam.folder) or {}).get("lesion_ml")
    if marked_ml is not None:
        return float(marked_ml) > 0
    mask = exam.lesion_mask()
    return mask is not None and bool(sitk.GetArrayViewFromImage(mask).any())
