"""Permuted outcomes: every patient is given the OS class of another, which no arm can know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions


def permuted_classes(
    os_class: Mapping[str, int],
    patients: Mapping[str, str],
    permutations: int,
    seed: int,
    *,
    folds: Sequence[FoldPredictions],
) -> dict[str, NDArray[np.float64]]:
    """The true and the permuted classes of each case.

    In a single repetition, classes are exchanged within each fold: a site where all patients died early has no pairs
    of two classes and must not gain any. Repetitions divide the patients anew, so that there classes are exchanged
    among all of them.

    Args:
        os_class: True class, 0 or 1, by case.
        patients: Patient of each case, by name; a case that is missing is its own patient. A patient's first case by
            name decides what the patient hands on, and all cases of a patient are given the same.
        permutations: Number of permutations.
        seed: Of the permutations.
        folds: Who is held out with whom.

    Returns:
        (1 + permutations,) classes by case: the true one, then those of patients drawn without replacement.
    """
    random = np.random.default_rng(seed)
    once = len({one.repeat for one in folds}) == 1
    fold_of = {patients.get(case, case): one.fold for one in folds for case in one.cases} if once else {}
    first: dict[str, int] = {}
    for case in sorted(os_class):
        first.setdefault(patients.get(case, case), os_class[case])
    together: dict[int | None, list[str]] = {}
    for patient in first:
        together.setdefault(fold_of.get(patient), []).append(patient)
    drawn: dict[str, NDArray[np.float64]] = {}
    for group in together.values():
        classes = np.array([first[patient] for patient in group], dtype=np.float64)
        drawn |= zip(group, random.permuted(np.tile(classes, (permutations, 1)), axis=1).T, strict=True)
    return {case: np.append(own, drawn[patients.get(case, case)]) for case, own in os_class.items()}
