"""Finding one's way through the map: strongest cells, activation along the axial direction, layouts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import qt
import slicer
import vtk
from numpy.typing import NDArray
from slicer.i18n import tr as _

from PCNSLSurvivalUI.map_view import BESIDE

_SIDE_BY_SIDE = 20265
_MOST_CELLS = 12
_PROFILE_STEP_MM = 2.0


@dataclass(frozen=True)
class Cell:
    """One cell of a map."""

    ras_mm: tuple[float, float, float]
    value: float


def strongestCells(node: Any) -> list[Cell]:
    """Cells by absolute value, strongest first; cells without any value are left out.

    Args:
        node: A map on its own cells.
    """
    array = slicer.util.arrayFromVolume(node)
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    affine = slicer.util.arrayFromVTKMatrix(matrix)
    order = np.argsort(-np.abs(array), axis=None)[:_MOST_CELLS]
    cells = []
    for flat in order:
        k, j, i = np.unravel_index(flat, array.shape)
        if array[k, j, i] == 0.0:
            break
        r, a, s, _one = affine @ (i, j, k, 1.0)
        cells.append(Cell((float(r), float(a), float(s)), float(array[k, j, i])))
    return cells


def jumpTo(ras_mm: tuple[float, float, float]) -> None:
    """Bring every slice view through a point of the patient."""
    slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, *ras_mm)


def axialProfile(array_kji: NDArray[np.floating], affine_ras: NDArray[np.float64]) -> Iterator[dict[str, list[float]]]:
    """Largest value of a map in each axial band of the patient; a generator whose last value is the profile.

    Args:
        array_kji: The map.
        affine_ras: (4, 4) voxel index to RAS mm.

    Yields:
        ``{"s_mm": [...], "value": [...]}``: positions from foot to head, and the largest value there.
    """
    found: dict[int, float] = {}
    for k in range(array_kji.shape[0]):
        j, i = np.nonzero(array_kji[k] > 0)
        if len(i):
            s_mm = affine_ras[2, 0] * i + affine_ras[2, 1] * j + affine_ras[2, 2] * k + affine_ras[2, 3]
            bands = np.round(s_mm / _PROFILE_STEP_MM).astype(int)
            values = array_kji[k][j, i]
            for band in np.unique(bands):
                found[int(band)] = max(found.get(int(band), 0.0), float(values[bands == band].max()))
        yield {}
    first, last = (min(found), max(found)) if found else (0, -1)
    bands = range(first, last + 1)
    yield {
        "s_mm": [band * _PROFILE_STEP_MM for band in bands],
        "value": [round(found.get(band, 0.0), 4) for band in bands],
    }


class ProfilePlot(qt.QLabel):
    """The profile from foot to head; the current axial slice is marked, a click jumps there."""

    def __init__(self, jumped: Callable[[float], None]) -> None:
        super().__init__()
        self._jumped = jumped
        self._profile: dict[str, list[float]] = {"s_mm": [], "value": []}
        self._current: float | None = None
        self.setMinimumHeight(96)
        self.setFocusPolicy(qt.Qt.StrongFocus)
        self.setToolTip(_("Largest value of the map in each axial slice, foot to head. Click or press arrow keys."))
        self.setAccessibleName(_("Activation along the axial direction"))

    def setProfile(self, profile: dict[str, list[float]]) -> None:
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
        width, height = max(self.width, 120), 96
        pixmap = qt.QPixmap(width, height)
        palette = self.palette
        pixmap.fill(palette.color(qt.QPalette.Base))
        painter = qt.QPainter(pixmap)
        painter.setRenderHint(qt.QPainter.Antialiasing)
        text = palette.color(qt.QPalette.Text)
        low, high = self._extent()
        top, bottom, left, right = 8, height - 20, 8, width - 8

        def x(s_mm: float) -> float:
            return left + (right - left) * (s_mm - low) / (high - low)

        s_mm, values = self._profile["s_mm"], self._profile["value"]
        most = max(values) if values and max(values) > 0 else 1.0
        painter.setPen(qt.Qt.NoPen)
        painter.setBrush(qt.QColor("#c2571a"))
        bar = max((right - left) / max(len(s_mm), 1), 1.0)
        for place, value in zip(s_mm, values, strict=True):
            size = (bottom - top) * value / most
            painter.drawRect(qt.QRectF(x(place) - bar / 2, bottom - size, bar, size))
        painter.setPen(qt.QPen(text, 1))
        painter.drawLine(qt.QPointF(left, bottom), qt.QPointF(right, bottom))
        painter.drawText(qt.QRectF(left, bottom + 2, 120, 16), int(qt.Qt.AlignLeft), f"S {low:.0f} mm")
        painter.drawText(qt.QRectF(right - 120, bottom + 2, 120, 16), int(qt.Qt.AlignRight), f"S {high:.0f} mm")
        if self._current is not None and s_mm and low <= self._current <= high:
            painter.setPen(qt.QPen(text, 2))
            painter.drawLine(qt.QPointF(x(self._current), top), qt.QPointF(x(self._current), bottom))
        painter.end()
        self.setPixmap(pixmap)

    def mousePressEvent(self, event: Any) -> None:
        """Jump to the axial slice under the mouse."""
        low, high = self._extent()
        position = event.position() if hasattr(event, "position") else event.pos()  # Qt 6, Qt 5
        share = (position.x() - 8) / max(self.width - 16, 1)
        if self._profile["s_mm"]:
            self._jumped(low + (high - low) * min(max(share, 0.0), 1.0))

    def keyPressEvent(self, event: Any) -> None:
        """Arrow keys go one band toward the head or the foot."""
        step = {qt.Qt.Key_Right: 1, qt.Qt.Key_Up: 1, qt.Qt.Key_Left: -1, qt.Qt.Key_Down: -1}.get(event.key())
        if step is not None and self._current is not None:
            self._jumped(self._current + step * _PROFILE_STEP_MM)


def axialSliceNode() -> Any:
    """The slice node of the axial view; None without views."""
    return slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed")


def showFourUp() -> None:
    """The usual four views."""
    if slicer.app.layoutManager() is not None:
        slicer.app.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)


def showSideBySide() -> None:
    """T1Gd alone beside the overlay, both axial, moving together."""
    manager = slicer.app.layoutManager()
    if manager is None:
        return
    layoutNode = manager.layoutLogic().GetLayoutNode()
    if not layoutNode.IsLayoutDescription(_SIDE_BY_SIDE):
        layoutNode.AddLayoutDescription(_SIDE_BY_SIDE, _sideBySideDescription())
    manager.setLayout(_SIDE_BY_SIDE)
    for name in ("Red", BESIDE):
        composite = slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceCompositeNode{name}")
        if composite is not None:
            composite.SetLinkedControl(True)
            composite.SetHotLinkedControl(True)


def _sideBySideDescription() -> str:
    views = "".join(
        f'<item><view class="vtkMRMLSliceNode" singletontag="{tag}">'
        '<property name="orientation" action="default">Axial</property>'
        f'<property name="viewlabel" action="default">{label}</property>'
        f'<property name="viewcolor" action="default">{color}</property></view></item>'
        for tag, label, color in ((BESIDE, "T1", "#888888"), ("Red", "R", "#F34A33"))
    )
    return f'<layout type="horizontal" split="true">{views}</layout>'
