"""The rows of "Patient scans": a selector for each sequence beside T1Gd, whose own row is in the .ui file."""

from __future__ import annotations

from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.terms import BESIDE_T1GD, MRSequence
from PCNSLSurvivalUI.choices.parameters import VOLUMES


def addSelectors(panel: Any, ui: Any) -> None:
    """Add the rows below T1Gd, in the order of the sequences; to be called before the scene is set.

    Args:
        panel: The loaded .ui file; its selectors follow the scene that it is given.
        ui: Its widgets by name. The new ones are added as ``t1Selector``, ``t1SelectorLabel`` and so on.
    """
    form = ui.scansSection.layout()
    for row, sequence in enumerate(BESIDE_T1GD, start=1):
        label = qt.QLabel(_("{sequence}:").format(sequence=sequence.label))
        label.objectName = f"{sequence}SelectorLabel"
        selector = _selector(sequence)
        selector.objectName = f"{sequence}Selector"
        panel.connect("mrmlSceneChanged(vtkMRMLScene*)", selector, "setMRMLScene(vtkMRMLScene*)")
        form.insertRow(row, label, selector)
        for widget in (label, selector):
            setattr(ui, widget.objectName, widget)


def _selector(sequence: MRSequence) -> Any:
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    selector.showChildNodeTypes = False  # label maps
    selector.addEnabled = selector.removeEnabled = False
    selector.noneEnabled = True
    selector.noneDisplay = _("None (optional)")
    name = _("T1 before contrast") if sequence is MRSequence.T1 else sequence.label
    selector.toolTip = _("{sequence} (optional): registered to T1Gd, so that a slice shows the same place.").format(
        sequence=name
    )
    selector.setProperty("SlicerParameterName", VOLUMES[sequence])
    return selector
