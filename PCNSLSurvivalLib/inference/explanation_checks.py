"""Every check of one explanation, with the model that made it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import OSClass, Verdict
from PCNSLSurvivalLib.explain.checks.deletion import check_deletion
from PCNSLSurvivalLib.explain.checks.lesion import check_lesion
from PCNSLSurvivalLib.explain.checks.randomization import check_randomization, scrambled
from PCNSLSurvivalLib.explain.checks.result import CheckResult, Explainer, Explanation, FloatMap
from PCNSLSurvivalLib.explain.checks.stability import check_members, check_repeatability
from PCNSLSurvivalLib.explain.methods import Method
from PCNSLSurvivalLib.inference.network import SurvivalNetwork
from PCNSLSurvivalLib.inference.network_result import NetworkResult
from PCNSLSurvivalLib.inference.runtimes.names import Device
from PCNSLSurvivalLib.models.model_folder import ModelFolder
from PCNSLSurvivalLib.models.networks.designs import Block

SEEDS = (1, 2)
"""Of the scrambled networks that stand for one stage."""


@dataclass(frozen=True)
class ExplanationChecks:
    """All checks of one explanation."""

    results: tuple[CheckResult, ...]

    @property
    def verdict(self) -> Verdict:
        """GOOD when every check that could be made passed."""
        failed = any(result.verdict is Verdict.CHECK for result in self.results)
        return Verdict.CHECK if failed else Verdict.GOOD

    @property
    def message(self) -> Message:
        """How many passed, and what that means for the reader."""
        made = [result for result in self.results if result.verdict is not None]
        passed = sum(result.verdict is Verdict.GOOD for result in made)
        all_passed = passed == len(made)
        return Message(
            "explanation.all_passed" if all_passed else "explanation.some_failed", passed=passed, made=len(made)
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "verdict": str(self.verdict),
            **self.message.to_json(),
            "checks": [result.to_json() for result in self.results],
        }


def check_explanation(
    folder: ModelFolder,
    network: SurvivalNetwork,
    case: FloatMap,
    first: NetworkResult,
    *,
    brain: NDArray[np.bool_],
    lesion: NDArray[np.bool_] | None = None,
    device: Device = "auto",
    progress: Callable[[float], None] = lambda fraction: None,
) -> ExplanationChecks:
    """Run every check on the explanation of one case.

    Args:
        folder: The model.
        network: Its loaded networks.
        case: (C, I, J, K) prepared input.
        first: The result whose map is checked; its target, block and method hold throughout.
        brain: (I, J, K) on the network grid.
        lesion: (I, J, K) on the network grid, if known.
        device: For the scrambled networks.
        progress: Hears of the share done.

    Returns:
        The checks; about 170 passes of the network.
    """

    def explainer(of: SurvivalNetwork) -> Explainer:
        return _explainer(of, first.target, first.block, first.method)

    explain = explainer(network)
    members = folder.load_members()
    stages: dict[str, list[Explainer]] = {}
    for seed in SEEDS:
        cascades = [list(scrambled(tensors, seed=seed + 100 * n)) for n, tensors in enumerate(members)]
        for number, (stage, _) in enumerate(cascades[0]):
            weights = [cascade[number][1] for cascade in cascades]
            stages.setdefault(stage, []).append(
                explainer(SurvivalNetwork(folder, device, runtime="torch", members=weights))
                if first.runtime == "torch"
                else explainer(SurvivalNetwork(folder, runtime="onnx", members=weights))
            )
    steps: list[Callable[[], CheckResult]] = [
        lambda: check_randomization(first.raw_map, stages, case),
        lambda: check_deletion(explain, case, stride=first.stride_voxels),
        lambda: check_repeatability(explain, case),
        lambda: check_members(first.member_maps, first.member_probabilities, first.decision_threshold),
        lambda: check_lesion(first.raw_map, lesion, brain, stride=first.stride_voxels),
    ]
    results = []
    for number, step in enumerate(steps, start=1):
        results.append(step())
        progress(number / len(steps))
    return ExplanationChecks(tuple(results))


def _explainer(network: SurvivalNetwork, target: OSClass, block: Block, method: Method) -> Explainer:
    sign = 1.0 if target is OSClass.OVER_ONE_YEAR else -1.0

    def explain(case: FloatMap) -> Explanation:
        result = network.predict(case, target=target, block=block, method=method)
        return Explanation(sign * result.log_odds, result.raw_map)

    return explain
