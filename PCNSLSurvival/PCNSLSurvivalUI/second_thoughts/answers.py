"""The answers to second thoughts, kept in the scene beside the result that they belong to."""

from __future__ import annotations

import json
from typing import Any

from PCNSLSurvivalLib.core.terms import Verdict
from PCNSLSurvivalUI.scene.output_nodes import classOf
from PCNSLSurvivalUI.second_thoughts.questions import CHECKS, Question


def markOf(result: dict[str, Any]) -> str:
    """What tells one result from another: scans, model and answer."""
    scans = {name: one.get("voxels_sha256") for name, one in result.get("inputs", {}).items()}
    return json.dumps([scans, result.get("model", {}).get("checksum_sha256"), result.get("log_odds")], sort_keys=True)


def answerTo(question: Question, parameters: Any, result: dict[str, Any], kind: str) -> dict[str, Any] | None:
    """The answer about a result, given by its own run or later; None where none was given.

    Args:
        question: Which.
        parameters: The panel's choices.
        result: The shown result.
        kind: Which map is shown; an answer about the map of another class is none.
    """
    later = _kept(parameters, result).get(_name(question, kind))
    if later is not None:
        return dict(later)
    own = result.get(question.key)
    ofShown = not question.ofMap or classOf(str(result.get("activation_map", {}).get("explains"))) == kind
    return dict(own) if own and ofShown else None


def keepAnswer(question: Question, parameters: Any, result: dict[str, Any], kind: str, answer: dict[str, Any]) -> None:
    """Store an answer in the scene; answers about another result go."""
    kept = {**_kept(parameters, result), _name(question, kind): answer}
    parameters.secondThoughts = json.dumps({"of": markOf(result), "answers": kept})


def isDoubted(parameters: Any, result: dict[str, Any], kind: str) -> bool:
    """Whether the map of a class failed one of its checks."""
    answer = answerTo(CHECKS, parameters, result, kind)
    return answer is not None and answer.get("verdict") != Verdict.GOOD


def _name(question: Question, kind: str) -> str:
    return f"{question.key} {kind}" if question.ofMap else question.key


def _kept(parameters: Any, result: dict[str, Any]) -> dict[str, Any]:
    try:
        stored = json.loads(parameters.secondThoughts or "{}")
    except ValueError:
        return {}
    if not isinstance(stored, dict) or stored.get("of") != markOf(result):
        return {}
    return dict(stored.get("answers", {}))
