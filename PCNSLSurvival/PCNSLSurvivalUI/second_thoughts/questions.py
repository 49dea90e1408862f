"""What can be asked of a result that is shown."""

from __future__ import annotations

from dataclasses import dataclass

from PCNSLSurvivalLib.core.terms import Step


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question to the command line."""

    key: str
    """Of the answer in ``prediction.json``."""
    option: str
    """Of ``pcnsl-survival explain``."""
    step: Step
    ofMap: bool = False
    """Whether the answer is one of the map of a class, and not of the prediction."""
    needsLesion: bool = False
    readsLesion: bool = False
    """Whether the answer depends on the tumor outline, where there is one."""


CHECKS = Question(
    key="explanation_checks", option="--check", step=Step.EXPLANATION_CHECKS, ofMap=True, readsLesion=True
)
WITHOUT_LESION = Question(
    key="without_lesion", option="--without-lesion", step=Step.WITHOUT_LESION, needsLesion=True, readsLesion=True
)
ROBUSTNESS = Question(key="robustness", option="--robustness", step=Step.ROBUSTNESS)
