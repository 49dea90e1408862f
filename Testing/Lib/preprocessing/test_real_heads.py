"""Real heads that nothing is wrong with raise no alarm."""

from __future__ import annotations

import pytest
from real_heads import real_heads

from PCNSLSurvivalLib.core.progress import StepClock
from PCNSLSurvivalLib.core.terms import MRSequence, Verdict
from PCNSLSurvivalLib.preprocessing.pipeline import prepare_case
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE

pytestmark = [pytest.mark.real, pytest.mark.slow]


def test_no_real_head_raises_a_false_alarm(real_data):
    alarms = {}
    for name, scans in real_heads():
        t1gd = {MRSequence.T1GD: scans[MRSequence.T1GD]}
        case = prepare_case(t1gd, recipe=RECIPE, clock=StepClock(), override_quality=True)
        alarms[name] = [finding.sentence for finding in case.findings if finding.verdict is not Verdict.GOOD]
    assert alarms
    assert [sentence for sentences in alarms.values() for sentence in sentences] == []
