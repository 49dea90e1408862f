"""Scenes and waits for the panel's tests."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np

LESION_RAS_MM = (18.0, 12.0, 9.0)
_BEAT_MS = 4


def rotation(x_deg: float, y_deg: float, z_deg: float) -> np.ndarray:
    """(3, 3) rotation about x, then y, then z."""
    x, y, z = np.radians((x_deg, y_deg, z_deg))
    rx = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    rz = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    return rz @ ry @ rx


GEOMETRIES = {
    "axial": (np.eye(3), (2.0, 2.0, 2.0), (72, 88, 72)),
    "oblique": (rotation(12, -9, 20), (2.0, 2.0, 2.0), (72, 88, 72)),
    "flipped, left-handed": (np.diag([-1.0, 1.0, 1.0]), (2.0, 2.0, 2.0), (72, 88, 72)),
    "thick slices": (rotation(8, 0, 0), (1.0, 1.0, 6.0), (144, 176, 24)),
}


def add_head(name: str, geometry: str = "axial", *, lesion: float = 1000.0, gain: float = 1.0) -> Any:
    """A head-like volume: ellipsoid of tissue with a bright ball of 8 mm radius at ``LESION_RAS_MM``.

    Volumes of different names have different noise, as two scans of one head have.
    """
    import slicer

    values, affine = _head(geometry, lesion, gain, crc32(name.encode()))
    node = slicer.util.addVolumeFromArray(values.copy(), name=name)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(affine))
    return node


@cache
def _head(geometry: str, lesion: float, gain: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Voxels (k, j, i) and (4, 4) from voxels to RAS mm."""
    directions, spacing, size = GEOMETRIES[geometry]
    affine = np.eye(4)
    affine[:3, :3] = directions * np.array(spacing)
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(size) - 1) / 2)
    i, j, k = np.meshgrid(*[np.arange(n) for n in size], indexing="ij")
    ras = np.stack([i, j, k], axis=-1) @ affine[:3, :3].T + affine[:3, 3]
    inside = ((ras / (60.0, 75.0, 60.0)) ** 2).sum(axis=-1) < 1
    noise = np.random.default_rng(seed).normal(0, 8, inside.shape)
    values = np.where(inside, 350.0 * gain + 60.0 * np.sin(ras[..., 1] / 20), 5.0) + noise
    values[np.linalg.norm(ras - LESION_RAS_MM, axis=-1) < 8.0] = lesion
    return np.ascontiguousarray(values.transpose(2, 1, 0)).astype(np.int16), affine


