"""The prediction as text."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.messages import os_class_words
from PCNSLSurvivalLib.core.terms import OSClass
from PCNSLSurvivalLib.models.familiarity import FamiliarityVerdict
from PCNSLSurvivalUI.messages import shown

_GREY = "#808080"


def isGreyed(result: dict[str, Any]) -> bool:
    """Whether the number must not stand out: the scan is unlike those the model learned from."""
    return (result.get("familiarity") or {}).get("verdict") == FamiliarityVerdict.UNLIKE


def headline(result: dict[str, Any]) -> str:
    """Class and probability, as rich text; gray for a scan out of distribution."""
    probability = 100 * float(result["probability_over_one_year"])
    words = _("Predicted: <b>{name}</b>. Probability of OS &gt; 1 year: <b>{value:.0f} %</b>").format(
        name=shown(os_class_words(OSClass.of_key(result["class"]))).replace(">", "&gt;"), value=probability
    )
    words = words.replace("<b>", '<b style="white-space: nowrap">')  # no number ends a line without its unit
    return f'<font color="{_GREY}">{words}</font>' if isGreyed(result) else words


def spreadInWords(result: dict[str, Any]) -> str:
    """How far the members of the model agree."""
    members = result.get("member_probabilities") or []
    if len(members) < 2:
        return _("Single network: no range between networks is available.")
    words = _(
        "The {n} networks give {low:.0f} to {high:.0f} %. This shows how far they disagree. It is not a confidence "
        "interval."
    ).format(n=len(members), low=100 * min(members), high=100 * max(members))
    over = sum(member >= float(result["decision_threshold"]) for member in members)
    if over in (0, len(members)):
        return words
    sides = _("They disagree about the class: OS > 1 year is predicted by {over}, OS ≤ 1 year by {upTo}.")
    return words + " " + sides.format(over=over, upTo=len(members) - over)


def warningsInWords(result: dict[str, Any], banner: str = "") -> str:
    """Warnings of the run, one per line, without the one that the banner says; empty when there are none."""
    warnings = [shown(warning) for warning in result.get("warnings", [])]
    return "\n".join(f"⚠ {warning}" for warning in warnings if warning != banner)


def qualityInWords(result: dict[str, Any]) -> str:
    """How many of the quality checks were good; the sentences of the others stand among the warnings."""
    findings = result.get("preprocessing", {}).get("findings", [])
    if not findings:
        return ""
    good = sum(finding.get("verdict") == "good" for finding in findings)
    if result["preprocessing"].get("quality_overridden"):
        return _("Quality checks: {good} of {all} passed; a failed check was overridden by the user.").format(
            good=good, all=len(findings)
        )
    return _("Quality checks: {good} of {all} passed.").format(good=good, all=len(findings))


def familiarityInWords(result: dict[str, Any]) -> str:
    """Whether the scan is like those the model learned from; empty where a warning says it already."""
    familiarity = result.get("familiarity") or {}
    told = {warning["sentence"] for warning in result.get("warnings", [])}
    return "" if familiarity.get("sentence") in told else shown(familiarity)


def clinicalInWords(result: dict[str, Any]) -> str:
    """Whether image and clinical score agree; empty where no clinical findings were given to the run."""
    return shown((result.get("clinical") or {}).get("comparison"))


def originInWords(result: dict[str, Any]) -> str:
    """Which model and which version made this."""
    model = result.get("model", {})
    software = result.get("software", {}).get("pcnsl-survival", "")
    threshold = 100 * float(result["decision_threshold"])
    return _("Model {name} {version}, software {software}. Decision threshold: {threshold:.0f} %.").format(
        name=model.get("name", "?"), version=model.get("version", "?"), software=software, threshold=threshold
    )
