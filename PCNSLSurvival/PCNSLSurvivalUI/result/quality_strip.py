"""The quality strip: every step of the preparation as a small picture with a number; a click shows it large."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import qt
import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import UnusableScanError
from PCNSLSurvivalLib.core.terms import BESIDE_T1GD, MRSequence, Step
from PCNSLSurvivalUI.messages import plainToolTip, shown
from PCNSLSurvivalUI.result import thumbnails
from PCNSLSurvivalUI.scene.output_nodes import ALIGNED, CORRECTED, INPUT, MASK, T1GD, TRANSFORM, SceneOutputs

_PIXELS, _COLUMNS = 96, 3
_WIDEST = 330
"""Room for a row of pictures in a panel of 400 pixels."""


@dataclass(frozen=True)
class StripStep:
    """One step that can be looked at."""

    role: str
    title: str
    number: str
    remarks: tuple[str, ...]
    """Sentences of the quality checks that were not good."""
    node: Any


def stripSteps(outputs: SceneOutputs, result: dict[str, Any]) -> list[StripStep]:
    """The steps whose volumes are in the scene, in the order they were done.

    Args:
        outputs: Where the volumes are.
        result: The stored prediction, for its numbers and findings.
    """
    raw, mask, corrected = (outputs.node(role) for role in (T1GD, MASK, CORRECTED))
    found = [(T1GD, _("As acquired"), _spacing(raw), raw)]
    field = thumbnails.shading(raw, corrected, mask) if None not in (raw, corrected, mask) else None
    found.append((CORRECTED, _("Bias-corrected"), _percent(field), corrected))
    volume = result.get("preprocessing", {}).get("brain_volume_ml")
    found.append((MASK, _("Brain outline"), "" if volume is None else _("{v:.0f} mL").format(v=volume), mask))
    for sequence in BESIDE_T1GD:
        title = _("{role} aligned").format(role=sequence.label)
        found.append((ALIGNED + sequence, title, _moved(outputs, sequence), outputs.node(ALIGNED + sequence)))
    found.append((INPUT, _("Network input"), _spacing(outputs.node(INPUT)), outputs.node(INPUT)))
    return [
        StripStep(role, title, number, _remarks(result, role), node)
        for role, title, number, node in found
        if node is not None and node.GetImageData() is not None
    ]


def _spacing(node: Any) -> str:
    if node is None:
        return ""
    return _("{x:.1f}×{y:.1f}×{z:.1f} mm").format(**dict(zip("xyz", node.GetSpacing(), strict=True)))


def _percent(field: float | None) -> str:
    return "" if field is None else _("bias field {p:.0f} %").format(p=100 * field)


def _moved(outputs: SceneOutputs, sequence: MRSequence) -> str:
    """How far the alignment moved the middle of the brain."""
    transform, mask = outputs.node(TRANSFORM + sequence), outputs.node(MASK)
    if transform is None or mask is None:
        return ""
    matrix = slicer.util.arrayFromTransformMatrix(transform)
    center = np.append(thumbnails.Place(mask).center_ras_mm, 1.0)
    return _("moved {mm:.1f} mm").format(mm=float(np.linalg.norm((matrix @ center - center)[:3])))


def _remarks(result: dict[str, Any], role: str) -> tuple[str, ...]:
    sentences = []
    for finding in result.get("preprocessing", {}).get("findings", []):
        if finding.get("verdict") != "good" and _roleOf(finding) == role:
            sentences.append(shown(finding))
    return tuple(sentences)


def _roleOf(finding: dict[str, Any]) -> str:
    """The picture that a finding belongs to, by its scan and its step."""
    if finding.get("sequence") in BESIDE_T1GD:
        return ALIGNED + MRSequence(finding["sequence"])
    return {Step.BRAIN_EXTRACTION: MASK, Step.BIAS_FIELD: CORRECTED}.get(finding.get("step"), T1GD)


def _changes(node: Any) -> tuple[int, ...]:
    """Other numbers when the voxels of a volume or their place have changed."""
    parent = node.GetParentTransformNode()
    moved = 0 if parent is None else parent.GetTransformToWorldMTime()
    return node.GetMTime(), node.GetImageData().GetMTime(), moved


class QualityStrip:
    """The row of pictures in the panel.

    Args:
        place: Widget with an empty grid layout.
        after: The control that the Tab key comes from.
        clicked: Called with the role of the step to show large; an empty text to go back to the map.
    """

    def __init__(self, place: Any, after: Any, clicked: Callable[[str], None]) -> None:
        self._place, self._after, self._clicked = place, after, clicked
        self.buttons: dict[str, Any] = {}
        self._steps: list[StripStep] = []
        self._drawn: list[tuple[Any, ...]] = []
        """What the pictures were made of."""

    def show(self, outputs: SceneOutputs, result: dict[str, Any]) -> None:
        """Draw the steps anew, if they are others than those in the row."""
        mask = outputs.node(MASK)
        if mask is None or mask.GetImageData() is None:
            self.clear()
            return
        steps = stripSteps(outputs, result)
        made = [(step, *_changes(step.node)) for step in steps]
        if made == self._drawn:
            return
        self.clear()
        self._steps, self._drawn = steps, made
        layout = self._place.layout()
        try:
            place = thumbnails.Place(mask)
            brain = np.nan_to_num(thumbnails.axialValues(mask, place, _PIXELS)) > 0
        except UnusableScanError:
            return
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        self.buttons = {step.role: self._button(step, place, brain) for step in self._steps}
        widest = max((button.sizeHint.width() for button in self.buttons.values()), default=_PIXELS)
        columns = min(max(_WIDEST // (widest + 2), 1), _COLUMNS)  # fonts differ
        before = self._after
        for number, button in enumerate(self.buttons.values()):
            layout.addWidget(button, number // columns, number % columns)
            qt.QWidget.setTabOrder(before, button)
            before = button

    def _button(self, step: StripStep, place: thumbnails.Place, brain: Any) -> Any:
        button = qt.QToolButton()
        button.objectName = step.role
        button.setCheckable(True)
        button.setAutoRaise(True)
        button.setFocusPolicy(qt.Qt.StrongFocus)
        button.setToolButtonStyle(qt.Qt.ToolButtonTextUnderIcon)
        button.setIconSize(qt.QSize(_PIXELS, _PIXELS))
        mark = "⚠ " if step.remarks else ""
        button.setText(f"{mark}{step.title}\n{step.number}")
        words = [_("Show this step in the slice views. Press again to return to the map."), *step.remarks]
        button.setToolTip(plainToolTip("\n".join(words)))
        button.setAccessibleName(step.title)
        try:
            node = self._node(T1GD) if step.role == MASK else step.node
            values = thumbnails.axialValues(node if node is not None else step.node, place, _PIXELS)
            if step.role == INPUT:
                values = np.where(brain, values, np.nan)  # the 0 around the brain is not a gray
            outlined = step.role == MASK or step.role.startswith(ALIGNED)
            button.setIcon(qt.QIcon(thumbnails.picture(values, brain, outlined=outlined)))
        except UnusableScanError:
            pass  # bent by a transform since: the step stays in the row without its picture
        button.connect("clicked(bool)", lambda checked, role=step.role: self._onClicked(role, checked))
        return button

    def titleOf(self, role: str) -> str:
        """What a step is called; empty where the strip does not show it."""
        return next((step.title for step in self._steps if step.role == role), "")

    def _node(self, role: str) -> Any:
        return next((step.node for step in self._steps if step.role == role), None)

    def _onClicked(self, role: str, checked: bool) -> None:
        self.mark(role if checked else "")
        self._clicked(role if checked else "")

    def mark(self, role: str) -> None:
        """Show which step the views show; none for an empty role."""
        for name, button in self.buttons.items():
            button.setChecked(name == role)

    def clear(self) -> None:
        """Take every picture away."""
        for button in self.buttons.values():
            self._place.layout().removeWidget(button)
            button.hide()
            button.deleteLater()
        self.buttons, self._steps, self._drawn = {}, [], []
