"""Effect on the prediction when another program prepared the scans; every such result states it.

The figures are those that ``Testing/benchmarks/measure_against_slicer.py`` and, for N4 with the settings of the panel,
``Testing/Slicer/measure_engines_in_slicer.py`` print (docs/preparation.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import Step
from PCNSLSurvivalLib.preprocessing.engines import PreparedBefore


@dataclass(frozen=True, kw_only=True)
class MeasuredEffect:
    """Log-odds of OS > 1 year of one real patient, TCGA-FG-6692, by one model."""

    model: str
    """Name and version."""
    own: float
    """With this software's own step."""
    other: float
    """With the other program's."""


_MEASURED = {
    (Step.BRAIN_EXTRACTION, "SwissSkullStripper"): MeasuredEffect(
        model="pcnsl_os1y_t1gd_virtual_heads_only 1.3.0", own=0.651, other=0.724
    ),
    # Inside SwissSkullStripper's outline; inside the built-in one it changes less.
    (Step.BIAS_FIELD, "N4ITKBiasFieldCorrection"): MeasuredEffect(
        model="pcnsl_os1y_t1gd_virtual_heads_only 1.3.0", own=0.705, other=0.723
    ),
}


def warnings_of_other_engines(before: PreparedBefore, model: str) -> tuple[Message, ...]:
    """What to tell of a result whose scans were prepared otherwise than those the model was trained on.

    Args:
        before: Who did which step.
        model: Name and version of the model; figures of other models are not given.

    Returns:
        Nothing where no other program did anything.
    """
    if not before.engines:
        return ()
    names = " + ".join(dict.fromkeys(engine.name for engine in before.engines.values()))
    effects = [
        Message(
            "prepared.effect",
            engine=engine.name,
            change=round(effect.other - effect.own, 3),
            own=effect.own,
            other=effect.other,
        )
        for step, engine in before.engines.items()
        if (effect := _MEASURED.get((step, engine.name))) is not None and effect.model == model
    ]
    asked = (Message("prepared.ask_robustness"),) if Step.BRAIN_EXTRACTION in before.engines else ()
    return (Message("prepared.other_engines", engines=names), *effects, *asked)
