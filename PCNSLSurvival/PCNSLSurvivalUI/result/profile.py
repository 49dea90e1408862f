"""Activation along the axial direction: computed once for every map, drawn in the panel, a click jumps there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import qt
from numpy.typing import NDArray
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.class_colors import OVER_ONE_YEAR, UP_TO_ONE_YEAR, in_hex
from PCNSLSurvivalLib.imaging.geometry import place_in_words
from PCNSLSurvivalUI.result.slice_axis import SliceAxis

_STEP_MM = 2.0
_ACTIVATION, _FOR, _AGAINST = "#b0508c", in_hex(OVER_ONE_YEAR), in_hex(UP_TO_ONE_YEAR)
_HEIGHT, _RIM, _NARROWEST = 104, 8, 120

Profile = dict[str, Any]
"""Places ``s_mm`` from foot to head on the axis of the slices, ``step_mm`` between them, the largest ``value`` there,
and for evidence the values ``against`` (0 or less)."""

NO_PROFILE: Profile = {"s_mm": [], "value": [], "step_mm": _STEP_MM}


def axialProfile(
    array_kji: NDArray[np.floating], affine_ras: NDArray[np.float64], axis: SliceAxis, *, signed: bool = False
) -> Iterator[Profile]:
    """Largest value of a map in each axial slice of T1Gd; a generator whose last value is the profile.

    Args:
        array_kji: The map, on the voxels of T1Gd.
        affine_ras: (4, 4) voxel index to RAS mm.
        axis: The axis of these slices.
        signed: The profile tells the lowest value of each slice as well, as ``against``.

    Yields:
        ``NO_PROFILE`` between pieces of work, then the profile; slices thinner than 2 mm are taken together.
    """
    along = np.array(axis.normal_ras) @ affine_ras[:3]
    step_mm = max(_STEP_MM, float(np.abs(along[:3]).max()))
    most: dict[int, float] = {}
    least: dict[int, float] = {}
    for k in range(array_kji.shape[0]):
        j, i = np.nonzero(array_kji[k])
        if len(i):
            bands = np.round((along[0] * i + along[1] * j + along[2] * k) / step_mm).astype(int)
            first, values = int(bands.min()), array_kji[k][j, i]
            high, low = np.zeros((2, int(bands.max()) - first + 1))
            np.maximum.at(high, bands - first, values)
            np.minimum.at(low, bands - first, values)
            for band, (highest, lowest) in enumerate(zip(high.tolist(), low.tolist(), strict=True), start=first):
                most[band] = max(most.get(band, 0.0), highest)
                least[band] = min(least.get(band, 0.0), lowest)
        yield NO_PROFILE
    bands_all = range(min(most), max(most) + 1) if most else range(0)
    profile = {
        "s_mm": [round(float(along[3] + band * step_mm), 3) for band in bands_all],
        "value": [round(most.get(band, 0.0), 5) for band in bands_all],
        "step_mm": step_mm,
    }
    if signed:
        profile["against"] = [round(least.get(band, 0.0), 5) for band in bands_all]
    yield profile


class ProfilePlot(qt.QLabel):
    """The profile from foot to head; the current axial slice is marked, a click or an arrow key jumps."""

    def __init__(self, jumped: Callable[[float], None]) -> None:
        super().__init__()
        self._jumped = jumped
        self.profile: Profile = NO_PROFILE
        """What is drawn; ``setProfile`` changes it."""
        self.current: float | None = None
        """Place in mm of the axial slice that is marked; None when the views show none. ``setCurrent`` changes it."""
        self.setMinimumHeight(_HEIGHT)
        self.setMinimumWidth(_NARROWEST)
        # The picture is as wide as the panel; were it a size hint, the panel could never become narrower again.
        self.setSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Fixed)
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
        self.profile = profile
        self.redraw()

    def setCurrent(self, s_mm: float | None) -> None:
        """Mark the axial slice that the views show; None when they show no axial one."""
        if s_mm != self.current:
            self.current = s_mm
            self.redraw()

    def _extent(self) -> tuple[float, float]:
        s_mm = self.profile["s_mm"]
        return (s_mm[0], max(s_mm[-1], s_mm[0] + 1.0)) if s_mm else (0.0, 1.0)

    def redraw(self) -> None:
        """Draw the plot at the present width and in the present colors."""
        width = max(self.width, _NARROWEST)
        pixmap = qt.QPixmap(width, _HEIGHT)
        palette = self.palette
        pixmap.fill(palette.color(qt.QPalette.Base))
        painter = qt.QPainter(pixmap)
        painter.setRenderHint(qt.QPainter.Antialiasing)
        text = palette.color(qt.QPalette.Text)
        low, high = self._extent()
        top, bottom, left, right = _RIM, _HEIGHT - 20, _RIM, width - _RIM
        s_mm, values = self.profile["s_mm"], self.profile["value"]
        against = self.profile.get("against") or []
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
            first, last = (f"{place_in_words(2, end)} mm" for end in (low, high))
            painter.drawText(qt.QRectF(left, bottom + 2, 120, 16), int(qt.Qt.AlignLeft), first)
            painter.drawText(qt.QRectF(right - 120, bottom + 2, 120, 16), int(qt.Qt.AlignRight), last)
        if self.current is not None and s_mm and low <= self.current <= high:
            painter.setPen(qt.QPen(text, 2))
            painter.drawLine(qt.QPointF(x(self.current), top), qt.QPointF(x(self.current), bottom))
            middle = qt.QRectF(width / 2 - 60, bottom + 2, 120, 16)
            painter.drawText(
                middle, int(qt.Qt.AlignHCenter), _("now {place} mm").format(place=place_in_words(2, self.current, 1))
            )
        painter.end()
        self.setPixmap(pixmap)

    def resizeEvent(self, event: Any) -> None:
        """The panel became wider or narrower."""
        self.redraw()

    def changeEvent(self, event: Any) -> None:
        """The application was switched to another theme."""
        if event.type() == qt.QEvent.PaletteChange:
            self.redraw()

    def mousePressEvent(self, event: Any) -> None:
        """Jump to the axial slice under the mouse."""
        low, high = self._extent()
        position = event.position() if hasattr(event, "position") else event.pos()  # Qt 6, Qt 5
        share = (position.x() - _RIM) / max(self.width - 2 * _RIM, 1)
        if self.profile["s_mm"]:
            self._jumped(low + (high - low) * min(max(share, 0.0), 1.0))

    def keyPressEvent(self, event: Any) -> None:
        """Arrow keys go one step toward the head or the foot; other keys belong to the panel."""
        step = {qt.Qt.Key_Right: 1, qt.Qt.Key_Up: 1, qt.Qt.Key_Left: -1, qt.Qt.Key_Down: -1}.get(event.key())
        if step is not None and self.current is not None:
            self._jumped(self.current + step * self.profile.get("step_mm", _STEP_MM))
        else:
            event.ignore()
