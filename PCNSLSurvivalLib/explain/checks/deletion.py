"""Deletion and insertion: remove the strongest map cells from the scan, or insert only these."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.terms import Verdict
from PCNSLSurvivalLib.explain.checks.result import CheckResult, Explainer, FloatMap

NAME = "Deletion and insertion"
RANDOM_MAPS = 19
"""A map that is one more random order beats all of them, in one direction, in 5 % of cases."""
HIGHEST_P = 0.05


def deletion_curve(
    explain: Explainer, case: FloatMap, order: NDArray[np.int64], *, stride: int, steps: int, insert: bool
) -> NDArray[np.float64]:
    """Score of the target class while cells are taken out of the scan (or put into an empty one).

    Args:
        explain: The network.
        case: (C, I, J, K) prepared input; a taken voxel is set to 0, the middle of the brain's brightness.
        order: (n, 3) cells in the order in which they go.
        stride: Voxels between cells.
        steps: Number of equal parts in which the cells go.
        insert: Put cells in instead of taking them out.

    Returns:
        (steps + 1,) log-odds of the target class.
    """
    shown = np.zeros_like(case) if insert else case.copy()
    scores = [explain(shown).score]
    for part in np.array_split(order, steps):
        for cell in part:
            block = (slice(None), *(slice(max(n * stride - stride // 2, 0), n * stride + stride // 2) for n in cell))
            shown[block] = case[block] if insert else 0.0
        scores.append(explain(shown).score)
    return np.array(scores)


def check_deletion(
    explain: Explainer, case: FloatMap, *, stride: int, steps: int = 6, random_maps: int = RANDOM_MAPS, seed: int = 0
) -> CheckResult:
    """Compare the curves of the map with those of random maps.

    Only cells that hold a part of the brain take part, so that a random map is not beaten by knowing the brain's
    outline.

    Args:
        explain: The network.
        case: (C, I, J, K) prepared input.
        stride: Voxels between cells.
        steps: Points of a curve.
        random_maps: How many random orders are compared.
        seed: Of the random orders.

    Returns:
        Mean score along each curve, and the share of random maps that the map beats; passed when p is at most
        ``HIGHEST_P`` both ways. p counts the map among the random ones: (1 + not beaten) / (1 + random maps).

    References:
        Petsiuk et al., RISE: randomized input sampling for explanation of black-box models, BMVC 2018.
        arXiv:1806.07421. p: Phipson and Smyth, Stat Appl Genet Mol Biol 9, 2010.
    """
    words: dict[str, Any] = {
        "name": NAME,
        "criterion": f"the log-odds falls and rises faster than with random maps, p at most {HIGHEST_P:g} each",
        "reference": "Petsiuk et al. 2018, arXiv:1806.07421",
    }
    raw_map = explain(case).raw_map
    cells = np.array([cell for cell in np.ndindex(*raw_map.shape) if _holds_brain(case, cell, stride)])
    if raw_map.max() <= 0 or len(cells) < steps:
        return CheckResult(verdict=None, sentence="The map is empty, so that no cell can be ranked.", **words)
    rng = np.random.default_rng(seed)
    by_map = cells[np.argsort(-raw_map[tuple(cells.T)], kind="stable")]
    orders = [by_map, *(rng.permutation(cells) for _ in range(random_maps))]
    means = {
        insert: [deletion_curve(explain, case, o, stride=stride, steps=steps, insert=insert).mean() for o in orders]
        for insert in (False, True)
    }
    falls = float(np.mean(np.array(means[False][1:]) > means[False][0]))
    rises = float(np.mean(np.array(means[True][1:]) < means[True][0]))
    passed = (1 + round((1 - min(falls, rises)) * random_maps)) / (1 + random_maps) <= HIGHEST_P
    return CheckResult(
        verdict=Verdict.GOOD if passed else Verdict.CHECK,
        numbers={
            "deletion, mean log-odds by the map": float(means[False][0]),
            "deletion, mean log-odds by random maps": float(np.mean(means[False][1:])),
            "deletion, share of random maps beaten": falls,
            "insertion, mean log-odds by the map": float(means[True][0]),
            "insertion, mean log-odds by random maps": float(np.mean(means[True][1:])),
            "insertion, share of random maps beaten": rises,
        },
        sentence="The log-odds follows the map: "
        + f"deleting its strongest cells beats {falls:.0%} of random maps, inserting them {rises:.0%}."
        if passed
        else f"The log-odds does not follow the map better than by chance: deletion beats {falls:.0%} of random maps, "
        f"insertion {rises:.0%}.",
        **words,
    )


def _holds_brain(case: FloatMap, cell: tuple[int, ...], stride: int) -> bool:
    block = tuple(slice(max(n * stride - stride // 2, 0), n * stride + stride // 2) for n in cell)
    return bool((case[(slice(None), *block)] != 0).any())
