"""Activation along the axial direction: computed once for every map, drawn in the panel, a click jumps there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import qt
import slicer
import vtk
from numpy.typing import NDArray
from slicer.i18n import tr as _

_STEP_MM = 2.0
_ACTIVATION, _FOR, _AGAINST = "#b0508c", "#1a7a93", "#c2571a"
_HEIGHT, _RIM = 104, 8

Profile = dict[str, list[float]]
"""``s_mm`` from foot to head, ``value`` there, and for evidence what speaks ``against`` (0 or less)."""

NO_PROFILE: Profile = {"s_mm": [], "value": []}


def axialProfile(array_kji: NDArray[np.floating], affine_ras: NDArray[np.float64]) -> Iterator[Profile]:
    """Largest value of a map in each axial band of the patient; a generator whose last value is the profile.

    Args:
        array_kji: The map, on a grid that may be oblique.
        affine_ras: (4, 4) voxel index to RAS mm.

    Yields:
        ``NO_PROFILE`` between pieces of work, then the profile in bands of 2 mm.
    """
    found: dict[int, float] = {}
    for k in range(array_kji.shape[0]):
        j, i = np.nonzero(array_kji[k] > 0)
        if len(i):
            s_mm = affine_ras[2, 0] * i + affine_ras[2, 1] * j + affine_ras[2, 2] * k + affine_ras[2, 3]
            bands = np.round(s_mm / _STEP_MM).astype(int)
            first = int(bands.min())
            most = np.zeros(int(bands.max()) - first + 1)
            np.maximum.at(most, bands - first, array_kji[k][j, i])
            for place, value in enumerate(most):
                found[first + place] = max(found.get(first + place, 0.0), float(value))
        yield NO_PROFILE
    first, last = (min(found), max(found)) if found else (0, -1)
    bands_all = range(first, last + 1)
    yield {
        "s_mm": [band * _STEP_MM for band in bands_all],
        "value": [round(found.get(band, 0.0), 4) for band in bands_all],
    }


def evidenceProfile(node: Any) -> Profile:
    """Strongest evidence for and against in each layer of cells, drawn smoothly between the layers as the map is.

    Args:
        node: Evidence on its own cells, whose layers are axial.
    """
    array_kji = slicer.util.arrayFromVolume(node)
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    k = np.arange(len(array_kji))
    s_mm = matrix.GetElement(2, 2) * k + matrix.GetElement(2, 3)
    order = np.argsort(s_mm)
    places = np.arange(s_mm.min(), s_mm.max() + _STEP_MM / 2, _STEP_MM)
    most, least = np.maximum(array_kji.max(axis=(1, 2)), 0), np.minimum(array_kji.min(axis=(1, 2)), 0)
    return {
        "s_mm": [round(float(s), 2) for s in places],
        "value": [round(float(v), 5) for v in np.interp(places, s_mm[order], most[order])],
        "against": [round(float(v), 5) for v in np.interp(places, s_mm[order], least[order])],
    }


class ProfilePlot(qt.QLabel):
    """The profile from foot to head; the current axial slice is marked, a click or an arrow key jumps."""

    def __init__(self, jumped: Callable[[float], None]) -> None:
        super().__init__()
        self._jumped = jumped
        self._profile: Profile = NO_PROFILE
        self._current: float | None = None
        self.setMinimumHeight(_HEIGHT)
        self.setMinimumWidth(120)  # its own picture must not keep the panel from becoming narrower
        self.setFocusPolicy(qt.Qt.StrongFocus)
        self.setToolTip(
            _(
                "Strongest value of the map in each axial slice, foot to head; the line is the slice shown now. "
                "Click to go to a slice; arrow keys go one step up or down."
            )
        )
        self.setAccessibleName(_("Activation along the axial direction"))

    def setProfile(self, profile: Profile) -> None:
        """Show another map's profile."""
        self._profile = profile
        self.redraw()

    def setCurrent(self, s_mm: float | None) -> None:
        """Mark the axial slice that the views show."""
        if s_mm != self._current:
            self._current = s_mm
            self.redraw()

    def _extent(self) -> tuple[float, float]:
        s_mm = self._profile["s_mm"]
        return (s_mm[0], max(s_mm[-1], s_mm[0] + 1.0)) if s_mm else (0.0, 1.0)

    def redraw(self) -> None:
        """Draw the plot at the present width and in the present colors."""
        width = max(self.width, 120)
        pixmap = qt.QPixmap(width, _HEIGHT)
        palette = self.palette
        pixmap.fill(palette.color(qt.QPalette.Base))
        painter = qt.QPainter(pixmap)
        painter.setRenderHint(qt.QPainter.Antialiasing)
        text = palette.color(qt.QPalette.Text)
        low, high = self._extent()
        top, bottom, left, right = _RIM, _HEIGHT - 20, _RIM, width - _RIM
        s_mm, values = self._profile["s_mm"], self._profile["value"]
        against = self._profile.get("against") or []
        most = max([*values, *(-v for v in against), 1e-9])
        zero = (top + bottom) / 2 if against else bottom

        def x(place: float) -> float:
            return left + (right - left) * (place - low) / (high - low)

        painter.setPen(qt.Qt.NoPen)
        bar = max((right - left) / max(len(s_mm), 1), 1.0)
        for color, heights in ((_FOR if against else _ACTIVATION, values), (_AGAINST, against)):
            painter.setBrush(qt.QColor(color))
            for place, value in zip(s_mm, heights, strict=False):
                size = (zero - top) * value / most
                painter.drawRect(qt.QRectF(x(place) - bar / 2, min(zero - size, zero), bar, abs(size)))
        painter.setPen(qt.QPen(text, 1))
        painter.drawLine(qt.QPointF(left, zero), qt.QPointF(right, zero))
        if s_mm:
            painter.drawText(
                qt.QRectF(left, bottom + 2, 120, 16), int(qt.Qt.AlignLeft), _("S {mm:.0f} mm").format(mm=low)
            )
            painter.drawText(
                qt.QRectF(right - 120, bottom + 2, 120, 16), int(qt.Qt.AlignRight), _("S {mm:.0f} mm").format(mm=high)
            )
        if self._current is not None and s_mm and low <= self._current <= high:
            painter.setPen(qt.QPen(text, 2))
            painter.drawLine(qt.QPointF(x(self._current), top), qt.QPointF(x(self._current), bottom))
            middle = qt.QRectF(width / 2 - 60, bottom + 2, 120, 16)
            painter.drawText(middle, int(qt.Qt.AlignHCenter), _("now S {mm:.1f} mm").format(mm=self._current))
        painter.end()
        self.setPixmap(pixmap)

    def resizeEvent(self, event: Any) -> None:
        """The panel became wider or narrower."""
        self.redraw()

    def mousePressEvent(self, event: Any) -> None:
        """Jump to the axial slice under the mouse."""
        low, high = self._extent()
        position = event.position() if hasattr(event, "position") else event.pos()  # Qt 6, Qt 5
        share = (position.x() - _RIM) / max(self.width - 2 * _RIM, 1)
        if self._profile["s_mm"]:
            self._jumped(low + (high - low) * min(max(share, 0.0), 1.0))

    def keyPressEvent(self, event: Any) -> None:
        """Arrow keys go one band toward the head or the foot; other keys belong to the panel."""
        step = {qt.Qt.Key_Right: 1, qt.Qt.Key_Up: 1, qt.Qt.Key_Left: -1, qt.Qt.Key_Down: -1}.get(event.key())
        if step is not None and self._current is not None:
            self._jumped(self._current + step * _STEP_MM)
        else:
            event.ignore()
