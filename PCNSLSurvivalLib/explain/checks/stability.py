"""Stability of the map: shift the scan slightly, add noise, and compare the other networks of the ensemble."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from PCNSLSurvivalLib.core.terms import Verdict
from PCNSLSurvivalLib.explain.checks.result import CheckResult, Explainer, FloatMap, correlation
from PCNSLSurvivalLib.models.calibration import logistic

LEAST_ALIKE = 0.8
LARGEST_CHANGE = 0.05
MEMBERS_ALIKE = 0.5


def check_repeatability(
    explain: Explainer, case: FloatMap, *, noise: float = 0.1, shift_voxels: int = 1, seed: int = 0
) -> CheckResult:
    """Explain the scan again after small shifts along every axis and with mild noise.

    Args:
        explain: The network.
        case: (C, I, J, K) prepared input, standard deviation about 1 in the brain.
        noise: Standard deviation of the added noise; it is added inside the brain only.
        shift_voxels: Voxels by which the scan is moved along each axis, both ways.
        seed: Of the noise.

    Returns:
        Smallest correlation of a map with the first, and largest change of the probability; passed from a
        correlation of 0.8 on and up to a change of 0.05.
    """
    first = explain(case)
    rng = np.random.default_rng(seed)
    noisy = case + (case != 0) * rng.normal(0.0, noise, case.shape).astype(np.float32)
    moved = [np.roll(case, s * shift_voxels, axis=axis) for axis in (1, 2, 3) for s in (-1, 1)]
    again = [explain(changed) for changed in (noisy, *moved)]
    alike = [correlation(first.raw_map, explanation.raw_map) for explanation in again]
    changes = [float(abs(logistic(explanation.score) - logistic(first.score))) for explanation in again]
    passed = min(alike) >= LEAST_ALIKE and max(changes) <= LARGEST_CHANGE
    return CheckResult(
        name="Repeatability",
        verdict=Verdict.GOOD if passed else Verdict.CHECK,
        numbers={
            "correlation with noise": alike[0],
            "smallest correlation with shifts": min(alike[1:]),
            "probability change with noise": changes[0],
            "largest probability change with shifts": max(changes[1:]),
        },
        sentence=(
            "Small shifts and mild noise "
            + ("hardly change the map" if passed else "change the map or the probability")
        )
        + f" (correlation at least {min(alike):.2f}, probability within {max(changes):.3f}).",
        criterion=f"correlation at least {LEAST_ALIKE:g}, probability within {LARGEST_CHANGE:g}",
        reference="Arun et al. 2021, doi:10.1148/ryai.2021200267",
    )


def check_members(member_maps: FloatMap, member_probabilities: tuple[float, ...], threshold: float) -> CheckResult:
    """Compare the maps of the networks of an ensemble.

    Args:
        member_maps: (K, i, j, k) raw maps for one class.
        member_probabilities: Of OS over one year.
        threshold: Decision threshold.

    Returns:
        Mean correlation of two members' maps, and share of members on the majority's side; passed from a
        correlation of 0.5 on.
    """
    words: dict[str, Any] = {
        "name": "Agreement of the ensemble",
        "criterion": f"mean correlation of two members' maps at least {MEMBERS_ALIKE:g}",
        "reference": "Arun et al. 2021, doi:10.1148/ryai.2021200267",
    }
    if len(member_maps) < 2:
        return CheckResult(verdict=None, sentence="The model is a single network.", **words)
    alike = float(np.mean([correlation(one, other) for one, other in combinations(member_maps, 2)]))
    over = float(np.mean(np.array(member_probabilities) >= threshold))
    same_side = max(over, 1 - over)
    passed = alike >= MEMBERS_ALIKE
    return CheckResult(
        verdict=Verdict.GOOD if passed else Verdict.CHECK,
        numbers={"mean correlation of two maps": alike, "share on the majority's side": same_side},
        sentence=f"The {len(member_maps)} networks "
        + ("have similar maps" if passed else "have different maps")
        + f" (mean correlation {alike:.2f}), and {same_side:.0%} of them predict the same class.",
        **words,
    )
