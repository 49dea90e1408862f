"""The vocabulary: the words every screen, file and message of this software uses."""

from __future__ import annotations

from enum import IntEnum, StrEnum

RESEARCH_USE_ONLY = "Research use only. Not for clinical decisions."

ONE_YEAR_DAYS = 365

CLASS_THRESHOLD = 0.5
"""From this probability of a long survival up, a long survival is predicted; a model folder may hold another."""


def limit_in_words(threshold_days: float, *, short: bool = False) -> str:
    """The limit of the OS classes: "1 year", or the days of another limit, "730 days"; short: "1 y" or "730 d"."""
    year, days = ("1 y", "d") if short else ("1 year", "days")
    return year if threshold_days == ONE_YEAR_DAYS else f"{threshold_days:g} {days}"


class MRSequence(StrEnum):
    """An MR sequence of the exam; the value is its name in files and in JSON."""

    T1GD = "t1gd"
    T1 = "t1"
    T2 = "t2"
    FLAIR = "flair"

    @property
    def label(self) -> str:
        """The sequence as a radiologist writes it."""
        return {"t1gd": "T1Gd", "t1": "T1", "t2": "T2", "flair": "FLAIR"}[self.value]


BESIDE_T1GD = tuple(sequence for sequence in MRSequence if sequence is not MRSequence.T1GD)
"""What is registered to T1Gd, and read beside it."""


class OSClass(IntEnum):
    """Overall survival (OS) against one year; a patient censored before day 365 has no class."""

    UP_TO_ONE_YEAR = 0
    OVER_ONE_YEAR = 1

    @property
    def key(self) -> str:
        """The class in JSON: "over_one_year" or "up_to_one_year"."""
        return self.name.lower()

    @classmethod
    def of_key(cls, key: str) -> OSClass:
        """The class that ``key`` names.

        Raises:
            KeyError: There is no such class.
        """
        return cls[key.upper()]

    @property
    def label(self) -> str:
        """The class in words."""
        return "OS > 1 year" if self is OSClass.OVER_ONE_YEAR else "OS ≤ 1 year"

    def label_at(self, threshold_days: float) -> str:
        """The class in words where an experiment parts the classes at another day."""
        return self.label.replace(limit_in_words(ONE_YEAR_DAYS), limit_in_words(threshold_days))


class Verdict(StrEnum):
    """Verdict of a quality check."""

    GOOD = "good"
    CHECK = "check"
    UNUSABLE = "unusable"


class Step(StrEnum):
    """A step on the way from a scan to a result; the value is its name in JSON and in progress lines.

    Its words are in ``core/messages/steps.py``, its place in the panel in ``PCNSLSurvivalUI/run/process_steps.py``.
    """

    READ = "read"
    BIAS_FIELD = "bias_field"
    REGISTRATION = "registration"
    BRAIN_EXTRACTION = "brain_extraction"
    NORMALIZATION = "normalization"
    RESAMPLING = "resampling"
    NETWORK_GRID = "network_grid"
    CONTRAST = "contrast"
    PREDICTION = "prediction"
    GRAD_CAM = "grad_cam"
    MAP_TO_PATIENT = "map_to_patient"
    LESION_OUTLINE = "lesion_outline"
    EXPLANATION_CHECKS = "explanation_checks"
    WITHOUT_LESION = "without_lesion"
    ROBUSTNESS = "robustness"
    REPORT = "report"
