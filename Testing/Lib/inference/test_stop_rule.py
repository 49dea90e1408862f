"""A scan far outside the training data gets no number unless the user overrides, and that is kept."""

from __future__ import annotations

import pytest

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import Verdict
from PCNSLSurvivalLib.inference.stop_rule import STOP_FROM, stop_far_outside
from PCNSLSurvivalLib.models.familiarity import Familiarity, FamiliarityVerdict


def _familiarity(distance: float | None) -> Familiarity:
    return Familiarity(
        verdict=FamiliarityVerdict.UNLIKE,
        distance=distance,
        furthest=Message("measure.fullness"),
        message=Message("familiarity.unknown"),
    )


@pytest.mark.parametrize("distance", [STOP_FROM, 1e9, float("inf")])
def test_beyond_the_limit_no_number_is_given(distance):
    with pytest.raises(PreparationError) as stop:
        stop_far_outside(_familiarity(distance), override=False)
    assert stop.value.message.code == "quality.stop"
    (finding,) = stop_far_outside(_familiarity(distance), override=True)
    assert finding.verdict is Verdict.UNUSABLE
    assert finding.message.code == "familiarity.stop"


@pytest.mark.parametrize("distance", [None, 0.5, 3.7, STOP_FROM - 0.01])
def test_within_the_limit_or_without_statistics_nothing_stops(distance):
    assert stop_far_outside(_familiarity(distance), override=False) == ()
