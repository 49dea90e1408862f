"""``slicer.cli``: asynchronous CLI nodes with the states, the queue and the traps that were recorded.

Real MRML command-line nodes; one job at a time, first come first served, each in a child process
(``cli_player.py``) that exchanges files, save for those that are only to be quick. Stricter than Slicer in one
point: an unknown parameter name or an unsupported value, which Slicer only prints, is kept in ``faults`` so that
the tests can fail on it. Where Slicer would crash, the reason goes into ``crashes``. While one runs, the signal
SIGCHLD is taken over (``processes``).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from PySide6 import QtCore

from slicer_standin import processes, records
from slicer_standin.cli_player import play_quickly

faults: list[str] = []
crashes: list[str] = []
plans: dict[str, dict[str, Any]] = {}
"""Per module: ``seconds`` to take first, ``fail`` with this text, ``quick`` without any filter; ``pose``,
(4, 4) RAS mm, is the movement that BRAINSFit finds. Quick without any seconds, there is no process either."""
seconds_spent = 0.0
"""Time on the application's thread that the stand-in itself took for files; in Slicer another thread does most."""
_TICK_MS = 10
_PLAYER = Path(__file__).with_name("cli_player.py")


@dataclass
class CLIModule:
    """``slicer.modules.brainsfit`` and its kin."""

    name: str
    title: str


@dataclass(eq=False)
class _Job:
    module: CLIModule
    held: vtk.vtkCollection
    """The node. As in Slicer no Python object of the application refers to it: an observer that only its node knows is
    emptied by Python's garbage collector."""
    parameters: dict[str, Any]
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="standin_cli_")))
    started: bool = False
    process: subprocess.Popen[bytes] | None = None

    @property
    def node(self) -> Any:
        return self.held.GetItemAsObject(0)


