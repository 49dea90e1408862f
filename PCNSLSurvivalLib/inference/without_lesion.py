"""What if the lesion were not there: the answer to the case with the lesion filled, and to a control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.explain.filling import FloatMap, control_region, fill, with_rim
from PCNSLSurvivalLib.inference.network import SurvivalNetwork
from PCNSLSurvivalLib.inference.network_result import NetworkResult


@dataclass(frozen=True, kw_only=True)
class WithoutLesion:
    """The answers of the network to a changed case; they test the model and say nothing of the patient."""

    probability: float
    """Of OS > 1 year with the scan as it is."""
    log_odds: float
    filled_ml: float
    """Volume that was filled, with its rim."""
    without_lesion: tuple[float, float]
    """Probability and log-odds with the lesion filled from its surroundings."""
    without_control: tuple[float, float] | None
    """The same with a region of equal size beside it filled instead; None where none fits."""

    @property
    def message(self) -> Message:
        """All three probabilities in a sentence."""
        ml, probability, filled = self.filled_ml, self.probability, self.without_lesion[0]
        if self.without_control is None:
            return Message("filled.without_control", ml=ml, probability=probability, filled=filled)
        control = self.without_control[0]
        return Message("filled.with_control", ml=ml, probability=probability, filled=filled, control=control)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""

        def answer(values: tuple[float, float] | None) -> dict[str, float] | None:
            if values is None:
                return None
            probability, log_odds = values
            change = log_odds - self.log_odds
            return {"probability_over_one_year": probability, "log_odds": log_odds, "change": change}

        return {
            **self.message.to_json(),
            "filled_ml": round(self.filled_ml, 3),
            "lesion_filled": answer(self.without_lesion),
            "control_filled": answer(self.without_control),
        }


def ask_without_lesion(
    network: SurvivalNetwork,
    case: FloatMap,
    first: NetworkResult,
    *,
    lesion: NDArray[np.bool_] | None,
    brain: NDArray[np.bool_],
    voxel_ml: float,
) -> WithoutLesion:
    """Fill the lesion, then a control region, and predict each.

    Args:
        network: The loaded networks.
        case: (C, I, J, K) prepared input.
        first: The answer to it.
        lesion: (I, J, K) on the network grid; None where no outline is known.
        brain: (I, J, K) on the network grid.
        voxel_ml: Volume of a voxel of the network grid in mL.

    Raises:
        PreparationError: There is no lesion to fill.
    """
    if lesion is None or not lesion.any():
        raise PreparationError(Message("filled.no_lesion"))
    region = with_rim(lesion, brain)

    def answer(filled: NDArray[np.bool_]) -> tuple[float, float]:
        result = network.predict(fill(case, filled, brain), tta=first.test_time_augmentation)
        return result.probability_over_one_year, result.log_odds

    control = control_region(region, brain)
    return WithoutLesion(
        probability=first.probability_over_one_year,
        log_odds=first.log_odds,
        filled_ml=float(np.count_nonzero(region)) * voxel_ml,
        without_lesion=answer(region),
        without_control=None if control is None else answer(control),
    )
