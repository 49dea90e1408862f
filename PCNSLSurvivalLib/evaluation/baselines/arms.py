"""The baseline arms of the experiment, and the table of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from PCNSLSurvivalLib.cohorts.case import CohortCase
from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedExam
from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import BESIDE_T1GD, ONE_YEAR_DAYS, MRSequence
from PCNSLSurvivalLib.evaluation.baselines.classifiers import Classifier
from PCNSLSurvivalLib.evaluation.baselines.clinical import IELSG_SCORE, IELSG_VARIABLES, ielsg_score, ielsg_variables
from PCNSLSurvivalLib.evaluation.baselines.radiomics import RadiomicsStep
from PCNSLSurvivalLib.evaluation.baselines.radiomics_cache import cached_features
from PCNSLSurvivalLib.evaluation.baselines.table import BaselineTable


@dataclass(frozen=True, kw_only=True)
class BaselineArm:
    """A classifier on one set of variables."""

    name: str
    label: str
    classifier: Classifier
    sequence: MRSequence | None = None
    """Radiomics of this sequence; clinical variables if None."""
    score_only: bool = False
    """The IELSG score in place of its five variables."""


CLINICAL_ARMS = (
    BaselineArm(name="svm_clinical", label="SVM, clinical", classifier="svm"),
    BaselineArm(name="logistic_clinical", label="Logistic, clinical", classifier="logistic"),
    BaselineArm(name="cox_clinical", label="Cox, clinical", classifier="cox"),
    BaselineArm(name="svm_ielsg", label="SVM, IELSG score", classifier="svm", score_only=True),
    BaselineArm(name="logistic_ielsg", label="Logistic, IELSG score", classifier="logistic", score_only=True),
)
RADIOMICS_ARMS = tuple(
    BaselineArm(
        name=f"svm_{sequence.value}_radiomics",
        label=f"SVM, {sequence.label} radiomics",
        classifier="svm",
        sequence=sequence,
    )
    for sequence in (*BESIDE_T1GD, MRSequence.T1GD)
)
COX_RADIOMICS_ARMS = tuple(
    BaselineArm(
        name=f"cox_{sequence.value}_radiomics",
        label=f"Cox, {sequence.label} radiomics",
        classifier="cox",
        sequence=sequence,
    )
    for sequence in (*BESIDE_T1GD, MRSequence.T1GD)
)
BASELINE_ARMS = (*CLINICAL_ARMS, *RADIOMICS_ARMS, *COX_RADIOMICS_ARMS)


def baseline_arm(name: str) -> BaselineArm:
    """The arm with a name.

    Raises:
        EvaluationError: There is none.
    """
    found = next((arm for arm in BASELINE_ARMS if arm.name == name), None)
    if found is None:
        raise EvaluationError(Message("baseline.unknown", name=name, known=tuple(arm.name for arm in BASELINE_ARMS)))
    return found


def baseline_table(
    arm: BaselineArm,
    patients: tuple[PreparedExam | CohortCase, ...],
    *,
    cache: Path,
    threshold_days: float = ONE_YEAR_DAYS,
    step: RadiomicsStep | None = None,
) -> BaselineTable:
    """The table of an arm.

    Args:
        arm: Which variables.
        patients: The exams, prepared ones for radiomics.
        cache: Folder where radiomics features are kept.
        threshold_days: Surviving longer than this is class 1.
        step: Settings of the radiomics.

    Raises:
        EvaluationError: A variable is known for no patient, or a region cannot be used.
        CohortError: A scan is missing.
    """
    classes = {one.name: one.os_class(threshold_days) for one in patients}
    clinical = [one.clinical for one in patients]
    if arm.sequence is not None:
        prepared = [one for one in patients if isinstance(one, PreparedExam)]
        if len(prepared) < len(patients):
            raise EvaluationError(Message("baseline.radiomics_needs_prepared"))
        features = [cached_features(one, arm.sequence, cache, step) for one in prepared]
        columns = tuple(features[0]) if features else ()
        values = np.array([[one[column] for column in columns] for one in features], dtype=np.float64)
    elif arm.score_only:
        columns, values = IELSG_SCORE, ielsg_score(clinical)
    else:
        columns, values = IELSG_VARIABLES, ielsg_variables(clinical)
    return BaselineTable(
        patients={one.name: one.patient_id for one in patients},
        cases=tuple(one.name for one in patients),
        os_class={name: int(os_class) for name, os_class in classes.items() if os_class is not None},
        survival={
            one.name: (float(one.os_days), bool(one.death_observed))
            for one in patients
            if one.os_days is not None and one.death_observed is not None
        },
        columns=columns,
        values=values,
    )
