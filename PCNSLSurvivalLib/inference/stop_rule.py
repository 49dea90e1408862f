"""Far outside the training data a probability means nothing: no number is given.

The limit lies above every head that was measured, sick or healthy, and is the same for every model: the distance is
one in units of the model's own training scans (``models.familiarity``). docs/decisions/no-head-no-number.md.
"""

from __future__ import annotations

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.findings import Finding
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import Step, Verdict
from PCNSLSurvivalLib.models.familiarity import Familiarity

STOP_FROM = 8.0
"""A scan this many times farther out than the limit of the training scans gets no probability."""


def stop_far_outside(familiarity: Familiarity, *, override: bool) -> tuple[Finding, ...]:
    """Withhold the number of a scan that is too far from the training data.

    Args:
        familiarity: Of the scan.
        override: Continue at the user's own risk.

    Returns:
        The finding, where the user went on; nothing for a scan within the limit, or without a known distance.

    Raises:
        PreparationError: The scan is beyond the limit and ``override`` is off.
    """
    distance = familiarity.distance
    if distance is None or distance < STOP_FROM:
        return ()
    furthest = familiarity.furthest or Message("measure.network_features")
    message = Message("familiarity.stop", distance=distance, furthest=furthest)
    if not override:
        raise PreparationError(Message("quality.stop", findings=(message,)))
    return (
        Finding(
            measure="familiarity",
            step=Step.PREDICTION,
            sequence=None,
            verdict=Verdict.UNUSABLE,
            value=round(min(distance, 1e6), 2),
            unit="",
            message=message,
        ),
    )
