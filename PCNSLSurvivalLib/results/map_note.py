"""What the header of a map file says, so that a map that is opened alone still tells what it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PCNSLSurvivalLib.core.terms import OSClass, Verdict

EVIDENCE_NOTE = "Evidence, log-odds for OS > 1 year. Research use only."
LONGEST = 79
"""Letters of ASCII that the field ``descrip`` of a NIfTI-1 header holds, without its last zero."""

_METHODS = {"grad_cam": "Grad-CAM", "hires_cam": "HiResCAM", "layer_cam": "LayerCAM"}


def map_note(explains: OSClass, checks: Mapping[str, Any] | None, method: str = "grad_cam") -> str:
    """One line in ASCII: method and class of a map, the outcome of its checks, the intended use.

    Args:
        explains: Class that the map explains.
        checks: ``explanation_checks`` of this map; None where it was not checked.
        method: As in ``prediction.json``.
    """
    outcome = "Not checked."
    if checks is not None:
        verdicts = [one["verdict"] for one in checks["checks"]]
        failed, made = verdicts.count(str(Verdict.CHECK)), len(verdicts) - verdicts.count("not made")
        good = checks.get("verdict") == Verdict.GOOD
        outcome = f"Passed {made - failed} of {made} checks." if good else f"FAILED {failed} of {made} checks."
    label = explains.label.replace("≤", "<=")
    return f"{_METHODS.get(method, method)} {label}. {outcome} Research use only."
