"""The prediction in words and on a small scale with the decision threshold."""

from __future__ import annotations

from typing import Any

import qt
from slicer.i18n import tr as _

_HEIGHT, _MARGIN = 84, 16
UP_TO, OVER = "#c2571a", "#1f7a8c"
"""Colors of the two sides of the threshold; told apart by hue, lightness and place."""


def headline(result: dict[str, Any]) -> str:
    """Class and probability, as rich text."""
    probability = 100 * float(result["probability_over_one_year"])
    return _("<b>{name}</b>: probability of OS &gt; 1 year <b>{value:.0f} %</b>").format(
        name=str(result["class"]).replace(">", "&gt;"), value=probability
    )


def spreadInWords(result: dict[str, Any]) -> str:
    """How far the members of the model agree."""
    members = result.get("member_probabilities") or []
    if len(members) < 2:
        return _("One network: no spread between networks can be given.")
    return _("The {n} networks of the model say {low:.0f} to {high:.0f} %.").format(
        n=len(members), low=100 * min(members), high=100 * max(members)
    )


def warningsInWords(result: dict[str, Any]) -> str:
    """Warnings of the run, one a line; empty when there are none."""
    return "\n".join(f"⚠ {text}" for text in result.get("warnings", []))


def qualityInWords(result: dict[str, Any]) -> str:
    """How many of the quality checks were good; the sentences of the others stand among the warnings."""
    findings = result.get("preprocessing", {}).get("findings", [])
    if not findings:
        return ""
    good = sum(finding.get("verdict") == "good" for finding in findings)
    if result["preprocessing"].get("quality_overridden"):
        return _("Quality checks: {good} of {all} good; a stop was overridden by the user.").format(
            good=good, all=len(findings)
        )
    return _("Quality checks: {good} of {all} good.").format(good=good, all=len(findings))


def familiarityInWords(result: dict[str, Any]) -> str:
    """Whether the scan is like those the model learned from."""
    return str((result.get("familiarity") or {}).get("sentence") or "")


def originInWords(result: dict[str, Any]) -> str:
    """Which model and which version made this."""
    model = result.get("model", {})
    software = result.get("software", {}).get("pcnsl-survival", "")
    threshold = 100 * float(result["decision_threshold"])
    return _("Model {name} {version}, software {software}. OS > 1 year is called from {threshold:.0f} %.").format(
        name=model.get("name", "?"), version=model.get("version", "?"), software=software, threshold=threshold
    )


def drawScale(result: dict[str, Any], width: int, palette: Any) -> Any:
    """The probability on a line from 0 to 100 %, its members' range, and the decision threshold.

    Args:
        result: A stored prediction.
        width: Width in pixels.
        palette: Colors of the panel, so that it reads in the dark theme as well.

    Returns:
        A QPixmap.
    """
    pixmap = qt.QPixmap(width, _HEIGHT)
    pixmap.fill(palette.color(qt.QPalette.Window))
    painter = qt.QPainter(pixmap)
    painter.setRenderHint(qt.QPainter.Antialiasing)
    text = palette.color(qt.QPalette.WindowText)
    left, span, line = _MARGIN, width - 2 * _MARGIN, 46

    def at(share: float) -> float:
        return left + span * share

    threshold = float(result["decision_threshold"])
    painter.setPen(qt.Qt.NoPen)
    painter.setBrush(qt.QColor(UP_TO))
    painter.drawRect(qt.QRectF(left, line - 5, at(threshold) - left, 10))
    painter.setBrush(qt.QColor(OVER))
    painter.drawRect(qt.QRectF(at(threshold), line - 5, left + span - at(threshold), 10))
    painter.setPen(qt.QPen(text, 1))
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        painter.drawLine(qt.QPointF(at(share), line + 6), qt.QPointF(at(share), line + 11))
        box = qt.QRectF(at(share) - 30, line + 12, 60, 16)
        if share == 0.0:
            box = qt.QRectF(left - _MARGIN + 2, line + 12, 60, 16)
            painter.drawText(box, int(qt.Qt.AlignLeft), "0 %")
        elif share == 1.0:
            box = qt.QRectF(width - 62, line + 12, 60, 16)
            painter.drawText(box, int(qt.Qt.AlignRight), "100 %")
        else:
            painter.drawText(box, int(qt.Qt.AlignHCenter), f"{100 * share:.0f}")
    painter.setPen(qt.QPen(text, 2))
    painter.drawLine(qt.QPointF(at(threshold), line - 11), qt.QPointF(at(threshold), line + 9))
    members = result.get("member_probabilities") or []
    if len(members) > 1:
        painter.setPen(qt.QPen(text, 3))
        painter.drawLine(qt.QPointF(at(min(members)), line - 16), qt.QPointF(at(max(members)), line - 16))
    probability = float(result["probability_over_one_year"])
    x = at(probability)
    painter.setPen(qt.Qt.NoPen)
    painter.setBrush(text)
    painter.drawPolygon(
        qt.QPolygon([qt.QPoint(int(x), line - 7), qt.QPoint(int(x) - 7, line - 20), qt.QPoint(int(x) + 7, line - 20)])
    )
    bold = painter.font()
    bold.setBold(True)
    painter.setFont(bold)
    painter.setPen(text)
    boxLeft = min(max(x - 40, 0), width - 80)
    painter.drawText(qt.QRectF(boxLeft, 4, 80, 18), int(qt.Qt.AlignHCenter), f"{100 * probability:.0f} %")
    painter.end()
    return pixmap