def write_dicom_of(node: Any, folder: Path) -> list[str]:
    """Write a volume as a DICOM series of T1Gd; the paths of its files in order."""
    import SimpleITK as sitk
    import slicer

    from PCNSLSurvivalLib.core.terms import MRSequence
    from PCNSLSurvivalLib.phantoms.scanner.dicom import write_dicom_series
    from PCNSLSurvivalLib.phantoms.scanner.protocol import SequenceProtocol

    matrix = np.diag([-1.0, -1.0, 1.0, 1.0]) @ ijk_to_ras(node)
    image = sitk.GetImageFromArray(slicer.util.arrayFromVolume(node))
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((matrix[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(matrix[:3, 3].tolist())
    protocol = SequenceProtocol(
        contrast="gradient_echo", tr_ms=8, te_ms=3, matrix=image.GetSize(), voxel_mm=tuple(spacing), slice_mm=2
    )
    write_dicom_series(image, folder, patient_id="invented", sequence=MRSequence.T1GD, protocol=protocol)
    return sorted(str(path) for path in folder.iterdir())


class Wait:
    """Runs the event loop until something is so, and measures its longest silence.

    The silence that counts is the time this thread itself computed between two beats of a timer; on a busy
    machine the clock would measure the other programs. ``longest_silence_ms`` is by the clock, without what this
    thread waited for a core.
    """

    def __init__(self) -> None:
        self.longest_gap_ms = self.longest_silence_ms = 0.0

    def is_calm(self) -> bool:
        """Whether the event loop was never held up: for a tenth of a second on a quiet machine.

        Beside other programs the same work takes longer, so that only a loop that was plainly blocked is told.
        """
        if is_quiet_machine():
            return self.longest_gap_ms < 100 and self.longest_silence_ms < 100
        return self.longest_gap_ms < 500

    def until(self, condition: Callable[[], bool], timeout_s: float = 60.0, *, what: str = "") -> float:
        """Seconds it took.

        Raises:
            AssertionError: It did not become so in time.
        """
        from PySide6 import QtCore, QtWidgets
        from slicer_standin import cli

        begin = time.perf_counter()

        def now_and_computed() -> tuple[float, float]:
            now = time.perf_counter() - _waited_for_a_core_s()
            return now - cli.seconds_spent, time.thread_time() - cli.seconds_spent

        last, last_computed = now_and_computed()

        def beat() -> None:
            nonlocal last, last_computed
            now, computed = now_and_computed()
            self.longest_silence_ms = max(self.longest_silence_ms, 1000 * (now - last))
            self.longest_gap_ms = max(self.longest_gap_ms, 1000 * (computed - last_computed))
            last, last_computed = now, computed

        timer = QtCore.QTimer()
        timer.timeout.connect(beat)
        timer.start(_BEAT_MS)
        try:
            while not condition():
                # The timer ends the wait. With a time of its own, processEvents would never wait but spin, and take
                # the core that the prediction process needs.
                QtWidgets.QApplication.processEvents(QtCore.QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
                assert time.perf_counter() - begin < timeout_s, f"not in {timeout_s} s: {what}"
        finally:
            timer.stop()
        return time.perf_counter() - begin

    def some(self, seconds: float) -> None:
        """Let the event loop run for a while."""
        end = time.perf_counter() + seconds
        self.until(lambda: time.perf_counter() >= end, seconds + 30)


def _waited_for_a_core_s() -> float:
    """How long this thread was ready to go on and had no core (Linux)."""
    return int(Path("/proc/thread-self/schedstat").read_text(encoding="utf-8").split()[1]) / 1e9


def is_quiet_machine() -> bool:
    """Whether the clock measures us and not the other programs on this machine."""
    return os.getloadavg()[0] < 0.75 * (os.cpu_count() or 1)


def scene_state() -> dict[str, Any]:
    """Everything a run must not change or leave behind: nodes by ID, with what the user would notice."""
    import slicer

    state = {}
    for index in range(slicer.mrmlScene.GetNumberOfNodes()):
        node = slicer.mrmlScene.GetNthNode(index)
        kept = [node.GetClassName(), node.GetName()]
        if node.IsA("vtkMRMLScalarVolumeNode") and node.GetImageData() is not None:
            kept += [slicer.util.arrayFromVolume(node).tobytes(), node.GetTransformNodeID(), ijk_to_ras(node).tobytes()]
            display = node.GetDisplayNode()
            kept += [display.GetColorNodeID()] if display else []
            kept += [display.GetWindow(), display.GetLevel()] if hasattr(display, "GetWindow") else []
        if not node.IsA("vtkMRMLScriptedModuleNode") and not node.IsA("vtkMRMLSubjectHierarchyNode"):
            state[node.GetID()] = kept
    return state


def ijk_to_ras(node: Any) -> np.ndarray:
    """(4, 4) voxel index to RAS mm."""
    import slicer
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def temporary_files() -> list[str]:
    """What lies in the application's temporary folder."""
    import slicer

    return sorted(os.listdir(slicer.app.temporaryPath))


def child_processes() -> list[int]:
    """Living children of this process, their children included (Linux).

    Python's own resource tracker, which any earlier test with a process pool leaves running, is none of them.
    """
    found: list[int] = []
    waiting = [os.getpid()]
    while waiting:
        pid = waiting.pop()
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                pids = [int(word) for word in children.read_text(encoding="utf-8").split()]
            except OSError:
                continue
            found += pids
            waiting += pids
    return [pid for pid in found if _alive(pid) and not _is_resource_tracker(pid)]


def _is_resource_tracker(pid: int) -> bool:
    try:
        return b"multiprocessing.resource_tracker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").split()[2] != "Z"
    except OSError:
        return False


def outputs_of(panel: Any) -> Any:
    """The nodes of the panel's result."""
    from PCNSLSurvivalUI.scene.output_nodes import SceneOutputs

    return SceneOutputs(panel.logic.getParameterNode().parameterNode)


def step_buttons(panel: Any) -> dict[str, Any]:
    """The pictures of the quality strip by the name of their step, from left to right."""
    row = panel.ui.qualityPlace.layout()
    buttons = [row.itemAt(place).widget() for place in range(row.count())]
    return {button.objectName: button for button in buttons}


class ShownStep(NamedTuple):
    """A row of the step list as the user reads it."""

    mark: str
    seconds: str
    words: str
    """State or verdict."""
    note: str
    """The tool tip."""

    @property
    def state(self) -> str:
        """By mark and seconds: a verdict stands in the place of "done" and "cached"; what was cached took no time."""
        done = "done" if self.seconds else "cached"
        return {"·": "waiting", "▸": "running", "✓": done, "–": "skipped", "✗": self.words}[self.mark]


def shown_steps(panel: Any) -> dict[str, ShownStep]:
    """The rows of the step list by the name of their step."""
    table = panel.ui.stepsTable
    rows = [[table.item(row, column) for column in range(4)] for row in range(table.rowCount)]
    return {
        name.text(): ShownStep(mark.text(), seconds.text(), words.text(), name.toolTip())
        for mark, name, seconds, words in rows
    }


def way_back() -> Any:
    """The button in Slicer's window that leads back from another module; None where there is none."""
    import slicer
    from PySide6 import QtCore, QtWidgets

    bars = QtCore.QObject.findChildren(slicer.util.mainWindow(), QtWidgets.QToolBar, "PCNSLSurvivalWayBack")
    buttons = [
        QtCore.QObject.findChild(bar, QtWidgets.QPushButton, "PCNSLSurvivalWayBackButton")
        for bar in bars
        if not bar.isHidden()  # one that was taken away is deleted with the next events
    ]
    assert len(buttons) <= 1
    return buttons[0] if buttons else None


def wait_for_exam(panel: Any) -> None:
    """Until the exam that is being opened is shown: nothing can be repaired before."""
    Wait().until(lambda: panel.ui.repairButton.enabled, what=panel.ui.messageLabel.text)


def wait_for_answer(panel: Any, timeout_s: float = 60.0) -> Wait:
    """Until no further test of the prediction is under way, and the shown map is hatched if it failed one."""
    from PCNSLSurvivalUI.result.map_display import shownKind
    from PCNSLSurvivalUI.scene.output_nodes import HATCHED, mapRole, storedResult
    from PCNSLSurvivalUI.second_thoughts.answers import isDoubted

    ui, parameters, outputs = panel.ui, panel.logic.getParameterNode(), outputs_of(panel)

    def ended() -> bool:
        if any(one.text.endswith("Cancel") for one in (ui.checkMapButton, ui.withoutLesionButton, ui.robustnessButton)):
            return False
        result = storedResult(parameters.result)
        kind = "" if result is None else shownKind(parameters, result)
        if not kind or not isDoubted(parameters, result, kind):
            return True
        copies = [outputs.node(HATCHED + mapRole(kind, cells=cells)) for cells in (False, True)]
        return None not in copies and red_view().GetForegroundVolumeID() == copies[parameters.mapAsCells].GetID()

    wait = Wait()
    wait.until(ended, timeout_s)
    return wait


def shortcuts() -> dict[str, Any]:
    """The keyboard shortcuts of Slicer's window by their keys."""
    import slicer
    from PySide6 import QtCore, QtGui

    found = QtCore.QObject.findChildren(slicer.util.mainWindow(), QtGui.QShortcut)
    return {QtGui.QShortcut.key(one).toString(): one for one in found if QtGui.QShortcut.isEnabled(one)}


def take_away(monkeypatch: Any, *names: str) -> None:
    """Play that Python packages are not installed."""
    from importlib import metadata

    own = metadata.distribution

    def found(name: str) -> metadata.Distribution:
        if name in names:
            raise metadata.PackageNotFoundError(name)
        return own(name)

    monkeypatch.setattr(metadata, "distribution", found)


def fail_check(panel: Any) -> None:
    """Play that the shown map has failed one of its checks."""
    from PCNSLSurvivalUI.result.map_display import shownKind
    from PCNSLSurvivalUI.scene.output_nodes import storedResult
    from PCNSLSurvivalUI.second_thoughts.answers import keepAnswer
    from PCNSLSurvivalUI.second_thoughts.outline import markOfOutline
    from PCNSLSurvivalUI.second_thoughts.questions import CHECKS

    parameters = panel.logic.getParameterNode()
    result = storedResult(parameters.result)
    failed = {"verdict": "check", "code": "explanation.some_failed", "values": {"passed": 1, "made": 2}, "checks": []}
    failed["sentence"] = "1 of 2 explanation checks passed. Do not rely on this map."
    keepAnswer(CHECKS, parameters, result, shownKind(parameters, result), failed, markOfOutline(parameters))


@contextmanager
def slice_views(standin: Any, *names: str) -> Iterator[list[Any]]:
    """Slice views as a layout of our own makes them; gives what they show."""
    import slicer

    made = []
    for name in names:
        logic = slicer.vtkMRMLSliceLogic()
        logic.SetMRMLApplicationLogic(standin.app.applicationLogic())
        logic.SetMRMLScene(slicer.mrmlScene)
        logic.AddSliceNode(name)
        made.append(logic)
    try:
        yield [slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceCompositeNode{name}") for name in names]
    finally:
        for logic in made:
            nodes = [logic.GetSliceNode(), logic.GetSliceCompositeNode()]
            logic.SetMRMLScene(None)
            for node in nodes:
                slicer.mrmlScene.RemoveNode(node)


def smooth_map(panel: Any) -> Any:
    """The map of the class OS > 1 year on the voxels of T1Gd."""
    from PCNSLSurvivalUI.scene.output_nodes import OVER, mapRole

    return outputs_of(panel).node(mapRole(OVER, cells=False))


def slice_rgb(standin: Any, view: str = "Red") -> np.ndarray:
    """(rows, columns, 3) picture of a slice view as the slice logic blends it, no OpenGL involved."""
    from vtk.util.numpy_support import vtk_to_numpy

    logic = standin.app.layoutManager().sliceWidget(view).sliceLogic()
    algorithm = logic.GetImageDataConnection().GetProducer()
    algorithm.Update()
    image = algorithm.GetOutput()
    columns, rows, _ = image.GetDimensions()
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(rows, columns, -1)[..., :3].astype(int)


def red_view() -> Any:
    """What the red slice view shows."""
    import slicer

    return slicer.mrmlScene.GetNodeByID("vtkMRMLSliceCompositeNodeRed")
