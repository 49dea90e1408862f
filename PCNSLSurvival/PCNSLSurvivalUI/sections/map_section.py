"""The controls of the map: they change the stored choices, and the choices change the views."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
import vtk
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.terms import BESIDE_T1GD, MRSequence
from PCNSLSurvivalUI.result import map_display, navigation, profile
from PCNSLSurvivalUI.result.result_views import ResultViews
from PCNSLSurvivalUI.result.slice_axis import SliceAxis
from PCNSLSurvivalUI.result.surfaces import REGION, TUMOR, showSurfaces
from PCNSLSurvivalUI.scene.kept_views import oneRender
from PCNSLSurvivalUI.scene.output_nodes import ALIGNED, OVER, UP_TO, SceneOutputs
from PCNSLSurvivalUI.second_thoughts.answers import isDoubted
from PCNSLSurvivalUI.second_thoughts.outline import outlineOf, stateOf


class MapControls:
    """Everything in the section "Activation map".

    Args:
        ui: The panel's widgets by name.
        context: Gives the stored choices, the outputs and the T1Gd of the result; None when there is no result.
        views: The slice views.
    """

    def __init__(
        self,
        ui: Any,
        context: Callable[[], tuple[Any, SceneOutputs, Any, dict[str, Any]] | None],
        views: ResultViews,
    ) -> None:
        self._ui, self._context, self._views = ui, context, views
        self._axis = SliceAxis()
        self._cells: list[navigation.Cell] = []
        self._place = -1
        self._kind = ""
        self._drawn: dict[str, tuple[Any, ...]] | None = None
        """What the region and the tumor in the 3-D view are of; None before this result was drawn there."""
        self._shown: tuple[Any, ...] = ()
        self._filling = False
        self._sliceNode: Any = None
        self._sliceTag = 0
        self._shortcuts: list[Any] = []
        self.profile = ui.profilePlot = profile.ProfilePlot(self._onProfile)
        self.profile.objectName = "profilePlot"
        ui.profilePlace.layout().setContentsMargins(0, 0, 0, 0)
        ui.profilePlace.layout().addWidget(self.profile)
        qt.QWidget.setTabOrder(ui.nextCellButton, self.profile)  # what is added later comes last otherwise
        for kind in (OVER, UP_TO):
            ui.mapSelector.addItem(_("Grad-CAM for class {name}").format(name=map_display.labelOf(kind)), kind)
        ui.mapSelector.addItem(_("Evidence for and against"), map_display.EVIDENCE_KIND)
        ui.smoothSelector.addItem(_("Smooth"), "smooth")
        ui.smoothSelector.addItem(_("Native resolution"), "cells")
        for name, nodeID in map_display.COLOR_NODES.items():
            ui.colorsSelector.addItem(name, nodeID)
        ui.mapSelector.connect("currentIndexChanged(int)", self._onChoice)
        ui.smoothSelector.connect("currentIndexChanged(int)", self._onChoice)
        ui.colorsSelector.connect("currentIndexChanged(int)", self._onChoice)
        ui.nextCellButton.connect("clicked(bool)", lambda: self.walk(+1))
        ui.previousCellButton.connect("clicked(bool)", lambda: self.walk(-1))
        ui.fourUpButton.connect("clicked(bool)", self._onFourUp)
        ui.sideBySideButton.connect("clicked(bool)", self._onSideBySide)
        ui.sequencesButton.connect("clicked(bool)", self._onSequences)

    # --- keys ------------------------------------------------------------------------------------------
    def listenToKeys(self, listen: bool) -> None:
        """Keyboard shortcuts belong to the open panel only."""
        for shortcut in self._shortcuts:
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        self._shortcuts = []
        window = slicer.util.mainWindow()
        if not listen or window is None:
            return
        for keys, action in (
            ("Ctrl+Shift+M", lambda: self._ui.mapVisibleCheckBox.toggle()),
            ("Ctrl+Shift+N", lambda: self.walk(+1)),
            ("Ctrl+Shift+B", lambda: self.walk(-1)),
        ):
            shortcut = qt.QShortcut(qt.QKeySequence(keys), window)
            shortcut.connect("activated()", action)
            self._shortcuts.append(shortcut)

    # --- from the choices to the panel and the views -----------------------------------------------------
    def showNewResult(self) -> None:
        """A result has arrived or a scene was opened: cells, profile, words, first view."""
        self.forget()
        context = self._context()
        if context is None:
            return
        self._ui.attributionLabel.text = map_display.regional_attribution(context[3])
        self._axis = SliceAxis(**context[3].get("profile_axis", {}))
        self._observeSlice()
        self.apply()

    def showFirstLook(self) -> None:
        """A prediction has just ended: axial slices of T1Gd, through the strongest cell of the map."""
        context = self._context()
        if context is not None:
            with oneRender():
                self._views.showAxial(context[2])
                self.walk(+1)

    def forget(self) -> None:
        """Let go of the scene."""
        if self._sliceNode is not None:
            self._sliceNode.RemoveObserver(self._sliceTag)
        self._sliceNode = None
        self._cells, self._place, self._kind, self._drawn = [], -1, "", None
        self._ui.cellLabel.text = ""

    def isChanged(self) -> bool:
        """Whether the stored choices of this section are others than the shown ones."""
        context = self._context()
        return context is not None and _choices(context[0]) != self._shown

    def apply(self) -> None:
        """Bring panel and views in line with the stored choices."""
        context = self._context()
        if context is None:
            return
        parameters, outputs, t1gd, result = context
        self._shown = _choices(parameters)
        self._filling = True
        ui = self._ui
        kind = map_display.shownKind(parameters, result)
        ui.mapSelector.setCurrentIndex(ui.mapSelector.findData(kind))
        ui.smoothSelector.setCurrentIndex(1 if parameters.mapAsCells else 0)
        ui.colorsSelector.setCurrentIndex(max(ui.colorsSelector.findData(parameters.mapColors), 0))
        ui.colorsSelector.setEnabled(kind != map_display.EVIDENCE_KIND)
        self._filling = False
        if kind != self._kind:
            self._showKind(kind, outputs, result)
        self.refreshSurfaces()
        self._views.showMap(outputs, t1gd, result, parameters)
        self.showButtons()

    def showSurfaces(self) -> None:
        """Draw brain, tumor outline and strongest region in the 3-D view."""
        context = self._context()
        if context is not None:
            parameters, outputs, t1gd, result = context
            self._drawn = _drawnOf(parameters, outputs, result)
            showSurfaces(outputs, t1gd, result, parameters)

    def refreshSurfaces(self) -> None:
        """Draw in the 3-D view what changed: the map, the outcome of its checks, or the tumor outline."""
        context = self._context()
        if context is None or self._drawn is None:
            return
        parameters, outputs, t1gd, result = context
        now, before = _drawnOf(parameters, outputs, result), self._drawn
        self._drawn = now
        showSurfaces(outputs, t1gd, result, parameters, [role for role in now if now[role] != before[role]])

    def _onChoice(self, index: int) -> None:
        context = self._context()
        if self._filling or context is None:
            return
        parameters, ui = context[0], self._ui
        with slicer.util.NodeModify(parameters.parameterNode):
            parameters.mapKind = ui.mapSelector.itemData(ui.mapSelector.currentIndex)
            parameters.mapAsCells = ui.smoothSelector.currentIndex == 1
            parameters.mapColors = ui.colorsSelector.itemData(ui.colorsSelector.currentIndex)

    # --- navigation ----------------------------------------------------------------------------------------
    def _showKind(self, kind: str, outputs: SceneOutputs, result: dict[str, Any]) -> None:
        """Another kind of map: its own cells, profile and words."""
        self._kind, self._place = kind, -1
        cells, drawn = (map_display.shownNode(outputs, kind, asCells) for asCells in (True, False))
        self._cells = [] if cells is None or drawn is None else navigation.strongestCells(cells, drawn)
        self._showCell()
        self.profile.setProfile((result.get("profiles") or {}).get(kind) or profile.NO_PROFILE)

    def strongest(self) -> tuple[float, float, float] | None:
        """RAS mm of the strongest hotspot of the shown map."""
        return self._cells[0].ras_mm if self._cells else None

    def walk(self, step: int) -> None:
        """Go to the next weaker (+1) or stronger (-1) cell; the views jump there."""
        if not self._cells:
            return
        self._place = min(max(self._place + step, 0), len(self._cells) - 1)
        navigation.jumpTo(self._cells[self._place].ras_mm)
        self._showCell()

    def _showCell(self) -> None:
        count = len(self._cells)
        self._ui.nextCellButton.setEnabled(self._place < count - 1)
        self._ui.previousCellButton.setEnabled(self._place > 0)
        if not count:
            self._ui.cellLabel.text = _("No hotspot")
        elif self._place < 0:
            self._ui.cellLabel.text = _("Hotspots: {n}").format(n=count)
        else:
            words = _("{place} of {n}: {value:.0f} % of max")
            value = 100 * self._cells[self._place].value
            if self._kind == map_display.EVIDENCE_KIND:
                words, value = _("{place} of {n}: {value:+.3f}"), value / 100
            told = words.format(place=self._place + 1, n=count, value=value)
            self._ui.cellLabel.text = told.replace(" %", "\N{NO-BREAK SPACE}%")  # a narrow label breaks the line there

    def _observeSlice(self) -> None:
        self._sliceNode = navigation.axialSliceNode()
        if self._sliceNode is not None:
            self._sliceTag = self._sliceNode.AddObserver(vtk.vtkCommand.ModifiedEvent, self._onSlice)
            self._onSlice()

    def _onSlice(self, caller: Any = None, event: Any = None) -> None:
        self.profile.setCurrent(self._axis.placeOf(self._sliceNode))

    def _onProfile(self, s_mm: float) -> None:
        navigation.goToAxial(self._axis, s_mm)

    def _onFourUp(self) -> None:
        self.showSurfaces()
        self._views.crosshairAsBefore()
        navigation.showFourUp()
        self.apply()

    def _onSideBySide(self) -> None:
        self._views.crosshairAsBefore()
        navigation.showSideBySide()
        self.apply()

    def _onSequences(self) -> None:
        sequences = self._aligned()
        if sequences:
            navigation.showSequences(sequences)
            self._views.showCrosshair()
            self.apply()

    def _aligned(self) -> list[MRSequence]:
        """The other sequences whose scans lie on T1Gd."""
        context = self._context()
        return [one for one in BESIDE_T1GD if context is not None and context[1].node(ALIGNED + one) is not None]

    def showButtons(self) -> None:
        """Offer the other sequences as soon as they are aligned."""
        self._ui.sequencesButton.setEnabled(bool(self._aligned()))


def _drawnOf(parameters: Any, outputs: SceneOutputs, result: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    kind = map_display.shownKind(parameters, result)
    map_ = map_display.shownNode(outputs, kind, False)
    doubted = isDoubted(parameters, result, kind)
    return {
        REGION: (kind, doubted, None if map_ is None else map_.GetID()),
        TUMOR: stateOf(outlineOf(parameters)),
    }


def _choices(parameters: Any) -> tuple[Any, ...]:
    return (
        parameters.mapKind, parameters.mapAsCells, parameters.mapColors, parameters.mapVisible,
        parameters.mapOpacity, parameters.mapThreshold, parameters.legendVisible,
    )  # fmt: skip
