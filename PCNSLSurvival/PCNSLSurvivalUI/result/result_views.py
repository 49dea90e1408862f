"""The slice views while a result is open: the map, a step of the preparation, or T1Gd alone for a repair."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalUI.event_loop import soon
from PCNSLSurvivalUI.result import map_display, navigation
from PCNSLSurvivalUI.scene.kept_views import KeptViews, modifiedOnce, oneRender
from PCNSLSurvivalUI.scene.output_nodes import ALIGNED, MASK, OUTPUT_ATTRIBUTE, T1GD, SceneOutputs

_NOT_IN_EXAMS = "PCNSLSurvival.notInExams"
"""Of the display of a segmentation: it is left out of the views of two exams."""
_FILLED = "filled"
"""Value of the same: it was filled before, and is a line in these views."""


class ResultViews:
    """Decides what the views show, and gives the user's views back when the result is closed."""

    def __init__(self) -> None:
        self._kept = KeptViews(navigation.isOwnLayout)
        self._beforeExams: int | None = None
        """Layout before two exams were shown side by side."""
        self._examOutline: Any = None
        """Drawn in the view of the earlier exam."""
        self._isWatching = False
        """Whether Slicer's layout and scene are observed, while two exams are shown."""
        self._tag = 0
        self._arrivals = qt.QTimer()
        self._arrivals.setSingleShot(True)
        self._arrivals.connect("timeout()", self._onArrivals)
        self.examsLeft: Callable[[bool], None] = lambda byLayout: None
        """Called when two exams are shown no more: with whether another layout was chosen, or else something of ours
        took their place."""
        self.stepReplaced: Callable[[], None] = lambda: None
        """Called when something else takes the place of a step of the preparation."""

    def showMap(self, outputs: SceneOutputs, t1gd: Any, result: dict[str, Any], parameters: Any) -> None:
        """T1Gd below, the map above it as the panel's controls say, and its legend.

        Args:
            outputs: Where the volumes are.
            t1gd: The T1Gd of the result; None when it is gone.
            result: The stored prediction.
            parameters: The panel's choices.
        """
        self.stepReplaced()
        with oneRender():
            map_display.prepareDisplay(outputs, result, parameters)
            node = map_display.displayedNode(outputs, result, parameters)
            visible = node if parameters.mapVisible else None
            takenOver = any(_isForeign(composite.GetBackgroundVolumeID(), t1gd) for composite in _composites())
            before = _shownIDs()
            self._setLayers(outputs, t1gd, t1gd, visible, float(parameters.mapOpacity))
            if takenOver:  # a scan loaded meanwhile has turned the views to its own planes
                self.showAxial(t1gd)
            map_display.showLegend(outputs, result, parameters, layersChanged=_shownIDs() != before)

    def showCrosshair(self) -> None:
        """One crosshair in all views of several sequences (Shift and the mouse)."""
        self._kept.showCrosshair()

    def crosshairAsBefore(self) -> None:
        """Only views of several sequences need a crosshair."""
        self._kept.giveCrosshairBack()

    def showAxial(self, t1gd: Any) -> None:
        """Turn every view to the planes of T1Gd, which ``showMap`` laid into it, and fit it in."""
        if t1gd is not None:
            with oneRender():
                navigation.turnToPlanesOf(t1gd)

    def showStep(self, outputs: SceneOutputs, role: str) -> None:
        """Show a step's volume in place of the map; the brain's outline over steps that it judges.

        Args:
            outputs: Where the volumes are.
            role: The step, as in ``quality_strip``.
        """
        node = outputs.node(T1GD if role == MASK else role)
        if node is None:
            return
        self._replaceExams()
        judged = role == MASK or role.startswith(ALIGNED)
        self._replaceMap(outputs, node, None, outputs.node(MASK) if judged else None)

    def showFused(self, outputs: SceneOutputs, moving: Any) -> None:
        """Lay a volume half transparent over T1Gd, to see its alignment while it is moved."""
        self._replaceExams()
        self._replaceMap(outputs, outputs.node(T1GD), moving, None)

    def showT1GdAlone(self, outputs: SceneOutputs, t1gd: Any = None) -> None:
        """Make room for another module to draw on T1Gd, that of the result if none is given."""
        self.stepReplaced()
        self._replaceExams()
        self._replaceMap(outputs, outputs.node(T1GD) if t1gd is None else t1gd, None, None)

    def showExams(
        self,
        exams: tuple[tuple[Any, Any], ...],
        opacity: float,
        ras_mm: tuple[float, ...] | None,
        outline: Any = None,
    ) -> None:
        """The earlier exam on the left, the later one on the right.

        Args:
            exams: T1Gd and map of each, at the place of the earlier head; None for a map that is not there.
            opacity: Of the maps.
            ras_mm: Where to look; None for the middle of the head.
            outline: Tumor outline of the earlier exam, drawn in its view alone; no other one is drawn in these views.
        """
        manager = slicer.app.layoutManager()
        if manager is None:
            return
        self.stepReplaced()
        self.crosshairAsBefore()
        if not navigation.isShowingExams():
            self._beforeExams = manager.layout
        map_display.hideLegends()
        map_display.hideLegends(ofExams=True)
        navigation.showExams(exams[0][0], ras_mm)
        self._examOutline = outline
        _keepOutOfExams(outline)
        self._watchExams()
        with oneRender():
            for name, (t1gd, map_) in zip(navigation.EXAM_VIEWS, exams, strict=True):
                composite = slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceCompositeNode{name}")
                if composite is not None:
                    _setViewLayers(composite, t1gd, map_, opacity, None)

    def outlineInExams(self, outline: Any) -> None:
        """While two exams are shown, another outline may be chosen for the earlier one; nothing happens otherwise."""
        if self._isWatching and outline is not self._examOutline:
            self._examOutline = outline
            _keepOutOfExams(outline)

    def leaveExams(self) -> None:
        """The layout from before the two exams; their views show nothing any more."""
        self._unwatchExams()
        self._examOutline = None
        _letIntoAllViews()
        map_display.hideLegends(ofExams=True)
        if navigation.isShowingExams():
            fourUp = slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
            navigation.showLayout(fourUp if self._beforeExams is None else self._beforeExams)
        self._beforeExams = None
        for name in navigation.EXAM_VIEWS:
            composite = slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceCompositeNode{name}")
            if composite is not None:
                _setViewLayers(composite, None, None, 0.0, None)

    def giveBack(self) -> None:
        """The result is closed: the views are again as they were before it."""
        self.leaveExams()
        map_display.hideLegends()
        for segmentation in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
            if _isOurs(segmentation.GetID()):
                segmentation.SetDisplayVisibility(False)
        for model in slicer.util.getNodesByClass("vtkMRMLModelNode"):
            if _isOurs(model.GetID()):
                model.SetDisplayVisibility(False)
        self._kept.giveBack()

    def forget(self) -> None:
        """The scene goes, and the views with it."""
        self._unwatchExams()
        self._examOutline = None
        self._kept.forget()

    def close(self) -> None:
        """The module is unloaded: Qt holds what is connected to it, and would keep the whole panel alive."""
        self._arrivals.stop()
        self._arrivals.disconnect("timeout()")

    def _replaceExams(self) -> None:
        """What comes now would not show in the views of two exams."""
        if self._isWatching or navigation.isShowingExams():
            self.leaveExams()
            self.examsLeft(False)

    def _watchExams(self) -> None:
        """Slicer's own layout menu leaves the two exams as well."""
        if not self._isWatching:
            slicer.app.layoutManager().connect("layoutChanged(int)", self._onLayout)
            self._tag = slicer.mrmlScene.AddObserver(slicer.vtkMRMLScene.NodeAddedEvent, self._onNodeAdded)
            self._isWatching = True

    def _unwatchExams(self) -> None:
        wasWatching, self._isWatching = self._isWatching, False
        if wasWatching:
            slicer.mrmlScene.RemoveObserver(self._tag)
            self._arrivals.stop()
        manager = slicer.app.layoutManager()
        if wasWatching and manager is not None:
            manager.disconnect("layoutChanged(int)", self._onLayout)

    def _onNodeAdded(self, caller: Any, event: str) -> None:
        self._arrivals.start()  # several nodes come together, and one is not whole yet

    def _onArrivals(self) -> None:
        """A segmentation came while two exams are shown: it has no place in the later exam either."""
        displays = slicer.util.getNodesByClass("vtkMRMLSegmentationDisplayNode")
        if self._isWatching and any(not display.GetNumberOfViewNodeIDs() for display in displays):
            _keepOutOfExams(self._examOutline)

    def _onLayout(self, layout: int) -> None:
        soon(self._onLayoutShown)  # not while the views are being replaced

    def _onLayoutShown(self) -> None:
        if self._isWatching and not navigation.isShowingExams():
            self.leaveExams()
            self.examsLeft(True)

    def _replaceMap(self, outputs: SceneOutputs, background: Any, foreground: Any, outlined: Any) -> None:
        with oneRender():
            map_display.hideLegends()
            self._setLayers(outputs, outputs.node(T1GD), background, foreground, 0.5, outlined)

    def _setLayers(
        self, outputs: SceneOutputs, t1gd: Any, background: Any, foreground: Any, opacity: float, outlined: Any = None
    ) -> None:
        """Set all layers of all views; the one beside the overlay shows T1Gd alone, those of a sequence its scan.

        A label map would lie above the map and hide it, so only our brain outline may stand in the label layer.
        """
        self._kept.keep()
        for composite in _composites():
            if not _isOurs(composite.GetLabelVolumeID()):
                self._kept.keepLabel(composite)
            sequence = _sequenceOf(composite)
            if sequence is not None:
                _setViewLayers(composite, outputs.node(ALIGNED + sequence), None, 0.0, None)
            elif composite.GetLayoutName() == navigation.BESIDE:
                _setViewLayers(composite, t1gd, None, 0.0, None)
            else:
                _setViewLayers(composite, background, foreground, opacity, outlined)
        for sliceNode in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
            sliceNode.SetUseLabelOutline(outlined is not None or self._kept.hasOutline(sliceNode))