class _Queue:
    def __init__(self) -> None:
        self.waiting: deque[_Job] = deque()
        self.running: _Job | None = None
        self.timer: QtCore.QTimer | None = None

    def add(self, job: _Job) -> None:
        self.waiting.append(job)
        if self.timer is None:
            self.timer = QtCore.QTimer()
            self.timer.timeout.connect(self.tick)
        self.timer.start(_TICK_MS)

    def tick(self) -> None:
        global seconds_spent
        begin = time.perf_counter()
        self._tick()
        seconds_spent += time.perf_counter() - begin

    def _tick(self) -> None:
        if self.running is None:
            if not self.waiting:
                self.timer.stop()
                return
            self._start(self.waiting.popleft())
            return
        job, node = self.running, self.running.node
        if node.GetStatus() == node.Cancelling:
            _kill(job)
            self.end(job, node.Cancelled)
        elif job.process is None or job.process.poll() is not None:
            self._finish(job)

    def _start(self, job: _Job) -> None:
        node = job.node
        if node.GetStatus() == node.Cancelling:
            self.end(job, node.Cancelled)
            return
        missing = _write_inputs(job)
        if missing:
            node.SetErrorText(missing)
            self.end(job, node.CompletedWithErrors)
            return
        self.running, job.started = job, True
        processes.cli_starts()
        plan = plans.get(job.module.name, {})
        if plan.get("quick") and not {"seconds", "fail"} & set(plan):
            play_quickly(job.folder)
        else:
            job.process = subprocess.Popen(
                [sys.executable, str(_PLAYER), job.module.name, str(job.folder)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        node.SetStatus(node.Running)

    def _finish(self, job: _Job) -> None:
        node = job.node
        error = job.process.stderr.read().decode() if job.process is not None else ""
        node.SetStatus(node.Completing)
        if job.process is not None and job.process.returncode != 0:
            node.SetErrorText(error)
            self.end(job, node.CompletedWithErrors)
            return
        _load_outputs(job)
        self.end(job, node.Completed)

    def end(self, job: _Job, status: int) -> None:
        shutil.rmtree(job.folder, ignore_errors=True)
        if job.process is not None:
            job.process.stderr.close()
        if job.started:
            processes.cli_ends()
        self.running = None if self.running is job else self.running
        job.node.SetStatus(status)


_queue = _Queue()


def _kill(job: _Job) -> None:
    if job.process is not None:
        job.process.kill()
        job.process.wait()


def busy() -> bool:
    """Whether a CLI process runs or waits."""
    return _queue.running is not None or bool(_queue.waiting)


def createNode(module: CLIModule, parameters: dict[str, Any] | None = None) -> Any:
    return slicer.mrmlScene.AddNewNodeByClass("vtkMRMLCommandLineModuleNode", module.title)


def run(
    module: CLIModule,
    node: Any = None,
    parameters: dict[str, Any] | None = None,
    wait_for_completion: bool = False,
    delete_temporary_files: bool = True,
    update_display: bool = True,
) -> Any:
    """As ``slicer.cli.run``; the keyword ``hide_window`` of later releases does not exist in 5.8."""
    if not isinstance(module, CLIModule):
        raise AttributeError("'NoneType' object has no attribute 'cliModuleLogic'")
    if wait_for_completion or update_display:
        faults.append(f"{module.name}: waits or changes the views")
    node = node or createNode(module)
    kept = {}
    for name, value in (parameters or {}).items():
        if name not in records.cli_parameters()[module.name]:
            faults.append(f"There is no parameter named {name} in {module.name}")
        elif isinstance(value, (str, bool, int, float, list, tuple)):
            kept[name] = value
        elif isinstance(value, slicer.vtkMRMLNode):
            kept[name] = value.GetID()
        else:
            faults.append(f"parameter {name} has unsupported type {type(value).__name__}")
    node.SetStatus(node.Scheduled)
    held = vtk.vtkCollection()
    held.AddItem(node)
    _queue.add(_Job(module, held, kept))
    return node


def _write_inputs(job: _Job) -> str:
    plan: dict[str, Any] = {**plans.get(job.module.name, {}), "inputs": {}, "outputs": {}, "scalars": {}}
    for name, entry in records.cli_parameters()[job.module.name].items():
        value = job.parameters.get(name)
        if entry["tag"] not in ("image", "transform"):
            if value is not None:
                plan["scalars"][name] = value
            continue
        volume = slicer.mrmlScene.GetNodeByID(value) if value else None
        if volume is None:
            if entry.get("required"):
                return f'No {entry["channel"]} data assigned to "{name}"'
            continue
        if entry["channel"] == "output":
            plan["outputs"][name] = {"id": value, "tag": entry["tag"]}
        else:
            matrix = vtk.vtkMatrix4x4()
            volume.GetIJKToRASMatrix(matrix)
            np.save(job.folder / f"{name}.npy", slicer.util.arrayFromVolume(volume))
            plan["inputs"][name] = [[matrix.GetElement(r, c) for c in range(4)] for r in range(4)]
    job.folder.joinpath("plan.json").write_text(json.dumps(plan), encoding="utf-8")
    return ""


def _load_outputs(job: _Job) -> None:
    for name, output in json.loads((job.folder / "results.json").read_text(encoding="utf-8")).items():
        node = slicer.mrmlScene.GetNodeByID(output["id"])
        if node is None:
            crashes.append(f"{job.module.name}: the output {name} vanished while the module ran")
            continue
        matrix = vtk.vtkMatrix4x4()
        for r in range(4):
            for c in range(4):
                matrix.SetElement(r, c, output["matrix"][r][c])
        if output["tag"] == "transform":
            node.SetMatrixTransformToParent(matrix)
            # Seen in Slicer 5.8.1: BRAINSFit writes the inverse as well, such as
            # BIDEA_vtkMRMLLinearTransformNodeE_Inverse.h5 of process 18340, and leaves it behind.
            written = f"{os.getpid()}_{output['id']}".translate(str.maketrans("0123456789", "ABCDEFGHIJ"))
            Path(slicer.app.temporaryPath, f"{written}_Inverse.h5").write_bytes(b"")
            moving = slicer.mrmlScene.GetNodeByID(job.parameters.get("movingVolume", ""))
            if moving is not None:
                moving.SetAndObserveTransformNodeID(node.GetID())  # the trap: the moving volume changes its place
        else:
            slicer.util.updateVolumeFromArray(node, np.load(job.folder / f"{name}.npy"))
            node.SetIJKToRASMatrix(matrix)
            if node.GetDisplayNode() is None:
                node.CreateDefaultDisplayNodes()


def end_all() -> None:
    """End what still runs, as cancelled modules end: whoever waits for a module hears of it. For the end of a test."""
    _queue.running, jobs = None, [*([_queue.running] if _queue.running else []), *_queue.waiting]
    _queue.waiting.clear()
    for job in jobs:
        _kill(job)
        _queue.end(job, job.node.Cancelled)
    processes.reset()
    QtCore.QCoreApplication.processEvents()
