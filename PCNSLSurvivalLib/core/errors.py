"""What can go wrong: what is wrong, in which volume, and what to do next.

Every message is shown to the user and is written to logs, so none holds a patient's name, an identifier or a path;
volumes are called by their role (T1Gd, T1, T2).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from PCNSLSurvivalLib.core.messages import Message


def with_causes(problem: BaseException | None) -> Iterator[BaseException]:
    """An error, then what it was raised from or in the handling of, back to the first."""
    while problem is not None:
        yield problem
        problem = problem.__cause__ or problem.__context__


class PCNSLSurvivalError(Exception):
    """Base of every error of this software that is meant for the user's eyes.

    Args:
        message: What to tell, as code and values. A finished sentence is one of the panel's own, or tells a programmer
            of a wrong argument (``ArgumentError``).
    """

    def __init__(self, message: Message | str) -> None:
        super().__init__(message)

    @property
    def message(self) -> Message | None:
        """Code and values; None where the error is a plain sentence."""
        return self.args[0] if isinstance(self.args[0], Message) else None

    def to_json(self) -> dict[str, Any]:
        """Code, values and English sentence; the code is None where the error is a plain sentence."""
        if self.message is None:
            return {"code": None, "values": {}, "sentence": str(self)}
        return self.message.to_json()


class UnreadableScanError(PCNSLSurvivalError):
    """A file or folder given as a scan cannot be read as one 3-D MR volume."""


class ClinicalFindingsError(PCNSLSurvivalError):
    """Clinical findings cannot be read, or one is impossible."""


class AtlasError(PCNSLSurvivalError):
    """The atlas that the user brings cannot be used."""


class UnusableScanError(PCNSLSurvivalError):
    """A scan was read, and its content cannot be used."""


class GridMismatchError(PCNSLSurvivalError):
    """Two volumes that must share one voxel grid do not."""


class OutputFolderError(PCNSLSurvivalError):
    """The output folder cannot be written, or holds something that would be lost."""


class PreparationError(PCNSLSurvivalError):
    """A preprocessing step did not give a usable result."""


class MissingFilesError(PCNSLSurvivalError):
    """Files that an optional package brings are not on this computer yet."""


class ModelFolderError(PCNSLSurvivalError):
    """A model folder is missing, damaged, or not one of ours."""


class EvaluationError(PCNSLSurvivalError):
    """Predictions, or the outcomes they are held against, do not fit together or cannot be judged."""


class CohortError(PCNSLSurvivalError):
    """A cohort, or a table that belongs to it, cannot be used as it is."""


class FoldError(PCNSLSurvivalError):
    """A cohort cannot be split into the folds asked for."""


class TrainingError(PCNSLSurvivalError):
    """A network cannot be trained as asked."""


class RefusedElsewhereError(PCNSLSurvivalError):
    """Another process that trains with this one refused, in a sentence of its own: nothing is left to say here."""


class ExperimentError(PCNSLSurvivalError):
    """An experiment file cannot be understood, or some of an experiment's jobs did not finish."""
