"""Parameter randomization: does the map change when the weights are scrambled from the head down?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from PCNSLSurvivalLib.core.terms import Verdict
from PCNSLSurvivalLib.explain.checks.result import CheckResult, Explainer, FloatMap, rank_correlation
from PCNSLSurvivalLib.models.networks.designs import PARTS_FROM_HEAD, part_of
from PCNSLSurvivalLib.models.networks.weights_file import Tensors

NAME = "Cascading parameter randomization"
MOST_ALIKE = 0.5


def scrambled(tensors: Tensors, *, seed: int) -> Iterator[tuple[str, Tensors]]:
    """Scramble the weights of a network stage by stage, from the head down, each stage on top of the last.

    Weights are permuted within each tensor, and the channels of a normalization together, so that activations
    keep their size while everything learned is lost.

    Args:
        tensors: By MONAI's names.
        seed: Of the permutations.

    Yields:
        Name of the stage, and the tensors with this and all earlier stages scrambled.
    """
    rng = np.random.default_rng(seed)
    now = dict(tensors)
    for stage in PARTS_FROM_HEAD:
        orders: dict[str, np.ndarray] = {}
        for name in sorted(n for n in now if part_of(n) == stage):
            array = now[name]
            if array.ndim > 1:
                now[name] = rng.permutation(array.ravel()).reshape(array.shape)
            else:
                owner = name.rpartition(".")[0]
                order = orders.setdefault(owner, rng.permutation(len(array)))
                now[name] = array[order]
        yield stage, dict(now)


def check_randomization(original: FloatMap, explainers: Mapping[str, list[Explainer]], case: FloatMap) -> CheckResult:
    """Compare the map with those of the scrambled networks.

    Args:
        original: Raw map of the network as it is.
        explainers: For each stage, networks scrambled down to it, from different seeds.
        case: (C, I, J, K) input.

    Returns:
        Rank correlation with the original map after each stage; passed when it is at most 0.5 once the whole
        network is scrambled.

    References:
        Adebayo et al., Sanity checks for saliency maps, NeurIPS 2018. arXiv:1810.03292
    """
    words: dict[str, Any] = {
        "name": NAME,
        "criterion": f"rank correlation at most {MOST_ALIKE:g} once every layer is scrambled",
        "reference": "Adebayo et al. 2018, arXiv:1810.03292",
    }
    if original.max() <= 0:
        return CheckResult(verdict=None, sentence="The map is empty, so that it cannot be compared.", **words)
    alike = {
        f"rank correlation after {stage}": float(
            np.mean([rank_correlation(original, explain(case).raw_map) for explain in seeds])
        )
        for stage, seeds in explainers.items()
    }
    last = list(alike.values())[-1]
    passed = abs(last) <= MOST_ALIKE
    return CheckResult(
        verdict=Verdict.GOOD if passed else Verdict.CHECK,
        numbers=alike,
        sentence=f"With all weights scrambled, the map changes (rank correlation {last:.2f})."
        if passed
        else f"With all weights scrambled, the map hardly changes (rank correlation {last:.2f}): it reflects the "
        "scan more than the trained network.",
        **words,
    )
