"""Network inputs of a cohort: every scan sampled on the network grid once, stored, and memory-mapped.

An array lies beside the prepared scans it was made from, one for each case and sequence, so that arms of an experiment
and processes share it; it is made again when those scans or the block change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort, PreparedExam
from PCNSLSurvivalLib.core.errors import CohortError, PCNSLSurvivalError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.files import whole_file
from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS, MRSequence
from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep

INPUTS_FOLDER = "network_inputs"
_LESION = "lesion_mask"
FloatArray = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class LabeledCases:
    """The cases of a cohort that have an OS class, and those that do not."""

    names: tuple[str, ...]
    patients: tuple[str, ...]
    classes: tuple[int, ...]
    """1 for OS over the threshold, 0 for up to it."""
    without_class: tuple[str, ...]
    """Survival unknown, or censored by the threshold: no class can be learned from them, or tested on them."""
    patients_without_class: tuple[str, ...] = ()
    """The patient of each of ``without_class``."""

    def patient_of(self) -> dict[str, str]:
        """Patient by name, of cases without a class as well."""
        everyone = (*self.patients, *self.patients_without_class)
        return dict(zip((*self.names, *self.without_class), everyone, strict=True))

    def class_of(self) -> dict[str, int]:
        """Class by name."""
        return dict(zip(self.names, self.classes, strict=True))

    def of(self, names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[int, ...]]:
        """Names, patients and classes of some of the cases."""
        wanted = set(names)
        rows = [row for row in zip(self.names, self.patients, self.classes, strict=True) if row[0] in wanted]
        return tuple(r[0] for r in rows), tuple(r[1] for r in rows), tuple(r[2] for r in rows)


def labeled_cases(cohort: PreparedCohort, *, threshold_days: float = ONE_YEAR_DAYS) -> LabeledCases:
    """Which cases of a cohort can be trained and tested on, in order of name."""
    patients = sorted(cohort.exams, key=lambda exam: exam.name)
    classes = {exam.name: exam.os_class(threshold_days) for exam in patients}
    known = [exam for exam in patients if classes[exam.name] is not None]
    return LabeledCases(
        names=tuple(exam.name for exam in known),
        patients=tuple(exam.patient_id for exam in known),
        classes=tuple(int(classes[exam.name] or 0) for exam in known),
        without_class=tuple(exam.name for exam in patients if classes[exam.name] is None),
        patients_without_class=tuple(exam.patient_id for exam in patients if classes[exam.name] is None),
    )


class NetworkInputs:
    """The network's inputs of a cohort, mapped from disk: reading one costs one copy, and nothing is computed again.

    Args:
        cohort: The prepared cohort.
        sequences: The channels, in their order.
        grid: The block; that of the cohort's recipe if left out.
        names: The cases wanted; all of the cohort if left out.
        lesions: Whether the lesion mask follows as a last channel, 1 in the lesion.
        progress: Called with the number of cases ready and of all.

    Raises:
        CohortError: A case lacks one of the sequences or the lesion mask, or an array cannot be written beside the
            scans.
    """

    def __init__(
        self,
        cohort: PreparedCohort,
        sequences: tuple[MRSequence, ...],
        grid: NetworkGridStep | None = None,
        *,
        names: Sequence[str] | None = None,
        lesions: bool = False,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        self.grid = grid if grid is not None else cohort.recipe.network_grid
        self.sequences = sequences
        self.lesions = lesions
        wanted = [exam.name for exam in cohort.exams] if names is None else list(names)
        self._maps: dict[str, list[FloatArray]] = {}
        for number, name in enumerate(wanted):
            exam = cohort.exam(name)
            kinds = (*sequences, *([_LESION] if lesions else []))
            self._maps[name] = [_mapped(exam, kind, self.grid, cohort) for kind in kinds]
            progress(number + 1, len(wanted))

    def __len__(self) -> int:
        return len(self._maps)

    def case(self, name: str) -> FloatArray:
        """(C, I, J, K) ``float32`` input of a case, a copy; C + 1 channels with lesions."""
        return np.stack(self._maps[name])

    def batch(self, names: Sequence[str]) -> FloatArray:
        """(N, C, I, J, K) ``float32`` inputs of several cases, a copy; C + 1 channels with lesions."""
        shape = (len(names), len(self.sequences) + self.lesions, *self.grid.size)
        out = np.empty(shape, dtype=np.float32)
        for number, name in enumerate(names):
            for channel, array in enumerate(self._maps[name]):
                out[number, channel] = array
        return out


def _mapped(exam: PreparedExam, kind: str, grid: NetworkGridStep, cohort: PreparedCohort) -> FloatArray:
    """The array of a case's sequence or lesion, mapped read-only; made first where it is not there or out of date."""
    path = _array_path(exam, kind, grid, cohort)
    try:
        return _read(path, grid)
    except (OSError, ValueError):
        pass  # not there yet, or cut off when a disk was full
    array = _lesion(exam, grid) if kind == _LESION else exam.network_input((MRSequence(kind),), grid)[0]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Several processes may make the same array: each writes its own file, and the last rename wins.
        with whole_file(path) as partial, partial.open("wb") as stream:
            np.save(stream, array)
    except OSError as problem:
        raise CohortError(
            Message("training.inputs_not_kept", reason=problem.strerror or type(problem).__name__)
        ) from problem
    return _read(path, grid)


def _lesion(exam: PreparedExam, grid: NetworkGridStep) -> FloatArray:
    lesion = exam.lesion_on(grid)
    assert lesion is not None
    return lesion.astype(np.float32)


def _read(path: Path, grid: NetworkGridStep) -> FloatArray:
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.shape != grid.size or array.dtype != np.float32:
        raise ValueError("not the array expected")
    return array


def _array_path(exam: PreparedExam, kind: str, grid: NetworkGridStep, cohort: PreparedCohort) -> Path:
    """Where the array lies: its name changes with the recipe, the block and the files it is made from."""
    if kind != _LESION and kind not in exam.sequences:
        raise CohortError(Message("training.no_sequence", sequence=MRSequence(kind)))
    if kind == _LESION and not exam.has_lesion_mask:
        raise CohortError(Message("training.no_lesion_mask"))
    sources = [exam.folder / f"{kind}_preprocessed.nii.gz", exam.folder / "brain_mask_preprocessed.nii.gz"]
    try:
        stamps = [(f.stat().st_size, f.stat().st_mtime_ns) for f in sources]
    except OSError as problem:
        raise _gone() from problem
    facts = [cohort.recipe.sha256, asdict(grid), stamps]
    key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
    return cohort.folder / INPUTS_FOLDER / exam.name / f"{kind}_{key}.npy"


def _gone() -> PCNSLSurvivalError:
    return CohortError(Message("prepared_cohort.scan_missing"))
