"""The step list and the progress line under the button."""

from __future__ import annotations

from functools import cache
from typing import Any

import qt
from slicer.i18n import tr as _

from PCNSLSurvivalUI.messages import plainToolTip
from PCNSLSurvivalUI.run import step_list

_MARKS = {
    step_list.WAITING: "·",
    step_list.RUNNING: "▸",
    step_list.DONE: "✓",
    step_list.SKIPPED: "–",
    step_list.KEPT: "✓",
    step_list.FAILED: "✗",
    step_list.CANCELLED: "✗",
}
_ROW_PX = 22
_LEFT = qt.Qt.AlignLeft | qt.Qt.AlignVCenter
_RIGHT = qt.Qt.AlignRight | qt.Qt.AlignVCenter


def stateInWords(step: step_list.RunStep) -> str:
    """State or verdict of a step in a word or two."""
    return step.verdict or _stateWords()[step.state]


@cache
def _stateWords() -> dict[str, str]:
    """Looking words up takes Slicer a tenth of a millisecond each, and the list is shown four times a second."""
    return {
        step_list.WAITING: _("waiting"),
        step_list.RUNNING: _("running"),
        step_list.DONE: _("done"),
        step_list.SKIPPED: _("skipped"),
        step_list.KEPT: _("cached"),
        step_list.FAILED: _("failed"),
        step_list.CANCELLED: _("cancelled"),
    }


def prepareTable(table: Any) -> None:
    """Columns of the step list: mark, name, seconds, verdict; the panel calls it once."""
    table.setColumnCount(4)
    table.horizontalHeader().hide()
    table.verticalHeader().hide()
    table.setShowGrid(False)
    header = table.horizontalHeader()
    header.setMinimumSectionSize(10)
    for column in (0, 2, 3):
        header.setSectionResizeMode(column, qt.QHeaderView.ResizeToContents)
    header.setSectionResizeMode(1, qt.QHeaderView.Stretch)


def showSteps(section: Any, table: Any, steps: step_list.StepList | None) -> None:
    """Fill the step list; rows are reused, so that it does not flicker.

    Args:
        section: Collapsible button around the table; hidden while there are no steps.
        table: As ``prepareTable`` left it.
        steps: The steps of the run under way or of the last one.
    """
    rows = steps.steps if steps is not None else []
    if table.rowCount != len(rows):
        table.setRowCount(len(rows))
        table.setFixedHeight(_ROW_PX * len(rows) + 4)
        for row in range(len(rows)):
            table.setRowHeight(row, _ROW_PX)
    secondsInWords = _("{seconds:.1f} s")
    for row, step in enumerate(rows):
        seconds = secondsInWords.format(seconds=step.elapsed) if step.elapsed else ""
        texts = (_MARKS[step.state], step.label, seconds, stateInWords(step))
        for column, text in enumerate(texts):
            item = table.item(row, column)
            if item is None:
                item = qt.QTableWidgetItem("")
                item.setTextAlignment(_RIGHT if column == 2 else _LEFT)
                table.setItem(row, column, item)
            if item.text() != text:
                item.setText(text)
            note = plainToolTip(step.note)
            if item.toolTip() != note:
                item.setToolTip(note)
    section.setVisible(bool(rows))


def progressInWords(steps: step_list.StepList, hasResult: bool) -> str:
    """What is ready, what is running, what is still to come, and how long that took here before.

    Args:
        steps: The steps of the run.
        hasResult: Whether the prediction is in the scene already.
    """
    running = [step.label for step in steps.steps if step.state == step_list.RUNNING]
    waiting = [step.label for step in steps.steps if step.state == step_list.WAITING]
    now = ", ".join(running) or _("Preparing")
    if hasResult:
        now = _("The prediction and its map are ready")
        if running or waiting:
            now = _("The prediction and its map are ready. Remaining: {steps}").format(
                steps=", ".join(running + waiting)
            )
    left = steps.secondsLeft(toPrediction=not hasResult)
    if left is None:
        return _("{now} …").format(now=now)
    if steps.isOverdue():
        if left < 1.0:
            return _("{now} … longer than expected").format(now=now)
        return _("{now} … longer than expected, then about {seconds:.0f} s").format(now=now, seconds=left)
    timed = steps.isTimedHere()
    if hasResult:
        words = _("{now} … about {seconds:.0f} s left")
        rough = _("{now} … roughly {seconds:.0f} s left (no timings on this computer yet)")
    else:
        words = _("{now} … about {seconds:.0f} s to the prediction")
        rough = _("{now} … roughly {seconds:.0f} s to the prediction (no timings on this computer yet)")
    return (words if timed else rough).format(now=now, seconds=max(left, 1.0))
