"""Permuted outcomes: every patient is given the OS class of another, which no arm can know."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


def permuted_classes(
    os_class: Mapping[str, int], patients: Mapping[str, str], permutations: int, seed: int
) -> dict[str, NDArray[np.float64]]:
    """The true and the permuted classes of each case.

    Args:
        os_class: True class, 0 or 1, by case.
        patients: Patient of each case, by name; a case that is missing is its own patient. A patient's first case by
            name decides what the patient hands on, and all cases of a patient are given the same.
        permutations: Number of permutations.
        seed: Of the permutations.

    Returns:
        (1 + permutations,) classes by case: the true one, then those of patients drawn without replacement.
    """
    random = np.random.default_rng(seed)
    first: dict[str, int] = {}
    for case in sorted(os_class):
        first.setdefault(patients.get(case, case), os_class[case])
    classes = np.array(list(first.values()), dtype=np.float64)
    drawn = dict(zip(first, random.permuted(np.tile(classes, (permutations, 1)), axis=1).T, strict=True))
    return {case: np.append(own, drawn[patients.get(case, case)]) for case, own in os_class.items()}
