"""The probability on a small scale with the decision threshold, as wide as the panel allows."""

from __future__ import annotations

from typing import Any

import qt
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.class_colors import OVER_ONE_YEAR, UP_TO_ONE_YEAR, in_hex
from PCNSLSurvivalUI.sections.result_text import isGreyed

_HEIGHT, _MARGIN = 84, 16
_NARROWEST, _WIDEST = 200, 480
_UP_TO_GREY, _OVER_GREY, _MARKS_GREY = "#9c9c9c", "#b8b8b8", "#808080"
"""Instead of the colors of the two classes for a scan out of distribution."""


class ProbabilityScale(qt.QLabel):
    """Shows the scale of one result, and draws it anew when the panel becomes wider or narrower."""

    def __init__(self) -> None:
        super().__init__()
        self._result: dict[str, Any] | None = None
        self.setMinimumWidth(_NARROWEST)
        # The picture is as wide as the panel; were it a size hint, the panel could never become narrower again.
        self.setSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Fixed)
        self.setMinimumHeight(_HEIGHT)
        self.setToolTip(
            _(
                "The probability on a line from 0 to 100 %. The thin line is the model's decision threshold, the bar "
                "above it the range of the model's networks."
            )
        )

    def showResult(self, result: dict[str, Any]) -> None:
        """Show another result."""
        self._result = result
        self.redraw()

    def redraw(self) -> None:
        """Draw at the present width and in the present colors."""
        if self._result is not None:
            width = min(max(self.width, _NARROWEST), _WIDEST)
            self.setPixmap(drawScale(self._result, width, self.palette))

    def resizeEvent(self, event: Any) -> None:
        """The panel became wider or narrower."""
        self.redraw()

    def changeEvent(self, event: Any) -> None:
        """The application was switched to another theme."""
        if event.type() == qt.QEvent.PaletteChange:
            self.redraw()


def drawScale(result: dict[str, Any], width: int, palette: Any) -> Any:
    """The probability on a line from 0 to 100 %, its members' range, and the decision threshold.

    All of it is gray for a scan out of distribution.

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
    text, sides = palette.color(qt.QPalette.WindowText), (in_hex(UP_TO_ONE_YEAR), in_hex(OVER_ONE_YEAR))
    if isGreyed(result):
        text, sides = qt.QColor(_MARKS_GREY), (_UP_TO_GREY, _OVER_GREY)
    left, span, line = _MARGIN, width - 2 * _MARGIN, 46

    def at(share: float) -> float:
        return left + span * share

    threshold = float(result["decision_threshold"])
    painter.setPen(qt.Qt.NoPen)
    painter.setBrush(qt.QColor(sides[0]))
    painter.drawRect(qt.QRectF(left, line - 5, at(threshold) - left, 10))
    painter.setBrush(qt.QColor(sides[1]))
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
