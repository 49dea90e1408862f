"""Verdicts of the steps: the findings of the prediction beside the steps they belong to."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.terms import Step, Verdict
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.run.step_list import StepList


def judgeSteps(steps: StepList, result: dict[str, Any]) -> None:
    """Write the worst verdict of its findings beside every step, and their sentences into its tool tip.

    Args:
        steps: The steps of the run.
        result: The prediction as stored, see docs/result-folder.md.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for finding in result.get("preprocessing", {}).get("findings", []):
        found.setdefault(_stepOf(finding), []).append(finding)
    for key, findings in found.items():
        if steps.find(key) is not None:
            judgeStep(steps, key, findings)


def judgeStep(steps: StepList, key: str, findings: list[dict[str, Any]]) -> None:
    """Write the worst verdict of some findings, at least one, beside one step."""
    words = {Verdict.GOOD: _("good"), Verdict.CHECK: _("check"), Verdict.UNUSABLE: _("unusable, overridden")}
    worst = list(words)
    verdict = max((Verdict(finding["verdict"]) for finding in findings), key=worst.index)
    steps.judge(key, words[verdict], "\n".join(shown(finding) for finding in findings))


def _stepOf(finding: dict[str, Any]) -> str:
    step = str(finding["step"])
    return f"{step} {finding['sequence']}" if step == Step.REGISTRATION else step
