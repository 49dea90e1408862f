"""The place in a report for what was asked after the prediction."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from PCNSLSurvivalLib.core.terms import OSClass, Verdict

_BEGIN, _END = "<!-- second thoughts -->", "<!-- end of second thoughts -->"


def second_thoughts_html(sentences: Sequence[str]) -> str:
    """The part of a report that tells the answers; without any, only its place.

    Args:
        sentences: One for each answer, in plain text.
    """
    told = "".join(f"\n<p>{escape(sentence)}</p>" for sentence in sentences)
    return f"{_BEGIN}{'<h2>Further tests of this prediction</h2>' + told if told else ''}{_END}"


def with_second_thoughts(report: str, sentences: Sequence[str]) -> str:
    """A report that tells these answers in place of earlier ones; one without a place for them stays as it is.

    Args:
        report: The report as HTML.
        sentences: One for each answer, in plain text.
    """
    part = second_thoughts_html(sentences)
    return re.sub(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", lambda _found: part, report, count=1, flags=re.DOTALL)


def checks_sentence(explains: OSClass, checks: Mapping[str, Any]) -> str:
    """The outcome of the checks of one map, with the name of the map and every check that failed.

    Args:
        explains: Class that the map explains.
        checks: ``explanation_checks`` of a result.
    """
    failed = [f"{one['name']}: {one['sentence']}" for one in checks["checks"] if one["verdict"] == Verdict.CHECK]
    told = f"Grad-CAM for {explains.label}: {checks['sentence']}"
    return f"{told} Failed: {' '.join(failed)}" if failed else told