def _keepOutOfExams(outline: Any) -> None:
    """Segmentations lie where their own T1Gd is, but the later exam is shown where the earlier head is."""
    _letIntoAllViews()
    views = [*slicer.util.getNodesByClass("vtkMRMLSliceNode"), *slicer.util.getNodesByClass("vtkMRMLViewNode")]
    others = [view.GetID() for view in views if view.GetLayoutName() not in navigation.EXAM_VIEWS]
    earlier = [view.GetID() for view in views if view.GetLayoutName() == navigation.EARLIER_VIEW]
    for display in slicer.util.getNodesByClass("vtkMRMLSegmentationDisplayNode"):
        if display.GetNumberOfViewNodeIDs():
            continue
        isOutline = outline is not None and display.GetDisplayableNode() is outline
        with modifiedOnce(display):
            isFilled = isOutline and bool(display.GetVisibility2DFill())
            display.SetAttribute(_NOT_IN_EXAMS, _FILLED if isFilled else "yes")
            if isFilled:  # it would hide T1Gd and the map
                display.SetVisibility2DFill(False)
            for view in [*others, *earlier] if isOutline else others:
                display.AddViewNodeID(view)


def _letIntoAllViews() -> None:
    """Undo ``_keepOutOfExams``, also in a scene that was saved meanwhile."""
    for display in slicer.util.getNodesByClass("vtkMRMLSegmentationDisplayNode"):
        if display.GetAttribute(_NOT_IN_EXAMS):
            with modifiedOnce(display):
                if display.GetAttribute(_NOT_IN_EXAMS) == _FILLED:
                    display.SetVisibility2DFill(True)
                display.RemoveAttribute(_NOT_IN_EXAMS)
                display.RemoveAllViewNodeIDs()


