"""The vocabulary: the words every screen, file and message of this software uses."""

from __future__ import annotations

from enum import IntEnum, StrEnum

from PCNSLSurvivalLib.core.marked import marked as _

RESEARCH_USE_ONLY = "Research use only. Not for clinical decisions."

ONE_YEAR_DAYS = 365

CLASS_THRESHOLD = 0.5
"""From this probability of a long survival up, a long survival is predicted; a model folder may hold another."""


def limit_in_words(threshold_days: float, *, short: bool = False) -> str:
    """The limit of the OS classes: "1 year", or the days of another limit, "730 days"; short: "1 y" or "730 d"."""
    year, days = ("1 y", "d") if short else ("1 year", "days")
    return year if threshold_days == ONE_YEAR_DAYS else f"{threshold_days:g} {days}"


class MRSequence(StrEnum):
    """An MR sequence of the exam; the value is its name in files, in JSON, in tables and on the command line.

    The words that tell it in the name of a series are in ``imaging/sequences/words.py``, and the times that tell it in
    a DICOM header in ``imaging/sequences/header.py``.
    """

    label: str
    """The sequence as a radiologist writes it."""
    bids: str
    """What the name of a file ends with in BIDS."""

    def __new__(cls, name: str, label: str = "", bids: str = "") -> MRSequence:
        """A sequence by its name."""
        sequence = str.__new__(cls, name)
        sequence._value_ = name
        sequence.label, sequence.bids = label, bids
        return sequence

    T1GD = "t1gd", "T1Gd", "ce-gadolinium_T1w"
    T1 = "t1", "T1", "T1w"
    T2 = "t2", "T2", "T2w"
    FLAIR = "flair", "FLAIR", "FLAIR"


READER_RESPONSES = ("CR", "CRu", "PR", "SD", "PD")
"""What a reader may enter: complete, unconfirmed complete, partial response, stable and progressive disease."""

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

    Beside the name are its words, as they stand beside a progress bar; ``step_words`` makes them a message. Its place
    in the panel is in ``PCNSLSurvivalUI/run/process_steps.py``, or in ``tasks.py`` there if a module of Slicer does it.
    """

    label: str

    def __new__(cls, name: str, label: str = "") -> Step:
        """A step by its name, with its words in English."""
        step = str.__new__(cls, name)
        step._value_ = name
        step.label = label
        return step

    READ = "read", _("Read and check")
    BIAS_FIELD = "bias_field", _("Bias field correction (N4)")
    REGISTRATION = "registration", _("Registration to T1Gd")
    LATER_EXAM = "later_exam", _("Registration of the later exam")
    BRAIN_EXTRACTION = "brain_extraction", _("Brain extraction")
    NORMALIZATION = "normalization", _("Intensity normalization")
    RESAMPLING = "resampling", _("Resampling to 1 mm")
    NETWORK_GRID = "network_grid", _("Network grid")
    CONTRAST = "contrast", _("T1Gd against T1")
    PREDICTION = "prediction", _("3D ResNet")
    GRAD_CAM = "grad_cam", _("Grad-CAM")
    MAP_TO_PATIENT = "map_to_patient", _("Map resampled to T1Gd")
    ATLAS = "atlas", _("Atlas registration")
    LESION_OUTLINE = "lesion_outline", _("Tumor outline (proposal)")
    EXPLANATION_CHECKS = "explanation_checks", _("Explanation checks")
    WITHOUT_LESION = "without_lesion", _("Without the lesion")
    ROBUSTNESS = "robustness", _("Robustness")
    REPORT = "report", _("Report")


DONE_BY_OTHERS = (Step.BRAIN_EXTRACTION, Step.BIAS_FIELD, Step.REGISTRATION)
"""Steps that another program may do before this software, such as a module of Slicer; the result names it."""
