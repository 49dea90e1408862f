"""The row for names of brain regions: which atlas, its registration, and the name under the pointer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.atlas.named_regions import NamedRegions
from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.imaging.geometry import lps_to_ras
from PCNSLSurvivalUI.install import packages
from PCNSLSurvivalUI.messages import plainToolTip, shown
from PCNSLSurvivalUI.regions.atlas_run import AtlasRun
from PCNSLSurvivalUI.result import navigation
from PCNSLSurvivalUI.result.lesion import fociOf
from PCNSLSurvivalUI.scene.output_nodes import CORRECTED, MASK, SceneOutputs
from PCNSLSurvivalUI.second_thoughts.answers import markOf

_FOLDER, _WANTED = "PCNSLSurvival/atlasFolder", "PCNSLSurvival/regionNames"


class RegionControls:
    """The buttons for the atlas and the line with the name of the region under the pointer.

    Args:
        ui: The panel's widgets by name.
        context: Gives the stored choices, the outputs and the T1Gd of the result; None when there is no result.
        strongest: Gives RAS mm of the strongest hotspot of the shown map.
        cache: Folder that keeps the brain of the template for the next patient.
    """

    def __init__(
        self,
        ui: Any,
        context: Callable[[], tuple[Any, SceneOutputs, Any, dict[str, Any]] | None],
        strongest: Callable[[], tuple[float, float, float] | None],
        cache: Callable[[], Path],
    ) -> None:
        self._ui, self._context, self._strongest, self._cache = ui, context, strongest, cache
        self.run: AtlasRun | None = None
        """The registration under way."""
        self._regions: NamedRegions | None = None
        self._stored: dict[str, Any] | None = None
        """What is known of the atlas that was registered."""
        self._of = ""
        """Mark of the result that the regions belong to."""
        self._why = ""
        self._crosshair: Any = None
        self._tag = 0
        ui.regionsButton.connect("clicked(bool)", self._onRegions)
        ui.atlasButton.connect("clicked(bool)", self._onAtlas)
        self.show()

    def show(self) -> None:
        """Bring the row in line with the shown result; names of another result go."""
        context, ui = self._context(), self._ui
        if self._of and (context is None or markOf(context[3]) != self._of):
            self.forget()
        if self.run is not None:
            ui.regionsButton.text = _("Registering the atlas. Cancel")
        elif self._regions is not None:
            ui.regionsButton.text = _("Hide the names of brain regions")
        else:
            ui.regionsButton.text = _("Name the brain regions")
        ui.regionsButton.setEnabled(self.run is not None or context is not None)
        self._showName()
        _setText(ui.regionPlacesLabel, "" if context is None else "\n".join(self._placesOf(context[3])))

    def showNewResult(self) -> None:
        """A result has arrived: its regions are named as those of the one before were."""
        self.forget()
        if slicer.app.userSettings().value(_WANTED) == "yes" and _chosenFolder() is not None:
            self._start()
        self.show()

    def forget(self) -> None:
        """Let go of the regions, and stop a registration without a word."""
        if self.run is not None:
            self.run.cancel()
        if self._crosshair is not None:
            self._crosshair.RemoveObserver(self._tag)
        self.run = self._crosshair = self._regions = self._stored = None
        self._of = self._why = ""

    def _onRegions(self, checked: bool = False) -> None:
        if self.run is not None or self._regions is not None:
            self.forget()
            slicer.app.userSettings().setValue(_WANTED, "no")
        elif _chosenFolder() is None:
            self._onAtlas()
            return
        else:
            self._start()
        self.show()

    def _onAtlas(self, checked: bool = False) -> None:
        start = _chosenFolder()
        chosen = qt.QFileDialog.getExistingDirectory(
            slicer.util.mainWindow(),
            _("Atlas: a folder with a T1 template, a volume of labels and a table of names"),
            "" if start is None else str(start),
        )
        if not chosen:
            return
        slicer.app.userSettings().setValue(_FOLDER, chosen)
        self.forget()
        if self._context() is not None:
            self._start()
        self.show()

    def _start(self) -> None:
        context, folder = self._context(), _chosenFolder()
        if context is None or folder is None:
            return
        parameters, outputs, _t1gd, result = context
        scan, mask = outputs.node(CORRECTED), outputs.node(MASK)
        self._of, self._why = markOf(result), ""
        if scan is None or mask is None:
            self._why = _("The preprocessed scan of this result is no longer in the scene. Predict again.")
            return
        slicer.app.userSettings().setValue(_WANTED, "yes")
        try:
            packages.ensureInstalled(packages.requirements(parameters.device))
            self.run = AtlasRun(folder, scan, mask, self._cache(), self._onEnded)
        except PCNSLSurvivalError as problem:
            self._why = shown(problem)

    def _onEnded(self, stored: dict[str, Any] | None, regions: NamedRegions | None, sentence: str) -> None:
        self.run, self._stored, self._regions = None, stored, regions
        self._why = sentence if stored is None or regions is not None else shown(stored["atlas"]["message"])
        if regions is not None:
            self._crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
            if self._crosshair is not None:
                event = slicer.vtkMRMLCrosshairNode.CursorPositionModifiedEvent
                self._tag = self._crosshair.AddObserver(event, self._onCursor)
        self.show()

    def _onCursor(self, caller: Any = None, event: Any = None) -> None:
        self._showName()

    def _showName(self) -> None:
        label = self._ui.regionLabel
        _setText(label, self._why or self._nameUnderPointer())
        label.setToolTip("" if self._stored is None else plainToolTip(self._aboutAtlas()))

    def _placesOf(self, result: dict[str, Any]) -> list[str]:
        """The strongest hotspot and the middle of every focus, each with the region there; none outside the brain."""
        if self._regions is None:
            return []
        places = [(_("Strongest hotspot: {region}"), self._strongest())]
        for number, focus in enumerate(fociOf(result), start=1):
            words = _("Middle of focus {n} ({ml:.1f} mL): {region}").format(
                n=number, ml=focus["volume_ml"], region="{region}"
            )
            places.append((words, focus["center_ras_mm"]))
        found = [(words, None if ras is None else self._regions.at(lps_to_ras(ras))) for words, ras in places]
        return [words.format(region=shown(place.message)) for words, place in found if place is not None]

    def _nameUnderPointer(self) -> str:
        if self._regions is None:
            return ""
        ras = [0.0, 0.0, 0.0]
        place = None
        if (
            self._crosshair is not None
            and self._crosshair.GetCursorPositionRAS(ras)
            and not navigation.isShowingExams()
        ):
            place = self._regions.at(lps_to_ras(ras))
        if place is None:
            return _("Move the pointer over the brain to see the region.")
        return _("Under the pointer: {region}").format(region=shown(place.message))

    def _aboutAtlas(self) -> str:
        atlas = self._stored["atlas"]
        return "\n".join([atlas["name"], shown(atlas["message"]), *(shown(one) for one in atlas["remarks"])])


def _setText(label: Any, text: str) -> None:
    """Show a text, or no line at all for an empty one; the pointer moves often, and its region changes rarely."""
    if label.text != text:
        label.text = text
    if label.isHidden() is bool(text):
        label.setVisible(bool(text))


def _chosenFolder() -> Path | None:
    stored = slicer.app.userSettings().value(_FOLDER)
    return Path(stored) if isinstance(stored, str) and stored else None