def _sequenceOf(composite: Any) -> MRSequence | None:
    """The sequence that a view is for."""
    name = composite.GetLayoutName()
    return next((sequence for sequence, view in navigation.SEQUENCE_VIEWS.items() if view == name), None)


def _composites() -> list[Any]:
    """What the views of the result show; those of two exams side by side are left alone."""
    nodes = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    return [node for node in nodes if node.GetLayoutName() not in navigation.EXAM_VIEWS]


def _shownIDs() -> list[tuple[str | None, str | None]]:
    """Volumes that the views show, without labels."""
    return [(composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID()) for composite in _composites()]


def _setViewLayers(composite: Any, background: Any, foreground: Any, opacity: float, label: Any) -> None:
    """Set the layers of one view; its opacity stays where it has no foreground.

    Slicer passes a changed opacity on to all other views if this view is linked: it must be the same in all of them.
    """
    with modifiedOnce(composite):
        composite.SetBackgroundVolumeID(background.GetID() if background is not None else None)
        composite.SetForegroundVolumeID(foreground.GetID() if foreground is not None else None)
        if foreground is not None:
            composite.SetForegroundOpacity(opacity)
        composite.SetLabelVolumeID(label.GetID() if label is not None else None)
        if label is not None:
            composite.SetLabelOpacity(1.0)


def _isOurs(nodeID: str | None) -> bool:
    node = slicer.mrmlScene.GetNodeByID(nodeID) if nodeID else None
    return node is not None and bool(node.GetAttribute(OUTPUT_ATTRIBUTE))


def _isForeign(nodeID: str | None, t1gd: Any) -> bool:
    return bool(nodeID) and t1gd is not None and nodeID != t1gd.GetID() and not _isOurs(nodeID)
