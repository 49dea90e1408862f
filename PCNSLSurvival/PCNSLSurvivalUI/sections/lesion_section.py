"""The section "Tumor outline": choose, draw or correct one, or have it proposed; its volume and its foci."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalUI.choices.brain_masks import brainMaskFor
from PCNSLSurvivalUI.choices.parameters import PanelParameters
from PCNSLSurvivalUI.result import lesion, navigation
from PCNSLSurvivalUI.result.result_views import ResultViews
from PCNSLSurvivalUI.result.way_back import WayBack
from PCNSLSurvivalUI.scene.output_nodes import PROPOSAL, T1GD, SceneOutputs
from PCNSLSurvivalUI.scene.segmentations import openEditor


class _PaletteWatch(qt.QObject):
    """Notices that the application was switched to another theme."""

    def __init__(self, widget: Any, changed: Callable[[], None]) -> None:
        super().__init__()
        self._widget, self._changed = widget, changed
        widget.installEventFilter(self)

    def eventFilter(self, _widget: Any, event: Any) -> bool:
        """Qt's own: the event goes on."""
        if event.type() == qt.QEvent.PaletteChange:
            self._changed()
        return False

    def close(self) -> None:
        """Let go of the widget."""
        self._widget.removeEventFilter(self)


class LesionControls:
    """Everything in the section "Tumor outline".

    Args:
        ui: The panel's widgets by name.
        parameters: Gives the stored choices; None when there is no scene.
        result: Gives the result of the chosen T1Gd; None when there is none.
        views: The slice views.
        showMap: Brings the map back into the views.
        predict: Starts a run with the stored choices.
    """

    def __init__(
        self,
        ui: Any,
        parameters: Callable[[], PanelParameters | None],
        result: Callable[[], dict[str, Any] | None],
        views: ResultViews,
        showMap: Callable[[], None],
        predict: Callable[[], None],
    ) -> None:
        self._ui, self._parameters, self._result = ui, parameters, result
        self._views, self._showMap, self._predict = views, showMap, predict
        self._patient = ""
        """ID of the T1Gd that the chosen outline belongs to."""
        self.wayBack = WayBack(self._onWayBack)
        # Slicer's own binding of a selector knows one class of nodes alone.
        ui.lesionSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._onChosen)
        ui.editLesionButton.connect("clicked(bool)", self._onEdit)
        ui.lesionLabel.connect("linkActivated(QString)", self._onFocus)
        self._palette = _PaletteWatch(ui.lesionLabel, self._showMeasures)

    def show(self) -> None:
        """Bring button and measures in line with the choices; the outline of another patient is let go."""
        ui, parameters = self._ui, self._parameters()
        t1gd = parameters.t1gdVolume if parameters is not None else None
        if t1gd is not None:
            before, self._patient = self._patient, t1gd.GetID()
            if before not in ("", self._patient):
                self._letGoOfOthers(parameters)
        chosen = parameters.lesion if parameters is not None else None
        if ui.lesionSelector.currentNode() is not chosen:
            ui.lesionSelector.setCurrentNode(chosen)
        there = parameters is not None and (parameters.lesion is not None or self._proposal() is not None)
        ui.editLesionButton.setEnabled(t1gd is not None)
        ui.editLesionButton.text = (
            _("Correct the outline in Segment Editor") if there else _("Draw an outline in Segment Editor")
        )
        ui.proposeLesionCheckBox.setEnabled(parameters is not None and parameters.lesion is None)
        self._showMeasures()

    def _showMeasures(self) -> None:
        label, result = self._ui.lesionLabel, self._result()
        # Qt's own color of links cannot be read in the dark theme; during a run, the label is disabled.
        color = label.palette.color(qt.QPalette.Active, qt.QPalette.WindowText).name()
        label.text = lesion.measuresInWords(result, color) if result is not None else ""
        label.setVisible(bool(label.text))

    def _letGoOfOthers(self, parameters: PanelParameters) -> None:
        """Another T1Gd was chosen: outline and repaired brain mask were drawn on another head."""
        if parameters.lesion is not None:
            parameters.lesion = None
        mask = brainMaskFor(SceneOutputs(parameters.parameterNode), parameters.brainMask, parameters.t1gdVolume)
        if mask is not parameters.brainMask:
            parameters.brainMask = mask

    def entered(self) -> None:
        """The panel is open again: the way back has done its service."""
        if self.wayBack.bar is not None:
            self.wayBack.hide()
            self._showMap()

    def forget(self) -> None:
        """Let go of the scene."""
        self._patient = ""
        self.wayBack.hide()

    def close(self) -> None:
        """The module is unloaded."""
        self._palette.close()

    def _onChosen(self, node: Any) -> None:
        parameters = self._parameters()
        if parameters is not None and parameters.lesion is not node:
            parameters.lesion = node

    def _proposal(self) -> Any:
        """The proposal for the chosen T1Gd, as long as it has not been taken over."""
        parameters = self._parameters()
        outputs = SceneOutputs(parameters.parameterNode)
        return outputs.node(PROPOSAL) if outputs.node(T1GD) is parameters.t1gdVolume else None

    def _onEdit(self, checked: bool = False) -> None:
        parameters = self._parameters()
        outputs, t1gd = SceneOutputs(parameters.parameterNode), parameters.t1gdVolume
        chosen = parameters.lesion if parameters.lesion is not None else self._proposal()
        parameters.lesion = lesion.toEdit(outputs, chosen, t1gd)
        if slicer.util.mainWindow() is not None:
            self._views.showT1GdAlone(outputs, t1gd)
            openEditor(parameters.lesion, t1gd)
            self.wayBack.show(_("Predict with this tumor outline"))

    def _onWayBack(self) -> None:
        self.entered()
        self._predict()

    def _onFocus(self, place: str) -> None:
        result = self._result()
        foci = lesion.fociOf(result) if result is not None else []
        if place.isdigit() and int(place) < len(foci):
            navigation.jumpTo(tuple(foci[int(place)]["center_ras_mm"]))
