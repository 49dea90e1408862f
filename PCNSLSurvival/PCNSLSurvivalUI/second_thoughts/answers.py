"""The answers to second thoughts, kept in the scene beside the result that they belong to."""

from __future__ import annotations

import json
from typing import Any

from PCNSLSurvivalLib.core.terms import OSClass, Verdict
from PCNSLSurvivalLib.results.map_note import EVIDENCE_NOTE, map_note
from PCNSLSurvivalLib.results.second_thoughts import checks_sentence
from PCNSLSurvivalUI.scene.output_nodes import OVER, UP_TO, classOf
from PCNSLSurvivalUI.second_thoughts.outline import markOfOutline
from PCNSLSurvivalUI.second_thoughts.questions import CHECKS, ROBUSTNESS, WITHOUT_LESION, Question

_OUTLINE = "outline_mark"


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
    later = laterAnswer(question, parameters, result, kind)
    if later is not None:
        return later
    own = result.get(question.key)
    ofShown = not question.ofMap or classOf(str(result.get("activation_map", {}).get("explains"))) == kind
    return dict(own) if own and ofShown else None


def laterAnswer(question: Question, parameters: Any, result: dict[str, Any], kind: str) -> dict[str, Any] | None:
    """As ``answerTo``, but given after the run alone; one about another tumor outline is none."""
    kept = _kept(parameters, result).get(_name(question, kind))
    if kept is None or (question.readsLesion and kept.get(_OUTLINE, "") != markOfOutline(parameters)):
        return None
    return {key: value for key, value in kept.items() if key != _OUTLINE}


def keepAnswer(
    question: Question, parameters: Any, result: dict[str, Any], kind: str, answer: dict[str, Any], outline: str
) -> None:
    """Store an answer in the scene; answers about another result go.

    Args:
        question: Which.
        parameters: The panel's choices.
        result: The shown result.
        kind: The class of the map that was asked about.
        answer: Of the command line.
        outline: Mark of the tumor outline that the question was asked with.
    """
    kept = {**_kept(parameters, result), _name(question, kind): {**answer, _OUTLINE: outline}}
    parameters.secondThoughts = json.dumps({"of": markOf(result), "answers": kept})


def isDoubted(parameters: Any, result: dict[str, Any], kind: str) -> bool:
    """Whether the map of a class failed one of its checks; another tumor outline does not take the doubt away."""
    later = _kept(parameters, result).get(_name(CHECKS, kind))
    answer = answerTo(CHECKS, parameters, result, kind) if later is None else later
    return answer is not None and answer.get("verdict") != Verdict.GOOD


def mapNote(parameters: Any, result: dict[str, Any], kind: str) -> str:
    """What the header of a saved map says: which it is, the outcome of its checks, the intended use.

    Args:
        parameters: The panel's choices.
        result: The shown result.
        kind: Which map: a class, or the evidence.
    """
    if kind not in (OVER, UP_TO):
        return EVIDENCE_NOTE
    explains = OSClass.OVER_ONE_YEAR if kind == OVER else OSClass.UP_TO_ONE_YEAR
    checks = answerTo(CHECKS, parameters, result, kind)
    if checks is None and isDoubted(parameters, result, kind):
        checks = _kept(parameters, result)[_name(CHECKS, kind)]  # made with another tumor outline
    return map_note(explains, checks, str((result.get("activation_map") or {}).get("method", "grad_cam")))


def inReport(parameters: Any, result: dict[str, Any]) -> list[str]:
    """The sentences for the report, in its language; checks of the run itself stand there already.

    Args:
        parameters: The panel's choices.
        result: The shown result.
    """
    told = []
    for os_class in (OSClass.OVER_ONE_YEAR, OSClass.UP_TO_ONE_YEAR):
        checks = laterAnswer(CHECKS, parameters, result, classOf(os_class.key))
        if checks is not None:
            told.append(checks_sentence(os_class, checks))
    answers = [answerTo(question, parameters, result, "") for question in (WITHOUT_LESION, ROBUSTNESS)]
    return [*told, *(one["sentence"] for one in answers if one is not None)]


def withChecks(parameters: Any, result: dict[str, Any]) -> dict[str, Any]:
    """A result with the checks of both maps that hold now, for an export.

    Args:
        parameters: The panel's choices.
        result: The shown result.
    """
    made = dict(result)
    for entry, key in (("activation_map", CHECKS.key), ("activation_map_other_class", f"{CHECKS.key}_other_class")):
        kind = classOf(str((result.get(entry) or {}).get("explains")))
        answer = laterAnswer(CHECKS, parameters, result, kind)
        if answer is not None:
            made[key] = answer
    return made


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
